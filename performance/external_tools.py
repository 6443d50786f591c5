"""Nothing about speed: what other people's circuit tools find, task by task, beside ours.

    python performance/external_tools.py --results external_tools -o external_tools.md
    python performance/external_tools.py --tools eap,auto-circuit-eap

The first table holds scores: 0 at the higher floor, 1 at the oracle. The second holds them once
more with all that is below a billionth of the largest set to 0, which built-in methods take for
nothing, and the share of causal edges below. Answers stay in a folder of results, so that
what was asked is not asked again.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from markdown_table import table

from glassbench.evaluators import KeptAnswer, measured, suite_priors, sweep
from glassbench.evaluators.circuit_track import PRIMARY
from glassbench.evaluators.methods.edge_gradients import ROUNDING
from glassbench.ground_truth import EdgeState, Task, load_suite
from glassbench.leaderboard import read_results

OURS = ["interchange", "eap", "attribution-patching"]
THEIRS = [
    "transformer-lens-path-patching",
    "transformer-lens-eap",
    "transformer-lens-activation-patching",
    "transformer-lens-attribution-patching",
    "nnsight-activation-patching",
    "nnsight-attribution-patching",
    "captum-layer-conductance",
    "auto-circuit-edge-patching",
    "auto-circuit-acdc",
    "auto-circuit-eap",
    "auto-circuit-subnetwork-probing",
]


def told_apart(scores: Mapping[str, float]) -> dict[str, float]:
    """Return scores with those next to nothing set to 0."""
    least = ROUNDING * max(map(abs, scores.values()), default=0.0)
    return {edge: score if abs(score) >= least else 0.0 for edge, score in scores.items()}


def measured_answers(folder: Path, tools: set[str], tasks: dict[str, Task]) -> pd.DataFrame:
    """Return a row for each answer: `tool, task, given, above, below`."""
    priors = suite_priors(list(tasks.values()))
    rows = []
    for result in read_results(folder):
        if result.tool not in tools or result.task not in tasks or result.status != "ok":
            continue
        task, scores = tasks[result.task], KeptAnswer.read(folder, result).content.scores
        above = told_apart(scores)
        causal = [e for e, state in task.labels.states.items() if state is EdgeState.CAUSAL]
        row = {"tool": result.tool, "task": task.id.name}
        for name, some in (("given", scores), ("above", above)):
            magnitudes = {edge: abs(score) for edge, score in some.items()}
            found = measured(magnitudes, task, seed=result.seed, priors=priors)
            row[name] = found[PRIMARY].normalised
        rows.append(row | {"below": np.mean([above[edge] == 0 for edge in causal])})
    return pd.DataFrame(rows, columns=["tool", "task", "given", "above", "below"])


def by_task(found: pd.DataFrame, names: list[str]) -> str:
    """Return the scores of each tool on each task, the best tool first."""
    wide = found.pivot(index="tool", columns="task", values="given").reindex(names)
    wide.insert(0, "mean", wide.mean(axis=1, skipna=False))
    wide = wide.sort_values("mean", ascending=False)
    texts = wide.map(lambda value: "no answer" if pd.isna(value) else f"{value:.2f}")
    rows = [[f"`{tool}`", *row] for tool, row in zip(wide.index, texts.to_numpy(), strict=True)]
    return table(["", *wide.columns], rows)


def by_rounding(found: pd.DataFrame) -> str:
    """Return means over tasks: as given, without what is next to nothing, and how much that is."""
    means = found.groupby("tool")[["given", "above", "below"]].mean()
    means = means.sort_values("given", ascending=False)
    rows = [[f"`{row[0]}`", *(f"{value:.2f}" for value in row[1:])] for row in means.itertuples()]
    heading = ["", "as given", f"without what is below {ROUNDING:g}", "causal edges below"]
    return table(heading, rows)


def main(
    tools: Annotated[str, typer.Option(help="Names of methods and adapters, by commas.")] = "",
    suite: Annotated[str, typer.Option(help="The tasks.")] = "quick",
    results: Annotated[Path, typer.Option(help="A folder of results.")] = Path("external_tools"),
    jobs: Annotated[int, typer.Option(help="How many processes work.")] = 1,
    output: Annotated[Path | None, typer.Option("-o", help="Also write the tables here.")] = None,
) -> None:
    """Ask, measure and print."""
    names = tools.split(",") if tools else [*OURS, *THEIRS]
    sweep(names, suite, results, jobs=jobs)
    tasks = {str(task.id): task for task in load_suite(suite)}
    found = measured_answers(results, set(names), tasks)
    text = f"{by_task(found, names)}\n\n{by_rounding(found)}\n"
    print(text)
    if output is not None:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
