"""Answers on disk: written beside their results, read strictly, and measured again."""

import json
from dataclasses import replace

import numpy as np
import pytest

from glassbench.errors import BundleError, TaskError
from glassbench.evaluators import (
    TRACKS,
    FeaturesTrack,
    FoundFeatures,
    KeptAnswer,
    Result,
    rescored,
    score,
    score_suite,
    scored,
    scored_suite,
)
from glassbench.ground_truth import load
from glassbench.ground_truth.array_file import save_arrays

TASK = "sort[vocab=2,length=3]"
HOOKS = ("blocks.0.hook_resid_mid", "blocks.2.hook_resid_post")
TOY = "toy_superposition[n=4,d=2,sparsity=50]"


@pytest.fixture(scope="module")
def task():
    return load(TASK)


def drawn_features(problem):
    """Directions and activations that float32 has not, one of them dead."""
    rng = np.random.default_rng(problem.seed)
    found = {}
    for hook, rows in problem.hooks.items():
        directions = rng.normal(size=(3, rows.train.shape[1]))
        activations = rows.held_out @ directions.T / 3 * [1, 1e-3, 0]
        found[hook] = FoundFeatures(directions, activations)
    return found


def nothing_found(problem):
    return {
        hook: FoundFeatures(np.zeros((0, rows.train.shape[1])), np.zeros((len(rows.held_out), 0)))
        for hook, rows in problem.hooks.items()
    }


def drawn_scores(problem):
    rng = np.random.default_rng(0)
    return {edge: rng.normal() / 3 for edge in problem.edges}


CASES = [
    ("pca", TASK, "features"),
    (drawn_features, TASK, FeaturesTrack("independent", HOOKS)),
    (nothing_found, TASK, "features"),
    (drawn_features, TOY, "features"),
    ("weight-norm", TASK, "circuit"),
    (drawn_scores, TASK, "circuit"),
]


@pytest.mark.parametrize(("method", "name", "track"), CASES)
def test_what_is_read_back_earns_the_same(method, name, track, tmp_path):
    one = scored(method, name, track, seed=3)
    file = one.write(tmp_path)
    result = Result.read(file)
    assert result == one.result
    answer = KeptAnswer.read(tmp_path, result)
    assert answer.record == one.answer.record
    measures = rescored(result, answer, load(name))
    assert dict(measures.metrics) == result.metrics
    assert dict(measures.reported) == result.reported


def test_scores_do_not_depend_on_whether_answers_are_kept(task):
    one = scored("pca", task, "features").result
    assert one.metrics == score("pca", task, "features").metrics


def test_activations_are_float32_and_directions_are_whole(task, tmp_path):
    one = scored(drawn_features, task, "features")
    one.write(tmp_path)
    problem = TRACKS["features"].problem(task, 0)
    (given,), (hook,) = drawn_features(problem).values(), problem.hooks
    kept = KeptAnswer.read(tmp_path, one.result).content.arrays
    np.testing.assert_array_equal(kept[f"{hook}/directions"], given.directions)
    assert kept[f"{hook}/activations"].dtype == np.float32
    np.testing.assert_array_equal(kept[f"{hook}/activations"], given.activations.astype(np.float32))


def test_a_suite_keeps_what_was_answered(task, tmp_path):
    def fails(problem):
        raise RuntimeError("no")

    for one in scored_suite(["weight-norm", fails], [task]):
        one.write(tmp_path)
        assert (one.answer is None) == (one.result.status == "failed")
    assert len(list(tmp_path.glob("*.json"))) == 2
    (file,) = (tmp_path / "answers").iterdir()
    assert (tmp_path / file.name).exists()
    results = list(score_suite(["weight-norm", fails], [task]))
    assert [one.status for one in results] == ["ok", "failed"]


@pytest.fixture
def features(task, tmp_path):
    """The result of an answer of arrays, written; and its two files."""
    one = scored("pca", task, "features")
    one.write(tmp_path)
    (arrays,) = (tmp_path / "answers").glob("*.safetensors")
    return one.result, arrays.with_suffix(".json"), arrays


def test_a_file_that_is_missing(features, tmp_path):
    result, file, arrays = features
    arrays.unlink()
    with pytest.raises(BundleError, match=r"\.safetensors must be kept with the result: No such"):
        KeptAnswer.read(tmp_path, result)
    file.unlink()
    with pytest.raises(BundleError, match=r"\.json must be kept with the result: No such"):
        KeptAnswer.read(tmp_path, result)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 1}, "seed: must be 0 as in the result, got 1"),
        ({"answer_sha256": "0" * 64}, "answer_sha256: must be "),
        ({"array_file": "f" * 32 + ".safetensors"}, "array_file: must be "),
        ({"array_file": "../a.safetensors"}, "array_file: String should match pattern"),
        ({"array_file_sha256": "0" * 64}, "must have the sha256 00000"),
        ({"array_file": None}, "arrays, array_file and array_file_sha256 go together"),
        ({"scores": {}}, "an answer has scores, a text or arrays, and one of them alone"),
        ({"more": 1}, "more: Extra inputs are not permitted"),
        ({"format_version": "2.0"}, "use the version of Glassbench that wrote it"),
    ],
)
def test_a_record_that_was_edited(features, tmp_path, change, message):
    result, file, _ = features
    file.write_text(json.dumps(json.loads(file.read_text()) | change))
    with pytest.raises(BundleError) as caught:
        KeptAnswer.read(tmp_path, result)
    assert message in str(caught.value)


def edited(features, change):
    """Write the arrays anew, so that their file is whole and says something else."""
    import hashlib

    from safetensors.numpy import load_file

    _, file, place = features
    arrays = load_file(place)
    content = save_arrays({name: change(array) for name, array in arrays.items()})
    place.write_bytes(content)
    record = json.loads(file.read_text())
    record["array_file_sha256"] = hashlib.sha256(content).hexdigest()
    file.write_text(json.dumps(record))


def test_arrays_that_were_edited(features, task, tmp_path):
    result, _, _ = features
    edited(features, lambda array: array * 2)
    with pytest.raises(BundleError, match="the answer must have the sha256"):
        rescored(result, KeptAnswer.read(tmp_path, result), task)
    edited(features, lambda array: array[:1])
    with pytest.raises(BundleError, match="does not hold the arrays that it should"):
        KeptAnswer.read(tmp_path, result)


def test_arrays_that_are_not_finite(features, tmp_path):
    edited(features, lambda array: array * np.float32("nan"))
    with pytest.raises(BundleError, match="must be finite"):
        KeptAnswer.read(tmp_path, features[0])


def test_numbers_that_differ_are_named(features, task, tmp_path):
    result, _, _ = features
    answer = KeptAnswer.read(tmp_path, result)
    metric = result.metrics["matched_cosine"]
    better = metric.of(metric.value + 0.1, random=metric.floors.random, ceiling=metric.ceiling)
    other = result.model_copy(
        update={
            "metrics": result.metrics | {"matched_cosine": better},
            "reported": result.reported | {"dead_units": 7.0},
        }
    )
    with pytest.raises(BundleError) as caught:
        rescored(other, answer, task)
    told = str(caught.value)
    assert told.startswith(f"pca on {task.id}: numbers differ from those of the result:\n")
    assert (
        f"matched_cosine, value: must be {metric.value:.9g}, got {metric.value + 0.1:.9g}" in told
    )
    assert "matched_cosine, low: must be " in told
    assert "reported dead_units: must be 0, got 7" in told


def test_another_task_is_refused(features, tmp_path):
    result, _, _ = features
    answer = KeptAnswer.read(tmp_path, result)
    with pytest.raises(BundleError, match=r"the task must be sort-v1\[vocab=2,length=3\] with"):
        rescored(result, answer, load("sort[vocab=2,length=2]"))


def test_questions_that_are_recorded_are_asked_again():
    for track in (FeaturesTrack(), FeaturesTrack("independent"), FeaturesTrack(hooks=HOOKS)):
        assert TRACKS["features"].asking(track.question) == track
    assert TRACKS["circuit"].asking({}) is TRACKS["circuit"]
    for question in ({"arms": "x"}, {"arm": 3}, {"hooks": "a"}, {"hooks": [1]}):
        with pytest.raises(BundleError, match="has an arm and a list of hooks, got"):
            TRACKS["features"].asking(question)
    with pytest.raises(BundleError, match="has one question, got"):
        TRACKS["circuit"].asking({"arm": "model"})


def test_a_task_that_does_not_pose_the_question(task):
    one = scored("weight-norm", task)
    with pytest.raises(TaskError, match="circuit track"):
        rescored(one.result, one.answer, load(TOY))


def test_an_answer_of_another_content(task):
    one = scored("weight-norm", task)
    other = replace(one.answer, content=scored(drawn_scores, task).answer.content)
    with pytest.raises(BundleError, match="the answer must have the sha256"):
        rescored(one.result, other, task)
