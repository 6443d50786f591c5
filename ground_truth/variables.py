"""Variables: in which subspace each lives and between which hooks, certified by intervention.

To interchange a variable on the weights, run a base; where the stream has just received
what the variable's writer wrote, replace the stream's component in the variable's subspace
by that of a source; recompute everything after. The answers must be those that the
high-level model gives when the variable is overridden by its value on the source: an
interchange intervention (Geiger, Lu, Icard and Potts, "Causal Abstractions of Neural
Networks", 2021, arXiv:2106.02997). Positions that hold no token in base and source keep
what they have, as in the high-level model.

**The window of a variable** runs from the hook after its writer to that of its last reader.
At the first hook the interchange reaches every reader, and that is what is certified. At a
later one it reaches only the readers that still come; behind the last, none.

**Of a superposed model** the directions of a variable overlap with those of others. It is taken
in the coordinates of the original, where they do not: see `compress.model_seen_through`. Its
components come near those of the program and no more, so that its answers after an interchange
are measured, and how often they are the program's is counted.

A hook is a depth: `2l` is the stream before the attention of layer `l`, `2l + 1` before its
MLP, and twice the number of layers the stream that the logits read.

On disk this is `labels/variables.json`; the directions are in `labels/source_map.json`.
"""

from collections.abc import Iterator, Mapping
from typing import Literal

import numpy as np
from pydantic import JsonValue

from ..compiler.compiled_model import CompiledModel
from ..compiler.one_thread import one_thread
from ..compiler.source_map import PlacedVariable
from ..errors import CertificationError, listing
from ..strict_record import Natural
from .digest import weights_digest
from .domain_runs import DomainRuns
from .high_level_model import HighLevelModel, Override
from .interchange_pairs import Pairs, TaskDomain
from .json_values import plain
from .record import Record
from .seen import Seen
from .subspace_patch import SubspacePatch, patched_logits
from .variable_window import hook_name, window

FORMAT_VERSION: Literal["1.0"] = "1.0"
PAIRS = (128, 64)
"""On how many pairs a variable is interchanged, at all positions and at random ones."""
DISTRACTOR_PAIRS = (24, 8)
"""The same for a variable on which no output depends."""
SUBSETS = 8
SUBSET_PAIRS = 48


class Tried(Record):
    """Interchanges of the same variables on random pairs.

    Attributes:
        tried: pairs of a base and a source.
        changed: those at which an answer changed.
        defined: those at which every answer is `Counterfactual.defined`.
    """

    tried: int
    changed: int
    defined: int

    @classmethod
    def of(cls, changed: np.ndarray, defined: np.ndarray) -> "Tried":
        """Return the counts of pairs."""
        return cls(tried=len(changed), changed=int(changed.sum()), defined=int(defined.sum()))


class VariableLabel(Record):
    """A variable, and what to interchange it does.

    Its `name`, `encoding`, `values`, `writer` and `neurons` are those of the source map.

    Attributes:
        first: the depth right after the writer.
        last: the depth of the last reader; that of `first` where nothing reads it.
        first_hook: `first` as TransformerLens names it.
        last_hook: `last` as TransformerLens names it.
        relevant: whether any output is computed from it; of distractors none is.
        whole: interchanged at every position.
        partial: interchanged at random positions.
    """

    name: str
    encoding: Literal["categorical", "numerical"]
    values: tuple[JsonValue, ...]
    writer: str
    neurons: tuple[int, ...]
    first: int
    last: int
    first_hook: str
    last_hook: str
    relevant: bool
    whole: Tried
    partial: Tried


class JointInterchange(Record):
    """Several variables interchanged at once, at random positions, each from its own source.

    Attributes:
        variables: which.
        partial: what came of it.
    """

    variables: tuple[str, ...]
    partial: Tried


class VariableLabels(Record):
    """The variables of a model.

    Attributes:
        task: the task's id.
        weights: sha256 of the weights on which they were interchanged.
        seed: draws the pairs.
        variables: in the order of the source map.
        joint: sets of variables that were interchanged at once.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    weights: str
    seed: Natural
    variables: tuple[VariableLabel, ...]
    joint: tuple[JointInterchange, ...]

    @property
    def by_name(self) -> dict[str, VariableLabel]:
        """The variables by name."""
        return {variable.name: variable for variable in self.variables}


@one_thread()
def variables(
    compiled: CompiledModel,
    domain: TaskDomain,
    seed: int = 0,
    *,
    task: str = "",
    runs: DomainRuns | None = None,
) -> VariableLabels:
    """Return the variables of a model, each certified by interchanges on the weights.

    Every variable is interchanged by itself on 192 random pairs, on 128 of them at all
    positions and on 64 at random ones; on 24 and 8 if no output depends on it. Then eight
    random sets of variables are, each variable from a source of its own, at random
    positions on 48 pairs.

    Args:
        compiled: the model with its program and source map.
        domain: bases and sources are drawn from here.
        seed: draws pairs, positions and sets.
        task: the task's id, kept in the labels.
        runs: the model's runs on the domain, if they are at hand already.

    Raises:
        CertificationError: weights and program differ; every variable concerned is named.
    """
    return _Certification(compiled, domain, seed, runs).labels(task or "this model")


class Agreement(Record):
    """How often an interchange on the weights gives the answers that it gives on the program.

    Attributes:
        variables: which are interchanged.
        whole: at how many of the pairs on which they are at every position.
        partial: at how many of those on which they are at random ones.
    """

    variables: tuple[str, ...]
    whole: int
    partial: int


def measured_variables(
    seen: CompiledModel, domain: TaskDomain, seed: int, *, task: str, weights: str
) -> tuple[VariableLabels, tuple[Agreement, ...]]:
    """Return the variables of a superposed model, each measured by interchanges on the weights.

    Args:
        seen: the model in the coordinates of the original.
        domain: bases and sources are drawn from here.
        seed: draws pairs, positions and sets.
        task: the task's id, kept in the labels.
        weights: sha256 of the compressed weights, kept in the labels.

    Returns:
        The labels; and how often weights and program agree, for each variable and then for each
        set of variables.
    """
    with one_thread():
        certification = _Certification(seen, domain, seed, None, predicts=False)
        labels = certification.labels(task)
    return labels.model_copy(update={"weights": weights}), tuple(certification.agreement)


class _Certification:
    """One certification: what is at hand, and what went wrong."""

    def __init__(
        self,
        compiled: CompiledModel,
        domain: TaskDomain,
        seed: int,
        runs: DomainRuns | None,
        *,
        predicts: bool = True,
    ) -> None:
        self._compiled = compiled
        self._runs = runs or DomainRuns(compiled.model.weights, domain.tokens)
        self._model = HighLevelModel(compiled)
        self._codec = compiled.model.codec
        self._seed = seed
        self._predicts = predicts
        self._problems: dict[str, str] = {}
        self.agreement: list[Agreement] = []
        pairs = Pairs.draw(domain, sum(PAIRS), np.random.default_rng([seed, 0]))
        self._base, self._source = map(self._seen, (pairs.base_rows, pairs.source_rows))

    def _seen(self, rows: np.ndarray) -> Seen:
        tokens, done = self._runs.tokens[rows], self._runs.at(rows)
        answers = self._codec.decode_ids(done.logits)
        return Seen(tokens, done, self._model.coefficients(tokens), answers)

    def labels(self, task: str) -> VariableLabels:
        """Interchange each variable, then several at once."""
        source_map = self._compiled.source_map
        placed = [source_map.by_name[name] for name in self._model.variables]
        labels = tuple(self._label(variable, place) for place, variable in enumerate(placed))
        joint = tuple(self._joint(place, names) for place, names in enumerate(self._sets()))
        if self._problems:
            heading = f"The variables of {task} cannot be certified: program and weights differ."
            problems = [f"{names}: {problem}" for names, problem in self._problems.items()]
            raise CertificationError(listing(heading, problems))
        return VariableLabels(
            task=task,
            weights=weights_digest(self._runs.weights),
            seed=self._seed,
            variables=labels,
            joint=joint,
        )

    def _label(self, variable: PlacedVariable, place: int) -> VariableLabel:
        """Interchange one variable, at all positions and at random ones."""
        name, n_layers = variable.name, self._runs.weights.n_layers
        first, last = window(self._compiled.source_map, name, n_layers)
        relevant = self._model.is_relevant(name)
        counts = PAIRS if relevant else DISTRACTOR_PAIRS
        sources = {name: self._source.take(np.arange(sum(counts)))}
        rng = np.random.default_rng([self._seed, 1, place])
        whole, partial = self._interchange(sources, counts[0], rng)
        return VariableLabel(
            name=name,
            encoding=variable.encoding.value,
            values=plain(variable.values),
            writer=variable.writer,
            neurons=tuple(int(neuron) for neuron in variable.neurons),
            first=first,
            last=last,
            first_hook=hook_name(first, n_layers),
            last_hook=hook_name(last, n_layers),
            relevant=relevant,
            whole=whole,
            partial=partial,
        )

    def _sets(self) -> Iterator[tuple[str, ...]]:
        """Yield sets of two or three variables that outputs depend on, and one of any kind."""
        names = self._model.variables
        relevant = [name for name in names if self._model.is_relevant(name)]
        rng = np.random.default_rng([self._seed, 2])
        for _ in range(SUBSETS):
            size = min(int(rng.integers(2, 4)), len(relevant))
            chosen = {*rng.choice(relevant, size, replace=False).tolist(), str(rng.choice(names))}
            yield tuple(name for name in names if name in chosen)

    def _joint(self, place: int, names: tuple[str, ...]) -> JointInterchange:
        """Interchange several variables at once."""
        rng = np.random.default_rng([self._seed, 3, place])
        sources = {
            name: self._source.take(rng.choice(sum(PAIRS), SUBSET_PAIRS, replace=False))
            for name in names
        }
        _, partial = self._interchange(sources, 0, rng)
        return JointInterchange(variables=names, partial=partial)

    def _interchange(
        self, sources: Mapping[str, Seen], n_whole: int, rng: np.random.Generator
    ) -> tuple[Tried, Tried]:
        """Interchange variables on weights and program, and compare.

        The first bases meet each variable's sources, at all positions on the first `n_whole`
        pairs and at random ones on the others; what came of either is returned.
        """
        weights, source_map = self._runs.weights, self._compiled.source_map
        size = min(len(source.tokens) for source in sources.values())
        base = self._base.take(np.arange(size))
        here = rng.random(base.tokens.shape) < rng.uniform(0.3, 0.9, size=(size, 1))
        here[:n_whole] = True
        patches, overrides = [], {}
        for name, source in sources.items():
            depth, _ = window(source_map, name, weights.n_layers)
            where = here & self._model.exchangeable(base.tokens, source.tokens)
            directions = source_map.by_name[name].directions
            patches.append(SubspacePatch(depth, directions, source.run.streams[depth], where))
            overrides[name] = Override(source.values[name], where)
        logits = patched_logits(weights, self._runs.graph, base.run, patches)
        given, real = self._codec.decode_ids(logits), self._codec.is_real(base.tokens)
        expected = self._model.override(base.values, overrides)
        wrong = (given != expected.answers) & real
        if self._predicts:
            self._note(base, sources, given, expected.answers, wrong)
        agrees = ~wrong.any(axis=1)
        self.agreement.append(
            Agreement(
                variables=tuple(sources),
                whole=int(agrees[:n_whole].sum()),
                partial=int(agrees[n_whole:].sum()),
            )
        )
        changed = ((given != base.answers) & real).any(axis=1)
        defined = (expected.defined | ~real).all(axis=1)
        whole = Tried.of(changed[:n_whole], defined[:n_whole])
        return whole, Tried.of(changed[n_whole:], defined[n_whole:])

    def _note(
        self,
        base: Seen,
        sources: Mapping[str, Seen],
        given: np.ndarray,
        expected: np.ndarray,
        wrong: np.ndarray,
    ) -> None:
        """Note the first pair on which the weights do not do what the program does."""
        names = ", ".join(sources)
        if not wrong.any() or names in self._problems:
            return
        pair, at = np.argwhere(wrong)[0].tolist()
        shown = ", ".join(
            str(self._codec.sequence(source.tokens[pair])) for source in sources.values()
        )
        self._problems[names] = (
            f"on base {self._codec.sequence(base.tokens[pair])} and source {shown} the program "
            f"gives {self._codec.answer(expected[pair, at])!r} at position {at}, and the "
            f"weights give {self._codec.answer(given[pair, at])!r}"
        )
