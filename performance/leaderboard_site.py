"""How long the site of 100,000 simulated results takes, and how large it is.

    python performance/leaderboard_site.py                  # a table, a few minutes
    python performance/leaderboard_site.py --runs 10000 -o site.md

The same number of runs is cut in several ways into tracks, methods, tasks and seeds: pages are one
for each method and task, and what is measured of a board grows with methods and tasks. Results are
simulated with four metrics each and read from files, as a sweep leaves them.
"""

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import machine
import numpy as np
import pandas
import typer
from figures import FiguresFile, write_figures
from markdown_table import table

from glassbench.benchmark_programs import suite_members
from glassbench.evaluators import TRACKS
from glassbench.evaluators.environment import Environment
from glassbench.evaluators.result import MetricValue, Result

_FAILED = 0.02


@dataclass(frozen=True)
class Shape:
    """How runs are cut."""

    tracks: int
    methods: int
    tasks: int
    seeds: int


SHAPES = (Shape(5, 20, 200, 5), Shape(1, 50, 400, 5), Shape(1, 250, 400, 1))


def simulated(shape: Shape, seed: int = 0) -> Iterator[Result]:
    """Yield a result for each run: tasks of the library, of random difficulty; some runs fail."""
    draw = np.random.default_rng(seed)
    tasks = [str(one) for one in suite_members("full")][: shape.tasks]
    environment = Environment.here()
    for track in list(TRACKS.values())[: shape.tracks]:
        names = [track.primary, "edge_auroc", "node_average_precision", "own metric"]
        ease, skill = draw.normal(0, 1, len(tasks)), draw.normal(0, 1, shape.methods)
        for method in range(shape.methods):
            for place, task in enumerate(tasks):
                for one in range(shape.seeds):
                    noise = ease[place] + skill[method] + draw.normal(0, 0.5)
                    value = float(1 / (1 + np.exp(-noise)))
                    failed = draw.random() < _FAILED
                    yield Result(
                        tool=f"method-{method}",
                        tool_version="1.0",
                        settings={"steps": method},
                        task=task,
                        task_digest="0" * 64,
                        track=track.name,
                        seed=one,
                        status="failed" if failed else "ok",
                        error="ToolError: it broke" if failed else None,
                        primary=track.primary,
                        metrics={
                            name: MetricValue.of(None if failed else value, random=0.1, prior=0.2)
                            for name in names
                        },
                        answer_sha256=None if failed else "a" * 64,
                        wall_seconds=float(draw.exponential(3.0)),
                        peak_memory_mb=float(draw.exponential(300.0)),
                        environment=environment,
                    )


def build(results: Path, site: Path) -> None:
    """Build the site, and print seconds, CPU seconds, MiB of memory, pages and bytes."""
    from glassbench.leaderboard import write_site

    started, used = time.perf_counter(), time.process_time()
    found = write_site(results, site)
    seconds, cpu = time.perf_counter() - started, time.process_time() - used
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    sizes = [path.stat().st_size for path in site.rglob("*.html")]
    numbers = [seconds, cpu, memory, found.pages, found.page_bytes, max(sizes), found.raw_bytes]
    print(" ".join(map(str, numbers)))


def main(
    runs: Annotated[int, typer.Option(help="About how many results.")] = 100_000,
    output: Annotated[Path | None, typer.Option("-o", help="Also write the table here.")] = None,
    only: Annotated[int | None, typer.Option(help="The place of one shape.")] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Simulate, build in a fresh process, and print a table."""
    rows, costs = [], []
    # What is removed makes ext4 slow to create files for a while: all stays until the end.
    with tempfile.TemporaryDirectory() as folder:
        for place, shape in enumerate(SHAPES if only is None else SHAPES[only : only + 1]):
            share = runs / 100_000
            methods = max(2, round(shape.methods * share))
            cut = Shape(shape.tracks, methods, shape.tasks, shape.seeds)
            results = Path(folder, f"results-{place}")
            results.mkdir()
            count = 0
            for one in simulated(cut):
                (results / one.file_name).write_text(one.to_json(), encoding="utf-8")
                count += 1
            site = Path(folder, f"site-{place}")
            call = [sys.executable, __file__, "build", str(results), str(site)]
            told = subprocess.run(call, check=True, capture_output=True, text=True).stdout
            seconds, cpu, memory, pages, size, largest, raw = map(float, told.split())
            costs.append((seconds, cpu))
            rows.append(
                [
                    f"{cut.tracks} x {cut.methods} x {cut.tasks} x {cut.seeds}",
                    f"{count:,}",
                    f"{seconds:.1f}",
                    f"{cpu:.1f}",
                    f"{memory:,.0f}",
                    f"{pages:,.0f}",
                    f"{size / 2**20:.1f}",
                    f"{largest / 2**20:.2f}",
                    f"{raw / 2**20:.0f}",
                ]
            )
    heading = [
        "tracks x methods x tasks x seeds",
        "results",
        "seconds",
        "CPU seconds",
        "MiB of memory",
    ]
    heading += ["pages", "MiB of site", "MiB of the largest page", "MiB of results"]
    versions = {"glassbench": {"pandas": pandas.__version__, "numpy": np.__version__}}
    text = f"{machine.described(1, versions)}\n\n{table(heading, rows)}\n"
    print(text)
    names = "seconds", "CPU seconds"
    slowest = map(max, zip(*costs, strict=True))
    write_figures(dict(zip(names, slowest, strict=True)), figures_file)
    if output is not None:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["build"]:
        build(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        typer.run(main)
