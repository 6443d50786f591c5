"""The rows of a sweep: who is asked about which task, on which track, with which seed.

A row is known by the name of the file in which its result will stand, so that what is done is
seen from the folder alone.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from ..errors import TaskError, listing
from .method import Method
from .result import result_file_name
from .scoring import answers, check_track, settings_of
from .tool import Tool
from .track import Track


class Row(NamedTuple):
    """One question to one method.

    Attributes:
        track: its place among the tracks of the sweep.
        seed: what the problem is drawn with.
        method: its place among the methods of the sweep.
        name: of the file of the result.
    """

    track: int
    seed: int
    method: int
    name: str


@dataclass(frozen=True)
class LeftOut:
    """What cannot be asked.

    Attributes:
        task: its id.
        track: the name of the track.
        why: what the track says.
        place: of the track among those of the sweep, which can be of one name.
        seed: with which it cannot be asked; `None` for any.
    """

    task: str
    track: str
    why: str
    place: int
    seed: int | None = None


def rows_of(
    task: str,
    methods: Sequence[Method | Tool],
    tracks: Sequence[Track],
    seeds: Sequence[int],
) -> Iterator[Row]:
    """Yield all that is asked about a task: what shares a problem stands together.

    A method that states its track is asked on that one alone, others on all.
    """
    for place, track in enumerate(tracks):
        for seed in seeds:
            for number, method in enumerate(methods):
                if answers(method, track):
                    settings = dict(settings_of(method))
                    question = dict(track.question)
                    name = result_file_name(method.name, settings, task, track.name, seed, question)
                    yield Row(place, seed, number, name)


@dataclass(frozen=True)
class Done:
    """Which rows need not be asked for.

    Attributes:
        since: when the sweep began, by the clock of the folder, in nanoseconds; a result that is
            not older is one of the sweep, or of another that runs beside it.
        again: whether older results are asked for again.
        retry_failed: whether older results without an answer are.
    """

    since: int
    again: bool = False
    retry_failed: bool = False

    def __call__(self, file: Path) -> bool:
        """Return whether the result in a file counts."""
        try:
            is_new = file.stat().st_mtime_ns >= self.since
        except FileNotFoundError:
            return False
        return is_new or not (self.again or (self.retry_failed and status_of(file) != "ok"))

    def among(self, folder: Path) -> set[str]:
        """Return the names of all files in a folder of results that count."""
        with os.scandir(folder) as entries:
            there = {entry.name for entry in entries if entry.name.endswith(".json")}
        if self.again or self.retry_failed:
            return {name for name in there if self(folder / name)}
        return there


def status_of(file: Path) -> str:
    """Return the status of a result; empty if it cannot be read."""
    try:
        return str(json.loads(file.read_bytes())["status"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def check_asked(methods: Sequence[Method | Tool], tracks: Sequence[Track]) -> None:
    """Check that every method is asked something.

    Raises:
        TaskError: some method answers none of the tracks.
    """
    idle = [method for method in methods if not any(answers(method, track) for track in tracks)]
    if len(tracks) == 1:
        for method in idle:
            check_track(method, tracks[0])
    if idle:
        named = ", ".join(track.name for track in tracks)
        raise TaskError(
            listing(
                f"Every method must answer a track that is asked, {named}, and these do not; ask "
                "theirs too, or leave them out:",
                [f"{method.name}: {getattr(method, 'track', None)}" for method in idle],
            )
        )
