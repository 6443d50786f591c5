"""What toy models should find: expected losses by quadrature, and the best known solution."""

import numpy as np
import pytest

from glassbench.errors import TaskError
from glassbench.ground_truth.toy_superposition import ToySetting, draw_inputs, reconstruction_loss
from glassbench.ground_truth.toy_superposition_theory import (
    Phase,
    candidates,
    expected_loss,
    phase_of,
    plain_border,
)


@pytest.mark.parametrize("n", [2, 3])
def test_the_expected_loss_is_the_mean_over_many_inputs(n):
    rng = np.random.default_rng(n)
    W, b = rng.normal(size=(n - 1, n)), 0.3 * rng.normal(size=n)
    setting = ToySetting.decaying(n, n - 1, 0.6, 0.5)
    x = draw_inputs(n, 400_000, 0.6, rng)
    drawn = reconstruction_loss(W, b, x, np.array(setting.importance))
    assert expected_loss(W, b, setting, nodes=24) == pytest.approx(drawn, rel=0.01)


@pytest.mark.parametrize("density", [1.0, 0.4, 0.03])
def test_losses_that_are_known_in_closed_form(density):
    setting = ToySetting(1, 1 - density, (1.0, 3.0))
    plain = expected_loss(np.array([[1.0, -1.0]]), np.zeros(2), setting)
    assert plain == pytest.approx(4 * density**2 / 6 / 2, rel=1e-3)
    kept = expected_loss(np.array([[1.0, 0.0]]), np.array([0.0, density / 2]), setting)
    variance = density / 3 - density**2 / 4
    assert kept == pytest.approx(3 * variance / 2)
    found = candidates(3.0, 1 - density)
    assert found.losses[Phase.GIVEN_UP] == pytest.approx(kept)
    assert found.losses[Phase.OWN_DIMENSION] == pytest.approx(variance / 2)
    assert found.losses[Phase.SUPERPOSITION] <= plain * (1 + 1e-9)
    a, c, *b = found.pair
    again = expected_loss(np.array([[a, -c]]), np.array(b), setting)
    assert again == pytest.approx(found.losses[Phase.SUPERPOSITION])


def test_no_other_solution_near_the_best_superposition_is_better():
    found, setting = candidates(1.4, 0.8), ToySetting(1, 0.8, (1.0, 1.4))
    rng = np.random.default_rng(0)
    for step in 0.02 * rng.normal(size=(50, 4)):
        a, c, first, second = np.array(found.pair) + step
        other = expected_loss(np.array([[a, -c]]), np.array([first, second]), setting)
        assert other > found.losses[Phase.SUPERPOSITION] - 1e-9


def test_the_phase_is_that_of_the_least_loss():
    for ratio, sparsity, phase in (
        (0.1, 0.3, Phase.GIVEN_UP),
        (10.0, 0.3, Phase.OWN_DIMENSION),
        (1.2, 0.95, Phase.SUPERPOSITION),
    ):
        found = candidates(ratio, sparsity)
        assert found.phase is phase
        assert found.least == found.losses[phase]
        assert found.gap == pytest.approx(sorted(found.losses.values())[1] / found.least - 1)


def test_at_the_plain_border_both_plain_solutions_lose_the_same():
    for ratio in (0.2, 0.9, 1.0, 3.0):
        p = plain_border(ratio)
        superposed = (1 + ratio) * p**2 / 6
        assert superposed == pytest.approx(min(ratio, 1) * (p / 3 - p**2 / 4))


@pytest.mark.parametrize(
    ("columns", "phase"),
    [
        ((1.0, 0.1), Phase.GIVEN_UP),
        ((0.2, -0.9), Phase.OWN_DIMENSION),
        ((0.8, -0.7), Phase.SUPERPOSITION),
    ],
)
def test_phases_are_read_from_the_columns(columns, phase):
    assert phase_of(np.array([columns])) is phase


@pytest.mark.parametrize(
    ("W", "phase"),
    [
        ([[1, 0, 0.1], [0, 1, 0.1]], Phase.GIVEN_UP),
        ([[1, 0, 0], [0, 1, -0.8]], Phase.SUPERPOSITION),
        ([[0, -1, 0.8], [0.2, 0, 0.9]], Phase.SUPERPOSITION),
        ([[1, 0.1, 0], [0, 0.1, 1]], Phase.OWN_DIMENSION),
        ([[1, -1, 0.3], [0, 0.1, 1]], Phase.OTHERS_SHARE),
    ],
)
def test_phases_of_three_are_read_from_who_shares(W, phase):
    assert phase_of(np.array(W, float)) is phase


def two_and_one(pair, b, lone, density):
    """Return a toy of three features: two of them as given in one dimension, and the last."""
    W = np.array([[*pair, 0.0], [0.0, 0.0, lone]])
    return W, np.array([*b, 0.0 if lone else density / 2])


@pytest.mark.parametrize(("ratio", "density"), [(0.3, 0.2), (3.0, 0.2), (3.0, 0.9)])
def test_losses_of_three_are_those_of_their_blocks(ratio, density):
    found, pair = candidates(ratio, 1 - density, 3), candidates(1.0, 1 - density).pair
    a, c, *b = pair
    shared = two_and_one((a, -c), b, 1.0, density)
    setting = ToySetting(2, 1 - density, (1.0, 1.0, ratio))
    loss = expected_loss(*shared, setting)
    assert found.losses[Phase.OTHERS_SHARE] == pytest.approx(loss, rel=1e-6)
    a, c, *b = found.pair
    last_shares = two_and_one((a, -c), b, 1.0, density)
    turned = ToySetting(2, 1 - density, (1.0, ratio, 1.0))  # the last is the second here
    loss = expected_loss(*last_shares, turned)
    assert found.losses[Phase.SUPERPOSITION] == pytest.approx(loss, rel=1e-6)
    given_up = np.array([[1.0, 0, 0], [0, 1, 0]]), np.array([0, 0, density / 2])
    loss = expected_loss(*given_up, setting)
    assert found.losses[Phase.GIVEN_UP] == pytest.approx(loss, rel=1e-6)
    assert found.losses[Phase.OWN_DIMENSION] == pytest.approx(loss / ratio, rel=1e-6)


def test_the_two_that_matter_least_share():
    assert candidates(1.1, 0.9, 3).phase is Phase.OTHERS_SHARE
    assert candidates(0.9, 0.9, 3).phase is Phase.SUPERPOSITION
    assert candidates(0.1, 0.3, 3).phase is Phase.GIVEN_UP
    assert candidates(4.0, 0.0, 3).phase is Phase.OWN_DIMENSION


def test_other_numbers_of_features_have_no_known_solutions():
    with pytest.raises(TaskError, match="Solutions are known of 2 and of 3 features, got n=4"):
        candidates(1.0, 0.5, 4)


def test_too_many_combinations_are_refused():
    setting = ToySetting.decaying(5, 2, 0.5)
    with pytest.raises(TaskError) as caught:
        expected_loss(np.zeros((2, 5)), np.zeros(5), setting)
    assert str(caught.value) == (
        "The expected loss is taken over (nodes + 1) ** n inputs, 2,097,152 at most, got nodes=48 "
        "and n=5; take fewer nodes, or draw inputs instead"
    )
