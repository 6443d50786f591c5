"""Edges found, missed and invented: an answer read at the size of the true circuit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import AnswerError
from glassbench.evaluators.edge_outcomes import edge_outcomes
from glassbench.ground_truth import EdgeState

CAUSAL, INERT, POSITIONAL = EdgeState.CAUSAL, EdgeState.INERT, EdgeState.POSITIONAL
STATES = {"a": CAUSAL, "b": INERT, "c": CAUSAL, "d": POSITIONAL, "e": EdgeState.UNWIRED}


@pytest.mark.parametrize(
    ("scores", "found", "missed", "invented"),
    [
        ({"a": 3, "b": 1, "c": -2, "d": 9, "e": 0}, "ac", "", ""),
        ({"a": 3, "b": 2, "c": 1, "d": 9, "e": 0}, "a", "c", "b"),
        ({"a": 0, "b": 2, "c": 0, "d": 0, "e": 3}, "", "ac", "be"),
        ({"a": 1, "b": 1, "c": 1, "d": 1, "e": 1}, "", "ac", ""),
        ({"a": 2, "b": 1, "c": 1, "d": 0, "e": 0}, "a", "c", ""),
        ({"a": 0, "b": 0, "c": 0, "d": 0, "e": 0}, "", "ac", ""),
    ],
)
def test_as_many_edges_are_taken_as_are_causal_and_ties_together_or_not(
    scores, found, missed, invented
):
    outcomes = edge_outcomes(scores, STATES)
    assert outcomes.found == tuple(found)
    assert outcomes.missed == tuple(missed)
    assert outcomes.invented == tuple(invented)


@given(
    st.lists(st.tuples(st.sampled_from([*EdgeState]), st.integers(-3, 3)), min_size=1, max_size=12)
)
def test_never_more_are_taken_than_are_causal_and_every_causal_edge_is_told_of(edges):
    states = {str(place): state for place, (state, _) in enumerate(edges)}
    scores = {str(place): float(score) for place, (_, score) in enumerate(edges)}
    outcomes = edge_outcomes(scores, states)
    causal = {edge for edge, state in states.items() if state is CAUSAL}
    assert {*outcomes.found, *outcomes.missed} == causal
    assert not {*outcomes.found} & {*outcomes.missed}
    assert len(outcomes.found) + len(outcomes.invented) <= len(causal)
    assert all(states[edge] in (INERT, EdgeState.UNWIRED) for edge in outcomes.invented)


def test_an_answer_that_leaves_edges_out_is_refused():
    with pytest.raises(AnswerError, match="a number for every edge") as raised:
        edge_outcomes({"a": 1.0}, STATES)
    assert all(f"- {edge}" in str(raised.value) for edge in "bce")
