"""An environment of its own for Tracr, made with uv and kept in the user's cache."""

import sys
from pathlib import Path

from glassbench.errors import ToolError
from glassbench.evaluators.adapters import OwnEnvironment

TRACR = "tracr-pypi==1.0.0"


def tracr_environment(jax: str) -> Path:
    """Return the Python of an environment with Tracr, which is made where it is missing.

    Args:
        jax: the version of jax to put beside Tracr: the one that it is compared on.

    Raises:
        SystemExit: it cannot be made.
    """
    environment = OwnEnvironment(f"tracr-jax-{jax}", (TRACR, f"jax=={jax}"))
    if not environment.is_there:
        print(f"making an environment for Tracr in {environment.folder}", file=sys.stderr)
    try:
        return environment.make()
    except ToolError as error:
        raise SystemExit(
            f"{error}\nOr make one with {TRACR} and name its Python with --tracr-python."
        ) from None
