"""Trained tasks: their architecture, and which of its components stand for which of a program."""

from dataclasses import replace

from ..benchmark_programs import TaskId, parse_regimes
from ..benchmark_programs.task_id import TRAINED
from ..compiler import CompiledModel, Weights
from ..compiler.component_graph import ComponentGraph
from ..compiler.ordinary_transformer import Architecture
from ..errors import CertificationError, TaskError, listing
from .alignment import Alignment
from .own_task_id import OwnTaskId
from .task import Task
from .training_gate import HeldOut, TrainingGate


def architecture_of(task: TaskId | OwnTaskId, original: CompiledModel) -> Architecture:
    """Return the architecture that the regime `trained` of a task names.

    Raises:
        TaskError: there is no such one, or components of the program have no place in it.
    """
    chosen, weights = dict(task.regimes)[TRAINED], original.model.weights
    sizes = dict(chosen)
    d, heads = sizes["d"], sizes["heads"]
    problems = []
    if d < 1 or heads < 1 or d % max(heads, 1):
        problems.append(f"d must be a multiple of heads, got {d} and {heads}")
    if heads < weights.n_heads:
        problems.append(
            f"heads must be at least the {weights.n_heads} that the program has in a layer, got "
            f"{heads}"
        )
    if sizes["layer_norm"] not in (0, 1):
        problems.append(f"layer_norm must be 0 or 1, got {sizes['layer_norm']}")
    if problems:
        raise TaskError(listing(f"{task} is no transformer:", problems))
    return Architecture(
        d_model=d,
        n_layers=weights.n_layers,
        n_heads=heads,
        d_head=d // heads,
        d_mlp=4 * d,
        causal=weights.causal,
        layer_norm=bool(sizes["layer_norm"]),
    )


def initial_weights(task: TaskId | OwnTaskId, original: CompiledModel, start: int = 0) -> Weights:
    """Return the weights with which the training of a task starts.

    Args:
        task: its last regime is `trained`.
        original: the same program compiled.
        start: draws them.
    """
    return architecture_of(task, original).initial(original.model.codec, start)


def alignment_of(task: TaskId | OwnTaskId, original: CompiledModel) -> Alignment:
    """Return which components of the trained model of a task stand for which of its program.

    Args:
        task: its last regime is `trained`.
        original: the same program compiled.
    """
    ordinary = initial_weights(task, original)
    return Alignment.drawn(
        ComponentGraph.of(original.model.weights),
        ComponentGraph.of(ordinary),
        ordinary.n_heads,
        dict(dict(task.regimes)[TRAINED])["seed"],
    )


def held_out(task: TaskId | OwnTaskId, original: Task) -> HeldOut:
    """Return what models of a task are measured by.

    Args:
        task: its last regime is `trained`.
        original: the same program compiled, and certified.
    """
    alignment = alignment_of(task, original.compiled)
    return HeldOut(original.compiled, original.labels, original.domain, alignment)


def trained_id(original: Task, regime: str) -> TaskId | OwnTaskId:
    """Return the id of a task whose model is trained to stand for that of another.

    Args:
        original: compiled without any regime.
        regime: such as `trained[d=48,heads=4]`.

    Raises:
        TaskError: the other has a regime, or this is not one by which models are trained.
    """
    regimes = parse_regimes(regime)
    if [name for name, _ in regimes] != [TRAINED]:
        raise TaskError(
            f"The regime must be trained, such as 'trained[d=48,heads=4]', got {regime!r}."
        )
    if original.id.regimes:
        raise TaskError(
            f"What is trained stands for a program compiled without regimes, and {original.id} has "
            "one; name the program alone."
        )
    return replace(original.id, regimes=regimes)


def trained_task(task: TaskId | OwnTaskId, original: Task, gate: TrainingGate) -> Task:
    """Return a task with an ordinary model that was trained to stand for that of another.

    Args:
        task: its last regime is `trained`.
        original: the same program compiled, and certified.
        gate: what was measured of the model.

    Raises:
        CertificationError: it does not pass.
    """
    if not gate.passed:
        advice = "Choose another seed or a larger d, or train it for longer:"
        raise CertificationError(gate.refusal(task, advice))
    return Task(task, gate.compiled, gate.labels, original.domain, training=gate)
