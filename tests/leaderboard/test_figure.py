"""The figure: what it shows, and that it is the same bytes each time."""

from io import BytesIO
from itertools import combinations

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from glassbench.evaluators.result import MetricValue
from glassbench.leaderboard import (
    results_frame,
    standings,
    standings_figure,
    task_scores,
    write_leaderboard,
)
from glassbench.leaderboard.figure_style import MARKS, figure_files, figure_style, marks_of
from glassbench.leaderboard.profile_figure import profile_figure
from glassbench.leaderboard.profiles import performance_profiles

AP = "edge_average_precision"
SMALLEST = 7.0
"""Points: the smallest text of a figure on a page of a paper."""


def figure_of(results):
    frame = results_frame(results)
    return standings_figure(standings(frame), task_scores(frame))


def legend_of(figure) -> list[str]:
    return [text.get_text() for text in figure.legends[0].get_texts()]


def test_every_task_of_every_row_is_a_mark_in_its_place(results):
    axes = figure_of(results).axes[0]
    marks = np.concatenate([c.get_offsets() for c in axes.collections])
    assert len(marks) == 6 * 2  # three methods and three references on two tasks
    rows = [label.get_text() for label in axes.get_yticklabels()]
    assert rows == ["oracle", "1-3  good", "1-3  fails", "prior", "1-3  partial", "random"]
    good = sorted(x for x, y in marks if round(float(y)) == 1)
    np.testing.assert_allclose(good, [0.5, 1.0])


def test_a_legend_names_what_is_there(results):
    assert legend_of(figure_of(results)) == [
        "mean, 95% interval over tasks",
        "a task",
        "no answer to some run: it counts as random",
    ]
    assert len(legend_of(figure_of(results[:2]))) == 2


def test_what_is_far_below_the_floor_is_within_the_figure(make_result):
    far = {AP: MetricValue.of(0.1, random=0.1, prior=0.95)}
    figure = figure_of([make_result("m", "a-v1", 0.1, metrics=far)])
    assert figure.axes[0].get_xlim()[0] > -1.2


def test_a_name_is_never_read_as_mathematics_and_never_too_long(results, folder_of, make_result):
    names = (r"$\frac{1}{$", "x" * 200, "工具")
    folder = folder_of(tuple(make_result(name, "a-v1", 0.5) for name in names))
    write_leaderboard(folder, folder / "out")
    labels = figure_of([make_result(n, "a-v1", 0.5) for n in names]).axes[0].get_yticklabels()
    assert max(len(label.get_text()) for label in labels) < 50


def test_a_figure_that_is_laid_out_first_is_what_matplotlib_writes(results):
    written = BytesIO()
    with figure_style():
        metadata = {"Date": None, "Creator": None}
        figure_of(results).savefig(written, format="svg", metadata=metadata)
    figure = figure_of(results)
    assert figure_files(figure)["svg"] == written.getvalue()
    assert figure_files(figure)["svg"] == written.getvalue()


def test_the_same_results_give_the_same_bytes_and_leave_settings_alone(
    results, folder_of, tmp_path
):
    before = dict(mpl.rcParams)
    first = write_leaderboard(folder_of(results), tmp_path / "first")
    assert dict(mpl.rcParams) == before
    with mpl.rc_context({"font.size": 20.0, "axes.grid": True, "savefig.dpi": 33}):
        second = write_leaderboard(folder_of(results[::-1], "again"), tmp_path / "second")
    for name in ("markdown", "latex", "html", "svg", "pdf"):
        one, other = getattr(first, name), getattr(second, name)
        assert one.name == other.name
        assert one.read_bytes() == other.read_bytes()
    assert b"<dc:date>" not in first.svg.read_bytes()


@pytest.mark.parametrize("n", [0, 1, 5, 7, 22])
def test_methods_of_all_ranks_are_drawn(n):
    names = [f"m{place}" for place in range(n)]
    table = pd.DataFrame({"method": ["oracle", *names], "role": ["reference"] + ["method"] * n})
    drawn = list(marks_of(table))
    assert len(drawn) == len(set(drawn)) == min(n, len(MARKS))
    assert drawn == sorted(drawn, key=names.index)
    assert {*names[:1], *names[-1:]} <= set(drawn)
    if n == 22:
        assert drawn == ["m0", "m4", "m7", "m10", "m14", "m18", "m21"]


def linear(color):
    """Light of each primary, from a colour as it is written."""
    written = np.array(to_rgb(color))
    return np.where(written <= 0.04045, written / 12.92, ((written + 0.055) / 1.055) ** 2.4)


def lightness(color):
    """L* of CIELAB: how light a colour is on a sheet that is printed in grey."""
    luminance = float(np.dot((0.2126, 0.7152, 0.0722), linear(color)))
    return 116 * luminance ** (1 / 3) - 16 if luminance > 0.008856 else 903.3 * luminance


def seen_without(cones, color):
    """A colour as it is seen without one kind of cones (Machado et al. 2009)."""
    return np.clip(np.array(cones) @ linear(color), 0, 1) ** (1 / 2.4)


PROTANOPIA = [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
]
DEUTERANOPIA = [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.011820, 0.042940, 0.968881],
]


@pytest.mark.parametrize("cones", [np.eye(3), PROTANOPIA, DEUTERANOPIA])
def test_colours_are_told_apart_by_those_who_do_not_see_red_or_green(cones):
    seen = [seen_without(cones, mark.color) for mark in MARKS]
    least = min(np.linalg.norm(one - other) for one, other in combinations(seen, 2))
    assert least > 0.15


def test_marks_are_told_apart_in_grey():
    assert len({str(mark.dashes) for mark in MARKS}) == len(MARKS)
    assert len({mark.marker for mark in MARKS}) == len(MARKS)
    steps = np.diff([lightness(mark.color) for mark in MARKS])
    assert np.abs(steps).min() > 12


def test_all_text_of_a_figure_can_be_read(results):
    frame = results_frame(results)
    scores = task_scores(frame)
    table = standings(frame)
    for figure in (
        standings_figure(table, scores),
        profile_figure(performance_profiles(frame), table),
    ):
        texts = figure.findobj(Text)
        assert min(text.get_fontsize() for text in texts if text.get_text()) >= SMALLEST
        assert figure.get_figwidth() <= 10
