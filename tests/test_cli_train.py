"""`glassbench train` and `glassbench splice`: what they print and write, and what they refuse."""

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.compiler.interchange_training import TrainingRecipe
from glassbench.ground_truth import (
    bundle_identity,
    load,
    load_bundle,
    read_bundle,
    stored_trainings,
    task_building,
    training,
)
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth.training_history import TrainingHistory
from glassbench.ground_truth.training_record import TrainingRecord

TASK = str(next(task for task in get_suite("trained") if task.name == "length"))


@pytest.fixture
def run(tmp_path, monkeypatch, invoke):
    """Run a command in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return partial(invoke)


@pytest.fixture
def untrained(monkeypatch):
    """Have nothing trained: what comes out is what is stored."""

    def train(task, original, starts, *, recipe, checkpoint, progress):
        progress(recipe.chunk, "as it is")
        gate, made = load(str(task)).training, []
        for start in starts:
            history = TrainingHistory(
                start=start,
                starts=tuple(starts),
                steps=recipe.steps,
                seconds=0.1,
                measured=3,
                recipe={},
                versions={},
            )
            made.append(training.Trained(task, original, replace(gate, history=history), 0.5))
        return tuple(made)

    monkeypatch.setattr(training, "train", train)


@pytest.fixture
def nothing_stored(untrained, monkeypatch):
    """Have no task stored, once what `untrained` gives is loaded."""
    load(TASK)
    monkeypatch.setattr(stored_trainings, "stored_training_ids", tuple)
    monkeypatch.setattr(task_building, "stored_training", lambda *_: None)
    monkeypatch.setattr(bundle_identity, "stored_training", lambda *_: None)


@pytest.mark.usefixtures("untrained")
def test_what_is_stored_is_not_written_with_other_weights(run):
    told = run("train", TASK, "-o", "bundles", code=1).stderr
    assert "comes with the package, and no other weights can bear its id" in told
    assert "glassbench build" in told
    assert not Path("bundles").exists()


@pytest.mark.usefixtures("nothing_stored")
def test_what_passes_is_told_and_written(run):
    out = run("train", TASK, "--starts", "2", "--steps", "2000", "-o", "bundles").stdout
    rows = [line.split() for line in out.splitlines() if line.strip().startswith(("0 ", "1 "))]
    assert [row[:3] for row in rows] == [["0", "yes", "2,000"], ["1", "yes", "2,000"]]
    place = out.split("Written: ")[1].strip()
    written = load_bundle(place)
    assert written.id == TaskId.parse(TASK)
    assert written.training.history.measured == 3
    assert "So far they measured 3 models of this training." in " ".join(out.split())
    assert "certificates hold" in run("verify", place).stdout


def test_what_does_not_pass_says_why(run):
    out = run("train", "histogram/trained[d=4,heads=1]", "--steps", "1", code=1)
    assert " no " in out.stdout
    assert "is no task: what is inside its model is not what the program says" in out.stderr
    assert "answers: at most 2% may be wrong" in out.stderr


def test_the_bundle_of_what_does_not_pass_says_why(run):
    task = "histogram/trained[d=4,heads=1]"
    out = run("train", task, "--steps", "1", "-o", "bundles", code=1).stdout
    told, place = out.split("Written: ")[1], Path(next(Path("bundles").iterdir()))
    assert str(place) in told
    assert "which says why it is no task" in " ".join(told.split())
    for command in ("verify", "splice"):
        told = run(command, str(place), code=1).stderr
        assert "is no task: what is inside its model is not what the program says" in told
        assert "answers: at most 2% may be wrong" in told
    record = TrainingRecord.model_validate_json(read_bundle(place).contents[at.TRAINING])
    assert record.moved
    assert record.history.steps == 1_000
    contents = read_bundle(place).contents
    public, labels = (contents[name].decode() for name in (at.README, at.SHEET))
    assert "it is no task" in public
    assert "This is no task" in labels
    assert "answers: at most 2% may be wrong" in labels
    assert not any(one.edge in public for one in record.moved)


@pytest.fixture
def mine(run):
    """Write the bundle of a program of one's own."""
    Path("mine.rasp").write_text("out = selector_width(select(tokens, tokens, ==));\n")
    run("compile", "mine.rasp", "--vocab", "a,b,c,d,e", "--length", "6", "-o", "mine")
    return "mine"


@pytest.mark.slow
def test_a_program_of_ones_own_is_trained_from_its_bundle(run, mine):
    said = run("train", mine, "--regime", "trained[d=8,heads=2]", "--steps", "1", code=1)
    assert "trained[d=8,heads=2,spare_layers=0,layer_norm=0,seed=0] is no task" in said.stderr


def test_what_cannot_be_trained_is_refused(run, mine):
    for arguments, code, told in (
        ((mine, "--regime", "scrambled"), 1, "The regime must be trained"),
        (("histogram", "--regime", "trained"), 2, "name it with the task, as in histogram/trained"),
        ((mine, "--strict-share", "2"), 1, "strict: must be from 0 to 1, got 2.0"),
        ((mine, "--rate", "nan"), 1, "rate: must be a finite number, got nan"),
    ):
        said = run("train", *arguments, code=code).stderr.replace("│", "")
        assert told in " ".join(said.split())


def test_what_is_not_kept_is_told_first_and_recipes_before_work(run):
    told = run("train", "length/trained[seed=7]", "--rate", "inf", code=1).stderr
    assert told.strip().splitlines()[-1].endswith("rate: must be a finite number, got inf")
    assert "Compiling" not in told
    help_text = " ".join(run("train", "--help").stdout.replace("│", "").split())
    assert "trained[d=48,heads=4]" in help_text
    defaults = TrainingRecipe()
    for value in (defaults.rate, defaults.batch, defaults.strict):
        assert f"by default {value}" in help_text


def test_an_interrupted_training_says_from_where_it_goes_on(run, monkeypatch):
    def train(*_, checkpoint, **__):
        checkpoint.touch()
        raise KeyboardInterrupt

    monkeypatch.setattr(training, "train", train)
    arguments = ("train", "histogram/trained[d=4,heads=1]", "--checkpoint", "c.st")
    told = run(*arguments, code=130).stderr
    assert "Interrupted. The same command goes on from c.st." in told


def test_a_task_of_another_regime_is_refused(run):
    told = run("train", "histogram/scrambled", code=1).stderr
    assert "is not trained; name the regime, as in histogram/trained" in told


def test_components_are_spliced(run):
    out = run("splice", TASK).stdout
    alignment = load(TASK).training.alignment
    (head,) = alignment.heads.values()
    (row,) = (line.split() for line in out.splitlines() if line.strip().startswith(f"{head} "))
    assert float(row[3]) > 0.95
    assert "held-out inputs on which every answer stays" in out
    told = run("splice", TASK, "a7.h7", code=1).stderr
    assert "no component 'a7.h7'" in told
