"""Ridge functions: every image is found again from the sum, and close sums are refused."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.compiler.ridge import LEAST_GAP, ridge


def images_of(found, fst, snd):
    """Return what a ridge function gives for every pair of numbers: `[fst, snd]`."""
    weights, sums, table = found
    numbers = sums.numbers
    at = weights[0] * fst[:, None] + weights[1] * snd[None, :]
    nearest = np.abs(at[..., None] - numbers).argmin(axis=-1)
    # A sum between two numbers of one run has the image of both.
    return table[nearest]


def gaps_of(found):
    """Return the distances at which the image changes, relative to the largest sum."""
    _, sums, table = found
    numbers = sums.numbers
    changes = np.flatnonzero(table[1:] != table[:-1])
    return np.diff(numbers)[changes] / np.abs(numbers).max(initial=1e-300)


numbers = st.lists(
    st.integers(-40, 40).map(lambda n: n / 4), min_size=1, max_size=6, unique=True
).map(lambda found: np.array(sorted(found)))


@given(numbers, numbers, st.integers(0, 2**32 - 1))
@settings(deadline=None, max_examples=200)
def test_any_function_of_few_numbers_is_found_again(fst, snd, seed):
    table = np.random.default_rng(seed).integers(-1, 4, size=(len(fst), len(snd)))
    found = ridge(fst, snd, table)
    assert found is not None
    np.testing.assert_array_equal(images_of(found, fst, snd), table)
    weights, sums, images = found
    assert len(sums) == len(images)
    assert sums.values == tuple(sorted(set(sums.values)))
    assert (gaps_of(found) > LEAST_GAP).all()
    assert all(weights)


@pytest.mark.parametrize("compare", [np.equal, np.less, np.less_equal, np.not_equal])
def test_comparisons_read_the_difference(compare):
    fst, snd = np.arange(50.0), np.arange(40.0) / 2
    table = compare(fst[:, None], snd[None, :]).astype(np.int64)
    weights, sums, images = found = ridge(fst, snd, table)
    assert weights == (1.0, -1.0)
    # Of a run of equal images the ends are kept alone, and there are three runs at most.
    assert len(sums) == len(images) <= 6
    np.testing.assert_array_equal(images_of(found, fst, snd), table)


def test_what_is_symmetric_reads_the_sum():
    fst = snd = np.arange(5.0)
    table = ((fst[:, None] + snd[None, :]) % 2).astype(np.int64)
    weights, _, _ = ridge(fst, snd, np.abs(fst[:, None] + snd[None, :] - 4).astype(np.int64))
    assert weights == (1.0, 1.0)
    # Where the difference does as well it is taken: its parity is that of the sum.
    weights, _, _ = ridge(fst, snd, table)
    assert weights == (1.0, -1.0)


def test_what_tells_all_pairs_apart_has_a_weight_of_a_power_of_two():
    fst, snd = np.array([0.0, 0.25, 1.0]), np.array([0.0, 1.0, 3.0])
    table = np.arange(9).reshape(3, 3)
    weights, sums, images = ridge(fst, snd, table)
    assert len(sums) == 9
    assert sorted(images.tolist()) == list(range(9))
    assert 1.0 in weights
    assert np.log2(max(weights)) % 1 == 0


def test_a_constant_needs_two_sums_at_most():
    _, sums, images = ridge(np.arange(4.0), np.arange(3.0), np.zeros((4, 3), dtype=np.int64))
    assert len(sums) <= 2
    assert set(images.tolist()) == {0}


def test_sums_that_lie_too_close_are_refused():
    """`1 / n` for `n` up to 200: pairs of such numbers differ by too little in every sum."""
    shares = np.sort(1.0 / np.arange(1, 201))
    table = np.arange(200 * 200).reshape(200, 200)
    assert ridge(shares, shares, table) is None
    # Whether they are equal can still be seen, unless they differ by too little themselves.
    few = shares[-60:]
    equal = np.eye(60, dtype=np.int64)
    assert ridge(few, few, equal) is not None
    assert ridge(shares, shares, np.eye(200, dtype=np.int64)) is None


def test_sums_that_rounding_tells_apart_are_one():
    """`0.1 + 0.2` and `0.3 + 0.0` are the same sum."""
    fst, snd = np.array([0.1, 0.3]), np.array([0.0, 0.2])
    _, sums, _ = ridge(fst, snd, np.array([[0, 1], [1, 2]]))
    assert len(sums) == 3
