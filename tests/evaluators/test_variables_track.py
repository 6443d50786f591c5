"""The variables track as a whole: problems posed, answers scored, floors and ceilings."""

import numpy as np
import pytest

from glassbench.errors import AnswerError, BundleError, TaskError
from glassbench.evaluators import (
    KeptAnswer,
    Result,
    VariablesTrack,
    find_track,
    rescored,
    score,
    score_suite,
    scored,
)
from glassbench.evaluators.problem_folder import problem_files
from glassbench.evaluators.variables_floors import DRAWS, true_subspace
from glassbench.evaluators.variables_metrics import InterchangeRuns
from glassbench.evaluators.variables_pairs import KEPT, OWN
from glassbench.evaluators.variables_pose import LEAST_ROOM, posed
from glassbench.evaluators.variables_problem import Subspace
from glassbench.ground_truth import load, make_task
from glassbench.ground_truth.row_space import row_space

CROWDED = "sort[vocab=2,length=3]/crowded[distractors=2,seed=1]/scrambled"
NAMES = ("frac_prevs", CROWDED, "reverse/scrambled")
SUPERPOSED = "sum_mod/superposed[d=14]"
TRACK = VariablesTrack()


def the_key(task):
    """Return a method that knows where the variables are."""

    def method(problem):
        return {name: key.true for name, key in posed(task, problem.seed).keys.items()}

    return method


def whole_stream(depth):
    """Return a method that swaps as much of the stream as it may."""

    def method(problem):
        d_model = problem.model.weights.d_model
        return {
            name: Subspace(problem.hooks[depth], np.eye(question.max_directions, d_model))
            for name, question in problem.variables.items()
        }

    return method


def nothing_read(problem):
    """Swap, at the last hook, what the unembedding does not see."""
    W_U = problem.model.weights.W_U
    unseen = row_space(np.eye(len(W_U)) - row_space(W_U.T).T @ row_space(W_U.T))
    return {name: Subspace(problem.hooks[-1], unseen[:1]) for name in problem.variables}


def what_differs(problem):
    """Swap all that differs at the first hook, where that is allowed, and else nothing."""
    found = nothing_read(problem)
    for name, question in problem.variables.items():
        runs = InterchangeRuns.of(problem.model, question.train)
        rows = row_space((runs.source[0] - runs.base[0])[question.train.where])
        if len(rows) <= question.max_directions:
            found[name] = Subspace(problem.hooks[0], rows)
    return found


def unembedding(problem):
    """Swap what is read out, where that is allowed, and else nothing."""
    found = nothing_read(problem)
    rows = row_space(problem.model.weights.W_U.T)
    for name, question in problem.variables.items():
        if len(rows) <= question.max_directions:
            found[name] = Subspace(problem.hooks[-1], rows)
    return found


@pytest.mark.parametrize("name", [*NAMES, SUPERPOSED])
def test_the_key_earns_the_ceiling(name):
    task = load(name)
    result = score(the_key(task), task, TRACK, seed=2)
    (metric,) = result.metrics.values()
    assert metric.value == metric.ceiling == 1
    assert (metric.normalised, metric.low, metric.high) == (1, 1, 1)
    assert metric.floors.prior is None
    assert metric.floor <= 1 - LEAST_ROOM
    reported = result.reported
    assert reported["overlap"] == pytest.approx(1)
    assert reported["in_window"] == 1
    assert reported["variables"] == len(posed(task, 2).keys)
    assert str(result).startswith("1.00 [1.00, 1.00]   random 0.")


@pytest.mark.parametrize("name", [*NAMES, SUPERPOSED])
@pytest.mark.parametrize("method", [nothing_read, what_differs, unembedding])
def test_what_needs_no_finding_earns_nothing(name, method):
    result = score(method, load(name), TRACK)
    assert result.metrics["interchange_accuracy"].normalised <= 1e-12
    reported = result.reported
    if method is nothing_read:
        assert reported["accuracy_kept"] == 1
        assert reported.get("accuracy_own", 0) == 0
        assert reported["v0_accuracy"] == posed(load(name), 0).keys["v0"].marks.idle


def test_the_whole_stream_is_no_answer():
    task = load(CROWDED)
    d_model = task.compiled.model.weights.d_model

    def everything(problem):
        return dict.fromkeys(problem.variables, Subspace(problem.hooks[3], np.eye(d_model)))

    with pytest.raises(AnswerError, match=f"directions must span at most .* got {d_model}"):
        score(everything, task, TRACK)
    accuracy = score(whole_stream(3), task, TRACK).metrics["interchange_accuracy"]
    assert accuracy.normalised < 0.1


@pytest.mark.parametrize("name", NAMES)
def test_the_random_floor_is_the_mean_over_many_draws(name):
    pose = posed(load(name), 0)
    rng = np.random.default_rng(7)
    for v, key in pose.keys.items():
        runs = InterchangeRuns.of(pose.problem.model, key.held_out)
        shape = (200, pose.problem.variables[v].max_directions, runs.model.weights.d_model)
        drawn = [Subspace(key.true.hook, rows).factors for rows in rng.normal(size=shape)]
        each = runs.hits(key.window[0], drawn).mean(axis=1)
        error = each.std() * np.sqrt(1 / DRAWS + 1 / len(each))
        assert key.marks.random == pytest.approx(each.mean(), abs=4 * error + 1e-9)


def test_each_kind_has_as_many_pairs_and_half_of_them_are_whole():
    pose = posed(load("frac_prevs"), 0)
    (key,) = pose.keys.values()
    assert np.bincount(key.kinds).tolist() == [64, 64, 64]
    result = score(the_key(load("frac_prevs")), "frac_prevs", TRACK)
    for word in ("kept", "as_source", "own"):
        assert result.reported[f"accuracy_{word}"] == 1
    sort = posed(load("sort"), 0)
    for key in sort.keys.values():
        assert np.bincount(key.kinds, minlength=3).tolist() == [96, 0, 96]
        assert set(key.kinds) == {KEPT, OWN}


def test_the_basis_of_a_span_does_not_matter():
    task = load(CROWDED)
    rng = np.random.default_rng(8)

    def drawn(problem):
        return {
            name: Subspace(problem.hooks[4], rng.normal(size=(q.max_directions, d)))
            for name, q in problem.variables.items()
        }

    d = task.compiled.model.weights.d_model
    answer = drawn(TRACK.problem(task, 0))

    def mixed(problem):
        found = {}
        for name, one in answer.items():
            mix = rng.normal(size=(len(one.directions) + 2, len(one.directions)))
            found[name] = Subspace(one.hook, mix @ one.directions)
        return found

    one, other = (score(method, task, TRACK) for method in (lambda _: answer, mixed))
    assert one.metrics == other.metrics
    assert one.answer_sha256 != other.answer_sha256
    for name, number in one.reported.items():
        assert other.reported[name] == pytest.approx(number), name


def test_a_direction_of_a_variable_is_worth_more_than_none():
    task = load("sort/scrambled")
    pose = posed(task, 0)

    def half(problem):
        return {
            name: Subspace(
                key.true.hook, key.true.directions[: max(1, len(key.true.directions) // 2)]
            )
            for name, key in pose.keys.items()
        }

    result = score(half, task, TRACK)
    assert 0 < result.metrics["interchange_accuracy"].value < 1
    sizes = [len(key.true.directions) for key in pose.keys.values()]
    shares = [max(1, size // 2) / size for size in sizes]
    assert result.reported["overlap"] == pytest.approx(np.mean(shares))
    assert result.reported["dimensions"] == np.mean([max(1, size // 2) for size in sizes])
    assert result.reported["max_dimensions"] == np.mean(sizes)


def test_a_hook_after_the_last_reader_does_nothing():
    task = load("sort/scrambled")
    keys = posed(task, 0).keys

    def late(problem):
        return {
            name: Subspace(
                problem.hooks[min(key.window[1] + 1, len(problem.hooks) - 1)], key.true.directions
            )
            for name, key in keys.items()
        }

    reported = score(late, task, TRACK).reported
    assert reported["in_window"] == 0
    assert reported["overlap"] == pytest.approx(1)
    for name in keys:
        assert reported[f"{name}_accuracy"] == keys[name].marks.idle


def test_every_hook_of_the_window_will_do():
    task = load("sort/scrambled")
    keys = posed(task, 0).keys

    def last(problem):
        return {
            name: Subspace(problem.hooks[key.window[1]], key.true.directions)
            for name, key in keys.items()
        }

    assert score(last, task, TRACK).metrics["interchange_accuracy"].value == 1


# -- superposed --------------------------------------------------------------------


def test_superposed_variables_are_read_at_other_directions_than_they_are_written_along():
    task = load(SUPERPOSED)
    keys = posed(task, 0).keys

    def along_what_is_written(problem):
        return {name: Subspace(key.true.hook, key.true.directions) for name, key in keys.items()}

    result = score(along_what_is_written, task, TRACK)
    assert result.metrics["interchange_accuracy"].value < 0.95
    assert result.reported["overlap"] == pytest.approx(1)
    for key in keys.values():
        product = key.true.directions @ key.true.read.T
        np.testing.assert_allclose(product, np.eye(len(product)), atol=1e-8)


def test_in_exact_models_what_is_read_is_what_is_written():
    task = load("sort")
    assert true_subspace(task, "place", task.domain.tokens).read is None


# -- what is kept ------------------------------------------------------------------


def test_what_is_read_back_earns_the_same(tmp_path):
    for name, method in ((SUPERPOSED, the_key(load(SUPERPOSED))), (CROWDED, unembedding)):
        one = scored(method, name, TRACK, seed=1)
        result = Result.read(one.write(tmp_path))
        assert result == one.result
        answer = KeptAnswer.read(tmp_path, result)
        measures = rescored(result, answer, load(name))
        assert dict(measures.metrics) == result.metrics
        assert dict(measures.reported) == result.reported


def test_answers_are_kept_as_arrays():
    one = scored(the_key(load(SUPERPOSED)), SUPERPOSED, TRACK)
    arrays = one.answer.content.arrays
    keys = posed(load(SUPERPOSED), 0).keys
    assert arrays.keys() == {f"{v}/{part}" for v in keys for part in ("hook", "directions", "read")}
    assert arrays["v0/hook"].tolist() == [keys["v0"].window[0]]
    exact = scored(the_key(load("sort")), "sort", TRACK)
    assert "v0/read" not in exact.answer.content.arrays


def test_a_hook_that_is_no_place_is_told():
    problem = TRACK.problem(load(CROWDED), 0)
    content = scored(unembedding, CROWDED, TRACK).answer.content
    for value, shown in (([2.5], r"\[2\.5\]"), ([1.0, 2.0], r"\[1\.0, 2\.0\]"), ([99.0], "99")):
        arrays = {**content.arrays, "v0/hook": np.array(value)}
        with pytest.raises(AnswerError, match=f"v0: its hook must be one of .* got {shown}"):
            TRACK.checked(problem, TRACK.raw(type(content)(arrays=arrays)))


def test_the_same_answer_has_the_same_digest():
    one, again = (score(unembedding, CROWDED, TRACK) for _ in range(2))
    assert one.answer_sha256 == again.answer_sha256
    assert one.metrics == again.metrics
    assert score(what_differs, CROWDED, TRACK).answer_sha256 != one.answer_sha256


def test_a_problem_on_disk_has_the_pairs_and_asks_for_hooks_and_directions():
    problem = TRACK.problem(load(CROWDED), 0)
    content = TRACK.public(problem)
    assert content.facts["hooks"] == list(problem.hooks)
    assert content.facts["max_directions"].keys() == problem.variables.keys()
    d_model = problem.model.weights.d_model
    assert content.asked.arrays["v0/hook"] == (1,)
    assert content.asked.arrays["v0/directions"][1] == d_model
    words = [shape[0] for shape in content.asked.arrays.values() if len(shape) == 2]
    assert len(set(words)) == len(words) == 6
    assert set(content.asked.optional) == {"v0/read", "v1/read", "v2/read"}
    for name, question in problem.variables.items():
        for part, array in vars(question.train).items():
            np.testing.assert_array_equal(content.arrays[f"{name}/{part}"], array)
    text = b" ".join(problem_files("variables", content).values())
    assert not [word for word in (b"place", b"unique_key", b"sort", b"crowded") if word in text]


# -- questions that do not exist ---------------------------------------------------


def test_the_track_is_found_by_name():
    assert find_track("variables") == TRACK
    assert TRACK.question == {}
    assert TRACK.asking({}) is TRACK
    with pytest.raises(BundleError, match=r"The variables track has one question, got {'arm': 1}"):
        TRACK.asking({"arm": 1})


def test_tasks_that_pose_no_question_are_named():
    class Toy:
        id = "toy[n=2,d=1]"

    chain = load("frac_prevs[vocab=2,length=3]")
    short = make_task("is_x = (tokens == 'x'); is_x;", "xy", 3)
    tiny = load("sort[vocab=2,length=1]")
    with pytest.raises(TaskError) as caught:
        TRACK.check([Toy(), load("sort"), chain, short, tiny])
    assert str(caught.value).splitlines() == [
        "The variables track needs programs that compute something on the way to their answers, "
        "and inputs to hold out; leave these tasks out:",
        "  - toy[n=2,d=1]: it has no program; ask about it with --track features "
        "(track='features')",
        "  - frac_prevs-v1[vocab=2,length=3]: to do nothing, or to swap all of the stream, is as "
        "good as to swap any variable",
        f"  - {short.id}: it computes nothing on the way to its answers",
        f"  - {tiny.id}: it must have 4 inputs or more, and has 2",
    ]


def test_the_question_does_not_depend_on_the_seed():
    task = load(CROWDED)
    for seed in (1, 2):
        pose = posed(task, seed)
        assert [key.window for key in pose.keys.values()] == [
            key.window for key in posed(task, 0).keys.values()
        ]


def test_a_failing_answer_leaves_the_others_alone():
    def partly(problem):
        return {}

    results = list(score_suite([partly, unembedding], [load(CROWDED)], TRACK))
    assert [one.status for one in results] == ["failed", "ok"]
    assert "v0: has no answer" in results[0].error


def test_scoring_and_rescoring_from_the_command_line(invoke, tmp_path):
    folder = str(tmp_path / "results")
    arguments = ["--task", CROWDED, "--track", "variables", "-o", folder]
    invoke("score", "linear-probe", "difference-pca", *arguments)
    told = invoke("rescore", folder).output
    assert "2 answers: every number is that of the result." in told
    results = [Result.read(path) for path in (tmp_path / "results").glob("*.json")]
    assert {one.track for one in results} == {"variables"}
    board = invoke("leaderboard", folder, "--track", "variables", "-o", str(tmp_path)).output
    assert "linear-probe" in board
    assert (tmp_path / "leaderboard-variables.md").exists()
