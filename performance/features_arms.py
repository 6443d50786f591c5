"""Scores the built-in methods of the features track on the same programs under several arms.

    python performance/features_arms.py --programs sort,reverse -o features_arms.md
    python performance/features_arms.py --programs '' -o superposed.md

`exact` and `scrambled` are rows of the model as compiled and of its scrambled form; `independent`
has the features of the scrambled model, no class depending on another, as many rows and the same
marginals. What a method finds in the last arm only, it misses in the others since features depend
on each other. `superposed` is the model compressed to the widest and the narrowest of its widths in
the suite `superposition`; without programs those of that suite are taken.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import machine
import numpy as np
import typer
from markdown_table import table

from glassbench.benchmark_programs.superposed_widths import WIDTHS
from glassbench.errors import CertificationError, ProgramError, TaskError
from glassbench.evaluators import FeaturesTrack, Result, built_in, score_suite
from glassbench.ground_truth import Task, load

METRICS = ("matched_cosine", "recovered_at_0.9", "activation_f1")


@dataclass(frozen=True)
class Arm:
    """One way to meet the same programs.

    Attributes:
        title: what the table calls it.
        tasks: one for each program.
        track: the question.
    """

    title: str
    tasks: tuple[Task, ...]
    track: FeaturesTrack


def arms(programs: Sequence[str]) -> list[Arm]:
    """Return the arms; one whose models cannot be made is left out, and said so."""
    running = FeaturesTrack()
    every = dict.fromkeys(programs, "")
    scrambled = dict.fromkeys(programs, "/scrambled")
    asked = [("exact", every, running), ("scrambled", scrambled, running)]
    asked.append(("independent", scrambled, FeaturesTrack(arm="independent")))
    if set(programs) <= set(WIDTHS):
        for title, place in (("widest", 0), ("narrowest", -1)):
            regimes = {name: f"/superposed[d={WIDTHS[name][place]},seed=0]" for name in programs}
            asked.append((f"superposed, {title}", regimes, running))
    found = []
    for title, regimes, track in asked:
        try:
            tasks = tuple(load(f"{program}{regime}") for program, regime in regimes.items())
        except (TaskError, ProgramError, CertificationError) as error:
            print(f"{title}: left out: {error}", file=sys.stderr)
            continue
        found.append(Arm(title, tasks, track))
    return found


def cell(results: Sequence[Result]) -> str:
    """Return the mean of the normalised primary metric over tasks, and of the metrics."""
    done = [one for one in results if one.status == "ok"]
    if not done:
        return "no answer"
    primary = np.mean([one.metrics[one.primary].normalised for one in done])
    means = [np.mean([one.metrics[name].value for one in done]) for name in METRICS]
    some = "" if len(done) == len(results) else f" on {len(done)} of {len(results)}"
    return f"**{primary:.2f}** ({', '.join(f'{mean:.2f}' for mean in means)}){some}"


def report(found: Sequence[Arm], methods: Sequence[str], seed: int) -> str:
    """Return the table: a row for each method, the arms side by side."""
    rows = {method: [method] for method in methods}
    seconds: dict[str, list[float]] = {method: [] for method in methods}
    floors, sizes = ["random floor"], ["classes in dimensions"]
    for arm in found:
        started = time.perf_counter()
        results = list(score_suite(list(methods), arm.tasks, arm.track, seed=seed))
        for method in methods:
            own = [one for one in results if one.tool == method]
            rows[method].append(cell(own))
            seconds[method] += [one.wall_seconds for one in own if one.status == "ok"]
        first = [one for one in results if one.status == "ok"][: len(arm.tasks)]
        means = [np.mean([one.metrics[name].floors.random for one in first]) for name in METRICS]
        floors.append(f"0 ({', '.join(f'{mean:.2f}' for mean in means)})")
        width = np.mean([task.compiled.model.weights.d_model for task in arm.tasks])
        classes = np.mean([one.reported["classes"] for one in first])
        sizes.append(f"{classes:.0f} in {width:.0f}")
        spent = time.perf_counter() - started
        print(f"{arm.title}: {spent:.0f} s", file=sys.stderr, flush=True)
    spent = [f"{np.mean(seconds[method]):.1f}" if seconds[method] else "" for method in methods]
    body = [[*rows[method], each] for method, each in zip(methods, spent, strict=True)]
    heading = ["method", *(arm.title for arm in found), "seconds"]
    return table(heading, [*body, [*floors, ""], [*sizes, ""]])


def main(
    programs: Annotated[str, typer.Option(help="Programs, with commas; of the suite if empty.")] = (
        "histogram,sort,reverse,shuffle_dyck1"
    ),
    methods: Annotated[str, typer.Option(help="Methods, with commas; all if empty.")] = "",
    seed: Annotated[int, typer.Option(min=0)] = 0,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
) -> None:
    """Score the built-in methods under every arm and print a table."""
    names = programs.split(",") if programs else list(WIDTHS)
    chosen = methods.split(",") if methods else list(built_in("features"))
    text = "\n\n".join(
        [
            f"# Built-in methods of the features track on {', '.join(names)}",
            machine.described(2, {"packages": {"numpy": np.__version__}}),
            "In bold the matched cosine, 0 at random and 1 at the key; in brackets the matched "
            "cosine, the share recovered at 0.9 and F1. Means over the tasks with an answer.",
            report(arms(names), chosen, seed),
        ]
    )
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
