"""What `glassbench score` does: a sweep, with its options, its progress and what it says after."""

import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .asked_tasks import asked_track
from .console import console, sweep_progress
from .errors import GlassbenchError, TaskError, listing
from .interruption import STOPPED
from .plurals import counted

if TYPE_CHECKING:
    from .benchmark_programs import TaskId, ToyId
    from .evaluators import Result, SweepReport, Tool, Track
    from .evaluators.sweep_rows import LeftOut

MOST_READ = 20_000
"""How many results are read and ranked at the end; of more it is said where they are."""
MOST_NAMED = 20
"""How many runs without an answer are named, where there are more results than that."""

Tracks = Annotated[
    list[str] | None,
    typer.Option(
        "--track",
        help="The question: circuit (if none is named), attribution, features, variables or "
        "program; may be given again; 'all' for every one.",
    ),
]
Seeds = Annotated[int, typer.Option(min=1, help="How many seeds, from --seed on.")]
SweepJobs = Annotated[
    int, typer.Option("-j", "--jobs", min=-1, help="Processes that work; -1 for all cores.")
]
Backend = Annotated[
    str, typer.Option(help="Where they are: local, or ray or dask for a cluster that runs.")
]
Address = Annotated[
    str | None,
    typer.Option(help="Of the cluster; else RAY_ADDRESS or DASK_SCHEDULER_ADDRESS says it."),
]
Again = Annotated[
    bool, typer.Option("--again", help="Ask again for results that are there, and replace them.")
]
RetryFailed = Annotated[
    bool, typer.Option("--retry-failed", help="Ask again for those without an answer.")
]
Command = Annotated[
    str | None,
    typer.Option(
        metavar="COMMAND",
        help="A tool in any language, such as './tool {problem} {answer}'.",
    ),
]
Answers = Annotated[
    list[Path] | None,
    typer.Option(
        "--answer",
        metavar="ANSWER",
        help="An answer made elsewhere: a folder with answer.json, or a circuit of MIB as JSON; "
        "may be given again.",
    ),
]
ToolName = Annotated[
    str | None, typer.Option(help="What the command, or the answer, is called in tables.")
]
TimeLimit = Annotated[
    float, typer.Option(metavar="SECONDS", help="How long the command may take for each task.")
]
MemoryLimit = Annotated[
    float, typer.Option(metavar="MIB", help="How much memory its processes may have together.")
]


def asked_tools(
    command: str | None,
    answers: Sequence[Path] | None,
    name: str | None,
    *,
    time_limit: float,
    memory_limit: float,
    tasks: Sequence[str] | None,
) -> "list[Tool]":
    """Return the tools that the options name.

    Raises:
        ToolError: the command is none, or a limit leaves nothing.
    """
    from .evaluators import AnswerFile, CommandTool, Limits

    if name is not None and (command is not None) + len(answers or ()) != 1:
        raise typer.BadParameter("names one --command or one --answer", param_hint="--tool-name")
    if answers and len(tasks or ()) != 1:
        raise typer.BadParameter("answers one --task; name that", param_hint="--answer")
    tools: list[Tool] = [AnswerFile(place, name or "") for place in answers or ()]
    if command is not None:
        limits = Limits(seconds=time_limit, memory_mb=memory_limit)
        tools.append(CommandTool(command, name or "", limits))
    return tools


@dataclass(frozen=True)
class SweepOptions:
    """How a sweep is run: the options of `glassbench score`, as `sweep` has them."""

    seeds: range = range(1)
    jobs: int = 1
    backend: str = "local"
    address: str | None = None
    again: bool = False
    retry_failed: bool = False


def asked_methods(names: Sequence[str], tools: "Sequence[Tool]") -> "list[str | Tool]":
    """Return what is asked; modules of methods are found in the current folder too."""
    if not names and not tools:
        raise typer.BadParameter("name one, or give --command or --answer", param_hint="METHOD")
    if any(":" in name for name in names) and os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    return [*names, *tools]


def asked_tracks(names: Sequence[str] | None, arm: str | None) -> "list[Track]":
    """Return the questions that the options ask."""
    from .evaluators import TRACKS
    from .evaluators.sweeping import ALL_TRACKS

    named = list(dict.fromkeys(names or ["circuit"]))
    if ALL_TRACKS in named:
        named = list(TRACKS)
    if arm is None or "features" not in named:
        return [asked_track(name, arm) for name in named]
    return [asked_track(name, arm if name == "features" else None) for name in named]


def check_some_posed(tracks: "Sequence[Track]", names: "Sequence[TaskId | ToyId | Path]") -> None:
    """Raise, before anything is loaded, if no track can ask about any of the tasks."""
    for track in tracks:
        for name in names:
            try:
                track.check_named([name])
            except TaskError:
                continue
            return
    tracks[0].check_named(names)


@dataclass(frozen=True)
class Swept:
    """What came of a sweep.

    Attributes:
        report: of the sweep.
        results: of every row, if they are few; else none.
        failures: which runs gave no answer, as text; empty where all did.
    """

    report: "SweepReport"
    results: "Sequence[Result]"
    failures: str

    def check_answered(self) -> None:
        """Raise an error that names the runs without an answer, if there are any."""
        if self.failures:
            raise GlassbenchError(self.failures)


def swept(
    methods: "Sequence[Any]",
    tasks: "Sequence[Any]",
    tracks: "Sequence[Track]",
    options: SweepOptions,
    *,
    folder: Path | None,
    suite: str | None,
) -> Swept:
    """Run a sweep, and say what was left out; return what came of it.

    Args:
        methods: as for `sweep`.
        tasks: as for `sweep`.
        tracks: the questions.
        options: how.
        folder: of results; `None` for one that is gone afterwards.
        suite: the name of the tasks, over which prior floors are learned; `None` for tasks that
            are asked about one by one, without these floors.
    """
    from .evaluators import sweep

    with _folder_or_none(folder) as place:
        try:
            with sweep_progress() as watch:
                report = sweep(
                    methods,
                    tasks,
                    place,
                    track=tracks,
                    with_priors=suite is not None,
                    watch=watch,
                    **vars(options),
                )
        except KeyboardInterrupt:
            if folder is not None:
                text = f"Stopped. What is in {folder}{os.sep} stays; the same command goes on."
                console(stderr=True).print(text, soft_wrap=True)
            raise typer.Exit(STOPPED) from None
        results = list(report.results()) if len(report.names) <= MOST_READ else []
        outdated = _outdated(report, results)
        other_floors = _other_floors(report, suite)
        failures = _failures(report, results)
    warnings = [_left_out_text(report.left_out)] if report.left_out else []
    for text in [*warnings, *outdated, *other_floors]:
        console(stderr=True).print(text, style="yellow", soft_wrap=True)
    return Swept(report, results, failures)


def where_written(report: "SweepReport") -> str:
    """Return how many results are where, and how many of them were there before."""
    text = f"\nWritten: {counted(len(report.names) - report.before, 'result')} in "
    text += f"{report.folder}{os.sep}"
    if report.before:
        text += f"; {report.before:,} were there and are kept (--again asks anew)"
    return text


def _other_floors(report: "SweepReport", suite: str | None) -> list[str]:
    """Return a warning if results were kept whose prior floors are not those of the sweep."""
    from .evaluators import Result

    names = report.other_floors()
    if not names:
        return []
    few = [Result.read(report.folder / name) for name in names[:MOST_NAMED]]
    heading = (
        f"{counted(len(names), 'result')} of {len(report.names):,} were kept with other prior "
        "floors than this sweep gives, which are learned over the tasks that are asked about, and "
        f"cannot be ranked beside the rest; glassbench rescore {report.folder} --priors-of "
        f"{suite or 'NAME'} writes them with the floors of that suite, --again asks anew:"
    )
    return [listing(heading, [f"{one.tool} on {one.task}" for one in few])]


def _failures(report: "SweepReport", results: "Sequence[Result]") -> str:
    """Return which runs gave no answer, and why: all of them where results are there, else some."""
    from .evaluators import Result

    heading = "These runs gave no answer (--retry-failed asks again where they were written):"
    failed = [result for result in results if result.status != "ok"]
    if not results:
        names = report.failed()
        failed = [Result.read(report.folder / name) for name in names[:MOST_NAMED]]
        heading = (
            f"{len(names):,} of {counted(len(report.names), 'run')} gave no answer (--retry-failed "
            "asks again where they were written), such as:"
        )
    problems = [
        f"{result.tool} on {result.task}: {result.error}".replace("\n", "\n    ")
        for result in failed
    ]
    return listing(heading, problems) if problems else ""


def _left_out_text(left_out: "Sequence[LeftOut]") -> str:
    """Return what could not be asked: a list for each reason that a track gives."""
    reasons: dict[str, list[str]] = {}
    for one in left_out:
        heading, *items = one.why.splitlines()
        reasons.setdefault(heading, []).extend(item.removeprefix("  - ") for item in items)
    return "Left out. " + "\n".join(
        listing(heading, list(dict.fromkeys(items))) for heading, items in reasons.items()
    )


def _outdated(report: "SweepReport", results: "Sequence[Result]") -> list[str]:
    """Return a warning for each module of methods that was changed after results were written."""
    counts: dict[str, int] = {}
    for result in results:
        source = getattr(sys.modules.get(result.tool.partition(":")[0]), "__file__", None)
        if ":" in result.tool and source is not None and os.path.exists(source):
            written = (report.folder / result.file_name).stat().st_mtime_ns
            if written < os.stat(source).st_mtime_ns:
                counts[result.tool] = counts.get(result.tool, 0) + 1
    return [
        f"{tool} was changed after {counted(n, 'result')} of it that "
        f"{'is' if n == 1 else 'are'} kept: --again asks it anew"
        for tool, n in counts.items()
    ]


@contextmanager
def _folder_or_none(folder: Path | None) -> Iterator[Path]:
    if folder is not None:
        yield folder
        return
    with tempfile.TemporaryDirectory(prefix="glassbench-") as scratch:
        yield Path(scratch)
