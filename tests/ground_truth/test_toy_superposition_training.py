"""Training of toy models: gradients, seeds, and the solutions that are known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from glassbench.errors import TaskError
from glassbench.ground_truth.toy_superposition import (
    ToySetting,
    column_norms,
    dimensionality,
    reconstruction_loss,
)
from glassbench.ground_truth.toy_superposition_training import ToyRecipe, inputs, toy_loss, train

QUICK = ToyRecipe(steps=60, batch=64, test=512)


def test_loss_and_gradient_are_those_of_numpy():
    rng = np.random.default_rng(0)
    W, b, importance = rng.normal(size=(2, 4)), rng.normal(size=4), rng.random(4)
    x = rng.random((50, 4))
    arrays = [jnp.asarray(one, jnp.float32) for one in (W, b, x, importance)]
    value, slopes = jax.value_and_grad(toy_loss, argnums=(0, 1))(*arrays)
    assert float(value) == pytest.approx(reconstruction_loss(W, b, x, importance), rel=1e-5)
    for place, (array, slope) in enumerate(zip((W, b), slopes, strict=True)):
        for index in np.ndindex(array.shape):
            step = np.zeros(array.shape)
            step[index] = 1e-5
            up, down = (
                reconstruction_loss(
                    *(W + s * step, b) if place == 0 else (W, b + s * step), x, importance
                )
                for s in (1, -1)
            )
            assert float(slope[index]) == pytest.approx((up - down) / 2e-5, rel=2e-3, abs=2e-5)


def test_inputs_of_all_settings_come_from_the_same_numbers():
    x = np.asarray(inputs(jax.random.PRNGKey(0), 20_000, 3, jnp.array([1.0, 0.5, 0.1])))
    np.testing.assert_allclose((x > 0).mean(axis=(1, 2)), [1, 0.5, 0.1], atol=0.01)
    assert x.min() >= 0 and x.max() <= 1
    for one in x:
        assert one[one > 0].mean() == pytest.approx(0.5, abs=0.02)
    assert not ((x[2] > 0) & (x[1] == 0)).any()


def test_a_seed_gives_the_same_bytes_and_another_seed_others():
    setting = ToySetting.decaying(4, 2, 0.7, 0.9)
    one, again = (train([setting], [5], QUICK) for _ in range(2))
    assert one.W.dtype == one.b.dtype == np.float32
    assert one.W.shape == (1, 1, 2, 4) and one.b.shape == (1, 1, 4) and one.loss.shape == (1, 1)
    for name in ("W", "b", "loss"):
        assert getattr(one, name).tobytes() == getattr(again, name).tobytes()
    assert (train([setting], [6], QUICK).W != one.W).any()


def test_toys_trained_together_are_those_trained_one_by_one():
    settings = [ToySetting.decaying(4, 2, s, r) for s, r in ((0.0, 0.9), (0.5, 1.0), (0.9, 0.7))]
    together = train(settings, [0, 3], QUICK)
    for i, setting in enumerate(settings):
        for j, seed in enumerate((0, 3)):
            alone = train([setting], [seed], QUICK)
            np.testing.assert_allclose(together.W[i, j], alone.W[0, 0], atol=1e-4)
            np.testing.assert_allclose(together.b[i, j], alone.b[0, 0], atol=1e-4)
            np.testing.assert_allclose(together.loss[i, j], alone.loss[0, 0], rtol=1e-3)


def test_best_takes_the_seed_with_the_least_loss():
    settings = [ToySetting.decaying(5, 2, s) for s in (0.2, 0.9)]
    trained = train(settings, range(4), QUICK)
    W, b = trained.best()
    for i in range(2):
        seed = trained.loss[i].argmin()
        assert (W[i] == trained.W[i, seed]).all() and (b[i] == trained.b[i, seed]).all()


def test_dense_features_are_kept_by_importance_as_pca_would():
    (W,), _ = train([ToySetting.decaying(5, 2, 0.0, 0.6)], range(2), ToyRecipe(1500, 256)).best()
    np.testing.assert_allclose(column_norms(W), [1, 1, 0, 0, 0], atol=0.05)
    assert abs(W[:, 0] @ W[:, 1]) < 0.05


def test_sparse_features_share_the_plane_as_a_pentagon():
    (W,), _ = train([ToySetting.decaying(5, 2, 0.95)], range(3), ToyRecipe(2000, 1024)).best()
    np.testing.assert_allclose(dimensionality(W), 2 / 5, atol=0.02)
    angles = np.sort(np.arctan2(W[1], W[0]))
    np.testing.assert_allclose(np.diff(angles), 2 * np.pi / 5, atol=0.1)


def test_sizes_that_differ_cannot_be_trained_together():
    settings = [ToySetting.decaying(4, 2, 0.5), ToySetting.decaying(5, 2, 0.5)]
    message = (
        "Toy models that are trained together must have the same n and d, and a seed each, got 1 "
        "seeds and sizes n=4, d=2, n=5, d=2; train each size in a call of its own"
    )
    with pytest.raises(TaskError) as caught:
        train(settings, [0])
    assert str(caught.value) == message
    with pytest.raises(TaskError, match=r"got 0 seeds and sizes n=4, d=2;"):
        train(settings[:1], [])
    with pytest.raises(TaskError, match=r"got 1 seeds and sizes none;"):
        train([], [0])
