"""The page on trained models says what its measurements say."""

import json
from pathlib import Path

import pandas as pd

from glassbench.benchmark_programs import get_suite
from glassbench.ground_truth import load
from glassbench.ground_truth.task_building import original_of
from glassbench.ground_truth.trained import held_out

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = " ".join((DOCS / "trained.md").read_text(encoding="utf-8").split())


def rows_of(page):
    """Return the tables of a page: rows of cells."""
    lines = (DOCS / page).read_text(encoding="utf-8").splitlines()
    return [line.strip("| ").split(" | ") for line in lines if line.startswith("| ")]


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
    assert f"what the mean keeps in the place of {as_mean[0]} heads and {as_mean[1]} MLPs" in PAGE


def test_where_splicing_fails():
    frame = pd.read_csv(DOCS / "splicing.csv").set_index("component")
    least = frame[frame.kept < 0.95]
    assert set(least.task.str.partition("-v1")[0]) == {"occurs_once"}
    head, mlp = least.loc["a0.h2"], least.loc["m0"]
    assert f"{head.kept:.0%} of the inputs keep their answers, with its MLP {mlp.kept:.0%}" in PAGE
    assert f"linear classifiers decode {mlp.decoded:.0%}" in PAGE


def test_the_table_of_models_is_that_of_the_script(performance_script):
    """Of two tasks all that need not be trained is measured again."""
    script = performance_script("trained_suite")
    heading, _, *rows = rows_of("trained_suite.md")
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
    assert "of the 374 held-out inputs of `length` two draws are the same as often as of 18" in PAGE
    assert "of those of `swap_neighbours` as of 374" in PAGE


def test_what_methods_find(docs_script):
    pictures = docs_script("make_trained_pictures")
    found = pictures.means(pd.read_csv(pictures.MEASURED))
    assert list(found.columns) == list(pictures.REGIMES)
    for method, row in found.iterrows():
        name = "the prior, which sees no model" if method == pictures.PRIOR else f"`{method}`"
        assert f"| {name} | {' | '.join(f'{one:.2f}' for one in row)} |" in PAGE


def test_how_models_came_about():
    rows = rows_of("trained_suite.md")[2:]
    asked = sorted(int(row[5]) for row in rows)
    assert asked == [1] * 16 + [2, 2, 3, 7]
    for row in rows:
        history = load(row[0].strip("`")).training.history
        assert row[4:6] == [f"{history.steps:,}", str(history.measured)]
        assert history.steps < history.recipe["steps"] == 40_000
    assert "16 passed the first time, two the second, `histogram` the third" in PAGE


def test_what_the_suite_took():
    """The page, the table of the run and the table of all figures say the same."""
    kept = json.loads((DOCS / "performance.json").read_text(encoding="utf-8"))
    figures = kept["trained-suite"]["figures"]
    rows = rows_of("trained_suite.md")[2:]
    steps = [int(row[4].replace(",", "")) for row in rows]
    minutes = sorted(int(row[6]) / 60 for row in rows)
    assert f"of the suite in {figures['minutes']:.1f} minutes" in PAGE
    assert f"Each took {min(steps):,} to {max(steps):,} steps" in PAGE
    assert f"one to {minutes[-1]:.0f} minutes of processor, most of them below four" in PAGE
    assert round(minutes[0]) == 1 and minutes[len(minutes) // 2] < 4
    text = (DOCS / "trained_suite.md").read_text(encoding="utf-8")
    told = f"{figures['pass']:.0f} of {len(rows)} pass, in {figures['minutes']:.1f} minutes"
    assert told in text


def test_what_a_loop_in_torch_comes_to(performance_script):
    """The table of the page is of what the script wrote."""
    script = performance_script("trained_vs_torch")
    rows = rows_of("trained_vs_torch.md")
    seconds = {row[0]: row[1:3] for row in rows if len(row) == len(script.SECONDS)}
    sides = {(row[0], row[1]): row for row in rows if len(row) == len(script.MEASURES)}
    for task in ("`shift`", "`count`", "`occurs_once`"):
        ours, loop = sides[task, "ours"], sides[task, "PyTorch"]
        cells = [f"{float(one.strip('%')):.0f}%" for one in (*loop[3:5], *loop[7:10])]
        assert f"| {' | '.join([task, *seconds[task], *cells, loop[10]])} |" in PAGE
        assert min(float(one.strip("%")) for one in (*ours[3:6], *ours[7:10])) >= 99.5
        assert ours[10].startswith("0 of ")


def test_how_regimes_agree_on_methods(docs_script):
    pictures = docs_script("make_trained_pictures")
    found = pictures.agreements(pd.read_csv(pictures.MEASURED)).round(2)
    spearman = found["Spearman"].map("{:.2f}".format)
    assert f"is {spearman['crowded']} on crowded ones, {spearman['exact']} on exact and" in PAGE
    assert f"{spearman['scrambled']} on scrambled ones, and {spearman['superposed']}" in PAGE
    for regime in ("crowded", "exact"):
        low, high = (f"{found.loc[regime, end]:.2f}" for end in ("low", "high"))
        assert f"{regime} {low} to {high}" in PAGE
