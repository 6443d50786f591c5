"""Circuits as the circuit track of MIB takes them: a graph as JSON, as EAP-IG writes it.

    {"cfg": {"n_layers": 2, "n_heads": 1, "parallel_attn_mlp": false, "d_model": 12},
     "nodes": {"input": {"in_graph": true}, "a0.h0": {"in_graph": true}, ...},
     "edges": {"input->a0.h0<q>": {"score": 0.5, "in_graph": true}, ...}}

Edges have the names that they have here, but for one: `input` stands for `embed` and `pos_embed`
together. Read from there, both have the score of `input`; written there, `input` has that of the
two whose magnitude is the larger. All heads and MLPs have edges there, those that are all zero
too, which are no components here: they are written as zero, and not looked at when read.

The format is that of MIB (arXiv 2504.13151, section 3) and of EAP-IG (arXiv 2403.17806).
"""

import math
import os
from collections.abc import Iterator, Mapping, Sequence
from numbers import Real
from pathlib import Path

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from ..compiler.component_graph import (
    EMBED,
    LOGITS,
    POS_EMBED,
    ROLES,
    ComponentGraph,
    edge_name,
    head_name,
    mlp_name,
)
from ..compiler.weights import Weights
from ..errors import AnswerError, listing
from ..ground_truth.json_text import canonical_text, strict_json
from ..ground_truth.universes import INPUT
from ..whole_file import write_whole

_SHOWN = 10
_MOST_EMPTY = 1
"""How many heads a layer may have more than the model."""


class _Lenient(BaseModel):
    """What may have more fields than are read."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True, allow_inf_nan=False)


class MibConfig(_Lenient):
    """The sizes of the model.

    Attributes:
        n_layers: layers.
        n_heads: heads in each layer.
    """

    n_layers: int
    n_heads: int


class MibEdge(_Lenient):
    """What is said of an edge: its importance, or whether it is in the circuit, or both.

    Attributes:
        score: its importance.
        in_graph: whether it is in the circuit.
    """

    score: float | None = None
    in_graph: bool | None = None

    @property
    def number(self) -> float | None:
        """Its score, or one or zero where only its place is told."""
        return self.in_graph if self.score is None else self.score


class MibGraph(_Lenient):
    """A circuit as MIB has it.

    Attributes:
        cfg: the sizes of the model.
        edges: by name, with `input` for both embeddings.
    """

    cfg: MibConfig
    edges: dict[str, MibEdge]


def read_mib(content: bytes, where: str, weights: Weights) -> dict[str, float]:
    """Return the scores that a circuit of MIB gives, for the edges of a model.

    Edges that it does not name are not there; whoever checks the answer says so. (MIB counts
    them as found.) It may have more heads than the model: some tools need two, and are given an
    empty one.

    Args:
        content: of the file.
        where: the file, for messages.
        weights: of the model.

    Raises:
        AnswerError: it is no such file, or of a model of another size; every problem is listed.
    """
    try:
        strict_json(content)
        graph = MibGraph.model_validate_json(content)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [
            f"{'.'.join(map(str, one['loc'])) or 'all'}: {one['msg']}" for one in found[:_SHOWN]
        ]
        raise AnswerError(listing(f"{where} must be a circuit of MIB:", problems)) from None
    except ValueError as error:
        raise AnswerError(f"{where} must be a circuit of MIB as JSON: {error}") from None
    n_layers, n_heads = graph.cfg.n_layers, graph.cfg.n_heads
    problems = []
    if n_layers != weights.n_layers:
        problems.append(f"cfg.n_layers: must be {weights.n_layers}, got {n_layers}")
    if not weights.n_heads <= n_heads <= weights.n_heads + _MOST_EMPTY:
        problems.append(f"cfg.n_heads: must be {weights.n_heads}, got {n_heads}")
    if not problems:
        known = set(_edges(n_layers, n_heads))
        problems += [f"{edge!r}: is no edge of this model" for edge in graph.edges.keys() - known]
    problems += [
        f"{name}: must have a score or in_graph"
        for name, edge in graph.edges.items()
        if edge.number is None
    ]
    if problems:
        raise AnswerError(listing(f"{where} must be a circuit of this model:", sorted(problems)))
    own = set(ComponentGraph.of(weights).edge_names)
    return {
        fine: float(edge.number)
        for name, edge in graph.edges.items()
        if edge.number is not None
        for fine in _fine_names(name)
        if fine in own
    }


def mib_text(scores: Mapping[str, float], weights: Weights) -> str:
    """Return scores as a circuit of MIB; an edge is in the graph where its score is not zero.

    Args:
        scores: a finite number for edges of the model; those that have none are written as zero.
        weights: of the model.

    Raises:
        AnswerError: there are other edges, or other numbers; every problem is listed.
    """
    numbers: dict[str, float] = {}
    names = list(_edges(weights.n_layers, weights.n_heads))
    known = [fine for name in names for fine in _fine_names(name)]
    problems = [f"{edge!r}: is no edge of this model" for edge in scores.keys() - set(known)]
    problems += [
        f"{edge}: must have a finite number, got {number!r}"
        for edge, number in scores.items()
        if not isinstance(number, Real) or not math.isfinite(number)
    ]
    if problems:
        raise AnswerError(listing("Scores must be those of the edges of a model:", problems))
    for name in names:
        numbers[name] = max((scores.get(fine, 0.0) for fine in _fine_names(name)), key=abs)
    writers = {name.partition("->")[0] for name, number in numbers.items() if number}
    edges: dict[str, JsonValue] = {
        name: {"score": float(number), "in_graph": bool(number)} for name, number in numbers.items()
    }
    nodes: dict[str, JsonValue] = {
        node: {"in_graph": node in writers or node == LOGITS} for node in _nodes(weights)
    }
    cfg: dict[str, JsonValue] = {
        "n_layers": weights.n_layers,
        "n_heads": weights.n_heads,
        "parallel_attn_mlp": False,
        "d_model": weights.d_model,
    }
    return canonical_text({"cfg": cfg, "nodes": nodes, "edges": edges})


def write_mib(scores: Mapping[str, float], weights: Weights, file: str | os.PathLike[str]) -> Path:
    """Write scores as a circuit of MIB, and return the path; see `mib_text`.

    Raises:
        AnswerError: there are other edges, or other numbers.
        BundleError: the file cannot be written.
    """
    return write_whole(mib_text(scores, weights).encode(), Path(file))


def _fine_names(edge: str) -> Sequence[str]:
    """Return the edges here that an edge there stands for."""
    writer, _, reader = edge.partition("->")
    if writer != INPUT:
        return (edge,)
    return tuple(edge_name(fine, reader) for fine in (EMBED, POS_EMBED))


def _nodes(weights: Weights) -> Iterator[str]:
    """Yield the names of all nodes, in the order of the forward pass."""
    yield INPUT
    for layer in range(weights.n_layers):
        yield from (head_name(layer, head) for head in range(weights.n_heads))
        yield mlp_name(layer)
    yield LOGITS


def _edges(n_layers: int, n_heads: int) -> Iterator[str]:
    """Yield the names of all edges, by reader."""
    before = [INPUT]
    for layer in range(n_layers):
        heads = [head_name(layer, head) for head in range(n_heads)]
        for head in heads:
            for role in ROLES:
                yield from (edge_name(writer, f"{head}<{role}>") for writer in before)
        before += heads
        yield from (edge_name(writer, mlp_name(layer)) for writer in before)
        before.append(mlp_name(layer))
    yield from (edge_name(writer, LOGITS) for writer in before)
