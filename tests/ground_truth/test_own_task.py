"""Tasks of programs that are not of the library."""

import hashlib
import re

import pytest

from glassbench.benchmark_programs import TaskId, parse_regimes, write_regimes
from glassbench.compiler import from_json, rasp, read_rasp, to_json
from glassbench.errors import ProgramError, TaskError
from glassbench.evaluators import score, score_suite
from glassbench.ground_truth import EdgeState, compile_own, load, make_task, verify
from glassbench.ground_truth.digest import weights_digest
from glassbench.ground_truth.own_task_id import name_like

FRACTION = """
is_x = (tokens == "x");
prevs = select(indices, indices, <=);
frac_prevs = aggregate(prevs, is_x);
"""


def fraction():
    """The same program in Python."""
    prevs = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ).named("prevs")
    return rasp.Aggregate(prevs, (rasp.tokens == "x").named("is_x")).named("frac_prevs")


@pytest.fixture(scope="module")
def task():
    return make_task(FRACTION, "xy", 3)


def test_a_text_becomes_a_certified_task(task):
    assert task.compiled("xyx") == [1, 0.5, 2 / 3]
    assert re.fullmatch(r"frac_prevs@[0-9a-f]{12}", str(task.id))
    assert repr(task) == f"Task('{task.id}')"
    assert str(task).startswith(f"{task.id}\nComputes frac_prevs.\nlayers 2, heads 1")
    assert str(task).endswith("certified on all 14 inputs")
    assert not verify(task.compiled, task.labels)
    assert task.labels.task == str(task.id)


def test_the_same_program_however_it_is_given(task):
    ids = {
        make_task(one, "xy", 3).id
        for one in (FRACTION, fraction(), [fraction()], read_rasp(FRACTION), task.compiled.program)
    }
    assert ids == {task.id}


def test_the_digest_is_that_of_the_program_file(task):
    text = to_json(task.compiled.program)
    assert task.id.digest == hashlib.sha256(text.encode()).hexdigest()[:12]
    assert make_task(from_json(text)).id == task.id


def test_the_id_tells_programs_sizes_levels_and_regimes_apart(task):
    others = [
        compile_own(FRACTION.replace("<=", "<"), "xy", 3),
        compile_own(FRACTION, "xyz", 3),
        compile_own(FRACTION, "xy", 4),
        compile_own(FRACTION, "xy", 3, causal=True),
        compile_own(FRACTION, "xy", 3, level=1),
        compile_own(FRACTION, "xy", 3, name="another"),
        compile_own(FRACTION, "xy", 3, regimes="crowded"),
        compile_own(FRACTION, "xy", 3, regimes="crowded[seed=1]"),
        compile_own(FRACTION, "xy", 3, regimes="scrambled"),
        compile_own(FRACTION, "xy", 3, regimes="crowded/scrambled"),
    ]
    assert len({str(task.id), *(str(name) for name, _ in others)}) == 1 + len(others)
    digests = {weights_digest(compiled.model.weights) for _, compiled in others[6:]}
    assert len(digests) == 4


def test_the_id_is_no_id_of_the_library(task):
    with pytest.raises(TaskError, match="A task id must read"):
        TaskId.parse(str(task.id))


def test_own_tasks_are_certified_under_regimes_and_levels():
    for options in (
        {"regimes": "crowded[distractors=2]/scrambled", "causal": True},
        {"level": 1, "regimes": "scrambled[seed=3]"},
    ):
        made = make_task(FRACTION, "xy", 3, **options)
        assert str(made.id).endswith("/scrambled[seed=" + str(options.get("level", 0) * 3) + "]")
        assert made.compiled("xyx") == [1, 0.5, 2 / 3]
        assert not verify(made.compiled, made.labels)


def test_several_outputs_are_one_task():
    output = fraction()
    several = [output, output.sop]
    made = make_task(several, "xy", 3, regimes="crowded[distractors=2]")
    assert made.id.name == "frac_prevs_is_x"
    assert made.compiled("xy") == [(1, True), (0.5, False)]
    assert made.labels.counts[EdgeState.INERT] > 0


def test_own_tasks_are_scored(task):
    result = score("weight-norm", task)
    assert (result.task, result.status) == (str(task.id), "ok")
    assert result.metrics[result.primary].floors.prior is None


def test_own_tasks_stand_in_suites(task):
    suite = [task, load("histogram[vocab=2,length=3]")]
    results = list(score_suite("weight-norm", suite))
    assert [result.task for result in results] == [str(one.id) for one in suite]
    assert all(result.metrics[result.primary].floors.prior is not None for result in results)


def test_what_is_known_of_the_program(task):
    assert task.id.spec.text == FRACTION
    made, _ = compile_own(fraction(), "xy", 2, description="The share of x so far.")
    assert made.spec.description == "The share of x so far."
    assert read_rasp(made.spec.text).outputs[0]("xy") == [True, 0.5]
    without, _ = compile_own(rasp.Map(lambda token: token + "!", rasp.tokens), "xy", 2)
    assert without.spec.text == ""


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"program": "out = tokenz;"}, ProgramError, "Did you mean"),
        ({"program": 3}, ProgramError, "must be RASP text, an expression"),
        ({"vocab": "xx"}, ProgramError, "tokens must differ"),
        ({"regimes": 3}, TaskError, "The regimes must be a text such as .* got 3"),
        ({"name": "-x"}, TaskError, "The name of a task must consist of .* got '-x'"),
        ({"name": "a/b"}, TaskError, "got 'a/b'"),
        ({"regimes": "fogged"}, TaskError, "There is no regime 'fogged'. Known: crowded"),
        ({"regimes": "crowded[distractorz=1]"}, TaskError, "no parameter 'distractorz'"),
        ({"regimes": "scrambled/crowded"}, TaskError, "in the order crowded then scrambled"),
        ({"regimes": "scrambled//"}, TaskError, r"Regimes must read regime\[key=N,...\]/"),
        ({"regimes": "scrambled-v1"}, TaskError, "Regimes must read"),
        ({"vocab": "x", "max_length": 1}, TaskError, "poses no question"),
    ],
)
def test_what_is_refused(options, error, message):
    arguments = {"program": "tokens;", "vocab": "xy", "max_length": 2} | options
    with pytest.raises(error, match=message):
        make_task(**arguments)


def test_a_program_without_expressions_cannot_be_crowded(task):
    with pytest.raises(TaskError, match="must be given as RASP to be crowded"):
        make_task(task.compiled.program, regimes="crowded")


def test_regimes_are_written_as_they_are_read():
    for text in ("", "exact"):
        assert parse_regimes(text) == ()
        assert write_regimes(parse_regimes(text)) == ""
    assert write_regimes(parse_regimes("crowded/scrambled")) == (
        "/crowded[distractors=4,seed=0]/scrambled[seed=0]"
    )
    chain = TaskId.parse("sort/crowded[seed=1]/scrambled").regimes
    assert parse_regimes(write_regimes(chain).removeprefix("/")) == chain


@pytest.mark.parametrize(
    ("text", "name"),
    [("sort", "sort"), ("my-prog.v2", "my-prog.v2"), (".é", "program"), ("a, b", "a_b")],
)
def test_names_made_of_other_texts(text, name):
    assert name_like(text) == name
