"""Task building: a program compiled under the regimes of a task, and its labels certified."""

import logging
from dataclasses import replace
from functools import lru_cache

import numpy as np
from jaxtyping import Float

from ..benchmark_programs import TaskId
from ..benchmark_programs.task_id import EXACT, SUPERPOSED, TRAINED
from ..compiler import CompiledModel, Weights
from ..errors import CertificationError, TaskError, listing
from .certify import certify
from .digest import weights_digest
from .interchange_pairs import TaskDomain
from .own_task_id import OwnTaskId
from .quality_gate import QualityGate, quality_gate
from .regimes import compile_under
from .stored_compressions import stored_compression
from .stored_trainings import StoredTraining, stored_training
from .task import Task, edge_positives
from .trained import alignment_of, held_out, initial_weights, trained_task
from .training_gate import TrainingGate

_LOG = logging.getLogger(__name__)


def build_model(task: TaskId | str) -> CompiledModel:
    """Compile a task's program under its regimes; labels are not made.

    Of a task that is superposed or trained the model before is returned: what the other is trained
    to keep are its labels, which `certified` makes.

    Raises:
        TaskError: there is no such task.
        ProgramError: the program cannot be compiled exactly in that size.
    """
    task = TaskId.parse(task) if isinstance(task, str) else task
    spec = task.spec
    vocabulary = spec.vocabulary(task.vocab)
    return compile_under(
        spec.build(vocabulary, task.length),
        vocabulary,
        task.length,
        task.regimes,
        causal=spec.causal,
    )


def original_of(task: TaskId) -> Task:
    """Return the same program compiled and certified, from which a task is trained.

    Args:
        task: its last regime is `trained`.

    Raises:
        TaskError: it is not, or there is no such task.
    """
    if TRAINED not in dict(task.regimes):
        raise TaskError(f"{task} is not trained; name the regime, as in {task.name}/{TRAINED}")
    return certified(replace(task, regimes=task.regimes[:-1]), build_model(task))


def certified(
    task: TaskId | OwnTaskId,
    compiled: CompiledModel,
    *,
    W: Float[np.ndarray, "d d_model"] | None = None,
    weights: Weights | None = None,
) -> Task:
    """Return a task of a compiled model, its labels certified.

    If it is to be superposed, its model is compressed; if it is to be trained, an ordinary one
    stands for its model; and its labels are measured.

    Args:
        task: the id.
        compiled: from `build_model`.
        W: what compresses the model of a superposed task; `None` for the matrix that is stored
            for it, or for one that is trained here if none is.
        weights: of the model of a trained task, likewise. What was measured of stored ones is
            read; that of others, and of any that are given, is measured.

    Raises:
        TaskError: all of its edges are causal, or none is and it is no control; or the matrix is
            of another size.
        CertificationError: its labels cannot be certified, or a compressed or a trained model
            does not keep them.
    """
    *others, last = task.regimes or ((EXACT, ()),)
    if last[0] in (SUPERPOSED, TRAINED):
        original = certified(replace(task, regimes=tuple(others)), compiled)
        if last[0] == SUPERPOSED:
            return _superposed(task, original, W)
        return trained_task(task, original, _training_gate(task, original, weights))
    domain = TaskDomain.of(compiled)
    labels = certify(compiled, str(task), domain=domain)
    kinds = set(edge_positives(labels.states).values())
    if kinds != {True, False} and not (kinds == {False} and task.spec.control):
        raise TaskError(
            f"{task} poses no question: all of its edges are causal, or none is; choose a larger "
            "vocabulary or length, a program that computes more, or the regime 'crowded'"
        )
    return Task(task, compiled, labels, domain)


def _superposed(
    task: TaskId | OwnTaskId, original: Task, W: Float[np.ndarray, "d d_model"] | None
) -> Task:
    """Return a task with the model of another, compressed."""
    gate = _gate(task, original, W)
    if not gate.passed:
        raise CertificationError(
            listing(
                f"{task} is no task: the labels do not hold for its model. Choose a larger d or "
                "another seed:",
                gate.shortcomings,
            )
        )
    assert gate.labels is not None
    labels = gate.labels.model_copy(update={"task": str(task)})
    return Task(task, gate.compiled, labels, original.domain, replace(gate, labels=labels))


def _gate(
    task: TaskId | OwnTaskId, original: Task, W: Float[np.ndarray, "d d_model"] | None
) -> QualityGate:
    """Return what is measured of a compressed model, with the matrix of its task."""
    chosen = dict(task.regimes[-1][1])
    if W is None:
        W = stored_compression(str(task))
    if W is None:
        _LOG.warning(
            "%s is trained now, since the package has no matrix of it: seconds to minutes, and "
            "again in every process. 'glassbench build %s' keeps it as a bundle.",
            task,
            task,
        )
        from .superposed import superpose  # trains with jax, and is itself about tasks

        (made,) = superpose(original, chosen["d"], (chosen["seed"],))
        return made.gate
    size = chosen["d"], original.compiled.model.weights.d_model
    if W.shape != size:
        raise TaskError(
            f"The matrix that compresses {task} must have {size[0]} rows of {size[1]}, got "
            f"{W.shape[0]} of {W.shape[1]}."
        )
    return quality_gate(original.compiled, W, original.labels, original.domain)


def _training_gate(
    task: TaskId | OwnTaskId, original: Task, weights: Weights | None
) -> TrainingGate:
    """Return what is measured of a trained model, with the weights of its task.

    Of a model that is stored it was measured when it was stored.
    """
    like = initial_weights(task, original.compiled)
    if weights is None:
        stored = stored_training(str(task), like)
        if stored is not None:
            _check_stored(task, stored)
            alignment = alignment_of(task, original.compiled)
            compiled = alignment.trained(original.compiled, stored.weights)
            wanted = alignment.states(original.labels.states)
            return stored.record.gate(original.compiled, alignment, compiled, stored.labels, wanted)
        kept = f"'glassbench train {task} -o DIR'" if isinstance(task, TaskId) else "write_bundle"
        _LOG.warning(
            "%s is trained now, since the package has no weights of it: one to fifteen minutes, "
            "and again in every process. %s keeps it as a bundle.",
            task,
            kept,
        )
        from .training import train  # trains with jax, and is itself about tasks

        (made,) = train(task, original)
        return made.gate
    for (name, own), (_, found) in zip(like.arrays(), weights.arrays(), strict=True):
        if own.shape != found.shape:
            raise TaskError(f"{name} of {task} must have the shape {own.shape}, got {found.shape}.")
    return held_out(task, original).gate(weights, str(task))


def _check_stored(task: TaskId | OwnTaskId, stored: StoredTraining) -> None:
    """Raise unless what is stored was measured of the weights that are stored."""
    digests = {weights_digest(stored.weights), stored.labels.weights, stored.record.weights}
    if len(digests) > 1:
        raise CertificationError(
            f"{task} is no task: its stored labels must be of its stored weights, and are of other "
            "ones; install the package again"
        )


@lru_cache(maxsize=64)
def _load(task: TaskId) -> Task:
    return certified(task, build_model(task))


def load_certified(task: TaskId | str) -> Task:
    """Return a task, compiled and certified; a second call returns the same object.

    Args:
        task: an id such as `histogram` or `sort-v1/crowded[distractors=3,seed=1]`.

    Raises:
        TaskError: there is no such task, or it has no causal edge.
        CertificationError: its labels cannot be certified.
    """
    if not isinstance(task, str | TaskId):
        raise TaskError(f"A task is named by a text such as 'histogram', got {task!r}.")
    return _load(TaskId.parse(task) if isinstance(task, str) else task)
