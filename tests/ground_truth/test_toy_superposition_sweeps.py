"""Sweeps over sparsity and over importance: small ones, compared with what is known."""

import numpy as np
import pytest

from glassbench.errors import TaskError
from glassbench.ground_truth.toy_superposition import column_norms, n_represented
from glassbench.ground_truth.toy_superposition_sweeps import (
    PhasePicture,
    phase_picture,
    sparsity_sweep,
)
from glassbench.ground_truth.toy_superposition_theory import Phase
from glassbench.ground_truth.toy_superposition_training import ToyRecipe, train

QUICK = ToyRecipe(steps=700, batch=256, rate=3e-2, test=2**12)


def test_a_sweep_has_the_best_seed_at_each_sparsity():
    sweep = sparsity_sweep(4, 2, (0.0, 0.9), ratio=0.8, seeds=(0, 1), recipe=QUICK)
    trained = train(sweep.settings, (0, 1), QUICK)
    W, b = trained.best()
    np.testing.assert_array_equal(sweep.W, W)
    np.testing.assert_array_equal(sweep.b, b)
    np.testing.assert_array_equal(sweep.loss, trained.loss.min(axis=1))
    assert [setting.sparsity for setting in sweep.settings] == [0.0, 0.9]
    assert n_represented(sweep.W).tolist() == [2, 4]


@pytest.fixture(scope="module")
def picture():
    """Two features, far from the borders of the phases."""
    return phase_picture((0.2, 1.2, 5.0), (0.7, 0.05), seeds=range(3), recipe=QUICK)


def test_trained_models_are_in_the_phase_of_the_least_loss(picture):
    assert picture.measured == (
        (Phase.GIVEN_UP, Phase.SUPERPOSITION),
        (Phase.OWN_DIMENSION, Phase.SUPERPOSITION),
        (Phase.OWN_DIMENSION, Phase.SUPERPOSITION),
    )
    assert picture.agrees.all()
    assert (picture.gap > 0).all()
    assert np.abs(picture.excess).max() < 0.05


def test_agreement_and_excess_are_those_of_each_pair(picture):
    swapped = PhasePicture(
        picture.ratios, picture.densities, picture.W[::-1], 2 * picture.loss, picture.expected
    )
    assert swapped.agrees.tolist() == [[False, True], [True, True], [False, True]]
    least = picture.loss / (1 + picture.excess)
    np.testing.assert_allclose(swapped.excess, 2 * picture.loss / least - 1)
    assert picture.expected[2][1].least == pytest.approx(least[2, 1])
    assert column_norms(picture.W).shape == (3, 2, 2)


def test_three_features_in_two_dimensions():
    picture = phase_picture((0.2, 5.0), (0.4, 0.05), n=3, seeds=range(6), recipe=QUICK)
    assert picture.W.shape == (2, 2, 2, 3)
    assert picture.measured == (
        (Phase.GIVEN_UP, Phase.SUPERPOSITION),
        (Phase.OTHERS_SHARE, Phase.OTHERS_SHARE),
    )
    assert picture.agrees.all()
    assert np.abs(picture.excess).max() < 0.05


def test_the_best_seed_has_the_least_loss_in_expectation():
    """Among rare features a sample says little of who is better."""
    ratios, densities, seeds = (3.0,), (0.01,), range(6)
    several = phase_picture(ratios, densities, n=3, seeds=seeds, recipe=QUICK)
    each = [phase_picture(ratios, densities, n=3, seeds=(one,), recipe=QUICK) for one in seeds]
    assert several.loss.item() == min(one.loss.item() for one in each)


def test_a_sweep_tells_who_is_represented_and_shares():
    sweep = sparsity_sweep(4, 2, (0.0, 0.9), ratio=0.8, recipe=QUICK)
    assert sweep.represented.sum(axis=1).tolist() == n_represented(sweep.W).tolist()
    assert [len(one) for one in sweep.shares] == [2, 4]
    np.testing.assert_allclose(sweep.shares[0], 1, atol=0.05)
    np.testing.assert_allclose(sweep.shares[1], 0.5, atol=0.05)
    squares = np.square(sweep.W).sum(axis=(1, 2))
    np.testing.assert_allclose(sweep.dimensions_per_feature, 2 / squares)


def test_ranges_are_told():
    with pytest.raises(TaskError, match="Solutions are known of 2 and of 3 features, got n=5"):
        phase_picture((1.0,), (0.5,), n=5, seeds=(0,))
    with pytest.raises(TaskError, match="sparsity must be at least 0 and below 1, got 1"):
        phase_picture((1.0,), (0.0,), seeds=(0,))
    with pytest.raises(TaskError, match="importance must be positive and finite, got -1"):
        phase_picture((-1.0,), (0.5,), seeds=(0,))
    with pytest.raises(TaskError, match="got 1 seeds and sizes none"):
        sparsity_sweep(4, 2, ())
