"""Writes the tables of the page on the first leaderboard, from those of the board.

glassbench leaderboard RESULTS -o docs/leaderboard
python docs/make_first_leaderboard.py

RESULTS is the folder of the sweep, with its answers: docs/leaderboard/raw has none, and a site that
is made of it shows no edges found or missed.
"""

import csv
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

PAGE = Path(__file__).parent / "first_leaderboard.md"
BOARD = Path(__file__).parent / "leaderboard" / "tables"
TRACKS = {
    "Circuits": "circuit",
    "Variables": "variables",
    "Programs": "program",
    "Features": "features",
    "Tokens": "attribution",
}
"""The track whose table stands first under each heading."""
_BESIDE = {"circuit": {"AP": "edge_average_precision", "AUROC": "edge_auroc"}}


def rows_of(track: str) -> list[dict[str, str]]:
    """Return the rows of a table of the board, as they stand there."""
    with (BOARD / f"{track}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def table_of(track: str) -> str:
    """Return the standings of a track as Markdown: methods, and the floors among them."""
    beside = _BESIDE.get(track, {})
    names = ["rank", "method", "score", "95% interval", "worst decile", *beside, "seconds a task"]
    lines = [names, [":--", ":--", *["--:"] * (len(names) - 2)]]
    lines += _cells(track, beside)
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cells(track: str, beside: Mapping[str, str]) -> Iterator[list[str]]:
    for row in rows_of(track):
        if row["role"] == "ceiling":
            continue
        numbers = [row[name] for name in ("normalised", "low", "high", "worst_decile")]
        score, low, high, worst = (f"{float(one):.3f}" for one in numbers)
        others = [f"{float(row[name]):.3f}" for name in beside.values()]
        seconds = f"{float(row['seconds']):.2f}" if row["seconds"] else ""
        yield [row["rank"], f"`{row['method']}`", score, f"{low}, {high}", worst, *others, seconds]


def with_tables(page: str) -> str:
    """Return the page with the tables of today."""
    for heading, track in TRACKS.items():
        place = re.compile(rf"(^## {heading}$.*?)(?:^\|[^\n]*\n)+", re.DOTALL | re.MULTILINE)
        page, n = place.subn(lambda found, own=track: found[1] + table_of(own), page, count=1)
        assert n == 1, heading
    return page


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
