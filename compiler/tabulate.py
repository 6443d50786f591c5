"""Tabulate: functions of values -> tables over domains.

After this no function of the user is left: what a program computes is data.
Operators, linear combinations and comparisons are known, and are tabulated as
array arithmetic; `known_functions` holds how. Any other function is called once
for each tuple of values that its arguments can take.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np

from ..errors import ProgramError
from .domains import LARGEST_DOMAIN, canonical, too_many_values
from .known_functions import is_plain, known_predicate, known_results
from .rasp_operations import NEGATE, NOT, SUBTRACT, Composition, PrefixOperation, WithConstant
from .rational_arrays import RationalArray, distinct, positions
from .values import Domain, Value, as_argument

MOST_CALLS = 2**18
LARGEST_TABLE = 2**24
_SHOWN_FAILURES = 3
_ASKED_AGAIN = 8
_HASHED_AS_THEY_ARE = (int, bool, str, float, type(None))


@dataclass(frozen=True, eq=False)
class Tabulated:
    """A function as data.

    Attributes:
        domain: the values it takes.
        table: the position in `domain` of its value, -1 for `None`, for each value of
            its argument, int64 `[d_inner]`, or each two values, `[d_fst, d_snd]`.
    """

    domain: Domain
    table: np.ndarray

    @property
    def optional(self) -> bool:
        """Whether it may be `None`."""
        return bool((self.table < 0).any())


def map_table(function: Callable[[Value], Value], inner: Domain) -> Tabulated:
    """Return a function of one variable, tabulated.

    Example:
        >>> made = map_table(str.upper, Domain.of("aAb"))
        >>> made.domain.values, made.table.tolist()
        (('A', 'B'), [0, 0, 1])

    Raises:
        ProgramError: the function fails on some values (how many, and the first of
            them), or gives another value when it is asked again.
    """
    known = _known_map(function, inner)
    return _called(function, inner) if known is None else known


def sequence_map_table(
    function: Callable[[Value, Value], Value], fst: Domain, snd: Domain
) -> Tabulated:
    """Return a function of two variables, tabulated.

    Raises:
        ProgramError: as for `map_table`, and where there are too many pairs of values
            or too many different results.
    """
    _check_table(len(fst), len(snd))
    results = known_results(function, fst, snd)
    return _called(function, fst, snd) if results is None else _of_results(results)


def predicate_table(
    predicate: Callable[[Value, Value], object], keys: Domain, queries: Domain
) -> np.ndarray:
    """Return bool `[d_queries, d_keys]`: whether `predicate(key, query)` holds.

    Raises:
        ProgramError: there are too many pairs of values, or the predicate fails.
    """
    _check_table(len(queries), len(keys))
    known = known_predicate(predicate, keys, queries)
    if known is not None:
        return known
    made = _called(lambda key, query: bool(predicate(key, query)), keys, queries)
    return np.array(made.domain.values, dtype=bool)[made.table].T.copy()


def _check_table(rows: int, columns: int) -> None:
    if rows * columns > LARGEST_TABLE:
        raise ProgramError(
            f"its table has {rows} x {columns} entries, and at most {LARGEST_TABLE} are allowed; "
            "map an argument to fewer values first"
        )


# -- functions that are known --------------------------------------------------------


def _known_map(function: object, inner: Domain) -> Tabulated | None:
    """Return the table of a known function of one variable; `None` for any other."""
    match function:
        case Composition(functions=(first, *others)):
            made = _known_map(first, inner)
            for step in others:
                then = None if made is None else _known_map(step, made.domain)
                if made is None or then is None:
                    return None
                made = Tabulated(then.domain, then.table[made.table])
            return made
        case WithConstant(operation=operation, constant=constant) if is_plain(constant):
            fixed = Domain((canonical(constant),))
            sides = (fixed, inner) if function.constant_first else (inner, fixed)
            results = known_results(operation, *sides)
            return None if results is None else _of_results(results.ravel())
        case PrefixOperation() if function == NEGATE:
            return _known_map(WithConstant(SUBTRACT, 0, constant_first=True), inner)
        case PrefixOperation() if function == NOT:
            return _of_results(np.array([not as_argument(value) for value in inner.values], bool))
    return None


def _of_results(results: np.ndarray | RationalArray) -> Tabulated:
    """Return a table of booleans or numbers as one of positions."""
    if isinstance(results, np.ndarray):
        never_false, sometimes_true = bool(results.all()), bool(results.any())
        domain = Domain((False,) * (not never_false) + (True,) * sometimes_true)
        return Tabulated(domain, results.astype(np.int64) - never_false)
    # Programs round each result once, to a float, so that equal floats are one value.
    keys = results.numerators if results.integral else results.floats
    reached = distinct(keys)
    if len(reached) > LARGEST_DOMAIN:
        raise too_many_values(len(reached))
    table = positions(keys, among=reached)
    if results.integral:
        return Tabulated(Domain(tuple(reached.tolist())), table)
    somewhere = np.empty(len(reached), dtype=np.int64)
    somewhere[table.ravel()] = np.arange(table.size)
    numbers = results.ravel()[somewhere].lowest()
    values = numbers.values() if numbers.survives_rounding else map(canonical, reached.tolist())
    return Tabulated(Domain(tuple(values)), table)


# -- functions that are called -------------------------------------------------------


def _called(function: Callable[..., Value], *domains: Domain) -> Tabulated:
    """Return the table of any function, which is called on every value or pair of values."""
    shape = tuple(map(len, domains))
    if math.prod(shape) > MOST_CALLS:
        raise ProgramError(
            f"its function would be called {' x '.join(map(str, shape))} times, and at most "
            f"{MOST_CALLS} calls are allowed; map an argument to fewer values first, or write the "
            "function with operators, rasp.LinearSequenceMap or a rasp.Comparison, which need no "
            "calls for strings and for numbers of few digits"
        )
    given = list(product(*([as_argument(value) for value in one.values] for one in domains)))
    values, places = _results(function, given)
    domain = Domain.of(values)
    return Tabulated(domain, domain.indices(values)[places].reshape(shape))


def _results(
    function: Callable[..., Value], given: Sequence[tuple]
) -> tuple[list[Value], np.ndarray]:
    """Return what a function gives, in canonical form, and where in that list for which arguments.

    Raises:
        ProgramError: the function fails on some of `given`, or gives another value
            when it is asked again.
    """
    values: list[Value] = []
    known: dict[object, int] = {}
    places: list[int] = []
    failures: list[str] = []
    for shown in given:
        try:
            result = function(*shown)
            # Fractions take long to hash, and floats stand for the same ones each time.
            key = result if type(result) in _HASHED_AS_THEY_ARE else (canonical(result),)
            if key not in known:
                values.append(canonical(result))
                known[key] = len(known)
            places.append(known[key])
        except Exception as error:  # noqa: BLE001 - a user's function may raise anything
            failures.append(f"{shown}: {type(error).__name__}: {error}")
    if failures:
        examples = "; ".join(failures[:_SHOWN_FAILURES])
        raise ProgramError(
            f"its function must be defined on every value its arguments can take, and fails on "
            f"{len(failures)} of {len(given)}: {examples}"
        )
    for place in range(0, len(given), max(1, len(given) // _ASKED_AGAIN)):
        before, again = values[places[place]], canonical(function(*given[place]))
        if again != before:
            raise ProgramError(
                f"its function must give the same value each time, and on {given[place]} it gives "
                f"{before!r} and then {again!r}"
            )
    return values, np.array(places, dtype=np.int64)
