"""The read rank counts what readers must tell apart, and nothing else."""

import pytest

from glassbench import load
from glassbench.ground_truth.read_rank import read_rank


@pytest.mark.parametrize(
    ("task", "rank"),
    [
        # One token, its flag, the mean of flags, and differences between five indices.
        ("frac_prevs", 1 + 1 + 1 + 4),
        ("frac_prevs[vocab=2,length=3]", 1 + 1 + 1 + 2),
        # Its answer is the same everywhere.
        ("mean_of_ones", 0),
    ],
)
def test_what_must_be_told_apart_is_counted(task, rank):
    assert read_rank(load(task)) == rank
