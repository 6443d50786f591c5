"""An environment of its own for Tracr, made with uv and kept in the user's cache.

python performance/tracr_environment.py   # makes it, where it is missing
"""

import sys
from importlib.metadata import version
from pathlib import Path

from glassbench.errors import ToolError
from glassbench.evaluators.adapters import OwnEnvironment

TRACR = "tracr-pypi==1.0.0"


def environment_of(jax: str) -> OwnEnvironment:
    """Return the environment of Tracr beside a version of jax, made or not."""
    return OwnEnvironment(f"tracr-jax-{jax}", (TRACR, f"jax=={jax}"))


def tracr_environment(jax: str) -> Path:
    """Return the Python of an environment with Tracr, which is made where it is missing.

    Args:
        jax: the version of jax to put beside Tracr: the one that it is compared on.

    Raises:
        SystemExit: it cannot be made.
    """
    environment = environment_of(jax)
    if not environment.is_there:
        print(f"making an environment for Tracr in {environment.folder}", file=sys.stderr)
    try:
        return environment.make()
    except ToolError as error:
        raise SystemExit(
            f"{error}\nOr make one with {TRACR} and name its Python with --tracr-python."
        ) from None


if __name__ == "__main__":
    print(tracr_environment(version("jax")))
