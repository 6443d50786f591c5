"""A ProgramSpec refuses fields of another type when it is made."""

from dataclasses import replace

import pytest

from glassbench.benchmark_programs import Sizes, get_program
from glassbench.errors import ProgramError

HISTOGRAM = get_program("histogram")
SIZES = tuple(HISTOGRAM.sizes)
PAIRS = "Sizes(tiny, small, medium, large), each a tuple (vocab, length)"


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("name", 3, "must be a text, got int 3"),
        ("citation", None, "must be a text, got NoneType None"),
        ("version", "1", "must be an integer, got str '1'"),
        ("least_vocab", True, "must be an integer, got bool True"),
        ("oracle", "sorted", "must be a function, got str 'sorted'"),
        ("sizes", SIZES, f"must be {PAIRS}, got tuple ((2, 4), (4, 5), (6, 8), (8, 16))"),
        ("sizes", Sizes(*SIZES[:3], [8, 16]), f"must be {PAIRS}, got Sizes Sizes(tiny=(2, 4)"),
        ("sizes", Sizes(*SIZES[:3], (8, 16.0)), f"must be {PAIRS}, got Sizes"),
        ("tags", "sorting", "must be a tuple of texts, such as (\"sorting\",), got str 'sorting'"),
        ("tags", ["sorting"], "got list ['sorting']"),
        ("causal", 1, "must be True or False, got int 1"),
    ],
)
def test_fields_of_another_type_are_refused(field, value, told):
    with pytest.raises(ProgramError) as caught:
        replace(HISTOGRAM, **{field: value})
    heading, problem = str(caught.value).splitlines()
    assert "must be mended in these fields:" in heading
    assert problem.startswith(f"  - {field}: ")
    assert told in problem


def test_every_field_is_listed():
    with pytest.raises(ProgramError) as caught:
        replace(HISTOGRAM, family=None, tags="counting", sizes=())
    heading, *problems = str(caught.value).splitlines()
    assert heading == "The ProgramSpec 'histogram' must be mended in these fields:"
    assert [problem.split(":")[0] for problem in problems] == [
        "  - family",
        "  - sizes",
        "  - tags",
    ]
