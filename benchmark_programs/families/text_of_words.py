"""Programs that read tokens as a text of words.

Every sequence is a text here, also one that nobody would write: each program says what
it makes of it.
"""

from collections.abc import Callable
from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..citations import IOI_PAPER
from ..idioms import EQ, all_of, count, count_equal, earlier, kept_where, so_far, where
from ..program_spec import ProgramSpec, Sizes
from .text_of_characters import BLANK, COMMA, STOP, neighbour, number_so_far

AGREEMENT_PAPER = (
    "Tal Linzen, Emmanuel Dupoux, Yoav Goldberg. Assessing the Ability of LSTMs to Learn "
    "Syntax-Sensitive Dependencies. TACL 2016. arXiv:1611.01368"
)
NOUNS = {"cat": "singular", "cats": "plural"}
VERBS = {"sleeps": "singular", "sleep": "plural"}
POLARITY = {"good": 1, "bad": -1, "great": 1, "dull": -1}
PRONOUNS = {"Anna": "she", "Tom": "he", "Mary": "she", "John": "he"}


def words(*known: str) -> Callable[[int], tuple[str, ...]]:
    """Return the vocabulary of `known` words and then words that mean nothing."""
    return lambda size: (*known, *(f"word{i}" for i in range(size)))[:size]


def _pronoun(names: int, is_she: bool) -> str | None:
    """Return the pronoun for so many names, one of which is a woman's or none."""
    if names == 0:
        return None
    return "they" if names > 1 else "she" if is_she else "he"


def subject_verb_agreement() -> rasp.SOp:
    """Return at each verb whether it has the number of the latest noun not right after `near`."""
    after_near = (neighbour(1, STOP) == "near").named("after_preposition")
    is_subject = rasp.SequenceMap(lambda x, p: x in NOUNS and not p, rasp.tokens, after_near)
    is_subject = is_subject.named("is_subject")
    subjects = number_so_far(is_subject, "subjects")
    place = kept_where(is_subject, subjects).named("subject_number")
    latest = rasp.Select(place, subjects, EQ).named("latest_subject")
    number = rasp.Map(NOUNS.get, rasp.tokens).named("number")
    required = rasp.Aggregate(latest, number).named("number_of_subject")
    form = rasp.Map(VERBS.get, rasp.tokens).named("number_of_verb")
    return (form == required).named("subject_verb_agreement")


def indirect_object() -> rasp.SOp:
    """Return at each `to` the first name that occurs only once."""
    is_to = (rasp.tokens == "to").named("is_to")
    occurrences = count_equal(rasp.tokens)
    single = rasp.SequenceMap(lambda to, n: not to and n == 1, is_to, occurrences)
    single = single.named("is_single_name")
    share = rasp.numerical(rasp.Aggregate(earlier(), rasp.numerical(single), default=0))
    is_first = (share.named("share_of_singles") == 0).named("none_before")
    mover = rasp.Select(
        (single & is_first).named("chosen"), is_to, lambda key, query: key and query
    )
    return rasp.Aggregate(mover.named("name_mover"), rasp.tokens).named("indirect_object")


def comma_splice() -> rasp.SOp:
    """Return whether this comma joins two clauses with a verb, with no `and` after it."""
    is_comma = (rasp.tokens == COMMA).named("is_comma")
    clause = number_so_far(is_comma, "clause")
    is_verb = rasp.numerical(rasp.Map(lambda x: x.endswith("s"), rasp.tokens)).named("is_verb")
    clause_after = rasp.Select(clause, clause, EQ).named("clause_after")
    clause_before = rasp.Select(clause, clause, lambda key, query: key == query - 1)
    verb_after, verb_before = (
        (rasp.numerical(rasp.Aggregate(there, is_verb, default=0)) > 0).named(f"verb_{name}")
        for there, name in (
            (clause_after, "after"),
            (clause_before.named("clause_before"), "before"),
        )
    )
    no_and = (neighbour(-1, STOP) != "and").named("no_and")
    return all_of([is_comma, verb_before, verb_after, no_and]).named("comma_splice")


def pronoun_choice() -> rasp.SOp:
    """Return at each blank the pronoun for the names before it in its sentence."""
    sentence = number_so_far((rasp.tokens == STOP).named("is_stop"), "sentence")
    is_name = rasp.Map(lambda x: x in PRONOUNS, rasp.tokens).named("is_name")
    name_of = kept_where(is_name, sentence).named("name_of_sentence")
    is_she = rasp.Map(lambda x: int(PRONOUNS.get(x) == "she"), rasp.tokens)
    here = (rasp.Select(name_of, sentence, EQ) & so_far()).named("names_here")
    names = count(here).named("names")
    gender = rasp.numerical(rasp.Aggregate(here, rasp.numerical(is_she).named("is_she"), default=0))
    alone = (gender.named("gender") > 0).named("is_she_so_far")
    chosen = rasp.SequenceMap(_pronoun, names, alone).named("pronoun")
    return kept_where((rasp.tokens == BLANK).named("is_blank"), chosen).named("pronoun_choice")


def negation_scope() -> rasp.SOp:
    """Return the mean polarity of all adjectives, each turned round by every `not` before it.

    A `not` reaches to the next comma.
    """
    clause = number_so_far((rasp.tokens == COMMA).named("is_comma"), "clause")
    not_of = kept_where((rasp.tokens == "not").named("is_not"), clause).named("not_of_clause")
    nots = count((rasp.Select(not_of, clause, EQ) & so_far()).named("nots_here")).named("nots")
    polarity = rasp.Map(lambda x: POLARITY.get(x, 0), rasp.tokens).named("polarity")
    turned = rasp.SequenceMap(lambda p, n: -p if n % 2 else p, polarity, nots).named("turned")
    is_adjective = rasp.Map(lambda x: x in POLARITY, rasp.tokens).named("is_adjective")
    adjectives = where(is_adjective, True).named("adjectives")
    return rasp.numerical(rasp.Aggregate(adjectives, turned, default=0)).named("negation_scope")


def _subject_verb_agreement(xs: list[Any]) -> list[Value]:
    answers: list[Value] = []
    subject = None
    for before, x in zip(["", *xs], xs, strict=False):
        if x in ("cat", "cats") and before != "near":
            subject = x
        is_verb = x in ("sleep", "sleeps") and subject is not None
        answers.append((subject == "cat") == (x == "sleeps") if is_verb else None)
    return answers


def _indirect_object(xs: list[Any]) -> list[Value]:
    name = next((x for x in xs if x != "to" and xs.count(x) == 1), None)
    return [name if x == "to" else None for x in xs]


def _comma_splice(xs: list[Any]) -> list[Value]:
    splices: list[Value] = [False] * len(xs)
    commas = [i for i, x in enumerate(xs) if x == COMMA]
    for start, comma, end in zip([-1, *commas], commas, [*commas[1:], len(xs)], strict=False):
        both = all(
            any(x.endswith("s") for x in xs[a + 1 : b]) for a, b in ((start, comma), (comma, end))
        )
        splices[comma] = both and xs[comma + 1] != "and"
    return splices


def _pronoun_choice(xs: list[Any]) -> list[Value]:
    answers: list[Value] = []
    names: list[str] = []
    for x in xs:
        if x == STOP:
            names = []
        elif x in PRONOUNS:
            names.append(x)
        alone = PRONOUNS[names[0]] if len(names) == 1 else "they" if names else None
        answers.append(alone if x == BLANK else None)
    return answers


def _negation_scope(xs: list[Any]) -> list[Value]:
    sign, values = 1, []
    for x in xs:
        if x == COMMA:
            sign = 1
        elif x == "not":
            sign = -sign
        elif x in POLARITY:
            values.append(sign * POLARITY[x])
    return [sum(values) / len(values) if values else 0] * len(xs)


SUBJECT_VERB_AGREEMENT = ProgramSpec(
    name="subject_verb_agreement",
    family="text",
    build=lambda _vocabulary, _length: subject_verb_agreement(),
    vocabulary=words("cat", "cats", "near", "sleeps", "sleep"),
    oracle=_subject_verb_agreement,
    sizes=Sizes((4, 4), (5, 5), (6, 8), (8, 16)),
    least_vocab=4,
    description=(
        "Says at each verb, `sleeps` or `sleep`, whether it agrees in number with its subject, the "
        "latest `cat` or `cats` before it that does not stand right after `near`; no value "
        "without a subject, and at other words."
    ),
    why=(
        "The noun nearest to the verb is often not its subject: such attractors are read as keys "
        "and made silent by what stands before them, two layers of attention earlier."
    ),
    citation=AGREEMENT_PAPER,
    tags=("words", "grammar", "masking"),
    causal=True,
)

INDIRECT_OBJECT = ProgramSpec(
    name="indirect_object",
    family="text",
    build=lambda _vocabulary, _length: indirect_object(),
    vocabulary=words("to", "Mary", "John", "Anna"),
    oracle=_indirect_object,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 12)),
    least_vocab=3,
    description=(
        "Gives at each `to` the first name that occurs only once in the sequence; no value "
        "elsewhere, and if there is no such name. All words but `to` are names."
    ),
    why=(
        "Duplicates are found and struck out before a head moves the name that is left, the "
        "division of labour known from GPT-2, here with attention both ways and nothing spare."
    ),
    citation=IOI_PAPER,
    tags=("words", "masking", "grammar"),
)

COMMA_SPLICE = ProgramSpec(
    name="comma_splice",
    family="text",
    build=lambda _vocabulary, _length: comma_splice(),
    vocabulary=words(",", "and", "rains", "it"),
    oracle=_comma_splice,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=3,
    description=(
        "Says at each position whether a comma stands there that has a verb between it and the "
        "comma before or the start, one between it and the comma after or the end, and no `and` "
        "right after it. Words that end in s are verbs."
    ),
    why=(
        "Four conditions at once make positives rare, and two of them are found by heads with "
        "the same keys and values that differ by one in their queries."
    ),
    tags=("words", "rare positives", "grammar"),
)

PRONOUN_CHOICE = ProgramSpec(
    name="pronoun_choice",
    family="text",
    build=lambda _vocabulary, _length: pronoun_choice(),
    vocabulary=words("Anna", "Tom", BLANK, STOP, "Mary", "John"),
    oracle=_pronoun_choice,
    sizes=Sizes((4, 4), (4, 5), (6, 8), (8, 16)),
    least_vocab=4,
    description=(
        "Gives at each `_` the pronoun for the names before it in its sentence: `they` for "
        "several, also for one name twice, `she` or `he` for one; no value without any, and "
        "elsewhere. `.` ends a sentence."
    ),
    why=(
        "One pattern serves two heads, of which one counts names and one averages their gender: "
        "the gender is computed always and heard only where the count is one."
    ),
    tags=("words", "grammar"),
    causal=True,
)

NEGATION_SCOPE = ProgramSpec(
    name="negation_scope",
    family="text",
    build=lambda _vocabulary, _length: negation_scope(),
    vocabulary=words("not", COMMA, "good", "bad", "great", "dull"),
    oracle=_negation_scope,
    sizes=Sizes((3, 4), (4, 5), (6, 8), (8, 12)),
    least_vocab=3,
    description=(
        "Gives at every position the mean of 1 for each `good` or `great` and -1 for each `bad` or "
        "`dull`, turned round by each `not` between it and the comma before it or the start; 0 "
        "without any."
    ),
    why=(
        "A sentiment in one direction, whose parts are turned round before they are added: the "
        "same word pushes both ways, and opposite words cancel to the answer of no words at all."
    ),
    tags=("words", "cancellation", "grammar", "one answer"),
)
