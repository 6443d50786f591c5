"""Programs that calculate with the values of tokens modulo a number.

Tokens are integers from 0. Where a program reads bits, the bit of a token is its remainder
by 2.
"""

from collections.abc import Callable
from math import prod
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import (
    count,
    count_value,
    first_value,
    fraction_of_all,
    fraction_so_far,
    last_value,
    shifted,
    value_at,
)
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits, signs_and_digits
from .numerals import bit, bits_of

PLUS, MINUS = "+", "-"
SUM_MODULUS, PRODUCT_MODULUS, AFFINE_MODULUS, MATCH_MODULUS = 3, 5, 5, 4
CHIANG_CHOLAK = (
    "David Chiang, Peter Cholak. Overcoming a Theoretical Limitation of Self-Attention. ACL 2022. "
    "arXiv:2202.12172"
)
SANFORD_HSU_TELGARSKY = (
    "Clayton Sanford, Daniel Hsu, Matus Telgarsky. Representational Strengths and Limitations of "
    "Transformers. NeurIPS 2023. arXiv:2306.02896"
)
WOLFRAM = (
    "Stephen Wolfram. Statistical Mechanics of Cellular Automata. Reviews of Modern Physics "
    "55(3), 1983"
)


def parity() -> rasp.SOp:
    """Return, at every position, the parity of the bits.

    The ones are counted, and the position of that number, from 1, is asked for its parity.
    """
    last_one = (count_value(bit(), 1).named("ones") - 1).named("ones_less_one")
    place_parity = rasp.Map(lambda index: (index + 1) % 2, rasp.indices).named("parity_of_place")
    return value_at(place_parity, last_one, default=0).named("parity")


def sum_mod() -> rasp.SOp:
    """Return, at every position, the sum of all tokens modulo 3, from the counts of remainders."""
    remainder = rasp.Map(lambda token: token % SUM_MODULUS, rasp.tokens).named("remainder")
    ones, twos = (rasp.numerical(count_value(remainder, r)).named(f"count_of_{r}") for r in (1, 2))
    weighted = rasp.numerical(rasp.LinearSequenceMap(ones, twos, 1, 2)).named("weighted_count")
    total = rasp.Map(lambda number: round(number) % SUM_MODULUS, weighted)
    return rasp.categorical(total).named("sum_mod")


def product_mod() -> rasp.SOp:
    """Return, at every position, the product of all tokens modulo 5.

    The powers of 2 are 1, 2, 4 and 3 modulo 5, so that a product is a sum of exponents
    modulo 4, unless there is a zero.
    """
    remainder = rasp.Map(lambda token: token % PRODUCT_MODULUS, rasp.tokens).named("remainder")
    exponents: list[rasp.SOp] = []
    for log, value in ((1, 2), (2, 4), (3, 3)):
        part = rasp.Map(_times_mod_4(log), count_value(remainder, value))
        exponents.append(part.named(f"exponent_of_{value}"))
    has_zero = (fraction_of_all((remainder == 0).named("is_zero")) > 0).named("has_zero")
    exponent = exponents[0]
    for other in exponents[1:]:
        exponent = rasp.SequenceMap(lambda x, y: (x + y) % 4, exponent, other).named("exponent")
    return rasp.SequenceMap(
        lambda power, zero: 0 if zero else 2**power % PRODUCT_MODULUS, exponent, has_zero
    ).named("product_mod")


def _times_mod_4(factor: int) -> Callable[[int], int]:
    return lambda n: factor * n % 4


def signed_sum_mod() -> rasp.SOp:
    """Return the sum modulo 3 of the numbers so far, those right after `-` subtracted."""
    is_minus = rasp.numerical((rasp.tokens == MINUS).named("is_minus"))
    after_minus = rasp.numerical(shifted(is_minus, 1, 0)).named("after_minus")

    def term(token: Value, negated: Value) -> int:
        """Return a number that stands for the term modulo 3, from -1 to 1."""
        value = token if isinstance(token, int) else 0
        return ((-value if negated else value) + 1) % SUM_MODULUS - 1

    terms = rasp.SequenceMap(term, rasp.tokens, after_minus).named("term")
    mean = fraction_so_far(terms).named("mean_term")
    return rasp.SequenceMap(
        lambda part, index: round(part * (index + 1)) % SUM_MODULUS, mean, rasp.indices
    ).named("signed_sum_mod")


def affine_mod() -> rasp.SOp:
    """Return the first token times this one plus the last one, modulo 5."""
    product = rasp.SequenceMap(
        lambda x, y: x * y % AFFINE_MODULUS, first_value(rasp.tokens).named("slope"), rasp.tokens
    ).named("product")
    offset = last_value(rasp.tokens).named("offset")
    return rasp.SequenceMap(lambda x, y: (x + y) % AFFINE_MODULUS, product, offset).named(
        "affine_mod"
    )


def rule_90_twice() -> rasp.SOp:
    """Return the bits after two steps of rule 90: each becomes the sum mod 2 of its neighbours."""
    state = bit()
    for step in (1, 2):
        number = rasp.numerical(state)
        left = rasp.numerical(shifted(number, 1, 0)).named(f"left_{step}")
        right = rasp.numerical(shifted(number, -1, 0)).named(f"right_{step}")
        state = rasp.SequenceMap(lambda x, y: (x + y) % 2, left, right).named(f"step_{step}")
    return state.named("rule_90_twice")


def match_two() -> rasp.SOp:
    """Return whether another token and this one add up to a multiple of 4.

    The head counts this token too, where it matches itself; that is taken off afterwards.
    """
    matches = rasp.Select(
        rasp.tokens, rasp.tokens, lambda key, query: (key + query) % MATCH_MODULUS == 0
    )
    number = count(matches.named("adds_up")).named("matches")
    itself = rasp.Map(lambda x: 2 * x % MATCH_MODULUS == 0, rasp.tokens).named("matches_itself")
    return rasp.SequenceMap(lambda n, own: n > own, number, itself).named("match_two")


def _parity(xs: list[Any]) -> list[Value]:
    return [sum(bits_of(xs)) % 2] * len(xs)


def _product_mod(xs: list[Any]) -> list[Value]:
    return [prod(xs) % PRODUCT_MODULUS] * len(xs)


def _signed_sum_mod(xs: list[Any]) -> list[Value]:
    values: list[Value] = []
    total = 0
    for before, x in zip([PLUS, *xs], xs, strict=False):
        if x not in (PLUS, MINUS):
            total += -x if before == MINUS else x
        values.append(total % SUM_MODULUS)
    return values


def _affine_mod(xs: list[Any]) -> list[Value]:
    return [(xs[0] * x + xs[-1]) % AFFINE_MODULUS for x in xs]


def _rule_90_twice(xs: list[Any]) -> list[Value]:
    cells = bits_of(xs)
    for _ in range(2):
        padded = [0, *cells, 0]
        cells = [x ^ y for x, y in zip(padded, padded[2:], strict=False)]
    return list(cells)


def _match_two(xs: list[Any]) -> list[Value]:
    others = [xs[:i] + xs[i + 1 :] for i in range(len(xs))]
    return [
        any((x + y) % MATCH_MODULUS == 0 for y in rest) for x, rest in zip(xs, others, strict=True)
    ]


PARITY = ProgramSpec(
    name="parity",
    family="arithmetic",
    build=lambda _vocabulary, _length: parity(),
    vocabulary=digits,
    oracle=_parity,
    sizes=Sizes((2, 6), (2, 9), (4, 12), (8, 16)),
    least_vocab=2,
    description="Gives at every position 1 if an odd number of tokens is odd, else 0.",
    why=(
        "Every token flips the answer, so that no token has an average effect, and the position "
        "that is looked up says what the count is: a causal path through positions only."
    ),
    citation=CHIANG_CHOLAK,
    tags=("counting", "positions", "parity", "one answer"),
)

SUM_MOD = ProgramSpec(
    name="sum_mod",
    family="arithmetic",
    build=lambda _vocabulary, _length: sum_mod(),
    vocabulary=digits,
    oracle=lambda xs: [sum(xs) % SUM_MODULUS] * len(xs),
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description="Gives at every position the sum of all tokens modulo 3.",
    why=(
        "Two counting heads add in one direction, the second with twice the weight, and the MLP "
        "after them wraps the sum: an effect depends on what all other tokens add up to and is "
        "of no fixed sign."
    ),
    tags=("counting", "numbers", "one answer"),
)

PRODUCT_MOD = ProgramSpec(
    name="product_mod",
    family="arithmetic",
    build=lambda _vocabulary, _length: product_mod(),
    vocabulary=digits,
    oracle=_product_mod,
    sizes=Sizes((3, 4), (5, 4), (6, 8), (10, 16)),
    least_vocab=2,
    description="Gives at every position the product of all tokens modulo 5.",
    why=(
        "Multiplication by discrete logarithms: three counting heads add exponents, and a "
        "fourth overrules them all where there is a zero, which hides them on most inputs."
    ),
    tags=("counting", "numbers", "masking", "one answer"),
)

SIGNED_SUM_MOD = ProgramSpec(
    name="signed_sum_mod",
    family="arithmetic",
    build=lambda _vocabulary, _length: signed_sum_mod(),
    vocabulary=signs_and_digits,
    oracle=_signed_sum_mod,
    sizes=Sizes((4, 4), (5, 5), (6, 8), (8, 12)),
    least_vocab=4,
    description=(
        "Gives at each position the sum modulo 3 of the numbers up to there, each subtracted if "
        "the token right before it is `-`; any other sign counts for nothing."
    ),
    why=(
        "A sign acts only through the token after it, by a previous-token head before the head "
        "that sums; the sum itself exists only as a mean that position turns back."
    ),
    tags=("numbers", "positions", "cancellation"),
    causal=True,
)

AFFINE_MOD = ProgramSpec(
    name="affine_mod",
    family="arithmetic",
    build=lambda _vocabulary, _length: affine_mod(),
    vocabulary=digits,
    oracle=_affine_mod,
    sizes=Sizes((2, 4), (5, 4), (6, 8), (8, 16)),
    least_vocab=2,
    description="Gives at each position the first token times its own plus the last, modulo 5.",
    why=(
        "Two heads fetch the coefficients of a function from the ends of the sequence, one end "
        "known at once and the other by way of the length; a slope of zero hides the token."
    ),
    tags=("moving", "positions", "masking"),
)

RULE_90_TWICE = ProgramSpec(
    name="rule_90_twice",
    family="arithmetic",
    build=lambda _vocabulary, _length: rule_90_twice(),
    vocabulary=digits,
    oracle=_rule_90_twice,
    sizes=Sizes((2, 6), (2, 9), (4, 12), (8, 16)),
    least_vocab=2,
    description=(
        "Runs two steps of the cellular automaton rule 90 on the tokens' remainders by 2, with "
        "zeros beyond both ends."
    ),
    why=(
        "A cell reaches its own place again by way of both neighbours and cancels there, except "
        "at the ends: two active routes whose joint effect on the output is nil."
    ),
    citation=WOLFRAM,
    tags=("positions", "cancellation", "composition"),
)

MATCH_TWO = ProgramSpec(
    name="match_two",
    family="arithmetic",
    build=lambda _vocabulary, _length: match_two(),
    vocabulary=digits,
    oracle=_match_two,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (10, 16)),
    least_vocab=2,
    description=(
        "Says at each position whether its token and the token of another position add up to a "
        "multiple of 4."
    ),
    why=(
        "Attention by an arithmetic relation in place of equality; half of the residues match "
        "themselves, and only an MLP after the head takes the false match off."
    ),
    citation=SANFORD_HSU_TELGARSKY,
    tags=("counting", "conditions"),
)
