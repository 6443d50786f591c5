"""Task conformance: the rules that a task keeps once its labels are certified.

The first rules hold for every task. The others decide whether a task is worth ranking
methods on (GROUND_TRUTH, a benchmark that must be looked at): one that breaks them can
be loaded and scored, and is left out of the ranked suites.
"""

from collections.abc import Iterator

from ..benchmark_programs import Finding, TaskId
from ..errors import GlassbenchError
from .circuit_labels import EdgeState
from .task import Task, load

LEAST_CIRCUIT = 4


def check_task(task: TaskId) -> Iterator[Finding]:
    """Check that a task can be built, and that its labels hold."""
    rule = f"{task}: it compiles, and program and weights agree on the state of every edge."
    try:
        loaded = load(task)
    except GlassbenchError as error:
        yield Finding(rule, str(error))
        return
    labels = loaded.labels
    inputs = "all" if labels.exhaustive else "a sample of"
    yield Finding(rule, note=f"on {inputs} {labels.n_inputs:,} inputs")
    yield from check_ranked(loaded)


def check_ranked(task: Task) -> Iterator[Finding]:
    """Check whether a task is worth ranking methods on."""
    counts = task.labels.counts
    causal = [edge for edge, state in task.labels.states.items() if state is EdgeState.CAUSAL]
    if task.id.spec.control:
        return
    few = "" if len(causal) >= LEAST_CIRCUIT else f"it has {len(causal)}"
    yield Finding(f"{task.id}: the circuit has at least {LEAST_CIRCUIT} edges.", few)
    attends = any(edge.startswith("a") or "<" in edge for edge in causal)
    yield Finding(f"{task.id}: a head is part of the circuit.", "" if attends else "none is")
    if any(name == "crowded" for name, _ in task.id.regimes):
        alive = counts[EdgeState.INERT] + counts[EdgeState.POSITIONAL]
        problem = "" if alive >= len(causal) else f"{alive} are, and {len(causal)} are causal"
        yield Finding(
            f"{task.id}: as many edges are read in vain as there are causal ones.", problem
        )
