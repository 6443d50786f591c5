"""Directions spread evenly: known packings, and no worse for being found again."""

import numpy as np
import pytest

from glassbench.evaluators.features_floors import spread_features
from glassbench.evaluators.spread_directions import spread_directions


def largest_cosine(directions):
    cosines = np.abs(directions @ directions.T)
    np.fill_diagonal(cosines, 0.0)
    return cosines.max()


@pytest.mark.parametrize(
    ("n", "d", "cosine"),
    [
        (1, 3, 0.0),
        (3, 2, np.cos(np.pi / 3)),
        (4, 2, np.cos(np.pi / 4)),
        (10, 2, np.cos(np.pi / 10)),
        (3, 3, 0.0),
        (4, 3, 1 / 3),  # the diagonals of a cube
        (6, 3, 1 / np.sqrt(5)),  # those of an icosahedron
        (5, 8, 0.0),
        (4, 1, 1.0),
    ],
)
def test_few_lines_are_packed_as_well_as_can_be(n, d, cosine):
    found = spread_directions(n, d)
    assert found.shape == (n, d)
    np.testing.assert_allclose(np.linalg.norm(found, axis=1), 1)
    assert largest_cosine(found) == pytest.approx(cosine, abs=1e-3)


@pytest.mark.parametrize(("n", "d"), [(22, 7), (14, 5), (50, 10), (156, 138)])
def test_many_lines_come_near_the_bound_of_all_packings(n, d):
    """Welch 1974: some two of n lines have a cosine of sqrt((n - d) / (d (n - 1))) or more."""
    found = spread_directions(n, d)
    drawn = np.random.default_rng(0).normal(size=(n, d))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    bound = np.sqrt((n - d) / (d * (n - 1)))
    at_random, spread = largest_cosine(drawn) - bound, largest_cosine(found) - bound
    assert 0 <= spread < 0.7 * at_random
    frame = found.T @ found  # evenly also in that no direction is preferred
    np.testing.assert_allclose(frame, np.eye(d) * n / d, atol=0.2 * n / d)


def test_they_are_the_same_at_every_call_and_cannot_be_changed():
    found = spread_directions(6, 4)
    assert spread_directions(6, 4) is found
    with pytest.raises(ValueError, match="read-only"):
        found[0, 0] = 1


def test_they_are_turned_as_a_whole_and_evenly():
    rng = np.random.default_rng(1)
    streams = np.random.default_rng(2).normal(size=(9, 3))
    still = spread_directions(5, 3)
    drawn = [spread_features(streams, 5, rng) for _ in range(600)]
    for one in drawn[:5]:
        gram = one.directions @ one.directions.T
        np.testing.assert_allclose(gram, still @ still.T, atol=1e-12)
        np.testing.assert_allclose(one.activations, streams @ one.directions.T)
    first = np.array([one.directions[0] for one in drawn])
    np.testing.assert_allclose(first.mean(axis=0), 0, atol=0.12)
    np.testing.assert_allclose(first.T @ first / 600, np.eye(3) / 3, atol=0.1)
