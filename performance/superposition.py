"""Compresses models to fewer and fewer dimensions, and measures what is left of them.

python performance/superposition.py frac_prevs --d 6,7,8 --seeds 10 -o superposition.md
python performance/superposition.py frac_prevs sort_unique --until 2 --seeds 3
python performance/superposition.py --suite superposition --seeds 3 -o superposition_suite.md

Without `--d` a program is compressed to one dimension less at a time, from the least at which
its readers can still see all they need, until no seed has passed the gate `--until` times in a
row. `--peer` trains by the recipe that is told of the published experiments for as long as ours
took, in the same run. `--suite` takes the programs of a suite at the widths that it has.
"""

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from figures import FiguresFile, write_figures
from markdown_table import table
from superposition_curves import carried

from glassbench.benchmark_programs import get_suite
from glassbench.ground_truth import Task, load
from glassbench.ground_truth.superposed import RECIPES, Superposed, superpose

HEADINGS = [
    "program", "D", "d", "seed", "recipe", "passes", "accuracy", "least cosine", "largest error",
    "cosine by component", "edges moved", "attempts", "seconds",
]  # fmt: skip
_EXACT = 1e-3
_CHUNK = 500


def widths(task: Task) -> list[int]:
    """Return widths from the least at which the error of what is read is nearly zero."""
    d = task.compiled.model.weights.d_model
    while d > 1 and carried(task, d - 1) <= _EXACT:
        d -= 1
    return list(range(d, 1, -1))


def row(task: Task, one: Superposed) -> list[str]:
    """Return one compression as a row of the table."""
    quality, gate = one.gate.quality, one.gate
    moved = "not measured" if gate.labels is None else str(len(gate.moved))
    cosines = " ".join(f"{part.name} {part.cosine:.3f}" for part in quality.components)
    return [
        task.id.name,
        str(task.compiled.model.weights.d_model),
        str(one.d),
        str(one.seed),
        one.recipe,
        "yes" if gate.passed else "no",
        f"{quality.accuracy:.2%}",
        f"{quality.cosine:.3f}",
        f"{quality.error:.3f}",
        cosines,
        moved,
        str(one.attempts),
        f"{one.seconds:.1f}",
    ]


def peer(task: Task, d: int, seeds: int, seconds: float) -> list[Superposed]:
    """Return what the published recipe comes to in about so many seconds, its schedule fitted."""
    talk = RECIPES["talk"]
    taken = []
    for chunks in (1, 3):  # the difference is two chunks, without what is compiled once
        started = time.perf_counter()
        superpose(task, d, range(seeds), recipe=replace(talk, steps=chunks * _CHUNK))
        taken.append(time.perf_counter() - started)
    steps = _CHUNK * max(1, int(2 * seconds / (taken[1] - taken[0])))
    done = superpose(task, d, range(seeds), recipe=replace(talk, steps=steps))
    return [replace(one, recipe=f"talk, {steps:,} steps") for one in done]


@dataclass(frozen=True)
class Compressed:
    """A program at a width: every seed by our recipe, and their seconds together."""

    program: str
    d: int
    seeds: tuple[Superposed, ...]
    seconds: float


def figures(measured: Sequence[Compressed]) -> dict[str, float]:
    """Return by width how many pass the gate, and the seconds of all seeds of a program."""
    found: dict[str, float] = {}
    for d in dict.fromkeys(one.d for one in measured):
        alike = [one for one in measured if one.d == d]
        found[f"pass at d={d}"] = sum(s.gate.passed for one in alike for s in one.seeds)
        found[f"seconds at d={d}"] = max(one.seconds for one in alike)
    every = [seed for one in measured for seed in one.seeds]
    found["share that passes"] = sum(one.gate.passed for one in every) / len(every)
    found["compressions"] = len(every)
    return found | {"least cosine": min(one.gate.quality.cosine for one in every)}


def of_suite(suite: str) -> dict[str, list[int]]:
    """Return the widths of each program of a suite of compressed models, widest first."""
    found: dict[str, list[int]] = {}
    for task in get_suite(suite):
        name, _, regime = str(task).rpartition("/superposed[d=")
        found.setdefault(name, []).append(int(regime.partition(",")[0]))
    return found


def main(
    programs: Annotated[list[str] | None, typer.Argument(help="Tasks of the library.")] = None,
    d: Annotated[str, typer.Option(help="Widths, separated by commas.")] = "",
    seeds: Annotated[int, typer.Option(help="How many seeds.")] = 3,
    until: Annotated[int, typer.Option(help="How many widths in a row may fail.")] = 2,
    compare: Annotated[bool, typer.Option("--peer", help="Also by the published recipe.")] = False,
    recipe: Annotated[str, typer.Option(help="A recipe by name.")] = "",
    suite: Annotated[str, typer.Option(help="A suite of compressed models.")] = "",
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the table here.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Compress programs and print a row for each width and seed."""
    rows, measured = [], []
    fixed = [int(each) for each in d.split(",")] if d else []
    wanted = of_suite(suite) if suite else dict.fromkeys(programs or [], fixed)
    for name, given in wanted.items():
        task = load(name)
        failed = 0
        for width in given or widths(task):
            started = time.perf_counter()
            done = list(superpose(task, width, range(seeds), recipe=recipe or None))
            taken = time.perf_counter() - started
            measured.append(Compressed(name, width, tuple(done), taken))
            if compare:
                done += peer(task, width, seeds, taken)
            rows += [row(task, one) for one in done]
            for each in rows[-len(done) :]:
                sys.stderr.write(" | ".join(each) + "\n")
            failed = 0 if any(one.gate.passed for one in done) else failed + 1
            if not given and failed == until:
                break
    write_figures(figures(measured), figures_file)
    text = table(HEADINGS, rows)
    sys.stdout.write(text + "\n")
    if output is not None:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
