"""Results frame: results as they were recorded, a row for each and each of its metrics."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import BundleError
from ..evaluators.result import MetricValue, Result
from .results_folder import check_comparable

if TYPE_CHECKING:
    import pandas as pd

_TEXTS = ["method", "tool", "settings", "task", "status", "file"]
_RUN = ["method", "tool", "settings", "task", "seed", "status", "error", "wall_seconds"]
_RUN += ["peak_memory_mb", "file"]
_NUMBERS = ["value", "low", "high", "random", "prior", "floor", "ceiling", "normalised"]
_METRIC = ["metric", "primary", *_NUMBERS]
_DIGITS = 8


def names_in_order(results: Sequence[Result]) -> list[str]:
    """Return the name of the method of each result, in order.

    It is the tool's name, followed by the settings where the tool occurs with
    more than one choice of them. Names that would be the same, such as those of a tool called
    `a (k=1)` and of a tool `a` with `k=1`, bear a digest of tool and settings.
    """
    return _names(results, _settings(results))


def _settings(results: Sequence[Result]) -> list[str]:
    """Return the settings of each result as JSON, in order."""
    encode = json.JSONEncoder(sort_keys=True).encode
    return [encode(result.settings) for result in results]


def _names(results: Sequence[Result], written: Sequence[str]) -> list[str]:
    """Return the name of the method of each result, given its settings as JSON."""
    choices: dict[str, set[str]] = {}
    for result, settings in zip(results, written, strict=True):
        choices.setdefault(result.tool, set()).add(settings)
    names: dict[tuple[str, str], str] = {}
    for result, settings in zip(results, written, strict=True):
        if (result.tool, settings) not in names:
            several = len(choices[result.tool]) > 1
            names[result.tool, settings] = result.tool + (_told(result.settings) if several else "")
    names = _distinct(names)
    return [names[one.tool, settings] for one, settings in zip(results, written, strict=True)]


def _distinct(names: Mapping[tuple[str, str], str]) -> dict[tuple[str, str], str]:
    """Return names of which no two are the same; those that were bear digests."""
    found = dict(names)
    digits = _DIGITS
    while len(set(found.values())) < len(found):  # a tool may bear the name with the digest
        count = Counter(found.values())
        for own, name in found.items():
            if count[name] > 1:
                digest = hashlib.sha256(json.dumps(own).encode()).hexdigest()
                found[own] = f"{names[own]} #{digest[:digits]}"
        digits += _DIGITS
    return found


def _told(settings: Mapping[str, Any]) -> str:
    """Return settings as they stand after the name of a tool."""
    parts = [
        f"{key}={value if isinstance(value, str) else json.dumps(value, sort_keys=True)}"
        for key, value in sorted(settings.items())
    ]
    return f" ({', '.join(parts) or 'defaults'})"


def results_frame(
    results: Sequence[Result],
    track: str = "circuit",
    question: Mapping[str, Any] | None = None,
    *,
    methods: Mapping[str, str] | None = None,
) -> "pd.DataFrame":
    """Return one row per result and metric of `track`.

    A result without an answer keeps an empty `value`; where it records no
    metrics, their floors and ceilings are those of the other results on its task. Seconds that
    are not known are empty.

    Columns: `method, tool, settings, task, seed, status, error, wall_seconds,
    peak_memory_mb, file, metric, primary, value, low, high, random, prior,
    floor, ceiling, normalised`, and one for each number that results report beside metrics.

    Args:
        results: of any tracks and questions.
        track: the track that is ranked.
        question: how the question differs from the track's default; others are left out.
        methods: what the method of every result is called, by its file name; as
            `names_in_order` if nothing is said.

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
    known: dict[str, dict[str, MetricValue]] = {}
    for result in results:
        of_task = known.setdefault(result.task, {})
        for name, metric in result.metrics.items():
            of_task.setdefault(name, metric)
    metrics = [
        (place, *row)
        for place, result in enumerate(results)
        for row in _metric_rows(result, known[result.task])
    ]
    rows = pd.DataFrame(metrics, columns=["place", *_METRIC])
    rows = rows.astype({"metric": "str"} | dict.fromkeys(_NUMBERS, "float64"))
    runs = _runs(results, methods)
    # Texts become columns once for each run, and not for each of its metrics.
    frame = runs.take(rows.pop("place").to_numpy()).reset_index(drop=True).join(rows)
    reported = [name for name in runs.columns if name not in _RUN]
    return frame[[*_RUN, *rows.columns, *reported]].sort_values(
        ["method", "task", "seed", "file", "metric"], ignore_index=True
    )


def _runs(results: Sequence[Result], methods: Mapping[str, str] | None) -> "pd.DataFrame":
    """Return a row for each result: all columns that do not depend on a metric."""
    import pandas as pd

    written, files = _settings(results), [one.file_name for one in results]
    names = _names(results, written) if methods is None else [methods[file] for file in files]
    rows = [
        (
            name,
            one.tool,
            settings,
            one.task,
            one.seed,
            one.status,
            one.error,
            one.wall_seconds,
            one.peak_memory_mb,
            file,
        )
        for name, settings, file, one in zip(names, written, files, results, strict=True)
    ]
    texts = dict.fromkeys(_TEXTS, "str")
    frame = pd.DataFrame(rows, columns=_RUN).astype({**texts, "wall_seconds": "float64"})
    reported = sorted({name for result in results for name in result.reported})
    told = [one.reported for one in results]
    return frame.join(pd.DataFrame(told, columns=reported, dtype="float64")) if reported else frame


def _metric_rows(result: Result, known: Mapping[str, MetricValue]) -> Iterator[tuple[Any, ...]]:
    """Yield a row per metric of `result`; `known` are the metrics of others on its task."""
    metrics = result.metrics or known
    if not metrics:
        yield result.primary, True, *[None] * len(_NUMBERS)
    for name, one in metrics.items():
        ends = (one.value, one.low, one.high) if result.metrics else (None, None, None)
        normalised = one.normalised if result.metrics else None
        scale = (one.floors.random, one.floors.prior, one.floor, one.ceiling)
        yield name, name == result.primary, *ends, *scale, normalised


def reported_names(frame: "pd.DataFrame") -> list[str]:
    """Return the columns of a results frame that are numbers reported beside metrics."""
    return [name for name in frame.columns if name not in (*_RUN, *_METRIC)]


def failures(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row per run without an answer: `method, task, seed, status, error`."""
    failed = frame[frame["status"] != "ok"].drop_duplicates("file")
    return failed[["method", "task", "seed", "status", "error"]].reset_index(drop=True)
