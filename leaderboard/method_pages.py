"""Method pages: what a method is, what it earned on every task, what it cost, and its results."""

import json
import math
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from ..evaluators.environment import Environment
from .answer_counts import AnswerCounts
from .board import Board
from .board_pages import standing_rows
from .earned_cells import Cell
from .page_names import page_name, shown
from .results_folder import RawResult
from .run_index import known_seconds
from .site_data import SiteData
from .submitters import Submitter
from .tables import TITLES

if TYPE_CHECKING:
    import pandas as pd

MOST_FAILURES = 100
MOST_ENVIRONMENTS, MOST_TOLD_OF_ITSELF = 20, 20
MOST_AUTHORS = 20
_LONGEST_ERROR, _LONGEST_SETTINGS = 300, 4_000
_DIGITS = 12
_TOLD = (0.25, 0.5, 0.75, 1.0)
# Where the frame of a profile stands in its picture.
_LEFT, _RIGHT, _TOP, _BOTTOM = 40.0, 410.0, 10.0, 210.0


def method_pages(data: SiteData) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a page for each method: (file, template, content)."""
    parts: dict[str, list[dict[str, Any]]] = {}
    for board in data.boards:
        for method, part in _parts(board, data):
            parts.setdefault(method, []).append(part)
    for method in sorted(parts):
        told = _identity(method, data) | {"parts": parts[method]}
        yield f"methods/{page_name(method)}.html", "method.html", {"method": told}


def _identity(method: str, data: SiteData) -> dict[str, Any]:
    """Return what all results of a method say of it."""
    results = [one.result for one in data.runs.of_method[method]]
    first = results[0]
    environments = {_key(one.environment): one.environment for one in results}
    told = sorted({_json(one.told) for one in results if one.told})[:MOST_TOLD_OF_ITSELF]
    return {
        "name": method,
        "tool": shown(first.tool, 1_000),
        "settings": _json(first.settings) if first.settings else "",
        "versions": [
            shown(one) for one in sorted({r.tool_version for r in results if r.tool_version})
        ],
        "told": "\n".join(told),
        "environments": sorted(map(_environment, environments.values()))[:MOST_ENVIRONMENTS],
        "submitters": [_submitter(one) for one in data.submitters.get(first.tool, ())],
    }


def _submitter(one: Submitter) -> dict[str, Any]:
    """Return who answers for a method, and where more of it is."""
    record = one.record
    names = [shown(author) for author in record.authors[:MOST_AUTHORS]]
    left = len(record.authors) - len(names)
    return {
        "authors": names + ([f"and {left} more"] if left else []),
        "date": "" if record.date is None else record.date.isoformat(),
        "description": shown(record.description, 1_000) if record.description else "",
        "code": record.code or "",
        "licence": shown(record.licence),
        "contact": shown(record.contact),
        "file": one.name,
        "digest": one.sha256[:_DIGITS],
    }


def _json(content: Mapping[str, Any]) -> str:
    """Return JSON that is laid out in lines, and otherwise holds what can be shown alone."""
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, indent=2)
    some = text[:_LONGEST_SETTINGS]
    plain = "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in some)
    return plain + ("\n…" if len(text) > _LONGEST_SETTINGS else "")


def _key(one: Environment) -> Hashable:
    """Return what tells an environment from others."""
    return one.python, one.platform, *one.packages.items(), one.git_commit, one.git_dirty


def _environment(one: Environment) -> str:
    packages = ", ".join(f"{name} {version}" for name, version in sorted(one.packages.items()))
    commit = f", commit {one.git_commit}" if one.git_commit else ""
    changed = " with changes" if one.git_dirty else ""
    return shown(f"Python {one.python}, {one.platform}{commit}{changed}; {packages}", 1_000)


def _parts(board: Board, data: SiteData) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the page of each method says of one board."""
    own = board.primary
    primary = str(own["metric"].iloc[0])
    frames = board.statistics
    ranking = frames.results[frames.results["metric"] == primary]
    floor = ranking.groupby("task")["floor"].max().to_dict()
    cells = {
        name: list(of) for name, of in groupby(data.cells[board.question], attrgetter("method"))
    }
    profiles = {str(method): table for method, table in frames.profiles.groupby("method")}
    ranked = frames.standings[frames.standings["role"] == "method"].set_index("method")
    has_circuits = board.question.track == "circuit" and bool(data.views)
    for row in standing_rows(board):
        if not row.page:
            continue
        method = row.name
        all_runs = data.runs.of_board[board.question, method]
        failed, left = _failures(all_runs, data.names)
        yield (
            method,
            {
                "page": board.question.page,
                "title": board.question.title,
                "row": row,
                "seed_low": ranked.loc[method, "seed_low"],
                "seed_high": ranked.loc[method, "seed_high"],
                "runs": len(all_runs),
                "answers": str(AnswerCounts.of(all_runs, data.states)),
                "cost": _cost(all_runs),
                "profile": profile_path(profiles[method]),
                "metric": TITLES.get(primary, shown(primary)),
                "has_circuits": has_circuits,
                "tasks": [
                    _task_row(one, data, floor.get(one.task, math.nan))
                    for one in sorted(cells[method], key=attrgetter("score", "task"))
                ],
                "failures": failed,
                "failures_left": left,
            },
        )


Run = tuple[int, str, str]
"""What a page says of a run: its seed, its file and the beginning of its digest."""
TaskRow = tuple[str, str, str, float, float, float, str, tuple[str, str, str], float, Sequence[Run]]
"""What the page of a method says of a task: page, name, regime, score, value, floor, outcome,
edges, seconds, runs."""


def _task_row(cell: Cell, data: SiteData, floor: float) -> TaskRow:
    _, task, score, value, outcome, edges, seconds, runs = cell
    told = [(one.result.seed, one.name, one.sha256[:_DIGITS]) for one in runs]
    name, regime = data.names[task], data.facts[task].regime
    return page_name(task), name, regime, score, value, floor, outcome, edges, seconds, told


def _cost(runs: Iterable[RawResult]) -> str:
    """Return the seconds that runs took and the most memory, each where it is known."""
    seconds = sorted(known_seconds(runs))
    memory = [one.result.peak_memory_mb for one in runs if one.result.peak_memory_mb is not None]
    told = []
    if seconds:
        told.append(
            f"{sum(seconds) / len(seconds):.2f} s a run in the mean, "
            f"{seconds[len(seconds) // 2]:.2f} in the median, {seconds[-1]:.2f} at most"
        )
    if memory:
        told.append(f"at most {max(memory):,.0f} MiB")
    return "; ".join(told)


def _failures(
    runs: Iterable[RawResult], names: Mapping[str, str]
) -> tuple[list[dict[str, Any]], int]:
    """Return the first runs without an answer, and how many more there are."""
    failed = [one.result for one in runs if one.result.status != "ok"]
    rows = [
        {
            "task": names[one.task],
            "page": page_name(one.task),
            "seed": one.seed,
            "status": one.status.replace("_", " "),
            "error": shown(one.error or "", _LONGEST_ERROR),
        }
        for one in failed[:MOST_FAILURES]
    ]
    return rows, len(failed) - len(rows)


def profile_path(profile: "pd.DataFrame") -> dict[str, Any]:
    """Return a performance profile as paths of SVG, and in a few numbers.

    Args:
        profile: the rows of one method from `performance_profiles`.
    """
    at = profile["threshold"].to_numpy()
    x = _LEFT + (_RIGHT - _LEFT) * at

    def points(name: str) -> list[str]:
        y = _BOTTOM - (_BOTTOM - _TOP) * profile[name].to_numpy().clip(0.0, 1.0)
        return [f"{a:.1f} {b:.1f}" for a, b in zip(x, y, strict=True)]

    known = profile["low"].notna().all()
    band = f"M{'L'.join([*points('high'), *reversed(points('low'))])}Z" if known else ""
    shares = dict(zip(at.round(2), profile["share"], strict=True))
    return {
        "curve": f"M{'L'.join(points('share'))}",
        "band": band,
        "told": [(f"{one:g}", f"{shares[one]:.0%}") for one in _TOLD],
    }
