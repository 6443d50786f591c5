"""Board pages: standings of a question on all tasks, and on those of a suite, regime or tag."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ..plurals import counted
from .board import Board, Slice
from .difficulty import COVARIATES
from .page_names import page_name, shown
from .pairwise import ALPHA
from .tables import NOTE, TITLES, ties_note, too_few_tasks

if TYPE_CHECKING:
    import pandas as pd

MOST_TRENDS = 200
ON_FIRST_PAGE = 10
ASKS: Mapping[str, str] = {
    "circuit": "Which edges of the model compute its output?",
    "attribution": "Which input tokens does each output depend on?",
    "features": "Which directions does the residual stream use?",
    "variables": "Where is each variable of the program, so that swapping it swaps the meaning?",
    "program": "What program is this model?",
}
"""What each track asks."""


FILE_TITLES: Mapping[str, str] = {
    "": "Standings",
    "-tasks": "Scores, task by task",
    "-pairwise": "Differences between methods",
    "-ranks": "Mean ranks and critical differences",
    "-profiles": "Performance profiles",
    "-difficulty": "Scores by difficulty",
    "-trends": "What goes with the score",
    "-covariates": "What is known of the tasks",
}
"""What the files of a board hold, by what their names have after that of the board."""

FORMATS: Mapping[str, str] = {
    "csv": "CSV",
    "parquet": "Parquet",
    "md": "Markdown",
    "tex": "LaTeX",
    "svg": "SVG",
    "pdf": "PDF",
}
"""The formats of files that are linked, by suffix."""


@dataclass(frozen=True, slots=True)
class StandingRow:
    """A method or a reference in standings; a reference has no page."""

    name: str
    page: str
    track: str
    rank: str
    score: float
    low: float
    high: float
    iqm: float
    worst: float
    metrics: tuple[float, ...]
    seconds: float
    answered: str
    failed: int
    missing: int


def standing_rows(board: Board, metrics: Sequence[str] = ()) -> list[StandingRow]:
    """Return the standings of a board, best first.

    Args:
        board: the board.
        metrics: columns of standings that are shown.
    """
    return [
        StandingRow(
            name=str(row["method"]),
            page=_page(row),
            track=board.question.title,
            rank=str(row["rank"]),
            score=row["normalised"],
            low=row["low"],
            high=row["high"],
            iqm=row["interquartile_mean"],
            worst=row["worst_decile"],
            metrics=tuple(row[name] for name in metrics),
            seconds=row["seconds"],
            answered=f"{row['answered']} of {row['tasks']}" if _page(row) else "",
            failed=row["failed"],
            missing=row["missing"],
        )
        for row in board.statistics.standings.to_dict("records")
    ]


def _page(row: Mapping[Any, Any]) -> str:
    return page_name(str(row["method"])) if row["role"] == "method" else ""


def shown_metrics(board: Board) -> list[str]:
    """Return the columns of metrics that tables show."""
    return [name for name in TITLES if name in board.statistics.standings.columns]


def board_summary(board: Board) -> dict[str, Any]:
    """Return what every page that names a board says of it."""
    frame = board.statistics.standings
    methods = int((frame["role"] == "method").sum())
    tasks, runs = _tasks(board), board.statistics.results["file"].nunique()
    return {
        "page": board.question.page,
        "title": board.question.title,
        "asks": ASKS[board.question.track],
        "tasks": tasks,
        "counts": ", ".join(
            (counted(methods, "method"), counted(tasks, "task"), f"{counted(runs, 'run')}.")
        ),
        "ties": ties_note(frame),
    }


def _tasks(board: Board) -> int:
    return int(board.statistics.scores["task"].nunique())


def first_page(board: Board) -> dict[str, Any]:
    """Return what the first page shows of a board: its best methods and the references."""
    rows = standing_rows(board)
    best = [row for row in rows if row.page][:ON_FIRST_PAGE]
    chosen = [row for row in rows if not row.page or row in best]
    left = len(rows) - len(chosen)
    return board_summary(board) | {"rows": chosen, "left": counted(left, "row") if left else ""}


def board_pages(
    board: Board, files: Sequence[str] = (), answers: str = ""
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield the page of a board and those of its parts: (file, template, content).

    Args:
        board: the board.
        files: how the names of its tables and figures end, as in `statistics_files`.
        answers: what must be known of them where not all were measured again.
    """
    summary = board_summary(board)
    metrics = shown_metrics(board)
    kinds: dict[str, list[dict[str, Any]]] = {"suite": [], "regime": [], "tag": []}
    for part in board.slices:
        for kind, name in part.names:
            own = {"page": _part_page(board, part), "name": name, "size": len(part.tasks)}
            kinds[kind].append(own)
    trends, left = _trends(board.statistics.trends)
    yield (
        f"boards/{board.question.page}.html",
        "board.html",
        {
            "board": summary
            | {
                "rows": standing_rows(board, metrics),
                "metrics": [TITLES[name] for name in metrics],
                "slices": [
                    (kind, sorted(parts, key=lambda part: part["name"]))
                    for kind, parts in kinds.items()
                    if parts
                ],
                "trends": trends,
                "trends_left": left,
                "files": list(_file_links(board, files)),
            },
            "note": NOTE,
            "answers": answers,
        },
    )
    for part in board.slices:
        kind, name = part.names[0]
        methods = int((part.standings["role"] == "method").sum())
        told = {
            "title": part.title,
            "kind": kind,
            "name": name,
            "size": len(part.tasks),
            "rows": _part_rows(part),
            "ties": too_few_tasks(methods, len(part.tasks)),
        }
        content = {"board": summary, "part": told}
        yield f"boards/{_part_page(board, part)}.html", "slice.html", content


def _file_links(board: Board, files: Sequence[str]) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield what files hold, and each of them: its format and its name."""
    of_part: dict[str, list[tuple[str, str]]] = {}
    for ending in files:
        part, _, suffix = ending.partition(".")
        link = FORMATS[suffix], f"{board.question.page}{ending}"
        of_part.setdefault(part, []).append(link)
    order = list(FORMATS.values())
    for part, title in FILE_TITLES.items():
        if part in of_part:
            yield title, sorted(of_part[part], key=lambda link: order.index(link[0]))


def _part_page(board: Board, part: Slice) -> str:
    return f"{board.question.page}-{part.page}"


def _part_rows(part: Slice) -> list[dict[str, Any]]:
    return [
        {
            "name": row["method"],
            "page": _page(row),
            "rank": row["rank"],
            "score": row["normalised"],
            "low": row["low"],
            "high": row["high"],
            "answered": f"{row['answered']} of {len(part.tasks)}" if _page(row) else "",
        }
        for row in part.standings.to_dict("records")
    ]


def _trends(trends: "pd.DataFrame") -> tuple[list[dict[str, Any]], int]:
    """Return the trends that are told, the strongest first, and how many are left out."""
    told = trends[trends["p_holm"] <= ALPHA]
    told = told.iloc[(-told["spearman"].abs()).argsort(kind="stable")]
    rows = [
        {
            "name": shown(str(row["method"])),
            "page": page_name(str(row["method"])),
            "measure": COVARIATES[row["covariate"]],
            "correlation": row["spearman"],
            "p": f"{row['p_holm']:.2g}",
            "tasks": row["tasks"],
        }
        for row in told.head(MOST_TRENDS).to_dict("records")
    ]
    return rows, max(0, len(told) - MOST_TRENDS)
