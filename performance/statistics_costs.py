"""What each part of the leaderboard's statistics costs on very many simulated results.

    python performance/statistics_costs.py                    # some minutes, 2 GiB
    python performance/statistics_costs.py --shape 20x1000x5 -o costs.md

Results are simulated as the frame that `results_frame` makes, with their primary metric alone: no
file is read or written. Tasks are those of the library, and crowded ones beyond them. Each shape,
methods x tasks x seeds, is a process of its own that uses one thread.
"""

import resource
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import machine
import numpy as np
import pandas as pd
import scipy
import typer
from figures import FiguresFile, write_figures
from markdown_table import table
from threadpoolctl import threadpool_limits

SHAPES = ("20x1000x5", "100x450x5", "1000x1000x1")
_FAILED = 0.02


def simulated(methods: int, tasks: int, seeds: int, seed: int = 0) -> pd.DataFrame:
    """Return a frame of results: methods of various skill, tasks of various ease, some failures."""
    from glassbench.benchmark_programs import suite_members

    draw = np.random.default_rng(seed)
    names = [str(one) for one in suite_members("full")][:tasks]
    names += [
        f"histogram-v1/crowded[distractors={n % 7 + 1},seed={n}]" for n in range(len(names), tasks)
    ]
    method, task, one = (
        each.ravel() for each in np.indices((methods, tasks, seeds), dtype=np.int32)
    )
    noise = draw.normal(0, 0.5, len(method))
    reached = draw.normal(0, 1, methods)[method] + draw.normal(0, 1, tasks)[task] + noise
    failed = draw.random(len(method)) < _FAILED
    value = np.where(failed, np.nan, 0.2 + 0.8 / (1 + np.exp(-reached)))
    frame = pd.DataFrame(
        {
            "method": pd.Categorical.from_codes(method, [f"method-{n:04}" for n in range(methods)]),
            "task": pd.Categorical.from_codes(task, names),
            "seed": one,
            "status": np.where(failed, "failed", "ok"),
            "error": None,
            "wall_seconds": draw.exponential(3.0, len(method)),
            "peak_memory_mb": draw.exponential(300.0, len(method)),
            "file": np.arange(len(method)).astype(str),
            "metric": "edge_average_precision",
            "primary": True,
            "value": value,
            "low": np.nan,
            "high": np.nan,
            "random": 0.1,
            "prior": 0.2,
            "floor": 0.2,
            "ceiling": 1.0,
            "normalised": (value - 0.2) / 0.8,
        }
    )
    texts = ["method", "task", "status", "file", "metric"]
    return frame.astype(dict.fromkeys(texts, "str"))


def costs(frame: pd.DataFrame) -> Iterator[tuple[str, float, float, float]]:
    """Yield the parts of `Statistics.of`: name, seconds, of the processor, and peak MiB so far."""
    from glassbench import leaderboard as board

    steps = {
        "scores of tasks": lambda _: board.task_scores(frame),
        "differences of all pairs": lambda made: board.pairwise_differences(
            made["scores of tasks"]
        ),
        "standings": lambda made: board.standings(frame, pairwise=made["differences of all pairs"]),
        "profiles": lambda _: board.performance_profiles(frame),
        "critical differences": lambda made: board.critical_difference(
            made["scores of tasks"], made["differences of all pairs"]
        ),
        "what is known of tasks": lambda _: board.task_covariates(frame["task"].unique()),
        "trends": lambda made: board.difficulty_trends(
            made["scores of tasks"], made["what is known of tasks"]
        ),
        "bins of difficulty": lambda made: board.difficulty_bins(
            made["scores of tasks"], made["what is known of tasks"]
        ),
    }
    made: dict[str, object] = {}
    for name, step in steps.items():
        started, used = time.perf_counter(), time.process_time()
        made[name] = step(made)
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        yield name, time.perf_counter() - started, time.process_time() - used, memory


def main(
    shape: Annotated[
        list[str] | None, typer.Option(help="methods x tasks x seeds; may be given again.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-o", help="Also write the table here.")] = None,
    only: Annotated[str | None, typer.Option(help="Measure one shape in this process.")] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Print what each part costs, shape by shape."""
    if only is not None:
        frame = simulated(*map(int, only.split("x")))
        with threadpool_limits(1):
            for part in costs(frame):
                print(*part, sep="\t", flush=True)
        return
    rows, found = [], {}
    for one in shape or SHAPES:
        command = [sys.executable, __file__, "--only", one]
        told = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
        parts = [line.split("\t") for line in told.splitlines()]
        total = np.array([[float(number) for number in part[1:3]] for part in parts]).sum(axis=0)
        parts.append(["all", *map(str, total), parts[-1][3]])
        for name, seconds, cpu, memory in parts:
            numbers = [f"{float(seconds):.1f}", f"{float(cpu):.1f}", f"{float(memory):,.0f}"]
            rows.append([one, name, *numbers])
            found |= {f"{one}: {name}, CPU": float(cpu), f"{one}: memory": float(memory)}
    write_figures(found, figures_file)
    heading = ["methods x tasks x seeds", "part", "seconds", "CPU s", "peak MiB so far"]
    versions = {"packages": {one.__name__: one.__version__ for one in (np, pd, scipy)}}
    text = f"{table(heading, rows)}\n\n{machine.described(1, versions)}\n"
    print(text)
    if output is not None:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
