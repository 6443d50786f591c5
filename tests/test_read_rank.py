"""The read rank counts what readers must tell apart, and nothing else."""

import pytest

from glassbench import load


@pytest.mark.parametrize(
    ("task", "rank"),
    [
        # One token and its flag, the mean of flags, differences between five indices, and
        # whether a key is padding.
        ("frac_prevs", 1 + 1 + 1 + 4 + 1),
        ("frac_prevs[vocab=2,length=3]", 1 + 1 + 1 + 2 + 1),
        # Flags of one token, and of keys that are padding; the mean of flags, and whether it is 0.
        ("membership", 1 + 1 + 1 + 1 + 1),
        # Its answer is the same everywhere.
        ("mean_of_ones", 0),
    ],
)
def test_what_must_be_told_apart_is_counted(performance_script, task, rank):
    assert performance_script("read_rank").read_rank(load(task)) == rank
