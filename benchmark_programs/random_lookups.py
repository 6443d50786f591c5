"""Random lookups: selectors of a single position that take several steps to build."""

from ..compiler import rasp
from . import random_selectors as selectors
from .random_pieces import Piece
from .random_selectors import EQ, LEQ, LT, Source


def in_order(source: Source, max_length: int, *, numbers: bool) -> rasp.SOp:
    """Return the tokens in order; equal ones stay in order of position.

    Args:
        source: gives names, and draws how the order is written.
        max_length: the longest sequence.
        numbers: whether tokens are numbers, which can be made into keys of one order.
    """
    if not numbers or source.draws.chance(60):
        less = rasp.Select(rasp.tokens, rasp.tokens, LT)
        less = less.named(source.names.fresh("less_token", "less_token"))
        earlier = rasp.Select(rasp.indices, rasp.indices, LT)
        earlier = earlier.named(source.names.fresh("earlier", "earlier"))
        same = rasp.Select(rasp.tokens, rasp.tokens, EQ)
        same = same.named(source.names.fresh("same_token", "same_token"))
        tied = (same & earlier).named(source.names.fresh("tied_and_earlier", "tied_and_earlier"))
        lower: rasp.Selector = less | tied
    else:
        key = rasp.tokens * max_length + rasp.indices
        key = key.named(source.names.fresh("unique_key", "unique_key"))
        lower = rasp.Select(key, key, LT)
    lower = lower.named(source.names.fresh("comes_before", "comes_before"))
    rank = rasp.SelectorWidth(lower).named(source.names.fresh("rank", "rank"))
    order = rasp.Select(rank, rasp.indices, EQ)
    return rasp.Aggregate(order.named(source.names.fresh("at_rank", "at_rank")), rasp.tokens)


def at_first(source: Source, flag: Piece) -> rasp.Selector:
    """Return the selector of the first position at which a flag holds."""
    here = selectors.where(source, flag)
    earlier = rasp.Select(rasp.indices, rasp.indices, LT)
    earlier = earlier.named(source.names.fresh("earlier", "earlier"))
    before = rasp.selector_and(here.selector, earlier)
    before = before.named(source.names.fresh(f"{here.name}_before", "such_before"))
    count = rasp.SelectorWidth(before)
    count = count.named(source.names.fresh(f"count_{before.name}", "count_before"))
    none = (count == 0).named(source.names.fresh("none_before", "none_before"))
    first = (none & flag.sop).named(source.names.fresh(f"first_{flag.name}", "first_such"))
    at = rasp.Select(first, rasp.Full(True), EQ)
    return at.named(source.names.fresh(f"at_{first.name}", "at_first"))


def at_last_occurrence(source: Source) -> rasp.Selector:
    """Return the selector of the position before this one that last held the same token."""
    same = rasp.Select(rasp.tokens, rasp.tokens, EQ)
    same = same.named(source.names.fresh("same_token", "same_token"))
    so_far = rasp.Select(rasp.indices, rasp.indices, LEQ)
    so_far = so_far.named(source.names.fresh("so_far", "so_far"))
    both = (same & so_far).named(source.names.fresh("same_token_so_far", "same_so_far"))
    occurrence = rasp.SelectorWidth(both).named(source.names.fresh("occurrence", "occurrence"))
    previous = occurrence - 1
    previous = previous.named(source.names.fresh("previous_occurrence", "occurrence_before"))
    matching = rasp.Select(occurrence, previous, EQ)
    matching = matching.named(source.names.fresh("occurrence_before_this", "occurrence_match"))
    at = same & matching
    return at.named(source.names.fresh("at_last_occurrence", "at_occurrence"))
