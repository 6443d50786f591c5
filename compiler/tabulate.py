"""Tabulate: functions of values -> tables over domains.

After this no function of the user is left: what a program computes is data.
"""

from collections.abc import Callable, Sequence

import numpy as np

from ..errors import ProgramError
from . import rasp
from .domains import canonical
from .values import Domain, Value, as_argument, is_number

MAX_TABLE = 2**18
_SHOWN_FAILURES = 3
_ASKED_AGAIN = 8


def predicate_table(
    predicate: Callable[[Value, Value], object], keys: Domain, queries: Domain
) -> np.ndarray:
    """Return bool `[d_queries, d_keys]`: whether `predicate(key, query)` holds.

    Raises:
        ProgramError: the table would be too large, or the predicate fails.
    """
    check_table(len(queries), len(keys))
    if isinstance(predicate, rasp.Comparison) and _comparable(keys, queries):
        return _compared(predicate, keys, queries)
    pairs = [(key, query) for query in queries.values for key in keys.values]
    results = tabulated(lambda key, query: bool(predicate(key, query)), pairs)
    return np.array(results, dtype=bool).reshape(len(queries), len(keys))


def _comparable(keys: Domain, queries: Domain) -> bool:
    """Whether all values are numbers, or all are strings, so that ranks compare as they do."""
    values = (*keys.values, *queries.values)
    return all(map(is_number, values)) or all(isinstance(value, str) for value in values)


def _compared(comparison: rasp.Comparison, keys: Domain, queries: Domain) -> np.ndarray:
    """Return the table of a comparison, by the ranks of the values among all of them."""
    ranked = Domain.of([*keys.values, *queries.values])
    key_ranks, query_ranks = ranked.indices(keys.values), ranked.indices(queries.values)
    table = comparison.function(key_ranks[None, :], query_ranks[:, None])
    return np.broadcast_to(np.asarray(table, dtype=bool), (len(queries), len(keys))).copy()


def check_table(rows: int, columns: int) -> None:
    """Check that a table is not too large to write.

    Raises:
        ProgramError: it has more than `MAX_TABLE` entries.
    """
    if rows * columns > MAX_TABLE:
        raise ProgramError(
            f"its table has {rows} x {columns} entries, and at most {MAX_TABLE} are allowed; "
            "map an argument to fewer values first"
        )


def tabulated(function: Callable[..., Value], arguments: Sequence[tuple]) -> list[Value]:
    """Return the function's value on every tuple of arguments, in canonical form.

    Raises:
        ProgramError: the function fails on some (how many, and the first of them),
            or gives another value when it is asked again.
    """
    results: list[Value] = []
    failures: list[str] = []
    given = [tuple(as_argument(value) for value in values) for values in arguments]
    for shown in given:
        try:
            results.append(canonical(function(*shown)))
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything
            failures.append(f"{shown}: {type(error).__name__}: {error}")
    if failures:
        examples = "; ".join(failures[:_SHOWN_FAILURES])
        raise ProgramError(
            f"its function must be defined on every value its arguments can take, and fails on "
            f"{len(failures)} of {len(arguments)}: {examples}"
        )
    for place in range(0, len(given), max(1, len(given) // _ASKED_AGAIN)):
        again = canonical(function(*given[place]))
        if again != results[place]:
            raise ProgramError(
                f"its function must give the same value each time, and on {given[place]} it gives "
                f"{results[place]!r} and then {again!r}"
            )
    return results
