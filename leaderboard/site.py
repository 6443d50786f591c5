"""The site: a folder of results as static pages that need nothing but themselves.

Pages are one for each board and its parts, each method and each task, so that their number and
size grow with methods and tasks and not with runs; runs are links to their results. What
pages show depends on the results and on how their answers were checked, and on nothing else: the
same results, checked the same way, give the same bytes.
"""

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from ..evaluators.answers_check import AnswerState, check_answers
from ..evaluators.track import AnyTask
from ..plurals import counted
from .alongside import alongside, processes_for
from .board import Board
from .board_pages import StandingRow, board_pages, first_page, standing_rows
from .circuit_view import CircuitView
from .entries import Entries
from .method_pages import method_pages
from .page_rendering import ASSETS, asset, rendered
from .paused_collection import paused_collection
from .publish import statistics_files
from .results_folder import RawResult, read_raw_results
from .site_data import SiteData
from .site_files import LEFT_DIGESTS, SiteFiles
from .statistics import Statistics
from .submitters import Submitter, read_submitters
from .suite_choice import on_suite
from .task_pages import picture_files, task_pages, task_rows

RAW = "raw"
"""The folder of a site that holds the results."""
TABLES = "tables"
"""The folder of a site that holds tables and figures as files."""
Page = tuple[str, str, dict[str, Any]]
"""A page that is not rendered: its file, the template and what it shows."""
_PAGES_AT_ONCE = 8


@dataclass(frozen=True)
class Site:
    """What was written.

    Attributes:
        index: the first page.
        pages: how many there are.
        page_bytes: the size of all files but the results.
        raw_bytes: the size of the results.
    """

    index: Path
    pages: int
    page_bytes: int
    raw_bytes: int


@paused_collection()
def write_site(
    results: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    views: Mapping[str, CircuitView] | None = None,
    raw: str | None = None,
    tables: bool = True,
    suite: str | None = None,
    verify: bool | None = None,
    tasks: Iterable[AnyTask] = (),
    jobs: int | None = None,
) -> Site:
    """Write the site of a folder of results into another.

    Results are copied into `raw/` of the site, each as the bytes that it is; those in a folder
    inside the site stay where they are and are linked there.

    Args:
        results: a folder of results.
        folder: where the site goes. Files of an earlier site that are no longer part of it
            are removed, and nothing else is.
        views: what is shown of circuits, by task.
        raw: an address at which the results are published, relative to the first page or whole;
            they are not copied then, and `SHA256SUMS-results` holds the digest of each.
        tables: whether the tables and figures of each board are written as files and linked.
        suite: the site is of the results on its tasks alone.
        verify: which answers are measured again first: see `check_answers`.
        tasks: those that cannot be made from their ids, for that.
        jobs: how many processes do so; one, and more where results are many, if nothing is said.

    Raises:
        TaskError: there is no such suite.
        BundleError: there are no results, they cannot be ranked together or are not those of
            their answers, or something cannot be written.
    """
    found = read_raw_results(results)
    entries = Entries.of(on_suite(found, suite))
    jobs = processes_for(len(entries.found)) if jobs is None else jobs
    check = check_answers(results, entries.results, verify=verify, tasks=tasks, jobs=jobs)
    return write_site_of(
        entries, results, folder, states=check.states, views=views, raw=raw, tables=tables
    )


@paused_collection()
def write_site_of(
    entries: Entries,
    results: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    made: Iterable[Board] = (),
    states: Mapping[str, AnswerState],
    views: Mapping[str, CircuitView] | None = None,
    raw: str | None = None,
    tables: bool = True,
) -> Site:
    """Write the site of entries that were read from a folder; as `write_site` otherwise.

    Args:
        entries: of the results.
        results: their folder.
        folder: where the site goes.
        made: boards of the entries that are there already.
        states: what was checked of the answer of each result that has one, from `check_answers`.
        views: as `write_site`.
        raw: as `write_site`.
        tables: as `write_site`.

    Raises:
        BundleError: results of one question cannot be ranked together, or something cannot be
            written.
    """
    from .. import __version__

    files = SiteFiles(folder)
    source = Path(results)
    inside = _inside(source, files.folder)
    submitters = read_submitters(source, entries.found)
    originals: list[RawResult | Submitter] = [*entries.found]
    originals += [one for those in submitters.values() for one in those]
    data = SiteData.of(entries, entries.boards(made), views or {}, submitters, states)
    meanwhile = partial(alongside, processes=processes_for(len(entries.found)))
    drawings = [
        partial(_drawn, board.statistics, f"Leaderboard {board.question.title}")
        for board in data.boards
    ]
    drawn = meanwhile(drawings) if tables else [()] * len(drawings)
    copied = originals if raw is None and not inside else []
    copies = meanwhile(
        files.copies(source, ((one.name, f"{RAW}/{one.name}", one.sha256) for one in copied))
    )
    given = {
        "version": __version__,
        "results": counted(len(entries.found), "result"),
        "left": "" if copied else LEFT_DIGESTS,
        "apart": raw is not None,
    }
    render = partial(_renderings, given=given, raw=f"{inside or RAW}/" if raw is None else raw)
    first = meanwhile(render(_pages(data)))
    last = meanwhile(render(_board_pages(data, _write_tables(data.boards, drawn, files))))
    n_pages = files.write_all(chain.from_iterable(chain(first, last)))
    files.write_all(picture_files(data.views))
    files.write_all((name, asset(name)) for name in ASSETS)
    page_bytes = files.size
    if not copied:
        here = [f"{inside}/{one.name}" for one in originals] if inside else []
        names = here if raw is None else [one.name for one in originals]
        digests = [one.sha256 for one in originals]
        files.leave(dict(zip(names, digests, strict=True)), here)
    deque(copies, maxlen=0)  # until all are made
    files.finish()
    raw_bytes = sum(one.size for one in originals)
    return Site(files.folder / "index.html", n_pages, page_bytes, raw_bytes)


def _drawn(statistics: Statistics, title: str) -> list[tuple[str, bytes]]:
    """Return the tables and figures of a board: how the file's name ends, and its content."""
    # The page of the board is the table that is written as HTML, and more.
    files = statistics_files(statistics, title)
    return [(ending, content) for ending, content in files if not ending.endswith(".html")]


def _write_tables(
    boards: Sequence[Board], drawn: Iterable[Sequence[tuple[str, bytes]]], files: SiteFiles
) -> Iterator[list[str]]:
    """Write the tables and figures of each board, and yield how their names end."""
    for board, contents in zip(boards, drawn, strict=True):
        for ending, content in contents:
            files.write(f"{TABLES}/{board.question.page}{ending}", content)
        yield [ending for ending, _ in contents]


def _rendered(pages: Sequence[Page]) -> list[tuple[str, bytes]]:
    return [(file, rendered(template, content)) for file, template, content in pages]


def _renderings(
    pages: Iterator[Page], given: Mapping[str, Any], raw: str
) -> Iterator[Callable[[], list[tuple[str, bytes]]]]:
    """Yield calls that render some pages each, which know where they and the results are."""
    while some := list(islice(pages, _PAGES_AT_ONCE)):
        placed = []
        for file, template, content in some:
            root = "../" if "/" in file else ""
            own = {"root": root, "here": file, "raw": _linked(root, raw)}
            placed.append((file, template, {**given, **own, **content}))
        yield partial(_rendered, placed)


def _inside(results: Path, folder: Path) -> str:
    """Return where results are inside a folder; empty where they are not."""
    results, folder = results.resolve(), folder.resolve()
    is_inside = results.is_relative_to(folder) and results != folder
    return results.relative_to(folder).as_posix() if is_inside else ""


def _linked(root: str, link: str) -> str:
    """Return an address as it is written on a page in a folder below the first."""
    link = link if link.endswith("/") else f"{link}/"
    return link if ":" in link or link.startswith("/") else root + link


def _pages(data: SiteData) -> Iterator[Page]:
    """Yield every page but those of boards."""
    every = data.boards
    yield "index.html", "index.html", {"boards": [first_page(board) for board in every]}
    yield "reading.html", "reading.html", {}
    yield "methods.html", "methods.html", {"rows": _method_rows(every)}
    yield "tasks.html", "tasks.html", {"rows": task_rows(data)}
    yield from method_pages(data)
    yield from task_pages(data)


def _board_pages(data: SiteData, tables: Iterable[Sequence[str]]) -> Iterator[Page]:
    """Yield the pages of boards, which link tables and figures whose names end like this."""
    for board, endings in zip(data.boards, tables, strict=True):
        yield from board_pages(board, endings, data.answers(board.question).note)


def _method_rows(every: Sequence[Board]) -> list[StandingRow]:
    return [row for board in every for row in standing_rows(board) if row.page]
