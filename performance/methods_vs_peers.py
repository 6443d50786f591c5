"""Measures our circuit methods beside those of auto-circuit and TransformerLens.

    python -m glassbench.evaluators.adapters auto-circuit   # once: it needs an environment
    python performance/methods_vs_peers.py --suite quick -o methods_vs_peers.md

Both sides have the same weights and the same pairs, in float64 and on one thread, in one run.
"""

import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import machine
import numpy as np
import torch
import typer
from figures import FiguresFile, write_figures
from markdown_table import table
from threadpoolctl import threadpool_limits

from glassbench.evaluators import TRACKS, CircuitProblem, Limits, built_in
from glassbench.evaluators.adapters import ADAPTERS, transformer_lens_patching
from glassbench.evaluators.adapters.scripts.auto_circuit_edges import ACDC_EXPONENTS, ACDC_FACTOR
from glassbench.evaluators.gated_model import GatedModel
from glassbench.evaluators.methods.acdc import surviving
from glassbench.evaluators.methods.edge_attribution_patching import first_order_effects
from glassbench.evaluators.pair_runs import PairRuns
from glassbench.ground_truth import load_suite

Scores = Mapping[str, float]
SAME = 1e-4


def summed_effects(problem: CircuitProblem) -> Scores:
    """Return the effects of EAP summed over pairs with their signs, as auto-circuit does."""
    with threadpool_limits(limits=1):
        model = GatedModel(problem.model.weights)
        effects = first_order_effects(problem, model).sum(axis=0)
    return _by_edge(problem, model, effects, 0.0)


def least_thresholds(problem: CircuitProblem) -> Scores:
    """Return the least threshold at which ACDC prunes each edge, 10 where none does."""
    thresholds = ACDC_FACTOR * np.power(10.0, ACDC_EXPONENTS)
    with threadpool_limits(limits=1):
        model = GatedModel(problem.model.weights)
        runs = list(PairRuns.of(model, problem, circuits=len(thresholds)))
        kept = surviving(model, runs, thresholds).astype(bool)
    least = np.where(kept.all(axis=0), 10.0, thresholds[kept.argmin(axis=0)])
    return _by_edge(problem, model, least, float(thresholds[0]))


def _by_edge(problem: CircuitProblem, model: GatedModel, values: np.ndarray, rest: float) -> Scores:
    """Return values by edge, with another where nothing can pass."""
    found = dict(zip((edge.name for edge in model.edges), values.tolist(), strict=True))
    return {edge: found.get(edge, rest) for edge in problem.edges}


@dataclass(frozen=True)
class Comparison:
    """Two implementations of one quantity.

    Attributes:
        name: of what is computed.
        ours: from a problem to scores.
        peer: what the other side is.
        theirs: from a problem to scores and seconds of the processor.
    """

    name: str
    ours: Callable[[CircuitProblem], Scores]
    peer: str
    theirs: Callable[[CircuitProblem], tuple[Scores, float]]


def timed(function: Callable[..., Scores], *arguments: Any) -> tuple[Scores, float]:
    """Return scores, and seconds of the processor."""
    started = time.process_time()
    scores = function(*arguments)
    return scores, time.process_time() - started


def by_auto_circuit(method: str) -> Callable[[CircuitProblem], tuple[Scores, float]]:
    """Return what runs auto-circuit; the script times the method, its model made before."""

    def run(problem: CircuitProblem) -> tuple[Scores, float]:
        limits = Limits(seconds=7200.0)
        tool = replace(ADAPTERS[f"auto-circuit-{method}"], live=False, limits=limits)
        reply = tool.ask(TRACKS["circuit"], problem)
        if reply.error is not None:
            raise reply.error
        # Its first node holds both embeddings, and is named for one of them.
        scores = {edge: s for edge, s in reply.answer.items() if not edge.startswith("pos_embed")}
        return scores, float(reply.told["settings"]["processor_seconds"])

    return run


def by_transformer_lens(function: str) -> Callable[[CircuitProblem], tuple[Scores, float]]:
    """Return what runs TransformerLens; the model is exported before."""

    def run(problem: CircuitProblem) -> tuple[Scores, float]:
        network = problem.model.to_transformer_lens(dtype=torch.float64)
        return timed(getattr(transformer_lens_patching, function), problem, network)

    return run


def comparisons() -> list[Comparison]:
    """Return what is compared."""
    ours = {name: method.function for name, method in built_in("circuit").items()}
    return [
        Comparison(
            "interchange of every edge",
            ours["interchange"],
            "auto-circuit, `patch_mode` edge by edge",
            by_auto_circuit("edge-patching"),
        ),
        Comparison(
            "interchange of every edge",
            ours["interchange"],
            "TransformerLens, a hook edge by edge",
            by_transformer_lens("path_patching"),
        ),
        Comparison(
            "interchange (theirs: from heads to heads alone)",
            ours["interchange"],
            "TransformerLens, `get_act_patch_direct_path_all_sources`",
            by_transformer_lens("direct_paths"),
        ),
        Comparison(
            "EAP, summed over pairs",
            summed_effects,
            "auto-circuit, `mask_gradient_prune_scores`",
            by_auto_circuit("eap"),
        ),
        Comparison(
            "EAP, magnitudes over pairs",
            ours["eap"],
            "TransformerLens, `attribution_patch` of edges",
            by_transformer_lens("edge_attribution"),
        ),
        Comparison(
            "attribution patching of nodes",
            ours["attribution-patching"],
            "TransformerLens, `attribution_patch` of nodes",
            by_transformer_lens("node_attribution"),
        ),
        Comparison(
            f"ACDC, {len(ACDC_EXPONENTS)} thresholds",
            least_thresholds,
            "auto-circuit, `acdc_prune_scores`",
            by_auto_circuit("acdc"),
        ),
    ]


@dataclass(frozen=True)
class Measured:
    """A comparison on one task.

    Attributes:
        ours: seconds of the processor.
        theirs: likewise.
        apart: the largest difference of the scores of an edge, as a share of the largest score.
        differing: how many edges differ by more than `SAME`.
        edges: how many edges both sides score.
    """

    ours: float
    theirs: float
    apart: float
    differing: int
    edges: int

    @classmethod
    def of(cls, comparison: Comparison, problem: CircuitProblem) -> "Measured":
        """Run both sides on a problem, ours three times: the median counts."""
        runs = [timed(comparison.ours, problem) for _ in range(3)]
        scores = runs[0][0]
        found, theirs = comparison.theirs(problem)
        largest = max((abs(score) for score in scores.values()), default=0.0) or 1.0
        apart = np.array([abs(score - scores[edge]) / largest for edge, score in found.items()])
        ours = float(np.median([seconds for _, seconds in runs]))
        most = float(apart.max(initial=0.0))
        return cls(ours, theirs, most, int((apart > SAME).sum()), len(apart))


def summary(found: Mapping[int, Sequence[Measured]], asked: Sequence[Comparison]) -> str:
    """Return a row for each comparison."""
    rows = []
    for place, results in found.items():
        ours, theirs = (sum(getattr(one, side) for one in results) for side in ("ours", "theirs"))
        ratios = [one.theirs / one.ours for one in results]
        rows.append(
            [
                asked[place].name,
                asked[place].peer,
                f"{ours:.3f}",
                f"{theirs:.2f}",
                f"**{theirs / ours:.0f}**",
                f"{min(ratios):.0f}",
                f"{max(one.apart for one in results):.1e}",
                f"{sum(one.differing for one in results)} of {sum(one.edges for one in results)}",
            ]
        )
    heading = [
        "method",
        "peer",
        "ours, s",
        "peer, s",
        "times faster",
        "least, on a task",
        "largest difference",
        f"edges apart by more than {SAME:g}",
    ]
    return table(heading, rows)


def figures(
    found: Mapping[int, Sequence[Measured]], asked: Sequence[Comparison]
) -> dict[str, float]:
    """Return the least ratio on a task of each kind of method, and how many edges differ."""
    least: dict[str, float] = {}
    for place, results in found.items():
        kind = re.split("[ ,]", asked[place].name)[0].lower()
        ratio = min(one.theirs / one.ours for one in results)
        least[kind] = min(ratio, least.get(kind, np.inf))
    every = [one for results in found.values() for one in results]
    apart = max(one.apart for one in every)
    return {**least, "apart": apart, "differing": sum(one.differing for one in every)}


def task_by_task(
    names: Sequence[str], found: Mapping[int, Sequence[Measured]], asked: Sequence[Comparison]
) -> str:
    """Return a row for each comparison on each task."""
    rows = [
        [
            asked[place].name,
            asked[place].peer,
            name,
            str(one.edges),
            f"{one.ours:.4f}",
            f"{one.theirs:.3f}",
            f"{one.theirs / one.ours:.0f}",
            f"{one.apart:.1e}",
        ]
        for place, results in found.items()
        for name, one in zip(names, results, strict=True)
    ]
    heading = ["method", "peer", "task", "edges", "ours, s", "peer, s", "ratio", "difference"]
    return table(heading, rows)


def main(
    suite: Annotated[str, typer.Option(help="A suite of circuits.")] = "quick",
    every: Annotated[int, typer.Option(min=1, help="Take every so many tasks.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Run both sides on a suite and print tables."""
    torch.set_num_threads(1)
    ADAPTERS["auto-circuit-eap"].check()
    asked = comparisons()
    tasks = load_suite(suite)[::every]
    problems = [CircuitProblem.of(task) for task in tasks]
    found: dict[int, list[Measured]] = {}
    for place, comparison in enumerate(asked):
        Measured.of(comparison, problems[0])  # imports, and the like
        found[place] = [Measured.of(comparison, problem) for problem in problems]
        print(comparison.name, "and", comparison.peer, file=sys.stderr, flush=True)
    names = [task.id.spec.name for task in tasks]
    edges = np.mean([len(problem.edges) for problem in problems])
    write_figures(figures(found, asked), figures_file)
    packages = {name: version(name) for name in ("numpy", "torch", "transformer-lens")}
    theirs = dict(
        requirement.split("==")
        for requirement in ADAPTERS["auto-circuit-eap"].environment.requirements
    )
    text = "\n\n".join(
        [
            f"# Circuit methods and their peers on {suite}",
            machine.described(1, {"here": packages, "environment of auto-circuit": theirs}),
            f"{len(tasks)} tasks of {edges:.0f} edges on average, 64 pairs each. Seconds are of "
            "the processor, one thread, float64 on both sides; peers are timed with their model "
            "made and loaded, ours from the weights. Differences are shares of the largest score.",
            summary(found, asked),
            "Task by task:",
            task_by_task(names, found, asked),
        ]
    )
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
