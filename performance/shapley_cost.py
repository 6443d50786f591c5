"""Times the exact relevance of tokens against the number of tokens and the greatest length.

    python performance/shapley_cost.py -o shapley_cost.md

Inputs are random sequences of the greatest length. `answers` is the interpreter on all sequences,
once for all inputs; `values` are the Shapley values of all inputs from those answers, and
`sensitivity` all substitutions. They are compared with two ways to evaluate the game on every
coalition, from the same answers: a mean for each coalition over the sequences that keep it, the
definition as arrays; and means axis by axis, in which each position in turn is kept or averaged
over, so that coalitions share their sums. Both are float64. Peak memory is that of everything that
`relevance` does, in a run of its own.
"""

import itertools
import math
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import machine
import numpy as np
import typer
from figures import FiguresFile, write_figures
from markdown_table import table
from program_sizes import parsed

from glassbench.benchmark_programs import get_program
from glassbench.compiler import compile_program
from glassbench.ground_truth.relevance import answer_table, relevance, sensitivity
from glassbench.ground_truth.shapley_counting import shapley_values

SIZES = "2/4,2/8,2/12,2/16,2/20,3/4,3/8,3/12,4/5,4/8,4/10,6/7,8/5,8/6,10/6,16/5,32/4,101/3,1024/2"
CHUNK = 2**22


@dataclass(frozen=True)
class Cost:
    """What one size took.

    Attributes:
        answers: seconds of the interpreter on all sequences.
        values: seconds of the Shapley values from the answers.
        sensitivity: seconds of all substitutions.
        per_coalition: seconds with one mean for each coalition; `None` where not tried.
        by_axis: seconds with means axis by axis; `None` where not tried.
        difference: the greatest difference between the values of the three.
        peak: the most memory that was held, in bytes.
    """

    vocab: int
    length: int
    answers: float
    values: float
    sensitivity: float
    per_coalition: float | None
    by_axis: float | None
    difference: float
    peak: int


def timed(call: Callable[[], Any]) -> tuple[float, Any]:
    """Return the seconds that a call takes, the least of three if it is short, and its result."""
    seconds = math.inf
    for _ in range(3):
        started = time.perf_counter()
        result = call()
        seconds = min(seconds, time.perf_counter() - started)
        if seconds > 1:
            break
    return seconds, result


def peak_memory(call: Callable[[], object]) -> int:
    """Return by how many bytes what is held grows during a call, at most."""
    tracemalloc.start()
    call()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return peak


def from_game(v: np.ndarray) -> np.ndarray:
    """Return the Shapley values of games.

    Args:
        v: `[game, 2, ..., 2]`, an axis for each position, 1 where it is kept.

    Returns:
        `[game, position]`.
    """
    n = v.ndim - 1
    sizes = np.indices((2,) * (n - 1), sparse=True)
    size = np.asarray(sum(sizes, np.zeros((1,) * (n - 1), dtype=int)))
    weight = np.array([1 / (n * math.comb(n - 1, s)) for s in range(n)])[size].ravel()
    values = np.empty((len(v), n))
    for i in range(n):
        gain = v.take(1, axis=i + 1) - v.take(0, axis=i + 1)
        values[:, i] = gain.reshape(len(v), -1) @ weight
    return values


def own_answers(answers: np.ndarray, n_tokens: int, rows: np.ndarray) -> np.ndarray:
    """Return the answers to some sequences, `[output position, row]`."""
    length = rows.shape[1]
    return answers[:, rows @ n_tokens ** np.arange(length - 1, -1, -1)]


def per_coalition(answers: np.ndarray, n_tokens: int, rows: np.ndarray) -> np.ndarray:
    """Return the Shapley values from one mean for each coalition."""
    n_rows, length = rows.shape
    powers = n_tokens ** np.arange(length - 1, -1, -1)
    own = own_answers(answers, n_tokens, rows)
    v = np.empty((length, n_rows, *(2,) * length))
    for coalition in itertools.product((0, 1), repeat=length):
        kept = np.array(coalition, dtype=bool)
        others = np.zeros(1, dtype=np.int64)
        for power in powers[~kept]:
            others = (others[:, None] + power * np.arange(n_tokens)).ravel()
        start = rows[:, kept] @ powers[kept]
        step = max(1, CHUNK // (length * len(others)))
        for first in range(0, n_rows, step):
            some = slice(first, first + step)
            same = answers[:, start[some, None] + others] == own[:, some, None]
            v[(slice(None), some, *coalition)] = same.mean(axis=2)
    games = v.reshape(length * n_rows, *(2,) * length)
    return from_game(games).reshape(length, n_rows, length).swapaxes(0, 1)


def by_axis(answers: np.ndarray, n_tokens: int, rows: np.ndarray) -> np.ndarray:
    """Return the Shapley values from means over one position after the other."""
    n_rows, length = rows.shape
    own = own_answers(answers, n_tokens, rows)
    values = np.empty((n_rows, length, length))
    for row, x in enumerate(rows.tolist()):
        same = (answers == own[:, row, None]).astype(float)
        games = same.reshape(length, *(n_tokens,) * length)
        for axis, token in enumerate(x, start=1):
            games = np.stack([games.mean(axis=axis), games.take(token, axis=axis)], axis=axis)
        values[row] = from_game(games)
    return values


def measure(program: str, vocab: int, length: int, n_rows: int, limit: float) -> Cost:
    """Return what one size takes."""
    spec = get_program(program)
    tokens = spec.vocabulary(vocab)
    compiled = compile_program(spec.build(tokens, length), tokens, length, causal=spec.causal)
    graph, codec = compiled.program, compiled.model.codec
    rows = np.random.default_rng(0).integers(0, vocab, size=(n_rows, length))
    ids = np.pad(rows, ((0, 0), (1, 0)), constant_values=codec.bos)
    seconds, answers = timed(lambda: answer_table(graph, codec, length))
    used, (values, _) = timed(lambda: shapley_values(answers, vocab, rows))
    substituting, _ = timed(lambda: sensitivity(graph, codec, ids))
    work = {per_coalition: (vocab + 1) ** length, by_axis: 2 * length * vocab**length}
    peers: dict[Callable[..., np.ndarray], float] = {}
    difference = 0.0
    for peer, elements in work.items():
        if n_rows * length * elements <= limit:
            peers[peer], expected = timed(partial(peer, answers, vocab, rows))
            difference = max(difference, float(np.abs(values - expected).max()))
    peak = peak_memory(lambda: relevance(graph, codec, ids))
    return Cost(
        vocab,
        length,
        seconds,
        used,
        substituting,
        peers.get(per_coalition),
        peers.get(by_axis),
        difference,
        peak,
    )


def figures(costs: list[Cost]) -> dict[str, float]:
    """Return seconds and ratios by size, and the greatest difference between the ways."""
    found: dict[str, float] = {}
    for one in costs:
        size = f"{one.vocab}/{one.length}"
        found |= {f"answers {size}": one.answers, f"values {size}": one.values}
        if one.per_coalition is not None:
            found[f"coalition by coalition {size}"] = one.per_coalition / one.values
    return {**found, "difference": max(one.difference for one in costs)}


def report(costs: list[Cost], program: str, n_rows: int) -> str:
    """Return everything as Markdown."""
    rows = [
        [
            f"{one.vocab}",
            f"{one.length}",
            f"{one.vocab**one.length:,}",
            f"{one.answers:.3f}",
            f"{one.values:.3f}",
            f"{one.sensitivity:.3f}",
            *(
                "" if peer is None else f"{peer / one.values:,.1f}"
                for peer in (one.per_coalition, one.by_axis)
            ),
            f"{one.peak / 1e6:,.0f}",
        ]
        for one in costs
    ]
    heading = ["tokens", "length", "sequences", "answers s", "values s", "sensitivity s"]
    heading += ["mean per coalition / values", "means by axis / values", "peak MB"]
    difference = max(one.difference for one in costs)
    return "\n\n".join(
        [
            f"# Exact relevance of tokens: `{program}`, {n_rows} inputs",
            machine.described(1, {"packages": {"numpy": np.__version__}}),
            table(heading, rows),
            f"The greatest difference between the values is {difference:.1e}.",
        ]
    )


def main(
    program: Annotated[str, typer.Option(help="A program of the library.")] = "sort",
    sizes: Annotated[str, typer.Option(help="Tokens/length, with commas.")] = SIZES,
    rows: Annotated[int, typer.Option(min=1, help="How many inputs.")] = 64,
    limit: Annotated[
        float, typer.Option(help="Array elements that another way may take, at most.")
    ] = 4e9,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Time relevance at growing sizes and print a table."""
    costs = []
    for vocab, length in parsed(sizes):
        print(f"{vocab}/{length}", file=sys.stderr, flush=True)
        costs.append(measure(program, vocab, length, rows, limit))
    write_figures(figures(costs), figures_file)
    text = report(costs, program, rows)
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
