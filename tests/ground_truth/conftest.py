"""Small tasks, each certified once."""

import pytest

from glassbench.ground_truth import Task, load

SMALL = {
    "histogram": "histogram[vocab=2,length=3]",
    "frac_prevs": "frac_prevs[vocab=2,length=3]",
    "sort": "sort[vocab=2,length=3]",
    "detect_pattern": "detect_pattern[vocab=3,length=3]",
}


@pytest.fixture(params=SMALL)
def task(request: pytest.FixtureRequest) -> Task:
    """Each of the small tasks."""
    return load(SMALL[request.param])


@pytest.fixture
def histogram() -> Task:
    """One head and one MLP."""
    return load(SMALL["histogram"])


@pytest.fixture
def frac_prevs() -> Task:
    """Numbers, positions and padding."""
    return load(SMALL["frac_prevs"])


@pytest.fixture
def sort() -> Task:
    """Two heads, one after the other."""
    return load(SMALL["sort"])
