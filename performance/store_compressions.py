"""Trains compressions of tasks, and stores those that pass the quality gate with the package.

python performance/store_compressions.py frac_prevs --d 8 --seeds 0-2
python performance/store_compressions.py sort frac_prevs/crowded --d 8,9 --seeds 0,4-6

What is stored already is left as it is, unless it is trained `--again`. Each that passes is
written as soon as it is trained; what does not pass is told with its first shortcoming.
"""

from pathlib import Path
from typing import Annotated

import typer

from glassbench.benchmark_programs import TaskId
from glassbench.ground_truth import load
from glassbench.ground_truth.stored_compressions import (
    FILE,
    store_compressions,
    stored_compression_ids,
)
from glassbench.ground_truth.superposed import superpose


def numbers(text: str) -> list[int]:
    """Return the numbers that a text such as `0-2,5` names."""
    found: list[int] = []
    for part in text.split(","):
        first, _, last = part.partition("-")
        found += range(int(first), int(last or first) + 1)
    return found


def main(
    tasks: list[str],
    d: Annotated[str, typer.Option(help="Widths, such as 8,9.")],
    seeds: Annotated[str, typer.Option(help="Seeds, such as 0-2,5.")] = "0",
    again: Annotated[bool, typer.Option(help="Whether what is stored is trained again.")] = False,
    place: Annotated[Path, typer.Option(help="The file.")] = FILE,
) -> None:
    for name in tasks:
        for width in numbers(d):
            for seed in numbers(seeds):
                task = str(TaskId.parse(f"{name}/superposed[d={width},seed={seed}]"))
                if again or task not in stored_compression_ids(place):
                    train(name, task, width, seed, place)
                else:
                    print(f"{task}: is stored", flush=True)


def train(name: str, task: str, d: int, seed: int, place: Path) -> None:
    """Train one compression, store it if it passes, and tell what it came to."""
    (made,) = superpose(load(name), d, (seed,))
    quality = made.gate.quality
    figures = (
        f"cosine {quality.cosine:.3f}, error {quality.error:.3f}, {made.attempts} attempts, "
        f"{made.seconds:.1f} s"
    )
    if made.gate.passed:
        store_compressions({task: made.W}, place)
        print(f"{task}: passes; {figures}", flush=True)
    else:
        print(f"{task}: does not pass: {made.gate.shortcomings[0]}; {figures}", flush=True)


if __name__ == "__main__":
    typer.run(main)
