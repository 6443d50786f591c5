"""Times how the bundles of a suite are built from nothing, and counts what is in them.

python performance/build_suite.py --suite core --jobs 2 -o build_core.md
"""

import resource
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeVar

import typer
from figures import FiguresFile, write_figures
from fresh_tasks import spread
from joblib import Parallel, delayed
from markdown_table import table
from threadpoolctl import threadpool_limits

from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth import certified
from glassbench.ground_truth.bundle_files import AllLabels, features_of, files_of, variables_of
from glassbench.ground_truth.compression_record import CompressionRecord
from glassbench.ground_truth.manifest import sha256_of
from glassbench.ground_truth.position_labels import position_labels
from glassbench.ground_truth.relevance import relevance
from glassbench.ground_truth.subspace_labels import subspace_labels
from glassbench.ground_truth.task_building import build_model
from glassbench.ground_truth.task_data import TaskData

Made = TypeVar("Made")


@dataclass(frozen=True)
class Built:
    """One bundle: what it took, and what it holds."""

    task: str
    digest: str
    seconds: dict[str, float]
    size: int
    peak: int
    certificates: Counter[str]
    counts: dict[str, int]


def built(task: TaskId) -> Built:
    """Build one bundle, a kind of label after the other."""
    seconds: dict[str, float] = {}

    def timed(kind: str, make: Callable[[], Made]) -> Made:
        started = time.process_time()
        made = make()
        seconds[kind] = time.process_time() - started
        return made

    with threadpool_limits(limits=1):
        compiled = timed("compile", lambda: build_model(task))
        found = timed("edges", lambda: certified(task, compiled))
        data = timed("data", lambda: TaskData.of(compiled, found.domain))
        codec = compiled.model.codec
        known, agreement = timed("variables", lambda: variables_of(found))
        subspaces = timed("subspaces", lambda: subspace_labels(found))
        positions = timed("positions", lambda: position_labels(found))
        features = timed("features", lambda: features_of(found))
        labels = AllLabels(
            timed("relevance", lambda: relevance(compiled.program, codec, data.tokens)),
            subspaces,
            positions,
            known,
            features,
            None if found.gate is None else CompressionRecord.of(found, agreement),
        )
        files = timed("files", lambda: files_of(found, data, labels))
    every = (*found.labels.edges, *subspaces.subspaces, *positions.positions)
    return Built(
        str(task),
        sha256_of(files[at.MANIFEST]),
        seconds,
        sum(map(len, files.values())),
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss,
        Counter(label.certificate.kind for label in every),
        {
            "edges": len(found.labels.edges),
            "subspaces": len(subspaces.subspaces),
            "edges at positions": len(positions.positions),
            "variables": len(known.variables),
            "features": len(features.features),
            "inputs with token relevance": len(data.tokens),
        },
    )


def figures(done: list[Built], wall: float) -> dict[str, float]:
    """Return seconds of the clock and of processors, and MB: of a process, and of bundles."""
    return {
        "seconds": wall,
        "processor": sum(sum(one.seconds.values()) for one in done),
        "peak": max(one.peak for one in done) / 1024,
        "size": sum(one.size for one in done) / 1e6,
    }


def report(suite: str, done: list[Built], wall: float, jobs: int) -> str:
    """Return what was measured, as Markdown."""
    kinds = {kind: sum(one.seconds[kind] for one in done) for kind in done[0].seconds}
    total = sum(kinds.values())
    rows = [[k, f"{s:.1f}", f"{s / len(done):.2f}", f"{s / total:.0%}"] for k, s in kinds.items()]
    rows.append(["all", f"{total:.1f}", f"{total / len(done):.2f}", "100%"])
    counts = [
        [name, f"{sum(one.counts[name] for one in done):,}", *spread(o.counts[name] for o in done)]
        for name in done[0].counts
    ]
    certificates = sum((one.certificates for one in done), Counter())
    peak = max(one.peak for one in done) / 1024
    sizes = [one.size / 1e6 for one in done]
    return "\n\n".join(
        [
            f"# Bundles of `{suite}`: {len(done)}",
            f"{wall:.1f} s with {jobs} processes; at most {peak:,.0f} MB in one of them. Bundles "
            f"have {min(sizes):.1f} to {max(sizes):.1f} MB, {sum(sizes):.0f} MB together.",
            table(["kind", "processor s", "a task", "share"], rows),
            table(["what", "all", "least", "median", "greatest"], counts),
            table(["certificate", "all"], [[k, f"{n:,}"] for k, n in certificates.most_common()]),
        ]
    )


def main(
    suite: Annotated[str, typer.Option(help="Which suite.")] = "core",
    jobs: Annotated[int, typer.Option(help="How many processes.")] = 2,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
    digests: Annotated[
        Path | None, typer.Option(help="Write the digest of every bundle here, a line a task.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Build every bundle of a suite from nothing."""
    started = time.perf_counter()
    parallel = Parallel(n_jobs=jobs, batch_size=1)
    done = parallel(delayed(built)(task) for task in get_suite(suite))
    wall = time.perf_counter() - started
    write_figures(figures(done, wall), figures_file)
    text = report(suite, done, wall, jobs)
    sys.stdout.write(text + "\n")
    if output is not None:
        output.write_text(text + "\n", encoding="utf-8")
    if digests is not None:
        lines = [f"{one.digest}  {one.task}\n" for one in done]
        digests.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
