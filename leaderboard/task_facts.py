"""Task facts: what is known of a task, without a model, from its id and the library."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

from ..benchmark_programs import SUITES, TOY_SUITES, TaskId, is_toy, suite_members, traits
from ..errors import TaskError
from .difficulty import COVARIATES, task_covariates


@dataclass(frozen=True)
class TaskFacts:
    """What is known of a task; all but the id are empty for one that is not of the library.

    Attributes:
        task: its id.
        program: its name.
        family: of the program.
        regime: the names of its regimes, such as `crowded/scrambled`.
        description: what the program computes.
        suites: that hold the task.
        tags: of the program, and what can be seen of its expression.
        numbers: the covariates that are known.
    """

    task: str
    program: str = ""
    family: str = ""
    regime: str = ""
    description: str = ""
    suites: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    numbers: Mapping[str, float] = field(default_factory=dict)


def task_facts(tasks: Iterable[str]) -> Mapping[str, TaskFacts]:
    """Return the facts of tasks by id, in alphabetical order."""
    found = {}
    for row in task_covariates(tasks).to_dict("records"):
        task = str(row["task"])
        description, tags = _said(task)
        found[task] = TaskFacts(
            task,
            str(row["program"]),
            str(row["family"]),
            str(row["regime"]),
            description,
            tuple(name for name, members in _suites().items() if task in members),
            tags,
            {name: float(row[name]) for name in COVARIATES if row[name] == row[name]},
        )
    return found


def _said(task: str) -> tuple[str, tuple[str, ...]]:
    """Return what the program of a task computes, and its tags and traits."""
    if is_toy(task):
        return "", ()
    try:
        spec = TaskId.parse(task).spec
    except TaskError:
        return "", ()
    return spec.description, tuple(sorted({*spec.tags, *traits(spec)}))


@cache
def _suites() -> Mapping[str, frozenset[str]]:
    return {name: frozenset(map(str, suite_members(name))) for name in (*SUITES, *TOY_SUITES)}
