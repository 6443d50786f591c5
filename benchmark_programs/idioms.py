"""Idioms: small RASP expressions that many programs are made of.

Selectors are functions of nothing and expressions functions of their arguments, so that
each program has expressions of its own.
"""

from functools import reduce
from operator import and_

from ..compiler import rasp
from ..compiler.values import Value

EQ, LT, LEQ = rasp.Comparison.EQ, rasp.Comparison.LT, rasp.Comparison.LEQ
TRUE = rasp.Comparison.TRUE


def is_token(token: Value) -> rasp.SOp:
    """Return whether this position holds `token`."""
    return (rasp.tokens == token).named(f"is_{token}")


def everywhere() -> rasp.Selector:
    """Select all positions."""
    return rasp.Select(rasp.indices, rasp.indices, TRUE).named("everywhere")


def so_far() -> rasp.Selector:
    """Select the positions up to here, this one included."""
    return rasp.Select(rasp.indices, rasp.indices, LEQ).named("so_far")


def earlier() -> rasp.Selector:
    """Select the positions before this one."""
    return rasp.Select(rasp.indices, rasp.indices, LT).named("earlier")


def later() -> rasp.Selector:
    """Select the positions after this one."""
    return rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.GT).named("later")


def same(sop: rasp.SOp) -> rasp.Selector:
    """Select the positions that hold the same value of `sop` as this one."""
    return rasp.Select(sop, sop, EQ).named("same")


def where(sop: rasp.SOp, value: Value) -> rasp.Selector:
    """Select the positions at which `sop` is `value`, from every position alike."""
    return rasp.Select(sop, sop, lambda key, _query: key == value).named("where")


def count(selector: rasp.Selector) -> rasp.SOp:
    """Return how many positions are selected."""
    return rasp.SelectorWidth(selector)


def count_equal(sop: rasp.SOp) -> rasp.SOp:
    """Return how many positions hold the same value of `sop` as this one."""
    return rasp.SelectorWidth(same(sop).named("same_token")).named("histogram")


def count_value(sop: rasp.SOp, value: Value) -> rasp.SOp:
    """Return, at every position, how many positions of `sop` hold `value`."""
    return rasp.SelectorWidth(where(sop, value).named("holds_value")).named("count")


def is_first(sop: rasp.SOp) -> rasp.SOp:
    """Return whether no earlier position holds the same value of `sop`."""
    return (count(same(sop) & earlier()).named("earlier_equal") == 0).named("is_first")


def choose(condition: rasp.SOp, holds: rasp.SOp, fails: rasp.SOp) -> rasp.SOp:
    """Return `holds` where `condition` is true and `fails` elsewhere.

    That is a function of three variables, and takes two steps: the first keeps `holds` as a
    tuple, which is empty where the condition fails; the second fills the empty ones.
    """
    kept = rasp.SequenceMap(lambda c, x: (x,) if c else (), condition, holds).named("kept")
    return rasp.SequenceMap(lambda one, y: one[0] if one else y, kept, fails).named("chosen")


def shifted(sop: rasp.SOp, offset: int, default: Value = None) -> rasp.SOp:
    """Return at each position the value of `sop` `offset` positions before.

    It is `default` where there is no such position; a negative offset looks ahead.
    """
    before = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query - key == offset)
    name = f"before_{offset}" if offset >= 0 else f"after_{-offset}"
    moved = rasp.Aggregate(before.named(name), sop, default=default)
    return moved.named(f"shifted_{offset}".replace("-", "back_"))


def value_at(sop: rasp.SOp, place: rasp.SOp, default: Value = None) -> rasp.SOp:
    """Return the value of `sop` at the position that `place` names, else `default`."""
    there = rasp.Select(rasp.indices, place, EQ).named("there")
    return rasp.Aggregate(there, sop, default=default).named("value_at")


def kept_where(condition: rasp.SOp, sop: rasp.SOp) -> rasp.SOp:
    """Return `sop` where `condition` holds, and no value elsewhere."""
    return rasp.SequenceMap(lambda c, x: x if c else None, condition, sop)


def first_value(sop: rasp.SOp) -> rasp.SOp:
    """Return at every position the value of `sop` at the first one."""
    return rasp.Aggregate(where(rasp.indices, 0).named("first"), sop).named("first_value")


def last_value(sop: rasp.SOp) -> rasp.SOp:
    """Return at every position the value of `sop` at the last one."""
    last = rasp.Select(rasp.indices, rasp.length - 1, EQ).named("last")
    return rasp.Aggregate(last, sop).named("last_value")


def fraction_so_far(condition: rasp.SOp) -> rasp.SOp:
    """Return the share of positions so far, this one included, at which `condition` holds."""
    share = rasp.Aggregate(so_far(), rasp.numerical(condition), default=0)
    return rasp.numerical(share).named("frac_prevs")


def fraction_of_all(condition: rasp.SOp) -> rasp.SOp:
    """Return, at every position, the share of all positions at which `condition` holds."""
    share = rasp.Aggregate(everywhere(), rasp.numerical(condition), default=0)
    return rasp.numerical(share).named("fraction_of_all")


def somewhere(condition: rasp.SOp) -> rasp.SOp:
    """Return whether `condition` holds at some position."""
    return (fraction_of_all(condition) > 0).named("somewhere")


def occurs_before(sop: rasp.SOp) -> rasp.SOp:
    """Return whether an earlier position holds the same value of `sop`."""
    return (count(same(sop) & earlier()) > 0).named("occurs_before")


def is_new() -> rasp.SOp:
    """Return whether this token does not occur before: a mean of ones has its default then."""
    one = rasp.numerical(rasp.Full(1)).named("one")
    copy_before = (same(rasp.tokens) & earlier()).named("copy_before")
    seen = rasp.numerical(rasp.Aggregate(copy_before, one, default=0)).named("seen")
    return (seen == 0).named("is_new")


def reversed_order(sop: rasp.SOp) -> rasp.SOp:
    """Return the values of `sop` from the last position to the first."""
    opposite = ((rasp.length - rasp.indices) - 1).named("opposite")
    at_opposite = rasp.Select(rasp.indices, opposite, EQ).named("at_opposite")
    return rasp.Aggregate(at_opposite, sop).named("reverse")


def all_of(conditions: list[rasp.SOp]) -> rasp.SOp:
    """Return whether all conditions hold at this position."""
    return reduce(and_, conditions)


def sort_by_unique_keys(values: rasp.SOp, keys: rasp.SOp) -> rasp.SOp:
    """Return `values` in ascending order of `keys`.

    The place of a key is the number of smaller keys. Equal keys claim the same
    place, and the places after it stay empty: there the result is `None`.
    """
    smaller = rasp.Select(keys, keys, LT).named("smaller")
    place = rasp.SelectorWidth(smaller).named("place")
    claims = rasp.Select(place, rasp.indices, EQ).named("claims")
    return rasp.Aggregate(claims, values).named("sort")


def sort_by_keys(values: rasp.SOp, keys: rasp.SOp, max_length: int) -> rasp.SOp:
    """Return `values` in ascending order of integer `keys`, equal keys in order of position.

    The position breaks ties: `key * max_length + position` is another integer for
    every position, since positions are below `max_length`.
    """
    unique_keys = rasp.SequenceMap(
        lambda key, index: key * max_length + index, keys, rasp.indices
    ).named("unique_key")
    return sort_by_unique_keys(values, unique_keys)
