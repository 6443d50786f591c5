"""Reasons against compiling: values that disagree, values that never come."""

import pytest

from glassbench.compiler import InputSpace, check, compile_program, rasp, trace
from glassbench.compiler import program as ir
from glassbench.errors import ProgramError

TOKENS, INDICES = rasp.tokens, rasp.indices
EVERY = rasp.Select(TOKENS, TOKENS, rasp.Comparison.TRUE)


def checked(expression, vocabulary="ab", max_length=3, **options):
    return check(trace([expression], vocabulary, max_length).program, **options)


def test_values_that_disagree_are_found_with_an_input():
    found = checked(rasp.Aggregate(EVERY, TOKENS).named("any"))
    assert (found.n_inputs, found.exhaustive) == (14, True)
    (reason,) = found.reasons
    assert str(reason) == (
        "any: a categorical aggregate must select one value, and on input ['a', 'b'] it selects "
        "different values at position 0; select one position, or aggregate numbers that are not "
        "annotated as categorical, whose mean is taken"
    )
    assert reason.place == 2  # after the tokens and the selector


def test_a_value_and_none_disagree():
    some = rasp.Map(lambda x: x if x == "a" else None, TOKENS)
    assert checked(rasp.Aggregate(EVERY, some)).reasons
    none = rasp.Aggregate(rasp.Select(TOKENS, TOKENS, rasp.Comparison.FALSE), TOKENS)
    same = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
    # All that is selected is None, so it agrees; and equal tokens agree with each other.
    assert not checked(rasp.Aggregate(EVERY, none)).reasons
    assert not checked(rasp.Aggregate(same, some)).reasons


def test_disagreement_is_found_where_it_is_rare():
    """On one input in 340 only."""
    rare = rasp.Select(TOKENS, INDICES, lambda key, query: (key in "ab") == (query == 3))
    found = checked(rasp.Aggregate(rare, TOKENS), "abcd", 4)
    assert found.n_inputs == 4 + 16 + 64 + 256
    assert len(found.reasons) == 1


def test_large_domains_are_sampled_and_say_so():
    program = rasp.Aggregate(EVERY, TOKENS)
    found = checked(program, "ab", 8, limit=100)
    assert not found.exhaustive
    assert 0 < found.n_inputs <= 4096
    assert found.reasons
    assert InputSpace(2, 8).size == 510
    assert checked(program, "ab", 8, limit=510).exhaustive


def test_no_inputs_are_needed_where_at_most_one_position_is_selected():
    previous = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)
    found = checked(rasp.Aggregate(previous, TOKENS), "abcdefgh", 60)
    assert (found.reasons, found.n_inputs, found.exhaustive) == ((), 0, True)


@pytest.mark.parametrize(
    ("keys", "predicate"),
    [
        (TOKENS, rasp.Comparison.EQ),  # one key value, but several positions
        (INDICES, rasp.Comparison.LEQ),  # positions, but several for one query
    ],
)
def test_inputs_are_tried_where_more_can_be_selected(keys, predicate):
    queries = keys if keys is TOKENS else INDICES
    found = checked(rasp.Aggregate(rasp.Select(keys, queries, predicate), INDICES))
    assert found.n_inputs > 0
    assert found.reasons


def test_one_query_that_selects_two_positions_is_enough():
    """Though no position is selected by two queries."""
    first_two = rasp.Select(INDICES, INDICES, lambda key, query: query == 2 and key < 2)
    (reason,) = checked(rasp.Aggregate(first_two, TOKENS)).reasons
    assert "on input ['a', 'b', 'a'] it selects different values at position 2" in reason.reason


def test_causal_programs_are_checked_as_causal():
    first = rasp.Select(INDICES, INDICES, rasp.Comparison.GEQ)
    aggregate = rasp.Aggregate(first, INDICES)
    assert check(trace([aggregate], "ab", 3).program).reasons
    # A causal query sees itself alone among the keys from its own position on.
    assert not check(trace([aggregate], "ab", 3, causal=True).program).reasons


def test_disagreeing_numbers_become_a_mean_unless_they_are_annotated():
    anywhere = rasp.Aggregate(EVERY, INDICES, "none").named("anywhere")
    assert checked(anywhere).reasons
    assert compile_program(anywhere, "ab", 3)("aba") == [1, 1, 1]
    with pytest.raises(ProgramError, match="anywhere: a categorical aggregate must select one"):
        compile_program(rasp.categorical(anywhere), "ab", 3)
    strings = rasp.Aggregate(EVERY, TOKENS).named("strings")
    with pytest.raises(ProgramError, match="strings: a categorical aggregate must select one"):
        compile_program(strings, "ab", 3)


def test_an_aggregate_of_a_mean_is_judged_once_that_is_a_mean():
    """Not on the values that the mean would have as a categorical variable."""
    mean = rasp.Aggregate(EVERY, INDICES)
    again = rasp.Aggregate(EVERY, mean)
    compiled = compile_program(again, "ab", 3)
    aggregates = [n for n in compiled.program.nodes if isinstance(n.operation, ir.Aggregate)]
    assert [node.is_numerical for node in aggregates] == [True, False]
    assert compiled("aba") == [1, 1, 1]


def test_numbers_beyond_floating_point_are_refused():
    huge = rasp.numerical(rasp.Map(lambda x: 10**400 if x == "a" else 0, TOKENS))
    with pytest.raises(ProgramError):
        compile_program(huge, "ab", 2)


def test_a_value_that_never_comes_is_refused():
    (reason,) = checked(rasp.Full(None).named("void")).reasons
    assert str(reason) == "void: it is always None; give it a value on at least one input"


def test_all_reasons_are_listed_at_once():
    void = rasp.Map(lambda x: None, TOKENS).named("void")
    other = rasp.Map(lambda x: 2 * x, rasp.Aggregate(EVERY, TOKENS).named("other_token"))
    any_token = rasp.Aggregate(EVERY, TOKENS).named("any_token")
    both = rasp.SequenceMap(lambda x, y: (x, y), other, any_token)
    with pytest.raises(ProgramError) as caught:
        compile_program(both, "ab", 3, beside=[void])
    message = str(caught.value)
    assert message.startswith("The program cannot be compiled exactly:\n")
    assert all(f"  - {name}: " in message for name in ("void", "other_token", "any_token"))
    assert message.count("\n") == 3


def test_what_was_checked_is_kept_with_the_model():
    same = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
    counts = rasp.categorical(rasp.Aggregate(same, rasp.SelectorWidth(same)))
    compiled = compile_program(counts, "ab", 3)
    assert (compiled.checked.n_inputs, compiled.checked.exhaustive) == (14, True)


def test_what_is_checked_on_a_sample_is_said(caplog):
    same = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
    counts = rasp.categorical(rasp.Aggregate(same, rasp.SelectorWidth(same)))
    compiled = compile_program(counts, "ab", 16)
    assert not compiled.checked.exhaustive
    assert "was checked on 4096 inputs, not on all" in caplog.text
    caplog.clear()
    # Longer sequences have more pairs of positions, and fewer of them are tried.
    assert compile_program(counts, "ab", 64).checked.n_inputs == 512
    assert "was checked on 512 inputs, not on all" in caplog.text
    caplog.clear()
    assert compile_program(counts, "ab", 4).checked.exhaustive
    assert not caplog.text
