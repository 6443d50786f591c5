"""From results to the standings: one row per method, with floors and ceiling.

Three frames, each made from the one before: `results_frame` (a row per result
and metric, as recorded), `task_scores` (a row per method, task and metric, with
nothing missing) and `standings` (a row per method, ranked).
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import BundleError
from ..evaluators.floors import normalised
from ..evaluators.intervals import mean_interval
from ..evaluators.result import MetricValue, Result
from .results_folder import check_comparable

if TYPE_CHECKING:
    import pandas as pd

REFERENCES = {"oracle": "ceiling", "prior": "floor", "random": "floor"}
"""The rows that are no methods, and the role of each."""

_RUN = ["method", "tool", "settings", "task", "seed", "status", "error", "wall_seconds"]
_RUN += ["peak_memory_mb", "file", "metric", "primary"]
_NUMBERS = ["value", "low", "high", "random", "prior", "floor", "ceiling", "normalised"]


def method_names(results: Sequence[Result]) -> dict[str, str]:
    """Return the name of the method of each result, by the result's file name.

    It is the tool's name, followed by the settings where the tool occurs with
    more than one choice of them.
    """
    choices: dict[str, set[str]] = {}
    for result in results:
        choices.setdefault(result.tool, set()).add(json.dumps(result.settings, sort_keys=True))
    names = {}
    for result in results:
        names[result.file_name] = result.tool
        if len(choices[result.tool]) > 1:
            settings = [
                f"{key}={value if isinstance(value, str) else json.dumps(value, sort_keys=True)}"
                for key, value in sorted(result.settings.items())
            ]
            names[result.file_name] += f" ({', '.join(settings) or 'defaults'})"
    return names


def results_frame(
    results: Sequence[Result],
    track: str = "circuit",
    question: Mapping[str, Any] | None = None,
) -> "pd.DataFrame":
    """Return one row per result and metric of `track`.

    A result without an answer keeps an empty `value`; where it records no
    metrics, their floors and ceilings are those of the other results on its task.

    Columns: `method, tool, settings, task, seed, status, error, wall_seconds,
    peak_memory_mb, file, metric, primary, value, low, high, random, prior,
    floor, ceiling, normalised`, and one for each number that results report beside metrics.

    Args:
        results: of any tracks and questions.
        track: the track that is ranked.
        question: how the question differs from the track's default; others are left out.

    Raises:
        BundleError: there is no result of `track`, or they are not comparable.
    """
    import pandas as pd

    question = dict(question or {})
    results = [
        result for result in results if result.track == track and result.question == question
    ]
    if not results:
        asked = f" asked with {json.dumps(question, sort_keys=True)}" if question else ""
        raise BundleError(
            f"Expected results of track {track!r}{asked}, found none. Score a method first."
        )
    check_comparable(results)
    names = method_names(results)
    known: dict[str, dict[str, MetricValue]] = {}
    for result in results:
        for name, metric in result.metrics.items():
            known.setdefault(result.task, {}).setdefault(name, metric)
    rows = [
        {"method": names[result.file_name], **row}
        for result in results
        for row in _rows(result, known.get(result.task, {}))
    ]
    numbers = [*_NUMBERS, *sorted({name for result in results for name in result.reported})]
    frame = pd.DataFrame(rows, columns=[*_RUN, *numbers])
    frame = frame.astype(dict.fromkeys(numbers, "float64")).copy()  # whole again, however wide
    return frame.sort_values(["method", "task", "seed", "file", "metric"], ignore_index=True)


def _rows(result: Result, known: Mapping[str, MetricValue]) -> Iterator[dict[str, Any]]:
    """Yield a row per metric of `result`; `known` are the metrics of others on its task."""
    run = {
        "tool": result.tool,
        "settings": json.dumps(result.settings, sort_keys=True),
        "task": result.task,
        "seed": result.seed,
        "status": result.status,
        "error": result.error,
        "wall_seconds": result.wall_seconds,
        "peak_memory_mb": result.peak_memory_mb,
        "file": result.file_name,
        **result.reported,
    }
    metrics = result.metrics or known
    if not metrics:
        yield {**run, "metric": result.primary, "primary": True}
    for name, metric in metrics.items():
        scale = {**metric.floors.model_dump(), "floor": metric.floor, "ceiling": metric.ceiling}
        measured = metric.model_dump(include={"value", "low", "high", "normalised"})
        own = {**scale, **measured} if result.metrics else scale
        yield {**run, "metric": name, "primary": name == result.primary, **own}


def task_scores(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row per method (or reference), task and metric, with nothing missing.

    Seeds are averaged. A run without an answer counts as a random ranking, and so
    does a task on which the method was not run at all (`outcome` says `failed` or
    `missing`), so that nothing is gained by not answering. The floors and the
    ceiling stand beside the methods as rows with the role `floor` or `ceiling`;
    `prior` only where every task has one.

    Columns: `role, method, task, metric, primary, value, normalised, outcome`.
    """
    import pandas as pd

    columns = ["task", "metric", "primary", "random", "prior", "floor", "ceiling"]
    # A task that every method failed, with nothing recorded, has no floor; it still counts.
    known_first = frame.iloc[frame["floor"].isna().argsort(kind="stable")]
    scale = known_first.drop_duplicates(["task", "metric"])[columns]
    frame = frame.assign(random_normalised=_random_normalised(frame))
    scale = scale.assign(random_normalised=_random_normalised(scale))
    counted = frame.assign(
        value=frame["value"].fillna(frame["random"]),
        normalised=frame["normalised"].fillna(frame["random_normalised"]),
        failed=frame["status"] != "ok",
    )
    measured = counted.groupby(["method", "task", "metric"], as_index=False).agg(
        value=("value", "mean"), normalised=("normalised", "mean"), failed=("failed", "any")
    )
    pairs = frame[["method"]].drop_duplicates().merge(scale, how="cross")
    methods = pairs.merge(measured, how="left", on=["method", "task", "metric"])
    methods["outcome"] = "ok"
    methods.loc[methods["failed"].eq(True), "outcome"] = "failed"
    methods.loc[methods["normalised"].isna(), "outcome"] = "missing"
    methods["value"] = methods["value"].fillna(methods["random"])
    methods["normalised"] = methods["normalised"].fillna(methods["random_normalised"])
    parts = [methods.assign(role="method")]
    known = scale.dropna(subset=["floor"])
    for reference, role in REFERENCES.items():
        value = known["ceiling" if role == "ceiling" else reference]
        if known.empty or value.isna().any():
            continue
        marks = zip(value, known["floor"], known["ceiling"], strict=True)
        parts.append(
            known.assign(
                role=role,
                method=reference,
                value=value,
                normalised=[normalised(*each) for each in marks],
                outcome="ok",
            )
        )
    columns = ["role", "method", "task", "metric", "primary", "value", "normalised", "outcome"]
    whole = pd.concat([part[columns] for part in parts], ignore_index=True)
    return whole.sort_values(["role", "method", "task", "metric"], ignore_index=True)


def _random_normalised(scale: "pd.DataFrame") -> list[float]:
    """Return what a random ranking earns, normalised; 0 where no floor is known."""
    marks = zip(scale["random"], scale["floor"], scale["ceiling"], strict=True)
    return [0.0 if each[0] != each[0] else normalised(*each) for each in marks]


def standings(frame: "pd.DataFrame", *, seed: int = 0) -> "pd.DataFrame":
    """Return one row per method, best first, with the floors and the ceiling among them.

    Methods are ranked by the mean over tasks of the normalised primary metric;
    equal means share a rank. The references have no rank.

    Columns: `rank, role, method, normalised, low, high` (the interval of the
    mean over tasks; empty for a single task), the mean of each metric and of each
    reported number under its own name, `seconds` (mean per run), `tasks`,
    `answered` (tasks with no failed run), `failed` (runs without an answer),
    `missing` (tasks not run).

    Args:
        frame: from `results_frame`.
        seed: of the bootstrap over tasks.
    """
    import pandas as pd

    scores = task_scores(frame)
    runs = frame.drop_duplicates("file")
    reported = [name for name in frame.columns if name not in (*_RUN, *_NUMBERS, "method")]
    rows = []
    for (role, method), group in scores.groupby(["role", "method"], sort=True):
        primary = group[group["primary"]]
        interval = mean_interval(primary["normalised"].to_numpy(), seed=seed)
        own = runs[runs["method"] == method] if role == "method" else runs.iloc[:0]
        rows.append(
            {
                "role": role,
                "method": method,
                "normalised": primary["normalised"].mean(),
                "low": None if interval is None else interval.low,
                "high": None if interval is None else interval.high,
                **group.groupby("metric")["value"].mean().to_dict(),
                **own[reported].mean().to_dict(),
                "seconds": own["wall_seconds"].mean(),
                "tasks": len(primary),
                "answered": int((primary["outcome"] == "ok").sum()),
                "failed": int((own["status"] != "ok").sum()),
                "missing": int((primary["outcome"] == "missing").sum()),
            }
        )
    table = pd.DataFrame(rows)
    table[["low", "high"]] = table[["low", "high"]].astype("float64")
    ranked = table["normalised"].round(9).where(table["role"] == "method")
    table.insert(0, "rank", ranked.rank(method="min", ascending=False).astype("Int64"))
    table = table.assign(_order=-table["normalised"].round(9), _reference=table["role"] != "method")
    table = table.sort_values(["_order", "_reference", "method"], ignore_index=True)
    return table.drop(columns=["_order", "_reference"])


def failures(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row per run without an answer: `method, task, seed, status, error`."""
    failed = frame[frame["status"] != "ok"].drop_duplicates("file")
    return failed[["method", "task", "seed", "status", "error"]].reset_index(drop=True)
