"""Suite measures: what a suite is worth in numbers, and whether methods are ranked on it.

All follows from what was measured of its tasks, but for one number: what the prior earns on a
track stands in `measured_priors.csv`, which is written together with `measured_tasks.csv`.
"""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from io import StringIO
from statistics import median
from types import MappingProxyType

from .feature_measures import measured_features
from .measures_table import Measures
from .relevance_measures import measured_relevance
from .suites import SUITES, get_suite
from .task_measures import LEAST_CIRCUIT, measured_tasks

FILE = "measured_priors.csv"
MOST_PRIOR = 0.15
LEAST_ATTENTION = 2 / 3
LEAST_TASKS = 12
"""How many tasks a suite of another track than `circuit` must have."""
MOST_SMALL = 0.1


@dataclass(frozen=True, kw_only=True)
class SuiteMeasures:
    """The sizes and labels of the tasks of a suite in numbers.

    Attributes:
        tasks: how many tasks there are.
        unmeasured: how many of them are not measured.
        programs: of how many programs they are.
        with_attention: the share of tasks whose circuit has a head.
        circuit_sizes: the least, the median and the most causal edges.
        small: the share of circuits that are too small.
        circuits: how many circuits differ.
        causal: the share of all edges that are causal.
        inert: the share of all edges that are inert.
        prior: the mean average precision of the prior, on the scale from random (0) to
            oracle (1).
    """

    tasks: int
    unmeasured: int
    programs: int
    with_attention: float
    circuit_sizes: tuple[int, float, int]
    small: float
    circuits: int
    causal: float
    inert: float
    prior: float

    @property
    def shortcomings(self) -> list[str]:
        """Why methods are not ranked on the suite; empty where they are."""
        found = []
        if self.unmeasured:
            found.append(f"{self.unmeasured} of its {self.tasks} tasks are not measured")
        if not self.prior <= MOST_PRIOR:  # not measured, it is no number
            found.append(
                f"the prior earns {self.prior:.2f} without looking, more than {MOST_PRIOR}"
            )
        if self.with_attention < LEAST_ATTENTION:
            found.append(f"{self.with_attention:.0%} of the circuits have heads, fewer than 2 in 3")
        if self.small > MOST_SMALL:
            found.append(f"{self.small:.0%} of the circuits have fewer than {LEAST_CIRCUIT} edges")
        if self.circuits < self.tasks:
            found.append(f"{self.tasks} tasks have {self.circuits} different circuits")
        return found


def is_ranked(name: str) -> bool:
    """Return whether methods are ranked on a suite, on the track that it is for.

    Circuits are asked about on suites without shortcomings. Features and tokens are where enough
    tasks are measured to be worth ranking on, and no others are among them; and tokens where
    positions earn little over the suite.

    Raises:
        TaskError: there is no such suite.

    Example:
        >>> is_ranked("superposition"), is_ranked("controls")
        (True, False)
    """
    tasks = get_suite(name)
    track = SUITES[name].track
    if track == "circuit":
        return not suite_measures(name).shortcomings
    known: Mapping[str, Measures] = (
        measured_features() if track == "features" else measured_relevance()
    )
    measures = [known.get(str(task)) for task in tasks]
    worth = [one is not None and not one.shortcomings for one in measures]
    enough = len(worth) >= LEAST_TASKS and all(worth)
    if track == "features":
        return enough
    return enough and measured_priors().get((name, track), math.inf) <= MOST_PRIOR


def suite_measures(name: str) -> SuiteMeasures:
    """Return what was measured of a suite.

    Raises:
        TaskError: there is no such suite.

    Example:
        >>> suite_measures("core").shortcomings
        []
    """
    tasks = get_suite(name)
    rows = [measured_tasks()[str(task)] for task in tasks if str(task) in measured_tasks()]
    sizes = [row.causal for row in rows] or [0]
    edges = sum(row.edges for row in rows)
    return SuiteMeasures(
        tasks=len(tasks),
        unmeasured=len(tasks) - len(rows),
        programs=len({task.name for task in tasks}),
        with_attention=sum(row.circuit_heads > 0 for row in rows) / max(1, len(rows)),
        circuit_sizes=(min(sizes), median(sizes), max(sizes)),
        small=sum(size < LEAST_CIRCUIT for size in sizes) / max(1, len(rows)),
        circuits=len({row.circuit for row in rows}),
        causal=sum(sizes) / max(1, edges),
        inert=sum(row.inert for row in rows) / max(1, edges),
        prior=measured_priors().get((name, "circuit"), math.nan),
    )


@lru_cache(maxsize=1)
def measured_priors() -> Mapping[tuple[str, str], float]:
    """Return what the prior earns, by suite and track."""
    text = files(__package__).joinpath(FILE).read_text(encoding="utf-8")
    rows = csv.DictReader(StringIO(text))
    return MappingProxyType({(row["suite"], row["track"]): float(row["prior"]) for row in rows})


def write_priors(priors: Mapping[tuple[str, str], float]) -> str:
    """Return what the prior earns, by suite and track, as CSV."""
    rows = (f"{name},{track},{prior:.4f}\n" for (name, track), prior in priors.items())
    return "".join(["suite,track,prior\n", *rows])
