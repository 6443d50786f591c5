"""The features track as a whole: problems posed, answers scored, questions that are told apart."""

import numpy as np
import pytest

from glassbench.errors import TaskError, ToolError
from glassbench.evaluators import (
    TRACKS,
    CircuitTrack,
    FeaturesTrack,
    FoundFeatures,
    Method,
    Result,
    built_in,
    find_track,
    score,
    score_suite,
)
from glassbench.evaluators.features_metrics import oracle
from glassbench.evaluators.features_problem import N_HELD_OUT, N_TRAIN
from glassbench.ground_truth import feature_data, load

NAMES = ("sort[vocab=2,length=3]", "frac_prevs[vocab=2,length=3]/scrambled")
LAST, MIDDLE = "blocks.2.hook_resid_post", "blocks.0.hook_resid_mid"
METRICS = {
    "matched_cosine",
    "mean_max_cosine",
    "recovered_at_0.9",
    "activation_f1",
    "activation_auroc",
}


@pytest.fixture(scope="module")
def task():
    return load(NAMES[0])


def the_key(task, arm="model"):
    """Return a method that knows the key."""
    data = feature_data(task, arm)

    def method(problem):
        return {
            hook: oracle(data.key(hook), data.rows(hook, N_TRAIN, N_HELD_OUT, problem.seed)[1])
            for hook in problem.hooks
        }

    return method


def one_direction(problem):
    return {
        hook: FoundFeatures(np.eye(1, rows.train.shape[1]), rows.held_out[:, :1])
        for hook, rows in problem.hooks.items()
    }


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("arm", ["model", "independent"])
def test_the_key_earns_the_ceiling(name, arm):
    task = load(name)
    result = score(the_key(task, arm), task, FeaturesTrack(arm), seed=2)
    assert set(result.metrics) == METRICS
    for metric_name, metric in result.metrics.items():
        assert metric.value == pytest.approx(metric.ceiling) == pytest.approx(1), metric_name
        assert metric.normalised == pytest.approx(1)
        assert 0 <= metric.floor < 1
        assert metric.floors.prior is None
    assert result.reported["unexplained_variance"] == pytest.approx(0, abs=1e-9)
    assert str(result).startswith("1.00 [1.00, 1.00]   random 0.")


def test_a_result_says_what_was_asked(task, tmp_path):
    result = score("pca", task, "features", seed=3)
    assert (result.tool, result.track, result.seed) == ("pca", "features", 3)
    assert result.primary == "matched_cosine"
    assert result.question == {}
    assert result.task_digest == task.labels.weights
    assert result.tool_version is not None
    names = {"directions", "duplicate_directions", "dead_units", "unexplained_variance"}
    assert set(result.reported) == names | {"classes", "classes_without_activity"}
    other = score("pca", task, FeaturesTrack("independent", (MIDDLE, LAST)), seed=3)
    assert other.question == {"arm": "independent", "hooks": [MIDDLE, LAST]}
    assert other.file_name != result.file_name
    for one in (result, other):
        assert Result.read(one.write(tmp_path)) == one


def test_the_same_answer_has_the_same_digest(task):
    one, again = (score("ica", task, "features") for _ in range(2))
    assert one.answer_sha256 == again.answer_sha256
    assert one.metrics == again.metrics
    assert score("pca", task, "features").answer_sha256 != one.answer_sha256


def test_several_hooks_are_averaged(task):
    each = [score("pca", task, FeaturesTrack(hooks=(hook,))) for hook in (MIDDLE, LAST)]
    both = score("pca", task, FeaturesTrack(hooks=[MIDDLE, LAST]))
    assert FeaturesTrack(hooks=MIDDLE) == FeaturesTrack(hooks=(MIDDLE,))
    for name, metric in both.metrics.items():
        assert metric.value == pytest.approx(np.mean([one.metrics[name].value for one in each]))
        floors = [one.metrics[name].floors.random for one in each]
        assert metric.floors.random == pytest.approx(np.mean(floors))
    for name in ("directions", "classes"):
        assert both.reported[name] == sum(one.reported[name] for one in each)
    default = score("pca", task, "features")
    assert default.metrics == each[1].metrics


def test_the_floor_is_the_same_for_every_method(task):
    results = list(score_suite(["pca", "neuron-basis", one_direction], [task], "features"))
    floors = {one.metrics["matched_cosine"].floor for one in results}
    assert len(floors) == 1
    assert results[1].metrics["matched_cosine"].value == pytest.approx(1)  # nothing is hidden
    assert results[2].metrics["matched_cosine"].normalised < 0


def test_reported_numbers_are_no_metrics(task):
    result = score("pca", task, "features")
    assert not set(result.reported) & set(result.metrics)


# -- questions that do not exist ---------------------------------------------------


def test_tracks_are_found_by_name():
    assert list(TRACKS) == ["circuit", "attribution", "features", "variables", "program"]
    assert find_track("features") == FeaturesTrack()
    own = FeaturesTrack("independent")
    assert find_track(own) is own
    assert CircuitTrack().question == {}
    with pytest.raises(TaskError, match=r"no track 'feature'\. Did you mean 'features'\?"):
        find_track("feature")


def test_methods_answer_their_own_track(task):
    with pytest.raises(TaskError) as caught:
        score("pca", task)
    assert str(caught.value) == (
        "The method 'pca' answers the features track, and the circuit track was asked; ask with "
        "--track features (track='features'), or take one that answers it: "
        + ", ".join(built_in("circuit"))
    )
    with pytest.raises(TaskError, match="'eap' answers the circuit track, and the features track"):
        list(score_suite(["pca", "eap"], [task], "features"))
    stated = Method("mine", one_direction, "2026", "none", "features")
    assert score(stated, task, "features").tool == "mine"
    with pytest.raises(TaskError, match="'mine' answers the features track"):
        score(stated, task)


def test_hooks_and_arms_that_do_not_exist_are_named(task):
    with pytest.raises(TaskError) as caught:
        score("pca", task, FeaturesTrack(hooks=("blocks.7.hook_resid_pre",)))
    assert str(caught.value).startswith(
        "The features track needs features that vary at every hook:\n"
        "  - sort-v1[vocab=2,length=3]: has no hook 'blocks.7.hook_resid_pre'; it has "
        "blocks.0.hook_resid_pre, "
    )
    with pytest.raises(TaskError, match="An arm must be one of 'model', 'independent', got 'x'"):
        score("pca", task, FeaturesTrack("x"))


def test_a_failing_method_leaves_the_others_alone(task):
    scrambled = load(NAMES[1])
    results = list(score_suite(["nmf", "pca"], [task, scrambled], "features"))
    assert [one.status for one in results] == ["ok", "failed", "ok", "ok"]
    failed = results[1]
    assert failed.track == "features"
    assert "ToolError: nmf needs rows without negative entries, and the lowest are" in failed.error
    assert not failed.reported
    with pytest.raises(ToolError, match="take a method that allows them"):
        score("nmf", scrambled, "features")


def test_the_circuit_track_needs_a_compiled_model(task):
    class Toy:
        id = "toy[n=2,d=1]"
        digest = "0" * 64

        def feature_data(self, arm):
            return feature_data(task, arm)

    with pytest.raises(TaskError, match=r":\n  - toy.*ask about it with --track features"):
        score("eap", Toy())
    result = score(the_key(task), Toy(), "features")
    assert (result.task, result.task_digest) == ("toy[n=2,d=1]", "0" * 64)
    assert result.metrics["matched_cosine"].value == pytest.approx(1)
