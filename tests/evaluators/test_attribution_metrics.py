"""Attribution metrics against scikit-learn and scipy, by hand, and at their floors."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from sklearn.metrics import average_precision_score, roc_auc_score

from glassbench.compiler import compile_program, rasp
from glassbench.evaluators.attribution_metrics import (
    AUROC,
    MASS,
    PRIMARY,
    SPEARMAN,
    ceilings,
    counts,
    floors,
    mass_at_size,
    means,
    per_answer,
    spearman,
    varying,
)
from glassbench.ground_truth import Relevance, load, relevance

FEW = settings(max_examples=40, deadline=None)
ALL = (PRIMARY, AUROC, SPEARMAN, MASS)


def made_up(seed, n_rows=40, n=6, shapley=True):
    """Return relevance of made-up inputs of every length; where tokens matter, so do values."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, n + 1, n_rows)
    real = np.arange(n) < lengths[:, None]
    pairs = real[:, :, None] & real[:, None, :]
    sensitive = (rng.random((n_rows, n, n)) < 0.5) & pairs
    drawn = rng.integers(-3, 4, (n_rows, n, n))
    values = np.where(pairs, np.where(sensitive & (drawn == 0), 5, drawn) / 8, 0.0)
    baseline = np.where(real, 1 - values.sum(axis=2), 0.0)
    if not shapley:
        return Relevance(lengths, sensitive, None, None, "too many")
    return Relevance(lengths, sensitive, values, baseline, "")


def answers_of(found, chosen):
    """Yield (row, output, length) of chosen answers, one by one."""
    for row, output in np.argwhere(chosen).tolist():
        yield row, output, int(found.lengths[row])


# -- one number at a time ----------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_sensitivity_metrics_are_those_of_scikit_learn(seed):
    found = made_up(seed)
    scores = np.random.default_rng(seed + 10).normal(size=found.sensitivity.shape)
    measured = per_answer(found, scores)
    places = list(answers_of(found, found.rankable))
    assert len(places) > 50
    for at, (row, output, length) in enumerate(places):
        key, magnitude = found.sensitivity[row, output, :length], abs(scores[row, output, :length])
        assert measured[PRIMARY].rows[at] == row
        expected = average_precision_score(key, magnitude)
        assert measured[PRIMARY].values[at] == pytest.approx(expected)
        assert measured[AUROC].values[at] == pytest.approx(roc_auc_score(key, magnitude))
    assert measured[PRIMARY].mean == pytest.approx(measured[PRIMARY].values.mean())


@pytest.mark.parametrize("decimals", [0, 9])
def test_spearman_is_that_of_scipy_with_signs(decimals):
    """Rounded scores have ties, and some answers are constant."""
    found = made_up(3)
    scores = np.random.default_rng(4).normal(size=found.sensitivity.shape).round(decimals)
    measured = per_answer(found, scores)[SPEARMAN]
    places = list(answers_of(found, varying(found)))
    assert len(places) == len(measured.values) > 50
    n_constant = 0
    for at, (row, output, length) in enumerate(places):
        ours, theirs = scores[row, output, :length], found.shapley[row, output, :length]
        if (ours == ours[0]).all():
            assert measured.values[at] == 0
            n_constant += 1
            continue
        expected = stats.spearmanr(ours, theirs).statistic
        assert measured.values[at] == pytest.approx(expected)
    assert (n_constant > 0) == (decimals == 0)


def test_mass_at_size_is_the_mean_over_the_orders_of_ties():
    rng = np.random.default_rng(0)
    scores = rng.integers(0, 3, (30, 5)).astype(float)
    masses, positive = rng.random((30, 5)), rng.random((30, 5)) < 0.5
    positive[:, 0], positive[:, 1] = True, False
    found = mass_at_size(scores, masses, positive)
    for row in range(30):
        size, taken = positive[row].sum(), []
        for order in permutations(range(5)):
            ranked = sorted(order, key=lambda place: -scores[row, place])  # ties as they stand
            taken.append(masses[row, ranked[:size]].sum() / masses[row].sum())
        assert found[row] == pytest.approx(np.mean(taken))


def test_answers_that_order_nothing_are_left_out_and_counted():
    lengths = np.array([1, 2, 3])
    sensitive = np.zeros((3, 3, 3), bool)
    sensitive[0, 0, 0] = True  # the one token matters
    sensitive[1, 0, :2] = True  # both do
    sensitive[2, 1, 2] = True  # one of three does
    shapley = np.zeros((3, 3, 3))
    shapley[1, 0, :2] = 0.25
    shapley[2, 0] = 0.25, 0.25, 0.0
    shapley[2, 1, 2] = 0.5
    found = Relevance(lengths, sensitive, shapley, np.zeros((3, 3)), "")
    assert np.argwhere(found.rankable).tolist() == [[2, 1]]
    assert np.argwhere(varying(found)).tolist() == [[2, 0], [2, 1]]
    assert counts(found) == {
        "answers": 6,
        "answers_ranked": 1,
        "answers_on_no_token": 3,
        "answers_on_every_token": 2,
        "answers_with_even_shapley": 4,
    }
    measured = per_answer(found, np.ones((3, 3, 3)))
    assert {name: len(one.values) for name, one in measured.items()} == {
        PRIMARY: 1,
        AUROC: 1,
        SPEARMAN: 2,
        MASS: 1,
    }


def test_without_shapley_values_there_are_the_metrics_of_the_sensitivity():
    found = made_up(0, shapley=False)
    assert set(means(found, found.sensitivity.astype(float))) == {PRIMARY, AUROC}
    assert set(floors(found)) == set(ceilings(found)) == {PRIMARY, AUROC}
    assert "answers_with_even_shapley" not in counts(found)
    nothing = Relevance(found.lengths, np.zeros_like(found.sensitivity), None, None, "too many")
    assert means(nothing, found.sensitivity.astype(float)) == {}


def test_padding_does_not_matter():
    found = made_up(1)
    scores = np.random.default_rng(2).normal(size=found.sensitivity.shape)
    pairs = found.real[:, :, None] & found.real[:, None, :]
    assert means(found, np.where(pairs, scores, 1e6)) == means(found, scores)


# -- laws --------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_the_labels_earn_the_ceiling(seed):
    found = made_up(seed)
    top = ceilings(found)
    assert top[PRIMARY] == top[AUROC] == 1
    assert top[SPEARMAN] == pytest.approx(1)
    assert 0.5 < top[MASS] <= 1
    assert means(found, found.sensitivity.astype(float))[PRIMARY] == 1
    assert means(found, found.shapley)[MASS] == top[MASS]
    rng = np.random.default_rng(seed)
    for _ in range(5):
        other = means(found, rng.normal(size=found.sensitivity.shape))
        assert all(other[name] <= top[name] + 1e-12 for name in ALL)


def test_the_random_floor_is_the_mean_of_many_draws():
    n_draws, once = 2000, made_up(5, n_rows=25, n=5)
    repeated = {
        name: np.tile(side, (n_draws, *[1] * (side.ndim - 1)))
        for name, side in vars(once).items()
        if name != "omitted"
    }
    many = Relevance(**repeated, omitted="")
    answers = np.random.default_rng(6).normal(size=many.sensitivity.shape)
    drawn = per_answer(many, answers)
    for name, floor in floors(once).items():
        draws = drawn[name].values.reshape(n_draws, -1).mean(axis=1)
        error = draws.std() / np.sqrt(n_draws)
        assert error < 0.01
        assert floor == pytest.approx(draws.mean(), abs=4 * error), name
    assert floors(once)[SPEARMAN] == 0


@FEW
@given(st.floats(-1e3, 1e3, allow_subnormal=False), st.integers(0, 5))
def test_a_constant_answer_earns_the_random_floor(constant, seed):
    found = made_up(seed, n_rows=10)
    assert means(found, np.full(found.sensitivity.shape, constant)) == floors(found)


@FEW
@given(arrays(np.float64, (4, 5), elements=st.floats(-1e6, 1e6)))
def test_correlations_lie_between_minus_one_and_one(scores):
    labels = np.tile(np.arange(5.0), (4, 1))
    found = spearman(scores, labels)
    assert (np.abs(found) <= 1 + 1e-12).all()


# -- by hand: docs/attribution.md --------------------------------------------------


@pytest.fixture(scope="module")
def by_hand():
    """Whether an `a` has been seen, on `b a b`."""
    so_far = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ)
    is_a = rasp.Select(rasp.tokens, rasp.Full("a"), rasp.Comparison.EQ)
    seen = rasp.Map(lambda n: n > 0, rasp.SelectorWidth(so_far & is_a))
    compiled = compile_program(seen, "ab", max_length=3)
    codec = compiled.model.codec
    assert compiled.model(["b", "a", "b"]) == [False, True, True]
    return relevance(compiled.program, codec, codec.encode([["b", "a", "b"]]))


def test_the_labels_by_hand(by_hand):
    assert by_hand.sensitivity[0].astype(int).tolist() == [[1, 0, 0], [0, 1, 0], [0, 1, 0]]
    np.testing.assert_allclose(
        24 * by_hand.shapley[0], [[12, 0, 0], [-3, 9, 0], [-2, 7, -2]], atol=1e-12
    )
    np.testing.assert_allclose(by_hand.baseline[0], [1 / 2, 3 / 4, 7 / 8])


def test_the_metrics_by_hand(by_hand):
    answer = np.array([[[0.5, 0.1, 0.0], [0.4, 0.3, 0.0], [0.2, -0.2, 0.1]]])
    found = {name: one.values for name, one in per_answer(by_hand, answer).items()}
    np.testing.assert_allclose(found[PRIMARY], [1, 1 / 2, 3 / 4])
    np.testing.assert_allclose(found[AUROC], [1, 1 / 2, 3 / 4])
    np.testing.assert_allclose(found[SPEARMAN], [np.sqrt(3) / 2, -1 / 2, -np.sqrt(3) / 2])
    np.testing.assert_allclose(found[MASS], [1, 1 / 4, 9 / 22])
    expected = {PRIMARY: 0.75, AUROC: 0.75, SPEARMAN: -1 / 6, MASS: 73 / 132}
    assert means(by_hand, answer) == pytest.approx(expected)
    floor = {PRIMARY: 11 / 18, AUROC: 1 / 2, SPEARMAN: 0, MASS: 1 / 3}
    assert floors(by_hand) == pytest.approx(floor)
    top = {PRIMARY: 1, AUROC: 1, SPEARMAN: 1, MASS: (1 + 3 / 4 + 7 / 11) / 3}
    assert ceilings(by_hand) == pytest.approx(top)


def test_labels_of_a_task():
    task = load("reverse[vocab=2,length=3]")
    codec = task.compiled.model.codec
    found = relevance(task.compiled.program, codec, codec.encode(["aba"]))
    assert means(found, found.sensitivity[:, :, ::-1].astype(float))[PRIMARY] < 1
    assert means(found, np.eye(3)[None, ::-1])[PRIMARY] == 1
