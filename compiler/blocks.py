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

BOS = "<bos>"
PAD = "<pad>"


@dataclass(frozen=True, eq=False)
class Variable:
    """A named subspace of the residual stream and what its directions mean.

    Attributes:
        name: the program node's name; `<bos>` and `<pad>` are flags that `embed`
            writes.
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
class Embedding:
    """What the embeddings write: the rows of a variable, by token id or by position.

    Attributes:
        output: the variable.
        by_position: whether `pos_embed` writes it, rather than `embed`.
        rows: its coefficients, `[d_vocab, width]` or `[n_ctx, width]`.
    """

    output: str
    by_position: bool
    rows: Float[np.ndarray, "rows width"]


@dataclass(frozen=True, eq=False)
class HeadBlock:
    """An attention head: `softmax((q + query_bias) k^T) v`, written to `output`.

    Attributes:
        output: the variable.
        attends: the selector's node and how BOS scores: what is the same here has the
            same pattern.
        query: what the query reads.
        query_bias: its constant part.
        key: what the key reads.
        value: what the value reads.
    """

    output: str
    attends: tuple[int, float]
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
    """What a program consists of.

    Attributes:
        variables: by name, those of the embeddings first.
        embeddings: what is written before the first layer.
        blocks: the heads and MLPs, in program order.
        outputs: the variables that are read out, in the order of the logits.
    """

    variables: Mapping[str, Variable]
    embeddings: tuple[Embedding, ...]
    blocks: tuple[Block, ...]
    outputs: tuple[str, ...]
