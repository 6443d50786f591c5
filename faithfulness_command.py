"""`glassbench faithfulness`: what circuits keep of their models, by answers that were kept."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .asked_tasks import Bundles, Results, own_tasks
from .console import console, print_table, progress
from .errors import BundleError
from .plurals import counted
from .whole_file import check_file, write_whole

if TYPE_CHECKING:
    import pandas as pd

    from .evaluators import Result
    from .ground_truth import Task, ToyTask

TRUTH = "average_precision"
"""The column of the true score."""
_TITLES = {"cpr": "CPR", "cmd": "CMD", "accuracy": "Accuracy", "kl": "KL"}

Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="FILE", help="Also write every number here, as CSV."),
]


def faithfulness(results: Results, task: Bundles = None, output: Output = None) -> None:
    """Measure how much circuits keep of their models, and whether that agrees with the truth.

    For answers of the circuit track that are kept with results. The measures know no labels, and
    never rank.
    """
    from .leaderboard import read_results

    asked = [one for one in read_results(results) if one.track == "circuit"]
    answered = [one for one in asked if one.status == "ok"]
    if not answered:
        raise BundleError(
            f"{results}: expected answers of the circuit track, found none. Score a method into it "
            "first."
        )
    if output is not None:
        check_file(output)
    frame = _measured(answered, results, own_tasks(task))
    if output is not None:
        write_whole(frame.to_csv(index=False, lineterminator="\n").encode(), output)
    _print_methods(frame)
    _print_agreement(frame)
    if output is not None:
        console().print(f"\nWritten: {counted(len(frame), 'answer')} in {output}", soft_wrap=True)


def _measured(
    answered: "Sequence[Result]", folder: Path, tasks: "dict[str, Task | ToyTask]"
) -> "pd.DataFrame":
    """Return a row for each answer: its true score, and every measure."""
    import pandas as pd

    from .evaluators import CircuitProblem
    from .evaluators import faithfulness as faithfulness_of
    from .evaluators.rescoring import check_task_of, kept_scores
    from .evaluators.track import certified
    from .ground_truth import load
    from .leaderboard.results_frame import names_in_order

    rows: list[dict[str, Any]] = []
    with progress("Ablating", len(answered)) as advance:
        for name, one in zip(names_in_order(answered), answered, strict=True):
            known = tasks.get(one.task) or load(one.task)
            check_task_of(one, known)
            tasks[one.task] = known
            problem = CircuitProblem.of(certified(known), seed=one.seed)
            found = faithfulness_of(problem, kept_scores(one, folder))
            row = {"method": name, "task": one.task, "seed": one.seed}
            rows.append({**row, TRUTH: one.metrics[one.primary].value, **found})
            advance()
    return pd.DataFrame(rows).sort_values(["method", "task", "seed"], ignore_index=True)


def _print_methods(frame: "pd.DataFrame") -> None:
    """Print the mean of every measure over tasks, for each method and ablation."""
    from .evaluators.faithfulness import ABLATIONS, MEASURES

    rows = []
    for method, own in frame.groupby("method"):
        for ablation in ABLATIONS:
            names = [TRUTH, *(f"{measure}_{ablation}" for measure in MEASURES)]
            values = [own[name].mean() if name in own else float("nan") for name in names]
            rows.append([str(method), ablation, str(len(own)), *map(_shown, values)])
    print_table(["Method", "Ablated by", "Runs", "Score", *_TITLES.values()], rows)


def _print_agreement(frame: "pd.DataFrame") -> None:
    """Print how far each measure ranks methods as the truth does, where they are enough."""
    from .evaluators.faithfulness import ABLATIONS, MEASURES
    from .leaderboard.agreement import agreement

    say = console().print
    mean = frame.groupby(["method", "task"], as_index=False).mean()
    measures = {
        f"{measure}_{ablation}": direction
        for measure, direction in MEASURES.items()
        for ablation in ABLATIONS
        if f"{measure}_{ablation}" in mean
    }
    rows = []
    for one in agreement(mean, TRUTH, measures):
        measure, ablation = one.measure.split("_")
        numbers = [
            str(one.tasks),
            f"{one.correlation:.2f}",
            str(one.interval or ""),
            _shown(one.lost),
        ]
        rows.append([_TITLES[measure], ablation, *numbers])
    if not rows:
        say("\nThree methods on a task show how far these measures agree with the score.")
        return
    say(
        "\nRank correlation with the score over methods, mean over tasks, and score lost by choice:"
    )
    print_table(["Measure", "Ablated by", "Tasks", "Correlation", "Interval", "Lost"], rows)


def _shown(value: float) -> str:
    """Return a number as it is shown; nothing where there is none."""
    return "" if value != value else f"{value:.3f}"
