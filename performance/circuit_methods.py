"""Measures the built-in methods of the circuit track: what they find, and how long they take.

    python performance/circuit_methods.py --suite quick -o circuit_methods.md
    python performance/circuit_methods.py --suite core --peer-every 6

Seconds are those of the clock and of the processor, problem and scoring left out. Two methods are
measured beside a peer in the same run: interchange patching edge by edge with everything after it
computed again, and edge attribution patching by jax, compiled for each model. The second differs by
more than rounding where neurons stand at their kink on many inputs, as in `pair_balance`: there
rounding chooses the side that jax takes, and ours takes the flat one.
"""

import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import jax
import jax.numpy as jnp
import machine
import numpy as np
import typer
from figures import FiguresFile, write_figures
from markdown_table import table
from threadpoolctl import threadpool_limits

from glassbench.compiler import interchange, run
from glassbench.compiler.interchanged_forward import InterchangedForward
from glassbench.evaluators import CircuitProblem, built_in, measured, suite_priors
from glassbench.evaluators.circuit_track import PRIMARY
from glassbench.evaluators.floors import prior_above_random
from glassbench.evaluators.ranking_metrics import METRICS
from glassbench.ground_truth import EdgeState, Task, edge_positives, load_suite

Scores = dict[str, float]


@dataclass(frozen=True)
class Measured:
    """One method on one task.

    Attributes:
        scores: its answer.
        normalised: average precision, 0 at the higher floor and 1 at the oracle.
        missed: the share of causal edges with a score of 0.
        wall: seconds of the clock.
        processor: seconds of the processor.
    """

    scores: Scores
    normalised: float
    missed: float
    wall: float
    processor: float


def timed(function: Callable[[CircuitProblem], Scores], problem: CircuitProblem):
    """Return an answer, with seconds of the clock and of the processor."""
    wall, processor = time.perf_counter(), time.process_time()
    scores = function(problem)
    return scores, time.perf_counter() - wall, time.process_time() - processor


def edge_by_edge(problem: CircuitProblem) -> Scores:
    """Return what interchange patching does, one edge of the whole model after another."""
    weights, graph = problem.model.weights, problem.graph
    scores = {}
    with threadpool_limits(limits=1):
        base, source = (run(weights, tokens) for tokens in (problem.base, problem.source))
        real = problem.model.codec.is_real(problem.base)
        for edge in graph.edges:
            place = graph.writer_index[edge.writer.name]
            delta = source.contributions[place] - base.contributions[place]
            logits = interchange(weights, graph, base, edge.reader, delta)
            moved = np.linalg.norm(logits - base.logits, axis=-1)
            scores[edge.name] = float(moved[real].mean())
    return scores


def gradients_by_jax(problem: CircuitProblem) -> Scores:
    """Return what edge attribution patching does, by jax on the whole model in float32."""
    forward = InterchangedForward(problem.model.weights)
    arrays = {name: jnp.asarray(array) for name, array in problem.model.weights.arrays()}
    base, source = jnp.asarray(problem.base), jnp.asarray(problem.source)
    real = problem.model.codec.is_real(problem.base)[..., None]

    def slopes(edges):
        written, target = forward(arrays, source)

        def nearness(edges):
            _, logits = forward(arrays, base, edges, written)
            return -0.5 * jnp.sum(jnp.where(real, logits - target, 0.0) ** 2)

        return jax.grad(nearness)(edges)

    with jax.default_matmul_precision("highest"):
        found = jax.jit(slopes)(jnp.zeros((len(base), *forward.edge_shape)))
    magnitudes = np.abs(np.asarray(found, np.float64)).mean(axis=0)
    rows = {reader.name: row for row, reader in enumerate(forward.graph.readers)}
    writers = forward.graph.writer_index
    return {
        edge.name: float(magnitudes[rows[edge.reader.name], writers[edge.writer.name]])
        for edge in forward.graph.edges
    }


PEERS = {"interchange": edge_by_edge, "eap": gradients_by_jax}


def measure(name: str, tasks: Sequence[Task], seed: int) -> list[Measured]:
    """Measure a method on every task."""
    priors = suite_priors(tasks)
    found = []
    for task in tasks:
        problem = CircuitProblem.of(task, seed=seed)
        scores, wall, processor = timed(built_in("circuit")[name].function, problem)
        value = measured(scores, task, seed=seed, priors=priors)[PRIMARY].normalised
        states = task.labels.states
        zeros = [scores[edge] == 0 for edge, s in states.items() if s is EdgeState.CAUSAL]
        found.append(Measured(scores, value, float(np.mean(zeros)), wall, processor))
    print(f"{name}: {sum(one.wall for one in found):.1f} s", file=sys.stderr, flush=True)
    return found


def summary(found: dict[str, list[Measured]]) -> str:
    """Return a row for each method: what it finds on the suite, and how long it takes."""
    rows = []
    for name, results in found.items():
        values = [one.normalised for one in results]
        rows.append(
            [
                name,
                f"**{np.mean(values):.3f}**",
                f"{min(values):.2f}",
                f"{sum(value > 1 - 1e-9 for value in values)} of {len(values)}",
                f"{np.mean([one.missed for one in results]):.2f}",
                f"{sum(one.wall for one in results):.1f}",
                f"{sum(one.processor for one in results):.1f}",
                f"{max(one.processor for one in results):.2f}",
            ]
        )
    heading = [
        "method",
        "score",
        "least",
        "all found",
        "causal at 0",
        "s",
        "s of processor",
        "most",
    ]
    return table(heading, rows)


def task_by_task(tasks: Sequence[Task], found: dict[str, list[Measured]]) -> str:
    """Return a row for each task: score and seconds of the processor of every method."""
    rows = [
        [
            task.id.spec.name,
            *(f"{r[place].normalised:.2f} ({r[place].processor:.2f})" for r in found.values()),
        ]
        for place, task in enumerate(tasks)
    ]
    return table(["task", *found], rows)


@dataclass(frozen=True)
class Compared:
    """A method beside its peer: seconds of the processor, and how far their scores differ.

    Attributes:
        difference: the largest on an edge, as a share of the largest score.
    """

    tasks: int
    ours: float
    theirs: float
    difference: float


def compared(
    tasks: Sequence[Task], found: dict[str, list[Measured]], every: int
) -> dict[str, Compared]:
    """Run the peer of each measured method that has one, on some tasks."""
    beside = {}
    for name, peer in PEERS.items():
        if name not in found:
            continue
        ours = theirs = difference = 0.0
        some = range(0, len(tasks), every)
        for place in some:
            scores, _, processor = timed(peer, CircuitProblem.of(tasks[place]))
            result = found[name][place]
            ours, theirs = ours + result.processor, theirs + processor
            largest = max(result.scores.values())
            apart = max(abs(scores[edge] - result.scores[edge]) for edge in scores)
            difference = max(difference, apart / largest)
        beside[name] = Compared(len(some), ours, theirs, difference)
    return beside


def peers_table(beside: dict[str, Compared]) -> str:
    """Return a row for each peer: its seconds against ours, and how far scores differ."""
    rows = [
        [
            f"{name} and {PEERS[name].__name__.replace('_', ' ')}",
            str(one.tasks),
            f"{one.ours:.2f}",
            f"{one.theirs:.2f}",
            f"**{one.theirs / one.ours:.0f}**",
            f"{one.difference:.1e}",
        ]
        for name, one in beside.items()
    ]
    heading = ["", "tasks", "ours, s", "peer, s", "times faster", "largest difference of scores"]
    return table(heading, rows)


def figures(
    tasks: Sequence[Task], found: dict[str, list[Measured]], beside: dict[str, Compared]
) -> dict[str, float]:
    """Return scores and seconds by method, ratios to peers, and what the prior earns."""
    numbers: dict[str, float] = {}
    for name, results in found.items():
        numbers[f"score of {name}"] = float(np.mean([one.normalised for one in results]))
        numbers[f"seconds of {name}"] = sum(one.wall for one in results)
    for name, one in beside.items():
        numbers[f"{name} beside its peer"] = one.theirs / one.ours
    keys = {str(task.id): edge_positives(task.labels.states) for task in tasks}
    return {**numbers, "prior": prior_above_random(keys, METRICS["average_precision"])}


def main(
    suite: Annotated[str, typer.Option(help="A suite of circuits.")] = "quick",
    methods: Annotated[str, typer.Option(help="Methods, with commas; all if empty.")] = "",
    every: Annotated[int, typer.Option(min=1, help="Take every so many tasks.")] = 1,
    peer_every: Annotated[int, typer.Option(min=1, help="Of them, for the peers.")] = 1,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Score the built-in methods on a suite and print tables."""
    tasks = load_suite(suite)[::every]
    chosen = methods.split(",") if methods else list(built_in("circuit"))
    built_in("circuit")[chosen[0]].function(CircuitProblem.of(tasks[0]))  # imports, and the like
    found = {name: measure(name, tasks, 0) for name in chosen}
    beside = compared(tasks, found, peer_every)
    write_figures(figures(tasks, found, beside), figures_file)
    edges = np.mean([len(task.graph.edges) for task in tasks])
    text = "\n\n".join(
        [
            f"# Built-in methods of the circuit track on {suite}",
            machine.described(1, {"packages": {"numpy": np.__version__, "jax": jax.__version__}}),
            f"{len(tasks)} tasks of {edges:.0f} edges on average, 64 pairs each. The score is "
            "average precision, 0 at the higher floor and 1 at the oracle: mean, least, and on "
            "how many tasks it is 1. Causal edges at 0 are those that a method does not see.",
            summary(found),
            "Seconds of the processor, against peers in the same run:",
            peers_table(beside),
            "Task by task: score, and seconds of the processor.",
            task_by_task(tasks, found),
        ]
    )
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
