"""Sweeps: methods x tasks x tracks x seeds, into one folder of results.

The folder is all that a sweep knows of itself: what is there is done. So it can be stopped at
any moment, in any way, and goes on where it is started again; and several can work into one
folder at once, on one machine or on many that share it.
"""

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..benchmark_programs import TaskId, ToyId, suite_members
from ..errors import TaskError
from ..ground_truth.bundle_task import named_task
from .kept_floors import SweepFloors
from .method import Method
from .result import Result
from .scoring import AnyMethod, check_seeds, settings_of, several_methods
from .sweep_folder import opened
from .sweep_rows import LeftOut, check_asked, status_of
from .sweep_run import SweepPlan, SweepRun, Watch
from .sweep_work import AskedTask
from .sweep_workers import workers
from .tool import Tool
from .track import Track
from .tracks import CIRCUIT, TRACKS, find_track

ALL_TRACKS = "all"
"""Stands for every track."""


@dataclass(frozen=True)
class SweepReport:
    """What a sweep leaves.

    Attributes:
        folder: of results.
        names: the files of all rows.
        before: how many of them were there before.
        left_out: what could not be asked.
        floors: the prior floors that the sweep gives to its rows.
    """

    folder: Path
    names: tuple[str, ...]
    before: int
    left_out: tuple[LeftOut, ...] = ()
    floors: SweepFloors = field(default_factory=SweepFloors)

    def results(self) -> Iterator[Result]:
        """Yield the result of every row: task by task, and there by track, seed and method."""
        return (Result.read(self.folder / name) for name in self.names)

    def failed(self) -> tuple[str, ...]:
        """Return the files of the rows without an answer."""
        return tuple(name for name in self.names if status_of(self.folder / name) != "ok")

    def other_floors(self) -> tuple[str, ...]:
        """Return the files of the rows whose prior floors are not those of this sweep.

        They were there from a sweep over other tasks, or of another version of the package.
        """
        return tuple(
            name for name in self.names if not self.floors.are_those_of(self.folder / name)
        )


def sweep(
    methods: AnyMethod | Sequence[AnyMethod],
    suite: str | Sequence[str | AskedTask],
    folder: str | os.PathLike[str],
    *,
    track: str | Track | Sequence[str | Track] = CIRCUIT,
    seeds: int | Sequence[int] = 1,
    jobs: int = 1,
    backend: str = "local",
    address: str | None = None,
    again: bool = False,
    retry_failed: bool = False,
    with_priors: bool = True,
    watch: Watch | None = None,
) -> SweepReport:
    """Score methods on tasks, on tracks, with seeds; write each result as soon as it is there.

    Results that are in the folder are kept, and not asked for again: a sweep that was stopped
    goes on. Several sweeps can work into one folder at once. What a track cannot ask about a
    task is left out, and the report says so.

    Args:
        methods: as for `score_suite`. One that states its track is asked on that alone.
        suite: the name of a suite, or tasks: ids, paths of bundles, or tasks themselves.
        folder: of results; made if it is not there. Workers of a cluster must see it too.
        track: one or several, by name or as objects; `all` for every one.
        seeds: how many, from 0; or which.
        jobs: how many processes, or -1 for one on each core. One is this process itself.
        backend: `local`, or `ray` or `dask`: a cluster that runs; all of its processes work.
        address: of that cluster; else RAY_ADDRESS or DASK_SCHEDULER_ADDRESS says it.
        again: whether results that are there are asked for again, and replaced. A sweep that does
            so and was stopped goes on with the same call.
        retry_failed: whether those without an answer are.
        with_priors: whether prior floors are learned over the tasks.
        watch: is told what is going on, how much of it is done and how much there is; from a
            thread of its own.

    Raises:
        TaskError: there is no such suite, task, track, method or backend; a method answers none
            of the tracks; or nothing can be asked at all.
        ToolError: a method cannot be imported, or there is no such cluster.
        MissingExtraError: the backend is not installed.
        BundleError: nothing can be written to the folder, or a bundle is not what it should be.
        GlassbenchError: workers do not see the folder, or are lost again and again.
    """
    plan = _plan(methods, suite, track, seeds, with_priors)
    check_asked(plan.methods, plan.tracks)
    with (
        opened(
            Path(folder),
            again=again,
            retry_failed=retry_failed,
            asked=_name_of(plan),
            sources=_sources(plan.methods),
        ) as place,
        workers(backend, address, jobs) as force,
    ):
        run = SweepRun(plan, place, force, watch or _unwatched)
        names, left_out = run.run()
    return SweepReport(Path(folder), names, run.before, left_out, run.floors)


def _unwatched(doing: str, done: int, total: int) -> None:
    """Nobody wants to know."""


def _plan(
    methods: AnyMethod | Sequence[AnyMethod],
    suite: str | Sequence[str | AskedTask],
    track: str | Track | Sequence[str | Track],
    seeds: int | Sequence[int],
    with_priors: bool,
) -> SweepPlan:
    """Return what is asked, each method once with its settings."""
    found = several_methods(methods)
    return SweepPlan(
        given=tuple(given for given, _ in found),
        methods=tuple(method for _, method in found),
        tasks=_tasks(suite),
        tracks=_tracks(track),
        seeds=_seeds(seeds),
        with_priors=with_priors,
        paths=(os.getcwd(),) if any(":" in str(given) for given, _ in found) else (),
    )


def _seeds(seeds: int | Sequence[int]) -> tuple[int, ...]:
    """Return with which seeds is asked, each once.

    Raises:
        TaskError: with none, or with what is no seed.
    """
    found = tuple(range(seeds)) if isinstance(seeds, int) else tuple(dict.fromkeys(seeds))
    check_seeds(found)
    return tuple(map(int, found))


def _name_of(plan: SweepPlan) -> str:
    """Return a name for what is asked, in whatever order."""
    methods = [[method.name, dict(settings_of(method))] for method in plan.methods]
    tracks = [[track.name, dict(track.question)] for track in plan.tracks]
    tasks = [
        str(task if isinstance(task, TaskId | ToyId | Path) else task.id) for task in plan.tasks
    ]
    each: list[list[Any]] = [methods, tracks, tasks, list(plan.seeds)]
    parts = [sorted(json.dumps(one, sort_keys=True) for one in several) for several in each]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def _sources(methods: Sequence[Method | Tool]) -> str:
    """Return when the modules of methods were changed last, so far as they are files."""
    changed = {}
    for method in methods:
        module = getattr(getattr(method, "function", method), "__module__", None)
        source = getattr(sys.modules.get(str(module)), "__file__", None)
        if source is not None and os.path.exists(source):
            changed[str(module)] = os.stat(source).st_mtime_ns
    return json.dumps(changed, sort_keys=True)


def _tracks(asked: str | Track | Sequence[str | Track]) -> tuple[Track, ...]:
    """Return the tracks that are asked, each once."""
    several = [asked] if isinstance(asked, str | Track) else list(asked)
    if ALL_TRACKS in several:
        several = [*TRACKS.values()]
    if not several:
        raise TaskError("A sweep needs a track, got none; name one, or all of them with 'all'")
    return tuple(dict.fromkeys(map(find_track, several)))


def _tasks(suite: str | Sequence[str | AskedTask]) -> tuple[AskedTask, ...]:
    """Return what is asked about."""
    if isinstance(suite, str):
        return tuple(suite_members(suite))
    return tuple(named_task(task) if isinstance(task, str) else task for task in suite)
