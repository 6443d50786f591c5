"""The work of a sweep: one process, one task, and all that is asked about it."""

import os
import sys
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from platform import node
from typing import Any, NoReturn

from ..benchmark_programs import TaskId, ToyId
from ..errors import TaskError, ToolError
from ..ground_truth import load, load_bundle
from .floors import PriorFloor
from .method import Method
from .row_claim import CLAIMS, claimed
from .scoring import AnyMethod, attempted, find_method, refused
from .sweep_rows import Done, LeftOut, Row
from .tool import Tool
from .track import AnyTask, Priors, Track

MOST_DEATHS = 2
"""After so many ends of the process that asks for a row, the row is recorded as failed."""

AskedTask = AnyTask | TaskId | ToyId | Path
"""A task, or what it is loaded by."""


@dataclass(frozen=True, eq=False)
class Job:
    """What one process is to do.

    Attributes:
        sweep: the name of the sweep; a folder that holds a file of that name is the right one.
        folder: of results.
        task: what is asked about.
        methods: those of the sweep, by name where that is how they were given.
        tracks: those of the sweep.
        priors: of each track, for this task.
        rows: to be asked for.
        done: tells which of them need not be.
        has_claims: whether files can be locked in the folder.
        driver: the process that leads, where it is on this machine: without it work ends; else 0.
        paths: where modules of methods are looked for.
    """

    sweep: str
    folder: Path
    task: AskedTask
    methods: tuple[AnyMethod, ...]
    tracks: tuple[Track, ...]
    priors: tuple[Priors, ...]
    rows: tuple[Row, ...]
    done: Done
    has_claims: bool
    driver: int
    paths: tuple[str, ...] = ()


@dataclass(frozen=True)
class Told:
    """What came of a job.

    Attributes:
        asked: how many rows were asked for.
        busy: how many another process was asking for.
        left_out: what cannot be asked.
        unseen: the machine on which the folder is not there; empty where it is.
    """

    asked: int = 0
    busy: int = 0
    left_out: tuple[LeftOut, ...] = ()
    unseen: str = ""


def asked(job: Job) -> Told:
    """Ask for the rows of a job one by one; write each answer and result as soon as it is there.

    Rows that others ask for, or have asked for in the meantime, are passed over. Where a process
    of the sweep died before, only the row that it died at is asked for: if this one dies of it too,
    nothing else is lost.

    Raises:
        ToolError: a method cannot be imported here.
    """
    if not (job.folder / CLAIMS / job.sweep).exists():
        return Told(unseen=node())
    sys.path[:0] = [path for path in job.paths if path not in sys.path]
    task, told, cannot = loaded(job.task), Told(), {}
    method = cache(lambda number: find_method(job.methods[number]))
    for row in job.rows:
        where = (row.track, row.seed)
        if job.driver and job.driver not in (os.getpid(), os.getppid()):
            _end()  # who leads was killed, and nobody waits for what is told
        if where in cannot or job.done(job.folder / row.name):
            continue
        try:
            is_mine, after_death = _asked_for(job, row, method(row.method), task)
        except TaskError as error:
            name = job.tracks[row.track].name
            cannot[where] = LeftOut(str(task.id), name, str(error), row.track, row.seed)
            continue
        told = replace(told, asked=told.asked + is_mine, busy=told.busy + (not is_mine))
        if after_death:
            break
    return replace(told, left_out=tuple(dict.fromkeys(cannot.values())))


def _end() -> NoReturn:
    os._exit(1)


def _asked_for(job: Job, row: Row, method: Method | Tool, task: AnyTask) -> tuple[bool, bool]:
    """Ask for a row; return whether it was to be had, and whether somebody died of it before."""
    track = job.tracks[row.track]
    if not job.has_claims:
        attempted(method, task, track, row.seed, job.priors[row.track])[0].write(job.folder)
        return True, False
    with claimed(job.folder, row.name, job.sweep) as claim:
        if claim is None:
            return False, False
        if job.done(job.folder / row.name):
            return True, False
        if claim.deaths < MOST_DEATHS:
            scored = attempted(method, task, track, row.seed, job.priors[row.track])[0]
        else:
            why = ToolError(
                f"The method {method.name!r} must return an answer, and on {task.id} the process "
                f"that asked it ended without a word, {claim.deaths} times; a crash, or too "
                "little memory"
            )
            scored = refused(method, task, track, row.seed, why)
        scored.write(job.folder)
        return True, claim.deaths > 0


def loaded(task: AskedTask) -> AnyTask:
    """Return a task: compiled and certified, read from its bundle, or as it is."""
    if isinstance(task, Path):
        return load_bundle(task)
    return load(task) if isinstance(task, TaskId | ToyId) else task


@dataclass(frozen=True, eq=False)
class Posed:
    """A task that was loaded, and what it is to the tracks.

    Attributes:
        id: of the task.
        task: the task itself, or what it is loaded by.
        left_out: the tracks that cannot ask about it.
        evidence: what its prior floors take from it, by the place of the track.
    """

    id: str
    task: AskedTask
    left_out: tuple[LeftOut, ...]
    evidence: Mapping[int, Any]


def posed(task: AskedTask, tracks: Sequence[Track], learning: Set[int], keep: bool) -> Posed:
    """Load a task, and return what it is to the tracks.

    Args:
        task: a task, or what it is loaded by.
        tracks: those of the sweep.
        learning: the places of those whose priors are learned.
        keep: whether the task itself is returned, so that it is not loaded again.
    """
    found, cannot, evidence = loaded(task), [], {}
    for place, track in enumerate(tracks):
        try:
            track.check([found])
        except TaskError as error:
            cannot.append(LeftOut(str(found.id), track.name, str(error), place))
            continue
        if place in learning:
            evidence[place] = track.evidence(found)
    return Posed(str(found.id), found if keep else task, tuple(cannot), evidence)


def priors_for(task: str, priors: Priors) -> Mapping[str, PriorFloor]:
    """Return the prior floors of a suite for one of its tasks: a number for each metric.

    Example:
        >>> floor = PriorFloor({"name": {"a": 0.5, "b": 0.9}, "kind": {"a": 0.6, "b": 0.6}})
        >>> priors_for("a", {"auroc": floor})["auroc"]["a"]
        0.5
    """
    found = {}
    for name, prior in priors.items():
        best = prior.answers[prior.best]
        if task in best:
            found[name] = PriorFloor({prior.best: {task: best[task]}})
    return found
