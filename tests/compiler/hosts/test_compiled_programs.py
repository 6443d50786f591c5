"""Compiled programs on every host: all inputs of small domains."""

import pytest

from glassbench.benchmark_programs import get_program
from glassbench.compiler import InputSpace, compile_program, rasp, scramble


@pytest.mark.parametrize("name", ["histogram", "sort_unique", "frac_prevs", "detect_pattern"])
def test_compiled_programs_on_every_host(name, check_host):
    spec = get_program(name)
    vocabulary = spec.vocabulary(3)
    compiled = compile_program(spec.build(vocabulary, 3), vocabulary, 3, causal=spec.causal)
    tokens = InputSpace(3, 3).everything()
    check_host(compiled.model, tokens)


@pytest.mark.parametrize("name", ["histogram", "sort_unique"])
def test_folded_programs_on_every_host(name, check_host):
    spec = get_program(name)
    vocabulary = spec.vocabulary(3)
    compiled = compile_program(spec.build(vocabulary, 3), vocabulary, 3, level=1)
    check_host(compiled.model, InputSpace(3, 3).everything())


def test_programs_of_several_outputs_on_every_host(check_host):
    outputs = [rasp.length, rasp.tokens, rasp.numerical(rasp.indices)]
    check_host(compile_program(outputs, "abc", 3).model, InputSpace(3, 3).everything())


def test_scrambled_programs_on_every_host(check_host):
    spec = get_program("pair_balance")
    vocabulary = spec.vocabulary(3)
    compiled = scramble(compile_program(spec.build(vocabulary, 3), vocabulary, 3), 0)
    check_host(compiled.model, InputSpace(3, 3).everything())
