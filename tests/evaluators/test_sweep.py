"""Sweeps in one process: which rows there are, which are asked for, what becomes of the rest."""

import os
import sys
from dataclasses import replace

import numpy as np
import pytest

from glassbench.errors import BundleError, MissingExtraError, TaskError, ToolError
from glassbench.evaluators import (
    FeaturesTrack,
    Method,
    Result,
    find_track,
    scored_suite,
    sweep,
)
from glassbench.evaluators.kept_floors import floors_file
from glassbench.evaluators.row_claim import CLAIMS, Claim, claimed, claims_hold, died_at
from glassbench.evaluators.sweep_folder import SWEEPS, opened
from glassbench.evaluators.sweep_rows import Done
from glassbench.evaluators.sweep_work import MOST_DEATHS, asked
from glassbench.evaluators.sweep_workers import workers
from glassbench.ground_truth import load, make_task, write_bundle

TASKS = ("histogram[vocab=2,length=3]", "frac_prevs[vocab=2,length=3]", "sort[vocab=2,length=3]")
TOY = "toy_superposition[n=4,d=2,sparsity=50]"


def constant(problem):
    return dict.fromkeys(problem.edges, 0.0)


class Counting:
    """A method that counts how often it is asked, and fails on large models while it is told to.

    It can also be told when to be interrupted.
    """

    def __init__(self):
        self.asked, self.fails, self.stops_at = 0, True, 0

    def __call__(self, problem):
        self.asked += 1
        if self.asked == self.stops_at:
            raise KeyboardInterrupt
        if self.fails and len(problem.edges) > 20:
            raise ValueError("too many edges")
        return constant(problem)


@pytest.fixture
def counting():
    return Counting()


def by_row(results):
    return {(one.tool, one.task, one.track, one.seed): one for one in results}


# -- rows --------------------------------------------------------------------------


def test_a_sweep_earns_what_a_suite_does(tmp_path):
    report = sweep(["weight-norm", constant], TASKS, tmp_path / "new", seeds=2)
    results = by_row(report.results())
    assert len(results) == len(report.names) == 2 * 3 * 2
    assert (report.before, report.left_out, report.failed()) == (0, (), ())
    tasks = [load(task) for task in TASKS]
    for seed in (0, 1):
        for one in scored_suite(["weight-norm", constant], tasks, seed=seed):
            found = results[one.result.tool, one.result.task, "circuit", seed]
            assert found.metrics == one.result.metrics
            assert found.answer_sha256 == one.result.answer_sha256
            assert found.metrics[found.primary].floors.prior is not None
    assert len(list((tmp_path / "new" / "answers").iterdir())) == 12
    assert not (tmp_path / "new" / CLAIMS).exists()


def test_many_tasks_are_loaded_where_they_are_asked_about(tmp_path, monkeypatch):
    kept = by_row(sweep("weight-norm", TASKS, tmp_path / "kept").results())
    monkeypatch.setattr("glassbench.evaluators.sweep_run.MOST_KEPT", 2)
    again = by_row(sweep("weight-norm", TASKS, tmp_path / "again").results())
    assert {row: one.metrics for row, one in kept.items()} == {
        row: one.metrics for row, one in again.items()
    }


def test_without_priors_floors_are_random(tmp_path):
    (result,) = sweep(constant, TASKS[:1], tmp_path, with_priors=False).results()
    assert result.metrics[result.primary].floors.prior is None


def test_seeds_are_a_number_or_which(tmp_path):
    assert {one.seed for one in sweep(constant, TASKS[:1], tmp_path, seeds=3).results()} == {
        0,
        1,
        2,
    }
    report = sweep(constant, TASKS[:1], tmp_path, seeds=(2, 7))
    assert (len(report.names), report.before) == (2, 1)
    assert len(sweep(constant, TASKS[:1], tmp_path, seeds=np.array([2, 2])).names) == 1


def test_methods_are_asked_on_their_own_track(tmp_path):
    mine = Method("mine", constant, "", "", "circuit")
    report = sweep(["pca", mine], [*TASKS[:1], TOY], tmp_path, track=["circuit", "features"])
    rows = {(one.tool, one.task.split("-")[0], one.track) for one in report.results()}
    assert rows == {
        ("mine", "histogram", "circuit"),
        ("pca", "histogram", "features"),
        ("pca", "toy_superposition", "features"),
    }
    (left_out,) = report.left_out
    assert (left_out.task.split("-")[0], left_out.track) == ("toy_superposition", "circuit")
    assert left_out.why.startswith("The circuit track ranks edges by whether they are causal")


def test_what_one_question_of_a_track_cannot_be_asked_about_another_can(tmp_path):
    hook = "blocks.2.hook_resid_mid"  # of the second task alone
    tracks = [FeaturesTrack(), FeaturesTrack(hooks=hook)]
    report = sweep("random-directions", TASKS[::2], tmp_path, track=tracks)
    rows = {(one.task.split("-")[0], len(one.question)) for one in report.results()}
    assert rows == {("histogram", 0), ("sort", 0), ("sort", 1)}
    (left_out,) = report.left_out
    assert (left_out.task.split("-")[0], left_out.place) == ("histogram", 1)


def test_two_of_one_name_are_refused(tmp_path):
    first, second = (Method("mine", lambda _, n=n: n, "", "") for n in range(2))
    assert len(sweep([first, first], TASKS[:1], tmp_path / "one").names) == 1
    with pytest.raises(TaskError, match="must have a name of its own, and two are called 'mine'"):
        sweep([first, second], TASKS[:1], tmp_path / "two")
    one, other = (make_task("tokens == 'a';", "ab", 3) for _ in range(2))
    assert one.id == other.id
    with pytest.raises(TaskError, match="must have an id of its own, and two are "):
        sweep(first, [one, other], tmp_path / "three")


@pytest.mark.parametrize("seeds", [0, (), (-1,), (0, "1"), (True,)])
def test_what_is_no_seed_is_refused(tmp_path, seeds):
    with pytest.raises(TaskError, match="Seeds must be integers from 0 on, and at least one, got"):
        sweep(constant, TASKS[:1], tmp_path, seeds=seeds)


def test_tasks_can_be_bundles_or_objects(tmp_path):
    task = load(TASKS[2])
    write_bundle(task, tmp_path / "bundle")
    (tmp_path / "results").mkdir()
    first = sweep("weight-norm", [tmp_path / "bundle"], tmp_path / "results")
    assert sweep("weight-norm", [task], tmp_path / "results").before == 1
    assert sweep("weight-norm", [str(tmp_path / "bundle")], tmp_path / "results").before == 1
    assert [one.task for one in first.results()] == [str(task.id)]


# -- what is there -----------------------------------------------------------------


def test_what_is_there_is_not_asked_for_again(tmp_path, counting):
    method = Method("mine", counting, "", "")
    sweep(method, TASKS[:2], tmp_path)
    assert counting.asked == 2
    report = sweep(method, TASKS, tmp_path)
    assert (counting.asked, report.before, len(report.failed())) == (3, 2, 1)
    assert sweep(method, TASKS, tmp_path).before == 3
    assert counting.asked == 3


def test_failures_are_retried_on_request_alone(tmp_path, counting):
    method = Method("mine", counting, "", "")
    failed = sweep(method, TASKS, tmp_path).failed()
    counting.fails = False
    assert sweep(method, TASKS, tmp_path).failed() == failed != ()
    report = sweep(method, TASKS, tmp_path, retry_failed=True)
    assert (report.before, report.failed(), counting.asked) == (2, (), 4)


def test_again_replaces_what_is_there(tmp_path, counting):
    method = Method("mine", counting, "", "")
    names = sweep(method, TASKS, tmp_path).names
    report = sweep(method, TASKS, tmp_path, again=True)
    assert (report.names, report.before, counting.asked) == (names, 0, 6)


def test_asking_again_goes_on_where_it_was_stopped(tmp_path, counting):
    method = Method("mine", counting, "", "")
    sweep(method, TASKS, tmp_path)
    counting.stops_at = 5
    with pytest.raises(KeyboardInterrupt):
        sweep(method, TASKS, tmp_path, again=True)
    # What is asked otherwise has nothing to do with it, also where it is of the same rows.
    assert sweep(method, TASKS[:1], tmp_path, again=True).before == 0
    assert counting.asked == 6
    report = sweep(method, (TASKS[2], *TASKS[:2]), tmp_path, again=True)
    assert (report.before, counting.asked) == (1, 8)
    assert sweep(method, TASKS, tmp_path, again=True).before == 0  # that one was whole
    assert counting.asked == 11


def test_asking_again_begins_anew_with_a_changed_method(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "their_method", raising=False)
    source = tmp_path / "their_method.py"
    source.write_text(
        "asked, stops_at = 0, 2\n"
        "def method(problem):\n"
        "    global asked\n"
        "    asked += 1\n"
        "    if asked == stops_at:\n"
        "        raise KeyboardInterrupt\n"
        "    return dict.fromkeys(problem.edges, 0.0)\n"
    )
    with pytest.raises(KeyboardInterrupt):
        sweep("their_method:method", TASKS, tmp_path / "out", again=True)
    os.utime(source, ns=(5, 5))
    assert sweep("their_method:method", TASKS, tmp_path / "out", again=True).before == 0
    assert sys.modules["their_method"].asked == 2 + 3


def test_the_end_of_a_sweep_is_not_that_of_a_later_one(tmp_path):
    with opened(tmp_path, again=True, retry_failed=False, asked="all") as first:
        (mark,) = (tmp_path / SWEEPS).iterdir()
        with opened(tmp_path, again=True, retry_failed=False, asked="all") as beside:
            assert beside.done.since == first.done.since
        assert not mark.exists()
        mark.parent.mkdir(exist_ok=True)
        mark.touch()
        os.utime(mark, ns=(5, 5))
    assert mark.exists()


def test_a_finished_sweep_loads_nothing(tmp_path, monkeypatch):
    sweep(constant, TASKS, tmp_path)
    monkeypatch.setattr("glassbench.evaluators.sweep_run.posed", None)
    assert sweep(constant, TASKS, tmp_path).before == 3


# -- floors of other sweeps --------------------------------------------------------


def test_rows_of_another_suite_are_told(tmp_path, monkeypatch):
    """Also by a sweep that has nothing to ask and loads no task; nothing is changed by it."""
    tracks = ["circuit", "attribution", "features"]
    methods = ["weight-norm", "gradient-x-input", "pca"]
    first = sweep(methods, TASKS[:2], tmp_path, track=tracks)
    assert (len(first.names), first.other_floors()) == (6, ())
    before = {name: (tmp_path / name).read_bytes() for name in first.names}
    few, more = (
        {one.file_name: [metric.floors.prior for metric in one.metrics.values()] for one in found}
        for found in (
            first.results(),
            sweep(methods, TASKS, tmp_path / "whole", track=tracks).results(),
        )
    )
    learned = {name for name in few if few[name] != pytest.approx(more[name])}
    assert 2 <= len(learned) <= 4  # not those of the features track, which has no such floors
    report = sweep(methods, TASKS, tmp_path, track=tracks)
    assert set(report.other_floors()) == learned
    assert before == {name: (tmp_path / name).read_bytes() for name in first.names}
    with monkeypatch.context() as patched:
        patched.setattr("glassbench.evaluators.sweep_run.posed", None)
        assert set(sweep(methods, TASKS, tmp_path, track=tracks).other_floors()) == learned
        assert sweep(methods, TASKS[1::-1], tmp_path, track=tracks).other_floors() == ()
    assert sweep(methods, TASKS, tmp_path, track=tracks, again=True).other_floors() == ()
    assert set(sweep(methods, TASKS[:2], tmp_path, track=tracks).other_floors()) == learned


def test_a_suite_that_was_never_asked_is_loaded_once(tmp_path, monkeypatch):
    """All rows are there, of a larger one."""
    sweep("weight-norm", TASKS, tmp_path)
    report = sweep("weight-norm", TASKS[:2], tmp_path)
    assert (report.before, report.other_floors()) == (2, report.names)
    tasks = [str(load(task).id) for task in TASKS[:2]]
    kept = floors_file(tmp_path, find_track("circuit"), tasks)
    assert kept.exists()
    kept.write_text("no floors")
    assert sweep("weight-norm", TASKS[:2], tmp_path).other_floors() == report.names
    monkeypatch.setattr("glassbench.evaluators.sweep_run.posed", None)
    assert sweep("weight-norm", TASKS[:2], tmp_path).other_floors() == report.names


def test_rows_without_floors_are_told_from_those_with(tmp_path, counting):
    method = Method("mine", counting, "", "")
    alone = sweep(method, TASKS, tmp_path, with_priors=False)
    assert (len(alone.failed()), alone.other_floors()) == (1, ())
    report = sweep(method, TASKS, tmp_path)  # what failed has no floors
    assert set(report.other_floors()) == set(report.names) - set(report.failed())
    counting.fails = False
    assert sweep(method, TASKS, tmp_path, again=True).other_floors() == ()
    assert sweep(method, TASKS, tmp_path, with_priors=False).other_floors() == report.names
    assert counting.asked == 6
    (tmp_path / report.names[0]).write_text("no result")
    assert report.other_floors() == ()


def test_floors_that_no_suite_teaches_are_nobody_elses(tmp_path):
    report = sweep("token-position-table", TASKS[:1], tmp_path, track="program")
    (result,) = report.results()
    assert result.metrics[result.primary].floors.prior is not None
    assert report.other_floors() == ()


def test_what_is_done_is_told_by_age_and_status(tmp_path):
    file = tmp_path / "a.json"
    assert not Done(0)(file)
    file.write_text('{"status": "failed"}')
    os.utime(file, ns=(5, 5))
    assert Done(9)(file) and Done(5, again=True)(file)
    assert not Done(9, again=True)(file) and not Done(9, retry_failed=True)(file)
    assert Done(9).among(tmp_path) == {"a.json"}
    assert Done(9, retry_failed=True).among(tmp_path) == set()
    file.write_text("no result")
    os.utime(file, ns=(5, 5))
    assert not Done(9, retry_failed=True)(file)


# -- what cannot be ----------------------------------------------------------------


def test_nothing_to_ask(tmp_path):
    with pytest.raises(TaskError, match="and needs programs with a causal edge"):
        sweep(constant, [TOY], tmp_path)
    with pytest.raises(TaskError, match="'pca' answers the features track, and the circuit track"):
        sweep("pca", TASKS, tmp_path)
    with pytest.raises(TaskError) as caught:
        sweep(["pca", constant], TASKS, tmp_path, track=["circuit", "attribution"])
    assert str(caught.value) == (
        "Every method must answer a track that is asked, circuit, attribution, and these do not; "
        "ask theirs too, or leave them out:\n  - pca: features"
    )
    with pytest.raises(TaskError, match="A sweep needs a track, got none"):
        sweep(constant, TASKS, tmp_path, track=[])


def test_a_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BundleError, match="must be a folder that can be written to"):
        sweep(constant, TASKS, tmp_path / "file")


@pytest.mark.parametrize(
    ("options", "kind", "message"),
    [
        ({"backend": "rai"}, TaskError, "There is no backend 'rai'. Did you mean 'ray'?"),
        ({"jobs": 0}, TaskError, "jobs must be a number of processes, or -1 for all cores, got 0"),
        ({"address": "here:1"}, TaskError, "that of a cluster, and here:1 goes with none"),
    ],
)
def test_workers_that_are_not_to_be_had(options, kind, message):
    with pytest.raises(kind, match=None) as caught, workers(**{"backend": "local", **options}):
        pass
    assert message in str(caught.value)


@pytest.mark.parametrize(("backend", "package"), [("ray", "ray"), ("dask", "distributed")])
def test_clusters_are_extras(backend, package, monkeypatch):
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError) as caught, workers(backend):
        pass
    assert str(caught.value) == (
        f"The backend {backend!r} needs the package {package}, which is not installed: "
        f"pip install 'glassbench[{backend}]', here and on every worker"
    )


# -- claims ------------------------------------------------------------------------


@pytest.fixture
def folder(tmp_path):
    """The folder of a sweep."""
    with opened(tmp_path, again=False, retry_failed=False) as found:
        yield found


def test_a_claim_is_held_by_one(folder):
    with claimed(folder.path, "row.json", "one") as claim:
        assert claim == Claim(0)
        assert not died_at(folder.path, "row.json")
        with claimed(folder.path, "row.json", "one") as other:
            assert other is None
        with claimed(folder.path, "another.json", "one") as other:
            assert other == Claim(0)
    with claimed(folder.path, "row.json", "one") as claim:
        assert claim == Claim(0)
    assert not list((folder.path / CLAIMS).glob("row*"))


def test_deaths_are_counted_for_each_sweep(folder):
    (folder.path / CLAIMS / "row.json.lock").write_text("one\nother\none\n")
    assert died_at(folder.path, "row.json")
    with claimed(folder.path, "row.json", "one") as claim:
        assert claim == Claim(2)
    assert not died_at(folder.path, "row.json")


def test_file_systems_without_locks(folder, monkeypatch):
    assert folder.has_claims

    def without(*arguments, **named):
        raise NotImplementedError

    monkeypatch.setattr("filelock.FileLock.acquire", without)
    assert not claims_hold(folder.path, folder.sweep)
    assert len(sweep(constant, TASKS[:1], folder.path).names) == 1


# -- one job -----------------------------------------------------------------------


@pytest.fixture
def job(folder, monkeypatch):
    """A job of three rows that is there to be changed."""
    from glassbench.evaluators import find_method
    from glassbench.evaluators.sweep_rows import rows_of
    from glassbench.evaluators.sweep_work import Job

    method, track, task = find_method(constant), find_track("circuit"), load(TASKS[0])
    return Job(
        sweep=folder.sweep,
        folder=folder.path,
        task=task,
        methods=(method,),
        tracks=(track,),
        priors=({},),
        rows=tuple(rows_of(str(task.id), [method], [track], range(3))),
        done=folder.done,
        has_claims=True,
        driver=os.getpid(),
    )


def files(job):
    return sorted(path.name for path in job.folder.glob("*.json"))


def test_a_job_passes_over_what_others_do(job):
    with claimed(job.folder, job.rows[1].name, "other"):
        told = asked(job)
    assert (told.asked, told.busy) == (2, 1)
    assert files(job) == sorted(job.rows[place].name for place in (0, 2))


def test_a_row_that_ends_its_process_is_recorded(job):
    name = job.rows[1].name
    (job.folder / CLAIMS / f"{name}.lock").write_text(f"{job.sweep}\n" * MOST_DEATHS)
    assert asked(job).asked == 2  # and it stops there
    result = Result.read(job.folder / name)
    assert result.status == "failed"
    assert result.error == (
        "The method 'constant' must return an answer, and on histogram-v1[vocab=2,length=3] the "
        "process that asked it ended without a word, 2 times; a crash, or too little memory"
    )
    assert asked(job).asked == 1
    assert len(files(job)) == 3


def test_a_worker_ends_with_its_sweep(job, monkeypatch):
    def end():
        raise KeyboardInterrupt

    monkeypatch.setattr("glassbench.evaluators.sweep_work._end", end)
    with pytest.raises(KeyboardInterrupt):
        asked(replace(job, driver=2**22 + 1))
    assert files(job) == []


def test_a_folder_that_is_not_seen(job):
    from platform import node

    assert asked(replace(job, sweep="another")).unseen == node()


def test_methods_that_are_not_installed_where_the_work_is(job):

    with pytest.raises(ToolError, match="No module named 'nowhere'"):
        asked(replace(job, methods=("nowhere:method",)))
