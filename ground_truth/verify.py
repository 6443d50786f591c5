"""Verify: replay every certificate of a set of labels on the running weights.

Witnesses are run again, proofs are computed again, searches are repeated in full
by certifying once more. The labels are given; nothing is taken on trust from them.
"""

from collections.abc import Iterator

import numpy as np

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import interchange, run
from ..errors import CertificationError
from .certify import certify
from .circuit_labels import (
    CircuitLabels,
    EdgeLabel,
    EdgeState,
    Structural,
    Unreachable,
    Witness,
)
from .digest import weights_digest
from .interchange_search import contribution_delta
from .wiring import Wiring, proof_bound


def verify(compiled: CompiledModel, labels: CircuitLabels) -> list[str]:
    """Return what is wrong with `labels` as statements about `compiled`; empty if nothing.

    Args:
        compiled: the model that the labels are said to hold for.
        labels: states with certificates, from any source.
    """
    weights = compiled.model.weights
    if weights_digest(weights) != labels.weights:
        return [
            f"the labels must belong to these weights, whose digest is {weights_digest(weights)}, "
            f"and are made for {labels.weights}; build the task again"
        ]
    graph = ComponentGraph.of(weights)
    named = [label.edge for label in labels.edges]
    if tuple(named) != graph.edge_names:
        missing = sorted(set(graph.edge_names) - set(named))
        extra = sorted(set(named) - set(graph.edge_names))
        return [f"the labels must name every edge once, in order; missing {missing}, extra {extra}"]
    return [
        *_replayed(compiled, graph, labels),
        *_certified_again(compiled, labels),
    ]


def _replayed(
    compiled: CompiledModel, graph: ComponentGraph, labels: CircuitLabels
) -> Iterator[str]:
    """Yield the certificates that do not hold on their own terms."""
    wiring = Wiring(compiled.model.weights, graph)
    for edge, label in zip(graph.edges, labels.edges, strict=True):
        certificate = label.certificate
        if not _fits(label):
            yield f"{label.edge}: a {certificate.kind} certificate cannot show {label.state}"
        elif isinstance(certificate, Structural | Unreachable):
            structural = isinstance(certificate, Structural)
            found = wiring.product(edge) if structural else wiring.reach(edge)
            bound = proof_bound(compiled)
            if max(found, certificate.bound) > bound:
                yield (
                    f"{label.edge}: what passes must be at most {bound:g}, "
                    f"and on the weights it is {found:g}"
                )
        elif isinstance(certificate, Witness):
            before, after = _rerun(compiled, graph, label, certificate)
            if (before, after) != (certificate.before, certificate.after) or before == after:
                yield (
                    f"{label.edge}: the witness must change output {certificate.before} to "
                    f"{certificate.after}, and on the weights it gives {before} and {after}"
                )


def _fits(label: EdgeLabel) -> bool:
    """Whether a certificate of that kind can show that state."""
    certificate = label.certificate
    match label.state:
        case EdgeState.CAUSAL:
            return isinstance(certificate, Witness) and certificate.positions is None
        case EdgeState.POSITIONAL:
            return isinstance(certificate, Witness) and certificate.positions is not None
        case EdgeState.UNWIRED:
            return isinstance(certificate, Structural)
    return not isinstance(certificate, Witness | Structural)


def _rerun(
    compiled: CompiledModel, graph: ComponentGraph, label: EdgeLabel, witness: Witness
) -> tuple[int, int]:
    """Return the decoded output at the witness's position, before and after."""
    weights, codec = compiled.model.weights, compiled.model.codec
    edge = graph.edges[graph.edge_names.index(label.edge)]
    moved = None
    if witness.positions is not None:
        moved = weights.W_pos[np.array([witness.positions])]
    base = run(weights, np.array([witness.base]), graph=graph)
    source = run(weights, np.array([witness.source]), graph=graph, pos_embed=moved)
    delta = contribution_delta(graph, edge, base, source)
    patched = interchange(weights, graph, base, edge.reader, delta)
    decoded = [codec.decode_ids(logits)[0, witness.position] for logits in (base.logits, patched)]
    return int(decoded[0]), int(decoded[1])


def _certified_again(compiled: CompiledModel, labels: CircuitLabels) -> Iterator[str]:
    """Yield the edges whose state differs when the model is certified anew."""
    try:
        fresh = certify(compiled, labels.task, seed=labels.seed)
    except CertificationError as error:
        yield str(error)
        return
    for old, new in zip(labels.edges, fresh.edges, strict=True):
        if old.state is not new.state:
            yield f"{old.edge}: the labels say {old.state}, and certifying again gives {new.state}"
    if labels.sufficiency != fresh.sufficiency:
        yield (
            f"joint sufficiency: the labels say {labels.sufficiency}, and testing again gives "
            f"{fresh.sufficiency}"
        )
