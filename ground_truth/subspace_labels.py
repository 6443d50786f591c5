"""Subspace labels: the edges again, one variable at a time.

An edge can carry several variables, each in a subspace of its own. Here each of them is
interchanged by itself: `m0[counts]->a1.h0<k>` is what `m0` writes of `counts`, as the key
input of a head reads it. Where an edge carries one variable only, the reader's weights
annihilate all else that the writer writes, so that the edge's label is the variable's.

The neurons of an MLP that compute a variable write to its subspace alone, and no others
do, so that these labels are those of ranges of neurons too.

In a superposed model every reader reads a little of every variable, so that each variable on
the way to each later reader has a label of its own, measured. It is interchanged in the
coordinates of the original, in which its directions are its own: see
`compress.model_seen_through`.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np

from ..compiler.component_graph import Reader, edge_name
from ..compiler.compress import model_seen_through
from ..compiler.executor import seen_columns
from ..compiler.one_thread import one_thread
from ..compiler.source_map import PlacedVariable, SourceMap
from ..compiler.weights import Weights
from ..errors import CertificationError, TaskError, listing
from ..strict_record import Natural
from .circuit_labels import EdgeLabel, EdgeState, Unreachable
from .domain_runs import DomainRuns
from .interchange_search import InterchangeSearch
from .interchange_states import InterchangeStates, disagreements
from .prediction import Predictor
from .quality_gate import QualityGate
from .record import Record
from .swap import Swap, variable_edge_name
from .task import Task
from .universes import later_readers
from .wiring import ROUNDING_BOUND, Wiring, proof_bound, written_rows

FORMAT_VERSION: Literal["1.0"] = "1.0"


class SubspaceLabels(Record):
    """What each variable brings to each reader that reads it, interchanged by itself.

    Any other pair of a variable and a later reader is `unwired`: no entry of the product of
    the variable's directions and the reader's matrix is larger than `bound`. Of a superposed
    model all pairs are named.

    Attributes:
        task: the task's id.
        weights: sha256 of the weights that the certificates hold for.
        seed: draws the pairs.
        bound: 0 for models in their own basis, a rounding bound for rotated ones.
        subspaces: in the order of the reads of the source map; of a superposed model by
            variable, then by reader.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    weights: str
    seed: Natural
    bound: float
    subspaces: tuple[EdgeLabel, ...]

    @property
    def states(self) -> dict[str, EdgeState]:
        """The state of each by name, such as `m0[counts]->a1.h0<k>`."""
        return {label.edge: label.state for label in self.subspaces}


def subspace_labels(task: Task) -> SubspaceLabels:
    """Return the certified labels of the variables that the readers of a model read.

    Raises:
        CertificationError: program and weights differ.
        TaskError: the model was trained.
    """
    if task.training is not None:
        raise TaskError(f"{task.id} was trained, and nothing is known of directions in it.")
    with one_thread():
        if task.gate is not None:
            return _labels(task, _measured(task, task.gate), bound=0.0)
        labelling = _Labelling(task)
        subspaces = labelling.labels()
    _stop(task, labelling.problems)
    return _labels(task, subspaces, proof_bound(task.compiled))


def _stop(task: Task, problems: list[str]) -> None:
    if problems:
        raise CertificationError(
            listing(f"The subspaces of {task.id} cannot be certified:", problems)
        )


def _labels(task: Task, subspaces: tuple[EdgeLabel, ...], bound: float) -> SubspaceLabels:
    return SubspaceLabels(
        task=str(task.id),
        weights=task.labels.weights,
        seed=task.labels.seed,
        bound=bound,
        subspaces=subspaces,
    )


def _measured(task: Task, gate: QualityGate) -> tuple[EdgeLabel, ...]:
    """Return the label of every variable on the way to every later reader, by interchanges.

    Where a writer writes one variable only, the edge's label is the variable's.
    """
    seen = model_seen_through(gate.original, gate.W)
    runs = DomainRuns(seen.model.weights, task.domain.tokens)
    _stop(task, list(_strays(runs.weights, seen.source_map)))
    search = InterchangeSearch(seen, task.domain, runs, task.labels.seed, predicts=False)
    edges = {label.edge: label for label in task.labels.edges}
    names, swaps = [], []
    known: dict[str, EdgeLabel] = {}
    for variable in seen.source_map.variables:
        alone = _writes_nothing_else(runs, variable)
        for reader in later_readers(runs.graph, variable):
            own = variable_edge_name(variable, reader.name)
            names.append(own)
            edge = edges.get(edge_name(variable.writer, reader.name))
            if alone and edge is not None:
                known[own] = edge.model_copy(update={"edge": own, "variables": (variable.name,)})
            else:
                swaps.append(Swap.of_variable(runs.graph, variable, reader))
    settled = InterchangeStates(search).settle(swaps)
    known |= {swap.name: settled[swap.name].label(swap) for swap in swaps}
    return tuple(known[name] for name in names)


def _writes_nothing_else(runs: DomainRuns, variable: PlacedVariable) -> bool:
    """Whether the writer of a variable writes to its subspace alone."""
    writer = runs.graph.writers[runs.graph.writer_index[variable.writer]]
    rows = written_rows(runs.weights, writer)
    inside = rows @ np.linalg.pinv(variable.directions) @ variable.directions
    return bool(np.abs(rows - inside).max(initial=0.0) <= ROUNDING_BOUND)


class _Labelling:
    """One labelling: what is at hand, and what went wrong."""

    def __init__(self, task: Task) -> None:
        compiled = task.compiled
        runs = DomainRuns(compiled.model.weights, task.domain.tokens)
        self._edges = {label.edge: label for label in task.labels.edges}
        self._source_map = compiled.source_map
        self._weights = runs.weights
        self._graph = runs.graph
        search = InterchangeSearch(compiled, task.domain, runs, task.labels.seed)
        self._states = InterchangeStates(search)
        self._wiring = Wiring(runs.weights, runs.graph, proof_bound(compiled))
        self._predictor = Predictor(compiled)
        self.problems = [*self._leaks(), *_strays(runs.weights, self._source_map)]

    def labels(self) -> tuple[EdgeLabel, ...]:
        """Return the label of every variable that a reader reads."""
        readers = {reader.name: reader for reader in self._graph.readers}
        known: dict[str, EdgeLabel] = {}
        swaps: list[Swap] = []
        names = []
        for reader, name in self._source_map.reads:
            variable = self._source_map.by_name[name]
            own = variable_edge_name(variable, reader)
            edge = self._edges[edge_name(variable.writer, reader)]
            names.append(own)
            if edge.variables == (name,):
                known[own] = edge.model_copy(update={"edge": own})
            elif self._predictor.reaches_output(reader, (name,)):
                swaps.append(Swap.of_variable(self._graph, variable, readers[reader]))
            else:
                known[own] = self._unreachable(own, variable, readers[reader])
        settled = self._states.settle(swaps)
        self.problems += disagreements(settled)
        known |= {swap.name: settled[swap.name].label(swap) for swap in swaps}
        return tuple(known[name] for name in names)

    def _unreachable(self, own: str, variable: PlacedVariable, reader: Reader) -> EdgeLabel:
        """Return the label of a variable on which no output depends."""
        bound = self._wiring.bound
        arriving = self._wiring.reach_of(variable.directions, reader)
        if arriving > bound:
            self.problems.append(
                f"{own}: no output depends on it, and on the weights a path leads to the logits "
                f"(largest product {arriving:g})"
            )
        return EdgeLabel(
            edge=own,
            state=EdgeState.INERT,
            variables=(variable.name,),
            certificate=Unreachable(bound=bound),
        )

    def _leaks(self) -> Iterator[str]:
        """Yield what the weights of a reader read and the program does not."""
        reads = set(self._source_map.reads)
        for reader in self._graph.readers:
            matrix = seen_columns(self._weights, reader)
            for variable in self._source_map.variables:
                if (reader.name, variable.name) in reads or not self._before(variable, reader):
                    continue
                passing = float(np.abs(variable.directions @ matrix).max(initial=0.0))
                if passing > self._wiring.bound:
                    yield (
                        f"{variable_edge_name(variable, reader.name)}: the program has it carry "
                        f"nothing, and on the weights something passes (largest product "
                        f"{passing:g})"
                    )

    def _before(self, variable: PlacedVariable, reader: Reader) -> bool:
        """Whether a variable is written before a reader reads."""
        writer = self._graph.writers[self._graph.writer_index[variable.writer]]
        return writer.depth < reader.depth


def _strays(weights: Weights, source_map: SourceMap) -> Iterator[str]:
    """Yield the variables whose neurons write elsewhere too, or that others write to."""
    for variable in source_map.variables:
        if not variable.neurons:
            continue
        layer = int(variable.writer.removeprefix("m"))
        written = weights.W_out[layer]
        inside = written @ np.linalg.pinv(variable.directions) @ variable.directions
        own = np.isin(np.arange(len(written)), variable.neurons)
        if np.abs(written - inside)[own].max(initial=0.0) > ROUNDING_BOUND:
            yield f"{variable.name}: its neurons write outside of its subspace too"
        if np.abs(inside)[~own].max(initial=0.0) > ROUNDING_BOUND:
            yield f"{variable.name}: neurons of others write to its subspace too"
