"""Where a number was made: versions, platform, and the state of the checkout."""

import platform
import subprocess
from functools import cache
from importlib import metadata
from pathlib import Path

from pydantic import BaseModel, ConfigDict

_PACKAGES = (
    "glassbench",
    "numpy",
    "scipy",
    "jax",
    "dm-haiku",
    "pandas",
    "pydantic",
    "scikit-learn",
    "torch",
    "transformer-lens",
)


class Environment(BaseModel):
    """Versions and platform of the process that made a result.

    Attributes:
        python: the version of Python.
        platform: operating system and processor, as Python names them.
        packages: installed version by distribution name.
        git_commit: the commit of the checkout, or `None` outside a checkout.
        git_dirty: whether tracked files differ from that commit.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    python: str
    platform: str
    packages: dict[str, str]
    git_commit: str | None = None
    git_dirty: bool | None = None

    @classmethod
    def here(cls) -> "Environment":
        """Return the environment of this process; read once and kept."""
        return _here()


@cache
def _here() -> Environment:
    packages = {}
    for name in _PACKAGES:
        try:
            packages[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    root = Path(__file__).resolve().parents[1]
    commit = _git(root, "rev-parse", "HEAD") if (root / ".git").exists() else None
    changes = _git(root, "status", "--porcelain", "--untracked-files=no") if commit else None
    return Environment(
        python=platform.python_version(),
        platform=platform.platform(),
        packages=packages,
        git_commit=commit,
        git_dirty=None if changes is None else bool(changes),
    )


def _git(root: Path, *arguments: str) -> str | None:
    """Return what git says, or `None` where it is missing or has nothing to say."""
    try:
        done = subprocess.run(
            ["git", "-C", str(root), *arguments],
            capture_output=True,
            text=True,
            timeout=10,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
