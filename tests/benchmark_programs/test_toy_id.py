"""Names of toy models of superposition."""

import pytest

from glassbench.benchmark_programs import TaskId, ToyId, is_toy
from glassbench.errors import TaskError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("toy_superposition", "toy_superposition-v1[n=5,d=2,sparsity=95,seed=0]"),
        (" toy_superposition[d=2,n=5] ", "toy_superposition-v1[n=5,d=2,sparsity=95,seed=0]"),
        ("toy_superposition[n=40,d=10]", "toy_superposition-v1[n=40,d=10,sparsity=95,seed=0]"),
        (
            "toy_superposition-v1[seed=3,sparsity=0,n=2,d=1]",
            "toy_superposition-v1[n=2,d=1,sparsity=0,seed=3]",
        ),
    ],
)
def test_each_toy_has_one_text(text, canonical):
    toy = ToyId.parse(text)
    assert str(toy) == canonical
    assert ToyId.parse(canonical) == toy
    assert hash(ToyId.parse(canonical)) == hash(toy)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "toy_superposition[n=5",
            "The id of a toy must read toy_superposition[n=N,d=N,sparsity=N,seed=N], each part in "
            "square brackets may be left out and there are no regimes, got "
            "'toy_superposition[n=5'.",
        ),
        (
            "toy_superposition-v2",
            "There is no version 2 of 'toy_superposition'. Known: toy_superposition-v1.",
        ),
        (
            "toy_superposition[n=5,sparcity=9,n=1]",
            "The id 'toy_superposition[n=5,sparcity=9,n=1]' cannot be read:\n"
            "  - There is no parameter 'sparcity'. Did you mean 'sparsity'? Known: d, n, seed, "
            "sparsity.\n"
            "  - n must stand once, got it twice.\n"
            "  - n must be from 2 to 200, got 1.\n"
            "  - d must be from 1 to 1, got 2.",
        ),
        (
            "toy_superposition[n=3,d=4,sparsity=100,seed=2147483648]",
            "The id 'toy_superposition[n=3,d=4,sparsity=100,seed=2147483648]' cannot be read:\n"
            "  - d must be from 1 to 3, got 4.\n"
            "  - sparsity must be from 0 to 99, got 100.\n"
            "  - seed must be from 0 to 2147483647, got 2147483648.",
        ),
    ],
)
def test_what_is_no_toy_is_told(text, message):
    with pytest.raises(TaskError) as caught:
        ToyId.parse(text)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "text", ["toy_superposition/scrambled", "toy_superposition[", " toy_superposition-v7"]
)
def test_malformed_toys_are_meant_as_toys(text):
    assert is_toy(text)


@pytest.mark.parametrize("text", ["", "histogram", "toy_superpositions", "toy", "sort[large]"])
def test_other_names_are_not(text):
    assert not is_toy(text)


def test_toys_are_no_programs_and_are_suggested():
    with pytest.raises(TaskError, match="Did you mean 'toy_superposition'"):
        TaskId.parse("toy_superpositon[n=5,d=2]")
    with pytest.raises(TaskError) as caught:
        TaskId.parse("toy_superposition[n=5,d=2]")
    assert str(caught.value) == (
        "This needs a program, and toy_superposition is a toy model, which has no program, no "
        "circuit and no bundle; load it with glassbench.load, or score methods on it with "
        "--track features"
    )
