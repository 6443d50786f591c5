"""Scores the built-in methods of the features track on the same programs under several arms.

    python performance/features_arms.py -o features_arms.md --results DIR
    python performance/features_arms.py --programs count,length --seeds 1

`exact` and `scrambled` are rows of the model as compiled and of its scrambled form; `widest` and
`narrowest` of the model compressed to the first and the last of its widths in the suite
`superposition`. Each but the first is met twice: with the rows of the model, and with rows in
which no class of features depends on another (`independent`). What a method misses on both kinds
of rows it misses from superposition, and what it finds on independent rows alone it misses on the
others since features depend on each other. Numbers are means over programs, each the mean over
seeds, with bootstrap intervals over programs; the last table has differences, program by program.

With `--results` every result is kept there, and what is kept is not measured again.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import machine
import numpy as np
import typer
from figures import FiguresFile, write_figures
from markdown_table import table

from glassbench.benchmark_programs import get_suite
from glassbench.evaluators import FeaturesTrack, Result, built_in, score_suite
from glassbench.evaluators.intervals import mean_interval
from glassbench.ground_truth import Task, load
from glassbench.leaderboard.results_folder import read_results

BEST = "best of each program"
FLOORS_OF = "random-directions"
"""The method that floors and sizes are read from: it has an answer to everything."""
BLIND = (FLOORS_OF, "neuron-basis")
"""Methods that do not look at the rows, or only at which coordinates vary: never the best."""

Scores = Mapping[str, Mapping[str, float]]
"""By method and program, the mean over seeds; a program without an answer is not there."""


@dataclass(frozen=True)
class Arm:
    """One way to meet the same programs.

    Attributes:
        title: what tables call it.
        tasks: one for each program, by its name.
        track: the question.
    """

    title: str
    tasks: Mapping[str, Task]
    track: FeaturesTrack


def arms(programs: Sequence[str]) -> list[Arm]:
    """Return the arms."""
    widths: dict[str, list[str]] = {}
    for task in get_suite("superposition"):
        widths.setdefault(task.name, []).append(str(task))
    regimes = {
        "exact": {name: name for name in programs},
        "scrambled": {name: f"{name}/scrambled" for name in programs},
        "widest": {name: widths[name][0] for name in programs},
        "narrowest": {name: widths[name][-1] for name in programs},
    }
    running, independent = FeaturesTrack(), FeaturesTrack(arm="independent")
    found = []
    for title, ids in regimes.items():
        tasks = {name: load(one) for name, one in ids.items()}
        found.append(Arm(title, tasks, running))
        if title != "exact":
            found.append(Arm(f"{title}, independent", tasks, independent))
    return found


def measured(
    arm: Arm, methods: Sequence[str], seeds: int, folder: Path | None
) -> list[tuple[str, Result]]:
    """Return the results under an arm, each with its program; kept ones are read."""
    known = {}
    if folder is not None and any(folder.glob("*.json")):
        for one in read_results(folder):
            known[one.tool, one.task_digest, str(one.question), one.seed] = one
    found = []
    for seed in range(seeds):
        for name, task in arm.tasks.items():
            place = arm.track.digest(task), str(dict(arm.track.question)), seed
            missing = [method for method in methods if (method, *place) not in known]
            for one in score_suite(missing, [task], arm.track, seed=seed) if missing else ():
                known[one.tool, *place] = one
                if folder is not None:
                    one.write(folder)
            found += [(name, known[method, *place]) for method in methods]
    return found


def scores(found: Sequence[tuple[str, Result]], metric: str, part: str = "value") -> Scores:
    """Return a number of a metric by method and program, in the mean over seeds."""
    numbers: dict[str, dict[str, list[float]]] = {}
    for name, one in found:
        of_tool = numbers.setdefault(one.tool, {})
        if one.status == "ok":
            of_tool.setdefault(name, []).append(getattr(one.metrics[metric], part))
    return {
        tool: {name: float(np.mean(each)) for name, each in by_name.items()}
        for tool, by_name in numbers.items()
    }


def with_best(by_tool: Scores) -> Scores:
    """Return scores with those of whichever method is best on each program."""
    best: dict[str, float] = {}
    for tool, by_name in by_tool.items():
        for name, number in by_name.items() if tool not in BLIND else ():
            best[name] = max(best.get(name, -np.inf), number)
    return {**by_tool, BEST: best}


def with_interval(values: Sequence[float], of: int) -> str:
    """Return a mean over programs with its interval, and of how many where some are missing."""
    if not values:
        return "no answer"
    interval = mean_interval(values, seed=0)
    text = f"{np.mean(values):.2f}" + (f" {interval}" if interval else "")
    return text if len(values) == of else f"{text} on {len(values)} of {of}"


def cosine_table(cosines: Mapping[str, Scores], of: int) -> str:
    """Return the table of the matched cosine, 0 at the floor and 1 at the key."""
    rows = [
        [
            method,
            *(with_interval(list(by_tool[method].values()), of) for by_tool in cosines.values()),
        ]
        for method in next(iter(cosines.values()))
    ]
    return table(["method", *cosines], rows)


def raw_table(found: Mapping[str, Sequence[tuple[str, Result]]], sizes: Mapping[str, str]) -> str:
    """Return the table of what the numbers themselves are: cosine, share recovered, and F1."""
    names = ("matched_cosine", "recovered_at_0.9", "activation_f1")
    columns = {}
    for title, results in found.items():
        parts = [scores(results, name) for name in names]
        floors = [scores(results, name, "floor") for name in names]
        tools = list(parts[0])
        column = [
            ", ".join(f"{np.mean(list(part[tool].values())):.2f}" for part in parts)
            if parts[0][tool]
            else "no answer"
            for tool in tools
        ]
        floor = [np.mean(list(part[FLOORS_OF].values())) for part in floors]
        columns[title] = [*column, ", ".join(f"{one:.2f}" for one in floor), sizes[title]]
    rows = zip([*tools, "floor", "classes in dimensions"], *columns.values(), strict=True)
    return table(["method", *columns], [list(row) for row in rows])


DIFFERENCES = {
    "independence, nothing compressed": ("scrambled, independent", "scrambled"),
    "independence, narrowest": ("narrowest, independent", "narrowest"),
    "compression, the model's rows": ("narrowest", "scrambled"),
    "compression, independent rows": ("narrowest, independent", "scrambled, independent"),
}
"""What changes, and the two arms whose difference shows it."""


def difference_table(cosines: Mapping[str, Scores], of: int) -> str:
    """Return the table of differences between arms, program by program."""
    rows = []
    for method in next(iter(cosines.values())):
        row = [method]
        for one, other in DIFFERENCES.values():
            here, there = cosines[one][method], cosines[other][method]
            both = [here[name] - there[name] for name in here if name in there]
            row.append(with_interval(both, of))
        rows.append(row)
    return table(["method", *DIFFERENCES], rows)


def figures(cosines: Mapping[str, Scores]) -> dict[str, float]:
    """Return the matched cosine of the best method of each program, by arm, in the mean."""
    return {title: float(np.mean(list(each[BEST].values()))) for title, each in cosines.items()}


def size_of(arm: Arm, results: Sequence[tuple[str, Result]]) -> str:
    """Return how many classes lie in how many dimensions, in the mean over programs."""
    classes = np.mean([one.reported["classes"] for _, one in results if one.tool == FLOORS_OF])
    width = np.mean([task.compiled.model.weights.d_model for task in arm.tasks.values()])
    return f"{classes:.1f} in {width:.1f}"


def main(
    programs: Annotated[str, typer.Option(help="Programs, with commas; of the suite if empty.")] = (
        ""
    ),
    methods: Annotated[str, typer.Option(help="Methods, with commas; all if empty.")] = "",
    seeds: Annotated[int, typer.Option(min=1)] = 3,
    results: Annotated[Path | None, typer.Option(help="Where results are kept.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Score the built-in methods under every arm and print tables."""
    names = list(dict.fromkeys(task.name for task in get_suite("superposition")))
    names = programs.split(",") if programs else names
    chosen = methods.split(",") if methods else list(built_in("features"))
    chosen = list(dict.fromkeys([*chosen, FLOORS_OF]))
    found, sizes = {}, {}
    for arm in arms(names):
        started = time.perf_counter()
        found[arm.title] = measured(arm, chosen, seeds, results)
        sizes[arm.title] = size_of(arm, found[arm.title])
        spent = time.perf_counter() - started
        print(f"{arm.title}: {spent:.0f} s", file=sys.stderr, flush=True)
    cosines = {
        title: with_best(scores(each, "matched_cosine", "normalised"))
        for title, each in found.items()
    }
    write_figures(figures(cosines), figures_file)
    text = "\n\n".join(
        [
            f"# Built-in methods of the features track on {', '.join(names)}; {seeds} seeds",
            machine.described(2, {"packages": {"numpy": np.__version__}}),
            "Matched cosine, 0 at the floor and 1 at the key, with 95% intervals over programs.",
            cosine_table(cosines, len(names)),
            "Matched cosine, share recovered at 0.9 and F1 as they are.",
            raw_table(found, sizes),
            "What is gained in matched cosine, on the scale of the first table.",
            difference_table(cosines, len(names)),
        ]
    )
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
