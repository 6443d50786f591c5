"""Types are checked in the first calls of every test, and in few more."""

import jaxtyping
import numpy as np
import pytest
from beartype import beartype
from jaxtyping import Float

from glassbench.leaderboard.pairwise import holm


def test_wrong_types_are_told():
    @jaxtyping.jaxtyped(typechecker=beartype)
    def length(three: Float[np.ndarray, " 3"]) -> int:
        return len(three)

    told = []
    for _ in range(101):
        try:
            length(np.zeros(2))
        except jaxtyping.TypeCheckError:
            told.append(True)
        else:
            told.append(False)
    assert np.flatnonzero(told).tolist() == [0, 1, 50, 100]


@pytest.mark.parametrize("_test", range(2))
def test_the_modules_of_the_package_are_checked_in_every_test(_test):
    with pytest.raises(jaxtyping.TypeCheckError):
        holm([0.5, 0.5])
    for _ in range(30):
        holm(np.ones(3))
