"""TrainingHistory: how a trained model came about, which cannot be measured of it."""

from importlib.metadata import version
from platform import python_version

from ..strict_record import Amount, Natural, Positive
from .record import Record

PACKAGES = "glassbench", "jax", "jaxlib", "numpy", "optax"
"""What training runs on."""


class TrainingHistory(Record):
    """How a trained model came about.

    Attributes:
        start: the seed of its first weights.
        starts: those of all models that were trained together, this one among them. The first
            draws the batches of all.
        steps: how many were taken.
        seconds: how long they took, what was measured between them included; of models that were
            trained together, for each the whole.
        measured: how many models of this training were measured on held-out inputs, each time
            that one was counted, this one being the last.
        recipe: what `TrainingRecipe` was, by name.
        versions: of Python and of the packages that it ran on when it ended.
    """

    start: Natural
    starts: tuple[Natural, ...]
    steps: Natural
    seconds: Amount
    measured: Positive
    recipe: dict[str, int | float]
    versions: dict[str, str]


def installed_versions() -> dict[str, str]:
    """Return the versions of Python and of `PACKAGES`."""
    return {"python": python_version(), **{name: version(name) for name in PACKAGES}}
