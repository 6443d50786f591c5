"""Traits are what can be seen of a program."""

import pytest

from glassbench.benchmark_programs import TRAITS, get_program, programs, traits


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("histogram", ("attention", "width", "hops-1")),
        ("sort_by_frequency", ("attention", "width", "hops-3")),
        ("frac_prevs", ("attention", "mean", "numerical", "hops-1")),
        ("detect_pattern", ("attention", "causal", "hops-1")),
        ("shuffle_dyck1", ("attention", "width", "mean", "hops-2")),
    ],
)
def test_known_traits(name, expected):
    assert traits(get_program(name)) == expected


def test_every_trait_is_explained():
    seen = {trait for spec in programs().values() for trait in traits(spec)}
    assert {trait if "hops" not in trait else "hops-N" for trait in seen} == set(TRAITS)
