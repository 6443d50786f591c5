"""The attribution track as a whole: problems posed, answers scored, kept and scored again."""

import json

import numpy as np
import pytest

from glassbench.benchmark_programs import SUITES, get_suite
from glassbench.benchmark_programs.relevance_measures import measured_relevance
from glassbench.benchmark_programs.suites import Suite
from glassbench.compiler import rasp
from glassbench.errors import BundleError, TaskError
from glassbench.evaluators import (
    AttributionTrack,
    KeptAnswer,
    Result,
    attribution_track,
    rescored,
    score,
    score_suite,
    scored,
)
from glassbench.evaluators.attribution_metrics import (
    AUROC,
    MASS,
    PRIMARY,
    SPEARMAN,
    per_answer,
    varying,
)
from glassbench.evaluators.attribution_track import posed
from glassbench.evaluators.intervals import Interval, grouped_mean_interval
from glassbench.ground_truth import load, load_bundle, make_task, write_bundle

SORT, FRACTION = "sort-v1[vocab=2,length=3]", "frac_prevs-v1[vocab=2,length=3]"
NAMES = (
    SORT,
    f"{SORT}/crowded[distractors=2,seed=0]/scrambled[seed=0]",
    f"{FRACTION}/scrambled[seed=0]",
    "frac_prevs-v1/superposed[d=8,seed=0]",
)
SENSITIVITY, SHAPLEY = (PRIMARY, AUROC), (SPEARMAN, MASS)


def with_bos(array):
    """Return labels `[rows, n, n]` by the positions of token ids."""
    return np.pad(array.astype(float), ((0, 0), (1, 0), (1, 0)))


def the_labels(task, name):
    """Return a method that knows the labels."""
    labels = getattr(posed(task, 3).relevance, name)
    return lambda problem: with_bos(labels)


def first_token(problem):
    """Return 1 for the first token, whatever is asked."""
    answer = np.zeros(problem.answer_shape)
    answer[:, :, 1] = 1
    return answer


@pytest.mark.parametrize("name", NAMES)
def test_the_labels_earn_the_ceiling_in_every_regime(name):
    task = load(name)
    for label, metrics in (("sensitivity", SENSITIVITY), ("shapley", SHAPLEY)):
        result = score(the_labels(task, label), task, "attribution", seed=3)
        assert set(result.metrics) == {*SENSITIVITY, *SHAPLEY}
        for metric_name in metrics:
            metric = result.metrics[metric_name]
            assert metric.value == pytest.approx(metric.ceiling), metric_name
            assert metric.normalised == pytest.approx(1)
            assert metric.floor < metric.ceiling
            assert metric.floors.prior is None
    assert str(result).split("   ")[1].startswith("random 0.")


def test_all_regimes_of_a_program_have_the_same_labels():
    one, crowded = (posed(load(name), 0) for name in NAMES[:2])
    np.testing.assert_array_equal(one.problem.tokens, crowded.problem.tokens)
    np.testing.assert_array_equal(one.relevance.sensitivity, crowded.relevance.sensitivity)
    np.testing.assert_array_equal(one.relevance.shapley, crowded.relevance.shapley)
    track = AttributionTrack()
    assert track.digest(load(NAMES[0])) != track.digest(load(NAMES[1]))


def test_a_result_says_what_was_asked(tmp_path):
    task = load(NAMES[1])
    result = score(first_token, task, AttributionTrack(), seed=2)
    assert (result.track, result.seed, result.primary) == ("attribution", 2, PRIMARY)
    assert result.question == {}
    assert result.task_digest == task.labels.weights
    found = posed(task, 2).relevance
    assert result.reported == {
        "answers": found.real.sum(),
        "answers_ranked": found.n_rankable,
        "answers_on_no_token": (~found.sensitivity.any(axis=2) & found.real).sum(),
        "answers_on_every_token": found.n_excluded
        - (~found.sensitivity.any(axis=2) & found.real).sum(),
        "answers_with_even_shapley": found.real.sum() - varying(found).sum(),
    }
    own = per_answer(found, np.broadcast_to(np.eye(1, 3), found.sensitivity.shape))[PRIMARY]
    of_inputs = grouped_mean_interval(own.values, own.rows, seed=2)
    leading = result.metrics[PRIMARY]
    assert Interval(leading.low, leading.high) == of_inputs
    assert leading.low < leading.value == own.mean < leading.high
    assert result.metrics[AUROC].low is None
    assert Result.read(result.write(tmp_path)) == result


def test_a_constant_answer_earns_nothing():
    for result in score_suite(
        lambda problem: np.full(problem.answer_shape, 0.5),
        [load(name) for name in NAMES],
        "attribution",
    ):
        for metric in result.metrics.values():
            assert metric.value == pytest.approx(metric.floors.random)
            assert metric.normalised <= 1e-12


def test_a_suite_has_prior_floors():
    tasks = [load(name) for name in (SORT, FRACTION, "reverse[vocab=2,length=3]")]
    track = AttributionTrack()
    priors = track.priors(tasks)
    results = list(score_suite([first_token, "occlusion"], tasks, "attribution"))
    assert len(results) == 6
    for result in results:
        for name, metric in result.metrics.items():
            assert metric.floors.prior == priors[name][result.task]
            assert metric.floor == max(metric.floors.random, metric.floors.prior)
    assert {result.metrics[PRIMARY].normalised for result in results[3:]} == {1.0}


def test_large_domains_have_the_sensitivity_alone():
    task = load("shift[vocab=11,length=6]")
    assert not task.domain.exhaustive
    result = score("occlusion", task, "attribution")
    assert set(result.metrics) == set(SENSITIVITY)
    assert result.metrics[PRIMARY].value == 1
    assert "answers_with_even_shapley" not in result.reported


def test_bundles_are_asked_about_alike(tmp_path):
    task = load(SORT)
    again = load_bundle(write_bundle(task, tmp_path / "bundle"))
    assert again is not task
    one, other = (score("sampled-shapley", each, "attribution", seed=1) for each in (task, again))
    assert one.metrics == other.metrics
    assert (one.answer_sha256, one.task_digest) == (other.answer_sha256, other.task_digest)


# -- answers on disk ---------------------------------------------------------------


def test_answers_are_kept_and_measured_again(tmp_path):
    task = load(NAMES[1])
    one = scored("gradient-x-input", task, "attribution", seed=4)
    one.write(tmp_path)
    kept = KeptAnswer.read(tmp_path, one.result)
    (name,) = kept.content.arrays
    assert (name, kept.content.arrays[name].dtype) == ("attribution", np.float32)
    assert dict(rescored(one.result, kept, task).metrics) == one.result.metrics
    with pytest.raises(BundleError, match="the task must be "):
        rescored(one.result, kept, load(SORT))


def test_an_answer_without_its_array_is_refused():
    task = load(SORT)
    track = AttributionTrack()
    nothing = track.raw(type(scored("occlusion", task, "attribution").answer.content)())
    with pytest.raises(Exception, match="it must hold real numbers, got NoneType"):
        track.checked(track.problem(task, 0), nothing)


# -- questions that cannot be asked ------------------------------------------------


def test_tasks_without_anything_to_rank_are_refused_all_at_once():
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    everywhere = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.TRUE)
    length = make_task(rasp.SelectorWidth(everywhere).named("n"), "ab", 3)
    fine = make_task(rasp.SelectorWidth(same).named("k"), "abc", 4)
    toy = load("toy_superposition[n=4,d=2,sparsity=50]")
    with pytest.raises(TaskError) as caught:
        list(score_suite("occlusion", [length, toy, fine], "attribution"))
    assert str(caught.value).splitlines() == [
        "The attribution track ranks the tokens of an input by whether an answer depends on "
        "them, and these tasks have nothing to rank; leave them out, or take the suite "
        "'relevance', where all have:",
        f"  - {length.id}: no answer depends on some tokens and not on others",
        f"  - {toy.id}: it has no program; ask about it with --track features (track='features')",
    ]


def test_a_seed_that_draws_nothing_to_rank_is_told(monkeypatch):
    task = load(SORT)
    empty = posed(task, 0)
    nothing = np.zeros_like(empty.relevance.sensitivity)
    pose = attribution_track.AttributionPose(
        empty.problem,
        attribution_track.Relevance(empty.relevance.lengths, nothing, None, None, ""),
        {},
        {},
    )
    monkeypatch.setattr(attribution_track, "posed", lambda task, seed: pose if seed else empty)
    with pytest.raises(TaskError, match=r"not on others with seed 7; take another$"):
        score("occlusion", task, "attribution", seed=7)


def test_there_is_one_question():
    track = AttributionTrack()
    assert track.asking({}) is track
    with pytest.raises(BundleError, match=r"one question, got \{'arm': 'model'\}"):
        track.asking({"arm": "model"})


# -- the command line --------------------------------------------------------------


@pytest.fixture
def run(tmp_path, monkeypatch, invoke):
    """Run the command in an empty folder, with a tiny suite."""
    monkeypatch.chdir(tmp_path)
    tasks = (SORT, FRACTION)
    monkeypatch.setitem(SUITES, "tiny", Suite("Small ones.", lambda: tasks))
    return invoke


def test_methods_are_scored_ranked_and_scored_again(run, tmp_path):
    asked = ("--suite", "tiny", "--track", "attribution")
    out = run("score", "occlusion", "attention-rollout", *asked).stdout
    assert "Spearman" in out
    assert "prior" in out
    run("score", "weight-norm", "--suite", "tiny")
    out = run("leaderboard", "-o", "board", "--track", "attribution").stdout
    assert "weight-norm" not in out
    table = (tmp_path / "board" / "leaderboard-attribution.md").read_text()
    assert "attention-rollout" in table
    assert "occlusion" not in run("leaderboard", "-o", "board").stdout
    out = run("rescore", "glassbench-results/results").stdout
    assert "6 answers: every number is that of the result." in out


def test_a_kept_answer_that_was_changed_is_found(run, tmp_path):
    run("score", "occlusion", "--task", SORT, "--track", "attribution", "-o", "out")
    (file,) = (tmp_path / "out").glob("*.json")
    content = json.loads(file.read_text())
    content["metrics"][SPEARMAN]["value"] += 0.1
    content["metrics"][SPEARMAN]["normalised"] += 0.1
    file.write_text(json.dumps(content))
    error = run("rescore", "out", code=1).stderr
    assert f"{SPEARMAN}, value: must be " in error


def test_what_cannot_be_asked_about_is_refused_before_it_is_made(run, monkeypatch):
    from glassbench import ground_truth

    def load_nothing(name):
        raise AssertionError(f"{name} must not be loaded")

    monkeypatch.setattr(ground_truth, "load", load_nothing)
    error = run("score", "occlusion", "--suite", "toys", "--track", "attribution", code=1).stderr
    assert "it has no program; ask about it with --track features" in error
    measured = [one.task for one in measured_relevance().values() if not one.ranked]
    tasks = [word for task in measured[:2] for word in ("--task", task)]
    error = run("score", "occlusion", *tasks, "--track", "attribution", code=1).stderr
    assert "take the suite 'relevance'" in error
    why = "no answer depends on some tokens and not on others"
    assert error.splitlines()[-2:] == [f"  - {task}: {why}" for task in measured[:2]]


def test_of_core_five_tasks_cannot_be_asked_about():
    with pytest.raises(TaskError) as caught:
        AttributionTrack().check_named(get_suite("core"))
    named = [line for line in str(caught.value).splitlines() if line.startswith("  - ")]
    assert [line.split("-v1")[0] for line in named] == [
        "  - count",
        "  - length",
        "  - count_above_average",
        "  - parity",
        "  - sum_mod",
    ]
    AttributionTrack().check_named(get_suite("relevance"))
