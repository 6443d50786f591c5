"""Tables in Markdown and LaTeX, for names that mean well and names that do not."""

import re

import pytest

from glassbench.leaderboard import (
    cells,
    failures,
    html_page,
    html_table,
    latex_table,
    markdown_table,
    pairwise_differences,
    pairwise_table,
    results_frame,
    standings,
    standings_table,
    task_scores,
)
from glassbench.leaderboard.escapes import escape_latex, escape_markdown, one_line
from glassbench.leaderboard.tables import Table

HOSTILE = "a|b <script>x</script> my_tool 100% \\input{x} $y$ #1 ~^& [l](http://z) `c` *d*\n| e"


def test_markdown_of_plain_names(results):
    frame = results_frame(results)
    lines = markdown_table(standings_table(standings(frame)), failures(frame)).splitlines()
    assert lines[0] == (
        "| Rank | Method | Score | 95% interval | IQM | Worst 10% | AP | AUROC | Seconds | Tasks "
        "| Failed | Missing |"
    )
    assert lines[3] == (
        "| 1-3 | good | 0.750 |  | 0.750 | 0.500 | 0.800 | 0.800 | 2.00 | 2/2 | 0 | 0 |"
    )
    assert lines[4] == (
        "| 1-3 | fails | 0.187 |  | 0.187 | -0.125 | 0.350 | 0.550 | 2.00 | 1/2 | 1 | 0 |"
    )
    assert lines[5] == "|  | prior | 0.000 |  | 0.000 | 0.000 | 0.200 | 0.500 |  |  |  |  |"
    assert lines[-1] == "- Method fails on b-v1, seed 0, failed: ToolError: out of luck"


def test_seconds_that_nobody_told_are_an_empty_cell(make_result):
    frame = results_frame([make_result("m", "a-v1", 0.5, wall_seconds=None)])
    heading, rows = cells(standings(frame))
    (own,) = [row for row in rows if row[1] == "m"]
    assert own[heading.index("Seconds")] == ""


def test_numbers_are_mathematics_in_latex():
    """A hyphen is no minus, and ranks are text whether tied or not."""
    shown = ("-0.5", "[-0.500, 1.000]", "<0.001", "-0.250 (<0.001)", "6/6", "a-b", "18", "1-4")
    row = latex_table(Table(tuple("abcdefgh"), (shown,), "")).splitlines()[-3]
    assert row == (
        r"$-0.5$ & $[-0.500, 1.000]$ & $<0.001$ & $-0.250\ (<0.001)$ & 6/6 & a-b & 18 & 1--4 \\"
    )


def test_a_hostile_name_stays_in_its_cell(results, make_result):
    frame = results_frame(
        (
            *results,
            make_result(HOSTILE, "a-v1", 0.5),
            make_result(HOSTILE, "b-v1", None, error=HOSTILE),
        )
    )
    table = standings(frame)
    heading, rows = cells(table)
    markdown = markdown_table(standings_table(table), failures(frame)).splitlines()
    for line in markdown[: 2 + len(rows)]:
        assert len(re.findall(r"(?<!\\)\|", line)) == len(heading) + 1
    assert not any("<" in line or "http://" in line for line in markdown)


def test_markdown_escapes():
    assert escape_markdown("a_b*c|d") == r"a\_b\*c\|d"
    assert escape_markdown("<b>&amp;") == "&lt;b&gt;&amp;amp;"
    assert escape_markdown("![x](https://y) www.z") == (r"\!\[x\](https&#58;//y) www&#46;z")
    assert escape_markdown("\\") == "\\\\"


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a_b & 5%", r"a\_b \& 5\%"),
        ("\\{x}", r"\textbackslash{}\{x\}"),
        ("#$~^", r"\#\$\textasciitilde{}\textasciicircum{}"),
        ("a---b-c", r"a-{}-{}-b-c"),
        ("<|>", r"\textless{}\textbar{}\textgreater{}"),
        ("[1ex] *", "{[}1ex] {*}"),
    ],
)
def test_latex_escapes(text, escaped):
    assert escape_latex(text) == escaped


def test_control_characters_and_new_lines_become_spaces():
    assert one_line(" a\r\n\tb\x1b[31m\u202ec ") == "a b [31m c"


def test_a_long_error_is_cut(results, make_result):
    frame = results_frame((*results, make_result("long", "a-v1", None, error="x" * 999)))
    text = markdown_table(standings_table(standings(frame)), failures(frame))
    assert f"failed: {'x' * 200} ..." in text


def test_no_zero_has_a_sign(make_result):
    frame = results_frame([make_result("m", "a-v1", 0.19999)])
    assert "-0.000" not in markdown_table(standings_table(standings(frame)))


def test_html_of_a_hostile_name_is_text(results, make_result):
    frame = results_frame((*results, make_result(HOSTILE, "a-v1", 0.5)))
    table = standings_table(standings(frame))
    html = html_table(table)
    assert "<script" not in html
    assert html.count("<tr>") == html.count("</tr>") == len(table.rows) + 1
    assert html.count('<th scope="row"') == html.count("</th>") - len(table.heading)
    assert "a|b &lt;script&gt;x&lt;/script&gt; my_tool" in html


def test_a_page_asks_nothing_of_any_other_place(results):
    page = html_page(standings_table(standings(results_frame(results))), "Leaderboard <x>")
    assert "<title>Leaderboard &lt;x&gt;</title>" in page
    assert not re.search(r"https?:|src=|href=|url\(|@import", page)


def test_differences_are_a_table_too(make_result):
    many = [
        make_result(name, f"t{task}-v1", base + 0.01 * task)
        for name, base in (("good", 0.8), ("poor", 0.3))
        for task in range(8)
    ]
    table = pairwise_table(pairwise_differences(task_scores(results_frame(many))))
    (row,) = table.rows
    assert row[:2] == ("good", "poor")
    assert row[4:7] == ("8", "0", "0")
    assert row[9] == "good"
    assert "good & poor" in latex_table(table)
    assert "lrlll" not in latex_table(table)


def test_too_few_tasks_are_told(make_result):
    few = [make_result(f"m{n}", f"t{task}-v1", 0.5) for n in range(4) for task in range(7)]
    note = standings_table(standings(results_frame(few))).note
    assert note.endswith(
        "All are tied: 7 tasks cannot tell 4 methods apart, however they differ, if the chance of "
        "any false difference is to be 5% at most. That takes 8 tasks: score the methods on a "
        "larger suite, such as core."
    )
    more = [*few, *(make_result(f"m{n}", "t7-v1", 0.5) for n in range(4))]
    assert "cannot tell" not in standings_table(standings(results_frame(more))).note
