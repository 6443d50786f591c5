"""Suite choice: the results on the tasks of one suite, and which suites tasks are of."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ..benchmark_programs import suite_members
from ..errors import BundleError
from ..plurals import counted
from .results_folder import RawResult
from .task_facts import TaskFacts, task_facts


def on_suite(found: Sequence[RawResult], suite: str | None) -> tuple[RawResult, ...]:
    """Return the results on the tasks of a suite, in order.

    Args:
        found: results.
        suite: its name; `None` for all results.

    Raises:
        TaskError: there is no such suite.
        BundleError: no result is on a task of it.
    """
    if suite is None:
        return tuple(found)
    members = frozenset(map(str, suite_members(suite)))
    kept = tuple(one for one in found if one.result.task in members)
    if found and not kept:
        tasks = {one.result.task for one in found}
        raise BundleError(
            f"Expected results on tasks of the suite {suite!r}, found none among "
            f"{counted(len(found), 'result')}. Of their {counted(len(tasks), 'task')} "
            f"{_told(_fewest_suites(task_facts(tasks)))}: name another suite, or score methods on "
            f"this one, with glassbench score METHOD --suite {suite}."
        )
    return kept


def several_suites(facts: Mapping[str, TaskFacts], tasks: Iterable[str]) -> str:
    """Return of which suites tasks are, where they are of several and of no one; else nothing.

    Args:
        facts: of every task.
        tasks: their ids.
    """
    own = {task: facts[task] for task in tasks}
    suites = _fewest_suites(own)
    if len([name for name in suites if name]) < 2:
        return ""
    return f"These {len(own)} tasks are of no one suite: {_told(suites)}."


def _fewest_suites(facts: Mapping[str, TaskFacts]) -> dict[str, int]:
    """Return few suites that hold all tasks, and how many each holds that none before it does.

    The suite that holds most of those that are left comes next, of equals the first by name. Tasks
    of none are counted under an empty name.
    """
    left = {task: own.suites for task, own in facts.items()}
    found: dict[str, int] = {}
    while holding := Counter(name for suites in left.values() for name in suites):
        name, found[name] = min(holding.items(), key=lambda one: (-one[1], one[0]))
        left = {task: suites for task, suites in left.items() if name not in suites}
    return found | ({"": len(left)} if left else {})


def _told(suites: Mapping[str, int]) -> str:
    """Return how many tasks are of each suite.

    Example:
        >>> _told({"core": 42, "quick": 6, "": 1})
        '42 are of core, 6 more of quick, 1 of none'
    """
    parts: list[str] = []
    for name, number in suites.items():
        verb = "" if parts else " is" if number == 1 else " are"
        more = " more" if parts and name else ""
        parts.append(f"{number}{verb}{more} of {name or 'none'}")
    return ", ".join(parts)
