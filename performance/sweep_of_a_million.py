"""Measures what a sweep of a million rows costs beside the methods: 1,000 of them on 1,000 tasks.

    python performance/sweep_of_a_million.py -o sweep_of_a_million.md --scratch /some/disk

One real result, with its answer, is made the result of every row: of another tool, task and seed,
under the name that these give it. Rows are counted, written, looked for on resuming, told of
while the sweep goes on, and read for a ranking, each with the package's own functions. What is
dear (files that are flushed to disk, answers) is done for a sample, and the report says of how
many; the folder of results is made whole, from bytes that are prepared, without flushing.
"""

import os
import platform
import resource
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer
from figures import FiguresFile, write_figures
from markdown_table import table

from glassbench.evaluators import CircuitTrack, Method, Result, Scored, scored
from glassbench.evaluators.answers_check import check_answers
from glassbench.evaluators.row_claim import claimed
from glassbench.evaluators.sweep_folder import opened
from glassbench.evaluators.sweep_rows import Done, Row, rows_of, status_of
from glassbench.leaderboard import read_results

EXAMPLE = "sort-v1/crowded[distractors=8,seed=1]/scrambled[seed=1]"
SAMPLE, MOST_READ = 500, 50_000


@dataclass(frozen=True)
class Cost:
    """What one step took.

    Attributes:
        step: in words.
        rows: how many it was done for.
        seconds: in all, by the clock.
        cpu: seconds of the processor.
        peak: the most memory of the process so far, in MiB.
        size: bytes on disk that it made; 0 where none.
    """

    step: str
    rows: int
    seconds: float
    cpu: float
    peak: float
    size: int = 0


def measured(step: str, rows: int, work: Callable[[], int | None]) -> Cost:
    """Return what it takes to do something for some rows; it may return bytes that it made."""
    print(step, file=sys.stderr, flush=True)
    started, busy = time.perf_counter(), time.process_time()
    size = work()
    seconds, cpu = time.perf_counter() - started, time.process_time() - busy
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(step, rows, seconds, cpu, peak, size or 0)


def example() -> Scored:
    """Return a result of a built-in method, with its answer, as a sweep of a suite makes it."""
    return scored("weight-norm", EXAMPLE)


def for_row(one: Scored, tool: str, task: str) -> Scored:
    """Return the example as the result of another row."""
    assert one.answer is not None
    names = {"tool": tool, "task": task}
    answer = replace(one.answer, record=one.answer.record.model_copy(update=names))
    return Scored(one.result.model_copy(update=names), answer)


def on_disk(folder: Path) -> int:
    """Return the bytes that the files of a folder take on disk, in whole blocks."""
    return sum(path.stat().st_blocks * 512 for path in folder.rglob("*") if path.is_file())


def sample_costs(one: Scored, scratch: Path, names: Sequence[str]) -> list[Cost]:
    """Measure what is done for each row while a sweep goes on, for a sample of rows."""
    folder = scratch / "sample"

    def write() -> int:
        for name in names:
            for_row(one, name, EXAMPLE).write(folder)
        return on_disk(folder)

    def make() -> None:
        for name in names:
            for_row(one, name, EXAMPLE).result.to_json().encode()

    def claim() -> None:
        with opened(folder, again=False, retry_failed=False) as place:
            for name in names:
                with claimed(place.path, f"{name}.json", place.sweep) as found:
                    assert found is not None

    def compare() -> None:
        assert check_answers(folder, read_results(folder)).n_compared == n

    n = len(names)
    return [
        measured("a result and its answer, written and flushed", n, write),
        measured("of that: the JSON of the result", n, make),
        measured("a claim, taken and given back", n, claim),
        measured("a result read, and its answer compared by digest", n, compare),
    ]


def folder_costs(one: Scored, scratch: Path, n_methods: int, n_tasks: int) -> list[Cost]:
    """Measure what is done with the folder as a whole."""
    folder, track, n = scratch / "results", CircuitTrack(), n_methods * n_tasks
    folder.mkdir()
    methods = [Method(f"method_{number}", len, "", "") for number in range(n_methods)]
    tasks = [f"task_{number}" for number in range(n_tasks)]
    text = for_row(one, "TOOL", "TASK").result.to_json()
    rows: dict[str, list[Row]] = {}
    there: set[str] = set()
    some: list[str] = []
    kept: list[Result] = []

    def count() -> None:
        for task in tasks:
            rows[task] = list(rows_of(task, methods, [track], [0]))
        some.extend(sorted(row.name for of_task in rows.values() for row in of_task)[:MOST_READ])

    def fill() -> int:
        for task, of_task in rows.items():
            for method, row in zip(methods, of_task, strict=True):
                content = text.replace('"TOOL"', f'"{method.name}"').replace('"TASK"', f'"{task}"')
                with open(folder / row.name, "w", encoding="utf-8") as file:
                    file.write(content)
        return on_disk(folder)

    def look() -> None:
        there.update(Done(time.time_ns()).among(folder))
        assert not [row for of_task in rows.values() for row in of_task if row.name not in there]

    def statuses() -> None:
        for name in some:
            assert status_of(folder / name) == "ok"

    def read() -> None:
        kept.extend(Result.read(folder / name) for name in some)
        assert [result.file_name for result in kept] == some

    return [
        measured("names of all rows", n, count),
        measured("results alone, written and not flushed", n, fill),
        measured("a look at what is there, as on resuming", n, look),
        measured("the same once more", n, look),
        measured("the status of results, as to retry failures", min(n, MOST_READ), statuses),
        measured("results read, checked and held, as for a ranking", min(n, MOST_READ), read),
    ]


def figures(costs: Sequence[Cost]) -> dict[str, float]:
    """Return the seconds of the processor of every step, and for what a million rows would take."""
    return {cost.step: 1e6 * cost.cpu / cost.rows for cost in costs} | {
        "peak": max(cost.peak for cost in costs)
    }


def report(costs: Sequence[Cost], one: Scored, n: int) -> str:
    """Return the report as Markdown."""
    rows = [
        [
            cost.step,
            f"{cost.rows:,}",
            f"{cost.seconds:,.1f}",
            f"{cost.cpu:,.1f}",
            f"{1e6 * cost.seconds / cost.rows:,.0f}",
            f"{1e6 * cost.cpu / cost.rows:,.0f}",
            f"{cost.size / cost.rows:,.0f}" if cost.size else "",
            f"{cost.peak:,.0f}",
        ]
        for cost in costs
    ]
    heading = ["step", "rows", "seconds", "CPU s", "µs a row", "CPU µs a row"]
    heading += ["bytes a row", "peak MiB"]
    result, answer = one.result.to_json(), one.answer
    assert answer is not None
    sizes = (
        f"A result has {len(result.encode()):,} bytes, its answer "
        f"{len(answer.record.to_json().encode()):,}; {n:,} rows were made."
    )
    load = f"The load of the machine was {os.getloadavg()[1]:.0f} in the last five minutes."
    about = f"Python {platform.python_version()}, {os.cpu_count()} cores. {load}"
    return "\n\n".join([table(heading, rows), sizes, about]) + "\n"


def main(
    output: Annotated[Path | None, typer.Option("-o", help="A Markdown file.")] = None,
    scratch: Annotated[Path | None, typer.Option(help="A folder on the disk to measure.")] = None,
    methods: Annotated[int, typer.Option(help="How many methods.")] = 1000,
    tasks: Annotated[int, typer.Option(help="How many tasks.")] = 1000,
    figures_file: FiguresFile = None,
) -> None:
    """Measure, print and write the report."""
    one = example()
    place = Path(tempfile.mkdtemp(dir=scratch, prefix="sweep-"))
    try:
        names = [f"method_{number}" for number in range(SAMPLE)]
        costs = sample_costs(one, place, names) + folder_costs(one, place, methods, tasks)
        write_figures(figures(costs), figures_file)
        text = report(costs, one, methods * tasks)
    finally:
        started = time.perf_counter()
        shutil.rmtree(place)
        print(f"removed in {time.perf_counter() - started:.1f} s", file=sys.stderr)
    print(text)
    if output is not None:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    os.environ.setdefault("JAX_PLATFORMS", "cpu")
    typer.run(main)
