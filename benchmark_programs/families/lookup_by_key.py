"""Programs that look values up by keys.

In most of them the prompt is a table, written as key, value, key, value: a token at an
even position is a key, and the token after it is the value of this key.
"""

from typing import Any

from ...compiler import rasp
from ...compiler.values import Value
from ..idioms import EQ, count, earlier, kept_where, later, same, shifted, so_far, value_at, where
from ..program_spec import ProgramSpec, Sizes
from ..vocabularies import digits, letters

ZOOLOGY_PAPER = (
    "Simran Arora, Sabri Eyuboglu, Aman Timalsina, Isys Johnson, Michael Poli, James Zou, Atri "
    "Rudra, Christopher Ré. Zoology: Measuring and Improving Recall in Efficient Language "
    "Models. ICLR 2024. arXiv:2312.04927"
)
UNKNOWN = "?"


def keys() -> rasp.SOp:
    """Return the tokens at even positions, and no value at odd ones."""
    is_even = rasp.Map(lambda i: i % 2 == 0, rasp.indices).named("is_even")
    return kept_where(is_even, rasp.tokens).named("key")


def found(names: rasp.SOp, name: rasp.SOp, sop: rasp.SOp, default: Value = None) -> rasp.SOp:
    """Return the value of `sop` at the position whose name in `names` is `name`, else `default`."""
    return rasp.Aggregate(rasp.Select(names, name, EQ).named("by_name"), sop, default=default)


def associative_recall() -> rasp.SOp:
    """Return at each key the value that the same key had the last time.

    A key is told from its other occurrences by their number so far; the head looks for this
    key with a number one less, on both of which the value before it has been told.
    """
    key = keys()
    number = count((same(key) & so_far()).named("same_key_so_far")).named("number")
    same_key = rasp.Select(shifted(key, 1).named("bound_key"), key, EQ)
    last_time = rasp.Select(
        shifted(number, 1).named("bound_number"), number, lambda bound, now: bound == now - 1
    )
    last_binding = (same_key & last_time).named("last_binding")
    return rasp.Aggregate(last_binding, rasp.tokens).named("associative_recall")


def last_write_wins() -> rasp.SOp:
    """Return at each key the value that comes after its last occurrence."""
    key = keys()
    is_last = (count((same(key) & later()).named("same_key_later")) == 0).named("is_last")
    last_key = kept_where(is_last, key).named("last_key")
    bound_key = shifted(last_key, 1).named("bound_key")
    return found(bound_key, key, rasp.tokens).named("last_write_wins")


def two_hop_lookup() -> rasp.SOp:
    """Return the value of the value of each token, both by the first binding of a key."""
    key = keys()
    is_new = (count((same(key) & earlier()).named("same_key_before")) == 0).named("is_new")
    bound_key = shifted(kept_where(is_new, key).named("new_key"), 1).named("bound_key")
    value = found(bound_key, rasp.tokens, rasp.tokens).named("value")
    return found(bound_key, value, rasp.tokens).named("two_hop_lookup")


def reverse_lookup() -> rasp.SOp:
    """Return at each value the key that was the first to be given this value."""
    is_value = rasp.Map(lambda i: i % 2 == 1, rasp.indices).named("is_value")
    value = kept_where(is_value, rasp.tokens).named("value")
    is_new = (count((same(value) & earlier()).named("same_value_before")) == 0).named("is_new")
    new_value = kept_where(is_new, value).named("new_value")
    its_key = shifted(rasp.tokens, 1).named("its_key")
    return found(new_value, value, its_key).named("reverse_lookup")


def group_mean() -> rasp.SOp:
    """Return at each key the mean of all its values, and -1 at odd positions or without any."""
    key = keys()
    same_key = rasp.Select(shifted(key, 1).named("bound_key"), key, EQ).named("of_this_key")
    return rasp.numerical(rasp.Aggregate(same_key, rasp.tokens, default=-1)).named("group_mean")


def select_by_name() -> rasp.SOp:
    """Return the value whose name is the first token, from a list of names and one of values."""
    half = rasp.Map(lambda n: (n - 1) // 2, rasp.length).named("half")
    is_name = rasp.SequenceMap(lambda i, h: 1 <= i <= h, rasp.indices, half).named("is_name")
    first = where(rasp.indices, 0).named("first")
    asked = rasp.Aggregate(first, rasp.tokens, default=UNKNOWN).named("asked")
    matches = ((rasp.tokens == asked).named("equals_asked") & is_name).named("matches")
    share = rasp.numerical(rasp.Aggregate(earlier(), rasp.numerical(matches), default=0))
    is_first = (share.named("share_of_matches") == 0).named("none_before")
    chosen = (matches & is_first).named("chosen")
    paired = value_at(rasp.tokens, (rasp.indices + half).named("partner")).named("paired")
    answer = rasp.Aggregate(where(chosen, True), paired, default=UNKNOWN)
    return answer.named("select_by_name")


def _bindings(xs: list[Any]) -> list[tuple[Any, Any]]:
    """Return the complete pairs of a table."""
    return list(zip(xs[::2], xs[1::2], strict=False))


def _associative_recall(xs: list[Any]) -> list[Value]:
    memory: dict[Any, Any] = {}
    answers: list[Value] = []
    for i, x in enumerate(xs):
        if i % 2 == 0:
            answers.append(memory.get(x))
        else:
            answers.append(None)
            memory[xs[i - 1]] = x
    return answers


def _last_write_wins(xs: list[Any]) -> list[Value]:
    table: dict[Any, Any] = dict(_bindings(xs))
    if len(xs) % 2:
        table[xs[-1]] = None
    return [None if i % 2 else table[x] for i, x in enumerate(xs)]


def _two_hop_lookup(xs: list[Any]) -> list[Value]:
    table: dict[Any, Any] = dict(reversed(_bindings(xs)))
    return [table.get(table.get(x)) for x in xs]


def _reverse_lookup(xs: list[Any]) -> list[Value]:
    owners: dict[Any, Any] = {}
    for key, value in _bindings(xs):
        owners.setdefault(value, key)
    return [owners[x] if i % 2 else None for i, x in enumerate(xs)]


def _group_mean(xs: list[Any]) -> list[Value]:
    means: list[Value] = []
    for i, x in enumerate(xs):
        values = [value for key, value in _bindings(xs) if key == x and i % 2 == 0]
        means.append(sum(values) / len(values) if values else -1)
    return means


def _select_by_name(xs: list[Any]) -> list[Value]:
    half = (len(xs) - 1) // 2
    names, values = xs[1 : 1 + half], xs[1 + half : 1 + 2 * half]
    answer = values[names.index(xs[0])] if xs[0] in names else UNKNOWN
    return [answer] * len(xs)


ASSOCIATIVE_RECALL = ProgramSpec(
    name="associative_recall",
    family="retrieval",
    build=lambda _vocabulary, _length: associative_recall(),
    vocabulary=letters,
    oracle=_associative_recall,
    sizes=Sizes((2, 4), (3, 6), (6, 8), (8, 16)),
    description=(
        "In a table of keys at even positions and values after them, gives at each key the value "
        "that its occurrence before had; no value at new keys and at odd positions."
    ),
    why=(
        "Three layers of heads make one retrieval: occurrences are numbered, key and number are "
        "told to the value after them, and a head compares both at once, so neither half of its "
        "key explains its pattern alone."
    ),
    citation=ZOOLOGY_PAPER,
    tags=("lookup", "in-context learning"),
    causal=True,
)

LAST_WRITE_WINS = ProgramSpec(
    name="last_write_wins",
    family="retrieval",
    build=lambda _vocabulary, _length: last_write_wins(),
    vocabulary=letters,
    oracle=_last_write_wins,
    sizes=Sizes((2, 4), (3, 6), (6, 8), (8, 16)),
    description=(
        "In a table of keys at even positions and values after them, gives at each key the value "
        "after its last occurrence; no value if the sequence ends there, and at odd positions."
    ),
    why=(
        "All writes but one per key are dead, which is decided at the key and acts on the position "
        "after it: values that match the query are read in vain, as a patch of them shows."
    ),
    tags=("lookup", "state"),
)

TWO_HOP_LOOKUP = ProgramSpec(
    name="two_hop_lookup",
    family="retrieval",
    build=lambda _vocabulary, _length: two_hop_lookup(),
    vocabulary=letters,
    oracle=_two_hop_lookup,
    sizes=Sizes((2, 4), (3, 6), (6, 8), (8, 12)),
    description=(
        "In a table of keys at even positions and values after them, gives for each token the "
        "value of its value, each by the first occurrence of the key; no value where either fails."
    ),
    why=(
        "Two heads with the same keys and values, of which the second asks for what the first has "
        "found: heads that are alike in weights stand at different steps of the reasoning."
    ),
    tags=("lookup", "composition"),
)

REVERSE_LOOKUP = ProgramSpec(
    name="reverse_lookup",
    family="retrieval",
    build=lambda _vocabulary, _length: reverse_lookup(),
    vocabulary=letters,
    oracle=_reverse_lookup,
    sizes=Sizes((2, 4), (3, 6), (6, 8), (8, 16)),
    description=(
        "In a table of keys at even positions and values after them, gives at each value the first "
        "key that had this value; no value at even positions."
    ),
    why=(
        "The retrieving head finds a value by content and moves what an earlier head has put "
        "there from one position before: attention points at one token, and the answer is its "
        "neighbour."
    ),
    tags=("lookup", "composition"),
    causal=True,
)

GROUP_MEAN = ProgramSpec(
    name="group_mean",
    family="retrieval",
    build=lambda _vocabulary, _length: group_mean(),
    vocabulary=digits,
    oracle=_group_mean,
    sizes=Sizes((2, 4), (4, 5), (6, 8), (8, 12)),
    least_vocab=2,
    description=(
        "In a table of keys at even positions and numbers after them, gives at each key the mean "
        "of all its numbers; -1 where it has none and at odd positions."
    ),
    why=(
        "The head retrieves every match at once and mixes them in one direction, so each value "
        "has an effect that shrinks with the number of its rivals."
    ),
    tags=("lookup", "statistics"),
)

SELECT_BY_NAME = ProgramSpec(
    name="select_by_name",
    family="retrieval",
    build=lambda _vocabulary, _length: select_by_name(),
    vocabulary=letters,
    oracle=_select_by_name,
    sizes=Sizes((2, 5), (4, 5), (6, 9), (8, 15)),
    least_vocab=2,
    description=(
        "Reads the first token as a question, the rest as a list of names and an equally long list "
        "of values, and gives everywhere the value of the first name that equals the question, or "
        "`?` if none does; a token left over at the end is ignored."
    ),
    why=(
        "Content finds the name, position finds the value: what a match is comes from tokens, "
        "and where its value stands from the length alone."
    ),
    tags=("lookup", "positions", "one answer"),
)
