"""The toy model in NumPy: inputs, the loss, and how features share dimensions."""

import numpy as np
import pytest

from glassbench.errors import TaskError
from glassbench.ground_truth.toy_superposition import (
    ToySetting,
    column_norms,
    dimensionality,
    dimensions_per_feature,
    draw_inputs,
    interference,
    n_represented,
    overlaps,
    reconstruct,
    reconstruction_loss,
)


def polygon(n):
    """Return `n` columns of length 1 at equal angles in the plane."""
    angles = 2 * np.pi * np.arange(n) / n
    return np.array([np.cos(angles), np.sin(angles)])


def test_the_loss_term_by_term():
    rng = np.random.default_rng(0)
    W, b, importance = rng.normal(size=(2, 4)), rng.normal(size=4), np.array([1, 0.5, 2, 0.1])
    x = draw_inputs(4, 7, 0.3, rng)
    total = 0.0
    for row in x:
        hidden = [sum(W[k, j] * row[j] for j in range(4)) for k in range(2)]
        for i in range(4):
            output = max(0.0, sum(W[k, i] * hidden[k] for k in range(2)) + b[i])
            total += importance[i] * (row[i] - output) ** 2
    assert reconstruction_loss(W, b, x, importance) == pytest.approx(total / (7 * 4))


def test_several_toys_at_once():
    rng = np.random.default_rng(1)
    W, b, x = rng.normal(size=(3, 2, 4)), rng.normal(size=(3, 4)), rng.random((3, 6, 4))
    for i in range(3):
        np.testing.assert_allclose(reconstruct(W, b, x)[i], reconstruct(W[i], b[i], x[i]))
        np.testing.assert_allclose(dimensionality(W)[i], dimensionality(W[i]))
        np.testing.assert_allclose(interference(W)[i], interference(W[i]))
        assert dimensions_per_feature(W)[i] == pytest.approx(dimensions_per_feature(W[i]))


@pytest.mark.parametrize("n", [2, 3, 5, 8])
def test_features_of_a_polygon_share_two_dimensions_evenly(n):
    W = polygon(n)
    share = 1 / 2 if n == 2 else 2 / n
    np.testing.assert_allclose(dimensionality(W), share)
    np.testing.assert_allclose(interference(W), 1 / share - 1)
    assert dimensions_per_feature(W) == pytest.approx(2 / n)
    assert n_represented(W) == n


def test_what_is_measured_of_features_given_up():
    W = np.array([[1.0, 0.0, 0.0, 0.4], [0.0, -2.0, 0.0, 0.0]])
    np.testing.assert_allclose(column_norms(W), [1, 2, 0, 0.4])
    np.testing.assert_allclose(overlaps(W)[2], 0)
    np.testing.assert_allclose(interference(W), [0.16, 0, 0, 1])
    np.testing.assert_allclose(dimensionality(W), [1 / 1.16, 1, 0, 0.16 / 1.16])
    assert n_represented(W) == 2


def test_inputs_are_zero_with_the_stated_probability():
    x = draw_inputs(3, 40_000, 0.8, np.random.default_rng(2))
    np.testing.assert_allclose((x == 0).mean(axis=0), 0.8, atol=0.01)
    active = x[x != 0]
    assert (active > 0).all() and (active < 1).all()
    assert active.mean() == pytest.approx(0.5, abs=0.01)
    np.testing.assert_allclose(np.corrcoef(x.T), np.eye(3), atol=0.02)
    assert (draw_inputs(3, 50, 0.0, np.random.default_rng(3)) > 0).all()


def test_settings_that_cannot_be_trained_are_told():
    with pytest.raises(TaskError) as caught:
        ToySetting(3, 1.0, (1.0, -2.0))
    assert str(caught.value) == (
        "A toy model cannot be trained so; mend:\n"
        "  - d must be from 1 to the number of features, 2, got 3\n"
        "  - sparsity must be at least 0 and below 1, got 1\n"
        "  - importance must be positive and finite, got -2 for feature 1"
    )
    setting = ToySetting.decaying(4, 2, 0.25, 0.5)
    assert (setting.n, setting.density, setting.importance[3]) == (4, 0.75, 0.125)
