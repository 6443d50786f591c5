"""Enumerated expressions: RASP expressions with their values on a batch of inputs, each once.

Two expressions with the same values on every input of the batch are one: observational
equivalence, as in Udupa et al. 2013, "TRANSIT", and Albarghouthi, Gulwani and Kincaid 2013,
"Recursive Program Synthesis". Values of many expressions are computed at once.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from jaxtyping import Bool, Float, Int

from ...compiler import rasp
from ...compiler.model import Codec
from ...compiler.rasp_operations import MODULO, WithConstant
from ...compiler.values import as_argument

NOWHERE = -1
"""What an aggregate of numbers has where nothing is selected."""
ABSENT = "<nothing>"
"""What an aggregate of tokens has there."""
_DIGITS = 9
_ELEMENTS_AT_ONCE = 2**22
_FUNCTIONS: Mapping[rasp.Comparison, Callable[..., np.ndarray]] = {
    rasp.Comparison.EQ: np.equal,
    rasp.Comparison.NEQ: np.not_equal,
    rasp.Comparison.LT: np.less,
    rasp.Comparison.LEQ: np.less_equal,
    rasp.Comparison.GT: np.greater,
    rasp.Comparison.GEQ: np.greater_equal,
}


@dataclass(frozen=True, eq=False)
class Variable:
    """A sequence with its values on a batch.

    Attributes:
        expression: as RASP.
        values: numbers, or the places of tokens in the vocabulary; zero at padding.
        is_token: whether they are tokens, which have no mean.
    """

    expression: rasp.SOp
    values: Float[np.ndarray, "input position"]
    is_token: bool = False


@dataclass(frozen=True, eq=False)
class Selection:
    """A selector with the pairs that it selects on a batch."""

    expression: rasp.Selector
    pairs: Bool[np.ndarray, "input query key"]


class Expressions:
    """Expressions that differ from one another on a batch of inputs.

    Args:
        codec: the vocabulary.
        tokens: ids of the batch.
        causal: whether no key after the query is seen.

    Attributes:
        real: where a token stands.
        tokens: the variable of the tokens.
        indices: the variable of the positions.
        everything: the selector of all that is seen.
    """

    def __init__(
        self, codec: Codec, tokens: Int[np.ndarray, "input position"], *, causal: bool
    ) -> None:
        ids = tokens[:, 1:]
        self._codec = codec
        self.real = np.asarray(ids < codec.bos)
        self._visible = self.real[:, :, None] & self.real[:, None, :]
        if causal:
            self._visible &= np.tri(ids.shape[1], dtype=bool)
        self._known: set[bytes] = set()
        numeric = codec.tokens.is_numeric
        known = codec.tokens.numbers if numeric else np.arange(len(codec.tokens), dtype=float)
        given = np.append(known, [0.0, 0.0])[ids]
        positions = np.broadcast_to(np.arange(ids.shape[1], dtype=float), ids.shape)
        (self.tokens,) = self.variables([(rasp.tokens, given)], is_token=not numeric)
        (self.indices,) = self.variables([(rasp.indices, positions)])
        always = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.TRUE)
        (self.everything,) = self._selections([(lambda: always, self._visible)])

    def variables(
        self, found: Sequence[tuple[rasp.SOp, np.ndarray]], *, is_token: bool = False
    ) -> list[Variable]:
        """Return those variables of which the values were not seen before."""
        new = []
        for expression, values in found:
            own = np.round(np.where(self.real, values, 0.0), _DIGITS) + 0.0
            if self._is_new(bytes([is_token]) + own.tobytes()):
                new.append(Variable(expression, own, is_token))
        return new

    def flags(self) -> list[Variable]:
        """Return what is to be told of a token: which it is; of numbers, also which are less."""
        codec, given = self._codec, self.tokens.values
        values = [as_argument(value) for value in codec.tokens.values]
        numeric = codec.tokens.is_numeric
        known = codec.tokens.numbers.tolist() if numeric else range(len(values))
        pairs = list(zip(values, known, strict=True))
        found = [(rasp.tokens == value, given == number) for value, number in pairs]
        if numeric:
            parity = rasp.Map(WithConstant(MODULO, 2), rasp.tokens)
            found.append((parity, given % 2))
            found += [(rasp.tokens < value, given < number) for value, number in pairs]
        return self.variables(found)

    def zero(self) -> list[Variable]:
        """Return the variable that is zero everywhere."""
        return self.variables([(rasp.Full(0), np.zeros_like(self.tokens.values))])

    def places(self, length: Sequence[Variable]) -> list[Variable]:
        """Return the position before, that of the last token, and those counted from the end.

        Args:
            length: the variable of the length; nothing where it is another.
        """
        found = [(rasp.indices - 1, self.indices.values - 1)]
        for one in length:
            last = one.values - 1
            found.append((one.expression - 1, last))
            found.append((one.expression - 1 - rasp.indices, last - self.indices.values))
        return self.variables(found)

    def _selections(
        self, found: Sequence[tuple[Callable[[], rasp.Selector], np.ndarray]]
    ) -> list[Selection]:
        new = []
        for make, pairs in found:
            own = pairs & self._visible
            if self._is_new(b"selector" + np.packbits(own).tobytes()):
                new.append(Selection(make(), own))
        return new

    def _is_new(self, content: bytes) -> bool:
        before = len(self._known)
        self._known.add(content)
        return len(self._known) > before

    # -- selectors -----------------------------------------------------------------

    def related(
        self,
        keys: Sequence[Variable],
        queries: Sequence[Variable],
        comparisons: Sequence[rasp.Comparison] = tuple(_FUNCTIONS),
    ) -> Iterator[Selection]:
        """Yield the selectors that compare a key with a query."""
        for key in keys:
            for query in queries:
                if key.is_token == query.is_token:
                    sides = key.values[:, None, :], query.values[:, :, None]
                    yield from self._selections(
                        [
                            (
                                partial(rasp.Select, key.expression, query.expression, comparison),
                                _FUNCTIONS[comparison](*sides),
                            )
                            for comparison in comparisons
                        ]
                    )

    def both(self, fst: Sequence[Selection], snd: Sequence[Selection]) -> Iterator[Selection]:
        """Yield the selectors of the pairs that two selectors select."""
        for one in fst:
            yield from self._selections(
                [
                    (
                        partial(rasp.selector_and, one.expression, other.expression),
                        one.pairs & other.pairs,
                    )
                    for other in snd
                ]
            )

    def ordered(self, variables: Sequence[Variable]) -> Iterator[Selection]:
        """Yield the selectors of what comes before in the order of a variable, then of place."""
        place = self.indices
        earlier = place.values[:, None, :] < place.values[:, :, None]
        before = rasp.Select(place.expression, place.expression, rasp.Comparison.LT)
        for one in variables:
            key, query = one.values[:, None, :], one.values[:, :, None]
            same = rasp.Select(one.expression, one.expression, rasp.Comparison.EQ)
            ties = rasp.selector_and(same, before)
            for comparison, strict in (
                (rasp.Comparison.LT, key < query),
                (rasp.Comparison.GT, key > query),
            ):
                first = rasp.Select(one.expression, one.expression, comparison)
                made = rasp.selector_or(first, ties)
                pairs = strict | ((key == query) & earlier)
                yield from self._selections([(partial(_same, made), pairs)])

    # -- variables -----------------------------------------------------------------

    def widths(self, selections: Sequence[Selection]) -> list[Variable]:
        """Return the selector widths."""
        return self.variables(
            [
                (rasp.SelectorWidth(one.expression), one.pairs.sum(axis=-1).astype(float))
                for one in selections
            ]
        )

    def aggregates(
        self, selections: Sequence[Selection], variables: Sequence[Variable]
    ) -> Iterator[Variable]:
        """Yield the means of numbers, and the tokens that are the same wherever selected."""
        step = max(1, _ELEMENTS_AT_ONCE // self._visible.size)
        for start in range(0, len(selections), step):
            some = selections[start : start + step]
            chosen = np.stack([one.pairs for one in some])
            count = chosen.sum(axis=-1)
            empty = ((count == 0) & self.real).any(axis=(1, 2))
            for value in variables:
                given = value.values[None, :, None, :]
                total = (chosen * given).sum(axis=-1)
                means = np.where(count > 0, total / np.maximum(count, 1), NOWHERE)
                allowed = np.ones(len(some), dtype=bool)
                if value.is_token:
                    least = np.where(chosen, given, np.inf).min(axis=-1)
                    most = np.where(chosen, given, -np.inf).max(axis=-1)
                    allowed = ~((most > least) & (count > 0)).any(axis=(1, 2))
                otherwise = ABSENT if value.is_token else NOWHERE
                yield from self.variables(
                    [
                        (
                            rasp.Aggregate(
                                one.expression, value.expression, otherwise if empty[at] else None
                            ),
                            means[at],
                        )
                        for at, one in enumerate(some)
                        if allowed[at]
                    ],
                    is_token=value.is_token,
                )

    def compared(self, fst: Sequence[Variable], snd: Sequence[Variable]) -> Iterator[Variable]:
        """Yield whether one variable equals, or is less than, another, and their differences."""
        for one in fst:
            for other in snd:
                if one.is_token != other.is_token:
                    continue
                a, b = one.expression, other.expression
                found = [(a == b, one.values == other.values)]
                if not one.is_token:
                    found.append((a < b, one.values < other.values))
                    found.append((a - b, one.values - other.values))
                yield from self.variables(found)


def _same(selector: rasp.Selector) -> rasp.Selector:
    return selector
