"""The laws of metrics, stated once and held by every metric of every track.

They are about made-up labels, and about small tasks. What a law speaks of is in
the folder `known_questions`; here is what must hold.
"""

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.compiler import write_rasp
from glassbench.compiler.untrace import untrace
from glassbench.evaluators import TRACKS
from glassbench.evaluators.attribution_metrics import spearman
from glassbench.ground_truth import load

# The folders of tests are no packages: this one is, and is loaded by its place.
_FOLDER = Path(__file__).with_name("known_questions")
_SPEC = importlib.util.spec_from_file_location(
    _FOLDER.name, _FOLDER / "__init__.py", submodule_search_locations=[str(_FOLDER)]
)
known = importlib.util.module_from_spec(_SPEC)
sys.modules[_SPEC.name] = known
_SPEC.loader.exec_module(known)

SEEDS = st.integers(0, 10**6)
LAWS: list[Callable] = []
ROUNDING = 1e-7


def law(statement: Callable) -> Callable:
    """Put a statement among the laws."""
    LAWS.append(statement)
    return statement


def values(question, answer):
    return {name: metric.value for name, metric in question.measured(answer).items()}


@law
def the_oracle_has_the_ceiling(question, rng):
    seen = set()
    for claim in question.oracles():
        (answer,) = claim.answers
        found = question.measured(answer)
        for name in claim.about:
            metric = found[name]
            assert metric.value == pytest.approx(metric.ceiling, abs=ROUNDING), name
            if metric.ceiling - metric.floor > ROUNDING:
                assert metric.normalised == pytest.approx(1, abs=1e-6), name
        seen |= claim.about
    assert seen == found.keys()  # no metric is without an oracle


@law
def nothing_exceeds_the_ceiling(question, rng):
    for name, metric in question.measured(question.drawn(rng)).items():
        assert metric.value <= metric.ceiling + ROUNDING, name
        assert metric.floors.random <= metric.ceiling + ROUNDING, name
        assert metric.value >= (-1 if name == "shapley_spearman" else 0) - ROUNDING, name


@law
def an_answer_that_says_nothing_is_never_above_random(question, rng):
    for answer in question.empty():
        for name, metric in question.measured(answer).items():
            assert metric.value <= metric.floor + ROUNDING, name
            assert metric.normalised <= ROUNDING, name


@law
def the_order_of_names_does_not_matter(question, rng):
    answer = question.drawn(rng)
    other, turned = question.reordered(answer, rng)
    assert values(other, turned) == pytest.approx(values(question, answer), abs=ROUNDING)


@law
def the_same_answer_in_other_words_earns_the_same(question, rng):
    answer = question.drawn(rng)
    before = values(question, answer)
    for claim in question.restated(answer, rng):
        (same,) = claim.answers
        after = values(question, same)
        for name in claim.about:
            assert after[name] == pytest.approx(before[name], abs=ROUNDING), name


@law
def ties_are_the_mean_over_their_orders(question, rng):
    for tied, claim in question.untied(rng):
        found = values(question, tied)
        each = [values(question, one) for one in claim.answers]
        for name in claim.about:
            expected = np.mean([one[name] for one in each])
            # A hair between copies of a direction moves cosines by as much.
            allowed = 5e-3 if "cosine" in name else 1e-9
            assert found[name] == pytest.approx(expected, abs=allowed), name


@law
def a_label_that_is_wrong_never_raises_the_score(question, rng):
    for claim in question.spoilt(rng):
        (answer,) = claim.answers
        for name, metric in question.measured(answer).items():
            assert metric.normalised <= 1 + ROUNDING, name
            if name in claim.about:
                assert metric.value < metric.ceiling - 1e-9, name


@law
def a_ranking_turned_round_earns_the_rest(question, rng):
    answer = question.drawn(rng)
    for claim, total in question.turned(answer):
        (back,) = claim.answers
        for name in claim.about:
            both = values(question, answer)[name] + values(question, back)[name]
            assert both == pytest.approx(total, abs=1e-9), name


EVERY_LAW = pytest.mark.parametrize("statement", LAWS, ids=lambda one: one.__name__)


@EVERY_LAW
@pytest.mark.parametrize("track", known.MADE_UP)
@settings(max_examples=8, deadline=None)
@given(seed=SEEDS)
def test_made_up_labels(track, statement, seed):
    rng = np.random.default_rng(seed)
    statement(known.MADE_UP[track](rng), rng)


@EVERY_LAW
@pytest.mark.parametrize("name", known.TASKS)
@settings(max_examples=2, deadline=None)
@given(seed=SEEDS)
def test_tasks(name, statement, seed):
    statement(known.of_task(name), np.random.default_rng(seed))


# -- floors ------------------------------------------------------------------------


@pytest.mark.parametrize("name", [*known.MADE_UP, *known.TASKS])
def test_the_random_floor_is_the_mean_over_many_draws(name):
    """Within what the numbers of draws on both sides allow."""
    rng = np.random.default_rng(1)
    question = known.MADE_UP[name](rng) if name in known.MADE_UP else known.of_task(name)
    n = 40 if question.track == "program" else 60
    floors = question.measured(question.drawn(rng))
    for floor in question.random_floors():
        drawn = [values(question, floor.drawn(rng)) for _ in range(n)]
        for metric, mean in floor.means.items():
            each = np.array([one[metric] for one in drawn])
            error = each.std() * np.sqrt(1 / n + 1 / floor.draws)
            assert each.mean() == pytest.approx(mean, abs=5 * error + 1e-9), metric
            assert floors[metric].floors.random >= mean - 1e-12, metric
            assert 0 <= mean < 1


@pytest.mark.parametrize("name", ["circuit", "circuit, crowded"])
def test_random_numbers_for_edges_earn_no_more_than_the_floor_of_nodes(name):
    """A node is as high as its highest edge, so that many edges put it first."""
    rng = np.random.default_rng(2)
    question = known.MADE_UP[name](rng) if name in known.MADE_UP else known.of_task(name)
    floors = question.measured(question.drawn(rng))
    drawn = [values(question, question.drawn(rng)) for _ in range(60)]
    for metric in question.names:
        each = np.array([one[metric] for one in drawn])
        bound = floors[metric].floors.random + 5 * each.std() / np.sqrt(len(each))
        assert each.mean() <= bound, metric


def test_spearman_of_ties_is_the_mean_over_their_orders_but_for_its_length():
    """As everywhere, equal numbers share their mean rank, which makes their spread smaller."""
    rng = np.random.default_rng(3)
    labels = rng.permutation(6).astype(float)[None]
    for _ in range(20):
        tied, each = known.question.orders(rng.normal(size=6), rng)
        mean = np.mean([spearman(one[None], labels)[0] for one in each])
        spread = [np.std(known_ranks(one)) for one in (tied, each[0])]
        assert spearman(tied[None], labels)[0] * spread[0] == pytest.approx(mean * spread[1])


def known_ranks(scores):
    """Return ranks, equal numbers sharing theirs."""
    return np.array([(scores < one).sum() + (scores == one).sum() / 2 for one in scores])


# -- nothing is left out -----------------------------------------------------------


def test_every_track_has_questions_of_both_kinds():
    assert known.MADE_UP.keys() == TRACKS.keys()
    assert {known.of_task(name).track for name in known.TASKS} == TRACKS.keys()


AS_ANSWERED = {
    "circuit": lambda problem, answer: answer,
    "attribution": lambda problem, answer: np.pad(answer, ((0, 0), (1, 0), (1, 0))),
    "features": lambda problem, answer: dict.fromkeys(problem.hooks, answer),
    "variables": lambda problem, answer: answer,
    "program": lambda problem, answer: write_rasp(*untrace(answer.program)),
}


@pytest.mark.parametrize("name", known.TASKS)
def test_what_is_asked_here_is_what_tracks_measure(name):
    """The laws hold for results: the same metrics, values, floors and ceilings."""
    question, task = known.of_task(name), load(known.TASKS[name])
    track, answer = TRACKS[question.track], question.drawn(np.random.default_rng(4))
    track.check([task])
    problem = track.problem(task, 0)
    given = AS_ANSWERED[question.track](problem, answer)
    found = track.measures(track.checked(problem, given), task, 0, {}).metrics
    expected = question.measured(answer)
    assert found.keys() == expected.keys()
    for metric, one in found.items():
        for part in ("value", "floor", "ceiling"):
            assert getattr(one, part) == pytest.approx(getattr(expected[metric], part), abs=1e-6)
