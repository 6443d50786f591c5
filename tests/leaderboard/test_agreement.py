"""Agreement of measures with the truth, by hand and against the formula of Spearman."""

import numpy as np
import pandas as pd
import pytest

from glassbench.errors import BundleError
from glassbench.leaderboard.agreement import agreement, rank_correlation


def frame(**tasks):
    """Return rows of four methods: for each task a truth and a measure."""
    rows = []
    for task, (truth, measure) in tasks.items():
        for method, (true, measured) in enumerate(zip(truth, measure, strict=True)):
            row = {"method": f"m{method}", "task": task, "truth": true, "measure": measured}
            rows.append(row)
    return pd.DataFrame(rows)


TRUE = [0.1, 0.4, 0.6, 0.9]


def test_correlation_by_hand():
    """Without ties it is one less six times the summed squares of the ranks' differences."""
    measured = [0.3, 0.2, 0.8, 0.7]
    assert rank_correlation(np.array(TRUE), np.array(measured)) == pytest.approx(1 - 6 * 4 / 60)
    assert rank_correlation(np.array(TRUE), np.array(TRUE) ** 3) == pytest.approx(1)
    assert rank_correlation(np.array(TRUE), -np.array(TRUE)) == pytest.approx(-1)
    assert rank_correlation(np.array(TRUE), np.full(4, 0.5)) == 0


def test_the_mean_is_over_tasks_and_directions_count():
    scores = frame(**{task: (TRUE, TRUE[::-1] if task in "be" else TRUE) for task in "abcdefgh"})
    (higher,) = agreement(scores, "truth", {"measure": "higher"})
    assert (higher.measure, higher.tasks) == ("measure", 8)
    assert higher.correlation == pytest.approx(0.5)
    assert -1 <= higher.interval.low < 0.5 < higher.interval.high <= 1
    assert higher.lost == pytest.approx(0.8 / 4)
    few = scores[scores.task < "f"]
    assert agreement(few, "truth", {"measure": "higher"})[0].interval is None
    (lower,) = agreement(scores, "truth", {"measure": "lower"})
    assert lower.correlation == pytest.approx(-0.5)
    assert lower.lost == pytest.approx(3 * 0.8 / 4)


def test_choosing_among_equals_is_at_random():
    (found,) = agreement(frame(a=(TRUE, [0, 1, 0, 1])), "truth", {"measure": "higher"})
    assert found.lost == pytest.approx(0.9 - (0.4 + 0.9) / 2)
    assert found.interval is None


def test_rounding_ranks_nothing():
    noise = np.array([1, -1, 2, -2]) * 1e-12
    tasks = {"a": (TRUE, 0.5 + noise), "b": (0.5 + noise, TRUE)}
    (found,) = agreement(frame(**tasks), "truth", {"measure": "higher"})
    assert (found.tasks, found.correlation) == (1, 0)


def test_tasks_that_rank_nothing_are_left_out():
    nan = float("nan")
    scores = frame(a=(TRUE, TRUE), b=([1.0] * 4, TRUE), c=(TRUE, [0.1, nan, nan, 0.2]))
    (found,) = agreement(scores, "truth", {"measure": "higher"})
    assert (found.tasks, found.correlation) == (1, pytest.approx(1))
    assert agreement(scores[scores.task != "a"], "truth", {"measure": "higher"}) == []


def test_a_method_has_one_score_on_a_task():
    scores = pd.concat([frame(a=(TRUE, TRUE))] * 2)
    with pytest.raises(BundleError) as caught:
        agreement(scores, "truth", {"measure": "higher"})
    assert str(caught.value) == (
        "Agreement needs one score of a method on a task, got several of m0 on a; take those of "
        "one seed"
    )
