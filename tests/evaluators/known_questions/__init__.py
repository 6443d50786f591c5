"""Questions with their labels in hand, one kind for each track: what the laws of metrics are about.

A question measures answers and knows what the labels themselves would answer, how the random floor
draws, which answers say nothing, and in how many ways the same answer can be given. The laws in
`test_conformance.py` are stated in these words, and hold for every track.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

from glassbench.ground_truth import load

from .attribution import AttributionQuestion
from .circuit import CircuitQuestion
from .features import FeaturesQuestion
from .program import ProgramQuestion
from .question import Question, Rng
from .variables import VariablesQuestion

MADE_UP: Mapping[str, Callable[[Rng], Question]] = {
    "circuit": CircuitQuestion.made_up,
    "attribution": AttributionQuestion.made_up,
    "features": FeaturesQuestion.made_up,
    "variables": VariablesQuestion.made_up,
    "program": ProgramQuestion.made_up,
}
"""Questions about made-up labels, by track."""

_CROWDED = "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled"
_FRACTION = "frac_prevs[vocab=3,length=3]"
_OF_TASKS: Mapping[str, tuple[Callable[[], Question], str]] = {
    "circuit, crowded": (lambda: CircuitQuestion(load(_CROWDED)), _CROWDED),
    "circuit, numerical": (lambda: CircuitQuestion(load(_FRACTION)), _FRACTION),
    "attribution": (lambda: AttributionQuestion.of(load(_CROWDED)), _CROWDED),
    "attribution, numerical": (lambda: AttributionQuestion.of(load(_FRACTION)), _FRACTION),
    "features, crowded": (lambda: FeaturesQuestion.of(load(_CROWDED)), _CROWDED),
    "variables, crowded": (lambda: VariablesQuestion.of(load(_CROWDED)), _CROWDED),
    "program, numerical": (
        lambda: ProgramQuestion.of(
            load(_FRACTION), "aggregate(select(indices, indices, <), tokens == 1);"
        ),
        _FRACTION,
    ),
    "program, crowded": (
        lambda: ProgramQuestion.of(load(_CROWDED), "out = tokens;"),
        _CROWDED,
    ),
}
TASKS: Mapping[str, str] = {name: task for name, (_, task) in _OF_TASKS.items()}
"""Questions about tasks, and which these are."""


@lru_cache
def of_task(name: str) -> Question:
    """Return a question about a task; made once."""
    return _OF_TASKS[name][0]()
