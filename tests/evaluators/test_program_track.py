"""The program track as a whole: what texts earn, floors, what is kept, and the command line."""

import json

import numpy as np
import pytest

from glassbench.benchmark_programs import get_program
from glassbench.compiler import write_rasp
from glassbench.compiler.untrace import untrace
from glassbench.errors import AnswerError, BundleError, TaskError
from glassbench.evaluators import (
    AnswerFile,
    KeptAnswer,
    ProgramTrack,
    Result,
    find_track,
    program_floors,
    rescored,
    score,
    score_suite,
    scored,
)
from glassbench.evaluators.problem_folder import problem_files
from glassbench.evaluators.program_floors import library_programs
from glassbench.evaluators.program_track import _key
from glassbench.evaluators.result import MetricValue
from glassbench.ground_truth import load, make_task

METRICS = {
    *("balanced_agreement", "agreement", "input_agreement"),
    *(f"{kind}_{part}" for kind in ("node", "edge") for part in ("f1", "precision", "recall")),
    *("interchange_f1", "interchange_accuracy", "interchange_coverage"),
}
TASKS = (
    "frac_prevs[vocab=3,length=3]",
    "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled",
    "shuffle_dyck1[vocab=3,length=4]",
    "count_so_far[vocab=2,length=3]",
    "frac_prevs[vocab=2,length=3]/superposed[d=6]",
)
FRACTION, HISTOGRAM = TASKS[0], "histogram[vocab=3,length=3]"


def own(task):
    return write_rasp(*untrace(task.compiled.program))


def answering(text):
    def method(problem):
        return text

    return method


def earned(text, task, seed=0):
    return score(answering(text), task, "program", seed=seed)


# -- ceilings ------------------------------------------------------------------------


@pytest.mark.parametrize("name", TASKS)
def test_the_program_of_a_task_earns_every_ceiling(name):
    task = load(name)
    result = earned(own(task), task, seed=2)
    assert set(result.metrics) == METRICS
    for metric_name, metric in result.metrics.items():
        assert metric.value == metric.ceiling == 1, metric_name
        assert metric.normalised == 1
        assert 0 <= metric.floor < 1
    assert result.reported["equivalent"] == 1
    assert result.primary == "balanced_agreement"
    assert str(result).startswith("1.00   random 0.")


OTHER_TEXTS = {
    "names": "p = select(indices, indices, <=);\nq = tokens == {token};\naggregate(p, q);",
    "steps": "x = not (tokens == {token});\naggregate(select(indices, indices, <=), not x);",
    "twice": (
        "x = aggregate(select(indices, indices, <=), tokens == {token});\n"
        "y = aggregate(select(indices, indices, <=), tokens == {token});\nx * 0.5 + y * 0.5;"
    ),
}


@pytest.mark.parametrize("text", OTHER_TEXTS.values(), ids=OTHER_TEXTS)
def test_so_does_the_same_program_in_other_words(text):
    task = load(FRACTION)
    (token,) = [
        one for one in task.compiled.model.codec.tokens.values if task.compiled([one]) == [1]
    ]
    found = earned(text.format(token=repr(token)), task)
    assert found.metrics == earned(own(task), task).metrics


def test_programs_of_several_outputs():
    text = "n = selector_width(select(tokens, tokens, ==)); [n, n == length];"
    task = make_task(text, "ab", 3)
    assert {metric.value for metric in earned(text, task).metrics.values()} == {1.0}
    half = earned(text.replace("n == length", "n < length"), task)
    assert half.metrics["agreement"].value == 0
    assert half.metrics["interchange_f1"].value < 0.5


# -- wrong programs lose where they are wrong ----------------------------------------


def values(text, task):
    found = earned(text, task)
    names = ("agreement", "node_f1", "edge_f1", "interchange_f1")
    return {name: found.metrics[name].value for name in names} | {
        "equivalent": found.reported["equivalent"]
    }


def test_equivalent_by_another_route():
    same = "same = select(tokens, tokens, ==);"
    apart = (
        f"{same} x = selector_width(same and select(indices, indices, <));"
        "y = selector_width(same and select(indices, indices, >=)); x + y;"
    )
    found = values(apart, load(HISTOGRAM))
    assert found["agreement"] == found["equivalent"] == 1
    assert found["node_f1"] < 0.6
    assert found["interchange_f1"] < 0.6


def test_a_slip_in_one_place():
    found = values("1 + selector_width(select(tokens, tokens, ==));", load(HISTOGRAM))
    assert found["agreement"] == found["equivalent"] == 0
    assert found["node_f1"] == found["edge_f1"] == 1  # names of values are no structure
    assert found["interchange_f1"] < 0.05
    found = values("selector_width(select(tokens, tokens, !=));", load(HISTOGRAM))
    assert found["agreement"] < 0.3
    assert found["node_f1"] == 0.5


def test_what_reads_no_token():
    found = values("length;", load(HISTOGRAM))
    assert found["agreement"] < 1
    assert found["interchange_f1"] < 0.5


# -- floors --------------------------------------------------------------------------


def test_the_floor_of_agreement_is_the_best_program_without_attention():
    task = load(FRACTION)
    result = score("token-position-table", task, "program")
    metric = result.metrics["balanced_agreement"]
    assert metric.value == pytest.approx(metric.floors.prior)
    assert metric.normalised == pytest.approx(0)
    assert metric.floor == metric.floors.prior > metric.floors.random
    assert result.metrics["interchange_f1"].value == 0
    assert result.metrics["node_f1"].floors.prior is None


def test_the_random_floor_is_the_mean_of_other_programs():
    task = load(FRACTION)
    programs = library_programs(task, seed=5)
    assert len(programs) == 24
    assert len({program.name for program in programs}) > 20
    key = _key(task, 5)
    each = [key.measured(program).metrics for program in programs]
    for name, metric in earned("tokens;", task, seed=5).metrics.items():
        assert metric.floors.random == pytest.approx(np.mean([one[name] for one in each]))
    assert library_programs(task, seed=5)[0].name == programs[0].name
    assert task.compiled.program.name not in {program.name for program in programs}


def test_the_program_of_a_task_is_none_of_the_others(monkeypatch):
    own, other = get_program("reverse"), get_program("swap_neighbours")
    monkeypatch.setattr(program_floors, "library", lambda: (own, other))
    for name, number in (("reverse", 1), ("histogram", 2)):
        found = library_programs(load(f"{name}[vocab=2,length=3]"), seed=0)
        assert len(found) == number


def test_a_task_without_attention_asks_for_no_variables():
    task = make_task("out = tokens == 'a';", "ab", 3)
    result = earned("out = tokens == 'a';", task)
    assert set(result.metrics) == {name for name in METRICS if "interchange" not in name}
    metric = result.metrics["balanced_agreement"]
    assert (metric.value, metric.floor, metric.normalised) == (1, 1, 0)  # nothing to be earned


# -- answers -------------------------------------------------------------------------


def test_what_is_kept_is_a_text_that_earns_the_same(tmp_path):
    text = '# "quotes", \\ and ü\nout = aggregate(select(indices, indices, <=), tokens == 1);\n'
    task = load(FRACTION)
    one = scored(answering(text), task, "program", seed=3)
    result = Result.read(one.write(tmp_path))
    (file,) = (tmp_path / "answers").iterdir()
    kept = json.loads(file.read_text(encoding="utf-8"))
    assert kept["text"] == text
    assert kept["scores"] is kept["arrays"] is None
    answer = KeptAnswer.read(tmp_path, result)
    assert dict(rescored(result, answer, task).metrics) == result.metrics
    file.write_text(json.dumps({**kept, "text": "tokens;"}))
    with pytest.raises(BundleError, match="the answer must have the sha256"):
        rescored(result, KeptAnswer.read(tmp_path, result), task)
    file.write_text(json.dumps({**kept, "text": "tokens"}))
    with pytest.raises(AnswerError, match="line 1, column 7"):
        rescored(result, KeptAnswer.read(tmp_path, result), task)
    file.write_text(json.dumps({**kept, "scores": {}}))
    with pytest.raises(BundleError, match="has scores, a text or arrays, and one of them alone"):
        KeptAnswer.read(tmp_path, result)


def test_what_can_be_had_blind_is_measured_again():
    """It follows from the task alone, so that a result cannot say otherwise."""
    one = scored("token-position-table", load(HISTOGRAM), "program")
    leading = one.result.metrics[one.result.primary]
    assert leading.floors.prior > leading.floors.random
    metrics = dict(one.result.metrics)
    metrics[one.result.primary] = MetricValue.of(
        leading.value, random=leading.floors.random, ceiling=leading.ceiling
    )
    better = one.result.model_copy(update={"metrics": metrics})
    with pytest.raises(BundleError, match=f"{one.result.primary}, prior: must be .*, got None"):
        rescored(better, one.answer, load(HISTOGRAM))


def test_a_text_that_was_made_elsewhere(tmp_path):
    task = load(FRACTION)
    track = find_track("program")
    content = track.public(track.problem(task, 0))
    files = problem_files("program", content)
    asked = json.loads(files["problem.json"])
    assert asked["answer"] == {"kind": "text", "language": "rasp"}
    assert asked["arrays"] == {"inputs": {"dtype": "I32", "shape": [256, 4]}}
    answer = {"format_version": "1.0", "problem": asked["id"], "text": own(task)}
    (tmp_path / "answer.json").write_text(json.dumps(answer))
    result = score(AnswerFile(tmp_path), task, "program")
    assert result.reported["equivalent"] == 1
    assert result.metrics == earned(own(task), task).metrics


def test_a_wrong_answer_leaves_the_others_alone():
    task = load(FRACTION)
    results = list(
        score_suite([answering("tokens = ;"), "token-position-table"], [task], "program")
    )
    assert [one.status for one in results] == ["failed", "ok"]
    assert "line 1, column 10: Expected an expression" in results[0].error


def test_questions():
    track = find_track("program")
    assert track == ProgramTrack()
    assert track.asking({}) is track
    with pytest.raises(BundleError, match="The program track has one question, got"):
        track.asking({"arm": "x"})
    with pytest.raises(TaskError, match=r"needs models that were compiled .*:\n  - toy_super"):
        score("synthesis", "toy_superposition[n=4,d=2]", "program")
    with pytest.raises(TaskError, match="'eap' answers the circuit track, and the program track"):
        score("eap", FRACTION, "program")


def test_scoring_and_rescoring_from_the_command_line(invoke, tmp_path):
    folder = str(tmp_path / "results")
    arguments = ["--task", FRACTION, "--track", "program", "-o", folder]
    invoke("score", "synthesis", "token-position-table", *arguments)
    told = invoke("rescore", folder).output
    assert "2 answers: every number is that of the result." in told
    results = [Result.read(path) for path in (tmp_path / "results").glob("*.json")]
    by_tool = {one.tool: one for one in results}
    assert by_tool["synthesis"].reported["equivalent"] == 1
    assert by_tool["token-position-table"].reported["equivalent"] == 0
