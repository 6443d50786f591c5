"""Verify: replay every certificate of a set of labels on the running weights.

Witnesses are run again, proofs are computed again, searches are repeated in full
by certifying once more. The labels are given; nothing is taken on trust from them.
"""

from collections.abc import Iterator

import numpy as np

from ..benchmark_programs.task_id import EXACT, SUPERPOSED, TRAINED
from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import interchange, run
from ..errors import CertificationError
from .certify import certify
from .circuit_labels import (
    CircuitLabels,
    EdgeLabel,
    Structural,
    Unreachable,
    Witness,
)
from .counted_interchanges import counted_states
from .digest import weights_digest
from .interchange_pairs import TaskDomain
from .quality_gate import measured_labels
from .swap import Swap
from .training_gate import HELD_OUT
from .wiring import Wiring, proof_bound


def verify(compiled: CompiledModel, labels: CircuitLabels, regime: str = EXACT) -> list[str]:
    """Return what is wrong with `labels` as statements about `compiled`; empty if nothing.

    Args:
        compiled: the model that the labels are said to hold for.
        labels: states with certificates, from any source.
        regime: the last that the model went through. A `superposed` or a `trained` model only
            comes near its program, so that the states of edges are measured again and not
            predicted.
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
        *_certified_again(compiled, labels, regime),
    ]


def _replayed(
    compiled: CompiledModel, graph: ComponentGraph, labels: CircuitLabels
) -> Iterator[str]:
    """Yield the certificates that do not hold on their own terms."""
    bound = proof_bound(compiled)
    wiring = Wiring(compiled.model.weights, graph, bound)
    for edge, label in zip(graph.edges, labels.edges, strict=True):
        certificate = label.certificate
        if not label.fits:
            yield f"{label.edge}: a {certificate.kind} certificate cannot show {label.state}"
        elif isinstance(certificate, Structural | Unreachable):
            structural = isinstance(certificate, Structural)
            found = wiring.product(edge) if structural else wiring.reach(edge)
            if max(found, certificate.bound) > bound:
                yield (
                    f"{label.edge}: what passes must be at most {bound:g}, "
                    f"and on the weights it is {found:g}"
                )
        elif isinstance(certificate, Witness):
            problem = _replay(compiled, graph, label, certificate)
            if problem:
                yield f"{label.edge}: {problem}"


def _replay(
    compiled: CompiledModel, graph: ComponentGraph, label: EdgeLabel, witness: Witness
) -> str | None:
    """Run a witness again; return what is wrong with it, or `None`."""
    weights, codec = compiled.model.weights, compiled.model.codec
    rows = range(weights.n_ctx) if witness.positions is None else witness.positions
    base, source = np.array([witness.base]), np.array([witness.source])
    shape = (1, weights.n_ctx)
    if (
        base.shape != shape
        or source.shape != shape
        or sorted(rows) != list(range(weights.n_ctx))
        or not all(0 <= token < weights.d_vocab for token in (*witness.base, *witness.source))
        or not 0 <= witness.position < weights.n_ctx
        or not codec.is_real(base)[0, witness.position]
    ):
        return (
            f"a witness must hold {weights.n_ctx} token ids below {weights.d_vocab} as base and "
            "as source, a permutation of as many rows if any, and the position of a token; "
            f"got {witness}"
        )
    edge = graph.edges[graph.edge_names.index(label.edge)]
    base_run = run(weights, base, graph=graph)
    source_run = run(weights, source, graph=graph, pos_embed=weights.W_pos[np.array([rows])])
    delta = Swap.of_edge(graph, edge, label.variables).delta(base_run, source_run)
    patched = interchange(weights, graph, base_run, edge.reader, delta)
    before, after = (
        int(codec.decode_ids(logits)[0, witness.position]) for logits in (base_run.logits, patched)
    )
    if before == after or (before, after) != (witness.before, witness.after):
        return (
            f"the witness must change output {witness.before} to {witness.after}, and on the "
            f"weights it gives {before} and {after}"
        )
    return None


def _certified_again(compiled: CompiledModel, labels: CircuitLabels, regime: str) -> Iterator[str]:
    """Yield what differs when the model is certified, or measured, anew."""
    try:
        domain = TaskDomain.of(compiled, seed=labels.seed)
        if regime == SUPERPOSED:
            fresh = measured_labels(compiled, labels, domain, task=labels.task)
        elif regime == TRAINED:
            _, held_out = domain.split(HELD_OUT, labels.seed)
            counted = counted_states(compiled, held_out, task=labels.task, seed=labels.seed)
            fresh = counted.labels
        else:
            fresh = certify(compiled, labels.task, seed=labels.seed, domain=domain)
    except CertificationError as error:
        yield str(error)
        return
    for old, new in zip(labels.edges, fresh.edges, strict=True):
        if old.state is not new.state:
            yield f"{old.edge}: the labels say {old.state}, and certifying again gives {new.state}"
        elif old != new:
            yield f"{old.edge}: the labels say {old}, and certifying again gives {new}"
    for claim in ("n_inputs", "exhaustive", "sufficiency"):
        said, found = getattr(labels, claim), getattr(fresh, claim)
        if said != found:
            name = "joint sufficiency" if claim == "sufficiency" else claim
            yield f"{name}: the labels say {said}, and certifying again gives {found}"
