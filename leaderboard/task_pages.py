"""Task pages: what a task is, its circuit, what methods earned on it and where they go wrong."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..plurals import counted
from .board import Board
from .circuit_view import CircuitView
from .difficulty import COVARIATES
from .earned_cells import Cell
from .page_names import page_name, shown
from .site_data import SiteData
from .tables import TITLES

MOST_EDGES = 300
_CAUSAL = "causal"
_SIZE = re.compile(rb'<svg[^>]* viewBox="0 0 ([0-9.]+) ([0-9.]+)"')


def task_pages(data: SiteData) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a page for each task: (file, template, content)."""
    parts: dict[str, list[dict[str, Any]]] = {}
    digests: dict[str, set[str]] = {}
    names, facts = data.names, data.facts
    for (_, _, task), own in data.runs.cells.items():
        digests.setdefault(task, set()).update(one.result.task_digest for one in own)
    for board in data.boards:
        for task, part in _parts(board, data):
            parts.setdefault(task, []).append(part)
    for task in sorted(parts):
        told = {
            "name": names[task],
            "full": shown(task, 2_000) if names[task] != task else "",
            "page": page_name(task),
            "facts": facts[task],
            "numbers": [(COVARIATES[n], f"{v:.6g}") for n, v in facts[task].numbers.items()],
            "digests": sorted(digests[task]),
            "parts": parts[task],
        }
        content = {"task": told | _picture(task, data.views.get(task))}
        yield f"tasks/{page_name(task)}.html", "task.html", content


def picture_files(views: Mapping[str, CircuitView]) -> Iterator[tuple[str, bytes]]:
    """Yield the pictures of circuits: (file, SVG)."""
    for task, view in sorted(views.items()):
        if view.picture is not None:
            yield f"tasks/{page_name(task)}.svg", view.picture


def _picture(task: str, view: CircuitView | None) -> dict[str, Any]:
    """Return where the picture of a circuit is, and its size in pixels."""
    if view is None or view.picture is None:
        return {"picture": ""}
    size = _SIZE.search(view.picture)
    width, height = (f"{float(one) * 4 / 3:.0f}" for one in size.groups()) if size else ("", "")
    return {"picture": f"{page_name(task)}.svg", "width": width, "height": height}


def task_rows(data: SiteData) -> list[dict[str, Any]]:
    """Return a row for each task of each board, for the list of all tasks."""
    rows = []
    for board in data.boards:
        for task, table in board.primary.groupby("task"):
            values = table["normalised"]
            best = values.max()
            leaders = table.loc[values.round(9) == round(best, 9), "method"]
            is_one = len(leaders) == 1
            rows.append(
                {
                    "name": data.names[str(task)],
                    "page": page_name(str(task)),
                    "track": board.question.title,
                    "facts": data.facts[str(task)],
                    "best": best,
                    "best_method": leaders.iloc[0] if is_one else f"{len(leaders)} methods",
                    "median": values.median(),
                    "lost": int((table["outcome"] != "ok").sum()),
                }
            )
    return rows


MethodRow = tuple[str, str, float, float, str, tuple[str, str, str], float]
"""What the page of a task says of a method: page, name, score, value, outcome, edges, seconds."""


def _parts(board: Board, data: SiteData) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield what the page of each task says of one board."""
    scores = board.statistics.scores
    primary_scores = scores[scores["primary"].astype(bool)]
    primary = str(primary_scores["metric"].iloc[0])
    metric = TITLES.get(primary, shown(primary))
    references: dict[str, list[dict[Any, Any]]] = {}
    for row in primary_scores[primary_scores["role"] != "method"].to_dict("records"):
        references.setdefault(str(row["task"]), []).append(row)
    cells: dict[str, list[Cell]] = {}
    for cell in sorted(data.cells[board.question], key=lambda one: (-one.score, one.method)):
        cells.setdefault(cell.task, []).append(cell)
    for task, own in sorted(cells.items()):
        view = data.views.get(task) if board.question.track == "circuit" else None
        yield (
            task,
            {
                "page": board.question.page,
                "title": board.question.title,
                "metric": metric,
                "scale": _scale(metric, references.get(task, ())),
                "has_circuits": view is not None and bool(view.outcomes),
                "methods": [_method_row(one) for one in own],
                **_edges(view),
            },
        )


def _method_row(cell: Cell) -> MethodRow:
    method, _, score, value, outcome, edges, seconds, _ = cell
    return page_name(method), method, score, value, outcome, edges, seconds


def _scale(metric: str, references: Sequence[Mapping[Any, Any]]) -> str:
    """Return what the references earn, the best first."""
    order = sorted(references, key=lambda row: (-row["normalised"], row["method"]))
    told = [f"{row['method']} {row['value']:.3f}" for row in order]
    return f"{metric} of the references: {', '.join(told)}." if told else "No floor is known."


def _edges(view: CircuitView | None) -> dict[str, Any]:
    """Return which edges answers found, missed and invented, the worst first."""
    if view is None or not view.outcomes:
        return {"edges": []}
    found = Counter(edge for one in view.outcomes.values() for edge in one.found)
    missed = Counter(edge for one in view.outcomes.values() for edge in one.missed)
    invented = Counter(edge for one in view.outcomes.values() for edge in one.invented)
    shown_edges = [
        edge
        for edge, state in view.states.items()
        if state == _CAUSAL or missed[edge] or invented[edge]
    ]
    order = sorted(shown_edges, key=lambda edge: (-missed[edge] - invented[edge], edge))
    rows = [
        {
            "edge": edge,
            "state": view.states[edge],
            "found": found[edge],
            "missed": missed[edge],
            "invented": invented[edge],
        }
        for edge in order[:MOST_EDGES]
    ]
    return {
        "edges": rows,
        "edges_left": len(order) - len(rows),
        "size": sum(state == _CAUSAL for state in view.states.values()),
        "answers": counted(len(view.outcomes), "answer"),
    }
