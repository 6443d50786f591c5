"""What the statistics of the leaderboard do on simulated results whose truth is known.

    python performance/leaderboard_statistics.py                    # four tables, some minutes
    python performance/leaderboard_statistics.py --repeats 200 -o statistics.md

1. Coverage: how often a nominal 95% interval holds the aggregate of the law that tasks are drawn
   from; and of the tasks at hand, over all seeds; and what a nested bootstrap would do.
2. False differences: how often the ranking tells any difference between methods whose means are
   equal, by the rule of the leaderboard and by each of its two tests alone.
3. Power: how many of the pairs that differ are told apart, and how often every range of ranks
   holds the rank that its method has.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import machine
import numpy as np
import scipy
import typer
from figures import FiguresFile, write_figures
from markdown_table import table
from threadpoolctl import threadpool_limits

from glassbench.leaderboard import AGGREGATES, seed_interval, task_intervals
from glassbench.leaderboard.bootstrap import resampled_shares
from glassbench.leaderboard.pairwise import ALPHA, DECIMALS, holm, paired_tests
from glassbench.leaderboard.standings import FEWEST_FOR_TAIL

Law = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]

RARE = "one in fifty fails"
"""The law under which samples often have no failure, of which no resample then knows."""

LAWS: Mapping[str, Law] = {
    "normal": lambda draw, shape: draw.normal(0.5, 0.2, shape),
    "bounded": lambda draw, shape: draw.beta(5, 2, shape),
    "at the ceiling": lambda draw, shape: np.minimum(1.0, draw.normal(0.85, 0.25, shape)),
    "long tail": lambda draw, shape: 1 - draw.exponential(0.3, shape),
    "a fifth fails": lambda draw, shape: np.where(
        draw.random(shape) < 0.2, -0.1, draw.beta(6, 2, shape)
    ),
    "all or nothing": lambda draw, shape: (draw.random(shape) < 0.7).astype(float),
    RARE: lambda draw, shape: (draw.random(shape) < 0.98).astype(float),
}
"""Laws of the scores of tasks."""

TASKS = (6, 12, 20, 42, 100, 450)
_TRUTH_DRAWS = 2_000_000
_NESTED, _PERCENTILE = 1_000, 2_000
_TOLERANCE = 1e-9


def coverage(law: Law, tasks: int, repeats: int, seed: int) -> dict[str, float]:
    """Return how often the interval over tasks holds the truth, by aggregate."""
    draw = np.random.default_rng(seed)
    population = law(draw, (_TRUTH_DRAWS,))
    intervals = task_intervals(law(draw, (repeats, tasks)), seed=seed)
    return {
        name: _held(intervals[name], np.array(aggregate.of(population)))
        for name, aggregate in AGGREGATES.items()
    }


def percentile_coverage(law: Law, name: str, tasks: int, repeats: int, seed: int) -> float:
    """Return how often the plain percentile interval over tasks holds the truth."""
    draw, aggregate = np.random.default_rng(seed), AGGREGATES[name]
    population = law(draw, (_TRUTH_DRAWS,))
    weights = aggregate.weights(resampled_shares(tasks, _PERCENTILE, draw))
    resampled = np.sort(law(draw, (repeats, tasks)), axis=1) @ weights.T
    ends = np.quantile(resampled, (0.025, 0.975), axis=1).T
    return _held(ends, np.array(aggregate.of(population)))


def seed_coverage(tasks: int, seeds: int, repeats: int, seed: int) -> float:
    """Return how often the interval over seeds holds the mean of the tasks over all seeds.

    How much a score varies with the seed differs between tasks, and is skewed.
    """
    draw = np.random.default_rng(seed)
    truth = draw.beta(5, 2, (repeats, tasks))
    noise = (1 - draw.exponential(1.0, (repeats, tasks, seeds))) * draw.uniform(
        0.0, 0.2, (repeats, tasks, 1)
    )
    intervals = seed_interval(truth[..., None] + noise, seed=seed)
    return _held(intervals, truth.mean(axis=1))


def nested_coverage(tasks: int, seeds: int, repeats: int, seed: int) -> dict[str, list[float]]:
    """Return how often intervals hold the truth where seeds are drawn once more, and where not.

    The nested bootstrap takes percentiles of resamples of tasks, and of runs within each. Seeds
    move the scores of its tasks about as much as the tasks themselves do.

    Returns:
        By aggregate, the coverage of the nested bootstrap and that of the leaderboard.
    """
    draw = np.random.default_rng(seed)

    def runs(shape: tuple[int, ...]) -> np.ndarray:
        level = 0.5 + 0.3 * draw.beta(5, 2, (*shape, 1))
        return level + draw.normal(0.0, 0.25, (*shape, seeds))

    population = runs((_TRUTH_DRAWS // 5,)).mean(axis=-1)
    simulated = runs((repeats, tasks))
    intervals = task_intervals(simulated.mean(axis=-1), seed=seed)
    nested = {name: np.empty((repeats, 2)) for name in AGGREGATES}
    for repeat, scores in enumerate(simulated):
        drawn = scores[draw.integers(tasks, size=(_NESTED, tasks))]
        again = draw.integers(seeds, size=drawn.shape)
        resampled = np.take_along_axis(drawn, again, axis=-1).mean(axis=-1)
        for name, aggregate in AGGREGATES.items():
            nested[name][repeat] = np.quantile(aggregate.of(resampled), (0.025, 0.975))
    truth = {name: np.array(one.of(population)) for name, one in AGGREGATES.items()}
    return {
        name: [_held(found[name], truth[name]) for found in (nested, intervals)]
        for name in AGGREGATES
    }


def _held(intervals: np.ndarray, truth: np.ndarray) -> float:
    inside = (intervals[:, 0] <= truth + _TOLERANCE) & (truth - _TOLERANCE <= intervals[:, 1])
    return float(inside.mean())


def exchangeable(draw: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """Return scores `[repeat, task, method]` of methods that are one but for noise."""
    hard = draw.beta(5, 2, (*shape[:2], 1))
    return hard + draw.normal(0.0, 0.1, shape)


def heavy(draw: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """Return likewise, with noise that now and then is large (Student's t, 2 degrees)."""
    return draw.beta(5, 2, (*shape[:2], 1)) + 0.1 * draw.standard_t(2, shape)


def all_or_nothing(draw: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """Return likewise, each score 0 or 1, with a chance that differs between tasks."""
    return (draw.random(shape) < draw.beta(2, 2, (*shape[:2], 1))).astype(float)


def unlike(draw: np.random.Generator, shape: tuple[int, int, int]) -> np.ndarray:
    """Return scores with equal means and different laws.

    Every other method is steady, and the others mostly good and sometimes very bad.
    """
    steady = 0.5 + draw.normal(0.0, 0.05, shape)
    erratic = np.where(draw.random(shape) < 0.2, 0.1, 0.6) + draw.normal(0.0, 0.02, shape)
    return np.where(np.arange(shape[2]) % 2, steady, erratic)


NULLS = {
    "exchangeable": exchangeable,
    "heavy tails": heavy,
    "all or nothing": all_or_nothing,
    "equal means, unlike laws": unlike,
}

RULES = {"both tests": "p", "Wilcoxon alone": "p_wilcoxon", "t alone": "p_t"}


def p_values(scores: np.ndarray, rule: str) -> tuple[np.ndarray, np.ndarray]:
    """Return corrected p-values and differences, both `[repeat, pair]`.

    Args:
        scores: `[repeat, task, method]`.
        rule: the name of a p-value of `paired_tests`.
    """
    repeats, tasks, methods = scores.shape
    first, second = np.triu_indices(methods, 1)
    differences = np.moveaxis(scores[..., first] - scores[..., second], 1, 0)
    found = paired_tests(differences.reshape(tasks, -1).round(DECIMALS))
    shape = repeats, len(first)
    return holm(found[rule].reshape(shape)), found["difference"].reshape(shape)


def false_differences(
    null: Callable, methods: int, tasks: int, repeats: int, seed: int
) -> dict[str, float]:
    """Return how often any difference is told though there is none, by rule."""
    scores = null(np.random.default_rng(seed), (repeats, tasks, methods))
    return {
        name: float((p_values(scores, rule)[0] <= ALPHA).any(axis=1).mean())
        for name, rule in RULES.items()
    }


def power(
    gap: float, methods: int, tasks: int, repeats: int, seed: int
) -> tuple[float, float, float]:
    """Return the power of the ranking where half of the methods are better by `gap`.

    Noise of a method on a task has a standard deviation of 0.1, so that a gap of 0.1 is 0.7
    standard deviations of a difference.

    Returns:
        The share of the pairs that differ that are told apart, and in the right order; how
        often any other is; how often every range of ranks holds a rank that its method has.
    """
    scores = exchangeable(np.random.default_rng(seed), (repeats, tasks, methods))
    true = np.where(np.arange(methods) < methods // 2, gap, 0.0)
    p, difference = p_values(scores + true, "p")
    told = p <= ALPHA
    first, second = np.triu_indices(methods, 1)
    ahead = np.sign(true[first] - true[second])
    right = told & (np.sign(difference) == ahead) & (ahead != 0)
    wrong = told & ~right
    sign = np.sign(difference) * told
    better = np.stack([_count(-sign, first, m) + _count(sign, second, m) for m in range(methods)])
    worse = np.stack([_count(sign, first, m) + _count(-sign, second, m) for m in range(methods)])
    # Equal methods share a range of ranks: the methods that are truly better, and not worse.
    best = 1 + (true[None] > true[:, None]).sum(axis=1)
    worst = methods - (true[None] < true[:, None]).sum(axis=1)
    held = ((1 + better <= best[:, None]) & (worst[:, None] <= methods - worse)).all(axis=0)
    return float(right[:, ahead != 0].mean()), float(wrong.any(axis=1).mean()), float(held.mean())


def _count(sign: np.ndarray, method: np.ndarray, which: int) -> np.ndarray:
    """Return in how many pairs of a method, per repeat, the sign is positive."""
    return (sign[:, method == which] > 0).sum(axis=1)


ENOUGH = 12
"""From so many tasks on intervals are claimed to hold what they say."""


def coverages(repeats: int, seed: int) -> dict[str, list[dict[str, float]]]:
    """Return the coverage of every aggregate by law and number of tasks, those of `TASKS`."""
    return {law: [coverage(LAWS[law], n, repeats, seed) for n in TASKS] for law in LAWS}


def all_false_differences(repeats: int, seed: int) -> dict[tuple[str, int, int], dict[str, float]]:
    """Return how often differences are told that are none, by law, methods and tasks, by rule."""
    return {
        (null, methods, tasks): false_differences(NULLS[null], methods, tasks, repeats, seed)
        for null in NULLS
        for methods in (4, 10)
        for tasks in (6, 12, 20, 42, 100)
    }


def figures(
    covered: Mapping[str, Sequence[Mapping[str, float]]],
    false: Mapping[tuple[str, int, int], Mapping[str, float]],
) -> dict[str, float]:
    """Return the least coverage from `ENOUGH` tasks on, that of `RARE`, and false differences."""
    many = [
        value
        for law, by_size in covered.items()
        if law != RARE
        for n, by_name in zip(TASKS, by_size, strict=True)
        for name, value in by_name.items()
        if n >= ENOUGH and (name != "worst_decile" or n >= FEWEST_FOR_TAIL)
    ]
    rule = next(iter(RULES))
    return {
        "least coverage": min(many),
        "coverage of rare failures": covered[RARE][TASKS.index(42)]["mean"],
        "false differences": max(each[rule] for each in false.values()),
        "false differences, exchangeable": max(
            each[rule] for (null, *_), each in false.items() if null == "exchangeable"
        ),
    }


def report(repeats: int, seed: int) -> tuple[str, dict[str, float]]:
    """Return the tables as Markdown, and the figures."""
    started = time.perf_counter()
    shares = lambda row: [f"{value:.3f}" for value in row]  # noqa: E731
    parts = ["## Coverage of nominal 95% intervals over tasks\n"]
    rows = []
    covered = coverages(repeats, seed)
    for law, found in covered.items():
        for name in AGGREGATES:
            told = [name != "worst_decile" or tasks >= FEWEST_FOR_TAIL for tasks in TASKS]
            cells = [f"{one[name]:.3f}" * show for one, show in zip(found, told, strict=True)]
            rows.append([law, name.replace("_", " "), *cells])
    parts.append(table(["scores", "aggregate", *(f"{n} tasks" for n in TASKS)], rows))
    parts.append("\n## The same of plain percentiles\n")
    asked = (("mean", 6), ("mean", 42), ("worst_decile", 100))
    rows = [
        [law, *shares(percentile_coverage(LAWS[law], *what, repeats, seed) for what in asked)]
        for law in LAWS
    ]
    parts.append(table(["scores", *(f"{a.replace('_', ' ')}, {n} tasks" for a, n in asked)], rows))
    parts.append("\n## Coverage of nominal 95% intervals over seeds\n")
    rows = [
        [f"{seeds} seeds", *shares(seed_coverage(n, seeds, repeats, seed) for n in TASKS[:-1])]
        for seeds in (2, 3, 5, 10)
    ]
    parts.append(table(["", *(f"{n} tasks" for n in TASKS[:-1])], rows))
    parts.append("\n## Coverage over 100 tasks with five seeds, if seeds are drawn once more\n")
    found = nested_coverage(100, 5, min(repeats, 300), seed)
    rows = [[name.replace("_", " "), *shares(row)] for name, row in found.items()]
    parts.append(table(["aggregate", "nested", "leaderboard"], rows))
    parts.append("\n## Any false difference between methods with equal means\n")
    false = all_false_differences(repeats, seed)
    rows = [
        [null, str(methods), str(tasks), *shares(each.values())]
        for (null, methods, tasks), each in false.items()
    ]
    parts.append(table(["scores", "methods", "tasks", *RULES], rows))
    parts.append("\n## Power, where half of the methods are better by a gap\n")
    rows = []
    for gap in (0.05, 0.1, 0.2):
        for methods in (2, 4, 10):
            for tasks in (6, 12, 20, 42, 100):
                found = power(gap, methods, tasks, repeats, seed)
                rows.append([f"{gap}", str(methods), str(tasks), *shares(found)])
    heading = ["gap", "methods", "tasks", "told", "any false", "all ranges right"]
    parts.append(table(heading, rows))
    versions = {"packages": {"numpy": np.__version__, "scipy": scipy.__version__}}
    seconds = time.perf_counter() - started
    parts.append(f"\n{repeats} repeats each, {seconds:.0f} s. {machine.described(1, versions)}\n")
    return "\n".join(parts), figures(covered, false)


def main(
    repeats: Annotated[int, typer.Option(help="Simulated leaderboards per row.")] = 1000,
    seed: int = 0,
    output: Annotated[
        Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write the tables there.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Simulate results with known truth, and print what the statistics make of them."""
    with threadpool_limits(1):
        text, found = report(repeats, seed)
    write_figures(found, figures_file)
    if output is None:
        print(text)
    else:
        output.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
