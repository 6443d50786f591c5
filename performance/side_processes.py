"""Starts the sides of a comparison: processes of their own, all under the same limits."""

import json
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

HERE = Path(__file__).parent

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")

GB = 10**9


@dataclass(frozen=True)
class Sides:
    """How the processes of both sides are started.

    Attributes:
        pythons: the interpreter of each side.
        bytecode: a folder in which both keep bytecode, so that imports take less of the run.
        threads: cores that a process may use.
        seconds: what a single compilation may take; `None` for any time.
        memory: the bytes that a process may hold (watched on Linux); `None` for any number.
    """

    pythons: dict[str, str]
    bytecode: str
    threads: int
    seconds: float | None = None
    memory: int | None = None

    def ask(self, side: str, script: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Start one process of a side and return all that it answered.

        Raises:
            RuntimeError: the process was stopped or failed.
        """
        found = self.try_to_ask(side, script, asked)
        if found["stopped"]:
            of = f"{asked['program']} {asked['vocab']}/{asked['length']}"
            raise RuntimeError(f"{side} on {of}: {found['stopped']}\n{found['errors']}")
        return found

    def try_to_ask(self, side: str, script: str, asked: dict[str, Any]) -> dict[str, Any]:
        """Start one process of a side and return all that it answered before its end.

        Returns:
            With it are `stopped`: the limit that ended the process, such as `> 120 s`,
            or `failed: ` and its last line of errors, or nothing; and `errors`, the end
            of what it wrote there.
        """
        given = {**asked, "threads": self.threads, "seconds": self.seconds}
        with (
            TemporaryFile("w+", encoding="utf-8") as request,
            TemporaryFile("w+", encoding="utf-8") as answers,
            TemporaryFile("w+", encoding="utf-8") as errors,
        ):
            json.dump(given, request)
            request.seek(0)
            with subprocess.Popen(
                [self.pythons[side], str(HERE / script)],
                stdin=request,
                stdout=answers,
                stderr=errors,
                env=self._environment(side),
            ) as process:
                try:
                    stopped = self._wait(process)
                finally:
                    process.kill()
            answers.seek(0)
            errors.seek(0)
            lines = answers.read().splitlines()
            problems = errors.read()[-2000:]
        if process.returncode and not stopped:
            last = problems.splitlines()[-1:] or [f"exit status {process.returncode}"]
            stopped = f"failed: {last[0]}"
        found: dict[str, Any] = {"stopped": stopped, "errors": problems}
        for line in lines:
            if line.startswith('{"'):
                found |= json.loads(line)
        return found

    def _environment(self, side: str) -> dict[str, str]:
        """Return the variables of a process: ours, less what would favour a side."""
        dropped = {"PYTHONDONTWRITEBYTECODE", *(["PYTHONPATH"] if side == "tracr" else [])}
        kept = {
            name: value
            for name, value in os.environ.items()
            if name not in dropped and not name.startswith(("JAX_", "XLA_"))
        }
        threads = dict.fromkeys(THREAD_VARIABLES, str(self.threads))
        fixed = {"JAX_PLATFORMS": "cpu", "PYTHONPYCACHEPREFIX": self.bytecode}
        return {**kept, **threads, **fixed}

    def _wait(self, process: subprocess.Popen[bytes]) -> str:
        """Wait for the end of a process; return the limit that it exceeded, if any."""
        while process.poll() is None:
            if self.memory and _held(process.pid) > self.memory:
                process.kill()
                process.wait()
                return f"> {self.memory / GB:g} GB"
            time.sleep(0.05)
        ended_by_clock = self.seconds and process.returncode == -signal.SIGALRM
        return f"> {self.seconds:g} s" if ended_by_clock else ""


def _held(pid: int) -> int:
    """Return the bytes that a process holds in memory, 0 where that cannot be read."""
    try:
        pages = Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1]
    except (OSError, IndexError):
        return 0
    return int(pages) * os.sysconf("SC_PAGE_SIZE")
