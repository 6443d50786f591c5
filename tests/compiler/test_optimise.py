"""Level 1 merges what is equal, drops what is not needed, and changes no output."""

from dataclasses import replace

import pytest

from glassbench.compiler import compile_program, optimise, rasp, trace
from glassbench.compiler.optimise import merged, without_dead_code

TOKENS, INDICES = rasp.tokens, rasp.indices


def previous(sop):
    before = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)
    return rasp.Aggregate(before, sop)


def names(program):
    return [node.name for node in program.nodes]


def test_level_0_keeps_the_program():
    program = trace([previous(TOKENS)], "ab", 3).program
    assert optimise(program, 0) is program


def test_equal_expressions_are_merged():
    twice = rasp.SequenceMap(lambda x, y: (x, y), previous(TOKENS).named("p"), previous(TOKENS))
    program = trace([twice], "ab", 3).program
    assert len(program.nodes) == 7
    once = optimise(program, 1)
    assert len(once.nodes) == 5
    assert ("p" in names(once)) != ("aggregate" in names(once))
    assert len(program.nodes) == 7


@pytest.mark.parametrize(
    "build",
    [
        lambda fst, snd: rasp.SequenceMap(lambda x, y: (x, y), fst, snd),
        lambda fst, snd: rasp.SequenceMap(lambda x, y: x == y, snd, fst),
        lambda fst, snd: rasp.SelectorWidth(rasp.Select(fst, snd, rasp.Comparison.EQ)),
        lambda fst, snd: rasp.Aggregate(rasp.Select(fst, snd, rasp.Comparison.EQ), fst, "z"),
    ],
)
def test_operands_that_become_one_are_read_as_two(build, differential):
    expression = build(previous(TOKENS).named("fst"), previous(TOKENS).named("snd"))
    for level in (0, 1):
        compiled = compile_program(expression, "ab", 4, level=level)
        differential.check_exact(compiled, expression, differential.all_sequences("ab", 4))
    assert len(compiled.program.nodes) < len(trace([expression], "ab", 4).program.nodes)


def test_numerical_operands_that_become_one(differential):
    def value():
        return rasp.numerical(rasp.Map(lambda x: 3 if x == "a" else -1, TOKENS))

    expression = rasp.numerical(rasp.LinearSequenceMap(value(), value(), 2, -0.5))
    program = trace([expression], "ab", 3).program
    assert len(program.nodes) == 4
    assert len(without_dead_code(merged(program)).nodes) == 3
    compiled = compile_program(expression, "ab", 3, level=1)
    assert names(compiled.program) == ["tokens", "linear_sequence_map"]
    (term,) = compiled.program.nodes[1].operation.terms
    assert term.weights.tolist() == [1.5 * 3, 1.5 * -1]
    differential.check_exact(compiled, expression, differential.all_sequences("ab", 3))


@pytest.mark.parametrize(
    ("fst", "snd"),
    [
        (rasp.Map(lambda x: x == "a", TOKENS), rasp.Map(lambda x: x == "b", TOKENS)),
        (previous(TOKENS), previous(INDICES)),
        (
            rasp.numerical(rasp.Map(lambda x: x == "a", TOKENS)),
            rasp.Map(lambda x: x == "a", TOKENS),
        ),
        (rasp.Map(lambda x: 0, TOKENS), rasp.Map(lambda x: 1, TOKENS)),
        (
            rasp.LinearSequenceMap(INDICES, rasp.length, 1, 2),
            rasp.LinearSequenceMap(INDICES, rasp.length, 2, 1),
        ),
        (
            rasp.Aggregate(rasp.Select(TOKENS, INDICES, rasp.Comparison.FALSE), TOKENS, "x"),
            rasp.Aggregate(rasp.Select(TOKENS, INDICES, rasp.Comparison.FALSE), TOKENS, "y"),
        ),
    ],
)
def test_what_differs_is_kept_apart(fst, snd, differential):
    for one, other in ((fst, snd), (snd, fst)):
        both = rasp.SequenceMap(lambda x, y: (x, y), one, other)
        compiled = compile_program(both, "ab", 3, level=1)
        differential.check_exact(compiled, both, differential.all_sequences("ab", 3))


def test_what_nothing_needs_is_dropped():
    kept = rasp.Map(lambda x: x, TOKENS).named("kept")
    program = trace([kept, previous(TOKENS)], "ab", 3).program
    alone = replace(program, outputs=program.outputs[:1])
    assert names(optimise(alone, 1)) == ["tokens", "kept"]
    assert len(optimise(program, 1).nodes) == len(program.nodes)


def test_outputs_beside_the_first_are_kept():
    target = rasp.Map(lambda x: x == "a", TOKENS)
    equal = rasp.Map(lambda x: x == "a", TOKENS)
    program = optimise(trace([target, previous(TOKENS), equal], "ab", 3).program, 1)
    assert program.outputs[0] == program.outputs[2] != program.outputs[1]
    assert len(program.outputs) == 3


def test_what_is_computed_beside_the_outputs_is_kept():
    target = rasp.Map(lambda x: x == "a", TOKENS).named("target")
    beside = [previous(TOKENS).named("before"), rasp.Map(lambda x: x == "a", TOKENS)]
    program = optimise(trace([target], "ab", 3, beside=beside).program, 1)
    assert program.beside == (names(program).index("before"), *program.outputs)
    assert program.roots == (*program.outputs, *program.beside)
