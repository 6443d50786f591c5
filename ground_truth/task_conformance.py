"""Task conformance: whether a task can be built, certified, and ranked on.

The first rule holds for every task. The others are those of the ranked suites: a task
that breaks one can be loaded and scored all the same.
"""

from collections.abc import Iterator

from ..benchmark_programs import Finding, TaskId
from ..errors import GlassbenchError
from .measure import measure
from .task_building import load_certified


def check_task(task: TaskId) -> Iterator[Finding]:
    """Check that a task can be built, that its labels hold, and that it can be ranked on."""
    rule = f"{task}: it compiles, and program and weights agree on the state of every edge."
    try:
        loaded = load_certified(task)
    except GlassbenchError as error:
        yield Finding(rule, str(error))
        return
    except Exception as error:  # noqa: BLE001 - whatever a program of others raises
        yield Finding(rule, f"{type(error).__name__}: {error}")
        return
    measured = measure(loaded)
    inputs = "all" if measured.exhaustive else "a sample of"
    yield Finding(rule, note=f"on {inputs} {measured.inputs:,} inputs")
    if not task.spec.control:
        rule = f"{task}: methods can be ranked on it."
        yield Finding(rule, "; ".join(measured.shortcomings), required=False)
