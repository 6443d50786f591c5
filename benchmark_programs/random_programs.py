"""Random programs: RASP drawn from a grammar of typed pieces.

Every piece is drawn for a number of attention layers ("hops") that its longest way takes,
so that depth is chosen and not met by chance. What is drawn depends on the key of the
draws alone: the vocabulary and the greatest length only fill in tokens and sizes.
"""

import re
from collections.abc import Callable, Sequence

from ..compiler import rasp
from ..compiler import rasp_operations as operations
from ..compiler.values import Value
from . import random_lookups as lookups
from . import random_selectors as selectors
from .random_draws import Draws
from .random_pieces import Choice, Kind, Names, Piece

_REFERENCE = re.compile(r"`(\w+)`")
LEAST_VOCAB = 3
"""Constants are among the first tokens, which every vocabulary has."""

_REUSED = 25
"""In how many of a hundred cases a piece that is there already is used again."""
_CALCULATIONS = (
    (operations.ADD, "sum", "the sum of {} and {}"),
    (operations.SUBTRACT, "difference", "{} less {}"),
    (operations.MINIMUM, "smaller", "the smaller of {} and {}"),
    (operations.MAXIMUM, "larger", "the larger of {} and {}"),
)
_RELATIONS = (
    (operations.LESS, "less", "less than"),
    (operations.EQUAL, "equal", "equal to"),
    (operations.AT_LEAST, "at_least", "at least"),
    (operations.NOT_EQUAL, "differ", "different from"),
)
_CONNECTIVES = (
    (operations.AND, "and", "{} and {}"),
    (operations.OR, "or", "{} or {}"),
    (operations.NOT_EQUAL, "xor", "either {} or {}, not both"),
)


class Grammar:
    """Draws the pieces of one program.

    Args:
        draws: the choices.
        vocabulary: the tokens; numbers are counted with, other tokens are not.
        max_length: the longest sequence.
    """

    def __init__(self, draws: Draws, vocabulary: Sequence[Value], max_length: int) -> None:
        self.draws = draws
        self.names = Names()
        self._vocabulary = vocabulary
        self._max_length = max_length
        self._digits = isinstance(vocabulary[0], int)
        self._made: list[Piece] = []
        self._named: dict[str, Piece] = {}

    def piece(self, kind: Kind, hops: int) -> Piece:
        """Return a piece of a kind that takes a number of attention layers."""
        known = [one for one in self._made if (one.kind, one.hops) == (kind, hops)]
        if hops and known and self.draws.chance(_REUSED):
            return self.draws.among(known)
        makers: Sequence[Callable[[int], Piece]]
        match kind:
            case Kind.TOKEN:
                makers = self._tokens(hops)
            case Kind.FLAG:
                makers = self._flags(hops)
            case Kind.COUNT:
                makers = self._counts(hops)
            case Kind.SHARE:
                makers = (self._share, self._share, self._difference_of_shares)
        made = self.draws.among(makers)(hops)
        self._made.append(made)
        return made

    def certain(self, kind: Kind, hops: int) -> Piece:
        """Return a piece that always has a value."""
        for _ in range(4):
            found = self.piece(kind, hops)
            if not found.optional:
                return found
        if kind is Kind.FLAG:
            return self._above(hops) if hops else self._is_token(0)
        return self._width(hops) if hops else self._index(0)

    def described(self, piece: Piece) -> str:
        """Return a sentence that says what a piece is, and every other piece it speaks of."""
        parts, known = [f"whether {piece.says}" if piece.kind is Kind.FLAG else piece.says], {""}
        for text in parts:
            for name in _REFERENCE.findall(text):
                if name not in known:
                    known.add(name)
                    parts.append(self._named[name].definition)
        sentence = "; ".join(parts)
        return f"{sentence[0].upper()}{sentence[1:]}."

    # -- which pieces there are --------------------------------------------------

    def _tokens(self, hops: int) -> Sequence[Callable[[int], Piece]]:
        if not hops:
            return (self._token,)
        makers = [self._neighbour_token, self._token_at, self._masked]
        makers += [self._sorted] if hops == 2 else []
        makers += [self._first_such] if hops >= 2 else []
        makers += [self._after_last_occurrence, self._masked] if hops >= 3 else []
        return makers

    def _flags(self, hops: int) -> Sequence[Callable[[int], Piece]]:
        if not hops:
            by_number = (self._above_constant, self._is_even) if self._digits else ()
            return (self._is_token, self._is_token, self._is_one_of, self._at_start, *by_number)
        return (
            self._above,
            self._above,
            self._related_counts,
            self._repeated,
            self._connected,
            self._connected,
            self._is_odd,
            self._most,
            self._neighbour_flag,
        )

    def _counts(self, hops: int) -> Sequence[Callable[[int], Piece]]:
        if not hops:
            return (self._index, self._number) if self._digits else (self._index,)
        return (self._width, self._width, self._width, self._calculated, self._neighbour_count)

    def _less(self, hops: int) -> int:
        """Return a number of hops for a part beside another one that takes `hops`."""
        return self.draws.below(hops + 1)

    def _other_than(self, piece: Piece, hops: int) -> Piece:
        """Return another piece of the same kind, which takes no more hops."""
        for _ in range(4):
            found = self.piece(piece.kind, self._less(hops))
            if found is not piece:
                return found
        return self.piece(piece.kind, 0)

    def _constant(self) -> Value:
        return self._vocabulary[self.draws.below(LEAST_VOCAB)]

    def _made_as(
        self,
        sop: rasp.SOp,
        kind: Kind,
        name: str,
        says: str,
        hops: int,
        *parts: Piece,
        optional: bool = False,
    ) -> Piece:
        """Return a piece; it is optional if told so, or if one of its parts is."""
        named = sop.named(self.names.fresh(name, kind.value))
        optional = optional or any(one.optional for one in parts)
        made = Piece(named, kind, says, hops, optional)
        self._named[made.name] = made
        return made

    # -- tokens ------------------------------------------------------------------

    def _token(self, _hops: int) -> Piece:
        return Piece(rasp.tokens, Kind.TOKEN, "the token")

    def _neighbour_token(self, hops: int) -> Piece:
        value = self.piece(Kind.TOKEN, hops - 1)
        at, name = selectors.neighbour(self)
        made = rasp.Aggregate(at.selector, value.sop)
        says = f"{value.noun} of {at.says}"
        return self._made_as(
            made, Kind.TOKEN, f"{name}_{selectors.called(value)}", says, hops, optional=True
        )

    def _token_at(self, hops: int) -> Piece:
        """Look a token up at the index that a count names."""
        index = self.piece(Kind.COUNT, hops - 1) if hops > 1 else self._fixed_index()
        at = selectors.at_index(self, index)
        made = rasp.Aggregate(at.selector, rasp.tokens)
        says = f"the token {at.says}"
        return self._made_as(made, Kind.TOKEN, f"token_{at.name}", says, hops, optional=True)

    def _fixed_index(self) -> Piece:
        """Return where a fixed index is; short sequences do not have it."""
        place = self.draws.below(2)
        name = self.names.fresh(f"index_{place}", "fixed_index")
        return Piece(rasp.Full(place).named(name), Kind.COUNT, str(place))

    def _masked(self, hops: int) -> Piece:
        """Return a token where a flag holds, and another or a sign elsewhere."""
        flag = self.piece(Kind.FLAG, hops)
        if hops > 1 and self.draws.chance(50):
            other = self.piece(Kind.TOKEN, self._less(hops))
            kept = rasp.SequenceMap(operations.WHERE, flag.sop, rasp.tokens)
            kept = kept.named(self.names.fresh(f"tokens_where_{flag.name}", "kept_tokens"))
            made = rasp.SequenceMap(operations.OTHERWISE, kept, other.sop)
            says = f"the token where {flag.clause}, and {other.noun} elsewhere"
            return self._made_as(made, Kind.TOKEN, "chosen_token", says, hops, flag, other)
        sign = self._vocabulary[0] if self._digits else "-"
        made = rasp.SequenceMap(operations.ChoiceWithConstant(sign), flag.sop, rasp.tokens)
        says = f"the token where {flag.clause}, and {sign!r} elsewhere"
        return self._made_as(made, Kind.TOKEN, "masked_token", says, hops, flag)

    def _sorted(self, hops: int) -> Piece:
        """Return the tokens in order; equal ones stay in order of position."""
        made = lookups.in_order(self, self._max_length, numbers=self._digits)
        return self._made_as(made, Kind.TOKEN, "sorted_token", "the token of this rank", hops)

    def _first_such(self, hops: int) -> Piece:
        """Return the token at the first position at which a flag holds."""
        flag = self.certain(Kind.FLAG, hops - 2)
        flag = self._is_token(0) if flag.name.startswith("at_start") else flag
        made = rasp.Aggregate(lookups.at_first(self, flag), rasp.tokens)
        says = f"the token at the first position where {flag.clause}"
        return self._made_as(made, Kind.TOKEN, "token_at_first", says, hops, optional=True)

    def _after_last_occurrence(self, hops: int) -> Piece:
        """Return what stands where this token last occurred."""
        at = lookups.at_last_occurrence(self)
        value = self.piece(Kind.TOKEN, hops - 1)
        made = rasp.Aggregate(at, value.sop)
        says = f"{value.noun} of the position where this token last occurred"
        return self._made_as(made, Kind.TOKEN, "of_last_occurrence", says, hops, optional=True)

    # -- flags -------------------------------------------------------------------

    def _is_token(self, _hops: int) -> Piece:
        token = self._constant()
        says = f"the token is {token!r}"
        return self._made_as(rasp.tokens == token, Kind.FLAG, f"is_{token}", says, 0)

    def _is_one_of(self, _hops: int) -> Piece:
        left_out = self.draws.below(LEAST_VOCAB)
        pair = [self._vocabulary[i] for i in range(LEAST_VOCAB) if i != left_out]
        made = rasp.Map(operations.Membership(tuple(pair)), rasp.tokens)
        says = f"the token is {pair[0]!r} or {pair[1]!r}"
        return self._made_as(made, Kind.FLAG, f"is_{pair[0]}_or_{pair[1]}", says, 0)

    def _above_constant(self, _hops: int) -> Piece:
        bound = self.draws.below(2)
        says = f"the token is above {bound}"
        return self._made_as(rasp.tokens > bound, Kind.FLAG, f"above_{bound}", says, 0)

    def _is_even(self, _hops: int) -> Piece:
        rest = rasp.Map(operations.WithConstant(operations.MODULO, 2), rasp.tokens)
        return self._made_as(rest == 0, Kind.FLAG, "is_even", "the token is even", 0)

    def _at_start(self, _hops: int) -> Piece:
        made = rasp.indices == 0
        return self._made_as(made, Kind.FLAG, "at_start", "this is the first position", 0)

    def _above(self, hops: int) -> Piece:
        count = self.piece(Kind.COUNT, hops)
        bound = self.draws.among((0, 0, 1, 1, 2))
        says = f"{count.noun} is above {bound}"
        name = f"{count.name}_above_{bound}"
        return self._made_as(count.sop > bound, Kind.FLAG, name, says, hops, count)

    def _is_odd(self, hops: int) -> Piece:
        count = self.piece(Kind.COUNT, hops)
        rest = rasp.Map(operations.WithConstant(operations.MODULO, 2), count.sop)
        says = f"{count.noun} is odd"
        return self._made_as(rest == 1, Kind.FLAG, f"odd_{count.name}", says, hops, count)

    def _related_counts(self, hops: int) -> Piece:
        return self._related(self.piece(Kind.COUNT, hops), hops)

    def _repeated(self, hops: int) -> Piece:
        return self._related(self.piece(Kind.TOKEN, hops), hops)

    def _related(self, fst: Piece, hops: int) -> Piece:
        snd = self._other_than(fst, hops)
        known = _RELATIONS if fst.kind is Kind.COUNT else (_RELATIONS[1], _RELATIONS[3])
        relation, word, says = self.draws.among(known)
        made = rasp.SequenceMap(relation, fst.sop, snd.sop)
        said = f"{fst.noun} is {says} {snd.noun}"
        name = f"{fst.name}_{word}_{snd.name}"
        return self._made_as(made, Kind.FLAG, name, said, hops, fst, snd)

    def _connected(self, hops: int) -> Piece:
        fst = self.piece(Kind.FLAG, hops)
        snd = self._other_than(fst, hops)
        connective, word, says = self.draws.among(_CONNECTIVES)
        made = rasp.SequenceMap(connective, fst.sop, snd.sop)
        name = f"{fst.name}_{word}_{snd.name}"
        said = says.format(fst.clause, snd.clause)
        return self._made_as(made, Kind.FLAG, name, said, hops, fst, snd)

    def _most(self, hops: int) -> Piece:
        share = self.piece(Kind.SHARE, hops)
        bound = 0 if share.name.startswith("difference") else self.draws.among((0, 0.5, 0.5))
        says = f"{share.noun} is above {bound}"
        name = f"{share.name}_above_{'half' if bound else '0'}"
        return self._made_as(share.sop > bound, Kind.FLAG, name, says, hops, share)

    def _neighbour_flag(self, hops: int) -> Piece:
        value = self.piece(Kind.FLAG, hops - 1)
        at, name = selectors.neighbour(self)
        made = rasp.Aggregate(at.selector, value.sop, default=False)
        says = f"{value.clause} at {at.says}"
        return self._made_as(
            made, Kind.FLAG, f"{name}_{selectors.called(value)}", says, hops, value
        )

    # -- counts ------------------------------------------------------------------

    def _index(self, _hops: int) -> Piece:
        return Piece(rasp.indices, Kind.COUNT, "the index")

    def _number(self, _hops: int) -> Piece:
        return Piece(rasp.tokens, Kind.COUNT, "the token")

    def _width(self, hops: int) -> Piece:
        chosen = selectors.selector(self, hops - 1)
        says = f"the number of {chosen.noun}"
        made = rasp.SelectorWidth(chosen.selector)
        return self._made_as(made, Kind.COUNT, f"count_{chosen.name}", says, hops)

    def _calculated(self, hops: int) -> Piece:
        fst = self.piece(Kind.COUNT, hops)
        snd = self._other_than(fst, hops)
        calculation, word, says = self.draws.among(_CALCULATIONS)
        made = rasp.SequenceMap(calculation, fst.sop, snd.sop)
        said = says.format(fst.noun, snd.noun)
        name = f"{word}_{fst.name}_{snd.name}"
        return self._made_as(made, Kind.COUNT, name, said, hops, fst, snd)

    def _neighbour_count(self, hops: int) -> Piece:
        value = self.piece(Kind.COUNT, hops - 1)
        at, name = selectors.neighbour(self)
        made = rasp.Aggregate(at.selector, value.sop, default=0)
        says = f"{value.noun} of {at.says}"
        return self._made_as(
            made, Kind.COUNT, f"{name}_{selectors.called(value)}", says, hops, value
        )

    # -- shares ------------------------------------------------------------------

    def _share(self, hops: int) -> Piece:
        """Return the share of the selected positions at which a flag holds."""
        if hops > 1 and self.draws.chance(40):
            chosen, flag = selectors.selector(self, hops - 1), self.certain(Kind.FLAG, 0)
        else:
            chosen, flag = selectors.everywhere(self), self.certain(Kind.FLAG, hops - 1)
        return self._mean(chosen, flag, hops)

    def _mean(self, chosen: Choice, flag: Piece, hops: int) -> Piece:
        made = rasp.Aggregate(chosen.selector, rasp.numerical(flag.sop), default=0)
        says = f"the share of {chosen.noun} at which {flag.clause}"
        name = f"share_{flag.name}_{chosen.name}"
        return self._made_as(rasp.numerical(made), Kind.SHARE, name, says, hops)

    def _difference_of_shares(self, hops: int) -> Piece:
        """Return by how much one flag is more common than another."""
        chosen = selectors.everywhere(self)
        flags = self.certain(Kind.FLAG, hops - 1), self.certain(Kind.FLAG, 0)
        fst, snd = (self._mean(chosen, flag, hops) for flag in flags)
        made = rasp.numerical(fst.sop - snd.sop)
        says = f"`{fst.name}` less `{snd.name}`"
        return self._made_as(made, Kind.SHARE, "difference_of_shares", says, hops)
