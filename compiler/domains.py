"""Domains: which values each expression can take.

Categorical expressions have explicit sets. Means have exact rationals: every
`s / c` where `s` is a sum of `c` values, for every count `c` up to the greatest
length. Sums have every sum of a value of each term. All may hold more than is
ever reached, never less.
"""

import math
from bisect import bisect_left
from collections.abc import Sequence
from fractions import Fraction
from itertools import chain, islice

import numpy as np

from ..errors import ProgramError
from .rational_arithmetic import rational
from .rational_arrays import FLOATS_SEPARATE, distinct
from .values import Domain, Value, is_number

LARGEST_DOMAIN = 4096
_AS_THEY_ARE = (int, str, bool, type(None))


def exact(number: Value) -> Fraction:
    """Return the fraction that a number stands for."""
    assert isinstance(number, int | float | Fraction)
    return rational(number)


def canonical(value: Value) -> Value:
    """Return a value as the compiler keeps it: NumPy scalars unwrapped, numbers exact.

    Floats become the fractions they stand for, integral fractions become ints.

    Raises:
        ProgramError: the value is not a boolean, a finite number, a string or a
            tuple of such.
    """
    if type(value) in _AS_THEY_ARE:
        return value
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise ProgramError(f"values must be finite, got {value}")
        value = rational(value)
    if isinstance(value, Fraction):
        return int(value) if value.denominator == 1 else value
    if isinstance(value, tuple):
        return tuple(canonical(item) for item in value)
    raise ProgramError(
        f"values must be booleans, numbers, strings, tuples of these or None, "
        f"got {value!r} of type {type(value).__name__}"
    )


def too_many_values(count: int) -> ProgramError:
    """Return the refusal of an expression that can take `count` values."""
    return ProgramError(
        f"it can take {count} values, and at most {LARGEST_DOMAIN} are allowed; "
        "map it to fewer values earlier, or use a smaller vocabulary or length"
    )


def mean_domain(values: Domain, max_count: int, default: Value) -> Domain:
    """Return every mean of 1 to `max_count` of `values`, and `default` unless it is `None`.

    Each value is `low + step * k` for a natural number `k`, so that a mean of `c`
    values is `low + step * s / c`, where `s` is a sum of `c` of these numbers.

    Example:
        >>> mean_domain(Domain.of([0, 1]), 2, 0).values
        (0, Fraction(1, 2), 1)

    Raises:
        ProgramError: there are more than `LARGEST_DOMAIN` means, or they differ too little
            from one another for their size.
    """
    if max_count == 1 and len(values) < LARGEST_DOMAIN:
        return Domain.of((*values.values, canonical(default)))
    scaled, unit = _over_one_denominator([exact(value) for value in values.values])
    low = min(scaled)
    step = math.gcd(*(number - low for number in scaled)) or 1
    steps = [(number - low) // step for number in scaled]
    if max(steps) * max_count**2 >= FLOATS_SEPARATE:
        raise ProgramError(
            "the means of its values cannot be told apart: the values lie up to "
            f"{max(steps)} steps of {_whole(step, unit)} apart; round them to fewer digits"
        )
    if (len(values) - 1) * max_count >= LARGEST_DOMAIN:  # at least as many sums of `max_count`
        raise _too_many_means(len(values))
    sums, counts = _sums_and_counts(np.array(steps, dtype=np.int64), max_count)
    _, first = np.unique(sums / counts, return_index=True)
    chosen = zip(sums[first].tolist(), counts[first].tolist(), strict=True)
    means = [_whole(low * c + step * s, unit * c) for s, c in chosen]
    if len(means) > LARGEST_DOMAIN:
        raise _too_many_means(len(values))
    return _with(means, canonical(default))


def _sums_and_counts(steps: np.ndarray, max_count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return every sum of `c` steps, and the `c`, for each `c` up to `max_count`.

    Raises:
        ProgramError: there are more than `LARGEST_DOMAIN` different means.
    """
    sums = [np.zeros(1, dtype=np.int64)]
    n_means = 0
    for count in range(1, max_count + 1):
        sums.append(distinct(sums[-1][:, None] + steps))
        # A mean in lowest terms over `count` is the mean of no smaller number of values.
        n_means += int(np.count_nonzero(np.gcd(sums[-1], count) == 1))
        if max(len(sums[-1]), n_means) > LARGEST_DOMAIN:
            raise _too_many_means(len(steps))
    sizes = [len(some) for some in sums[1:]]
    return np.concatenate(sums[1:]), np.repeat(np.arange(1, max_count + 1), sizes)


def _with(numbers: list[int | Fraction], value: Value) -> Domain:
    """Return the domain of ascending numbers and one value more, unless that is `None`."""
    if not is_number(value):
        return Domain.of([*numbers, value])
    place = bisect_left(numbers, exact(value))
    known = numbers[place : place + 1] == [value]
    return Domain((*numbers[:place], *([] if known else [value]), *numbers[place:]))


def _too_many_means(n_values: int) -> ProgramError:
    return ProgramError(
        f"more than {LARGEST_DOMAIN} different means are possible over {n_values} values; "
        "aggregate a variable with fewer values (booleans, say), or shorten the sequences"
    )


def sum_domain(terms: Sequence[tuple[Fraction, Domain]]) -> Domain:
    """Return every sum of one `factor * value` from each term.

    Example:
        >>> sum_domain([(Fraction(1, 2), Domain.of([0, 1])), (Fraction(-1), Domain.of([0, 1]))])
        Domain(values=(-1, Fraction(-1, 2), 0, Fraction(1, 2)))

    Raises:
        ProgramError: there are more than `LARGEST_DOMAIN` of them.
    """
    columns = [[factor * exact(value) for value in domain.values] for factor, domain in terms]
    scaled, unit = _over_one_denominator(list(chain.from_iterable(columns)))
    numerators = iter(scaled)
    sums = [0]
    for column in columns:
        sums = _distinct_sums(sums, list(islice(numerators, len(column))))
        if len(sums) > LARGEST_DOMAIN:  # and further terms make no fewer
            raise ProgramError(
                f"more than {LARGEST_DOMAIN} different sums are possible; map its terms to fewer "
                "values, or use a smaller vocabulary or length"
            )
    return Domain(tuple(_whole(number, unit) for number in sums))


def _distinct_sums(fst: list[int], snd: list[int]) -> list[int]:
    """Return every sum of two integers, ascending; some of them, if more than `LARGEST_DOMAIN`."""
    if max(map(abs, (*fst, *snd)), default=0) < 2**62:
        return distinct(np.add.outer(np.array(fst), np.array(snd))).tolist()
    reached: set[int] = set()
    for number in snd:
        reached.update(number + other for other in fst)
        if len(reached) > LARGEST_DOMAIN:
            break
    return sorted(reached)


def _over_one_denominator(fractions: Sequence[Fraction]) -> tuple[list[int], int]:
    """Return numerators, and the one denominator over which they are the fractions."""
    unit = math.lcm(*(fraction.denominator for fraction in fractions))
    return [number.numerator * (unit // number.denominator) for number in fractions], unit


def _whole(numerator: int, denominator: int) -> int | Fraction:
    """Return a fraction, as an int where it is one."""
    number = Fraction(numerator, denominator)
    return number.numerator if number.denominator == 1 else number


def width_domain(max_count: int, at_least_one: bool) -> Domain:
    """Return the possible numbers of selected positions."""
    return Domain(tuple(range(int(at_least_one), max_count + 1)))


def reciprocal_domain(widths: Domain) -> Domain:
    """Return `1 / (1 + width)` for each width, ascending.

    Example:
        >>> reciprocal_domain(width_domain(2, at_least_one=False)).values
        (Fraction(1, 3), Fraction(1, 2), 1)
    """
    return Domain.of(canonical(1 / (1 + exact(width))) for width in widths.values)
