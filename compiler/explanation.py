"""Explanation: what was compiled, stage by stage, as titled tables of plain text."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from .text_table import text_table

_WIDTH = 100


@dataclass(frozen=True)
class Table:
    """Rows of plain text under a title.

    Attributes:
        title: what it shows.
        heading: the titles of its columns.
        rows: as many cells each as the heading has.
        note: a sentence below the rows, or nothing.
    """

    title: str
    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str = ""

    def __str__(self) -> str:
        """Return the table as text of at most 100 columns."""
        parts = [self.title, "-" * len(self.title)]
        if self.rows:
            parts.append(text_table(self.heading, self.rows, width=_WIDTH))
        if self.note:
            parts.append(textwrap.fill(self.note, _WIDTH, break_on_hyphens=False))
        return "\n".join(parts)


@dataclass(frozen=True)
class Explanation:
    """What each stage of the compiler made of a program.

    Attributes:
        tables: in the order of the stages.
    """

    tables: tuple[Table, ...]

    def __str__(self) -> str:
        """Return all tables as text of at most 100 columns."""
        return "\n\n".join(map(str, self.tables))

    def __iter__(self) -> Iterator[Table]:
        """Iterate over the tables."""
        return iter(self.tables)

    def __contains__(self, title: object) -> bool:
        """Whether there is a table of that title."""
        return any(table.title == title for table in self.tables)

    def __getitem__(self, title: str) -> Table:
        """Return the table of that title.

        Raises:
            KeyError: there is none.
        """
        tables = {table.title: table for table in self.tables}
        if title not in tables:
            raise KeyError(f"no table {title!r}; there are: {', '.join(tables)}")
        return tables[title]


def table_of(
    title: str, heading: Sequence[str], rows: Sequence[Sequence[str]], note: str = ""
) -> Table:
    """Return a table, its rows as tuples."""
    return Table(title, tuple(heading), tuple(map(tuple, rows)), note)
