"""The page on the first leaderboard says what its tables say."""

import csv
import json
import re
from pathlib import Path

import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "first_leaderboard.md").read_text(encoding="utf-8")
COLUMNS = {
    "score": "normalised",
    "worst decile": "worst_decile",
    "AP": "edge_average_precision",
    "AUROC": "edge_auroc",
}


def rows_of(place):
    """The rows of a file of standings, by method."""
    with place.open(encoding="utf-8", newline="") as file:
        return {row["method"]: row for row in csv.DictReader(file)}


def tables(page):
    """The rows of each table of the page, by its columns; method by the name it begins with."""
    for lines in re.findall(r"(?:^\|.*\n)+", page, flags=re.MULTILINE):
        heading, _, *rows = (
            [cell.strip() for cell in line.split("|")[1:-1]] for line in lines.splitlines()
        )
        if "method" in heading:
            yield [dict(zip(heading, row, strict=True)) for row in rows]


@pytest.mark.parametrize(("place", "track"), [(0, "circuit"), (1, "variables")])
def test_its_tables_are_those_of_the_board(place, track):
    known, rows = rows_of(DOCS / f"leaderboard/tables/{track}.csv"), list(tables(PAGE))[place]
    methods = {name for name, row in known.items() if row["role"] == "method"}
    told = [re.match("`([^`]+)`", row["method"])[1] for row in rows]
    assert methods <= set(told)
    for name, row in zip(told, rows, strict=True):
        own = known[name]
        assert row["rank"] == own["rank"], name
        low, high = (f"{float(own[end]):.3f}" for end in ("low", "high"))
        assert row["95% interval"] == f"{low}, {high}", name
        for column in COLUMNS.keys() & row.keys():
            assert row[column] == f"{float(own[COLUMNS[column]]):.3f}", (name, column)


def test_the_methods_page_has_the_same_scores_on_core():
    known = rows_of(DOCS / "leaderboard/tables/circuit.csv")
    rows = next(
        rows
        for rows in tables((DOCS / "methods.md").read_text(encoding="utf-8"))
        if "`core`" in rows[0]
    )
    for row in rows:
        assert row["`core`"] == f"{float(known[row['method'].strip('`')]['normalised']):.3f}", row


def test_every_result_is_of_the_suite_it_names():
    from glassbench.benchmark_programs import get_suite

    core = set(map(str, get_suite("core")))
    files = list((DOCS / "leaderboard/raw").glob("*.json"))
    results = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    assert {result["task"] for result in results} == core
    assert not any(result["environment"]["git_dirty"] for result in results)
