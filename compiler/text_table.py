"""Text tables: rows of plain text in aligned columns, no wider than a page."""

import textwrap
from collections.abc import Sequence

_GAP = 2
_NARROWEST = 8


def text_table(heading: Sequence[str], rows: Sequence[Sequence[str]], *, width: int = 100) -> str:
    """Return a table as text; cells that are too wide are folded.

    Columns of numbers stand to the right. The widest columns give way first.

    Args:
        heading: the titles of the columns.
        rows: as many cells each.
        width: the greatest number of characters on a line.

    Example:
        >>> print(text_table(["Name", "Values"], [["tokens", "3"], ["place", "12"]]))
        Name    Values
        tokens       3
        place       12
    """
    columns = list(zip(heading, *rows, strict=True))
    widths = _fitted([max(map(len, column)) for column in columns], width)
    right = [all(map(_is_number, column[1:])) for column in columns]
    lines = []
    for row in (heading, *rows):
        cells = [_folded(cell, size) for cell, size in zip(row, widths, strict=True)]
        for number in range(max(map(len, cells))):
            parts = [cell[number] if number < len(cell) else "" for cell in cells]
            placed = [
                part.rjust(size) if at_right else part.ljust(size)
                for part, size, at_right in zip(parts, widths, right, strict=True)
            ]
            lines.append((" " * _GAP).join(placed).rstrip())
    return "\n".join(lines)


def _is_number(cell: str) -> bool:
    return cell.replace(",", "").replace(".", "").isdigit() or cell == ""


def _fitted(widths: Sequence[int], width: int) -> list[int]:
    """Return widths of columns that fit, the widest narrowed first."""
    fitted = list(widths)
    while sum(fitted) + _GAP * (len(fitted) - 1) > width and max(fitted) > _NARROWEST:
        fitted[fitted.index(max(fitted))] -= 1
    return fitted


def _folded(cell: str, width: int) -> list[str]:
    return textwrap.wrap(cell, width, break_on_hyphens=False) or [""]
