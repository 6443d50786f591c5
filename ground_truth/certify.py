"""Certify: predict the state of every edge, measure it on the weights, compare.

A product of weight matrices shows that nothing passes over an edge, or that nothing
which passes reaches the logits; the other edges are interchanged. Prediction and
measurement must agree throughout, and so must the outputs of program and weights on
the whole domain. Otherwise the build stops, and says on which edge.
"""

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import Edge
from ..compiler.interpreter import interpret
from ..compiler.one_thread import one_thread
from ..errors import CertificationError, SufficiencyError, listing
from .circuit_labels import (
    CircuitLabels,
    EdgeLabel,
    EdgeState,
    Structural,
    Unreachable,
)
from .digest import weights_digest
from .domain_runs import DomainRuns
from .interchange_pairs import TaskDomain
from .interchange_search import InterchangeSearch
from .interchange_states import InterchangeStates, disagreements
from .prediction import Predictor
from .sufficiency import joint_sufficiency
from .swap import Swap
from .wiring import Wiring, proof_bound


def certify(
    compiled: CompiledModel, task: str = "", *, seed: int = 0, domain: TaskDomain | None = None
) -> CircuitLabels:
    """Return the certified state of every edge of a compiled model.

    Args:
        compiled: the model with its program and source map.
        task: the task's id, kept in the labels.
        seed: draws the pairs.
        domain: the inputs, if they are at hand already.

    Raises:
        CertificationError: prediction and measurement differ; every edge concerned is named.
        SufficiencyError: the causal edges are not sufficient together.
    """
    domain = domain or TaskDomain.of(compiled, seed=seed)
    with one_thread():
        return _Certification(compiled, domain, seed).labels(task or "this model")


class _Certification:
    """One certification: what is at hand, what is settled, what went wrong."""

    def __init__(self, compiled: CompiledModel, domain: TaskDomain, seed: int) -> None:
        self._compiled = compiled
        self._runs = DomainRuns(compiled.model.weights, domain.tokens)
        self._graph = self._runs.graph
        self._predictor = Predictor(compiled)
        self._states = InterchangeStates(InterchangeSearch(compiled, domain, self._runs, seed))
        self._carried = compiled.source_map.carried
        self._bound = proof_bound(compiled)
        self._wiring = Wiring(self._runs.weights, self._graph, self._bound)
        self._domain = domain
        self._seed = seed
        self._problems: list[str] = []

    def labels(self, task: str) -> CircuitLabels:
        """Certify the outputs, every edge, then the circuit as a whole."""
        self._check_outputs()
        labels = self._edge_labels(task)
        states = {label.edge: label.state for label in labels}
        sufficiency = joint_sufficiency(
            self._compiled, states, self._domain, self._runs, seed=self._seed
        )
        if sufficiency.n_changed:
            raise SufficiencyError(
                f"The causal edges of {task} must suffice together, and on "
                f"{sufficiency.n_changed} of {sufficiency.n_bases} bases the output changes when "
                "all other edges are interchanged at once."
            )
        return CircuitLabels(
            task=task,
            weights=weights_digest(self._runs.weights),
            n_inputs=len(self._domain.tokens),
            exhaustive=self._domain.exhaustive,
            seed=self._seed,
            edges=labels,
            sufficiency=sufficiency,
        )

    def _stop_on_problems(self, task: str) -> None:
        """Raise if program and weights have been found to differ anywhere."""
        if self._problems:
            raise CertificationError(
                listing(
                    f"The labels of {task} cannot be certified: program and weights differ.",
                    self._problems,
                )
            )

    def _check_outputs(self) -> None:
        """Compare the decoded outputs of program and weights on the whole domain."""
        program, codec = self._compiled.program, self._compiled.model.codec
        for some, done in self._runs.chunks():
            tokens = self._domain.tokens[some]
            values = interpret(program, tokens, program.outputs).values
            expected = codec.answer_ids([values[place] for place in program.outputs])
            given = codec.decode_ids(done.logits)[:, 1:]
            wrong = ~codec.answered_alike(given, expected, tokens[:, 1:])
            if wrong.any():
                ids = tokens[int(wrong.argmax())].tolist()
                self._problems.append(
                    f"outputs: the weights do not give what the program gives on "
                    f"{int(wrong.sum())} of {len(tokens)} inputs, token ids {ids} among them"
                )
                return

    def _edge_labels(self, task: str) -> tuple[EdgeLabel, ...]:
        """Settle every edge: by proof where the weights give one, else by interchange."""
        proofs = {edge.name: self._structural(edge) for edge in self._graph.edges}
        swaps = [
            Swap.of_edge(self._graph, edge, self._carried[edge.name])
            for edge in self._graph.edges
            if proofs[edge.name] is None
        ]
        settled = self._states.settle(swaps)
        self._problems += disagreements(settled)
        self._stop_on_problems(task)
        labels = proofs | {swap.name: settled[swap.name].label(swap) for swap in swaps}
        return tuple(label for label in labels.values() if label is not None)

    def _structural(self, edge: Edge) -> EdgeLabel | None:
        """Return the label that the weight matrices alone prove; `None` if they prove none."""
        carried = self._carried.get(edge.name, ())
        passing = self._wiring.product(edge)
        unwired = EdgeLabel(
            edge=edge.name,
            state=EdgeState.UNWIRED,
            variables=carried,
            certificate=Structural(bound=self._bound),
        )
        if passing <= self._bound:
            if carried:
                self._problems.append(
                    f"{edge.name}: the program has it carry {', '.join(carried)}, and on the "
                    f"weights nothing passes (largest product {passing:g})"
                )
            return unwired
        if not carried:
            self._problems.append(
                f"{edge.name}: the program has it carry nothing, and on the weights something "
                f"passes (largest product {passing:g})"
            )
            return unwired
        arriving = self._wiring.reach(edge)
        needed = self._predictor.reaches_output(edge.reader.name, carried)
        if arriving <= self._bound and not needed:
            return EdgeLabel(
                edge=edge.name,
                state=EdgeState.INERT,
                variables=carried,
                certificate=Unreachable(bound=self._bound),
            )
        if arriving > self._bound and not needed:
            self._problems.append(
                f"{edge.name}: no output depends on what it carries, and on the weights a path "
                f"leads to the logits (largest product {arriving:g})"
            )
        return None
