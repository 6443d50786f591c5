"""Pairs are what they say: equal where they say so, and different where they say that."""

import pytest

from glassbench.benchmark_programs import get_program
from glassbench.benchmark_programs.pairs import PAIRS
from glassbench.compiler.input_space import InputSpace
from glassbench.ground_truth import EdgeState, load


def answers(name):
    """Return what a program's oracle gives on every input of its small size."""
    spec = get_program(name)
    vocabulary = spec.vocabulary(spec.vocab)
    rows = InputSpace(spec.vocab, spec.length).everything()[:, 1:].tolist()
    inputs = [[vocabulary[i] for i in row if i < spec.vocab] for row in rows]
    return [(xs, spec.oracle(list(xs))) for xs in inputs]


def circuit(name):
    """Return the causal edges of a program's model, as compiled."""
    states = load(name).labels.states
    return {edge for edge, state in states.items() if state is EdgeState.CAUSAL}


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.left}-{pair.right}")
def test_pairs_are_what_they_say(pair):
    left, right = get_program(pair.left), get_program(pair.right)
    assert (left.sizes.small, left.causal) == (right.sizes.small, right.causal)
    same_answers = answers(pair.left) == answers(pair.right)
    same_circuit = circuit(pair.left) == circuit(pair.right)
    assert (same_answers, same_circuit) == (
        pair.same == "behaviour",
        pair.same == "mechanism",
    )


def test_there_are_pairs_of_both_kinds():
    kinds = [pair.same for pair in PAIRS]
    assert min(kinds.count("behaviour"), kinds.count("mechanism")) >= 3
