"""Programs that read tokens as a text of characters.

Every sequence is a text here, also one that nobody would write: each program says what
it makes of it.
"""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import EQ, all_of, count, kept_where, later, so_far, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import characters, digits

GREATER_THAN_PAPER = (
    "Michael Hanna, Ollie Liu, Alexandre Variengien. How does GPT-2 compute greater-than?: "
    "Interpreting mathematical abilities in a pre-trained language model. NeurIPS 2023. "
    "arXiv:2305.00586"
)
SPACE, STOP, COMMA, QUOTE, BLANK = " ", ".", ",", '"', "_"


def number_so_far(condition: rasp.SOp, name: str) -> rasp.SOp:
    """Return at how many positions up to here `condition` holds."""
    return count((where(condition, True) & so_far()).named(f"{name}_so_far")).named(name)


def neighbour(offset: int, default: Value) -> rasp.SOp:
    """Return the token `offset` positions before, `default` where there is none.

    A negative offset looks ahead.
    """
    beside = rasp.Select(rasp.indices, rasp.indices, lambda key, query: query - key == offset)
    token = rasp.Aggregate(beside.named("beside"), rasp.tokens, default=default)
    return token.named("next_token" if offset < 0 else f"token_back_{offset}")


def acronym() -> rasp.SOp:
    """Return the first letters of the words, from the first position on."""
    before = neighbour(1, SPACE)
    is_initial = rasp.SequenceMap(lambda x, y: x != SPACE and y == SPACE, rasp.tokens, before)
    is_initial = is_initial.named("is_initial")
    word = number_so_far(is_initial, "words")
    place = kept_where(is_initial, (word - 1).named("last_word")).named("place")
    claims = rasp.Select(place, rasp.indices, EQ).named("claims")
    return rasp.Aggregate(claims, rasp.tokens).named("acronym")


def inside_quotes() -> rasp.SOp:
    """Return whether this token stands between an opening quote and one that closes it."""
    is_quote = (rasp.tokens == QUOTE).named("is_quote")
    is_open = rasp.Map(lambda n: n % 2 == 1, number_so_far(is_quote, "quotes")).named("is_open")
    share = rasp.Aggregate(later(), rasp.numerical(is_quote), default=0)
    closes = (rasp.numerical(share.named("share_of_quotes_later")) > 0).named("is_closed_later")
    return all_of([is_open, closes, ~is_quote]).named("inside_quotes")


def capitals() -> rasp.SOp:
    """Return whether this is a letter and the last token before it, spaces aside, a full stop.

    Tokens other than spaces are numbered, and a letter asks for the number before its own.
    """
    is_solid = (rasp.tokens != SPACE).named("is_solid")
    number = number_so_far(is_solid, "solid")
    is_letter = rasp.Map(lambda x: x not in (SPACE, STOP), rasp.tokens).named("is_letter")
    wanted = kept_where(is_letter, (number - 1).named("number_before")).named("wanted")
    last = rasp.Select(kept_where(is_solid, number).named("solid_number"), wanted, EQ)
    before = rasp.Aggregate(last.named("last_solid"), rasp.tokens, default=STOP)
    after_stop = (before.named("last_solid_token") == STOP).named("after_stop")
    return (is_letter & after_stop).named("capitals")


def later_year() -> rasp.SOp:
    """Return at the second digit of each year whether it is later than the first year."""
    first, second = where(rasp.indices, 0).named("first"), where(rasp.indices, 1).named("second")
    first_tens = rasp.Aggregate(first, rasp.tokens, default=0).named("first_tens")
    first_ones = rasp.Aggregate(second, rasp.tokens, default=0).named("first_ones")
    tens = neighbour(1, 0).named("tens")
    is_more = (tens > first_tens).named("tens_are_more")
    is_equal = (tens == first_tens).named("tens_are_equal")
    ones_are_more = (rasp.tokens > first_ones).named("ones_are_more")
    decided = (is_more | (is_equal & ones_are_more).named("tie_broken")).named("is_later")
    ends_year = rasp.Map(lambda i: i % 2 == 1, rasp.indices).named("ends_year")
    return kept_where(ends_year, decided).named("later_year")


def _acronym(xs: list[Any]) -> list[Value]:
    initials = [word[0] for word in "".join(xs).split(SPACE) if word]
    return [*initials, *[None] * (len(xs) - len(initials))]


def _inside_quotes(xs: list[Any]) -> list[Value]:
    inside: list[Value] = [False] * len(xs)
    quotes = [i for i, x in enumerate(xs) if x == QUOTE]
    for opening, closing in zip(quotes[::2], quotes[1::2], strict=False):
        inside[opening + 1 : closing] = [True] * (closing - opening - 1)
    return inside


def _capitals(xs: list[Any]) -> list[Value]:
    starts: list[Value] = []
    is_start = True
    for x in xs:
        starts.append(is_start and x not in (SPACE, STOP))
        is_start = x == STOP or (is_start and x == SPACE)
    return starts


def _later_year(xs: list[Any]) -> list[Value]:
    years = [xs[i - 1] * 100 + xs[i] if i % 2 else None for i in range(len(xs))]
    return [None if year is None else year > years[1] for year in years]


ACRONYM = ProgramSpec(
    name="acronym",
    family="text",
    build=lambda _vocabulary, _length: acronym(),
    vocabulary=characters(SPACE),
    oracle=_acronym,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Gives at the i-th position the first letter of the i-th word; no value beyond the last "
        "word. Words are parted by one or more spaces."
    ),
    why=(
        "Three heads in a row find, number and collect the initials: where an answer stands has "
        "nothing to do with where it was read, so nothing is found by position."
    ),
    tags=("characters", "moving", "words"),
)

INSIDE_QUOTES = ProgramSpec(
    name="inside_quotes",
    family="text",
    build=lambda _vocabulary, _length: inside_quotes(),
    vocabulary=characters(QUOTE),
    oracle=_inside_quotes,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Says at each position whether a token other than a quote stands there, after an opening "
        "quote that is closed later; quotes open and close in turn."
    ),
    why=(
        "A parity must be right to the last quote while the other head only asks for one more: "
        "single quotes flip the first at every later position and seldom change the second."
    ),
    tags=("characters", "parity"),
)

CAPITALS = ProgramSpec(
    name="capitals",
    family="text",
    build=lambda _vocabulary, _length: capitals(),
    vocabulary=characters(STOP, SPACE),
    oracle=_capitals,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=3,
    description=(
        "Says at each position whether a letter stands there that must be a capital: the first "
        "one of the text or after a full stop, with nothing but spaces between."
    ),
    why=(
        "The token before, with spaces left out: a count makes the address, so that the second "
        "head looks back over any number of spaces, and at the start of a text, where it finds "
        "nothing, its default gives the answer."
    ),
    tags=("characters", "rare positives", "grammar"),
    causal=True,
)

LATER_YEAR = ProgramSpec(
    name="later_year",
    family="text",
    build=lambda _vocabulary, _length: later_year(),
    vocabulary=digits,
    oracle=_later_year,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (10, 12)),
    least_vocab=2,
    description=(
        "Reads the numbers in pairs, each a year of two digits, and says at every second digit "
        "whether its year is later than the first one; no value at first digits."
    ),
    why=(
        "The second digits matter only where the first ones tie, so what carries them is silent "
        "on most pairs of years, and the answer at the first year is always the same."
    ),
    citation=GREATER_THAN_PAPER,
    tags=("numbers", "comparison"),
)
