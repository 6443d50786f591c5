"""Certify: predict the state of every edge, measure it on the weights, compare.

An edge is settled by the first of these that applies: a product of weight
matrices shows that nothing passes, or that nothing which passes reaches the
logits; an interchange changes an output; what passes is the same on every input;
every distinct interchange of the domain has been tried; a stated number has.
Prediction and measurement must agree throughout, and so must the outputs of
program and weights on the whole domain. Otherwise the build stops, and says on
which edge.
"""

from threadpoolctl import threadpool_limits

from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import Edge
from ..compiler.interpreter import interpret
from ..errors import CertificationError, SufficiencyError, listing
from .circuit_labels import (
    Certificate,
    CircuitLabels,
    Constant,
    EdgeLabel,
    EdgeState,
    Exhausted,
    Searched,
    Structural,
    Unreachable,
)
from .contributions import distinct_sources, spreads
from .digest import weights_digest
from .domain_runs import DomainRuns
from .interchange_pairs import TaskDomain
from .interchange_search import InterchangeSearch, Tally
from .prediction import Predictor
from .sufficiency import joint_sufficiency
from .wiring import ROUNDING_BOUND, Wiring, proof_bound

EXHAUSTIVE_LIMIT = 400_000
FEW_ROUNDS = range(3)
MORE_ROUNDS = range(3, 9)

Proof = tuple[EdgeState, Certificate]


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
    with threadpool_limits(limits=1):  # many small products: more threads are slower
        return _Certification(compiled, domain, seed).labels(task or "this model")


class _Certification:
    """One certification: what is at hand, what is settled, what went wrong."""

    def __init__(self, compiled: CompiledModel, domain: TaskDomain, seed: int) -> None:
        self._compiled = compiled
        self._runs = DomainRuns(compiled.model.weights, domain.tokens)
        self._graph = self._runs.graph
        self._predictor = Predictor(compiled)
        self._search = InterchangeSearch(compiled, domain, self._runs, seed)
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
        self._stop_on_problems(task)
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
            wrong = ((given != expected) & codec.is_real(tokens)[:, 1:]).any(axis=1)
            if wrong.any():
                ids = tokens[int(wrong.argmax())].tolist()
                self._problems.append(
                    f"outputs: the weights do not give what the program gives on "
                    f"{int(wrong.sum())} of {len(tokens)} inputs, token ids {ids} among them"
                )
                return

    def _edge_labels(self, task: str) -> tuple[EdgeLabel, ...]:
        """Settle every edge, the cheap ways first; stop before the long ones if any differs."""
        proofs = {edge.name: self._structural(edge) for edge in self._graph.edges}
        unsettled = [edge for edge in self._graph.edges if proofs[edge.name] is None]
        spread = spreads(self._runs, unsettled)
        varying = [edge for edge in unsettled if spread[edge.name] > ROUNDING_BOUND]
        full = {edge.name: Tally() for edge in varying}
        self._search.random_pairs(full, varying, FEW_ROUNDS, permute=False)
        self._stop_on_disagreement(task, full)
        exhausted = self._search_all(full, [e for e in varying if full[e.name].is_open])
        steady = [e for e in unsettled if e.name not in full or not full[e.name].changed]
        permuted = {edge.name: Tally() for edge in steady}
        self._search.random_pairs(permuted, steady, FEW_ROUNDS, permute=True)
        self._stop_on_disagreement(task, full, permuted)
        labels = []
        for edge in self._graph.edges:
            name = edge.name
            tally = permuted.get(name, Tally())
            certificate = exhausted.get(name) or self._on_evidence(full.get(name))
            state, shown = proofs[name] or _decided(full.get(name), tally, certificate)
            labels.append(
                EdgeLabel(
                    edge=name,
                    state=state,
                    variables=self._carried.get(name, ()),
                    certificate=shown,
                    permuted=tally.tried if state is EdgeState.INERT else 0,
                )
            )
        return tuple(labels)

    def _search_all(self, tallies: dict[str, Tally], edges: list[Edge]) -> dict[str, Exhausted]:
        """Try all interchanges of edges that have had no effect, or many where all are too many.

        Returns:
            The certificates of the edges of which all were tried.
        """
        n_inputs = len(self._domain.tokens)
        sources = distinct_sources(self._runs, edges)
        each = {edge: sources[edge.name] for edge in edges}
        few = {
            edge: given
            for edge, given in each.items()
            if given is not None
            and self._domain.exhaustive
            and n_inputs * len(given) <= EXHAUSTIVE_LIMIT
        }
        for name, tally in self._search.every_base(few).items():
            tallies[name].add(tally)
        others = [edge for edge in edges if edge not in few]
        self._search.random_pairs(tallies, others, MORE_ROUNDS, permute=False)
        for edge in others:
            if tallies[edge.name].is_open:
                tallies[edge.name].add(self._search.distinct_contributions(edge, each[edge]))
        return {
            edge.name: Exhausted(n_bases=n_inputs, n_contributions=len(given))
            for edge, given in few.items()
        }

    def _on_evidence(self, full: Tally | None) -> Certificate:
        """Return the certificate of an edge without effect of which not all was tried."""
        if full is not None:
            return Searched(n_pairs=full.tried)
        n_inputs, exhaustive = len(self._domain.tokens), self._domain.exhaustive
        return Constant(n_sources=n_inputs, bound=ROUNDING_BOUND, exhaustive=exhaustive)

    def _stop_on_disagreement(self, task: str, *searches: dict[str, Tally]) -> None:
        """Raise if an interchange did not do on the weights what the program says."""
        for edge in self._graph.edges:
            tallies = (found[edge.name] for found in searches if edge.name in found)
            disagreement = next((t.disagreement for t in tallies if t.disagreement), None)
            if disagreement:
                self._problems.append(f"{edge.name}: {disagreement}")
        self._stop_on_problems(task)

    def _structural(self, edge: Edge) -> Proof | None:
        """Return what the weight matrices alone prove about an edge."""
        carried = self._carried.get(edge.name)
        passing = self._wiring.product(edge)
        if passing <= self._bound:
            if carried:
                self._problems.append(
                    f"{edge.name}: the program has it carry {', '.join(carried)}, and on the "
                    f"weights nothing passes (largest product {passing:g})"
                )
            return EdgeState.UNWIRED, Structural(bound=self._bound)
        if not carried:
            self._problems.append(
                f"{edge.name}: the program has it carry nothing, and on the weights something "
                f"passes (largest product {passing:g})"
            )
            return EdgeState.UNWIRED, Structural(bound=self._bound)
        arriving = self._wiring.reach(edge)
        needed = self._predictor.reaches_output(edge.reader.name, carried)
        if arriving <= self._bound and not needed:
            return EdgeState.INERT, Unreachable(bound=self._bound)
        if arriving > self._bound and not needed:
            self._problems.append(
                f"{edge.name}: no output depends on what it carries, and on the weights a path "
                f"leads to the logits (largest product {arriving:g})"
            )
        return None


def _decided(full: Tally | None, permuted: Tally, without_effect: Certificate) -> Proof:
    """Return the state of an edge that no product of matrices settles.

    `full` is `None` where what passes is the same on every input.
    """
    if full is not None and full.witness:
        return EdgeState.CAUSAL, full.witness
    if permuted.witness:
        return EdgeState.POSITIONAL, permuted.witness
    return EdgeState.INERT, without_effect
