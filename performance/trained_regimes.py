"""Nothing about speed: what circuit methods find in the same programs under every regime.

python performance/trained_regimes.py -o docs/trained_methods.csv

Each program of the suite `trained` is asked about exact, scrambled, crowded, superposed where a
matrix of it is stored (the least width), and trained. Scores are normalised in each regime: 0 at
the higher of the floors, the prior learned over the tasks of that regime, and 1 at the oracle.
"""

import os

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.errors import TaskError
from glassbench.evaluators import TRACKS, built_in, score_suite
from glassbench.ground_truth import Task, load
from glassbench.ground_truth.stored_compressions import stored_tasks

REGIMES = ("exact", "scrambled", "crowded", "superposed", "trained")


def names(regime: str) -> Iterator[str]:
    """Yield the tasks of the suite's programs in a regime."""
    for trained in get_suite("trained"):
        seed = dict(trained.regimes[-1][1])["seed"]
        if regime == "trained":
            yield str(trained)
        elif regime == "superposed":
            stored = [TaskId.parse(one) for one in stored_tasks()]
            own = [
                one
                for one in stored
                if one.name == trained.name
                and len(one.regimes) == 1
                and one.parameters == trained.parameters
            ]
            if own:
                yield str(min(own, key=lambda one: dict(one.regimes[0][1])["d"]))
        else:
            rest = {"exact": "", "scrambled": f"/scrambled[seed={seed}]"}
            yield trained.name + rest.get(regime, f"/crowded[distractors=8,seed={seed}]")


def tasks_of(regime: str) -> list[Task]:
    """Return the tasks of a regime that pose a question."""
    found = []
    for name in names(regime):
        try:
            found.append(load(name))
        except TaskError as error:
            print(f"{name} is left out: {error}", flush=True)
    return found


def main(
    output: Annotated[Path, typer.Option("-o", help="The CSV.")] = Path("trained_methods.csv"),
) -> None:
    rows = []
    methods = list(built_in("circuit").values())
    for regime in REGIMES:
        tasks = tasks_of(regime)
        priors = TRACKS["circuit"].priors(tasks)
        for result in score_suite(methods, tasks, priors=priors):
            metric = result.metrics[result.primary]
            rows.append(
                {
                    "regime": regime,
                    "program": TaskId.parse(result.task).name,
                    "task": result.task,
                    "method": result.tool,
                    "average_precision": round(metric.value, 6),
                    "prior": round(metric.floors.prior, 6),
                    "normalised": round(metric.normalised, 6),
                    "seconds": round(result.wall_seconds or 0.0, 3),
                }
            )
        frame = pd.DataFrame(rows)
        frame.to_csv(output, index=False)
        means = frame[frame.regime == regime].groupby("method").normalised.mean().round(3)
        print(f"{regime}: {len(tasks)} tasks\n{means.to_string()}", flush=True)


if __name__ == "__main__":
    typer.run(main)
