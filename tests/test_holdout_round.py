"""The example of a hold-out round runs, and what it hands out tells nothing of its tasks."""

import json
import runpy
import shutil
from pathlib import Path

import pytest

from glassbench.errors import BundleError
from glassbench.evaluators.answers_check import check_answers

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"

SEED = 2**64 + 7


@pytest.fixture(scope="module")
def example():
    if shutil.which("sh") is None or shutil.which("awk") is None:
        pytest.skip("a tool of the example is in shell and awk")
    return runpy.run_path(str(EXAMPLES / "holdout_round.py"))


@pytest.fixture(scope="module")
def played(example, tmp_path_factory):
    folder = tmp_path_factory.mktemp("round")
    return folder, example["main"](folder, SEED)


def test_every_answer_is_measured_on_the_tasks_that_were_committed_to(played):
    folder, results = played
    assert len(results) == 4
    assert {one.tool for one in results} == {"Each edge alone", "Norms, by awk"}
    assert all(one.status == "ok" and one.task.startswith("fresh_easy_") for one in results)
    mean = {
        tool: sum(one.metrics[one.primary].value for one in results if one.tool == tool) / 2
        for tool in ("Each edge alone", "Norms, by awk")
    }
    assert mean["Each edge alone"] > mean["Norms, by awk"]
    assert check_answers(folder / "results", results).n_measured == 4


def test_the_round_ends_in_a_ranking(played, example, tmp_path):
    folder, _ = played
    table = example["anyone_ranks"](folder / "results", tmp_path / "board")
    ranked = [line.split("|")[1:3] for line in table.splitlines() if line.startswith("| 1-2 ")]
    assert {name.strip() for _, name in ranked} == {"Each edge alone", "Norms, by awk"}


def test_what_is_handed_out_before_the_reveal_names_no_task(played):
    folder, results = played
    seed = json.loads((folder / "public" / "secret.json").read_text())["seed"]
    names = [part.encode() for one in results for part in (one.task, one.task.split("-")[0])]
    files = [path for path in (folder / "public" / "problems").rglob("*") if path.is_file()]
    assert len(files) == 4 * 2 + 1
    for path in files:
        content = path.read_bytes()
        assert not [name for name in (*names, seed.encode()) if name in content]
    handed_in = list((folder / "submissions").rglob("*.json"))
    assert len(handed_in) == 2 + 4
    assert all(seed not in path.read_text() for path in handed_in)


def test_a_secret_that_was_exchanged_after_the_answers_is_refused(played, example, tmp_path):
    folder, _ = played
    public = shutil.copytree(folder / "public", tmp_path / "public")
    file = public / "secret.json"
    secret = json.loads(file.read_text())
    file.write_text(json.dumps(secret | {"seed": str(int(secret["seed"]) + 1)}))
    with pytest.raises(BundleError, match="The secret is not what was committed to"):
        example["anyone_measures"](public, folder / "submissions", tmp_path / "results")


def test_an_answer_to_another_problem_is_refused(played, example, tmp_path):
    folder, _ = played
    submissions = shutil.copytree(folder / "submissions", tmp_path / "submissions")
    first, second = sorted((submissions / "edges" / "answers").iterdir())
    shutil.copy(first / "answer.json", second / "answer.json")
    with pytest.raises(BundleError, match="must repeat the id in problem"):
        example["anyone_measures"](folder / "public", submissions, tmp_path / "results")
