"""Circuit view: what a page shows of the circuit of a task.

The leaderboard knows nothing of models. Whoever has a task and the answers that are kept
draws its circuit and tells which edges each answer found; `write_site` takes that as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..evaluators.edge_outcomes import EdgeOutcomes


@dataclass(frozen=True)
class CircuitView:
    """What a page shows of the circuit of a task.

    Attributes:
        picture: the circuit as SVG; `None` where it cannot be drawn.
        states: the state of each edge, in the order of the model.
        outcomes: what each answer made of the edges, by the file name of its result.
    """

    picture: bytes | None = None
    states: Mapping[str, str] = field(default_factory=dict)
    outcomes: Mapping[str, EdgeOutcomes] = field(default_factory=dict)
