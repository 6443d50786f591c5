"""All sequences, and samples of them."""

import itertools

import numpy as np
import pytest

from glassbench.compiler import InputSpace


@pytest.mark.parametrize(("n_tokens", "max_length"), [(1, 1), (1, 4), (2, 3), (3, 4)])
def test_everything_is_every_sequence_once(n_tokens, max_length):
    space = InputSpace(n_tokens, max_length)
    bos, pad = n_tokens, n_tokens + 1
    expected = [
        (bos, *tokens, *(pad,) * (max_length - length))
        for length in range(1, max_length + 1)
        for tokens in itertools.product(range(n_tokens), repeat=length)
    ]
    everything = space.everything()
    assert list(map(tuple, everything.tolist())) == expected
    assert len(everything) == space.size
    assert everything.dtype == np.int64


def test_samples_are_well_formed_and_hold_every_length_equally():
    tokens = InputSpace(4, 6).sample(60, seed=0)
    assert tokens.shape == (60, 7)
    assert (tokens[:, 0] == 4).all()
    real = tokens[:, 1:] < 4
    lengths = real.sum(axis=1)
    assert np.bincount(lengths).tolist() == [0] + [10] * 6
    # Tokens come first, then padding, and nothing else.
    assert (real == (np.arange(6) < lengths[:, None])).all()
    assert (tokens[:, 1:][~real] == 5).all()
    assert set(tokens[:, 1:][real].tolist()) == {0, 1, 2, 3}


def test_where_rows_are_fewer_than_lengths_the_longest_are_among_them():
    tokens = InputSpace(2, 200).sample(3, seed=0)
    assert sorted((tokens[:, 1:] < 2).sum(axis=1)) == [1, 100, 200]
    assert (InputSpace(2, 200).sample(1, seed=0)[:, 1:] < 2).all()


def test_samples_follow_their_seed():
    space = InputSpace(4, 6)
    np.testing.assert_array_equal(space.sample(50, seed=3), space.sample(50, seed=3))
    assert (space.sample(50, seed=3) != space.sample(50, seed=4)).any()


def test_samples_repeat_tokens_more_often_than_chance_would():
    tokens = InputSpace(30, 5).sample(900, seed=0)
    longest = tokens[(tokens < 30).sum(axis=1) == 5][:, 1:]
    distinct = np.array([len(set(row)) for row in longest.tolist()])
    assert (distinct == 1).mean() > 0.01  # by chance one in 810,000
    assert (distinct == 5).mean() > 0.2


def test_all_or_sample():
    space = InputSpace(2, 5)
    tokens, exhaustive = space.all_or_sample(62, seed=0)
    assert exhaustive
    assert len(tokens) == space.size == 62
    tokens, exhaustive = space.all_or_sample(61, seed=0)
    assert not exhaustive
    assert len(tokens) == 61
