"""Task scores: a row per method, task and metric, with nothing missing; floors and ceiling too."""

from typing import TYPE_CHECKING

from .normalising import LEAST, normalised_column, random_normalised
from .owed_runs import owed_runs, runs_that_count

if TYPE_CHECKING:
    import pandas as pd

REFERENCES = {"oracle": "ceiling", "prior": "floor", "random": "floor"}
"""The rows that are no methods, and the role of each."""

_COLUMNS = ["role", "method", "task", "metric", "primary", "value", "normalised", "outcome"]


def task_scores(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return one row per method (or reference), task and metric, with nothing missing.

    Seeds are averaged. Every method owes the runs that `owed_runs` says, and no others count. A run
    without an answer counts as a random answer, and so does one that is owed and is not there,
    so that nothing is gained by not answering: `outcome` is `failed` where a run gave no
    answer, else `missing` where one is not there, else `ok`. The floors and the
    ceiling stand beside the methods as rows with the role `floor` or `ceiling`;
    `prior` only where every task has one.

    Columns: `role, method, task, metric, primary, value, normalised, outcome`.
    """
    import pandas as pd

    keys = ["task", "metric"]
    # A task that every method failed, with nothing recorded, has no floor; it still counts.
    known_first = frame.iloc[frame["floor"].isna().argsort(kind="stable")]
    scale = known_first.drop_duplicates(keys)
    scale = scale[[*keys, "primary", "random", "prior", "floor", "ceiling"]]
    methods = frame[["method"]].drop_duplicates().merge(scale, how="cross")
    own = owed_runs(frame)
    measured = _measured(runs_that_count(frame, own))
    methods = methods.merge(measured, how="left", on=["method", *keys])
    methods = methods.fillna({"runs": 0, "answers": 0, "value": 0.0, "normalised": 0.0})
    owed = methods["task"].map(own)
    absent = owed - methods["answers"]
    random = pd.Series(random_normalised(methods), index=methods.index).fillna(0.0)
    # Where no floor is known no value is either, and the metric itself stays empty.
    filled = methods["value"] + (absent * methods["random"]).where(absent > 0, 0.0)
    methods["value"] = filled / owed
    methods["normalised"] = (methods["normalised"] + absent * random) / owed
    methods["outcome"] = "ok"
    methods.loc[methods["runs"] < owed, "outcome"] = "missing"
    methods.loc[methods["answers"] < methods["runs"], "outcome"] = "failed"
    parts = [methods.assign(role="method")]
    known = scale.dropna(subset=["floor"])
    for reference, role in REFERENCES.items():
        value = known["ceiling" if role == "ceiling" else reference]
        if known.empty or value.isna().any():
            continue
        earned = normalised_column(value, known)
        given = {"role": role, "method": reference, "outcome": "ok"}
        parts.append(known.assign(**given, value=value, normalised=earned))
    whole = pd.concat([part[_COLUMNS] for part in parts], ignore_index=True)
    return whole.sort_values(["role", "method", "task", "metric"], ignore_index=True)


def _measured(frame: "pd.DataFrame") -> "pd.DataFrame":
    """Return sums of values over the runs of a method, and how many runs and answers there are."""
    runs = frame.groupby(["method", "task"])["file"].nunique().rename("runs").reset_index()
    frame = frame.assign(normalised=frame["normalised"].clip(lower=LEAST))
    metrics = frame.groupby(["method", "task", "metric"], as_index=False).agg(
        value=("value", "sum"), normalised=("normalised", "sum"), answers=("value", "count")
    )
    return metrics.merge(runs, on=["method", "task"])


def score_matrix(scores: "pd.DataFrame") -> "pd.DataFrame":
    """Return the normalised primary scores of methods: a row per task, a column per method.

    Args:
        scores: from `task_scores`; references are left out.
    """
    own = scores[(scores["role"] == "method") & scores["primary"].astype(bool)]
    return own.pivot(index="task", columns="method", values="normalised").sort_index(axis=1)
