"""What selectors are sure to do, and that nothing is said to be sure that is not."""

from pathlib import Path

import pytest

from glassbench.compiler import check, compile_program, rasp, read_rasp, trace
from glassbench.errors import ProgramError

TOKENS, INDICES = rasp.tokens, rasp.indices
LT, LEQ, EQ = rasp.Comparison.LT, rasp.Comparison.LEQ, rasp.Comparison.EQ
UNIQUE = rasp.SequenceMap(lambda token, index: (token, index), TOKENS, INDICES)
EARLIER = rasp.Select(INDICES, INDICES, LT)


def by_rank(before):
    """Return the tokens in the order of a selector that says which come before."""
    there = rasp.Select(rasp.SelectorWidth(before), INDICES, EQ)
    return rasp.categorical(rasp.Aggregate(there, TOKENS))


def n_tried(expression, **options):
    """Return on how many inputs it had to be run to be sure, or raise if it has no meaning."""
    found = check(trace([expression], [2, 0, 1], 4, **options).program)
    assert not found.reasons
    return found.n_inputs


@pytest.mark.parametrize(
    "before",
    [
        rasp.Select(UNIQUE, UNIQUE, LT),
        rasp.Select(UNIQUE, UNIQUE, LEQ),
        rasp.Select(UNIQUE, UNIQUE, rasp.Comparison.GT),
        rasp.Select(TOKENS, TOKENS, LT) | (rasp.Select(TOKENS, TOKENS, EQ) & EARLIER),
        EARLIER,
    ],
)
def test_ranks_differ_from_position_to_position(before):
    # LEQ counts the position itself, so nobody has rank 0, and position 0 gets nothing.
    assert n_tried(by_rank(before)) == 0


@pytest.mark.parametrize("name", ["sort", "most_freq"])
def test_the_example_programs_that_sort_need_no_trial(name):
    text = (Path(__file__).parents[2] / "examples" / f"{name}.rasp").read_text()
    (output,) = read_rasp(text).outputs
    assert check(trace([output], "abcdefgh", 30).program).n_inputs == 0


def refused(expression, **options):
    """Return whether it is refused since two different values are selected."""
    try:
        compile_program(expression, [2, 0, 1], 4, **options)
    except ProgramError as error:
        return "selects different values" in str(error)
    return False


@pytest.mark.parametrize(
    "before",
    [
        rasp.Select(TOKENS, TOKENS, LT),  # equal tokens have equal ranks: but equal values too
        rasp.Select(UNIQUE, UNIQUE, lambda key, query: key < query and key[0] == query[0]),
        rasp.Select(UNIQUE, UNIQUE, lambda key, query: (key[1] - query[1]) % 3 == 1),
        rasp.Select(UNIQUE, UNIQUE, lambda key, query: key < query or key == query == (0, 0)),
    ],
)
def test_what_is_no_order_is_tried(before):
    found = check(trace([by_rank(before)], [2, 0, 1], 4).program)
    assert found.n_inputs == 3 + 9 + 27 + 81


def test_a_rank_among_earlier_positions_only_is_no_rank():
    """In a causal model two positions may both see nobody who comes before them."""
    rank = rasp.SelectorWidth(rasp.Select(UNIQUE, UNIQUE, LT))
    lower_half = rasp.Select(rank, INDICES, lambda key, query: key == query // 2)
    middle = rasp.categorical(rasp.Aggregate(lower_half, TOKENS))
    assert n_tried(middle) == 0
    assert refused(middle, causal=True)


def test_a_key_that_may_be_none_has_no_rank():
    some = rasp.SequenceMap(
        lambda token, index: None if token == 0 else (token, index), TOKENS, INDICES
    )
    assert refused(by_rank(rasp.Select(some, some, LT)))


def test_keys_that_follow_from_positions_may_still_repeat():
    halves = rasp.Map(lambda index: index // 2, INDICES)
    assert refused(rasp.categorical(rasp.Aggregate(rasp.Select(halves, halves, EQ), TOKENS)))
    mirrored = rasp.Map(lambda index: 10 - index, INDICES)
    assert n_tried(rasp.Aggregate(rasp.Select(mirrored, mirrored, EQ), TOKENS)) == 0
    clash = rasp.SequenceMap(lambda token, index: token + index, TOKENS, INDICES)
    assert refused(rasp.categorical(rasp.Aggregate(rasp.Select(clash, clash, EQ), TOKENS)))
    either_way = rasp.SequenceMap(lambda index, token: 3 * index + token, INDICES, TOKENS)
    assert n_tried(rasp.Aggregate(rasp.Select(either_way, either_way, EQ), TOKENS)) == 0


def test_values_that_follow_from_the_key_agree():
    same = rasp.Select(TOKENS, TOKENS, EQ)
    assert n_tried(rasp.Aggregate(same, TOKENS)) == 0
    odd = rasp.Map(lambda token: token % 2, TOKENS)
    assert n_tried(rasp.Aggregate(same, odd)) == 0
    parity = rasp.Select(TOKENS, TOKENS, lambda key, query: key % 2 == query % 2)
    assert n_tried(rasp.Aggregate(parity, odd)) == 0
    assert refused(rasp.categorical(rasp.Aggregate(parity, TOKENS)))


def test_none_among_values_that_follow_from_the_key_does_not_agree():
    some = rasp.Map(lambda token: None if token == 0 else 1, TOKENS)
    even = rasp.Select(TOKENS, TOKENS, lambda key, query: key in (0, 2))
    assert refused(rasp.categorical(rasp.Aggregate(even, some)))
    never = rasp.Select(TOKENS, TOKENS, lambda key, query: key == 0)
    assert n_tried(rasp.Aggregate(never, some)) == 0
