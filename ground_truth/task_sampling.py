"""Sample tasks: fresh programs that nobody has seen, compiled and certified.

Candidates are looked at in the order of their numbers, the cheap ways first: their values
on all inputs, whether the library or an earlier candidate answers alike, what has an
effect in the bare model, and at last the certified labels. Each decision depends on a
candidate and on those before it, and on nothing else, so that the first k of n tasks are
the k tasks, however many processes work.
"""

import logging
import time
import warnings
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from ..benchmark_programs import Regimes, get_program, parse_regimes, write_regimes
from ..benchmark_programs.behaviour import library_behaviours
from ..benchmark_programs.constructs import constructs
from ..benchmark_programs.fresh import FreshName, check_difficulty
from ..errors import TaskError
from .candidate_trial import JOINT, STAGES, Screened, Trial, screened, tried
from .task import Task

REGIMES = "crowded/scrambled"
_MOST_DRAWS = 100
_LONGEST_SEED = 10**40
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class SampleReport:
    """How a sample came about.

    Attributes:
        difficulty: as asked for.
        seed: as asked for.
        regimes: as they stand in task ids, before the number of the draw is added to seeds.
        draws: how many candidates were looked at, up to the last that was taken.
        rejected: how many of them were not taken, by reason.
        joint: candidates in which some edges change an output only together, so that causal
            edges by themselves do not suffice; labels of single edges cannot say that.
        failures: candidates on which program and weights differ, in words. Each is a bug of
            Glassbench.
        constructs: in how many of the tasks each construct of the language occurs.
        seconds: seconds of processor time by stage, all processes together.
    """

    difficulty: str
    seed: int
    regimes: str
    draws: int
    rejected: Mapping[str, int]
    joint: tuple[str, ...]
    failures: tuple[str, ...]
    constructs: Mapping[str, int]
    seconds: Mapping[str, float] = field(compare=False)


class Sample(NamedTuple):
    """Fresh tasks, and how they came about."""

    tasks: tuple[Task, ...]
    report: SampleReport


def sample_tasks(
    seed: int,
    n: int,
    difficulty: str = "medium",
    *,
    regimes: str = REGIMES,
    jobs: int = 1,
    advance: Callable[[], None] = lambda: None,
) -> Sample:
    """Return `n` tasks of random programs, compiled and certified, and a report.

    No two of them answer alike, and none like a program of the library, letters renamed
    or not. The programs are those of the seed on every machine, and the first of them are
    the same however many are asked for; each can be loaded by its id alone.

    Args:
        seed: draws the programs; at least 0.
        n: how many.
        difficulty: `easy`, `medium` or `hard`: see `DIFFICULTIES`.
        regimes: as in task ids. The seed of a task's regimes follows from the seed of the
            sample, the draw, and the seed given here, or 0.
        jobs: how many processes work; -1 for one on each core.
        advance: called for each task that is there.

    Raises:
        TaskError: there is no such difficulty or regime, or a number is out of range.

    Example:
        >>> tasks, report = sample_tasks(0, 1, "easy", regimes="exact")
        >>> tasks
        (Task('fresh_easy_0_...-v1'),)
        >>> report.failures
        ()
    """
    check_sample(seed, n, difficulty)
    if jobs != -1 and jobs < 1:
        raise TaskError(f"jobs must be a number of processes, or -1 for all cores, got {jobs!r}.")
    chain = parse_regimes(regimes)
    search = _Search(seed, difficulty, chain, jobs)
    tasks = []
    for task in search.tasks(n):
        tasks.append(task)
        advance()
    return Sample(tuple(tasks), search.report(tasks))


def check_sample(seed: object, n: object, difficulty: str) -> None:
    """Raise if there is no such sample.

    Raises:
        TaskError: there is no such difficulty, or a number is out of range.
    """
    check_difficulty(difficulty)
    for name, value, least in (("seed", seed, 0), ("n", n, 1)):
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise TaskError(f"{name} must be an integer of at least {least}, got {value!r}.")
        if value >= _LONGEST_SEED:
            raise TaskError(f"{name} must have at most 40 digits, got {value!r}.")


class _Search:
    """Goes through the candidates of a seed; lives for one sample."""

    def __init__(self, seed: int, difficulty: str, regimes: Regimes, jobs: int) -> None:
        self._seed, self._difficulty, self._regimes, self._jobs = seed, difficulty, regimes, jobs
        self._seen: set[str] = set()
        self._rejected: dict[int, str] = {}
        self._failures: dict[int, str] = {}
        self._seconds = dict.fromkeys(STAGES, 0.0)

    def tasks(self, n: int) -> Iterator[Task]:
        """Yield the first `n` tasks, in the order of their draws."""
        from joblib import Parallel, delayed

        parallel = Parallel(n_jobs=self._jobs, return_as="generator", batch_size=1)
        trials = (delayed(tried)(name, self._regimes) for name in self._worth_trying(n))
        found = 0
        with _stopping(parallel(trials)) as results:
            for result in results:
                self._note(result)
                if result.task is not None:
                    found += 1
                    yield result.task
                if found == n:
                    return
        raise TaskError(
            f"Only {found} of {n} tasks were found in {_most_draws(n)} draws; ask for fewer, or "
            "for another difficulty."
        )

    def report(self, tasks: Sequence[Task]) -> SampleReport:
        """Return how the tasks came about; what was tried after the last is not counted."""
        last = FreshName.parse(tasks[-1].id.name).draw
        used = Counter(name for task in tasks for name in _constructs(task))
        reasons = Counter(reason for draw, reason in self._rejected.items() if draw < last)
        return SampleReport(
            difficulty=self._difficulty,
            seed=self._seed,
            regimes=self._written(),
            draws=last + 1,
            rejected=dict(sorted(reasons.items())),
            joint=tuple(
                str(FreshName(self._difficulty, self._seed, draw))
                for draw, reason in sorted(self._rejected.items())
                if reason == JOINT and draw < last
            ),
            failures=tuple(text for draw, text in sorted(self._failures.items()) if draw < last),
            constructs=dict(sorted(used.items())),
            seconds=dict(self._seconds),
        )

    def _written(self) -> str:
        return write_regimes(self._regimes).removeprefix("/")

    def _worth_trying(self, n: int) -> Iterator[FreshName]:
        """Yield the candidates that are worth compiling."""
        for draw in range(_most_draws(n)):
            one = screened(FreshName(self._difficulty, self._seed, draw))
            self._add(one.seconds)
            reason = one.defect or self._known(one)
            if reason:
                self._rejected[draw] = reason
            else:
                yield one.name

    def _known(self, one: Screened) -> str:
        """Return who answers like a candidate; empty if nobody."""
        started = time.process_time()
        known = library_behaviours(one.vocabulary, one.length)
        self._add({"compare": time.process_time() - started})
        if one.behaviour in known:
            return "a program of the library answers alike"
        if one.behaviour in self._seen:
            return "an earlier candidate answers alike"
        self._seen.add(one.behaviour)
        return ""

    def _add(self, seconds: Mapping[str, float]) -> None:
        for stage, spent in seconds.items():
            self._seconds[stage] += spent

    def _note(self, result: Trial) -> None:
        """Keep why a candidate was not taken."""
        self._add(result.seconds)
        if result.reason:
            self._rejected[result.name.draw] = result.reason
        if result.failure:
            self._failures[result.name.draw] = result.failure
            _LOG.warning("%s", result.failure)


@contextmanager
def _stopping(results: Generator[Trial, None, None]) -> Iterator[Iterator[Trial]]:
    """Stop trials that are under way when no more are wanted, which joblib warns of."""
    try:
        yield results
    finally:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", r"\d+ tasks (have been|which were)")
            results.close()


def _most_draws(n: int) -> int:
    return _MOST_DRAWS * (n + 10)


def _constructs(task: Task) -> tuple[str, ...]:
    spec = get_program(task.id.name)
    output = spec.build(spec.vocabulary(spec.vocab), spec.length)
    return constructs(output, causal=spec.causal)
