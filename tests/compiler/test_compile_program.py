"""The whole pipeline: the same bytes in every process, in every order."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest

from glassbench.benchmark_programs import get_program, programs
from glassbench.compiler import compile_program, rasp, read_rasp, scramble, trace
from glassbench.errors import ProgramError
from glassbench.ground_truth.digest import weights_digest

TOKENS, INDICES = rasp.tokens, rasp.indices

DIGESTS = """
import json, sys
from glassbench.benchmark_programs import programs
from glassbench.compiler import compile_program, rasp, scramble
from glassbench.ground_truth import build_model
from glassbench.ground_truth.digest import weights_digest

names = list(programs())
digests = {}
for name in reversed(names) if "backwards" in sys.argv else names:
    spec = programs()[name]
    vocabulary = spec.vocabulary(4)
    compiled = compile_program(spec.build(vocabulary, 3), vocabulary, 3, causal=spec.causal)
    digests[name] = weights_digest(compiled.model.weights)
    digests[name + " scrambled"] = weights_digest(scramble(compiled, 1).model.weights)
crowded = build_model("sort[vocab=3,length=3]/crowded[distractors=4,seed=1]/scrambled")
digests["crowded"] = weights_digest(crowded.model.weights)
mixed = rasp.Aggregate(rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ), rasp.tokens)
tokens = ["b", 2, "a", 1, ("x", 1), True and 0.5, "c"]
digests["mixed"] = weights_digest(compile_program(mixed, tokens, 2).model.weights)
print(json.dumps(digests, sort_keys=True))
"""


def digests_of_a_process(hash_seed, *arguments):
    environment = {**os.environ, "PYTHONHASHSEED": str(hash_seed)}
    done = subprocess.run(
        [sys.executable, "-c", DIGESTS, *arguments],
        capture_output=True,
        check=True,
        env=environment,
        text=True,
    )
    return json.loads(done.stdout)


def test_the_same_bytes_in_every_process_and_in_any_order():
    first = digests_of_a_process(0)
    assert digests_of_a_process(1, "backwards") == first
    assert len(set(first.values())) == len(first) == 2 * len(programs()) + 2
    # And in this process, after all that the tests have compiled before.
    for name, spec in programs().items():
        vocabulary = spec.vocabulary(4)
        compiled = compile_program(spec.build(vocabulary, 3), vocabulary, 3, causal=spec.causal)
        assert weights_digest(compiled.model.weights) == first[name]


def test_the_order_of_the_vocabulary_does_not_matter():
    spec = get_program("histogram")
    digests = {
        weights_digest(compile_program(spec.build("abc", 3), vocabulary, 3).model.weights)
        for vocabulary in ("abc", "cba", ["b", "a", "c"])
    }
    assert len(digests) == 1


def test_a_traced_program_compiles_to_the_same_bytes():
    spec = get_program("reverse")
    vocabulary = spec.vocabulary(3)
    expression = spec.build(vocabulary, 3)
    whole = compile_program(expression, vocabulary, 3)
    again = compile_program(trace([expression], vocabulary, 3).program)
    assert weights_digest(whole.model.weights) == weights_digest(again.model.weights)
    assert whole("abc") == again("abc") == list("cba")


def test_weights_are_simple_numbers():
    """Integers, powers of two and small rationals, so that nothing depends on rounding."""
    spec = get_program("sort")
    weights = compile_program(spec.build(spec.vocabulary(3), 3), range(3), 3).model.weights
    for name, array in weights.arrays():
        if name not in ("W_in", "b_in"):  # slopes are two over the gap between two numbers
            np.testing.assert_array_equal(2 * array, np.round(2 * array), err_msg=name)


def test_placement_moves_blocks_and_changes_no_output():
    expression = get_program("shuffle_dyck1").build("()", 4)
    models = [compile_program(expression, "()", 4, placement_seed=s) for s in (None, 0, 1, 2)]
    assert len({weights_digest(m.model.weights) for m in models}) > 1
    assert {m.model.weights.n_layers for m in models} == {models[0].model.weights.n_layers}
    assert {tuple(m("(())")) for m in models} == {(True,) * 4}
    assert {tuple(m("())")) for m in models} == {(False,) * 3}


def test_what_is_compiled_beside_is_there_and_is_not_read():
    target = rasp.Map(lambda x: x == "a", TOKENS).named("target")
    beside = rasp.SelectorWidth(rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)).named("beside")
    compiled = compile_program(target, "ab", 3, beside=[beside])
    assert compiled("aba") == [True, False, True]
    assert "beside" in compiled.source_map.by_name
    assert ("logits", "target") in compiled.source_map.reads
    assert ("logits", "beside") not in compiled.source_map.reads
    alone = compile_program(target, "ab", 3)
    assert alone.model.weights.n_parameters < compiled.model.weights.n_parameters


@pytest.mark.parametrize("options", [{}, {"level": 1}, {"causal": True}, {"placement_seed": 3}])
def test_compiling_changes_no_expression(options):
    spec = get_program("sort_unique")
    expression = spec.build(range(3), 3)
    names = [e.name for e in rasp.topological_order(expression)]
    first = compile_program(expression, range(3), 3, placement_seed=0)
    try:
        compile_program(expression, range(3), 3, **options)
    finally:
        again = compile_program(expression, range(3), 3, placement_seed=0)
    assert weights_digest(first.model.weights) == weights_digest(again.model.weights)
    assert [e.name for e in rasp.topological_order(expression)] == names


def test_a_model_that_was_scrambled_can_still_be_called():
    compiled = scramble(compile_program(rasp.length, "ab", 3), 0)
    assert compiled("ab") == [2, 2]
    assert compiled.apply(["a", "bab"]) == [[1], [3, 3, 3]]


def test_text_is_read():
    text = 'is_a = tokens == "a";'
    assert compile_program(text, "ab", 3)("aba") == [True, False, True]
    assert compile_program(read_rasp(text), "ab", 3)("ab") == [True, False]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"beside": [3]}, "or several, got int"),
        ({"beside": "x;"}, "There is no name 'x'"),
        ({"max_length": True}, "an integer of at least 1, got True"),
        ({"max_length": 2.0}, "an integer of at least 1, got 2.0"),
    ],
)
def test_arguments_of_another_kind_are_refused(arguments, message):
    with pytest.raises(ProgramError, match=message):
        compile_program(TOKENS, **({"vocab": "ab", "max_length": 3} | arguments))


def test_a_length_may_be_a_numpy_integer():
    assert compile_program(TOKENS, "ab", np.int64(2)).program.max_length == 2


def test_models_of_too_many_weights_are_refused_before_they_are_made():
    total = INDICES
    for _ in range(150):
        total = rasp.SequenceMap(lambda x, y: x + y, total, INDICES)
    with pytest.raises(ProgramError, match=r"more than 1e\+09 parameters; write sums as numbers"):
        compile_program(total, "ab", 3)


@pytest.mark.parametrize("factor", ["a", None, float("nan")])
def test_factors_must_be_finite_numbers(factor):
    with pytest.raises(ProgramError, match="`snd_fac` must be a finite number"):
        rasp.LinearSequenceMap(INDICES, INDICES, 1, factor)
