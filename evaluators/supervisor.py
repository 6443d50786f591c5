"""The supervisor: runs one command under limits, and leaves nothing of it behind.

It is a script, a process of its own for each run of a tool, and imports nothing of the package:
so it is small, starts at once, and is the parent to whom all processes of the tool fall when
theirs end. What is to be run stands on its standard input as one line of JSON. On its standard
output it says in a line which process group the tool is, and in another, at the end, what came
of it. When its standard input ends, whoever asked is gone, and it ends the tool and itself: so
an interrupted or killed sweep leaves nothing running.
"""

import contextlib
import ctypes
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import IO, Any

import psutil

TAIL = 8192
"""How many bytes of what a tool prints are kept."""
SHORTEST, LONGEST = 0.01, 0.1
"""Seconds between two looks at the processes: few at first, then as keep their cost to `SHARE`."""
SHARE, EARLY = 0.05, 0.25
GRACE = 1.0
"""Seconds from the request to end to the end by force."""
PATIENCE = 10.0
"""Seconds in which processes that are killed must be gone."""

_SET_PARENT_DEATH_SIGNAL, _SET_CHILD_SUBREAPER = 1, 36
_KIBI = 1024
_UNIT = 1 if sys.platform == "darwin" else _KIBI
"""Of `ru_maxrss`, in bytes."""


class Run:
    """One run of a command, from its start until all of its processes are gone.

    Args:
        request: `argv`, `folder` and the limits `seconds`, `memory`, `processes` and `file`, the
            two amounts in bytes.
        asker: the file whose end tells that nobody waits for the run any more.
    """

    def __init__(self, request: dict[str, Any], asker: int) -> None:
        self._limits = request
        self._asker = asker
        self._me = psutil.Process()
        self._peak = 0
        self._code: int | None = None
        self._next_look = 0.0
        self._tails: dict[str, bytes] = {"stdout": b"", "stderr": b""}
        self._selector = selectors.DefaultSelector()
        self._selector.register(asker, selectors.EVENT_READ, "asker")
        self._woken, waking = os.pipe()
        os.set_blocking(waking, False)
        signal.set_wakeup_fd(waking, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(self._woken, selectors.EVENT_READ, "child")
        self._started = time.perf_counter()
        self._child = subprocess.Popen(
            request["argv"],
            cwd=request["folder"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            preexec_fn=_before_start(int(request["file"])),
        )
        for name in self._tails:
            pipe: IO[bytes] = getattr(self._child, name)
            os.set_blocking(pipe.fileno(), False)
            self._selector.register(pipe, selectors.EVENT_READ, name)

    @property
    def group(self) -> int:
        """The process group of the command."""
        return self._child.pid

    def report(self) -> dict[str, Any]:
        """Return what came of the run, after its end."""
        ended = self._watch()
        seconds = time.perf_counter() - self._started
        if ended == "time":
            self._signal(self._processes(), signal.SIGTERM)
            grace = time.perf_counter() + GRACE
            while self._processes() and time.perf_counter() < grace:
                self._listen(SHORTEST)
                self._reap()
        left = self._end_all()
        self._listen(0)
        if ended == "exit" and self._peak > self._limits["memory"]:
            ended = "memory"
        tails = {name: tail.decode(errors="replace") for name, tail in self._tails.items()}
        found = {"ended": ended, "code": self._code, "seconds": seconds, "left": left}
        return {**found, "peak": self._peak, **tails}

    def _watch(self) -> str:
        """Wait until the command has ended, or must be ended; return why."""
        while True:
            self._reap()
            now = time.perf_counter()
            if self._code is not None:
                return "exit"
            if now >= self._started + self._limits["seconds"]:
                return "time"
            if now >= self._next_look:
                processes = self._look()
                if len(processes) > self._limits["processes"]:
                    return "processes"
                if self._peak > self._limits["memory"]:
                    return "memory"
            deadline = min(self._next_look, self._started + self._limits["seconds"])
            if not self._listen(max(0.0, deadline - time.perf_counter())):
                return "gone"

    def _look(self) -> list[psutil.Process]:
        """Note how much memory all processes have, and return them."""
        began = time.perf_counter()
        processes, total = self._processes(), 0
        for process in processes:
            with contextlib.suppress(psutil.Error):
                total += process.memory_info().rss
        self._peak = max(self._peak, total)
        now = time.perf_counter()
        steady = min(LONGEST, (now - began) / SHARE)
        self._next_look = now + max(SHORTEST, min(steady, EARLY * (now - self._started)))
        return processes

    def _processes(self) -> list[psutil.Process]:
        """Return all processes of the tool, those whose parents have ended too."""
        return self._me.children(recursive=True)

    def _listen(self, seconds: float) -> bool:
        """Take what is printed, for so long at most; return whether somebody still waits."""
        for key, _ in self._selector.select(seconds):
            content = b""
            with contextlib.suppress(BlockingIOError):
                content = os.read(key.fd, 2**16)
            if key.data in self._tails:
                self._tails[key.data] = (self._tails[key.data] + content)[-TAIL:]
            if not content and key.data != "child":
                self._selector.unregister(key.fileobj)
                if key.data == "asker":
                    return False
        return True

    def _reap(self) -> None:
        """Take leave of all children that have ended; note how the command did."""
        own = _own_peak()
        with contextlib.suppress(ChildProcessError):
            while True:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
                if not pid:
                    return
                # A process counts as at least as large as that which started it.
                if usage.ru_maxrss * _UNIT > own:
                    self._peak = max(self._peak, usage.ru_maxrss * _UNIT)
                if pid == self._child.pid:
                    self._code = self._child.returncode = os.waitstatus_to_exitcode(status)

    def _end_all(self) -> int:
        """Kill all processes of the tool, and return how many could not be."""
        until = time.perf_counter() + PATIENCE
        while processes := self._processes():
            if time.perf_counter() > until:
                break
            # The group at once, so that none of it can start another in the meantime.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.group, signal.SIGKILL)
            self._signal(processes, signal.SIGKILL)
            self._listen(0.002)
            self._reap()
        return len(processes)

    @staticmethod
    def _signal(processes: list[psutil.Process], number: int) -> None:
        for process in processes:
            with contextlib.suppress(psutil.Error):
                process.send_signal(number)


def _own_peak() -> int:
    """Return the most memory that this process ever had, in bytes.

    `ru_maxrss` would count what the process had that started this one, before the system put
    this program in its place: often more than any tool takes.
    """
    with contextlib.suppress(OSError, StopIteration), open("/proc/self/status", "rb") as status:
        line = next(line for line in status if line.startswith(b"VmHWM:"))
        return int(line.split()[1]) * _KIBI
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT


def _prctl() -> Callable[[int, int], Any] | None:
    """Return the call by which Linux is told of a process; `None` elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    return ctypes.CDLL(None, use_errno=True).prctl


def _before_start(file_size: int) -> Callable[[], None]:
    """Return what the command's process does before it becomes the command."""
    prctl = _prctl()
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    most = file_size if hard == resource.RLIM_INFINITY else min(file_size, hard)

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if prctl is not None:
            prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)

    return limit


def main() -> None:
    """Run the command that standard input names, and say on standard output what came of it."""
    request = json.loads(sys.stdin.buffer.readline())
    prctl = _prctl()
    if prctl is not None:
        prctl(_SET_CHILD_SUBREAPER, 1)
    with contextlib.suppress(BrokenPipeError), os.fdopen(1, "w") as said:
        try:
            run = Run(request, sys.stdin.fileno())
        except (OSError, ValueError, subprocess.SubprocessError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            said.write(f"0\n{json.dumps({'ended': 'start', 'reason': reason})}\n")
            return
        said.write(f"{run.group}\n")
        said.flush()
        said.write(f"{json.dumps(run.report())}\n")


if __name__ == "__main__":
    main()
