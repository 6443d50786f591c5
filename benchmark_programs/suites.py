"""Suites: fixed sets of tasks that results are reported on.

Which tasks are worth ranking methods on is decided by `TaskMeasures.shortcomings`, and on the
features and attribution tracks by the `shortcomings` of `FeatureMeasures` and of
`RelevanceMeasures`, from what was measured, and by nothing else.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from zlib import crc32

from ..errors import TaskError
from .feature_measures import MOST_FLOOR, measured_features
from .pairs import PAIRS
from .program_spec import ProgramSpec
from .registry import get_program, library
from .relevance_measures import MOST_PRIOR_OF_TASK, measured_relevance
from .suggestion import unknown_name
from .superposed_widths import WIDTHS
from .task_id import TaskId
from .task_measures import measured_tasks
from .toy_id import ToyId
from .toy_suites import TOY_SUITES
from .trained_tasks import TRAINED_TASKS

QUICK = ("histogram", "sort", "reverse", "frac_prevs", "shuffle_dyck1", "sort_by_frequency")
CORE_REGIMES = (
    "/crowded[distractors=8,seed={seed}]/scrambled[seed={seed}]",
    "/crowded[distractors=8,seed={seed}]",
)
"""The regimes of `core`; the seed of a program says which it takes."""
FULL_REGIMES = (
    "",
    "/scrambled[seed={seed}]",
    "/crowded[distractors=4,seed={seed}]",
    "/crowded[distractors=4,seed={other}]/scrambled[seed={other}]",
)
"""The regimes of `full`, each of which every program goes through, placed anew by each crowd."""
CROWD = "/crowded[distractors=4,seed={seed}]/scrambled[seed={seed}]"
LARGEST_CORE_TASK = 700
"""The most edges of a task of `core`, so that every method can be run on all of them."""
LEAST_CORE_NEGATIVES = 6
"""How many edges of a task of `core` are inert, at least, for each causal one."""


def seed_of(name: str) -> int:
    """Return the seed of a program's regimes: it differs from program to program."""
    return crc32(name.encode()) % 1000


def task_of(spec: ProgramSpec, regimes: str, seed: int | None = None) -> str:
    """Return the canonical id of a program under regimes, with a seed filled in: its own."""
    seed = seed_of(spec.name) if seed is None else seed
    return f"{spec.id}{regimes.format(seed=seed, other=seed + 1000)}"


def candidates() -> tuple[str, ...]:
    """Return every task that some suite may hold: all of them are to be measured."""
    specs = library()
    wanted = [*_quick(), *_core_candidates(specs)]
    wanted += [*_paired(), *_controls()]
    wanted += [task_of(spec, regimes) for regimes in FULL_REGIMES for spec in specs]
    wanted += [*superposition_candidates(), *TRAINED_TASKS]
    return tuple(dict.fromkeys(wanted))


def superposition_candidates() -> tuple[str, ...]:
    """Return every task that `superposition` may hold: programs, each at several widths."""
    return tuple(
        f"{get_program(name).id}/superposed[d={d},seed=0]"
        for name, widths in WIDTHS.items()
        for d in widths
    )


def relevance_candidates() -> tuple[str, ...]:
    """Return every task that `relevance` may hold: those for `core` that are not too large.

    What makes a circuit worth finding does not matter here.
    """
    return tuple(
        task
        for task in _core_candidates(library())
        if task in measured_tasks() and measured_tasks()[task].edges <= LARGEST_CORE_TASK
    )


def _core_candidates(specs: Iterable[ProgramSpec]) -> Iterator[str]:
    """Yield a task for each program that is no control."""
    for spec in specs:
        if not spec.control:
            yield task_of(spec, CORE_REGIMES[seed_of(spec.name) % len(CORE_REGIMES)])


def _quick() -> Iterator[str]:
    """Yield the tasks of `quick`."""
    for seed, name in enumerate(QUICK):
        yield f"{get_program(name).id}{CROWD.format(seed=seed)}"


def _core() -> Iterator[str]:
    """Yield the tasks of `core`: those that pass, each circuit once."""
    for task in _distinct(_core_candidates(library())):
        measured = measured_tasks()[task]
        rare = measured.inert >= LEAST_CORE_NEGATIVES * measured.causal
        if rare and measured.edges <= LARGEST_CORE_TASK:
            yield task


def _full() -> Iterator[str]:
    """Yield the tasks of `full`: every program in every regime, if it passes, each circuit once.

    A model and its scrambled copy often have one circuit, since only names of heads
    change; then it is the one for every other program, and the other for the rest.
    """
    chosen = []
    for place, spec in enumerate(spec for spec in library() if not spec.control):
        turned = FULL_REGIMES if place % 2 else (*FULL_REGIMES[1::-1], *FULL_REGIMES[2:])
        chosen += [task_of(spec, regimes) for regimes in turned]
    yield from _distinct(chosen)


def _distinct(tasks: Iterable[str]) -> Iterator[str]:
    """Yield the tasks that are worth ranking on, the first of each circuit."""
    seen: set[str] = set()
    for task in tasks:
        measured = measured_tasks().get(task)
        if measured and not measured.shortcomings and measured.circuit not in seen:
            seen.add(measured.circuit)
            yield task


def _paired() -> Iterator[str]:
    """Yield the tasks of `paired`: both programs of every pair, in the same regimes."""
    by_name = {spec.name: spec for spec in library()}
    tasks = []
    for pair in PAIRS:
        seed = seed_of(pair.left)
        tasks += [task_of(by_name[name], CORE_REGIMES[0], seed) for name in (pair.left, pair.right)]
    yield from dict.fromkeys(tasks)


def _controls() -> Iterator[str]:
    """Yield the tasks of `controls`."""
    yield from (task_of(spec, CROWD) for spec in library() if spec.control)


def _superposition() -> Iterator[str]:
    """Yield the tasks of `superposition`: those of which blind directions do not find most."""
    for task in superposition_candidates():
        measured = measured_features().get(task)
        if measured and not measured.shortcomings:
            yield task


def _relevance() -> Iterator[str]:
    """Yield the tasks of `relevance`: those that positions do not tell, each relevance once."""
    seen: set[str] = set()
    for task in relevance_candidates():
        measured = measured_relevance().get(task)
        if measured and not measured.shortcomings and measured.labels not in seen:
            seen.add(measured.labels)
            yield task


def _trained() -> Iterator[str]:
    """Yield the tasks of `trained`: those whose weights the package holds."""
    yield from TRAINED_TASKS


@dataclass(frozen=True)
class Suite:
    """A set of tasks.

    Attributes:
        description: what it holds, in a sentence.
        choose: returns the canonical ids of its tasks.
        track: on which methods are ranked, if on any.
    """

    description: str
    choose: Callable[[], Iterable[str]]
    track: str = "circuit"


SUITES: Mapping[str, Suite] = {
    "quick": Suite("Six tasks, for a first number in minutes.", _quick),
    "core": Suite(
        "Crowded models, in which one edge in seven that is read is causal, or fewer.", _core
    ),
    "full": Suite(
        "Every program in four regimes, less what falls short and circuits twice.", _full
    ),
    "superposition": Suite(
        "Programs compressed to several widths, where blind directions have a matched cosine of "
        f"{MOST_FLOOR} at most; features track.",
        _superposition,
        "features",
    ),
    "relevance": Suite(
        "Crowded models of which answers depend on tokens that positions do not tell: the prior "
        f"earns {MOST_PRIOR_OF_TASK} at most; attribution track.",
        _relevance,
        "attribution",
    ),
    "trained": Suite(
        "Ordinary transformers that were trained to run a program of core, inside as well.",
        _trained,
    ),
    "paired": Suite("Programs of equal behaviour, and of equal mechanism.", _paired),
    "controls": Suite('Tasks where the answer to some question is "none".', _controls),
}
"""The suites, by name."""


def get_suite(name: str) -> tuple[TaskId, ...]:
    """Return the tasks of a suite.

    Raises:
        TaskError: there is no such suite, or it holds toy models.

    Example:
        >>> print(get_suite("quick")[0])
        histogram-v1/crowded[distractors=4,seed=0]/scrambled[seed=0]
    """
    if name in TOY_SUITES:
        raise TaskError(
            f"This needs tasks with a program, and the suite {name!r} holds toy models; score "
            f"methods on it with --suite {name} --track features, or name another suite"
        )
    if name not in SUITES:
        raise TaskError(unknown_name("suite", name, [*SUITES, *TOY_SUITES]))
    return tuple(TaskId.parse(text) for text in SUITES[name].choose())


def suite_members(name: str) -> tuple[TaskId, ...] | tuple[ToyId, ...]:
    """Return what a suite holds: tasks, or toy models.

    Raises:
        TaskError: there is no such suite.

    Example:
        >>> print(suite_members("toys")[0])
        toy_superposition-v1[n=5,d=2,sparsity=95,seed=0]
    """
    return TOY_SUITES[name].members if name in TOY_SUITES else get_suite(name)
