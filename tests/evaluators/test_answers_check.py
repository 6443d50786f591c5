"""Results are those of the answers that are kept beside them, or are refused."""

import json
import shutil

import pytest

from glassbench.errors import BundleError
from glassbench.evaluators import scored_suite
from glassbench.evaluators.answers_check import check_answers
from glassbench.ground_truth import load
from glassbench.leaderboard import read_results

NAMES = ("sort[vocab=2,length=3]", "frac_prevs[vocab=2,length=3]")


def failing(problem):
    raise RuntimeError("no luck")


def guessing(problem):
    return "tokens;"


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Results of three tracks, with their answers: numbers, arrays and texts; and failed runs."""
    made = tmp_path_factory.mktemp("results")
    tasks = [load(name) for name in NAMES]
    for track, methods in (
        ("circuit", ["weight-norm", failing]),
        ("features", ["pca"]),
        ("program", [guessing]),
    ):
        for one in scored_suite(methods, tasks[:1] if track == "program" else tasks, track):
            one.write(made)
    return made


@pytest.fixture
def folder(written, tmp_path):
    """The same, to be changed."""
    return shutil.copytree(written, tmp_path / "results")


def of_track(folder, track):
    """The file of a result of a track that has an answer."""
    files = sorted(folder.glob("*.json"))
    found = [(file, json.loads(file.read_text())) for file in files]
    return next(file for file, one in found if one["track"] == track and one["status"] == "ok")


def refusal(folder, **options):
    with pytest.raises(BundleError) as raised:
        check_answers(folder, read_results(folder), **options)
    assert "holds results that are not those of their answers" in str(raised.value)
    return str(raised.value)


@pytest.mark.parametrize("verify", [False, True])
def test_answers_that_are_theirs(folder, verify):
    done = []
    found = check_answers(
        folder, read_results(folder), verify=verify, advance=lambda: done.append(1)
    )
    assert (found.n_failed, found.without) == (2, ())
    assert (found.n_measured, found.n_compared) == ((5, 0) if verify else (0, 5))
    assert len(done) == 5


def test_results_without_an_answer_are_named_and_not_measured_again(folder):
    file = of_track(folder, "circuit")
    (folder / "answers" / file.name).unlink()
    found = check_answers(folder, read_results(folder))
    assert (found.n_measured, found.n_compared) == (0, 4)
    (name,) = found.without
    assert name.startswith("weight-norm on ")
    assert name.endswith(" (circuit, seed 0)")
    assert f"  - {name}: no answer is kept" in refusal(folder, verify=True)


def edited(file, **fields):
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | fields))
    return content


def test_digests_find_what_was_edited_or_cut_off(folder):
    numbers, text, arrays = (of_track(folder, name) for name in ("circuit", "program", "features"))
    edges = edited(folder / "answers" / numbers.name)["scores"]
    edited(folder / "answers" / numbers.name, scores=dict.fromkeys(edges, 1.0))
    edited(folder / "answers" / text.name, text="indices;")
    file = (folder / "answers" / arrays.name).with_suffix(".safetensors")
    file.write_bytes(file.read_bytes()[:-8])
    told = refusal(folder)
    assert told.count("the answer must have the sha256") == 2
    assert f"{file.name} must have the sha256" in told
    assert told.count("\n  - ") == 3


def test_the_answer_of_another_run(folder):
    first, second = (of_track(folder, name) for name in ("circuit", "program"))
    (folder / "answers" / first.name).write_text((folder / "answers" / second.name).read_text())
    assert "is not the answer of its result" in refusal(folder)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_was_edited_together_is_found_by_measuring_again(folder, jobs):
    file = of_track(folder, "circuit")
    content = edited(file)
    metric = content["metrics"]["edge_auroc"]
    edited(
        file,
        metrics=content["metrics"] | {"edge_auroc": metric | {"value": 1.0, "normalised": 1.0}},
    )
    assert check_answers(folder, read_results(folder)).n_compared == 5
    told = refusal(folder, verify=True, jobs=jobs)
    assert "numbers differ from those of the result" in told
    assert "edge_auroc, value: must be " in told


def test_a_task_that_cannot_be_made(folder):
    results = [one.model_copy(update={"task": "historgam"}) for one in read_results(folder)]
    for one in results:
        (folder / "answers" / one.file_name).write_text("{}")
    with pytest.raises(BundleError) as raised:
        check_answers(folder, results, verify=True)
    assert str(raised.value).count("the task cannot be made: ") == 5


def submitted(file):
    """Let a result say that it came in with a submission."""
    told = json.loads(file.read_text()).get("told", {})
    edited(file, told=told | {"submission": "0" * 64})


def test_what_was_submitted_is_measured_again_unless_it_is_asked_for(folder):
    file = of_track(folder, "circuit")
    submitted(file)
    found = check_answers(folder, read_results(folder))
    assert (found.n_measured, found.n_compared) == (1, 4)
    assert found.states[file.name] == "measured"

    made_up = {"value": 1.0, "normalised": 1.0}
    numbers = json.loads(file.read_text())["metrics"]
    edited(file, metrics=numbers | {"edge_auroc": numbers["edge_auroc"] | made_up})
    assert "edge_auroc, value: must be " in refusal(folder)
    assert check_answers(folder, read_results(folder), verify=False).n_compared == 5

    (folder / "answers" / file.name).unlink()
    assert refusal(folder).endswith("(circuit, seed 0): no answer is kept")
    assert len(check_answers(folder, read_results(folder), verify=False).without) == 1
