"""Kept floors: the prior floors that a sweep gives, beside its results.

What can be learned blind about a task depends on the other tasks that are asked about, so that a
row which is there from another sweep may have other floors. Those of a sweep are kept in the
folder, so that one that has nothing to ask, and loads no task, can tell which rows these are.
"""

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import TypeAdapter

from ..whole_file import write_whole
from .rescoring import TOLERANCE
from .sweep_folder import SWEEPS
from .track import Track

Floors = Mapping[str, Mapping[str, float]]
"""The prior floors of a track: a number for each metric, by task."""


def floors_file(folder: Path, track: Track, tasks: Iterable[str]) -> Path:
    """Return where floors are kept: those of a track over tasks, in this version of the package."""
    from .. import __version__

    learned_from = [__version__, track.name, dict(track.question), sorted(tasks)]
    name = hashlib.sha256(json.dumps(learned_from, sort_keys=True).encode()).hexdigest()[:32]
    return folder / SWEEPS / f"priors-{name}.json"


def kept_floors(file: Path) -> Floors | None:
    """Return floors that were kept; `None` if there are none."""
    try:
        return TypeAdapter(dict[str, dict[str, float]]).validate_json(file.read_bytes())
    except (OSError, ValueError):
        return None


def keep_floors(floors: Floors, file: Path) -> None:
    """Keep floors.

    Raises:
        BundleError: they cannot be written.
    """
    write_whole(json.dumps(floors, sort_keys=True).encode(), file)


@dataclass(frozen=True, eq=False)
class SweepFloors:
    """The prior floors that a sweep gives to its rows.

    Attributes:
        tracks: of the sweep.
        floors: of each of them; empty where there are none.
    """

    tracks: tuple[Track, ...] = ()
    floors: tuple[Floors, ...] = ()

    def are_those_of(self, file: Path) -> bool:
        """Return whether a result has them; also if it has no metrics or cannot be read.

        On a track that learns none, a prior floor is measured on the task, and as good as the rest.
        """
        try:
            result = json.loads(file.read_bytes())
            question = result["track"], result.get("question", {})
            for track, floors in zip(self.tracks, self.floors, strict=True):
                if track.has_priors and (track.name, dict(track.question)) == question:
                    expected = floors.get(result["task"], {})
                    return all(
                        _is_same(metric["floors"].get("prior"), expected.get(name))
                        for name, metric in result["metrics"].items()
                    )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            pass
        return True


def _is_same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)
