"""Difficulty: what is known of each task before any method sees it, and how scores go with it.

A task's id says its program, its size and its regimes; the tables of the library say what was
measured of it. A leaderboard needs no model for that, and results need not carry it. Of tasks that
are not in the library only what the id says is known.
"""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..benchmark_programs import TaskId, ToyId, is_toy
from ..benchmark_programs.task_id import CROWDED, SUPERPOSED
from ..benchmark_programs.task_measures import measured_tasks
from ..errors import TaskError
from .bootstrap import task_intervals
from .pairwise import ALPHA, holm
from .rank_correlations import rank_correlations
from .task_scores import score_matrix

if TYPE_CHECKING:
    import pandas as pd

COVARIATES: Mapping[str, str] = {
    "distractors": "Distractor programs in the model",
    "inert_per_causal": "Inert edges per causal edge",
    "d_model": "Width of the residual stream",
    "compression": "Width over that before compression",
    "causal": "Causal edges",
    "edges": "Edges",
    "parameters": "Parameters",
    "layers": "Layers",
    "length": "Longest sequence",
    "vocab": "Tokens",
}
"""The covariates that scores are set against, in order: crowding, d and size."""

_TEXTS = ["task", "program", "family", "regime"]
MOST_BINS = 4
_FEWEST = 5
_FEWEST_ORDERS, _MOST_ORDERS = 9_999, 99_999
_RESAMPLES = 2_000
_DECIMALS = 9


def task_covariates(tasks: Iterable[str]) -> "pd.DataFrame":
    """Return one row per task, in alphabetical order.

    Columns: `task, program, family, regime` (the names of the regimes, such as
    `crowded/scrambled`; `exact` where there is none), and the numbers of `COVARIATES`, empty where
    they are not known.

    Args:
        tasks: task ids.
    """
    import pandas as pd

    unknown = dict.fromkeys(_TEXTS, "")
    rows = [{**unknown, "task": task, **_known(task)} for task in sorted(set(tasks))]
    frame = pd.DataFrame(rows, columns=[*_TEXTS, *COVARIATES])
    return frame.astype(dict.fromkeys(COVARIATES, "float64") | dict.fromkeys(_TEXTS, "str"))


def _known(task: str) -> dict[str, Any]:
    """Return what is known of a task."""
    try:
        if is_toy(task):
            toy = ToyId.parse(task)
            return {
                "program": task.split("-")[0],
                "family": "toy",
                "regime": "toy",
                "d_model": toy.d,
                "compression": toy.d / toy.n,
            }
        named = TaskId.parse(task)
        family = named.spec.family
    except TaskError:
        return {}
    regimes = {name: dict(parameters) for name, parameters in named.regimes}
    found: dict[str, Any] = {
        "program": named.name,
        "family": family,
        "regime": "/".join(regimes) or "exact",
        "distractors": regimes.get(CROWDED, {}).get("distractors", 0),
        "length": named.length,
        "vocab": named.vocab,
        "compression": None if SUPERPOSED in regimes else 1.0,
        "d_model": regimes.get(SUPERPOSED, {}).get("d"),
    }
    return found | _measured(task)


def _measured(task: str) -> dict[str, Any]:
    """Return what the library measured of a task."""
    one = measured_tasks().get(task)
    if one is None:
        return {}
    found: dict[str, Any] = {
        "inert_per_causal": one.inert / one.causal if one.causal else None,
        **{name: getattr(one, name) for name in _SIZES},
    }
    before, superposed, _ = task.partition(f"/{SUPERPOSED}")
    if superposed and before in measured_tasks():
        found["compression"] = one.d_model / measured_tasks()[before].d_model
    return found


_SIZES = ("d_model", "causal", "edges", "parameters", "layers")


def difficulty_trends(
    scores: "pd.DataFrame", covariates: "pd.DataFrame", *, seed: int = 0
) -> "pd.DataFrame":
    """Return how the scores of each method go with each covariate: a row for each pair of them.

    Columns: `method, covariate, tasks` (those of which it is known), `spearman` (the rank
    correlation of score and covariate over tasks), `p` (by permutation of the tasks), `p_holm`
    (corrected for all rows). Covariates and methods that are the same on all tasks are left out.
    Tasks of a suite are no experiment: what goes with a covariate may come from another.

    Args:
        scores: from `task_scores`; references are left out.
        covariates: from `task_covariates`.
        seed: of the permutations.
    """
    import pandas as pd

    # Covariates that are known of the same tasks are tested by the same orders of them.
    alike: dict[tuple[str, ...], dict[str, np.ndarray]] = {}
    matrices: dict[tuple[str, ...], pd.DataFrame] = {}
    for name, values, known in _varied(scores, covariates):
        own = known.round(_DECIMALS)
        own = own.loc[:, np.ptp(own.to_numpy(), axis=0) > 0]
        if len(own) >= _FEWEST and len(own.columns):
            alike.setdefault(tuple(own.index), {})[name] = values
            matrices[tuple(own.index)] = own
    # Enough of them that the smallest p-value can be told after the correction.
    wanted = int(2 / ALPHA) * sum(
        len(matrices[tasks].columns) * len(of_name) for tasks, of_name in alike.items()
    )
    orders = min(max(wanted, _FEWEST_ORDERS), _MOST_ORDERS)
    parts = {}
    for tasks, of_name in alike.items():
        own, values = matrices[tasks], np.stack([*of_name.values()], axis=1)
        found, p = rank_correlations(values, own.to_numpy(), orders=orders, seed=seed)
        for place, name in enumerate(of_name):
            columns = {"method": own.columns, "covariate": name, "tasks": len(own)}
            parts[name] = pd.DataFrame({**columns, "spearman": found[place], "p": p[place]})
    empty = pd.DataFrame(columns=["method", "covariate", "tasks", "spearman", "p"])
    in_order = [parts[name] for name in COVARIATES if name in parts]
    frame = pd.concat(in_order, ignore_index=True) if parts else empty
    frame["p_holm"] = holm(frame["p"].to_numpy(dtype=np.float64))
    return frame


def difficulty_bins(
    scores: "pd.DataFrame", covariates: "pd.DataFrame", *, seed: int = 0
) -> "pd.DataFrame":
    """Return the mean score of each method on tasks that are alike in a covariate.

    A covariate with at most four values has a bin for each, another four bins of about as many
    tasks, fewer where values are the same.

    Columns: `method, covariate, bin, from, to` (its least and greatest value), `centre` (the
    median), `tasks, normalised, low, high` (the mean and its 95% interval; empty for fewer than
    six tasks).

    Args:
        scores: from `task_scores`; references are left out.
        covariates: from `task_covariates`.
        seed: of the bootstrap over tasks.
    """
    import pandas as pd

    parts = []
    for name, values, known in _varied(scores, covariates):
        number = _bin_numbers(values)
        for place in range(number.max() + 1):
            inside = number == place
            own = known.to_numpy()[inside]
            ends = task_intervals(own.T, seed=seed, resamples=_RESAMPLES, only=("mean",))["mean"]
            columns = {
                "method": known.columns,
                "covariate": name,
                "bin": place,
                "from": values[inside].min(),
                "to": values[inside].max(),
                "centre": np.median(values[inside]),
                "tasks": int(inside.sum()),
                "normalised": own.mean(axis=0),
                "low": ends[:, 0],
                "high": ends[:, 1],
            }
            parts.append(pd.DataFrame(columns))
    if not parts:
        names = ["method", "covariate", "bin", "from", "to", "centre", "tasks"]
        return pd.DataFrame(columns=[*names, "normalised", "low", "high"])
    return pd.concat(parts, ignore_index=True)


def _varied(
    scores: "pd.DataFrame", covariates: "pd.DataFrame"
) -> Iterable[tuple[str, np.ndarray, "pd.DataFrame"]]:
    """Yield each covariate that varies, with its values and the scores on tasks that have one."""
    matrix = score_matrix(scores)
    table = covariates.set_index("task").reindex(matrix.index)
    for name in COVARIATES:
        known = table[name].notna()
        values = table.loc[known, name].to_numpy()
        if len(np.unique(values)) > 1:
            yield name, values, matrix[known.to_numpy()]


def _bin_numbers(values: np.ndarray) -> np.ndarray:
    """Return the number of the bin of each value."""
    import pandas as pd

    distinct, place = np.unique(values, return_inverse=True)
    if len(distinct) <= MOST_BINS:
        return place
    codes = pd.qcut(values, MOST_BINS, labels=False, duplicates="drop")
    return np.unique(codes, return_inverse=True)[1]
