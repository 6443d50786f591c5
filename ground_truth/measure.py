"""Measure: the sizes and labels of a certified task, in numbers."""

import hashlib

from ..benchmark_programs.task_measures import TaskMeasures
from .circuit_labels import EdgeState
from .liveness import live_heads
from .task import Task

_DIGITS = 16


def measure(task: Task) -> TaskMeasures:
    """Return the measures of a task."""
    weights, labels = task.compiled.model.weights, task.labels
    counts = labels.counts
    causal = sorted(edge for edge, state in labels.states.items() if state is EdgeState.CAUSAL)
    return TaskMeasures(
        task=str(task.id),
        weights=labels.weights[:_DIGITS],
        inputs=labels.n_inputs,
        exhaustive=labels.exhaustive,
        layers=weights.n_layers,
        heads=weights.n_heads,
        d_model=weights.d_model,
        parameters=weights.n_parameters,
        causal=counts[EdgeState.CAUSAL],
        positional=counts[EdgeState.POSITIONAL],
        inert=counts[EdgeState.INERT],
        unwired=counts[EdgeState.UNWIRED],
        circuit_heads=len(live_heads(causal)),
        circuit=hashlib.sha256("\n".join(causal).encode()).hexdigest()[:_DIGITS],
    )
