"""SAELens trains dictionaries that are scored.

It needs an environment of its own: python -m glassbench.evaluators.adapters sae-lens
"""

import pytest

from glassbench.evaluators import scored
from glassbench.evaluators.adapters import ENVIRONMENTS

TASK = "histogram[vocab=2,length=3]"

pytestmark = pytest.mark.skipif(
    not ENVIRONMENTS["sae-lens"].is_there,
    reason="python -m glassbench.evaluators.adapters sae-lens",
)


@pytest.mark.parametrize("method", ["standard", pytest.param("topk", marks=pytest.mark.slow)])
def test_it_is_scored_by_name(method):
    result = scored(f"sae-lens-{method}", TASK, "features").result
    assert result.status == "ok"
    assert result.told["tool"] == "sae-lens"
    assert result.tool_version == "6.54.0"
    assert result.reported["unexplained_variance"] < 0.8
    assert 0 <= result.metrics[result.primary].value <= 1
