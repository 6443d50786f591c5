"""Bundle identity: which task a bundle is of, held to the program and the model that it holds.

The id of a task says everything needed to build it again. A task of the library is compiled
anew here, once its sizes are known to be those of the bundle, which takes less than to read
the bundle; a program that is not of the library has its digest in the id. A superposed model
must be, to the last bit, what the matrix of the bundle makes of the model that is compiled
here, and the matrix must be that which is stored for the task, if one is. A trained model must be
of the architecture that the id names, and have the weights that are stored for the task, if any
are. That labels are right is not looked at.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from ..benchmark_programs import TaskId, parse_regimes
from ..benchmark_programs.task_id import TRAINED
from ..compiler import CompiledModel, Weights, to_json
from ..compiler.compress import compress
from ..errors import BundleError, ProgramError, TaskError
from . import bundle_layout as at
from .bundle import Bundle
from .bundle_labels import BundleCompression
from .manifest import Identity
from .model_config import ModelConfig
from .own_task_id import OwnProgram, OwnTaskId
from .regimes import recompile
from .stored_compressions import stored_compression
from .stored_trainings import stored_training
from .task_building import build_model
from .trained import initial_weights

_CLOSE = 1e-9


@dataclass(frozen=True, eq=False)
class Identified:
    """Which task a bundle is of.

    Attributes:
        id: of the task.
        built: the model as it was compiled here, before any compression or training; `None`
            where there was no need.
    """

    id: TaskId | OwnTaskId
    built: CompiledModel | None


def identify(bundle: Bundle) -> Identified:
    """Return which task a bundle is of.

    Args:
        bundle: with its labels.

    Raises:
        BundleError: it is no id, or not that of what the bundle holds.
    """
    manifest, where = bundle.manifest, f"{bundle.place}: {at.MANIFEST}"
    found: TaskId | OwnTaskId
    try:
        found = _own_id(bundle) if "@" in manifest.id else TaskId.parse(manifest.id)
    except TaskError as error:
        raise BundleError(f"{where}: {error}") from None
    if Identity.of(found) != manifest.identity:
        raise BundleError(
            f"{where}: name, version, parameters and regimes must be those of {manifest.id}, and "
            f"the program that of {found}"
        )
    built, problem = _held(found, bundle)
    if problem:
        raise BundleError(
            f"{where}: what the bundle holds must be {found} as this version of Glassbench builds "
            f"it, and {problem}; get the bundle again, or use the version that built it, "
            f"{manifest.glassbench}"
        )
    return Identified(found, built)


def _own_id(bundle: Bundle) -> OwnTaskId:
    """Return the id of a program that is not of the library."""
    manifest = bundle.manifest
    _, _, regimes = manifest.id.partition("/")
    text = bundle.contents.get(at.RASP, b"").decode(errors="replace")
    spec = OwnProgram(manifest.description, text, manifest.citation)
    return OwnTaskId.of(manifest.name, bundle.compiled.program, parse_regimes(regimes), spec)


def _held(task: TaskId | OwnTaskId, bundle: Bundle) -> tuple[CompiledModel | None, str]:
    """Return the model of a task as it is compiled, and what of the bundle is other than that."""
    compression, training = bundle.all_labels.compression, bundle.all_labels.training
    if isinstance(task, OwnTaskId) and compression is None and training is None:
        return None, ""
    if isinstance(task, TaskId):
        program = bundle.compiled.program
        sizes = len(program.vocabulary), program.max_length
        if sizes != (task.vocab, task.length):
            return None, f"has {sizes[0]:,} tokens and sequences of {sizes[1]:,}"
    if training is not None and not _is_as_large(task, bundle.config):
        return None, f"{at.CONFIG} is of another architecture"
    try:
        built = _built(task, bundle)
        own = None if training is None else initial_weights(task, built)
    except (ProgramError, TaskError) as error:
        return None, f"that cannot be compiled: {str(error).rstrip('.')}"
    if bundle.config.level != built.level:
        return built, f"was compiled at level {bundle.config.level}"
    if to_json(built.program).encode() != bundle.contents[at.PROGRAM]:
        return built, f"{at.PROGRAM} is another program"
    if compression is not None:
        return built, _other_compression(task, built, bundle, compression)
    if own is not None:
        return built, _other_training(task, own, bundle)
    return built, _other_weights(built.model.weights, bundle, _are_close)


def _is_as_large(task: TaskId | OwnTaskId, config: ModelConfig) -> bool:
    """Whether a trained model has the sizes that its id names.

    Before that is known nothing is made by the id, which can name any.
    """
    own = dict(dict(task.regimes).get(TRAINED, ()))
    sizes = own.get("d"), own.get("heads")
    return sizes == (config.d_model, config.n_heads) and own["spare_layers"] < config.n_layers


def _built(task: TaskId | OwnTaskId, bundle: Bundle) -> CompiledModel:
    """Return the model of a task before any compression."""
    if isinstance(task, TaskId):
        return build_model(task)
    return recompile(bundle.compiled.program, task.regimes, bundle.config.level)


def _other_compression(
    task: TaskId | OwnTaskId, built: CompiledModel, bundle: Bundle, compression: BundleCompression
) -> str:
    """Return what of a superposed model is not what compresses a model; empty if all is."""
    W, d = compression.W, dict(task.regimes[-1][1])["d"]
    size = d, built.model.weights.d_model
    if W.shape != size:
        return f"W of {at.COMPRESSION_ARRAYS} is {list(W.shape)}, and not {list(size)}"
    stored = stored_compression(str(task))
    if stored is not None and not np.array_equal(stored, W):
        return f"W of {at.COMPRESSION_ARRAYS} is not the matrix that is stored for it"
    return _other_weights(compress(built, W).model.weights, bundle, _are_same)


def _other_training(task: TaskId | OwnTaskId, like: Weights, bundle: Bundle) -> str:
    """Return what of a trained model is not what stands for a program; empty if all is."""
    found = bundle.model.weights
    own, given = ((one.causal, one.activation, one.layer_norm) for one in (like, found))
    if own != given:
        return f"{at.CONFIG} is of another architecture"
    stored = stored_training(str(task), like)
    if stored is not None:
        return _other_weights(stored.weights, bundle, _are_same)
    return _other_weights(like, bundle, lambda *_: True)


def _other_weights(
    made: Weights, bundle: Bundle, alike: Callable[[np.ndarray, np.ndarray], bool]
) -> str:
    """Return which array of a bundle has other numbers than that of a model; empty if none."""
    for (name, own), (_, found) in zip(made.arrays(), bundle.model.weights.arrays(), strict=True):
        if own.shape != found.shape:
            return f"{name} of {at.WEIGHTS} has another shape"
        if not alike(own, found):
            return f"{name} of {at.WEIGHTS} has other numbers"
    return ""


def _are_close(own: np.ndarray, found: np.ndarray) -> bool:
    return bool(np.allclose(own, found, rtol=_CLOSE, atol=_CLOSE))


def _are_same(own: np.ndarray, found: np.ndarray) -> bool:
    return own.tobytes() == found.tobytes()
