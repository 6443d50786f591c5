"""Questions of the program track."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from glassbench.compiler import compile_program, optimise, write_rasp
from glassbench.compiler.untrace import untrace
from glassbench.evaluators import MetricValue, program_track
from glassbench.evaluators.program_floors import N_PROGRAMS, library_programs
from glassbench.evaluators.program_problem import (
    ProgramProblem,
    SubmittedProgram,
    checked_program,
)
from glassbench.evaluators.program_track import ProgramKey
from glassbench.ground_truth import Task, load
from glassbench.ground_truth.interchange_pairs import TaskDomain

from .question import Claim, Question, RandomFloor, Rng


@dataclass(frozen=True, eq=False)
class ProgramQuestion(Question):
    """What program it is: a traced program.

    Attributes:
        task: whose model is asked about.
        key: what answers are compared with.
        wrong: a text that differs from its program in one place.
    """

    task: Task
    key: ProgramKey
    wrong: str
    track = "program"

    @classmethod
    def made_up(cls, rng: Rng) -> "ProgramQuestion":
        """Draw a program of one selector, which is negated to spoil it."""
        side, relation, reader = (
            ("tokens", "==", "selector_width({})"),
            ("indices", "<=", "aggregate({}, tokens == 'a')"),
            ("indices", ">", "selector_width({})"),
        )[rng.integers(3)]
        return cls.written(f"s = select({side}, {side}, {relation}); {{}};", reader)

    @staticmethod
    @lru_cache
    def written(selector: str, reader: str) -> "ProgramQuestion":
        """Return the question about a program of tokens a and b."""
        compiled = compile_program(selector.format(f"out = {reader.format('s')}"), "ab", 3)
        task = replace(
            load("histogram[vocab=2,length=3]"), compiled=compiled, domain=TaskDomain.of(compiled)
        )
        wrong = selector.format(f"out = {reader.format('not s')}")
        return ProgramQuestion(task, ProgramKey.of(task, 0), wrong)

    @classmethod
    def of(cls, task: Task, wrong: str) -> "ProgramQuestion":
        return cls(task, program_track._key(task, 0), wrong)

    def measured(self, answer: SubmittedProgram) -> Mapping[str, MetricValue]:
        floors = program_track._marks(self.task, 0)
        return {
            name: MetricValue.of(
                value,
                random=floors.random[name],
                prior=floors.prior.get(name),
                ceiling=floors.ceiling[name],
            )
            for name, value in self.key.measured(answer.program).metrics.items()
        }

    @cached_property
    def names(self) -> frozenset[str]:
        return frozenset(program_track._marks(self.task, 0).ceiling)

    def _read(self, text: str) -> SubmittedProgram:
        return checked_program(ProgramProblem.of(self.task), text)

    def oracles(self) -> list[Claim]:
        return [Claim([SubmittedProgram("", self.task.compiled.program)], self.names)]

    def random_floors(self) -> list[RandomFloor]:
        means = program_track._marks(self.task, 0).random
        return [RandomFloor(means, N_PROGRAMS, self.drawn)]

    def drawn(self, rng: Rng) -> SubmittedProgram:
        seed = int(rng.integers(2**32))
        return SubmittedProgram("", library_programs(self.task, seed=seed, n_programs=1)[0])

    def empty(self) -> list[SubmittedProgram]:
        """Constants: each answer of the model, and one that it never gives."""
        (readout,) = self.task.compiled.model.codec.readouts
        values = [*readout.values.values, 1234]
        return [self._read(f"{value} if indices >= 0 else {value};") for value in map(str, values)]

    def reordered(
        self, answer: SubmittedProgram, rng: Rng
    ) -> tuple["ProgramQuestion", SubmittedProgram]:
        """Inputs and pairs in another order."""
        seen, done = self.key.behaviour, self.key.done
        rows, pairs = rng.permutation(len(seen.tokens)), rng.permutation(len(done.bases))
        behaviour = replace(seen, tokens=seen.tokens[rows], answers=seen.answers[:, rows])
        done = replace(
            done,
            bases=done.bases[pairs],
            sources=done.sources[pairs],
            where=done.where[pairs],
            answers=tuple(one[:, pairs] for one in done.answers),
        )
        return replace(self, key=replace(self.key, behaviour=behaviour, done=done)), answer

    def restated(self, answer: SubmittedProgram, rng: Rng) -> list[Claim]:
        """Its tables as a text, and what another level of the compiler makes of it."""
        del rng
        program = answer.program
        written = self._read(write_rasp(*untrace(program)))
        folded = SubmittedProgram("", optimise(program, 1))
        return [Claim([one], self.names) for one in (written, folded)]

    def spoilt(self, rng: Rng) -> list[Claim]:
        del rng
        return [Claim([self._read(self.wrong)], frozenset({"balanced_agreement", "agreement"}))]
