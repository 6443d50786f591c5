"""The quality gate: whether the labels of a model still hold when it is compressed.

They do if every answer of the domain is the original's, every head and MLP writes what the
original's does, to within the bounds of `compression_quality`, and interchanges on the weights
of the compressed model show every edge in the state that it has in the original, and the
causal edges to be sufficient together. Nothing but the state of the original's edges is taken
from the program: states are measured, so that an edge may be without effect on all pairs that
were tried and not on all there are; its certificate says how many that were.

In a compressed model all directions overlap a little, so that no reader's weights annihilate
what a writer writes. An edge that was `unwired` is then one without effect like an `inert`
one, and its certificate is the search that found none. An edge of a component of which nothing is
left is `unwired`.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..compiler import CompiledModel
from ..compiler.compress import compress
from ..compiler.compression_quality import Quality, compression_quality
from ..compiler.one_thread import one_thread
from .circuit_labels import CircuitLabels, EdgeState, Sufficiency
from .digest import weights_digest
from .domain_runs import DomainRuns
from .interchange_pairs import TaskDomain
from .interchange_search import InterchangeSearch
from .interchange_states import InterchangeStates
from .sufficiency import joint_sufficiency
from .swap import Swap


@dataclass(frozen=True, eq=False)
class QualityGate:
    """What a compressed model was measured to be.

    Attributes:
        original: the model that was compressed.
        W: the matrix that compresses it.
        compiled: the compressed model, its source map carried over.
        quality: answers and outputs of components against the original's.
        labels: the measured state of every edge; `None` where quality alone falls short and
            states were not asked for.
        moved: the edges whose state is not the original's, each with the two.
    """

    original: CompiledModel
    W: Float[np.ndarray, "d d_model"]
    compiled: CompiledModel
    quality: Quality
    labels: CircuitLabels | None
    moved: tuple[tuple[str, EdgeState, EdgeState], ...]

    @property
    def passed(self) -> bool:
        """Whether the labels hold."""
        return not self.shortcomings

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """Why the labels do not hold; empty if they do."""
        found = list(self.quality.shortcomings)
        found += [
            f"{edge}: must be {state} as in the original, and is measured {measured}"
            for edge, state, measured in self.moved
        ]
        if self.labels is not None and self.labels.sufficiency.n_changed:
            found.append(
                "the causal edges must suffice together, and on "
                f"{self.labels.sufficiency.n_changed} of {self.labels.sufficiency.n_bases} bases "
                "an answer changes when all other edges are interchanged at once"
            )
        return tuple(found)


def quality_gate(
    original: CompiledModel,
    W: Float[np.ndarray, "d d_model"],
    labels: CircuitLabels,
    domain: TaskDomain,
    *,
    task: str = "",
    seed: int | None = None,
    always_states: bool = False,
) -> QualityGate:
    """Measure a compressed model.

    Args:
        original: the model that was compressed.
        W: the matrix that compresses it.
        labels: the certified labels of the original.
        domain: its inputs.
        task: the id of the compressed task, kept in its labels.
        seed: draws the pairs that are interchanged; by default that of `labels`.
        always_states: whether edges are measured also where quality falls short.
    """
    compiled = compress(original, W)
    quality = compression_quality(original.model, W, domain.tokens)
    if quality.shortcomings and not always_states:
        return QualityGate(original, W, compiled, quality, None, ())
    if seed is not None:
        labels = labels.model_copy(update={"seed": seed})
    measured = measured_labels(compiled, labels, domain, task=task or labels.task)
    states = {edge: measured.states.get(edge, EdgeState.UNWIRED) for edge in labels.states}
    moved = tuple(
        (edge, state, states[edge])
        for edge, state in labels.states.items()
        if states[edge] is not state and (states[edge].has_effect or state.has_effect)
    )
    return QualityGate(original, W, compiled, quality, measured, moved)


def measured_labels(
    compiled: CompiledModel, labels: CircuitLabels, domain: TaskDomain, *, task: str
) -> CircuitLabels:
    """Return the state of every edge as interchanges on the weights alone show it.

    Args:
        compiled: a model that comes near its program.
        labels: of the model that it comes near; their seed draws the pairs.
        domain: the inputs.
        task: the id that is kept in the labels.
    """
    seed = labels.seed
    with one_thread():
        runs = DomainRuns(compiled.model.weights, domain.tokens)
        search = InterchangeSearch(compiled, domain, runs, seed, predicts=False)
        carried = compiled.source_map.carried
        swaps = [
            Swap.of_edge(runs.graph, edge, carried.get(edge.name, ())) for edge in runs.graph.edges
        ]
        settled = InterchangeStates(search).settle(swaps)
        found = labels.model_copy(
            update={
                "task": task,
                "n_inputs": len(domain.tokens),
                "exhaustive": domain.exhaustive,
                "weights": weights_digest(compiled.model.weights),
                "edges": tuple(settled[swap.name].label(swap) for swap in swaps),
                "sufficiency": Sufficiency(n_bases=0, n_changed=0),
            }
        )
        sufficiency = joint_sufficiency(compiled, found.states, domain, runs, seed=seed)
    return found.model_copy(update={"sufficiency": sufficiency})
