"""Blocks: attention heads and groups of MLP neurons over named subspaces.

A block reads variables through one matrix each and writes one variable. Where
in the residual stream those variables lie is not decided yet.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from .values import Domain, Encoding

Reads = Mapping[str, Float[np.ndarray, "_width _inner"]]

TOKENS = "tokens"
INDICES = "indices"
BOS = "<bos>"
PAD = "<pad>"


def reciprocal_name(width: str) -> str:
    """Return the name of the variable that holds `1 / (1 + width)` on the way to a width."""
    return f"{width}.reciprocal"


@dataclass(frozen=True, eq=False)
class Variable:
    """A named subspace of the residual stream and what its directions mean.

    Attributes:
        name: the program node's name; `<bos>` and `<pad>` are flags that `embed`
            writes, and `name.reciprocal` holds `1 / (1 + width)` on the way to a
            selector width.
        node: the position of the program node, or -1.
        encoding: categorical: one direction per value; numerical: one direction.
        domain: the values; for a flag the single value `True`.
        at_bos: its constant coefficients at the BOS position.
        zero_at_pad: whether it is the zero vector at padding.
    """

    name: str
    node: int
    encoding: Encoding
    domain: Domain
    at_bos: Float[np.ndarray, " width"]
    zero_at_pad: bool = False

    @property
    def width(self) -> int:
        """The number of directions."""
        return len(self.at_bos)


@dataclass(frozen=True, eq=False)
class HeadBlock:
    """An attention head: `softmax((q + query_bias) k^T) v`, written to `output`."""

    output: str
    query: Reads
    query_bias: Float[np.ndarray, " d_qk"]
    key: Reads
    value: Reads

    def reads(self) -> frozenset[str]:
        """Return the names of the variables it reads."""
        return frozenset((*self.query, *self.key, *self.value))


@dataclass(frozen=True, eq=False)
class MlpBlock:
    """Neurons: `relu(sum of reads + bias) out + out_bias`, written to `output`."""

    output: str
    inputs: Reads
    bias: Float[np.ndarray, " neurons"]
    out: Float[np.ndarray, "neurons width"]
    out_bias: Float[np.ndarray, " width"]

    def reads(self) -> frozenset[str]:
        """Return the names of the variables it reads."""
        return frozenset(self.inputs)


Block = HeadBlock | MlpBlock


@dataclass(frozen=True, eq=False)
class Blocks:
    """All variables, those of the embeddings first, and the blocks in program order."""

    variables: Mapping[str, Variable]
    blocks: tuple[Block, ...]
    output: str
