"""Programs that read tokens as the digits of numbers.

Tokens are integers from 0. Where a program reads bits, the bit of a token is its remainder
by 2. "Lowest first" says that the digit of least weight stands at the first position.
"""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import EQ, count, earlier, fraction_of_all, shifted, so_far, value_at, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits

KOGGE_STONE = (
    "Peter M. Kogge, Harold S. Stone. A Parallel Algorithm for the Efficient Solution of a "
    "General Class of Recurrence Equations. IEEE Transactions on Computers C-22(8), 1973"
)
LUHN = "Hans P. Luhn. Computer for Verifying Numbers. US Patent 2,950,048, 1960"


def bit() -> rasp.SOp:
    """Return the bit of each token: its remainder by 2."""
    return rasp.Map(lambda token: token % 2, rasp.tokens).named("bit")


def add_interleaved(max_length: int) -> rasp.SOp:
    """Return the sum of two interleaved numbers, lowest bits first, by a parallel prefix.

    A column of two bits kills, passes on or makes a carry. In each round every column is
    combined with the columns right below it, of which there are twice as many each time.
    """
    bits = rasp.numerical(bit())
    other = rasp.numerical(shifted(bits, 1, 0)).named("first_bit")
    total = rasp.SequenceMap(lambda x, y: x + y, bits, other)
    column = rasp.SequenceMap(
        lambda value, index: value if index % 2 else None, total.named("bits_set"), rasp.indices
    ).named("column")
    states = ("kill", "pass", "make")
    carry: rasp.SOp = rasp.Map(lambda value: states[value], column).named("carry_1")
    span = 1
    while span < max_length // 2 - 1:
        below = shifted(carry, 2 * span, "kill").named(f"carry_below_{span}")
        carry = rasp.SequenceMap(lambda own, low: low if own == "pass" else own, carry, below)
        span *= 2
        carry = carry.named(f"carry_{span}")
    carry_in = shifted(carry, 2, "kill").named("carry_in")
    return rasp.SequenceMap(
        lambda value, below: (value + (below == "make")) % 2, column, carry_in
    ).named("add_interleaved")


def resolve_carries() -> rasp.SOp:
    """Return the bits of the number whose binary digits, lowest first, may be 0, 1 or 2.

    The carry into a digit is decided by the last digit before it that is no 1. That digit is
    found by its rank among those.
    """
    digit = rasp.Map(lambda token: token % 3, rasp.tokens).named("digit")
    decides = (digit != 1).named("decides")
    so_many = count(where(decides, True) & so_far()).named("deciding_so_far")
    rank = rasp.SequenceMap(lambda own, n: n if own else None, decides, so_many).named("rank")
    before = rasp.SequenceMap(lambda own, n: n - own, decides, so_many).named("deciding_before")
    decider = rasp.Select(rank, before, EQ).named("decider")
    is_two = (digit == 2).named("is_two")
    carry = rasp.categorical(rasp.Aggregate(decider, is_two, default=False)).named("carry")
    return rasp.SequenceMap(lambda own, one: (own + one) % 2, digit, carry).named("resolve_carries")


def compare_numbers() -> rasp.SOp:
    """Return, at every position, how the numbers in the two halves compare: `<`, `=` or `>`.

    The sign of the first difference decides.
    """
    address = rasp.SequenceMap(_other_half_at, rasp.indices, rasp.length).named("address")
    partner = value_at(rasp.tokens, address, default=0).named("partner")
    sign = rasp.SequenceMap(
        lambda own, other: (own > other) - (own < other), rasp.tokens, partner
    ).named("sign")
    differs = (sign != 0).named("differs")
    decided = rasp.Aggregate(earlier(), rasp.numerical(differs), default=0)
    decided = rasp.numerical(decided).named("share_decided")
    is_first = (differs & (decided == 0)).named("first_difference")
    verdict = rasp.Aggregate(where(is_first, True).named("verdict_place"), sign, default=0)
    return rasp.Map(lambda value: "<=>"[value + 1], verdict.named("verdict")).named(
        "compare_numbers"
    )


def _other_half_at(index: int, length: int) -> int:
    """Return the matching position of the second half, for others their own."""
    return index + length - length // 2 if index < length // 2 else index


def twos_complement() -> rasp.SOp:
    """Return the negative of a number in two's complement, lowest bits first.

    What follows the first 1 is inverted.
    """
    bits = bit()
    share = rasp.Aggregate(earlier(), rasp.numerical(bits), default=0)
    inverts = (rasp.numerical(share).named("share_of_ones") > 0).named("inverts")
    return rasp.SequenceMap(lambda own, flip: own ^ flip, bits, inverts).named("twos_complement")


def binary_window() -> rasp.SOp:
    """Return the value of the last three bits as a binary number, highest first."""
    bits = rasp.numerical(bit())
    fours = rasp.numerical(shifted(bits, 2, 0)).named("fours")
    twos = rasp.numerical(shifted(bits, 1, 0)).named("twos")
    high = rasp.numerical(rasp.LinearSequenceMap(fours, twos, 4, 2)).named("high_bits")
    return rasp.numerical(rasp.LinearSequenceMap(high, bits, 1, 1)).named("binary_window")


def luhn_check() -> rasp.SOp:
    """Return, at every position, whether the digits pass the Luhn check.

    Every second digit from the end is doubled, less 9 if that is above 9; the total must be
    a multiple of 10.
    """
    is_doubled = rasp.SequenceMap(lambda i, n: (n - i) % 2 == 0, rasp.indices, rasp.length)
    weighted = rasp.SequenceMap(_luhn_digit, rasp.tokens, is_doubled.named("is_doubled"))
    mean = fraction_of_all(weighted.named("weighted_digit")).named("mean_digit")
    return rasp.SequenceMap(lambda part, n: round(part * n) % 10 == 0, mean, rasp.length).named(
        "luhn_check"
    )


def _luhn_digit(digit: int, is_doubled: bool) -> int:
    value = 2 * digit if is_doubled else digit
    return value - 9 if is_doubled and value > 9 else value


def bits_of(xs: list[Any]) -> list[int]:
    """Return the bit of each token of a sequence."""
    return [x % 2 for x in xs]


def _add_interleaved(xs: list[Any]) -> list[Value]:
    bits = bits_of(xs)
    weighted = list(zip(bits[::2], bits[1::2], strict=False))
    total = sum((x + y) * 2**place for place, (x, y) in enumerate(weighted))
    return [total >> i // 2 & 1 if i % 2 else None for i in range(len(xs))]


def _resolve_carries(xs: list[Any]) -> list[Value]:
    total = sum(x % 3 * 2**place for place, x in enumerate(xs))
    return [total >> place & 1 for place in range(len(xs))]


def _compare_numbers(xs: list[Any]) -> list[Value]:
    size = len(xs) // 2
    first, second = xs[:size], xs[len(xs) - size :]
    return ["<" if first < second else ">" if first > second else "="] * len(xs)


def _twos_complement(xs: list[Any]) -> list[Value]:
    value = sum(bit * 2**place for place, bit in enumerate(bits_of(xs)))
    return [-value >> place & 1 for place in range(len(xs))]


def _binary_window(xs: list[Any]) -> list[Value]:
    padded = [0, 0, *bits_of(xs)]
    return [4 * x + 2 * y + z for x, y, z in zip(padded, padded[1:], padded[2:], strict=False)]


def _luhn_check(xs: list[Any]) -> list[Value]:
    total = sum(xs[-1::-2])
    total += sum(2 * x if x < 5 else 2 * x - 9 for x in xs[-2::-2])
    return [total % 10 == 0] * len(xs)


ADD_INTERLEAVED = ProgramSpec(
    name="add_interleaved",
    family="arithmetic",
    build=lambda _vocabulary, length: add_interleaved(length),
    vocabulary=digits,
    oracle=_add_interleaved,
    sizes=Sizes((2, 6), (2, 8), (3, 12), (4, 16)),
    least_vocab=2,
    description=(
        "Adds two binary numbers whose bits alternate, lowest first, a token's bit being its "
        "remainder by 2, and gives each bit of the sum at the second bit of its column; the "
        "first bits have no value."
    ),
    why=(
        "Carries travel by a parallel prefix, twice as far in each layer: the long routes "
        "decide only if every column on the way passes a carry on, which random inputs seldom do."
    ),
    citation=KOGGE_STONE,
    tags=("addition", "positions", "rare positives"),
    causal=True,
)

RESOLVE_CARRIES = ProgramSpec(
    name="resolve_carries",
    family="arithmetic",
    build=lambda _vocabulary, _length: resolve_carries(),
    vocabulary=digits,
    oracle=_resolve_carries,
    sizes=Sizes((3, 4), (3, 6), (4, 10), (6, 16)),
    least_vocab=3,
    description=(
        "Reads tokens modulo 3 as binary digits that may be 0, 1 or 2, lowest first, and gives "
        "at each position the proper bit of their value."
    ),
    why=(
        "The last digit that settles the carry is found by content-based rank, not by walking: "
        "one head counts and the next attends over any distance to the number it needs."
    ),
    tags=("addition", "counting", "moving"),
    causal=True,
)

COMPARE_NUMBERS = ProgramSpec(
    name="compare_numbers",
    family="arithmetic",
    build=lambda _vocabulary, _length: compare_numbers(),
    vocabulary=digits,
    oracle=_compare_numbers,
    sizes=Sizes((2, 4), (2, 8), (6, 8), (10, 12)),
    least_vocab=2,
    description=(
        "Says at every position whether the number in the first half is `<`, `=` or `>` the one "
        "in the second, both with the highest digit first; a middle digit is ignored."
    ),
    why=(
        "Four dependent heads, the last of which attends to one place whose position depends on "
        "the data; lower digits reach it computed in full and matter only on a tie above them."
    ),
    tags=("comparison", "positions", "masking", "one answer"),
)

TWOS_COMPLEMENT = ProgramSpec(
    name="twos_complement",
    family="arithmetic",
    build=lambda _vocabulary, _length: twos_complement(),
    vocabulary=digits,
    oracle=_twos_complement,
    sizes=Sizes((2, 6), (2, 9), (4, 12), (8, 16)),
    least_vocab=2,
    description=(
        "Negates a binary number in two's complement, lowest bit first; the bit of a token is "
        "its remainder by 2."
    ),
    why=(
        "A borrow chain replaced by one look back: the bit itself and whether any 1 came before "
        "meet in an exclusive or, and of several ones before each is a backup of the others."
    ),
    tags=("addition", "redundancy"),
    causal=True,
)

BINARY_WINDOW = ProgramSpec(
    name="binary_window",
    family="arithmetic",
    build=lambda _vocabulary, _length: binary_window(),
    vocabulary=digits,
    oracle=_binary_window,
    sizes=Sizes((2, 6), (2, 9), (4, 12), (8, 16)),
    least_vocab=2,
    description=(
        "Gives at each position the number that the remainders by 2 of the last three tokens "
        "form in binary, the latest lowest, with zeros before the sequence."
    ),
    why=(
        "Three contributions of known sizes 4, 2 and 1 meet in one direction by sums alone: a "
        "measure of effect should return their ratio."
    ),
    tags=("numbers", "positions"),
    causal=True,
)

LUHN_CHECK = ProgramSpec(
    name="luhn_check",
    family="arithmetic",
    build=lambda _vocabulary, _length: luhn_check(),
    vocabulary=digits,
    oracle=_luhn_check,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (10, 10)),
    least_vocab=2,
    description=(
        "Says at every position whether the tokens pass the Luhn check: with every second one "
        "from the end doubled, less 9 where that is above 9, they add up to a multiple of 10."
    ),
    why=(
        "The same digit counts differently by its distance from the end, and changing any one "
        "digit of a valid number makes it invalid: the positives are rare and all fragile."
    ),
    citation=LUHN,
    tags=("numbers", "positions", "rare positives", "one answer"),
)
