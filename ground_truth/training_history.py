"""TrainingHistory: how a trained model came about, which cannot be measured of it."""

from importlib.metadata import version

from ..strict_record import Amount, Natural, Positive
from .record import Record

PACKAGES = "glassbench", "jax", "jaxlib", "numpy", "optax"
"""What training runs on."""


class TrainingHistory(Record):
    """How a trained model came about.

    Attributes:
        start: the seed of its first weights.
        steps: how many were taken.
        seconds: how long they took, what was measured between them included; of models that were
            trained together, for each the whole.
        measured: how many models of this training were measured on held-out inputs, each time
            that one was counted, this one being the last.
        recipe: what `TrainingRecipe` was, by name.
        versions: of the packages that it ran on.
    """

    start: Natural
    steps: Natural
    seconds: Amount
    measured: Positive
    recipe: dict[str, int | float]
    versions: dict[str, str]


def installed_versions() -> dict[str, str]:
    """Return the versions of `PACKAGES`."""
    return {name: version(name) for name in PACKAGES}
