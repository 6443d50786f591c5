"""Measures how faithful the circuits of built-in methods are, beside their true scores, as a CSV.

    python performance/faithfulness.py --suite core -o docs/faithfulness.csv

Beside the methods stand two references: `oracle`, the true circuit itself, and `random`, edges in
random order. docs/make_faithfulness_pictures.py draws what is measured.
"""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer
from figures import FiguresFile, write_figures

from glassbench.evaluators import CircuitProblem, built_in, faithfulness, measured
from glassbench.evaluators.circuit_track import PRIMARY
from glassbench.evaluators.faithfulness import ABLATIONS, MEASURES
from glassbench.ground_truth import EdgeState, Task, load_suite
from glassbench.leaderboard.agreement import agreement

REFERENCES = ("oracle", "random")


def answers(task: Task, problem: CircuitProblem) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the answer of every built-in method by its name, then those of the references."""
    for name, method in built_in("circuit").items():
        yield name, method.function(problem)
    states = task.labels.states
    yield "oracle", {edge: float(states[edge] is EdgeState.CAUSAL) for edge in problem.edges}
    yield "random", dict.fromkeys(problem.edges, 1.0)


def rows(task: Task, seed: int) -> Iterator[dict[str, str | int | float | None]]:
    """Yield the true score and every measure of each answer on a task."""
    problem = CircuitProblem.of(task, seed=seed)
    causal = sum(state is EdgeState.CAUSAL for state in task.labels.states.values())
    sizes = {"edges": len(problem.edges), "causal": causal}
    for name, scores in answers(task, problem):
        magnitudes = {edge: abs(score) for edge, score in scores.items()}
        truth = measured(magnitudes, task, seed=seed)[PRIMARY].value
        found = faithfulness(problem, scores, seed=seed)
        of_answer = {"method": name, "task": str(task.id), **sizes, "average_precision": truth}
        yield {**of_answer, **found}


def figures(frame: pd.DataFrame) -> dict[str, float]:
    """Return how far every measure ranks methods as their true scores do, references left out."""
    measures = {
        f"{measure}_{ablation}": direction
        for ablation in ABLATIONS
        for measure, direction in MEASURES.items()
    }
    some = frame[~frame.method.isin(REFERENCES)]
    found = agreement(some, "average_precision", measures)
    return {one.measure: one.correlation for one in found}


def main(
    output: Annotated[Path, typer.Option("--output", "-o", help="The CSV.")],
    suite: Annotated[str, typer.Option(help="A suite of circuits.")] = "core",
    every: Annotated[int, typer.Option(min=1, help="Take every so many tasks.")] = 1,
    seed: Annotated[int, typer.Option(min=0, help="Draws the pairs.")] = 0,
    figures_file: FiguresFile = None,
) -> None:
    """Measure every method on every task and write a row for each."""
    found = []
    for task in load_suite(suite)[::every]:
        found += rows(task, seed)
        print(task.id, file=sys.stderr, flush=True)
    frame = pd.DataFrame(found)
    write_figures(figures(frame), figures_file)
    frame.to_csv(output, index=False, float_format="%.6g", lineterminator="\n")


if __name__ == "__main__":
    typer.run(main)
