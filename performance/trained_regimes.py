"""Nothing about speed: what circuit methods find in the same programs under every regime.

python performance/trained_regimes.py -o docs/trained_methods.csv [--jobs 2]

Each program of the suite `trained` is asked about exact, scrambled, crowded, superposed where a
matrix of it is stored (the least width), and trained. Scores are average precision, 0 at random
and 1 at the oracle. The prior, learned over the tasks of a regime without looking at models, stands
beside them as a method: where a circuit is all there is, it finds nearly all of it.
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
from joblib import Parallel, delayed

from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.errors import TaskError
from glassbench.evaluators import TRACKS, Result, built_in, score_suite
from glassbench.evaluators.track import Priors
from glassbench.ground_truth import Task, load
from glassbench.ground_truth.stored_compressions import stored_compression_ids

PRIOR = "prior"
REGIMES = ("exact", "scrambled", "crowded", "superposed", "trained")


def names(regime: str) -> Iterator[str]:
    """Yield the tasks of the suite's programs in a regime."""
    for trained in get_suite("trained"):
        seed = dict(trained.regimes[-1][1])["seed"]
        if regime == "trained":
            yield str(trained)
        elif regime == "superposed":
            stored = [TaskId.parse(one) for one in stored_compression_ids()]
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


def scored(task: Task, priors: Priors) -> list[Result]:
    """Return the results of all built-in methods on a task."""
    return list(score_suite(list(built_in("circuit").values()), [task], priors=priors))


def rows(regime: str, results: list[Result]) -> Iterator[dict[str, object]]:
    """Yield what each method came to on one task, and the prior."""
    metrics = [one.metrics[one.primary] for one in results]
    named = [(one.tool, metric.value) for one, metric in zip(results, metrics, strict=True)]
    floors = metrics[0].floors
    for method, value in [*named, (PRIOR, floors.prior)]:
        yield {
            "regime": regime,
            "program": TaskId.parse(results[0].task).name,
            "task": results[0].task,
            "method": method,
            "average_precision": round(value, 6),
            "score": round((value - floors.random) / (1 - floors.random), 6),
        }


def main(
    output: Annotated[Path, typer.Option("-o", help="The CSV.")] = Path("trained_methods.csv"),
    jobs: Annotated[int, typer.Option(help="How many processes work.")] = 2,
) -> None:
    found: list[dict[str, object]] = []
    for regime in REGIMES:
        tasks = tasks_of(regime)
        priors = TRACKS["circuit"].priors(tasks)
        work = Parallel(n_jobs=jobs, batch_size=1, return_as="generator_unordered")
        for results in work(delayed(scored)(task, priors) for task in tasks):
            found += rows(regime, results)
            seconds = sum(one.wall_seconds or 0.0 for one in results)
            print(f"{results[0].task}: {seconds:.0f} s", flush=True)
        frame = pd.DataFrame(found).sort_values(["regime", "task", "method"])
        frame.to_csv(output, index=False)
        means = frame[frame.regime == regime].groupby("method").score.mean().round(3)
        print(f"{regime}: {len(tasks)} tasks\n{means.to_string()}", flush=True)


if __name__ == "__main__":
    typer.run(main)
