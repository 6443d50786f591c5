"""Verify training: what was measured of a trained model, measured anew."""

from .task import Task
from .task_building import certified
from .training_record import TrainingRecord

_HISTORY = {"history"}
"""What is said of how a model came about, and cannot be measured of it."""


def verify_training(task: Task) -> list[str]:
    """Return what is said of a trained task and is not so when it is measured anew.

    Raises:
        CertificationError: the model does not pass.
    """
    assert task.training is not None
    measured = certified(task.id, task.training.original, weights=task.compiled.model.weights)
    said, found = TrainingRecord.of(task).model_dump(), TrainingRecord.of(measured).model_dump()
    problems = [
        f"{name}: what is said is {said[name]}, and measuring again gives {found[name]}"
        for name in sorted(said.keys() - _HISTORY)
        if said[name] != found[name]
    ]
    return problems + [
        f"{old.edge}: the label is not what measuring again gives"
        for old, new in zip(task.labels.edges, measured.labels.edges, strict=True)
        if old != new
    ]
