"""The laws of the feature metrics, and their values by hand, by brute force and against peers."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import f1_score, roc_auc_score

from glassbench.errors import AnswerError
from glassbench.evaluators.features_floors import (
    blind_floors,
    mean_of_blind,
    random_features,
    spread_features,
)
from glassbench.evaluators.features_metrics import (
    FeatureTruth,
    Matching,
    class_activity,
    class_cosines,
    n_dead_units,
    n_duplicates,
    oracle,
    unexplained,
)
from glassbench.evaluators.features_problem import FoundFeatures
from glassbench.ground_truth import FeatureKey, FeatureRows

FEW = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 10**6)
NAMES = [
    "matched_cosine",
    "mean_max_cosine",
    "recovered_at_0.9",
    "activation_f1",
    "activation_auroc",
]


def drawn_key(rng):
    """A key with classes of one or two features, one dead and one constant, and rows of it."""
    d_model, n_classes, n_rows = rng.integers(4, 9), rng.integers(1, 6), 30
    sizes = rng.integers(1, 3, size=n_classes)
    class_of = np.concatenate([np.repeat(np.arange(n_classes), sizes), [n_classes, -1]])
    drawn = rng.normal(size=(len(class_of), d_model))
    directions = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    active = rng.random((n_rows, n_classes)) < 0.4
    active[0], active[1] = True, False
    signs = np.where(rng.random(n_classes) < 0.5, 1.0, rng.choice([-1.0, 1.0], (n_rows, n_classes)))
    amounts = active * rng.uniform(0.5, 2.0, (n_rows, n_classes)) * signs
    whole = np.column_stack([amounts, np.ones(n_rows), np.zeros(n_rows)])
    factors = rng.choice([-1.5, 0.5, 2.0], len(class_of))
    activations = whole[:, class_of] * factors
    constant = class_of == n_classes
    names = tuple(("v", place) for place in range(len(class_of)))
    key = FeatureKey(directions, class_of, constant, names)
    return key, FeatureRows(activations @ directions, activations)


def drawn_answer(rng, truth, most=8):
    count = rng.integers(1, most)
    directions = rng.normal(size=(count, truth.streams.shape[1]))
    activations = rng.normal(size=(len(truth.streams), count)).round(1)
    return FoundFeatures(directions, activations)


def drawn(seed):
    rng = np.random.default_rng(seed)
    key, rows = drawn_key(rng)
    return rng, key, rows, FeatureTruth.of(key, rows)


def metrics(truth, found):
    return Matching.of(truth, found).metrics()


# -- by hand -----------------------------------------------------------------------


@pytest.fixture
def example():
    """Two classes, the second of two features, and one that is constant, in four dimensions."""
    a, b = [1.0, 1.0, 0.0, 0.0], [0.0, 1.0, 1.0, 0.0]
    activations = np.array([a, b, b, [1.0] * 4]).T
    key = FeatureKey(
        np.eye(4),
        np.array([0, 1, 1, 2]),
        np.array([False, False, False, True]),
        (("a", None), ("b", 0), ("c", 0), ("one", None)),
    )
    return key, FeatureRows(activations.copy(), activations)


def test_an_example_by_hand(example):
    truth = FeatureTruth.of(*example)
    directions = np.array([[0.6, 0.8, 0.0, 0.0], [-0.28, 0.0, 0.0, -0.96]])
    activations = np.array([[0.0, 1.0, 1.0, 0.0], [-3.0, 0.0, -1.0, 0.0]]).T
    found = FoundFeatures(directions, activations)
    np.testing.assert_allclose(class_cosines(truth, directions), [[0.6, 0.28], [0.8, 0.0]])
    # The first unit is the nearest to both, and counts for the second alone.
    assert metrics(truth, found) == pytest.approx(
        {
            "matched_cosine": (0.28 + 0.8) / 2,
            "mean_max_cosine": (0.6 + 0.8) / 2,
            "recovered_at_0.9": 0.0,
            "activation_f1": (0.5 + 1.0) / 2,
            "activation_auroc": (0.625 + 1.0) / 2,
        }
    )
    assert n_duplicates(directions) == 0
    assert n_dead_units(activations) == 0


def test_a_class_counts_as_recovered_from_nine_tenths_on():
    """Cosines 1, 0.9 and 0.6 with the unit of each class: two of three are recovered."""
    active = np.eye(3)
    key = FeatureKey(np.eye(3, 6), np.arange(3), np.zeros(3, bool), (("v", 0), ("v", 1), ("v", 2)))
    truth = FeatureTruth.of(key, FeatureRows(active @ np.eye(3, 6), active))
    directions = np.zeros((3, 6))
    directions[:, :3] = np.diag([1.0, 0.9, 0.6])
    directions[:, 3:] = np.diag([0.0, np.sqrt(1 - 0.9**2), 0.8])
    found = metrics(truth, FoundFeatures(5 * directions, active))
    assert found["matched_cosine"] == pytest.approx(2.5 / 3)
    assert found["mean_max_cosine"] == pytest.approx(2.5 / 3)
    assert found["recovered_at_0.9"] == pytest.approx(2 / 3)
    less = FoundFeatures(directions - 1e-3 * np.eye(3, 6), active)
    assert metrics(truth, less)["recovered_at_0.9"] == pytest.approx(1 / 3)


def test_of_copies_the_activations_count_in_the_mean():
    """One class, active on rows 1 and 2; the first copy says row 3, the second rows 2 and 3."""
    activations = np.array([[1.0], [1.0], [0.0], [0.0]])
    key = FeatureKey(np.eye(1, 2), np.array([0]), np.array([False]), (("v", 0),))
    truth = FeatureTruth.of(key, FeatureRows(activations @ np.eye(1, 2), activations))
    values = np.array([[0.0, 0, 1, 0], [0, 1, 1, 0]]).T
    for order in ([0, 1], [1, 0]):
        found = metrics(truth, FoundFeatures(np.eye(1, 2)[[0, 0]], values[:, order]))
        assert found["matched_cosine"] == 1
        assert found["activation_f1"] == pytest.approx((0 + 2 * 1 / (2 + 2)) / 2)
        # Of the second copy two pairs are even, one right and one wrong; of the first two wrong.
        assert found["activation_auroc"] == pytest.approx((1 / 4 + 1 / 2) / 2)
        assert n_duplicates(np.eye(1, 2)[[0, 0]]) == 1


def test_features_of_a_class_that_cancel_each_other_move_nothing():
    """Opposite directions with the same activation; a class beside it is scored as ever."""
    activations = np.array([[1.0, 1, 0], [2, 2, 1], [0, 0, 1]])
    directions = np.array([[1.0, 0], [-1, 0], [0, 1]])
    names = (("a", 0), ("b", 0), ("c", 0))
    key = FeatureKey(directions, np.array([0, 0, 1]), np.zeros(3, bool), names)
    rows = FeatureRows(activations @ directions, activations)
    truth = FeatureTruth.of(key, rows)
    assert truth.telling.tolist() == [False, True]
    assert not truth.both_ways.any()
    np.testing.assert_allclose(metrics(truth, oracle(key, rows))["matched_cosine"], 1)
    assert metrics(truth, oracle(key, rows))["activation_f1"] == 1


def test_any_vector_of_the_span_of_a_class_is_right(example):
    truth = FeatureTruth.of(*example)
    for direction in ([0, 1, 0, 0], [0, 0, -2, 0], [0, 0.6, 0.8, 0]):
        cosines = class_cosines(truth, np.array([direction], dtype=float))
        np.testing.assert_allclose(cosines, [[0.0], [1.0]])


def test_constant_and_dead_classes_are_not_asked_for(example):
    truth = FeatureTruth.of(*example)
    assert truth.n_classes == 2
    np.testing.assert_array_equal(truth.active.T, [[1, 1, 0, 0], [0, 1, 1, 0]])


def test_a_class_that_moves_both_ways_is_read_by_magnitude():
    activations = np.array([[2.0], [-1.0], [0.0], [0.0]])
    key = FeatureKey(np.eye(1, 2), np.array([0]), np.array([False]), (("n", None),))
    truth = FeatureTruth.of(key, FeatureRows(activations @ np.eye(1, 2), activations))
    assert truth.both_ways.tolist() == [True]
    for sign in (1, -1):
        found = FoundFeatures(sign * np.eye(1, 2), sign * activations)
        assert set(metrics(truth, found).values()) == {1.0}


def test_classes_that_are_always_or_never_active_on_the_rows_have_no_activity_to_score(example):
    key, rows = example
    always = FeatureRows(rows.streams[1:2], rows.activations[1:2])
    truth = FeatureTruth.of(key, always)
    assert truth.n_classes == 2
    assert not truth.telling.any()
    assert set(metrics(truth, oracle(key, always))) == set(NAMES[:3])


def test_a_direction_at_a_right_angle_has_no_sign_and_is_read_both_ways(example):
    truth = FeatureTruth.of(*example)
    values = np.array([[0.0], [1.0], [1.0], [0.0]])
    for sign in (1, -1):
        f1s, aurocs = class_activity(truth, FoundFeatures(sign * np.eye(4)[3:], sign * values))
        np.testing.assert_allclose(f1s.ravel(), [(0.5 + 0) / 2, (1 + 0) / 2])
        np.testing.assert_allclose(aurocs.ravel(), [0.5, 0.5])


def test_duplicates_dead_units_and_what_is_left_unexplained():
    directions = np.array([[1.0, 0], [2, 0.1], [0, 1], [-1, 0], [0.7, 0.7]])
    assert n_duplicates(directions) == 2
    assert n_dead_units(np.array([[0.0, 1, 0], [0.0, 0, 0]])) == 2
    streams = np.array([[3.0, 1], [1, 1], [2, 4]])
    whole = FoundFeatures(np.eye(2), streams - 7.0)  # an offset is for free
    assert unexplained(streams, whole) == pytest.approx(0)
    assert unexplained(streams, replace(whole, activations=0 * streams)) == pytest.approx(1)
    first = FoundFeatures(np.eye(2)[:1], streams[:, :1])
    assert unexplained(streams, first) == pytest.approx(6 / 8)
    assert unexplained(np.ones((3, 2)), first) == 0


# -- laws --------------------------------------------------------------------------


@FEW
@given(SEEDS)
def test_the_basis_of_the_stream_does_not_matter(seed):
    rng, key, rows, truth = drawn(seed)
    found = drawn_answer(rng, truth)
    basis, _ = np.linalg.qr(rng.normal(size=(rows.streams.shape[1],) * 2))
    turned = FeatureTruth.of(
        replace(key, directions=key.directions @ basis),
        FeatureRows(rows.streams @ basis, rows.activations),
    )
    also = FoundFeatures(found.directions @ basis, found.activations)
    assert metrics(turned, also) == pytest.approx(metrics(truth, found))
    assert unexplained(turned.streams, also) == pytest.approx(unexplained(truth.streams, found))


@FEW
@given(SEEDS)
def test_more_directions_never_lower_a_cosine(seed):
    rng, _, _, truth = drawn(seed)
    found, more = drawn_answer(rng, truth), drawn_answer(rng, truth)
    both = FoundFeatures(
        np.concatenate([found.directions, more.directions]),
        np.concatenate([found.activations, more.activations], axis=1),
    )
    before, after = Matching.of(truth, found), Matching.of(truth, both)
    assert (after.largest >= before.largest - 1e-12).all()
    assert after.cosine.sum() >= before.cosine.sum() - 1e-7
    assert (before.cosine <= before.largest + 1e-12).all()


@FEW
@given(SEEDS)
def test_a_copy_of_a_feature_in_the_key_changes_nothing(seed):
    rng, key, rows, truth = drawn(seed)
    copied = rng.integers(len(key.class_of))
    again = [*range(len(key.class_of)), copied]
    more = FeatureKey(
        key.directions[again],
        key.class_of[again],
        key.constant[again],
        tuple(key.names[place] for place in again),
    )
    shared = rows.activations[:, again]
    shared[:, [copied, -1]] /= 2  # the two together do what the one did
    doubled = FeatureTruth.of(more, FeatureRows(rows.streams, shared))
    found = drawn_answer(rng, truth)
    assert metrics(doubled, found) == pytest.approx(metrics(truth, found))


@FEW
@given(SEEDS)
def test_any_member_of_a_class_earns_the_same(seed):
    rng, key, rows, truth = drawn(seed)
    asked = [
        c for c in np.unique(key.class_of) if c >= 0 and not key.constant[key.class_of == c][0]
    ]
    member = [rng.choice(np.flatnonzero(key.class_of == number)) for number in asked]
    found = FoundFeatures(key.directions[member], rows.activations[:, member])
    values = metrics(truth, found)
    assert values["matched_cosine"] == pytest.approx(1)
    assert values["recovered_at_0.9"] == 1


@FEW
@given(SEEDS)
def test_an_empty_answer_earns_nothing(seed):
    _, _, rows, truth = drawn(seed)
    n_rows, d_model = rows.streams.shape
    nothing = FoundFeatures(np.zeros((0, d_model)), np.zeros((n_rows, 0)))
    assert metrics(truth, nothing) == dict(zip(NAMES, [0, 0, 0, 0, 0.5], strict=True))
    assert unexplained(rows.streams, nothing) == pytest.approx(1)
    still = FoundFeatures(np.eye(1, d_model), np.full((n_rows, 1), 3.0))
    assert metrics(truth, still)["activation_auroc"] == 0.5


@pytest.mark.parametrize("answer", [random_features, spread_features])
@pytest.mark.parametrize("seed", range(3))
def test_the_mean_of_blind_answers_is_the_mean_over_many_draws(seed, answer):
    rng, _, _, truth = drawn(seed)
    means = mean_of_blind(answer, truth, 6, seed=seed, draws=300)
    drawn_values = [metrics(truth, answer(truth.streams, 6, rng)) for _ in range(300)]
    for name, mean in means.items():
        values = np.array([one[name] for one in drawn_values])
        error = values.std() * np.sqrt(2 / 300)
        assert abs(values.mean() - mean) <= 5 * error + 1e-12, name
        assert 0 <= mean < 1


def test_the_floor_is_the_higher_of_the_two_means():
    _, _, _, truth = drawn(0)
    random, spread = (
        mean_of_blind(answer, truth, 5, seed=3, draws=8)
        for answer in (random_features, spread_features)
    )
    floors = blind_floors(truth, 5, seed=3, draws=8)
    assert floors == {name: max(random[name], spread[name]) for name in NAMES}
    assert any(floors[name] > random[name] for name in NAMES)
    assert any(floors[name] > spread[name] for name in NAMES)


def test_floors_follow_the_seed_and_need_a_draw():
    _, _, _, truth = drawn(0)
    floors = [blind_floors(truth, 5, seed=seed, draws=4) for seed in (0, 0, 1)]
    assert floors[0] == floors[1] != floors[2]
    with pytest.raises(AnswerError, match="A floor needs at least one draw, got draws=0"):
        blind_floors(truth, 5, seed=0, draws=0)


def test_five_features_in_a_plane_are_all_but_had_by_spreading_ten_lines():
    """The nearest of ten lines is 9 degrees away at most, wherever a feature points."""
    rng = np.random.default_rng(0)
    angles = np.pi * (np.arange(5) / 5 + rng.uniform(-0.08, 0.08, size=5))
    directions = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    activations = rng.uniform(size=(40, 5)) * (rng.uniform(size=(40, 5)) < 0.2)
    key = FeatureKey(
        directions, np.arange(5), np.zeros(5, bool), tuple((f"x{i}", None) for i in range(5))
    )
    truth = FeatureTruth.of(key, FeatureRows(activations @ directions, activations))
    random, spread = (
        mean_of_blind(answer, truth, 10, seed=0)["matched_cosine"]
        for answer in (random_features, spread_features)
    )
    assert random < 0.985
    assert np.cos(np.pi / 20) < spread < 1
    assert blind_floors(truth, 10, seed=0)["matched_cosine"] == spread


# -- peers -------------------------------------------------------------------------


@FEW
@given(SEEDS)
def test_the_matching_has_the_largest_sum_of_all(seed):
    rng, _, _, truth = drawn(seed)
    found = drawn_answer(rng, truth, most=7)
    cosines = class_cosines(truth, found.directions)
    if len(cosines) > cosines.shape[1]:
        cosines = cosines.T
    rows = np.arange(len(cosines))
    best = max(
        cosines[rows, list(columns)].sum()
        for columns in permutations(range(cosines.shape[1]), len(rows))
    )
    assert Matching.of(truth, found).cosine.sum() == pytest.approx(best, abs=1e-7)


@FEW
@given(SEEDS)
def test_cosines_are_those_of_the_nearest_vector_of_the_span(seed):
    rng, key, _, truth = drawn(seed)
    found = drawn_answer(rng, truth)
    cosines = class_cosines(truth, found.directions)
    asked = [
        c for c in np.unique(key.class_of) if c >= 0 and not key.constant[key.class_of == c][0]
    ]
    for row, number in enumerate(asked):
        members = key.directions[key.class_of == number]
        for column, direction in enumerate(found.directions):
            weights, *_ = np.linalg.lstsq(members.T, direction, rcond=None)
            nearest = weights @ members
            expected = nearest @ direction / np.linalg.norm(nearest) / np.linalg.norm(direction)
            assert cosines[row, column] == pytest.approx(expected)


@FEW
@given(SEEDS)
def test_activity_is_that_of_scikit_learn(seed):
    rng, _, _, truth = drawn(seed)
    found = drawn_answer(rng, truth)
    f1s, aurocs = class_activity(truth, found)
    for row in range(truth.n_classes):
        for unit, direction in enumerate(found.directions):
            values = found.activations[:, unit]
            values = np.abs(values) if truth.both_ways[row] else values
            if not truth.both_ways[row] and truth.moves[row] @ direction < 0:
                values = -values
            active = truth.active[:, row]
            assert f1s[row, unit] == pytest.approx(f1_score(active, values > 0))
            assert aurocs[row, unit] == pytest.approx(roc_auc_score(active, values))
