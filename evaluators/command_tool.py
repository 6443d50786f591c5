"""CommandTool: a command in any language, run on the folder of a problem.

For every problem there is a new temporary folder, with the problem (read-only), an empty folder
for the answer, and one in which the command runs. No shell reads the command. What is wrong with
a run (it crashes, hangs, takes too much, or answers what is no answer) is a reply that says so.
"""

import os
import re
import shlex
import signal
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import JsonValue

from ..errors import AnswerError, ToolError, listing
from .answer_folder import read_answer
from .limited_run import LimitedRun, run_limited
from .limits import Limits
from .problem_folder import write_problem
from .result import Status
from .scratch_folder import scratch_folder
from .tool import Reply, Tool
from .track import Track

PROBLEM, ANSWER = "{problem}", "{answer}"
_OWN = "GLASSBENCH_"
_LINES, _LINE = 12, 200
_RUNS_SCRIPTS = re.compile(r"(python|node|deno|bun|julia|Rscript|ruby|perl|(ba|z)?sh)[0-9.]*")
_UNPRINTABLE = re.compile(r"[^\t\x20-\x7e\xa0-\U0010ffff]")


@dataclass(frozen=True)
class CommandTool(Tool):
    """A command in any language, such as `./tool {problem} {answer}`.

    Attributes:
        command: the command; `{problem}` and `{answer}` are arguments of their own, and stand
            for the folder of the problem and for that of the answer.
        name: how tables call it; by default that of the program or of the script that it runs.
        limits: how much of the machine a run may take.
        place: the folder whose files the command names.

    Raises:
        ToolError: it is no such command, or this is no system with processes as POSIX has them.
    """

    command: str
    name: str = ""
    limits: Limits = field(default_factory=Limits)
    place: Path = field(default_factory=Path.cwd)

    def __post_init__(self) -> None:
        """Check the command, and name it."""
        if os.name != "posix":
            raise ToolError("Commands are run on POSIX systems, such as Linux and macOS, alone")
        words = _words(self.command)
        if not self.name:
            object.__setattr__(self, "name", _name_in(words))

    @property
    def settings(self) -> dict[str, JsonValue]:  # type: ignore[override]
        """The command: its options tell a tool from others of its name."""
        return {"command": self.command}

    def ask(self, track: Track[Any, Any], problem: Any) -> Reply:
        """Run the command on a problem; its failures are replies too."""
        with scratch_folder() as home:
            paths = {PROBLEM: home / "problem", ANSWER: home / "answer"}
            content = track.public(problem)
            identity = write_problem(track.name, content, paths[PROBLEM])
            for name in ("answer", "work", "tmp"):
                (home / name).mkdir()
            arguments = _arguments(_words(self.command), paths, self.place)
            began = time.perf_counter()
            try:
                run = run_limited(arguments, home / "work", _environment(home), self.limits)
            except ToolError as error:
                seconds = time.perf_counter() - began
                return Reply(error=error, status="failed", seconds=seconds)
            taken: dict[str, Any] = {"seconds": run.seconds, "peak_memory_mb": run.peak_memory_mb}
            status, why = self._ending(run)
            if why:
                text = f"{self.name} {why}{_last_lines(run, home)}"
                return Reply(error=ToolError(text), status=status, **taken)
            try:
                record, given = read_answer(paths[ANSWER], content.asked, identity)
                answer = track.raw(given)
            except AnswerError as error:
                text = f"{error}{_last_lines(run, home)}"
                return Reply(error=AnswerError(text), status="failed", **taken)
            version, told = record.tool_version, record.told
            return Reply(answer, version=version, told=told, **taken)

    def _ending(self, run: LimitedRun) -> tuple[Status, str]:
        """Return the status of a run, and what is wrong with how it ended; empty if nothing is."""
        limits, after = self.limits, f"after {run.seconds:.1f} s"
        if run.left:
            return "failed", f"must leave nothing running, and {run.left} processes cannot be ended"
        match run.ended:
            case "start":
                return "failed", f"must be a program that can be run: {run.reason}"
            case "time":
                return "timeout", f"must end within {limits.seconds:g} s, and was stopped"
            case "memory":
                return "out_of_memory", (
                    f"must take at most {limits.memory_mb:g} MiB, and took "
                    f"{run.peak_memory_mb:.0f} MiB {after}"
                )
            case "processes":
                return "failed", (
                    f"must have at most {limits.processes} processes, and had more {after}"
                )
            case "exit" if run.code:
                return "failed", f"must end with exit code 0, and {_code_text(run.code)} {after}"
            case "exit":
                return "ok", ""


def _words(command: str) -> list[str]:
    """Return the program and its arguments."""
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise ToolError(
            f"The command {command!r} must be words as a shell has them: {error}"
        ) from (None)
    problems = [
        f"{mark} must be an argument of its own, once, got it {words.count(mark)} times"
        for mark in (PROBLEM, ANSWER)
        if words.count(mark) != 1
    ]
    if words and words[0] in (PROBLEM, ANSWER):
        problems.append("it must begin with a program")
    if problems:
        heading = f"The command {command!r} must be one such as './tool {PROBLEM} {ANSWER}':"
        raise ToolError(listing(heading, problems))
    return words


def _name_in(words: Sequence[str]) -> str:
    """Return the name of the script that a command runs, or of its program.

    Example:
        >>> _name_in(["python3", "-O", "tools/pca.py", "{problem}", "{answer}"])
        'pca.py'
        >>> _name_in(["./tool", "--steps=3", "{problem}", "{answer}"])
        'tool'
    """
    program = os.path.basename(words[0])
    scripts = [word for word in words[1:] if re.fullmatch(r"[^-\s]\S*\.[A-Za-z]+", word)]
    return os.path.basename(scripts[0]) if scripts and _RUNS_SCRIPTS.fullmatch(program) else program


def _arguments(words: Sequence[str], paths: Mapping[str, Path], place: Path) -> list[str]:
    """Return what is run: folders in place of their marks, and files by their whole paths.

    The command runs in a folder of its own, so that a word that names a file from `place`, by a
    path or with a suffix, must be told whole.
    """
    found = []
    for word in words:
        is_path = ("/" in word or "." in word) and os.path.isfile(place / word)
        named = place / word if is_path else word
        found.append(str(paths.get(word, named)))
    return found


def _environment(home: Path) -> dict[str, str]:
    """Return the environment of a run: that of this process, but for what tells of tasks."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
    kept.pop("OLDPWD", None)
    return {**kept, "PWD": str(home / "work"), "TMPDIR": str(home / "tmp")}


def _code_text(code: int) -> str:
    """Return how a process ended, in words."""
    if code > 0:
        return f"ended with {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    why = ", as systems do where memory is short," if name == "SIGKILL" else ""
    return f"was ended by {name}{why}"


def _last_lines(run: LimitedRun, home: Path) -> str:
    """Return the end of what a tool printed, indented below a heading; empty if it is empty."""
    said = run.stderr.strip() or run.stdout.strip()
    if not said:
        return ""
    for folder in ("problem", "answer"):
        said = said.replace(str(home / folder), f"{{{folder}}}")
    lines = [_UNPRINTABLE.sub("?", line)[:_LINE] for line in said.splitlines()[-_LINES:]]
    return "\n".join(["\nThe end of what it printed:", *(f"  {line}" for line in lines)])
