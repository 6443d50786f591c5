"""nnsight beside ours and TransformerLens, on the same pairs: the same numbers."""

import pytest

pytest.importorskip("nnsight", reason="pip install 'glassbench[nnsight]'")

from glassbench.evaluators import built_in, scored
from glassbench.evaluators.adapters import nnsight_patching, transformer_lens_patching


@pytest.mark.parametrize(
    ("function", "other"),
    [
        (
            nnsight_patching.attribution_patching,
            built_in("circuit")["attribution-patching"].function,
        ),
        (nnsight_patching.activation_patching, transformer_lens_patching.activation_patching),
    ],
    ids=["attribution", "activation"],
)
def test_it_gives_what_others_give(random_circuit_problem, function, other):
    found, expected = function(random_circuit_problem), other(random_circuit_problem)
    assert list(found) == list(random_circuit_problem.edges)
    largest = max(expected.values())
    assert sum(score > 1e-3 * largest for score in expected.values()) > 20
    for edge, score in found.items():
        assert abs(score - expected[edge]) < 1e-4 * largest, edge


def test_it_is_scored_by_name():
    result = scored("nnsight-activation-patching", "histogram[vocab=2,length=3]").result
    assert result.status == "ok"
    assert result.tool_version.startswith("0.")
