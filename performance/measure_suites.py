"""Measures every task that a suite may hold, and what the suites are worth.

python performance/measure_suites.py -o suites.md [--jobs 2] [--cache DIR] [--new]

It writes `benchmark_programs/measured_tasks.csv`, `measured_features.csv`, `measured_relevance.csv`
and `measured_priors.csv`, from which suites are chosen and ranked by rule, and prints a row a
suite: how many tasks use attention, how large circuits are, how many differ, which share of the
edges is inert, what the prior earns without looking, what blind directions do where features are
asked about, and what positions do where tokens are. What is in the cache already, by the digest
of its weights, is not certified again; compressed models are not kept there. With `--new` only
tasks that do not stand in the files yet are measured, and suites with other tasks keep their
priors. The relevance of tokens is measured whenever it is run: it takes seconds.
"""

import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import typer
from joblib import Parallel, delayed
from markdown_table import table

from glassbench import benchmark_programs
from glassbench.benchmark_programs import SUITES, TaskId, TaskMeasures, get_suite, is_ranked
from glassbench.benchmark_programs.feature_measures import FILE as FEATURES_FILE
from glassbench.benchmark_programs.feature_measures import FeatureMeasures, measured_features
from glassbench.benchmark_programs.measures_table import write_table
from glassbench.benchmark_programs.relevance_measures import FILE as RELEVANCE_FILE
from glassbench.benchmark_programs.relevance_measures import RelevanceMeasures, measured_relevance
from glassbench.benchmark_programs.suite_measures import FILE as PRIORS_FILE
from glassbench.benchmark_programs.suite_measures import (
    measured_priors,
    suite_measures,
    write_priors,
)
from glassbench.benchmark_programs.suites import (
    candidates,
    relevance_candidates,
    superposition_candidates,
)
from glassbench.benchmark_programs.task_measures import FILE as TASKS_FILE
from glassbench.benchmark_programs.task_measures import measured_tasks
from glassbench.errors import GlassbenchError
from glassbench.evaluators.floors import prior_above_random
from glassbench.evaluators.measure_features import measure_features
from glassbench.evaluators.measure_relevance import measure_relevance, prior_of_positions
from glassbench.evaluators.ranking_metrics import METRICS
from glassbench.ground_truth import build_model, certified, edge_positives, measure
from glassbench.ground_truth.digest import weights_digest

METRIC = METRICS["average_precision"]
FOLDER = Path(benchmark_programs.__file__).parent


@dataclass(frozen=True)
class Measured:
    """One task: its measures, the keys of its edges, and the seconds that it took."""

    task: str
    measures: TaskMeasures | None
    key: dict[str, bool]
    seconds: float
    error: str = ""
    features: FeatureMeasures | None = None


def measured(task: str, cache: Path | None) -> Measured:
    """Compile, certify and measure one task, or take it from the cache."""
    start = time.perf_counter()
    try:
        compiled = build_model(task)
        digest = weights_digest(compiled.model.weights)
        has_features = task in superposition_candidates()
        kept = None if cache is None or has_features else cache / f"{digest}.json"
        if kept is not None and kept.exists():
            known = json.loads(kept.read_text(encoding="utf-8"))
            measures = TaskMeasures(**known["measures"] | {"task": task})
            return Measured(**known | {"task": task, "measures": measures})
        loaded = certified(TaskId.parse(task), compiled)
    except GlassbenchError as error:
        return Measured(task, None, {}, time.perf_counter() - start, str(error))
    key = edge_positives(loaded.labels.states)
    features = measure_features(loaded) if has_features else None
    seconds = time.perf_counter() - start
    found = Measured(task, measure(loaded), key, seconds, features=features)
    if kept is not None:
        kept.write_text(json.dumps(asdict(found)), encoding="utf-8")
    return found


def all_measured(tasks: Sequence[str], jobs: int, cache: Path | None) -> dict[str, Measured]:
    """Measure tasks, several at a time, and say what fails."""
    found = {}
    work = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)(
        delayed(measured)(task, cache) for task in tasks
    )
    for number, one in enumerate(work, start=1):
        found[one.task] = one
        note = one.error and f" FAILED {one.error[:300]}"
        print(f"{number}/{len(tasks)} {one.seconds:.1f} s {one.task}{note}", file=sys.stderr)
    return found


def prior(name: str, found: dict[str, Measured]) -> float | None:
    """Return what the prior earns on the circuits of a suite, on the scale from random to oracle.

    Where tasks of the suite were measured earlier, that is what it earned then.
    """
    tasks = [str(task) for task in get_suite(name)]
    if not set(tasks) <= set(found):
        return measured_priors().get((name, "circuit"))
    keys = {task: found[task].key for task in tasks}
    return prior_above_random({t: key for t, key in keys.items() if any(key.values())}, METRIC)


def suite_row(name: str, found: dict[str, Measured]) -> list[str]:
    """Return what a suite is worth, as a row of the table."""
    measures = suite_measures(name)
    tasks = [str(task) for task in get_suite(name)]
    floors = [measured_features()[task].floor for task in tasks if task in measured_features()]
    seconds = [found[task].seconds for task in tasks if task in found]
    positions = measured_priors().get((name, "attribution"))
    return [
        name,
        str(measures.tasks),
        str(measures.programs),
        f"{measures.with_attention:.0%}",
        " / ".join(f"{size:g}" for size in measures.circuit_sizes),
        f"{measures.small:.0%}",
        str(measures.circuits),
        f"{measures.causal:.1%}",
        f"{measures.inert:.1%}",
        f"{measures.prior:.3f}",
        f"{min(floors):.2f} to {max(floors):.2f}" if floors else "",
        "" if positions is None else f"{positions:.3f}",
        "yes" if is_ranked(name) else "no",
        f"{sum(seconds):.0f}" if seconds else "",
    ]


def write_measured(found: dict[str, Measured]) -> None:
    """Write what was measured beside what was measured earlier, in the order of candidates."""
    tasks, features = dict(measured_tasks()), dict(measured_features())
    for task, one in found.items():
        for known, row in ((tasks, one.measures), (features, one.features)):
            known.pop(task, None)
            if row is not None:
                known[task] = row
    of_tasks = [tasks[task] for task in candidates() if task in tasks]
    of_features = [features[task] for task in candidates() if task in features]
    (FOLDER / TASKS_FILE).write_bytes(write_table(TaskMeasures, of_tasks).encode())
    (FOLDER / FEATURES_FILE).write_bytes(write_table(FeatureMeasures, of_features).encode())
    measured_tasks.cache_clear()
    measured_features.cache_clear()
    of_positions = write_relevance()
    earned = {(name, "circuit"): prior(name, found) for name in SUITES} | of_positions
    priors = write_priors({suite: one for suite, one in earned.items() if one is not None})
    (FOLDER / PRIORS_FILE).write_bytes(priors.encode())
    measured_priors.cache_clear()


def write_relevance() -> dict[tuple[str, str], float | None]:
    """Measure the relevance of tokens, and return what positions earn on the suites for it."""
    models = {task: build_model(task) for task in relevance_candidates()}
    rows = measure_relevance(models).values()
    (FOLDER / RELEVANCE_FILE).write_bytes(write_table(RelevanceMeasures, rows).encode())
    measured_relevance.cache_clear()
    earned: dict[tuple[str, str], float | None] = {}
    for name, suite in SUITES.items():
        if suite.track == "attribution":
            tasks = [str(task) for task in get_suite(name)]
            earned[name, suite.track] = prior_of_positions({task: models[task] for task in tasks})
    return earned


HEADING = [
    "suite",
    "tasks",
    "programs",
    "with attention",
    "circuit (least / median / most edges)",
    "circuits below 4 edges",
    "distinct circuits",
    "causal edges",
    "inert edges",
    "prior, normalised",
    "blind matched cosine",
    "prior of positions",
    "ranked",
    "seconds",
]


def main(
    output: Annotated[Path | None, typer.Option("-o", "--output")] = None,
    jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2,
    cache: Annotated[Path | None, typer.Option(help="Folder of what is measured.")] = None,
    new: Annotated[bool, typer.Option("--new", help="Only what is not in the files.")] = False,
) -> None:
    """Measure all candidates; write the CSV and the table."""
    if cache is not None:
        cache.mkdir(parents=True, exist_ok=True)
    known = set(measured_tasks()) if new else set()
    found = all_measured([task for task in candidates() if task not in known], jobs, cache)
    write_measured(found)
    rows = [suite_row(name, found) for name in SUITES]
    text = table(HEADING, rows)
    failed = [one for one in found.values() if one.error]
    if failed:
        text += "\n\nFailed:\n\n" + "\n".join(f"- {one.task}: {one.error}" for one in failed)
    print(text)
    if output is not None:
        output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
