"""Board: what is known of the answers to one question, on all tasks and on parts of them."""

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, get_args

from ..evaluators.result import Result, TrackName
from .alongside import alongside
from .bootstrap import task_intervals
from .page_names import page_name, shown
from .pairwise import fewest_tasks, told_apart
from .ranking import rank_ranges
from .standings import in_order
from .statistics import Statistics
from .task_facts import TaskFacts
from .task_scores import task_scores

if TYPE_CHECKING:
    import pandas as pd

_RESAMPLES = 2_000
_TRACKS: tuple[str, ...] = get_args(TrackName)


@dataclass(frozen=True)
class Question:
    """What was asked: a track, and how it differs from what the track asks by default.

    Attributes:
        track: its name.
        asked: the difference, as JSON.
    """

    track: str
    asked: str = "{}"

    @classmethod
    def of(cls, result: Result) -> "Question":
        """Return the question of a result."""
        return cls.differing(result.track, result.question)

    @classmethod
    def differing(cls, track: str, differences: Mapping[str, Any]) -> "Question":
        """Return the question of a track that differs so from its default."""
        return cls(track, json.dumps(differences, sort_keys=True) if differences else "{}")

    @property
    def differences(self) -> dict[str, Any]:
        """How it differs from the track's default, such as `{"arm": "independent"}`."""
        return dict(json.loads(self.asked))

    @property
    def title(self) -> str:
        """What pages call it, such as `features (arm: independent)`."""
        asked = self.differences
        if not asked:
            return self.track
        told = [
            f"{name}: {value if isinstance(value, str) else json.dumps(value)}"
            for name, value in asked.items()
        ]
        return f"{self.track} ({shown(', '.join(told))})"

    @property
    def page(self) -> str:
        """The name of its page."""
        return self.track if self.asked == "{}" else f"{self.track}-{page_name(self.asked)}"

    @property
    def order(self) -> tuple[int, str]:
        """The tracks stand in their own order, and the default question of each first."""
        return _TRACKS.index(self.track), self.asked.replace("{}", "")


@dataclass(frozen=True, eq=False)
class Slice:
    """The methods on some tasks of a board.

    Attributes:
        names: what these tasks are: each a kind (`suite`, `regime` or `tag`) and the name of one.
        tasks: their ids.
        standings: a row for each method and reference, best first: `rank, role, method,
            normalised, low, high, answered`.
    """

    names: tuple[tuple[str, str], ...]
    tasks: frozenset[str]
    standings: "pd.DataFrame"

    @property
    def title(self) -> str:
        """What pages call it: `tag mean`, or `tag mean, and tag median: the same tasks`."""
        told = ", and ".join(f"{kind} {name}" for kind, name in self.names)
        return told if len(self.names) == 1 else f"{told}: the same tasks"

    @property
    def page(self) -> str:
        """What tells its page from that of its board."""
        kind, name = self.names[0]
        return f"{kind}-{page_name(name)}"


@dataclass(frozen=True, eq=False)
class Board:
    """All that is known of the answers to one question.

    Attributes:
        question: what was asked.
        statistics: all frames.
        slices: parts of the tasks that are worth a table of their own.
    """

    question: Question
    statistics: Statistics
    slices: tuple[Slice, ...]

    @classmethod
    def of(
        cls,
        question: Question,
        frame: "pd.DataFrame",
        facts: Mapping[str, TaskFacts],
        *,
        processes: int = 1,
    ) -> "Board":
        """Return the board of a frame of results.

        Args:
            question: what was asked.
            frame: from `results_frame`.
            facts: of every task.
            processes: how many measure parts of the tasks in the meantime.
        """
        scores = task_scores(frame)
        primary = scores[scores["primary"].astype(bool)]
        parts = _parts(set(scores["task"]), facts)
        asked = (partial(_slice_standings, primary[primary["task"].isin(own)]) for own in parts)
        measured = alongside(asked, processes=processes)
        statistics = Statistics.of(frame, scores)
        slices = [
            Slice(names, tasks, standings)
            for (tasks, names), standings in zip(parts.items(), measured, strict=True)
        ]
        return cls(question, statistics, tuple(slices))

    @property
    def primary(self) -> "pd.DataFrame":
        """The scores of methods by the metric that ranks: a row for each method and task."""
        scores = self.statistics.scores
        return scores[(scores["role"] == "method") & scores["primary"].astype(bool)]


def _parts(
    tasks: Set[str], facts: Mapping[str, TaskFacts]
) -> Mapping[frozenset[str], tuple[tuple[str, str], ...]]:
    """Return the parts of the tasks that hold enough of them, but not all, and what each is.

    Names of the same tasks are those of one part.
    """
    parts: dict[tuple[int, str, str], set[str]] = {}
    for task in tasks:
        own = facts[task]
        kinds = (("suite", own.suites), ("regime", (own.regime,)), ("tag", own.tags))
        for place, (kind, values) in enumerate(kinds):
            for name in filter(None, values):
                parts.setdefault((place, kind, name), set()).add(task)
    fewest = fewest_tasks(methods=2)  # on fewer no two can be told apart
    found: dict[frozenset[str], tuple[tuple[str, str], ...]] = {}
    for (_, kind, name), part in sorted(parts.items()):
        if fewest <= len(part) < len(tasks):
            same = frozenset(part)
            found[same] = (*found.get(same, ()), (kind, name))
    return found


def _slice_standings(primary: "pd.DataFrame") -> "pd.DataFrame":
    """Return the standings on some tasks: ranks and intervals are those of these tasks alone."""
    by = ["role", "method"]
    matrix = primary.pivot(index=by, columns="task", values="normalised")
    table = matrix.index.to_frame(index=False)
    table["normalised"] = matrix.to_numpy().mean(axis=1)
    ends = task_intervals(matrix.to_numpy(), seed=0, resamples=_RESAMPLES, only=("mean",))["mean"]
    table["low"], table["high"] = ends.T
    answered = (primary["outcome"] == "ok").groupby([primary[name] for name in by]).sum()
    table = table.merge(answered.rename("answered").reset_index(), on=by)
    methods = list(table.loc[table["role"] == "method", "method"])
    ranks = rank_ranges(told_apart(primary), methods)[["method", "rank"]]
    table = table.merge(ranks.assign(role="method"), on=by, how="left").fillna({"rank": ""})
    return in_order(table)
