"""Nothing about speed: compiled blocks put into the models of the suite `trained`.

python performance/splicing.py -o docs/splicing.csv

Every head and MLP that stands for a block of its program is replaced by that block, and by the
controls: other blocks, random weights, its own mean, and what the block computes on other
inputs. A row each, and a summary.
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
from markdown_table import table

from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.ground_truth import load, splice
from glassbench.ground_truth.splicing import MEAN, OTHER_INPUTS, RANDOM, Spliced

CONTROLS = ["best_other_block", "random_weights", "mean", "other_inputs"]


def spliced(task: TaskId) -> list[Spliced]:
    """Replace each component of one task that stands for a block."""
    made = load(task)
    assert made.training is not None
    alignment = made.training.alignment
    aligned = [alignment.name(one.name) for one in alignment.compiled.writers if one.layer >= 0]
    return [splice(made, component) for component in aligned]


def row(one: Spliced) -> dict[str, object]:
    """Return a row of the CSV."""
    return {
        "task": one.task,
        "component": one.component,
        "block": one.block,
        "variables": " ".join(one.variables),
        "kept": one.kept,
        "best_other_block": one.best_other_block,
        "random_weights": one.controls[RANDOM],
        "mean": one.controls[MEAN],
        "other_inputs": one.controls[OTHER_INPUTS],
        "decoded": one.decoded,
        "explained": one.explained,
    }


def summary(frame: pd.DataFrame) -> Iterator[list[str]]:
    """Yield, for heads and for MLPs, how much is kept by the block and by each control."""
    kinds = frame.component.str.startswith("a").map({True: "heads", False: "MLPs"})
    columns = ["kept", *CONTROLS, "decoded", "explained"]
    for kind, some in frame.groupby(kinds):
        means = [f"{some[column].mean():.3f}" for column in columns]
        controls = some[CONTROLS].max(axis=1)
        counted = (
            some.kept >= 0.95,
            some.kept > controls,
            some.best_other_block == 1,
            (some.random_weights - some["mean"]).abs() < 0.0005,
        )
        yield [str(kind), str(len(some)), *means, *(str(each.sum()) for each in counted)]


HEADING = [
    "components",
    "n",
    "block",
    "best other block",
    "random weights",
    "mean",
    "other inputs",
    "read right",
    "explained",
    "kept on 95%",
    "more than any control",
    "another keeps all",
    "random as mean",
]


def main(
    jobs: Annotated[int, typer.Option(help="How many processes work.")] = 2,
    output: Annotated[Path, typer.Option("-o", help="The CSV.")] = Path("splicing.csv"),
) -> None:
    work = Parallel(n_jobs=jobs)(delayed(spliced)(task) for task in get_suite("trained"))
    frame = pd.DataFrame([row(one) for each in work for one in each])
    frame.to_csv(output, index=False, float_format="%.4f")
    print(table(HEADING, list(summary(frame))))


if __name__ == "__main__":
    typer.run(main)
