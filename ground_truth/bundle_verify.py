"""Verify a bundle: make everything in it again, from the program, and compare the bytes.

A bundle is only what this version of Glassbench makes of its program if another version made
it the same way, so a manifest that names another version differs.
"""

from dataclasses import replace

from ..errors import BundleError, GlassbenchError
from .bundle import Bundle
from .bundle_files import bundle_files
from .bundle_identity import Identified, identify
from .regimes import recompile
from .task import Task
from .task_building import certified


def verify_bundle(bundle: Bundle) -> list[str]:
    """Return what is wrong with a bundle; empty if nothing is.

    The program is compiled again and taken through its regimes, every label is made and
    certified anew, and every file is compared with what is written of that. Of a task of
    the library the program is the library's and not that of the bundle. A superposed model is
    compressed by the matrix of the bundle, which was trained, and measured anew; so is a trained
    model, with the weights of the bundle.

    Args:
        bundle: with its labels.

    Raises:
        BundleError: the labels are not there, or it is of another task than its id says.
    """
    if not bundle.has_labels:
        raise BundleError(
            f"{bundle.place} must hold the labels to be verified, and is the public part alone"
        )
    found = identify(bundle)
    try:
        files = bundle_files(_made_again(bundle, found))
    except GlassbenchError as error:
        return [f"{bundle.manifest.id} cannot be made again: {error}"]
    return [
        f"{name}: must be what is made from the program, and is not"
        for name in sorted({*files, *bundle.contents})
        if files.get(name) != bundle.contents.get(name)
    ]


def _made_again(bundle: Bundle, found: Identified) -> Task:
    """Return the task of a bundle: the library's, or what its program compiles to."""
    compression, built = bundle.all_labels.compression, found.built
    training = bundle.all_labels.training
    weights = None if training is None else bundle.model.weights
    if built is None:
        built = recompile(bundle.compiled.program, found.id.regimes, bundle.config.level)
    W = None if compression is None else compression.W
    made = certified(found.id, built, W=W, weights=weights)
    if training is None or made.training is None:
        return made
    return replace(made, training=replace(made.training, history=training.history))
