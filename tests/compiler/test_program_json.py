"""Programs as JSON: what is written is read again, and what is not a program is refused."""

import importlib.util
import json
import random
import sys
from copy import deepcopy
from fractions import Fraction
from pathlib import Path

import pytest

from glassbench.benchmark_programs import programs
from glassbench.compiler import (
    InputSpace,
    compile_program,
    from_json,
    interpret,
    rasp,
    run,
    to_json,
)
from glassbench.compiler.program_rules import problems
from glassbench.compiler.program_schema import schema_text
from glassbench.compiler.sum_check import missed_sums
from glassbench.errors import ProgramError

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "docs" / "schemas" / "program.schema.json"
N_PROGRAMS = 40
N_CHANGED = 400

GOLDEN = """\
{
 "beside": [],
 "causal": false,
 "format_version": "1.0",
 "max_length": 2,
 "nodes": [
  {"domain": ["a", "é"], "encoding": "categorical", "name": "tokens", \
"operation": {"kind": "tokens"}, "optional": false},
  {"domain": [], "encoding": "categorical", "name": "same", \
"operation": {"conditions": [{"keys": 0, "queries": 0, "table": ["10", "01"]}], \
"kind": "select"}, "optional": false},
  {"domain": [{"fraction": [1, 3]}, {"fraction": [1, 2]}], "encoding": "numerical", \
"name": "count.reciprocal", "operation": {"kind": "reciprocal_width", "selector": 1}, \
"optional": false},
  {"domain": [1, 2], "encoding": "categorical", "name": "count", \
"operation": {"inner": 2, "kind": "map", "table": [1, 0]}, "optional": false}
 ],
 "outputs": [3],
 "vocabulary": ["a", "é"]
}
"""


def bytes_of(weights):
    return [(name, array.dtype, array.tobytes()) for name, array in weights.arrays()]


def library(name, level, length=None):
    spec = programs()[name]
    vocabulary = spec.vocabulary(spec.vocab)
    size = length or spec.length
    return compile_program(
        spec.build(vocabulary, size), vocabulary, size, causal=spec.causal, level=level
    )


def histogram(vocabulary=("a", "é"), length=2):
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ).named("same")
    return compile_program(rasp.SelectorWidth(same).named("count"), vocabulary, length)


def check_round_trip(compiled):
    text = to_json(compiled.source)
    again = compile_program(from_json(text), level=compiled.level)
    assert to_json(again.source) == text
    assert bytes_of(again.model.weights) == bytes_of(compiled.model.weights)
    assert repr(again.model.codec) == repr(compiled.model.codec)
    optimised = from_json(to_json(compiled.program))
    direct = compile_program(compiled.program).model.weights
    assert bytes_of(compile_program(optimised).model.weights) == bytes_of(direct)
    assert not missed_sums(optimised)


# -- round trips -----------------------------------------------------------------------


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", tuple(programs())[::7])
def test_library_programs_come_back(name, level):
    check_round_trip(library(name, level))


def test_random_programs_come_back():
    path = Path(__file__).with_name("test_random_programs.py")
    spec = importlib.util.spec_from_file_location("random_programs_for_json", path)
    source = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(source)
    compiled = 0
    for seed in range(N_PROGRAMS):
        case = source.drawn(seed)
        size = {"vocab": case.vocabulary, "max_length": case.max_length, "causal": case.causal}
        try:
            made = [compile_program(case.program, **size, level=level) for level in (0, 1)]
        except ProgramError:
            continue
        compiled += 1
        for one in made:
            check_round_trip(one)
    assert compiled > N_PROGRAMS / 2


def test_several_outputs_and_distractors_come_back():
    share = rasp.numerical(
        rasp.Aggregate(rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ), rasp.tokens)
    )
    made = compile_program([share, rasp.tokens], (0, 1), 3, causal=True, beside=[rasp.indices])
    check_round_trip(made)
    read = from_json(to_json(made.source))
    assert (read.outputs, read.beside, read.causal) == (made.source.outputs, (1,), True)


@pytest.mark.parametrize("level", [0, 1])
def test_means_that_never_select_none_come_back(level):
    known = rasp.Map(lambda token: {"a": 1, "b": 3}.get(token), rasp.tokens)
    has_value = rasp.Select(known, rasp.tokens, lambda key, _query: True)
    mean = rasp.numerical(rasp.Aggregate(has_value, known, default=0))
    check_round_trip(compile_program(mean, "abc", 3, level=level))


def test_terms_can_hold_a_number_for_each_value():
    program = from_json(json.dumps(changed("nodes.6.operation.terms.0.weights", [0, 1, 2], MEAN)))
    assert not missed_sums(program)
    program = from_json(json.dumps(changed("nodes.6.operation.terms.0.weights", [0, 5, 2], MEAN)))
    assert missed_sums(program)


def test_values_keep_their_types():
    values = (True, -1, 10**30, Fraction(1, 3), 'x"\n\u2028', "", (1, (None, "a"), Fraction(-5, 2)))
    program = compile_program(rasp.tokens, values, 2).source
    read = from_json(to_json(program).encode())
    assert repr(read.vocabulary) == repr(program.vocabulary)
    assert {type(value) for value in read.vocabulary.values} == {bool, int, Fraction, str, tuple}


def test_the_text_is_what_it_always_was():
    assert to_json(histogram().source) == GOLDEN


def test_a_few_lines_decode_a_relation():
    """What the documentation says to readers in other languages."""
    select = json.loads(GOLDEN)["nodes"][1]["operation"]["conditions"][0]
    assert [[sign == "1" for sign in row] for row in select["table"]] == [
        [True, False],
        [False, True],
    ]


def test_strings_that_utf_8_cannot_write_are_refused():
    with pytest.raises(ProgramError, match=r"lone surrogate '\\ud800'; choose another token"):
        to_json(histogram(("a", "\ud800")).source)


def test_published_schema_is_current():
    """Write it anew with `glassbench.compiler.program_schema.schema_text()`."""
    assert SCHEMA.read_text(encoding="utf-8") == schema_text()


# -- refusals --------------------------------------------------------------------------


def refusal(file):
    with pytest.raises(ProgramError) as caught:
        from_json(file if isinstance(file, str) else json.dumps(file))
    return str(caught.value)


def changed(path, value, text=GOLDEN):
    """Return a program file with another value at a path such as `nodes.1.name`."""
    file = json.loads(text)
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    inner = file
    for step in steps:
        inner = inner[step]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return file


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("nodes", ..., "nodes: Field required"),
        ("extra", 1, "extra: Extra inputs are not permitted"),
        ("causal", 0, "causal: Input should be a valid boolean, got 0"),
        ("max_length", True, "max_length: Input should be a valid integer, got True"),
        ("max_length", 2.0, "max_length: Input should be a valid integer, got 2.0"),
        ("nodes.1.operation.kind", "eval", "nodes[1].operation: Input tag 'eval' found"),
        ("nodes.3.operation.inner", ..., "nodes[3].operation.inner: Field required"),
        ("nodes.3.operation.table.1", True, "nodes[3].operation.table[1]: Input should be"),
        ("nodes.3.operation.table.1", 4096, "nodes[3].operation.table[1]: Input should be less"),
        ("nodes.2.domain.0.fraction", [2, 4], "nodes[2].domain[0].fraction: Value error, a frac"),
        ("nodes.2.domain.0.fraction", [1, 0], "nodes[2].domain[0].fraction[1]: Input should be"),
        ("nodes.2.domain.0.fraction", [1], "nodes[2].domain[0].fraction[1]: Field required"),
        ("nodes.0.domain.0", None, "nodes[0].domain[0]: A value is an integer, a boolean, a"),
        ("vocabulary.0", {"tuple": [1.5]}, "vocabulary[0].tuple[0]: A value is an integer"),
        ("nodes.1.operation.conditions.0.table", ["10", "1"], "rows of a table must be equally"),
        ("nodes.1.operation.conditions.0.table", ["12", "10"], "String should match pattern"),
    ],
)
def test_other_shapes_are_refused_with_their_path(path, value, message):
    found = refusal(changed(path, value))
    assert found.startswith("The file does not hold a program:\n  - ")
    assert message in found


MEAN = to_json(
    compile_program(
        rasp.numerical(
            rasp.LinearSequenceMap(
                rasp.numerical(
                    rasp.Aggregate(
                        rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ),
                        rasp.numerical(rasp.tokens == "a"),
                        default=0,
                    )
                ),
                rasp.numerical(rasp.indices),
                2,
                1,
            )
        ),
        "ab",
        2,
    ).source
)
# indices.numerical, tokens, map, indices, select, aggregate, linear_sequence_map

RULES = [
    (GOLDEN, "vocabulary", [], "vocabulary: must hold at least one token"),
    (GOLDEN, "vocabulary", ["é", "a"], "vocabulary: values must differ and stand in order"),
    (GOLDEN, "nodes.3.domain", [1, 1], "nodes[3].domain: values must differ"),
    (GOLDEN, "nodes.3.domain", [0, False], "got 0 before False"),
    (GOLDEN, "nodes.3.domain", [], "nodes[3].domain: must hold 1 to 4096 values, got 0"),
    (GOLDEN, "nodes.0.domain", ["a", "b"], "nodes[0].domain: must be the vocabulary"),
    (MEAN, "nodes.3.domain", [0, 2], "nodes[3].domain: must be the positions 0 to 1"),
    (GOLDEN, "max_length", 10**15, "nodes[2].domain: must be 1 / (1 + w) for every width"),
    (GOLDEN, "nodes.3.name", "same", "nodes[3].name: must differ from all others, got 'same'"),
    (GOLDEN, "nodes.0.name", "<bos>", "nodes[0].name: must not be '<bos>'"),
    (GOLDEN, "outputs", [], "outputs: must hold at least one place"),
    (GOLDEN, "outputs", [4], "outputs[0]: must be the place of a variable, got 4"),
    (GOLDEN, "beside", [1], "beside[0]: must be the place of a variable, got 1"),
    (GOLDEN, "nodes.3.operation.inner", 3, "must be the place of a variable before it, got 3"),
    (GOLDEN, "nodes.3.operation.inner", 1, "nodes[3].operation.inner: must be the place of a var"),
    (GOLDEN, "nodes.2.operation.selector", 0, "nodes[2].operation.selector: must be the place of"),
    (GOLDEN, "nodes.1.encoding", "numerical", "nodes[1]: a selector must have no domain"),
    (GOLDEN, "nodes.0.encoding", "numerical", "nodes[0].domain: must hold numbers of at most 1e+"),
    (GOLDEN, "nodes.2.encoding", "categorical", "nodes[2].encoding: must be numerical"),
    (GOLDEN, "nodes.2.optional", True, "nodes[2].optional: must be false, since the node is num"),
    (GOLDEN, "nodes.2.domain", [1, 2], "nodes[2].domain: must be 1 / (1 + w)"),
    (GOLDEN, "nodes.3.operation.table", [0], "must have 2 entries, one for each value that is"),
    (GOLDEN, "nodes.3.operation.table", [0, 2], "must hold places below 2, and entry 1 is 2"),
    (GOLDEN, "nodes.3.operation.table", [0, -1], "nodes[3].optional: must be true, since its ta"),
    (GOLDEN, "nodes.1.operation.conditions", [], "must hold at least one condition"),
    (GOLDEN, "nodes.1.operation.conditions.0.keys", None, "must have 2 x 1 entries"),
    (MEAN, "nodes.4.operation.conditions.0.keys", 2, "conditions[0].keys: must be a categorical"),
    (MEAN, "nodes.5.operation.default", -1, "nodes[5].operation.default: must be the place of a"),
    (MEAN, "nodes.5.operation.table", [0, 1], "must give each number its own place"),
    (MEAN, "nodes.5.domain.1", {"fraction": [1, 3]}, "must hold every mean of up to 2 values, an"),
    (MEAN, "nodes.5.encoding", "categorical", "value: must be a categorical variable, since the"),
    (MEAN, "nodes.6.operation.terms", [], "nodes[6].operation.terms: must hold at least one term"),
    (MEAN, "nodes.6.operation.terms.0.weights", [1, 2], "terms[0].weights: must have 3 entries"),
    (MEAN, "nodes.6.operation.terms.0.weights", [], "terms[0].weights: must have 1 entries"),
]


@pytest.mark.parametrize(
    ("text", "path", "value", "message"),
    RULES,
    ids=[f"{path}={value}"[:40] for _, path, value, _ in RULES],
)
def test_unsound_programs_are_refused_with_their_path(text, path, value, message):
    found = refusal(changed(path, value, text))
    assert found.startswith("The file does not hold a program that is sound:\n  - ")
    assert message in found


def test_every_problem_is_listed():
    file = changed("nodes.3.operation.table", [5, 0])
    file["outputs"], file["nodes"][1]["operation"]["conditions"] = [7], []
    found = refusal(file)
    assert [line.split(":")[0] for line in found.splitlines()[1:]] == [
        "  - nodes[1].operation.conditions",
        "  - nodes[3].operation.table",
        "  - outputs[0]",
    ]


@pytest.mark.parametrize("version", ["1.1", "2.0"])
def test_other_versions_are_refused(version):
    assert refusal(changed("format_version", version)) == (
        f"format_version must be '1.0', got '{version}'; read the file with the version of "
        "Glassbench that wrote it, or write it anew"
    )


@pytest.mark.parametrize("text", ["", "{", '{"a": NaN', "[" * 100_000])
def test_what_is_no_json_is_refused(text):
    assert refusal(text).startswith("A program file must hold JSON: Invalid JSON")


@pytest.mark.parametrize("text", ["null", "[]", '"text"'])
def test_json_of_another_kind_is_refused(text):
    assert "file: Input should be an object" in refusal(text)


def test_what_is_no_text_is_refused():
    with pytest.raises(ProgramError, match="A program as JSON must be a text or bytes, got None"):
        from_json(None)


def test_infinite_weights_are_refused():
    text = json.dumps(changed("nodes.6.operation.terms.0.weights", [float("inf")], MEAN))
    assert "weights[0]: Input should be a finite number" in refusal(text)


# -- changed files ---------------------------------------------------------------------


def paths_of(file, before=()):
    yield before
    if isinstance(file, dict | list):
        for step in file if isinstance(file, dict) else range(len(file)):
            yield from paths_of(file[step], (*before, step))


def at(file, path):
    for step in path:
        file = file[step]
    return file


def another(rng, file, old):
    """Return a value to stand in place of `old`: near it, or from somewhere else."""
    if rng.random() < 0.4 or not old:
        return deepcopy(at(file, rng.choice(list(paths_of(file))[1:])))
    match old:
        case bool():
            return not old
        case int() | float():
            return old + rng.choice([-1, 1, 2, 10**12])
        case str() if set(old) <= set("01"):
            return "".join(rng.choice("01") for _ in old)
        case list():
            return rng.choice([old[:-1], [*old, old[0]], old[::-1], []])
    return "categorical" if old == "numerical" else "numerical"


def test_a_changed_file_is_refused_or_says_what_its_weights_do():
    rng = random.Random(0)
    names = ("frac_prevs", "sort", "pair_balance", "detect_pattern", "sort_by_frequency")
    texts = [to_json(library(name, level, 3).program) for name in names for level in (0, 1)]
    exact = 0
    for _ in range(N_CHANGED):
        file = json.loads(rng.choice(texts))
        path = rng.choice(list(paths_of(file))[1:])
        at(file, path[:-1])[path[-1]] = another(rng, file, at(file, path))
        try:
            program = from_json(json.dumps(file))
            assert not problems(program)
            if missed_sums(program):
                continue
            compiled = compile_program(program)
        except ProgramError:
            continue
        exact += 1
        tokens = InputSpace(len(program.vocabulary), program.max_length).everything()
        codec = compiled.model.codec
        found = codec.decode_ids(run(compiled.model.weights, tokens).logits)[:, 1:]
        values = interpret(program, tokens).values
        expected = codec.answer_ids([values[place] for place in program.outputs])
        real = codec.is_real(tokens)[:, 1:]
        assert (found == expected)[real].all(), path
    assert exact > N_CHANGED / 40
