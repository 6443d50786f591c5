"""Bundle identity: which task a bundle is of, held to the program and the model that it holds.

The id of a task says everything needed to build it again. A task of the library is compiled
anew here, once its sizes are known to be those of the bundle, which takes less than to read
the bundle; a program that is not of the library has its digest in the id. That labels are
right is not looked at.
"""

from dataclasses import replace

import numpy as np

from ..benchmark_programs import TaskId, parse_regimes
from ..compiler import to_json
from ..errors import BundleError, ProgramError, TaskError
from . import bundle_layout as at
from .bundle import Bundle
from .manifest import Identity
from .own_task_id import OwnProgram, OwnTaskId
from .task import build_model

_COMPILED = ("crowded", "scrambled")
"""The regimes that are a matter of compiling: what others make of a model is not made again."""
_CLOSE = 1e-9


def task_id_of(bundle: Bundle) -> TaskId | OwnTaskId:
    """Return the id of a bundle's task.

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
    if isinstance(found, TaskId) and (problem := _other_than(found, bundle)):
        raise BundleError(
            f"{where}: what the bundle holds must be {found} as this version of Glassbench builds "
            f"it, and {problem}; get the bundle again, or use the version that built it, "
            f"{manifest.glassbench}"
        )
    return found


def _own_id(bundle: Bundle) -> OwnTaskId:
    """Return the id of a program that is not of the library."""
    manifest = bundle.manifest
    _, _, regimes = manifest.id.partition("/")
    text = bundle.contents.get(at.RASP, b"").decode(errors="replace")
    spec = OwnProgram(manifest.description, text, manifest.citation)
    return OwnTaskId.of(manifest.name, bundle.compiled.program, parse_regimes(regimes), spec)


def _other_than(task_id: TaskId, bundle: Bundle) -> str:
    """Return what of a bundle is not that of a task of the library; empty if all is."""
    program = bundle.compiled.program
    sizes = len(program.vocabulary), program.max_length
    if sizes != (task_id.vocab, task_id.length):
        return f"has {sizes[0]:,} tokens and sequences of {sizes[1]:,}"
    compiled = tuple(regime for regime in task_id.regimes if regime[0] in _COMPILED)
    try:
        built = build_model(replace(task_id, regimes=compiled))
    except (ProgramError, TaskError) as error:
        return f"that cannot be compiled: {str(error).rstrip('.')}"
    if bundle.config.level != built.level:
        return f"was compiled at level {bundle.config.level}"
    if to_json(built.program).encode() != bundle.contents[at.PROGRAM]:
        return f"{at.PROGRAM} is another program"
    if compiled != task_id.regimes:
        return ""
    for (name, own), (_, found) in zip(
        built.model.weights.arrays(), bundle.model.weights.arrays(), strict=True
    ):
        if own.shape != found.shape or not np.allclose(own, found, rtol=_CLOSE, atol=_CLOSE):
            return f"{name} of {at.WEIGHTS} has other numbers"
    return ""
