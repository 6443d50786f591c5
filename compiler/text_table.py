"""Text tables: rows of plain text in aligned columns, no wider than a page."""

import textwrap
from collections.abc import Sequence

_GAP = 2
_NARROWEST = 8


def text_table(heading: Sequence[str], rows: Sequence[Sequence[str]], *, width: int = 100) -> str:
    """Return a table as text; cells that are too wide are folded.

    Columns of numbers stand to the right. The widest columns give way first, and as long as
    others can give way none becomes narrower than its longest word.

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
    widths = _fitted(columns, width)
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


def _fitted(columns: Sequence[Sequence[str]], width: int) -> list[int]:
    """Return widths of columns that fit: narrowed between words first, then inside of them."""
    fitted = [max(map(len, column)) for column in columns]
    words = [max(map(len, " ".join(column).split()), default=0) for column in columns]
    for least in ([max(word, _NARROWEST) for word in words], [_NARROWEST] * len(fitted)):
        while sum(fitted) + _GAP * (len(fitted) - 1) > width:
            wide = [place for place, size in enumerate(fitted) if size > least[place]]
            if not wide:
                break
            fitted[max(wide, key=fitted.__getitem__)] -= 1
    return fitted


def _folded(cell: str, width: int) -> list[str]:
    return textwrap.wrap(cell, width, break_on_hyphens=False) or [""]
