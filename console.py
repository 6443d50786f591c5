"""The console: tables on standard output, progress and errors on standard error."""

import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Column, Table

_TEXT_COLUMNS = {"Method", "Task", "Name", "Operation", "Encoding", "Held by", "Part", "Edge"}
_TEXT_COLUMNS |= {"State", "Carries", "Certificate", "Family", "Program", "What it computes"}
_TEXT_COLUMNS |= {"Rule", "What it says", "Track", "Again", "Measure", "Ablated by", "Component"}
_TEXT_COLUMNS |= {"Block", "Digest", "File", "Verdict"}
_WIDE, _PIPED_WIDTH = 100, 150
_WIDEST = 250
_BETWEEN_LINES, _SPEED_OVER = 60.0, 1800.0


def console(*, stderr: bool = False) -> Console:
    """Return a console on which text is text: task ids hold square brackets."""
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPED_WIDTH
    return Console(stderr=stderr, markup=False, highlight=False, emoji=False, width=width)


def print_table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; rows with an empty first cell, which are references, are dimmed."""
    screen = console()
    is_narrow = screen.width < _WIDE
    padding = (0, 1 if is_narrow else 2, 0, 0)
    table = Table(box=None, pad_edge=False, padding=padding, header_style="bold")
    for title in heading:
        is_text = title in _TEXT_COLUMNS
        shown = title.replace(" ", "\n") if is_narrow and not is_text else title
        justify: Any = "left" if is_text else "right"
        table.add_column(shown, justify=justify, overflow="fold", no_wrap=not is_text)
    for row in rows:
        table.add_row(*row, style=None if row[0] else "dim")
    if "Method" in heading and not screen.is_terminal and "COLUMNS" not in os.environ:
        # Numbers are never folded, so that names would be, to nothing in the end.
        whole = screen.measure(table, options=screen.options.update(max_width=_WIDEST)).maximum
        screen.width = max(screen.width, whole)
    screen.print(table)


@contextmanager
def byte_progress(title: str) -> Iterator[Callable[[int], None]]:
    """Show on standard error how many bytes came; yield a function that adds some."""
    columns = [TextColumn("{task.description}", markup=False), DownloadColumn()]
    columns += [TransferSpeedColumn(), TimeElapsedColumn()]
    screen = console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        handle = bar.add_task(title, total=None)
        yield lambda count: bar.advance(handle, count)


@contextmanager
def progress(title: str, total: int | None = None) -> Iterator[Callable[[], None]]:
    """Show a bar on standard error; yield a function that moves it by one."""
    columns = [TextColumn("{task.description}", markup=False), BarColumn()]
    columns += [MofNCompleteColumn()] if total else []
    columns += [TimeElapsedColumn()]
    screen = console(stderr=True)
    with Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        handle = bar.add_task(title, total=total)
        yield lambda: bar.advance(handle)


@contextmanager
def told_progress(total: int) -> Iterator[tuple[Callable[[], None], Callable[[str], None]]]:
    """Show a bar on standard error; yield a function that moves it by one, and one that says what.

    What is said stands behind the bar, cut off where the line ends.
    """
    said = Column(no_wrap=True, overflow="ellipsis", ratio=1)
    columns = [BarColumn(bar_width=20), MofNCompleteColumn(), TimeElapsedColumn()]
    columns += [TextColumn("{task.description}", markup=False, table_column=said)]
    screen = console(stderr=True)
    with Progress(
        *columns, console=screen, transient=True, disable=not screen.is_terminal, expand=True
    ) as bar:
        handle = bar.add_task("", total=total)
        yield lambda: bar.advance(handle), lambda text: bar.update(handle, description=text)


@contextmanager
def sweep_progress() -> Iterator[Callable[[str, int, int], None]]:
    """Show on standard error what a sweep does, how far it is, and how much time is left.

    Yields a function of what is going on, how much is done, and how much there is. Where there
    is no screen, such as in the log of a cluster, a line is printed now and then.
    """
    columns = [TextColumn("{task.description}", markup=False), BarColumn()]
    columns += [
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(),
    ]
    screen = console(stderr=True)
    with Progress(
        *columns,
        console=screen,
        transient=True,
        disable=not screen.is_terminal,
        speed_estimate_period=_SPEED_OVER,
    ) as bar:
        stages: dict[str, _Stage] = {}

        def watch(doing: str, done: int, total: int) -> None:
            now = time.monotonic()
            if doing not in stages:
                handle = bar.add_task(doing, total=total, completed=done)
                stages[doing] = _Stage(handle, done, now, now)
            stage = stages[doing]
            bar.update(stage.handle, completed=done, total=total)
            if not screen.is_terminal and now - stage.said >= _BETWEEN_LINES:
                screen.print(f"{doing}: {progress_line(done, total, stage.speed(done, now))}")
                stages[doing] = replace(stage, said=now)

        yield watch


@dataclass(frozen=True)
class _Stage:
    """What is shown of a part of long work: its bar, where and when it began, the last line."""

    handle: Any
    before: int
    began: float
    said: float

    def speed(self, done: int, now: float) -> float:
        """Return how much is done in a second."""
        return (done - self.before) / (now - self.began) if now > self.began else 0.0


def progress_line(done: int, total: int, speed: float) -> str:
    """Return in a line how far work is, and how long the rest takes at a speed in units a second.

    Example:
        >>> progress_line(1500, 12_000, 2.0)
        '1,500 of 12,000, about 1:27:30 left'
        >>> progress_line(0, 12_000, 0.0)
        '0 of 12,000'
    """
    text = f"{done:,} of {total:,}"
    if speed <= 0:
        return text
    return f"{text}, about {timedelta(seconds=round((total - done) / speed))} left"
