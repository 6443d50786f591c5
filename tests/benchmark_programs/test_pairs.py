"""Pairs are what they say: equal where they say so, and different where they say that."""

import pytest

from glassbench.benchmark_programs import get_program
from glassbench.benchmark_programs.pairs import PAIRS
from glassbench.compiler import program as ir
from glassbench.compiler import trace
from glassbench.compiler.input_space import InputSpace
from glassbench.ground_truth import load


def answers(name):
    """Return what a program's oracle gives on every input of its small size."""
    spec = get_program(name)
    vocabulary = spec.vocabulary(spec.vocab)
    rows = InputSpace(spec.vocab, spec.length).everything()[:, 1:].tolist()
    inputs = [[vocabulary[i] for i in row if i < spec.vocab] for row in rows]
    return [(xs, spec.oracle(list(xs))) for xs in inputs]


def shape(name):
    """Return the operations of a program and how they are wired, without what they compute."""
    spec = get_program(name)
    vocabulary = spec.vocabulary(spec.vocab)
    program = trace(
        [spec.build(vocabulary, spec.length)], vocabulary, spec.length, causal=spec.causal
    ).program
    shapes = []
    for node in program.nodes:
        operands = sorted(shapes[place] for place in ir.operands(node.operation))
        shapes.append(f"{type(node.operation).__name__}({', '.join(operands)})")
    return [shapes[place] for place in program.outputs]


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: f"{pair.left}-{pair.right}")
def test_pairs_are_what_they_say(pair):
    left, right = get_program(pair.left), get_program(pair.right)
    assert (left.sizes.small, left.causal) == (right.sizes.small, right.causal)
    same_answers = answers(pair.left) == answers(pair.right)
    same_shape = shape(pair.left) == shape(pair.right)
    same_states = load(pair.left).labels.states == load(pair.right).labels.states
    assert (same_answers, same_shape, same_states) == (
        pair.same == "behaviour",
        pair.same == "mechanism",
        pair.same == "mechanism",
    )


def test_there_are_pairs_of_both_kinds():
    kinds = [pair.same for pair in PAIRS]
    assert min(kinds.count("behaviour"), kinds.count("mechanism")) >= 3
