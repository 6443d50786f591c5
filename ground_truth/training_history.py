"""TrainingHistory: how a trained model came about, which cannot be measured of it."""

from importlib.metadata import version
from typing import Annotated

from pydantic import Field

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

    start: Annotated[int, Field(ge=0)]
    steps: Annotated[int, Field(ge=0)]
    seconds: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    measured: Annotated[int, Field(ge=1)]
    recipe: dict[str, int | float]
    versions: dict[str, str]


def installed_versions() -> dict[str, str]:
    """Return the versions of `PACKAGES`."""
    return {name: version(name) for name in PACKAGES}
