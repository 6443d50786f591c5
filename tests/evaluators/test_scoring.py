"""Scores: what an answer earns, and what becomes of answers that cannot be scored."""

import math
import re
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from glassbench.errors import AnswerError, TaskError, ToolError
from glassbench.evaluators.circuit_track import CircuitKey, measured, suite_priors
from glassbench.evaluators.methods import BUILT_IN, Method, built_in
from glassbench.evaluators.scoring import find_method, score, score_suite
from glassbench.ground_truth import EdgeState, load

NAMES = (
    "histogram[vocab=2,length=3]",
    "frac_prevs[vocab=2,length=3]",
    "sort[vocab=2,length=3]",
)


@pytest.fixture(scope="module")
def task():
    return load(NAMES[2])


@pytest.fixture(scope="module")
def crowded():
    """A task in which some nodes are not causal."""
    return load("histogram[vocab=2,length=3]/crowded[distractors=2]/scrambled")


@pytest.fixture(scope="module")
def suite():
    return [load(name) for name in NAMES]


def truth(task):
    """Return the answer that scores causal edges one and all others zero."""
    return {edge: float(state is EdgeState.CAUSAL) for edge, state in task.labels.states.items()}


def constant(problem):
    return dict.fromkeys(problem.edges, 0.0)


# -- scores ------------------------------------------------------------------------


def test_the_truth_earns_the_ceiling(task):
    result = score(lambda problem: truth(task), task)
    assert result.status == "ok"
    assert result.primary == "edge_average_precision"
    for name, metric in result.metrics.items():
        assert metric.value == pytest.approx(metric.ceiling), name
        assert metric.normalised == pytest.approx(1), name
        assert metric.floor < metric.ceiling, name
    assert str(result).startswith("1.00")


def test_a_constant_answer_earns_the_random_floor(task):
    result = score(constant, task)
    for name in ("edge_average_precision", "edge_auroc"):
        metric = result.metrics[name]
        assert metric.value == pytest.approx(metric.floors.random)
        assert metric.normalised == pytest.approx(0)


def test_every_metric_is_there(crowded):
    result = score(constant, crowded)
    assert {
        "edge_average_precision",
        "edge_auroc",
        "node_average_precision",
        "node_average_precision_without_embed",
    } <= set(result.metrics)
    assert result.metrics["edge_average_precision"].low is not None
    assert result.metrics["edge_auroc"].floors.random == pytest.approx(0.5)
    assert all(metric.floors.prior is None for metric in result.metrics.values())


def test_signs_and_scale_do_not_matter(task):
    rng = np.random.default_rng(0)
    drawn = {edge: float(rng.normal()) for edge in task.graph.edge_names}
    one = score(lambda problem: drawn, task)
    other = score(lambda problem: {edge: -7 * value for edge, value in drawn.items()}, task)
    values = [{name: m.value for name, m in r.metrics.items()} for r in (one, other)]
    assert values[0] == values[1]
    assert one.answer_sha256 != other.answer_sha256


def test_positional_edges_do_not_count(task):
    positional = [e for e, s in task.labels.states.items() if s is EdgeState.POSITIONAL]
    assert positional
    answer = {**truth(task), **dict.fromkeys(positional, 5.0)}
    result = score(lambda problem: answer, task)
    assert result.metrics["edge_average_precision"].value == pytest.approx(1)
    missed = {**truth(task), "a2.h0->logits": 0.0}
    assert score(lambda problem: missed, task).metrics["edge_average_precision"].value < 1


def test_a_node_is_worth_its_best_edge(crowded):
    key = CircuitKey.of(crowded.labels.states)
    assert key.nodes["embed"]
    assert set(key.nodes) - set(key.bare_nodes) <= {"embed", "pos_embed"}
    scores = dict.fromkeys(crowded.labels.states, 0.0)
    for node, causal in key.nodes.items():
        if causal:
            edge = next(edge for edge in scores if edge.startswith(f"{node}->"))
            scores[edge] = 1.0
    metrics = measured(scores, crowded)
    assert metrics["node_average_precision"].value == pytest.approx(1)
    assert metrics["node_average_precision_without_embed"].value == pytest.approx(1)
    assert metrics["edge_average_precision"].value < 1
    lost = next(node for node, causal in key.bare_nodes.items() if causal)
    scores = {edge: 0.0 if edge.startswith(f"{lost}->") else s for edge, s in scores.items()}
    assert measured(scores, crowded)["node_average_precision"].value < 1


def test_a_key_of_one_class_ranks_nothing():
    causal, unwired = EdgeState.CAUSAL, EdgeState.UNWIRED
    key = CircuitKey.of({"embed->m0": causal, "m0->logits": causal, "embed->logits": unwired})
    names = {name for name, _, _ in key.metrics()}
    assert "edge_auroc" in names
    assert not any(name.startswith("node") for name in names)


def test_a_result_says_where_it_comes_from(task):
    result = score("weight-norm", task, seed=3)
    assert (result.tool, result.track, result.seed) == ("weight-norm", "circuit", 3)
    assert result.task == str(task.id)
    assert result.task_digest == task.labels.weights
    assert result.wall_seconds > 0
    assert result.environment.packages["numpy"] == np.__version__
    again = score("weight-norm", task, seed=3)
    assert again.answer_sha256 == result.answer_sha256
    assert again.metrics == result.metrics


def test_built_in_methods_beat_chance(task):
    assert score("interchange", task).metrics["edge_average_precision"].value == pytest.approx(1)
    for name in built_in("circuit"):
        assert score(name, task).metrics["edge_average_precision"].normalised > 0.2, name


# -- methods and tasks that do not exist, or fail ----------------------------------


def test_unknown_names_are_answered_with_the_nearest(task):
    with pytest.raises(TaskError, match=r"no method 'eap_ig'\. Did you mean 'eap-ig'") as caught:
        score("eap_ig", task)
    assert "A method of your own is named module:function." in str(caught.value)
    with pytest.raises(TaskError, match=r"no track 'circuits'\. Did you mean 'circuit'"):
        score("eap", task, track="circuits")
    with pytest.raises(TaskError, match="Did you mean 'histogram'"):
        score("eap", "histogramm")


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """A folder of modules with tools, good and bad."""
    texts = {
        "gb_good_tool": (
            "from glassbench.evaluators import AnswerFile\nfrom pathlib import Path\n\n\n"
            "def method(problem):\n    return dict.fromkeys(problem.edges, 1.0)\n\n\n"
            "value = 3\ntool = AnswerFile(Path('there'))\n"
        ),
        "gb_bad_syntax": "def method(problem:\n",
        "gb_bad_import": "import a_module_that_is_not_there\n",
        "gb_bad_start": "raise RuntimeError('no device')\n",
        "gb_bad_end": "raise SystemExit('usage')\n",
    }
    for name, text in texts.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in texts:
        sys.modules.pop(name, None)


def test_a_method_is_found_by_module_and_function(tools, task):
    method = find_method("gb_good_tool:method")
    assert method.name == "gb_good_tool:method"
    assert score("gb_good_tool:method", task).status == "ok"
    assert find_method(method) is method
    assert find_method("gb_good_tool:tool").name == "there"
    assert find_method("eap") is BUILT_IN["eap"]
    assert find_method(constant).name == "constant"
    assert find_method(SimpleNamespace(__call__=1).__class__).name == "SimpleNamespace"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("gb_no_such_module:method", "No module named 'gb_no_such_module'"),
        ("gb_good_tool:methods", "has no attribute 'methods'"),
        ("gb_good_tool:", "cannot be imported"),
        (":method", "cannot be imported"),
        ("gb_bad_import:method", "No module named 'a_module_that_is_not_there'"),
        ("gb_bad_syntax:method", "was never closed"),
        ("gb_bad_start:method", "no device"),
        ("gb_bad_end:method", "SystemExit: usage"),
    ],
)
def test_methods_that_cannot_be_imported(tools, task, name, reason):
    with pytest.raises(ToolError) as caught:
        score(name, task)
    assert repr(name) in str(caught.value)
    assert reason in str(caught.value)


def test_what_is_no_function_is_refused(tools):
    with pytest.raises(ToolError, match=r"'gb_good_tool:value' must be a function .* got int"):
        find_method("gb_good_tool:value")


def test_a_method_that_raises(task):
    def fails(problem):
        return dict.fromkeys(problem.edges, 1 / 0)

    with pytest.raises(ToolError) as caught:
        score(fails, task)
    assert str(caught.value) == (
        f"The method 'fails' must return an answer, and on {task.id} it raised "
        "ZeroDivisionError: division by zero"
    )
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (None, "must map the name of every edge to a number, got NoneType"),
        ([1.0, 2.0], "must map the name of every edge to a number, got list"),
        (np.zeros(7), "must map the name of every edge to a number, got ndarray"),
        ({}, "embed->m0: has no score"),
    ],
)
def test_answers_that_cannot_be_scored(task, answer, message):
    with pytest.raises(AnswerError) as caught:
        score(lambda problem: answer, task)
    assert message in str(caught.value)


def test_edges_that_do_not_exist_are_named(task):
    with pytest.raises(AnswerError, match="'embed->m7': is no edge of this model"):
        score(lambda problem: {**constant(problem), "embed->m7": 1.0}, task)


NO_SHAPE = SimpleNamespace(shape=None)


@pytest.mark.parametrize("value", [math.nan, math.inf, "1", None, np.ones(2), NO_SHAPE])
def test_scores_that_are_no_number(task, value):
    with pytest.raises(AnswerError, match="embed->m0: its score must be a finite number, got"):
        score(lambda problem: {**constant(problem), "embed->m0": value}, task)


# -- suites ------------------------------------------------------------------------


def test_a_failing_method_leaves_the_others_alone(suite):
    def fails_on_sort(problem):
        if len(problem.edges) > 20:
            raise ValueError("too many edges")
        return constant(problem)

    def forgets(problem):
        return {}

    methods = [fails_on_sort, "weight-norm", forgets]
    results = list(score_suite(methods, suite))
    rows = [(result.tool, result.task) for result in results]
    tools = ("fails_on_sort", "weight-norm", "forgets")
    assert rows == [(tool, str(task.id)) for tool in tools for task in suite]
    by_row = dict(zip(rows, results, strict=True))
    failed = by_row["fails_on_sort", str(suite[2].id)]
    assert failed.status == "failed"
    assert "raised ValueError: too many edges" in failed.error
    assert failed.answer_sha256 is None
    assert all(metric.value is None for metric in failed.metrics.values())
    assert failed.task_digest == suite[2].labels.weights
    assert str(failed).startswith("failed: The method 'fails_on_sort' must return")
    assert by_row["forgets", str(suite[0].id)].error.startswith("The answer must give each of")
    done = [result for result in results if result.status == "ok"]
    assert len(done) == 2 + 3
    assert all(r.metrics["edge_average_precision"].floors.prior is not None for r in done)


def test_unknown_methods_stop_a_suite_before_it_starts(suite):
    called = []
    with pytest.raises(TaskError):
        list(score_suite([lambda problem: called.append(1), "no-such"], suite))
    assert not called


def test_priors_are_learned_from_the_other_tasks(suite):
    priors = suite_priors(suite)
    assert {"edge_average_precision", "edge_auroc"} <= set(priors)
    for task in suite:
        assert 0 <= priors["edge_average_precision"][str(task.id)] <= 1
    # With the labels of one task changed only the floors of the others may change.
    result = score(constant, suite[0], priors=priors)
    metric = result.metrics["edge_average_precision"]
    assert metric.floors.prior == priors["edge_average_precision"][str(suite[0].id)]
    assert metric.floor == max(metric.floors.prior, metric.floors.random)


def test_priors_are_those_of_the_tasks_and_of_a_track_that_has_some(suite):
    priors = suite_priors(suite[1:])
    with pytest.raises(TaskError, match=f"of these are none:\n  - {re.escape(str(suite[0].id))}"):
        score(constant, suite[0], priors=priors)
    one_node = [load("reverse[vocab=2,length=3]"), load("length[vocab=2,length=3]")]
    priors = suite_priors(one_node)
    assert {len(prior.answers[prior.best]) for prior in priors.values()} == {1, 2}
    assert all(score(constant, one, priors=priors).status == "ok" for one in one_node)
    with pytest.raises(TaskError, match="The features track learns no prior floors"):
        list(score_suite("pca", suite[:1], "features", priors=priors))


def test_seeds_and_tasks_are_what_they_are_called(task, suite):
    with pytest.raises(TaskError, match=r"Seeds must be integers from 0 on, .*, got \[-1\]"):
        score(constant, task, seed=-1)
    with pytest.raises(TaskError, match="Tasks must be several, got 'histogram'"):
        list(score_suite(constant, "histogram"))
    with pytest.raises(TaskError, match="two are called 'constant'"):
        list(score_suite([constant, Method("constant", len, "", "")], suite[:1]))


def test_results_of_a_suite_can_be_written_and_read(suite, tmp_path):
    from glassbench.evaluators.result import Result

    def fails(problem):
        raise RuntimeError("no")

    for result in score_suite(["weight-norm", fails], suite[:2]):
        assert Result.read(result.write(tmp_path)) == result
    assert len(list(tmp_path.iterdir())) == 4


def test_method_objects_keep_their_names(task):
    method = Method("mine", constant, "2026", "none")
    assert score(method, task).tool == "mine"
    assert score(method, task).tool_version is None


def test_the_quick_suite_is_of_tasks_that_exist():
    from glassbench.benchmark_programs import get_suite

    assert len(get_suite("quick")) == 6
