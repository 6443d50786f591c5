"""The page on trained models says what its measurements say."""

from pathlib import Path

import pandas as pd

from glassbench.benchmark_programs import get_suite
from glassbench.ground_truth import load
from glassbench.ground_truth.task_building import original_of
from glassbench.ground_truth.trained import held_out

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = " ".join((DOCS / "trained.md").read_text(encoding="utf-8").split())


def test_what_splicing_keeps(performance_script):
    splicing = performance_script("splicing")
    mlps, heads = splicing.summary(pd.read_csv(DOCS / "splicing.csv"))
    for kind, n, *means in (heads[:9], mlps[:9]):
        assert f"| {kind} | {n} | {' | '.join(means)} |" in PAGE
    (n_heads, n_mlps), found = (heads[1], mlps[1]), list(zip(heads[9:], mlps[9:], strict=True))
    kept, told, other, as_mean = found
    assert f"With {kept[0]} of {n_heads} heads and {kept[1]} of {n_mlps} MLPs replaced" in PAGE
    assert f"of {told[0]} of the {n_heads} heads and {told[1]} of the {n_mlps} MLPs" in PAGE
    assert other == ("2", "18")
    assert "two heads and 18 MLPs some other block keeps every answer" in PAGE
    assert f"keep what the mean keeps ({as_mean[0]} heads)" in PAGE


def test_the_table_of_models_is_that_of_the_script(performance_script):
    """Of two tasks all that need not be trained is measured again."""
    script = performance_script("trained_suite")
    text = (DOCS / "trained_suite.md").read_text(encoding="utf-8")
    rows = [line.strip("| ").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    heading, _, *rows = rows
    assert heading == script.HEADING
    cells = {row[0].strip("`"): dict(zip(heading, row, strict=True)) for row in rows}
    suite = {task.name: task for task in get_suite("trained")}
    assert set(cells) == set(map(str, suite.values()))
    for name, worth in (("length", 18), ("swap_neighbours", 374)):
        own, gate = cells[str(suite[name])], load(suite[name]).training
        domain = held_out(suite[name], original_of(suite[name])).domain
        assert own["held-out inputs"] == f"{gate.answers.tried} ({domain.effective_size:.0f})"
        assert own["held-out inputs"] == f"374 ({worth})"
        assert own["sufficiency"] == f"{1 - gate.sufficiency.share:.2%}"
        assert own["strict"] == f"{1 - gate.strict.share:.2%}"
    assert "`length` are drawn as often twice as 18 equally likely ones" in PAGE
    assert "those of `swap_neighbours` as 374" in PAGE


def test_how_regimes_agree_on_methods(docs_script):
    pictures = docs_script("make_trained_pictures")
    found = pictures.agreements(pd.read_csv(pictures.MEASURED)).round(2)
    spearman = found["Spearman"].map("{:.2f}".format)
    assert f"is {spearman['crowded']} on crowded ones, {spearman['exact']} on exact and" in PAGE
    assert f"{spearman['scrambled']} on scrambled ones, and {spearman['superposed']}" in PAGE
    for regime in ("crowded", "exact"):
        low, high = (f"{found.loc[regime, end]:.2f}" for end in ("low", "high"))
        assert f"{regime} {low} to {high}" in PAGE
