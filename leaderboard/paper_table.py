"""Paper table: the standings in as few columns as a page of a paper has room for."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from .escapes import one_line
from .page_names import shown
from .tables import TITLES, Table, interval, three_decimals, ties_note

if TYPE_CHECKING:
    import pandas as pd

PAPER_NOTE = (
    "Score: mean over tasks of the normalised primary metric, 0 at the higher of the floors and "
    "1 at the oracle, with a 95% bootstrap interval over tasks like these, which takes six tasks "
    "or more. Worst 10%: mean over the worst tenth of the tasks. Rank: what paired tests over "
    "tasks tell apart, corrected for all pairs; 1-3 is a tie. Bold: no method is told to be "
    "better. A run that failed, and one that is missing, count as a random answer. random, prior "
    "and oracle are references and have no rank."
)


def paper_table(standings: "pd.DataFrame", primary: str) -> Table:
    """Return the standings in few columns, the scores of the best methods in bold.

    They are rank, method, score with its interval, worst decile, the primary metric and one more
    where there is one; and how many runs failed or are missing where any are. The best are those
    that no method is told to be better than: they are tied, or one.

    Args:
        standings: from `standings`.
        primary: the metric that ranks.
    """
    heading, columns = zip(*_columns(standings, primary), strict=True)
    is_best = standings["rank_low"].fillna(0) == 1  # references have none
    place = heading.index("Score")
    return Table(
        heading,
        tuple(zip(*columns, strict=True)),
        " ".join(filter(None, (PAPER_NOTE, ties_note(standings)))),
        bold=frozenset((row, place) for row, best in enumerate(is_best) if best),
    )


def _columns(standings: "pd.DataFrame", primary: str) -> Iterator[tuple[str, list[str]]]:
    """Yield the title of each column and its cells."""
    yield "Rank", list(standings["rank"])
    yield "Method", [one_line(str(name)) for name in standings["method"]]
    yield "Score", _decimals(standings["normalised"])
    ends = zip(standings["low"], standings["high"], strict=True)
    yield "95% interval", [interval(low, high) for low, high in ends]
    yield "Worst 10%", _decimals(standings["worst_decile"])
    if primary in standings.columns:  # else no run has a value of it
        yield TITLES.get(primary, _title(primary)), _decimals(standings[primary])
    others = (name for name in TITLES if name in standings.columns and name != primary)
    if other := next(others, ""):
        yield TITLES[other], _decimals(standings[other])
    is_method = standings["role"] == "method"
    for name in ("failed", "missing"):
        if standings[name].any():
            counts = zip(standings[name], is_method, strict=True)
            yield name.capitalize(), [str(count) if own else "" for count, own in counts]


def _decimals(values: "pd.Series") -> list[str]:
    return [three_decimals(value) for value in values]


def _title(metric: str) -> str:
    """Return the name of a metric that has no title of its own, as words."""
    return shown(metric.replace("_", " ").capitalize())
