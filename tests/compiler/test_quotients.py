"""Classes of rows that are alike."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.compiler.quotients import classes, membership


@given(
    st.integers(0, 6),
    st.lists(st.integers(0, 3), max_size=2),
    st.sampled_from([bool, np.int64, np.int8, np.float64]),
    st.integers(0, 2**32 - 1),
)
def test_classes_are_those_of_equal_rows(n_rows, rest, dtype, seed):
    rows = np.random.default_rng(seed).integers(0, 2, size=(n_rows, *rest)).astype(dtype)
    first, member_of = classes(rows)
    assert first.tolist() == sorted(set(first.tolist()))
    assert len(member_of) == n_rows
    for place, row in enumerate(rows):
        earlier = [other for other in range(n_rows) if np.array_equal(rows[other], row)]
        assert first[member_of[place]] == earlier[0]
    np.testing.assert_array_equal(rows[first[member_of]], rows)


def test_rows_of_nothing_are_alike():
    first, member_of = classes(np.zeros((3, 0)))
    assert (first.tolist(), member_of.tolist()) == ([0], [0, 0, 0])


def test_bits_beyond_a_byte_count():
    rows = np.zeros((3, 17), dtype=bool)
    rows[1, 16] = True
    first, member_of = classes(rows)
    assert (first.tolist(), member_of.tolist()) == ([0, 1], [0, 1, 0])


def test_rows_need_not_lie_next_to_each_other():
    columns = np.array([[1, 2, 1], [0, 0, 0]])
    assert classes(columns.T)[1].tolist() == [0, 1, 0]
    assert classes(columns[:, ::-1].T)[1].tolist() == [0, 1, 0]


@pytest.mark.parametrize("n_classes", [0, 1, 3])
def test_membership(n_classes):
    member_of = np.array([*range(n_classes), -1])
    matrix = membership(member_of, n_classes)
    assert matrix.shape == (n_classes + 1, n_classes)
    assert matrix.dtype == np.float64
    np.testing.assert_array_equal(matrix[:-1], np.eye(n_classes))
    assert not matrix[-1].any()
