"""Appended rows: a CSV of programs that are measured side by side, each once."""

import csv
from pathlib import Path
from typing import NamedTuple


def programs_in(file: Path) -> set[str]:
    """Return of which programs a file holds rows; none where it is not there."""
    if not file.exists():
        return set()
    with file.open(encoding="utf-8") as rows:
        return {row["program"] for row in csv.DictReader(rows)}


def append_row(file: Path, row: NamedTuple) -> None:
    """Append a row, after the names of its fields where it is the first."""
    first = not file.exists()
    with file.open("a", encoding="utf-8", newline="") as rows:
        writer = csv.writer(rows, lineterminator="\n")
        if first:
            writer.writerow(row._fields)
        writer.writerow([f"{x:.6g}" if isinstance(x, float) else x for x in row])
