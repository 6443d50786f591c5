"""Programs that combine truth values.

Facts about the sequence (a token occurs, the ends agree) are found by heads; MLPs combine
them.
"""

from itertools import pairwise
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import IOI_PAPER
from ..idioms import first_value, fraction_so_far, is_token, last_value, later, shifted, somewhere
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import letters

NOTHING = "-"


def has(token: Value) -> rasp.SOp:
    """Return, at every position, whether `token` occurs in the sequence."""
    return somewhere(is_token(token)).named(f"has_{token}")


def looked_back(offset: int, default: Value) -> rasp.SOp:
    """Return the token `offset` positions before, and `default` where there is none."""
    return shifted(rasp.tokens, offset, default).named(f"back_{offset}")


def a_and_no_b_so_far() -> rasp.SOp:
    """Return whether `a` has occurred up to here, and `b` has not."""
    seen_a = (fraction_so_far(is_token("a")) > 0).named("seen_a")
    seen_b = (fraction_so_far(is_token("b")) > 0).named("seen_b")
    allowed = rasp.SequenceMap(lambda a, b: a and not b, seen_a, seen_b)
    return allowed.named("a_and_no_b_so_far")


def majority_of_facts() -> rasp.SOp:
    """Return whether two of three facts hold: an `a`, equal ends, a token twice in a row."""
    ends = (first_value(rasp.tokens) == last_value(rasp.tokens)).named("ends_agree")
    doubled = (looked_back(1, NOTHING) == rasp.tokens).named("doubled")
    has_a, has_double = has("a"), somewhere(doubled).named("has_double")
    both = (has_a & ends).named("both")
    either = (has_a | ends).named("either")
    tie_broken = (either & has_double).named("tie_broken")
    return (both | tie_broken).named("majority_of_facts")


def xor_of_facts() -> rasp.SOp:
    """Return whether one and only one holds: the first token is `a`, some token is `b`."""
    starts_with_a = (first_value(rasp.tokens) == "a").named("starts_with_a")
    return (starts_with_a != has("b")).named("xor_of_facts")


def every_a_answered() -> rasp.SOp:
    """Return, at every position, whether each `a` of the sequence has some `b` after it."""
    b_later = rasp.Aggregate(later(), rasp.numerical(is_token("b")), default=0)
    answered = (rasp.numerical(b_later.named("share_of_b_later")) > 0).named("b_later")
    open_a = rasp.SequenceMap(lambda a, b: a and not b, is_token("a"), answered).named("open_a")
    return (~somewhere(open_a)).named("every_a_answered")


def exactly_one_present() -> rasp.SOp:
    """Return, at every position, whether one and only one of `a`, `b` and `c` occurs."""
    a, b, c = (rasp.numerical(has(token)) for token in "abc")
    two = rasp.numerical(rasp.LinearSequenceMap(a, b, 1, 1)).named("a_plus_b")
    kinds = rasp.numerical(rasp.LinearSequenceMap(two, c, 1, 1)).named("kinds")
    return (kinds == 1).named("exactly_one_present")


def backup_detector() -> rasp.SOp:
    """Return whether `a` occurs, as found by a head for all positions or one for the first."""
    backup = (first_value(rasp.tokens) == "a").named("starts_with_a")
    return (has("a") | backup).named("backup_detector")


def _a_and_no_b_so_far(xs: list[Any]) -> list[Value]:
    return ["a" in xs[: i + 1] and "b" not in xs[: i + 1] for i in range(len(xs))]


def _majority_of_facts(xs: list[Any]) -> list[Value]:
    doubled = any(x == y for x, y in pairwise(xs))
    facts = ["a" in xs, xs[0] == xs[-1], doubled]
    return [sum(facts) >= 2] * len(xs)


def _xor_of_facts(xs: list[Any]) -> list[Value]:
    return [(xs[0] == "a") != ("b" in xs)] * len(xs)


def _every_a_answered(xs: list[Any]) -> list[Value]:
    waiting = False
    for x in xs:
        waiting = x == "a" or (waiting and x != "b")
    return [not waiting] * len(xs)


def _exactly_one_present(xs: list[Any]) -> list[Value]:
    return [len(set(xs) & set("abc")) == 1] * len(xs)


def _backup_detector(xs: list[Any]) -> list[Value]:
    return ["a" in xs] * len(xs)


A_AND_NO_B_SO_FAR = ProgramSpec(
    name="a_and_no_b_so_far",
    family="logic",
    build=lambda _vocabulary, _length: a_and_no_b_so_far(),
    vocabulary=letters,
    oracle=_a_and_no_b_so_far,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description="Says at each position whether an `a` and no `b` has occurred up to there.",
    why=(
        "A head that excites and one that inhibits: the second can only take an answer away, so "
        "it has no effect wherever no `a` has been seen, and a method that looks for what raises "
        "the answer passes it over."
    ),
    tags=("conditions", "masking"),
    causal=True,
)

MAJORITY_OF_FACTS = ProgramSpec(
    name="majority_of_facts",
    family="logic",
    build=lambda _vocabulary, _length: majority_of_facts(),
    vocabulary=letters,
    oracle=_majority_of_facts,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    description=(
        "Says at every position whether at least two of three facts hold: some token is `a`, the "
        "first token equals the last, two neighbours are equal."
    ),
    why=(
        "None of three sub-circuits is necessary and none is sufficient, and they differ in "
        "depth: wherever all facts agree, taking any one of them out changes nothing."
    ),
    tags=("conditions", "redundancy", "one answer"),
)

XOR_OF_FACTS = ProgramSpec(
    name="xor_of_facts",
    family="logic",
    build=lambda _vocabulary, _length: xor_of_facts(),
    vocabulary=letters,
    oracle=_xor_of_facts,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description=(
        "Says at every position whether one and only one of two facts holds: the first token is "
        "`a`, some token is `b`."
    ),
    why=(
        "Each fact turns the answer on or off, depending on the other: effects cancel where they "
        "are averaged over inputs with their sign, while every single one is as large as can be."
    ),
    tags=("conditions", "cancellation", "one answer"),
)

EVERY_A_ANSWERED = ProgramSpec(
    name="every_a_answered",
    family="logic",
    build=lambda _vocabulary, _length: every_a_answered(),
    vocabulary=letters,
    oracle=_every_a_answered,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description="Says at every position whether each `a` has some `b` later in the sequence.",
    why=(
        "A quantifier inside another: a head looks for an answer after each `a`, a second head "
        "looks for an `a` without one; sequences without `a` are true for no reason at all."
    ),
    tags=("conditions", "one answer"),
)

EXACTLY_ONE_PRESENT = ProgramSpec(
    name="exactly_one_present",
    family="logic",
    build=lambda _vocabulary, _length: exactly_one_present(),
    vocabulary=letters,
    oracle=_exactly_one_present,
    sizes=Sizes((3, 3), (4, 5), (6, 8), (8, 16)),
    least_vocab=3,
    description="Says at every position whether one and only one of `a`, `b` and `c` occurs.",
    why=(
        "Three heads add to one number of which a band in the middle is true: more of the same "
        "first makes and then breaks the answer, so no direction of it is good or bad."
    ),
    tags=("conditions", "cancellation", "one answer"),
)

BACKUP_DETECTOR = ProgramSpec(
    name="backup_detector",
    family="logic",
    build=lambda _vocabulary, _length: backup_detector(),
    vocabulary=letters,
    oracle=_backup_detector,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=2,
    description="Says at every position whether some token is `a`.",
    why=(
        "The second head sees an `a` only where the first has seen it too: it is never needed, "
        "yet it can raise the answer when patched in, and on inputs that begin with `a` it hides "
        "that the first was taken out."
    ),
    citation=IOI_PAPER,
    tags=("conditions", "redundancy", "membership", "one answer"),
)
