"""Tables: frames as cells of plain text, with what they mean said below.

`standings_table`, `pairwise_table` and `trends_table` choose columns and round numbers, and the
`paper_table` of a file of its own chooses fewer; `markdown_table`, `latex_table` and `html_table`
of `table_formats` write any of them.
"""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .difficulty import COVARIATES
from .escapes import one_line
from .pairwise import ALPHA, fewest_tasks

if TYPE_CHECKING:
    import pandas as pd

TITLES = {
    "edge_average_precision": "AP",
    "edge_auroc": "AUROC",
    "node_average_precision": "Node AP",
    "node_average_precision_without_embed": "Node AP, no embed",
    "sensitivity_average_precision": "AP",
    "sensitivity_auroc": "AUROC",
    "shapley_spearman": "Spearman",
    "shapley_mass_at_size": "Shapley mass",
    "matched_cosine": "Cosine",
    "mean_max_cosine": "Max cosine",
    "recovered_at_0.9": "Found at 0.9",
    "activation_f1": "F1",
    "activation_auroc": "AUROC",
    "duplicate_directions": "Duplicates",
    "dead_units": "Dead",
    "unexplained_variance": "Unexplained",
}
"""The metrics and reported numbers that tables show, in order, and their headings."""

NOTE = (
    "Score: mean over tasks of the normalised primary metric, 0 at the higher of the floors and "
    "1 at the oracle, with a 95% bootstrap interval over tasks like these, which takes six tasks "
    "or more. IQM: mean over the middle half of the tasks. Worst 10%: mean over the worst tenth. "
    "Rank: what paired tests over tasks tell apart, corrected for all pairs; 1-3 is a tie. A run "
    "that failed, and one that is missing, count as a random answer. Tasks: answered of all. "
    "random, prior and oracle are references and have no rank."
)

PAIRS_NOTE = (
    "Difference: mean over tasks of the first method's normalised score less the second's, with a "
    "95% interval by Student's t for this pair alone. W, T, L: tasks on which the first is better, "
    "as good, worse. p: the larger of those of Wilcoxon's signed-rank test and Student's paired "
    "t-test; Holm: corrected for all pairs. Better: the method that is told to be better."
)

TRENDS_NOTE = (
    "Spearman's rank correlation over tasks of a method's normalised score with what is known of "
    "the tasks beforehand, and in brackets its p-value by permutation of the tasks, corrected for "
    "all numbers of the table by Holm's method. Tasks are no experiment: what goes with one "
    "covariate may come from another."
)


@dataclass(frozen=True)
class Table:
    """A table as plain text.

    Attributes:
        heading: a title for each column.
        rows: as many cells each.
        note: what the columns mean.
        left: the titles of columns that hold names; others hold numbers.
        bold: the row and the column of each number that stands out in print.
    """

    heading: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    note: str
    left: frozenset[str] = frozenset({"Method"})
    bold: frozenset[tuple[int, int]] = frozenset()


def too_few_tasks(methods: int, tasks: int) -> str:
    """Return why all methods are tied, where tasks are too few for anything else; else nothing.

    Example:
        >>> too_few_tasks(4, 8)
        ''
    """
    needed = fewest_tasks(methods)
    if methods < 2 or tasks >= needed:
        return ""
    return (
        f"All are tied: {tasks} {'tasks' if tasks > 1 else 'task'} cannot tell {methods} methods "
        f"apart, however they differ, if the chance of any false difference is to be {ALPHA:.0%} "
        f"at most. That takes {needed} tasks: score the methods on a larger suite, such as core."
    )


def ties_note(standings: "pd.DataFrame") -> str:
    """Return `too_few_tasks` of standings.

    Args:
        standings: from `standings`.
    """
    return too_few_tasks(int((standings["role"] == "method").sum()), int(standings["tasks"].max()))


def standings_note(standings: "pd.DataFrame") -> str:
    """Return what the columns of the standings mean, and whether the tasks are too few for ranks.

    Args:
        standings: from `standings`.
    """
    return " ".join(filter(None, (NOTE, ties_note(standings))))


def cells(standings: "pd.DataFrame") -> tuple[list[str], list[list[str]]]:
    """Return the heading and the rows of the standings, as plain unescaped text.

    Args:
        standings: from `standings`.
    """
    metrics = [name for name in TITLES if name in standings.columns]
    heading = ["Rank", "Method", "Score", "95% interval", "IQM", "Worst 10%"]
    heading += [*(TITLES[name] for name in metrics), "Seconds", "Tasks", "Failed", "Missing"]
    rows = []
    for row in standings.to_dict("records"):
        is_method = row["role"] == "method"
        seconds = "" if math.isnan(row["seconds"]) else f"{row['seconds']:.2f}"
        runs = [seconds, f"{row['answered']}/{row['tasks']}"]
        runs += [str(row["failed"]), str(row["missing"])]
        rows.append(
            [
                row["rank"],
                one_line(str(row["method"])),
                three_decimals(row["normalised"]),
                interval(row["low"], row["high"]),
                three_decimals(row["interquartile_mean"]),
                three_decimals(row["worst_decile"]),
                *(three_decimals(row[name]) for name in metrics),
                *(runs if is_method else [""] * len(runs)),
            ]
        )
    return heading, rows


def standings_table(standings: "pd.DataFrame") -> Table:
    """Return the standings as a table.

    Args:
        standings: from `standings`.
    """
    heading, rows = cells(standings)
    return Table(tuple(heading), tuple(map(tuple, rows)), standings_note(standings))


def pairwise_table(pairwise: "pd.DataFrame") -> Table:
    """Return the differences between methods as a table.

    Args:
        pairwise: from `pairwise_differences`.
    """
    heading = ("First", "Second", "Difference", "95% interval", *"WTL", "p", "Holm", "Better")
    rows = tuple(
        (
            one_line(row["first"]),
            one_line(row["second"]),
            three_decimals(row["difference"]),
            interval(row["low"], row["high"]),
            *(str(row[name]) for name in ("wins", "ties", "losses")),
            _probability(row["p"]),
            _probability(row["p_holm"]),
            one_line(row["better"]),
        )
        for row in pairwise.to_dict("records")
    )
    return Table(heading, rows, PAIRS_NOTE, frozenset({"First", "Second", "Better"}))


def trends_table(trends: "pd.DataFrame") -> Table:
    """Return how scores go with difficulty as a table: a row per method, a column per covariate.

    Args:
        trends: from `difficulty_trends`.
    """
    told = {}
    for row in trends.to_dict("records"):
        text = f"{three_decimals(row['spearman'])} ({_probability(row['p_holm'])})"
        told[row["method"], row["covariate"]] = text
    names = [name for name in COVARIATES if name in set(trends["covariate"])]
    rows = tuple(
        (one_line(method), *(told.get((method, name), "") for name in names))
        for method in sorted(set(trends["method"]))
    )
    return Table(("Method", *(COVARIATES[name] for name in names)), rows, TRENDS_NOTE)


def three_decimals(value: float) -> str:
    """Return three decimals, without a sign on zero; nothing for a value not known.

    Example:
        >>> three_decimals(-0.0001), three_decimals(0.5), three_decimals(float("nan"))
        ('0.000', '0.500', '')
    """
    return "" if math.isnan(value) else f"{round(value, 3) + 0.0:.3f}"


def interval(low: float, high: float) -> str:
    """Return an interval with three decimals; nothing where there is none.

    Example:
        >>> interval(-0.5, 1.0)
        '[-0.500, 1.000]'
    """
    return "" if math.isnan(low) else f"[{three_decimals(low)}, {three_decimals(high)}]"


def _probability(value: float) -> str:
    """Return three decimals, or that there are none to show."""
    return "<0.001" if value < 0.0005 else f"{value:.3f}"
