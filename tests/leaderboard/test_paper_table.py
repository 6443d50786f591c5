"""The table for a paper: what it holds, that LaTeX can read it, and that a page has room for it."""

import re

import matplotlib
import pytest
from matplotlib.ft2font import FT2Font

from glassbench.leaderboard import (
    latex_table,
    pairwise_differences,
    pairwise_table,
    paper_table,
    results_frame,
    standings,
    standings_table,
    task_scores,
)
from glassbench.leaderboard.tables import Table

AP = "edge_average_precision"
TEXT_WIDTH = 397.5
"""Of NeurIPS, in points; that of other papers of one column is as great or greater."""
HOSTILE = '[2ex] 100% a_b & \\input{x} $y$ #1 ~^ {z} *|"`\n% \\end{tabular}'


@pytest.fixture
def ranked(make_result):
    """The standings of two methods that are tied and better than two others, on twelve tasks."""
    levels = {"best": 0.9, "good": 0.901, "fair": 0.6, "poor": 0.1}
    return standings(
        results_frame(
            [
                make_result(name, f"t{task}-v1", level + 0.01 * ((task * place) % 7 - 3))
                for place, (name, level) in enumerate(levels.items(), start=1)
                for task in range(12)
            ]
        )
    )


def column(table, title):
    return [row[table.heading.index(title)] for row in table.rows]


def tabular(text):
    """The columns and the cells of a table in LaTeX, which must be one that LaTeX can read."""
    lines = text.splitlines()
    body = [line for line in lines if not line.startswith("%")]
    assert lines[0] == r"% Needs \usepackage{booktabs}. For a caption:"
    assert lines[: len(lines) - len(body)] + body == lines  # comments stand above
    bare = re.sub(r"\\[\\&%$#_{}]", "", "\n".join(body).replace("%\n", "\n", 1))
    assert not re.search("[%#_~^]", bare)
    assert bare.count("$") % 2 == 0
    depth = 0
    for character in bare:
        depth += {"{": 1, "}": -1}.get(character, 0)
        assert depth >= 0
    assert depth == 0
    environments = re.findall(r"\\(begin|end)\{(\w+)\}", bare)
    assert environments == [("begin", "tabular"), ("end", "tabular")]
    commands = {"small", "setlength", "tabcolsep", "begin", "end", "toprule", "midrule"}
    commands |= {"bottomrule", "mathbf", "textbf", "char", "textbackslash", "textbar"}
    commands |= {"textasciitilde", "textasciicircum", "textasciigrave", "textless", "textgreater"}
    assert set(re.findall(r"\\([a-z]+)", bare)) <= commands
    columns = re.fullmatch(r"\\begin\{tabular\}\{@\{\}([lr]+)@\{\}\}", body[1])[1]
    assert (body[2], body[4], body[-2]) == (r"\toprule", r"\midrule", r"\bottomrule")
    rows = [body[3], *body[5:-2]]
    assert all(row.endswith(r" \\") and not row.startswith(("[", "*")) for row in rows)
    found = [re.split(r"(?<!\\)&", row.removesuffix(r" \\")) for row in rows]
    assert {len(row) for row in found} == {len(columns)}
    return columns, [[cell.strip() for cell in row] for row in found]


def test_it_holds_what_a_paper_shows(ranked):
    columns, rows = tabular(latex_table(paper_table(ranked, AP)))
    heading = ["Rank", "Method", "Score", r"95\% interval", r"Worst 10\%", "AP", "AUROC"]
    assert rows[0] == heading
    assert columns == "rlrrrrr"
    assert {row[1]: row[0] for row in rows[2:]} == {
        "best": "1--2",
        "good": "1--2",
        "fair": "3",
        "prior": "",
        "poor": "4",
        "random": "",
    }
    poor = next(row for row in rows if row[1] == "poor")
    assert re.fullmatch(r"\$-0\.\d{3}\$", poor[2])
    assert re.fullmatch(r"\$\[-0\.\d{3}, -0\.\d{3}\]\$", poor[3])


def test_the_scores_of_the_best_that_are_tied_are_bold(ranked):
    _, rows = tabular(latex_table(paper_table(ranked, AP)))
    bold = [row[1] for row in rows if r"\mathbf" in row[2]]
    assert sorted(bold) == ["best", "good"]  # and not the oracle
    assert sum("bf" in cell for row in rows for cell in row) == 2
    won = Table(("Method", "Won"), (("a", "3"),), "", bold=frozenset({(0, 1)}))
    assert r"a & \textbf{3} \\" in latex_table(won)


def test_failed_and_missing_runs_have_columns_where_there_are_any(results, make_result):
    table = paper_table(standings(results_frame(results)), AP)
    assert table.heading[-2:] == ("Failed", "Missing")
    assert dict(zip(column(table, "Method"), column(table, "Missing"), strict=True)) == {
        "good": "0",
        "fails": "0",
        "partial": "1",
        **dict.fromkeys(("oracle", "prior", "random"), ""),
    }
    failed = [one for one in results if one.tool != "partial"]
    assert paper_table(standings(results_frame(failed)), AP).heading[-1] == "Failed"


@pytest.mark.parametrize(
    ("primary", "title"),
    [("balanced_agreement", "Balanced agreement"), ("score", "Score"), ("a_%", "A %")],
)
def test_a_metric_without_a_title_of_its_own(make_result, primary, title):
    one = make_result("m", "a-v1", 0.5)
    metrics = {primary: one.metrics[AP]}
    frame = results_frame([one.model_copy(update={"primary": primary, "metrics": metrics})])
    table = paper_table(standings(frame), primary)
    assert table.heading[5:] == (title,)
    tabular(latex_table(table))


def test_latex_can_read_names_of_any_kind(results, make_result):
    frame = results_frame([*results, *(make_result(HOSTILE, f"{one}-v1", 0.5) for one in "ab")])
    table = standings(frame)
    for each in (
        paper_table(table, AP),
        standings_table(table),
        pairwise_table(pairwise_differences(task_scores(frame))),
    ):
        tabular(latex_table(each))


def test_it_is_no_wider_than_a_text(make_result):
    """In Computer Modern at nine points, with the longest names of methods that there are."""
    names = ("transformer-lens-attribution-patching", "captum-layer-conductance", "eap")
    frame = results_frame(
        [make_result(name, f"t{task}-v1", task / 20) for name in names for task in range(12)]
    )
    _, rows = tabular(latex_table(paper_table(standings(frame), AP)))
    columns = [max(map(width, cells)) for cells in zip(*rows, strict=True)]
    # Letters of nine points are 1.03 times as wide as those of ten are, set small.
    assert 300 < sum(columns) * 9 * 1.03 + 6 * (len(columns) - 1) < TEXT_WIDTH


def width(cell):
    """The width of a cell, in ems."""
    folder = f"{matplotlib.get_data_path()}/fonts/ttf"
    font = FT2Font(f"{folder}/{'cmb10' if 'bf' in cell else 'cmr10'}.ttf")
    font.set_size(100, 72)
    plain = re.sub(r"\\[a-z]+|[${}\\]", "", cell).replace("--", "-")
    font.set_text(plain, 0)
    return font.get_width_height()[0] / 64 / 100 + 0.17 * plain.count(",")
