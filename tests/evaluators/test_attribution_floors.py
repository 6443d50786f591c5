"""The prior floor of the attribution track: learned from the other tasks, position by position."""

from collections import defaultdict

import numpy as np
import pytest

from glassbench.evaluators.attribution_floors import LEVELS, PlaceTotals, prior_floors
from glassbench.evaluators.attribution_metrics import (
    AUROC,
    MASS,
    PRIMARY,
    SPEARMAN,
    floors,
    means,
)
from glassbench.evaluators.attribution_track import posed
from glassbench.ground_truth import Relevance, load

NAMES = ("sort[vocab=2,length=3]", "reverse[vocab=2,length=4]", "frac_prevs[vocab=2,length=3]")


@pytest.fixture(scope="module")
def suite():
    return {name: posed(load(name), 0).relevance for name in NAMES}


def label_of(relevance, name):
    return relevance.shapley if name == SPEARMAN else relevance.sensitivity.astype(float)


def slow_prior(suite, task, name, key):
    """Return the answer for a task from means over the others, one pair at a time."""
    seen = defaultdict(list)
    for other, relevance in suite.items():
        for row, length in enumerate(relevance.lengths):
            for output in range(length):
                for place in range(length):
                    if other != task:
                        value = label_of(relevance, name)[row, output, place]
                        for one in key(length, output, place), ("distance", place - output), None:
                            seen[one].append(value)
    relevance = suite[task]
    answer = np.zeros(relevance.sensitivity.shape)
    for row, length in enumerate(relevance.lengths):
        for output in range(length):
            for place in range(length):
                keys = key(length, output, place), ("distance", place - output), None
                answer[row, output, place] = np.mean(seen[next(one for one in keys if one in seen)])
    return answer.astype(np.float32)


def test_the_priors_are_those_of_a_slow_version(suite):
    found = prior_floors(suite)
    assert set(found) == {PRIMARY, AUROC, SPEARMAN, MASS}
    for name, floor in found.items():
        for task, relevance in suite.items():
            by_place = slow_prior(suite, task, name, lambda *place: place)
            by_distance = slow_prior(suite, task, name, lambda n, t, i: ("distance", i - t))
            assert floor.answers["positions"][task] == pytest.approx(
                means(relevance, by_place)[name]
            )
            assert floor.answers["distance"][task] == pytest.approx(
                means(relevance, by_distance)[name]
            )


def test_reverse_is_longer_than_all_others(suite):
    """So that some of its places are known by distance alone, and the farthest not even so."""
    totals = [
        PlaceTotals.of(suite[NAMES[at]].sensitivity, suite[NAMES[at]].lengths, 4) for at in (0, 2)
    ]
    others = totals[0] + totals[1]
    assert not others.counts[3].any()
    by_place, by_distance = others.means_by_place(), others.means_by_distance()
    np.testing.assert_array_equal(by_place[3], by_distance)
    assert by_distance[0, 3] == by_distance[3, 0] == others.sums.sum() / others.counts.sum()
    again = (totals[0] + totals[1]) - totals[1]
    np.testing.assert_array_equal(again.sums, totals[0].sums)
    np.testing.assert_array_equal(again.counts, totals[0].counts)


def test_a_task_tells_nothing_of_itself(suite):
    """Labels of its own that are turned round change nothing of its prior answer."""
    flipped = dict(suite)
    own = suite[NAMES[0]]
    pairs = own.real[:, :, None] & own.real[:, None, :]
    flipped[NAMES[0]] = Relevance(
        own.lengths, ~own.sensitivity & pairs, own.shapley, own.baseline, ""
    )
    before, after = prior_floors(suite), prior_floors(flipped)
    chosen = own.rankable  # the same answers, since what was ranked still is
    assert (flipped[NAMES[0]].rankable == chosen).all()
    for level in LEVELS:
        first, second = (found[AUROC].answers[level][NAMES[0]] for found in (before, after))
        assert first == pytest.approx(1 - second)


def test_alone_there_is_nothing_to_learn_from(suite):
    found = prior_floors({NAMES[0]: suite[NAMES[0]]})
    expected = floors(suite[NAMES[0]])
    for name, floor in found.items():
        assert floor[NAMES[0]] == pytest.approx(expected[name])


def test_tasks_without_shapley_values_are_left_out_of_their_priors(suite):
    bare = suite[NAMES[0]]
    mixed = {**suite, NAMES[0]: Relevance(bare.lengths, bare.sensitivity, None, None, "too many")}
    found = prior_floors(mixed)
    assert set(found[PRIMARY].answers["positions"]) == set(NAMES)
    for name in (SPEARMAN, MASS):
        assert set(found[name].answers["positions"]) == set(NAMES[1:])
    only = prior_floors({NAMES[0]: mixed[NAMES[0]]})
    assert set(only) == {PRIMARY, AUROC}
    assert prior_floors({}) == {}
