"""The site: a folder of results as static pages that need nothing but themselves.

Pages are one for each board and its parts, each method and each task, so that their number and
size grow with methods and tasks and not with runs; runs are links to their results. What
pages show depends on the results alone: the same results give the same bytes.
"""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .board import Board, boards
from .board_pages import board_pages, first_page, standing_rows
from .circuit_view import CircuitView
from .method_pages import method_pages
from .page_names import counted, distinct_names
from .page_rendering import ASSETS, asset, page_templates, rendered
from .paused_collection import paused_collection
from .results_folder import RawResult, read_raw_results
from .results_frame import method_names
from .run_index import RunIndex
from .site_files import SiteFiles
from .task_facts import task_facts
from .task_pages import picture_files, task_pages, task_rows

RAW = "raw"
"""The folder of a site that holds the results."""


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


def write_site(
    results: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    views: Mapping[str, CircuitView] | None = None,
    raw: str | None = None,
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
            they are not copied then.

    Raises:
        BundleError: there are no results, they cannot be ranked together, or something cannot be
            written.
    """
    return write_site_of(read_raw_results(results), results, folder, views=views, raw=raw)


@paused_collection()
def write_site_of(
    found: Sequence[RawResult],
    results: str | os.PathLike[str],
    folder: str | os.PathLike[str],
    *,
    views: Mapping[str, CircuitView] | None = None,
    raw: str | None = None,
) -> Site:
    """Write the site of results that were read from a folder; as `write_site` otherwise."""
    from .. import __version__

    files = SiteFiles(folder)
    source, link = Path(results), raw
    inside = _inside(source, files.folder)
    if raw is None:
        link = f"{inside or RAW}/"
    templates = page_templates()
    given = {"version": __version__, "results": counted(len(found), "result")}
    n_pages = 0
    for file, template, content in _pages(found, views or {}):
        root = "../" if "/" in file else ""
        own = {"root": root, "here": file, "raw": _linked(root, str(link))}
        files.write(file, rendered(templates, template, given | own | content))
        n_pages += 1
    for file, picture in picture_files(views or {}):
        files.write(file, picture)
    for name in ASSETS:
        files.write(name, asset(name))
    page_bytes = files.size
    if raw is None and inside:
        files.leave({f"{inside}/{one.name}": one.sha256 for one in found})
    elif raw is None:
        for one in found:
            files.copy(source / one.name, f"{RAW}/{one.name}", one.sha256, one.size)
    files.finish()
    raw_bytes = sum(one.size for one in found)
    return Site(files.folder / "index.html", n_pages, page_bytes, raw_bytes)


def _inside(results: Path, folder: Path) -> str:
    """Return where results are inside a folder; empty where they are not."""
    results, folder = results.resolve(), folder.resolve()
    is_inside = results.is_relative_to(folder) and results != folder
    return results.relative_to(folder).as_posix() if is_inside else ""


def _linked(root: str, link: str) -> str:
    """Return an address as it is written on a page in a folder below the first."""
    link = link if link.endswith("/") else f"{link}/"
    return link if ":" in link or link.startswith("/") else root + link


def _pages(
    found: Sequence[RawResult], views: Mapping[str, CircuitView]
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield every page: (file, template, content)."""
    results = [one.result for one in found]
    methods = _method_names(found)
    runs = RunIndex.of(found, methods)
    tasks = sorted({one.task for one in results})
    names, facts = distinct_names(tasks), task_facts(tasks)
    every = boards(results, methods, facts)
    yield "index.html", "index.html", {"boards": [first_page(board) for board in every]}
    yield "reading.html", "reading.html", {}
    yield "methods.html", "methods.html", {"rows": _method_rows(every)}
    yield "tasks.html", "tasks.html", {"rows": task_rows(every, facts, names)}
    for board in every:
        yield from board_pages(board)
    yield from method_pages(every, runs, facts, names, views)
    yield from task_pages(every, runs, facts, names, views)


def _method_rows(every: Sequence[Board]) -> list[Any]:
    return [row for board in every for row in standing_rows(board) if row.page]


def _method_names(found: Sequence[RawResult]) -> Mapping[str, str]:
    """Return what the method of each result is called, by file name: no two methods are alike."""
    told = method_names([one.result for one in found])
    identity = {
        one.name: json.dumps([told[one.name], one.result.tool, one.result.settings], sort_keys=True)
        for one in found
    }
    text = {own: told[name] for name, own in identity.items()}
    alike: dict[str, list[str]] = {}
    for own, name in text.items():
        alike.setdefault(name, []).append(own)
    # Two methods of one name differ in what their results say they are.
    whole = {own: name if len(alike[name]) == 1 else f"{name} {own}" for own, name in text.items()}
    names = distinct_names(whole.values())
    return {name: names[whole[own]] for name, own in identity.items()}
