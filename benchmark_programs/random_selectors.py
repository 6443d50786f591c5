"""Random selectors: which positions attend to which, drawn by kind."""

from collections.abc import Callable
from typing import Protocol

from ..compiler import rasp
from .random_draws import Draws
from .random_pieces import Choice, Kind, Names, Piece

EQ, LT, GT = rasp.Comparison.EQ, rasp.Comparison.LT, rasp.Comparison.GT
LEQ, GEQ, NEQ = rasp.Comparison.LEQ, rasp.Comparison.GEQ, rasp.Comparison.NEQ

_PLACES = (
    (LT, "earlier", "before this one"),
    (LEQ, "so_far", "up to this one"),
    (GT, "later", "after this one"),
    (NEQ, "elsewhere", "other than this one"),
    (GEQ, "from_here", "from this one on"),
)
_COMPARISONS = ((LT, "less", "less"), (GT, "greater", "greater"), (LEQ, "at_most", "at most"))


class Source(Protocol):
    """What selectors are drawn from."""

    draws: Draws
    names: Names

    def piece(self, kind: Kind, hops: int) -> Piece:
        """Return a piece of a kind that takes a number of attention layers."""
        ...


def selector(source: Source, hops: int) -> Choice:
    """Return a selector that may select several positions.

    Args:
        source: where keys and queries come from.
        hops: how many attention layers these take.
    """
    made: Callable[[Source, int], Choice] = source.draws.among(
        (_same, _same, _compared, _where, _where, _matching)
    )
    found = made(source, hops)
    if source.draws.chance(45):
        other = place(source) if source.draws.chance(70) else _where(source, 0)
        found = _combined(source, found, other, both=source.draws.chance(75))
    return _negated(source, found) if source.draws.chance(15) else found


def place(source: Source) -> Choice:
    """Return a selector of positions by where they are."""
    comparison, name, says = source.draws.among(_PLACES)
    return _select(source, rasp.indices, rasp.indices, comparison, (name, "place"), says)


def everywhere(source: Source) -> Choice:
    """Return the selector of all positions, or of those so far."""
    if source.draws.chance(50):
        return _select(
            source, rasp.indices, rasp.indices, LEQ, ("so_far", "place"), "up to this one"
        )
    true = rasp.Comparison.TRUE
    return _select(source, rasp.indices, rasp.indices, true, ("everywhere", "place"), "")


def neighbour(source: Source) -> tuple[Choice, str]:
    """Return the selector of the position some steps before or after, and what is there."""
    steps = source.draws.among((1, 1, 1, -1, -1, 2))
    shifted = rasp.indices - steps if steps > 0 else rasp.indices + -steps
    side = "previous" if steps > 0 else "next"
    name = side if abs(steps) == 1 else f"{side}_{abs(steps)}"
    queries = shifted.named(source.names.fresh(f"{name}_index", "neighbour_index"))
    says = f"the {side} position" if abs(steps) == 1 else f"the position {abs(steps)} before"
    at = _select(source, rasp.indices, queries, EQ, (f"at_{name}", "at_neighbour"), says)
    return Choice(at.selector, says, 0, single=True), name


def at_index(source: Source, index: Piece) -> Choice:
    """Return the selector of the position that a count names."""
    name = (f"at_{index.name}", "at_index")
    says = f"at the index {index.noun}"
    made = _select(source, rasp.indices, index.sop, EQ, name, says, index.hops)
    return Choice(made.selector, says, index.hops, single=True)


def having(source: Source, key: Piece, query: Piece) -> Choice:
    """Return the selector of the positions whose `key` is the `query` of this one."""
    says = f"whose {_of(key)} is {_of(query)} of this one"
    name = (f"{key.name}_is_{query.name}", "matching")
    return _select(source, key.sop, query.sop, EQ, name, says, max(key.hops, query.hops))


def both(source: Source, fst: Choice, snd: Choice) -> Choice:
    """Return the selector of what two selectors select."""
    return _combined(source, fst, snd, both=True)


def where(source: Source, flag: Piece) -> Choice:
    """Return the selector of the positions at which a flag holds."""
    says = f"where {flag.clause}"
    name = (f"where_{flag.name}", "where_flag")
    return _select(source, flag.sop, rasp.Full(True), EQ, name, says, flag.hops)


def called(piece: Piece) -> str:
    """Return what a piece is called in the name of what is made of it."""
    return {"tokens": "token", "indices": "index"}.get(piece.name, piece.name)


# -- kinds of selectors ----------------------------------------------------------


def _where(source: Source, hops: int) -> Choice:
    return where(source, source.piece(Kind.FLAG, hops))


def _same(source: Source, hops: int) -> Choice:
    """Select the positions with the same value as this one."""
    kinds = (Kind.TOKEN, Kind.COUNT) if hops else (Kind.TOKEN,)
    piece = source.piece(source.draws.among((*kinds, Kind.FLAG) if hops else kinds), hops)
    name = (f"same_{called(piece)}", f"same_{piece.kind.value}")
    says = f"with the same {_of(piece)} as this one"
    return _select(source, piece.sop, piece.sop, EQ, name, says, piece.hops)


def _compared(source: Source, hops: int) -> Choice:
    """Select the positions with a smaller or larger value than this one."""
    piece = source.piece(Kind.COUNT if hops else Kind.TOKEN, hops)
    comparison, word, says = source.draws.among(_COMPARISONS)
    name = (f"{word}_{called(piece)}", f"{word}_{piece.kind.value}")
    says = f"whose {_of(piece)} is {says} {'' if word == 'at_most' else 'than '}that of this one"
    return _select(source, piece.sop, piece.sop, comparison, name, says, piece.hops)


def _matching(source: Source, hops: int) -> Choice:
    """Select the positions whose token, or count, is another one of this position."""
    if not hops:
        return _same(source, hops)
    kind = source.draws.among((Kind.TOKEN, Kind.TOKEN, Kind.COUNT))
    own, other = source.piece(kind, 0), source.piece(kind, hops)
    pair = (own, other) if source.draws.chance(50) else (other, own)
    return having(source, *pair)


def _negated(source: Source, inner: Choice) -> Choice:
    name = source.names.fresh(f"not_{inner.name}", "not_selected")
    says = f"other than those {inner.says}"
    return Choice(rasp.selector_not(inner.selector).named(name), says, inner.hops)


def _combined(source: Source, fst: Choice, snd: Choice, *, both: bool) -> Choice:
    word = "and" if both else "or"
    combine = rasp.selector_and if both else rasp.selector_or
    name = source.names.fresh(f"{fst.name}_{word}_{snd.name}", f"selected_{word}")
    made = combine(fst.selector, snd.selector).named(name)
    single = both and (fst.single or snd.single)
    return Choice(made, f"{fst.says} {word} {snd.says}", max(fst.hops, snd.hops), single)


def _select(
    source: Source,
    keys: rasp.SOp,
    queries: rasp.SOp,
    comparison: rasp.Comparison,
    name: tuple[str, str],
    says: str,
    hops: int = 0,
) -> Choice:
    made = rasp.Select(keys, queries, comparison).named(source.names.fresh(*name))
    return Choice(made, says, hops)


def _of(piece: Piece) -> str:
    """Return what a piece is called after "the same" or "whose"."""
    return piece.noun.removeprefix("the ")
