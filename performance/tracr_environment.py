"""An environment of its own for Tracr, made with uv and kept in the user's cache."""

import shutil
import subprocess
import sys
from pathlib import Path

import platformdirs

TRACR = "tracr-pypi==1.0.0"


def tracr_environment(jax: str) -> Path:
    """Return the Python of an environment with Tracr, which is made where it is missing.

    Args:
        jax: the version of jax to put beside Tracr: the one that it is compared on.

    Raises:
        SystemExit: uv is missing.
    """
    minor = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = Path(platformdirs.user_cache_dir("glassbench")) / f"tracr-jax-{jax}-python-{minor}"
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if _is_complete(python):
        return python
    uv = shutil.which("uv")
    if uv is None:
        raise SystemExit(
            "Tracr needs an environment of its own: install uv (pip install uv), which makes it, "
            f"or make one with {TRACR} and name its Python with --tracr-python."
        )
    print(f"making an environment for Tracr in {folder}", file=sys.stderr)
    new = [uv, "venv", "--quiet", "--clear", "--python", minor, str(folder)]
    subprocess.run(new, check=True)
    install = [uv, "pip", "install", "--quiet", "--python", str(python), TRACR, f"jax=={jax}"]
    subprocess.run(install, check=True)
    return python


def _is_complete(python: Path) -> bool:
    """Whether that environment holds Tracr and jax."""
    if not python.exists():
        return False
    look = "from importlib.metadata import version as v; v('tracr-pypi'), v('jax')"
    done = subprocess.run([str(python), "-c", look], capture_output=True, check=False)
    return done.returncode == 0
