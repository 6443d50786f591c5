"""Limited runs: a command run to its end, or to that of its limits, and what came of it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal

from ..errors import ToolError
from .limits import Limits

Ending = Literal["exit", "time", "memory", "processes", "start"]
"""How a run ended: by itself, by a limit, or before it began."""

_SUPERVISOR = Path(__file__).with_name("supervisor.py")
_MEBI = 2**20
LATE = 20.0
"""Seconds after the limit at which the supervisor of a tool is ended that has not told of it: it
may have been stopped. By then it has ended the tool, whatever that does."""
_ROUNDS = 100
"""How often it is looked whether a tool whose supervisor tells nothing still has processes."""


@dataclass(frozen=True)
class LimitedRun:
    """What came of running a command.

    Attributes:
        ended: how it ended.
        code: its exit code, negative for a signal; `None` where it did not start.
        seconds: how long it ran.
        peak_memory_mb: the most resident memory that its processes were seen to have together,
            in MiB, or that one of them ever had; pages that they share count for each.
        stdout: the end of what it printed.
        stderr: the end of what it printed as errors.
        reason: why it did not start.
        left: how many of its processes could not be killed.
    """

    ended: Ending
    code: int | None = None
    seconds: float = 0.0
    peak_memory_mb: float = 0.0
    stdout: str = ""
    stderr: str = ""
    reason: str = ""
    left: int = 0


def run_limited(
    arguments: Sequence[str], folder: Path, environment: Mapping[str, str], limits: Limits
) -> LimitedRun:
    """Run a command under limits; when this returns, or raises, no process of it is left.

    Args:
        arguments: the program and its arguments; no shell reads them.
        folder: in which it runs.
        environment: all of its environment.
        limits: how much it may take.

    Raises:
        ToolError: its supervisor was killed.
    """
    request = {
        "argv": list(arguments),
        "folder": str(folder),
        "seconds": limits.seconds,
        "memory": limits.memory_mb * _MEBI,
        "processes": limits.processes,
        "file": limits.file_mb * _MEBI,
    }
    with tempfile.TemporaryFile() as said:
        supervisor = _supervisor(environment, said)
        assert supervisor.stdin is not None and supervisor.stdout is not None
        longest = min(limits.seconds + LATE, threading.TIMEOUT_MAX)
        late = threading.Timer(longest, _end_all, [supervisor.pid])
        late.daemon = True
        with supervisor:
            late.start()
            try:
                with contextlib.suppress(BrokenPipeError):
                    supervisor.stdin.write(json.dumps(request).encode() + b"\n")
                    supervisor.stdin.flush()
                group, report = supervisor.stdout.readline(), supervisor.stdout.read()
            finally:
                with contextlib.suppress(BrokenPipeError):
                    supervisor.stdin.close()
                supervisor.wait()
                why = f": it said nothing for {longest:g} s" if late.finished.is_set() else ""
                late.cancel()
        try:
            found = json.loads(report)
        except ValueError:
            if int(group or 0) > 1:  # 0 would be our own
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(int(group), signal.SIGKILL)
            said.seek(0)
            told = said.read().decode(errors="replace").strip() or "nothing was said"
            raise ToolError(
                "The supervisor of a tool must tell how the tool ended, and was itself ended with "
                f"{supervisor.returncode}{why or f': {told}'}"
            ) from None
    peak = found.pop("peak", 0) / _MEBI
    return LimitedRun(peak_memory_mb=peak, **found)


def _supervisor(environment: Mapping[str, str], said: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start a supervisor, whose errors go to `said`.

    It has a session of its own: an interrupt from the terminal comes here alone. The supervisor
    learns of it by the end of its standard input, and ends the tool.
    """
    return subprocess.Popen(
        [sys.executable, "-P", str(_SUPERVISOR)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=said,
        env=dict(environment),
        start_new_session=True,
    )


def _end_all(supervisor: int) -> None:
    """Kill a supervisor; before, while they are still its children, all processes of its tool."""
    import psutil

    with contextlib.suppress(psutil.Error):
        watching = psutil.Process(supervisor)
        for _ in range(_ROUNDS):
            running = False
            for one in watching.children(recursive=True):
                with contextlib.suppress(psutil.Error):
                    running |= one.status() != psutil.STATUS_ZOMBIE
                    one.kill()
            if not running:
                break
        watching.kill()
