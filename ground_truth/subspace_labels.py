"""Subspace labels: the edges again, one variable at a time.

An edge can carry several variables, each in a subspace of its own. Here each of them is
interchanged by itself: `m0[counts]->a1.h0<k>` is what `m0` writes of `counts`, as the key
input of a head reads it. Where an edge carries one variable only, the reader's weights
annihilate all else that the writer writes, so that the edge's label is the variable's.

The neurons of an MLP that compute a variable write to its subspace alone, and no others
do, so that these labels are those of ranges of neurons too.
"""

from collections.abc import Iterator
from typing import Literal

import numpy as np
from threadpoolctl import threadpool_limits

from ..compiler.component_graph import Reader, edge_name
from ..compiler.executor import reader_matrix
from ..compiler.source_map import PlacedVariable
from ..errors import CertificationError, listing
from .circuit_labels import EdgeLabel, EdgeState, Unreachable
from .domain_runs import DomainRuns
from .interchange_search import InterchangeSearch
from .interchange_states import InterchangeStates, disagreements
from .prediction import Predictor
from .record import Record
from .swap import Swap, variable_edge_name
from .task import Task
from .wiring import ROUNDING_BOUND, Wiring, proof_bound

FORMAT_VERSION: Literal["1.0"] = "1.0"


class SubspaceLabels(Record):
    """What each variable brings to each reader that reads it, interchanged by itself.

    Any other pair of a variable and a later reader is `unwired`: no entry of the product of
    the variable's directions and the reader's matrix is larger than `bound`.

    Attributes:
        task: the task's id.
        weights: sha256 of the weights that the certificates hold for.
        seed: draws the pairs.
        bound: 0 for models in their own basis, a rounding bound for rotated ones.
        subspaces: in the order of the reads of the source map.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    weights: str
    seed: int
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
    """
    with threadpool_limits(limits=1):
        labelling = _Labelling(task)
        subspaces = labelling.labels()
    if labelling.problems:
        raise CertificationError(
            listing(f"The subspaces of {task.id} cannot be certified:", labelling.problems)
        )
    return SubspaceLabels(
        task=str(task.id),
        weights=task.labels.weights,
        seed=task.labels.seed,
        bound=proof_bound(task.compiled),
        subspaces=subspaces,
    )


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
        self.problems = [*self._leaks(), *self._strays()]

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
            matrix = reader_matrix(self._weights, reader)
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

    def _strays(self) -> Iterator[str]:
        """Yield the variables whose neurons write elsewhere too, or that others write to."""
        for variable in self._source_map.variables:
            if not variable.neurons:
                continue
            layer = int(variable.writer.removeprefix("m"))
            written = self._weights.W_out[layer]
            inside = written @ np.linalg.pinv(variable.directions) @ variable.directions
            own = np.isin(np.arange(len(written)), variable.neurons)
            if np.abs(written - inside)[own].max(initial=0.0) > ROUNDING_BOUND:
                yield f"{variable.name}: its neurons write outside of its subspace too"
            if np.abs(inside)[~own].max(initial=0.0) > ROUNDING_BOUND:
                yield f"{variable.name}: neurons of others write to its subspace too"
