"""Program synthesis: small RASP programs, the simplest first, until one gives the model's answers.

The model is run on a few hundred inputs, and never opened. Expressions are enumerated bottom up,
each once by its values on these inputs (`enumerated_expressions`): what compares tokens and
positions, what attention brings with that, and again with what it brought. After each round
the answers are looked for as a table of one variable or of two (`tabulated_answers`): a program
is known when such a table tells all of them. The best programs are checked as answers are, and
compared with the model on further inputs.
"""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TypeVar

from ...compiler import rasp
from ...compiler.effort import Effort
from ...compiler.input_space import InputSpace
from ...compiler.traced_program import traced_program
from ...compiler.values import as_argument
from ...errors import AnswerError, EffortError, ProgramError
from ..program_behaviour import Behaviour
from ..program_problem import MOST_ENTRIES, ProgramProblem, checked_program
from .enumerated_expressions import Expressions, Selection, Variable
from .tabulated_answers import AnswersToTell, Codes, answer_tables, coded, coded_pair

SECONDS = 20.0
"""How long to search, in seconds of the processor; it ends before where a program is found."""
_SIMPLE, _TELLING, _COUNTS, _ORDERED = 24, 16, 8, 48
"""How many variables a round goes on with: the first, those that tell most, and of each round
before it the first counts, more of those that are ranks."""
_PAIRED = 96
_LAYERS = 4
_FEW_COMPARISONS = (rasp.Comparison.EQ, rasp.Comparison.LT)
_MOST = 20_000
_CHECKED = 6
_VERIFIED = 2000
_ROUNDING = 1e-9

Item = TypeVar("Item")


@dataclass(frozen=True, eq=False)
class _Known:
    """A variable with what it tells of the answers."""

    variable: Variable
    codes: Codes
    uncertainty: float


@dataclass(frozen=True, eq=False)
class _Candidate:
    """A table of some variables, and how well it tells the answers."""

    of: tuple[_Known, ...]
    codes: Codes
    agreement: float
    is_told: bool

    @property
    def is_exact(self) -> bool:
        """Whether it tells every answer, on all inputs that were looked at."""
        return self.is_told and self.agreement > 1 - _ROUNDING

    @property
    def rank(self) -> tuple[float, int]:
        """The better the higher: agreement, then few values."""
        return self.agreement, -int(self.codes.max(initial=0))


def synthesise(problem: ProgramProblem, *, seconds: float = SECONDS) -> str:
    """Return the RASP text of the best program that was found.

    Args:
        problem: the model and some inputs.
        seconds: after how many seconds of the processor the search ends, whatever was found.
    """
    search = _Search(problem, time.process_time() + seconds)
    for new in search.rounds():
        search.consider(new)
        found = search.finished()
        if found is not None:
            return found
    return search.best()


class _Search:
    """One search; lives for one problem."""

    def __init__(self, problem: ProgramProblem, deadline: float) -> None:
        weights, codec = problem.model.weights, problem.model.codec
        self._problem, self._deadline = problem, deadline
        self._expressions = Expressions(codec, problem.inputs, causal=weights.causal)
        self._sample = Behaviour.of(problem.model, problem.inputs)
        self._answers = AnswersToTell.of(self._sample)
        self._known: list[_Known] = []
        self._counts: list[Variable] = []
        self._candidates: list[_Candidate] = []
        self._without_attention: _Candidate | None = None
        self._texts: dict[_Candidate, str | None] = {}
        space = InputSpace(len(codec.tokens), codec.max_length)
        self._further = Behaviour.of(problem.model, space.all_or_sample(_VERIFIED, seed=0)[0])

    # -- what is tried -------------------------------------------------------------

    def rounds(self) -> Iterator[list[Variable]]:
        """Yield variables that were not there before, those of longer expressions later."""
        found = self._expressions
        tokens, indices = found.tokens, found.indices
        yield [tokens, indices]
        length = found.widths([found.everything])
        yield length
        flags, zero, places = found.flags(), found.zero(), found.places(length)
        yield [*flags, *places]
        brought = [tokens, *flags, indices]
        others = [indices, tokens, *zero, *places]
        ordered = self._some(found.ordered([tokens]))
        simple = [found.everything, *self._some(found.related([tokens, indices, *flags], others))]
        yield from self._attended([*ordered, *simple], brought)
        for layer in range(_LAYERS):
            chosen = self._chosen()
            yield from self._attended(self._some(found.ordered(chosen)), brought, _ORDERED)
            chosen = self._chosen()
            selections = self._some(found.related(chosen, others, _FEW_COMPARISONS))
            selections += self._some(found.related([indices, tokens], chosen, _FEW_COMPARISONS))
            yield from self._attended(selections, brought)
            yield self._some(found.compared(chosen, chosen))
            if layer == 0:
                few = simple[:_SIMPLE]
                yield from self._attended(self._some(found.both(few, few)), brought)
            chosen = self._chosen()
            selections = self._some(found.related(chosen, chosen, _FEW_COMPARISONS))
            yield from self._attended([*simple[:_SIMPLE], *selections], [*brought, *chosen])

    def _attended(
        self, selections: Sequence[Selection], brought: Sequence[Variable], n_counts: int = _COUNTS
    ) -> Iterator[list[Variable]]:
        """Yield what selectors count, of which the first are gone on with, and what they bring."""
        counts = self._expressions.widths(selections)
        self._counts += counts[:n_counts]
        yield counts
        yield self._some(self._expressions.aggregates(selections, brought))

    def _some(self, items: Iterable[Item]) -> list[Item]:
        """Return what comes in time, and no more than there is room for."""
        taken: list[Item] = []
        for item in items:
            if len(taken) == _MOST or self._is_over:
                break
            taken.append(item)
        return taken

    @property
    def _is_over(self) -> bool:
        return time.process_time() > self._deadline

    def _chosen(self) -> list[Variable]:
        """Return the variables to go on with."""
        telling = sorted(self._known, key=lambda one: one.uncertainty)[:_TELLING]
        chosen = [one.variable for one in (*self._known[:_SIMPLE], *telling)]
        return list(dict.fromkeys([*chosen, *self._counts]))

    # -- how well it tells the answers ---------------------------------------------

    def consider(self, new: Sequence[Variable]) -> None:
        """Try tables of new variables, alone and with those that tell most."""
        fresh = []
        for variable in new:
            if self._is_over and self._candidates:
                return
            codes = coded(variable.values[self._expressions.real])
            fresh.append(_Known(variable, codes, self._answers.uncertainty(codes)))
            self._try((fresh[-1],), codes)
        self._known += fresh
        if any(one.is_exact for one in self._candidates[-len(fresh) :]):
            return
        partners = sorted(self._known, key=lambda one: one.uncertainty)[:_PAIRED]
        is_fresh = set(map(id, fresh))
        for one, other in combinations(partners, 2):
            if self._is_over and self._without_attention is not None:
                return
            if id(one) in is_fresh or id(other) in is_fresh:
                self._try((one, other), coded_pair(one.codes, other.codes))

    def _try(self, of: tuple[_Known, ...], codes: Codes) -> None:
        told = self._answers.is_told(codes)
        found = _Candidate(of, codes, self._answers.agreement(codes), told)
        self._candidates.append(found)
        if len(of) == 2 and self._without_attention is None:
            self._without_attention = found  # the first two variables are tokens and positions

    def finished(self) -> str | None:
        """Return a program that gives every answer, if there is one."""
        self._candidates.sort(key=lambda one: one.rank, reverse=True)
        del self._candidates[4 * _CHECKED :]
        for one in self._candidates[:_CHECKED]:
            if one.is_exact and self._verified(one) > 1 - _ROUNDING:
                return self._text(one)
        return None

    def best(self) -> str:
        """Return the program that agrees most on further inputs."""
        meant = (one for one in self._candidates if self._text(one) is not None)
        tried = [*islice(meant, _CHECKED), self._without_attention]
        text = self._text(max(filter(None, tried), key=self._verified))
        assert text is not None
        return text

    def _verified(self, candidate: _Candidate) -> float:
        """Return how often the program of a candidate agrees on further inputs."""
        text = self._text(candidate)
        if text is None:
            return 0.0
        program = checked_program(self._problem, text).program
        return self._further.metrics(self._further.agreeing(program))["balanced_agreement"]

    # -- as text -------------------------------------------------------------------

    def _text(self, candidate: _Candidate) -> str | None:
        """Return the text of a candidate; `None` if it has no meaning on some input."""
        if candidate not in self._texts:
            self._texts[candidate] = self._written(candidate)
        return self._texts[candidate]

    def _written(self, candidate: _Candidate) -> str | None:
        from ...compiler.rasp_text import write_rasp  # the parser takes long to import

        codec = self._problem.model.codec
        vocabulary = [as_argument(value) for value in codec.tokens.values]
        sides = [one.variable.expression for one in candidate.of]
        try:
            traced, checked = traced_program(
                sides,
                vocabulary,
                codec.max_length,
                causal=self._problem.model.weights.causal,
                effort=Effort(MOST_ENTRIES),
            )
            if checked.reasons:
                return None
            text = write_rasp(*answer_tables(self._further, sides, traced.program))
            checked_program(self._problem, text)
        except (ProgramError, EffortError, AnswerError):
            return None
        return text
