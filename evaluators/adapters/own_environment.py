"""OwnEnvironment: packages that cannot stand beside ours, in an environment made with uv.

It lies in the user's cache folder, under a name that says what it is for, and is made once.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from ...errors import ToolError

_MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"


@dataclass(frozen=True)
class OwnEnvironment:
    """An environment with certain versions of certain packages.

    Attributes:
        name: what it is called.
        requirements: what is installed, such as `auto-circuit==1.0.1`.
    """

    name: str
    requirements: tuple[str, ...]

    @property
    def folder(self) -> Path:
        """Where it is, or would be."""
        return Path(platformdirs.user_cache_dir("glassbench")) / f"{self.name}-python-{_MINOR}"

    @property
    def python(self) -> Path:
        """Its interpreter, or where that would be."""
        return self.folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def is_there(self) -> bool:
        """Whether it is made, and holds the versions that it should."""
        return self.python.exists() and self._mark.exists() and self._mark.read_text() == self._made

    @property
    def _mark(self) -> Path:
        """A file that is written when all is installed."""
        return self.folder / "glassbench-made.txt"

    @property
    def _made(self) -> str:
        return "\n".join((*self.requirements, ""))

    def make(self) -> Path:
        """Make it anew where it is not there, and return its interpreter.

        Raises:
            ToolError: uv is missing, or cannot make it.
        """
        if self.is_there:
            return self.python
        uv = shutil.which("uv")
        if uv is None:
            raise ToolError(
                f"{self.name} needs an environment of its own, which uv makes, and there is no uv "
                "on the path: pip install uv"
            )
        steps = [[uv, "venv", "--quiet", "--clear", "--python", _MINOR, str(self.folder)]]
        if self.requirements:
            install = [uv, "pip", "install", "--quiet", "--compile-bytecode"]
            steps.append([*install, "--python", str(self.python), *self.requirements])
        for step in steps:
            done = subprocess.run(step, capture_output=True, text=True, check=False)
            if done.returncode:
                raise ToolError(
                    f"The environment {self.name} must be made by uv, which ended with "
                    f"{done.returncode}; mend what it says, and try again:\n{done.stderr.strip()}"
                )
        self._mark.write_text(self._made, encoding="utf-8")
        return self.python
