"""`glassbench score` as a sweep: seeds, tracks, what is kept, what is left out, how far it is."""

import os
import sys
import time

import pytest

from glassbench.benchmark_programs import SUITES
from glassbench.benchmark_programs.suites import Suite
from glassbench.console import sweep_progress

TINY = "histogram-v1[vocab=2,length=3]"
TOY = "toy_superposition-v1[n=4,d=2,sparsity=50,seed=0]"
METHODS = """
def by_writer(problem):
    return {edge: float(edge.startswith("embed")) for edge in problem.edges}

def broken(problem):
    raise RuntimeError("no luck")
"""


@pytest.fixture
def run(tmp_path, monkeypatch, invoke):
    """Run the command in a folder that holds a module of methods, with a tiny suite."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "my_methods", raising=False)
    tasks = (TINY, "sort-v1[vocab=2,length=2]")
    monkeypatch.setitem(SUITES, "tiny", Suite("Small ones.", lambda: tasks))
    (tmp_path / "my_methods.py").write_text(METHODS)
    return invoke


def n_results(folder):
    return len(list(folder.glob("*.json")))


def test_seeds(run, tmp_path):
    out = run("score", "weight-norm", "--suite", "tiny", "--seed", "3", "--seeds", "2").stdout
    assert "Written: 4 results in glassbench-results/results/\n" in out
    assert n_results(tmp_path / "glassbench-results" / "results") == 4


def test_what_is_there_is_kept_and_told(run, tmp_path):
    arguments = ("score", "weight-norm", "--suite", "tiny", "-o", "out")
    assert "Written: 2 results in out/\n" in run(*arguments).stdout
    out = run(*arguments).stdout
    assert "Written: 0 results in out/; 2 were there and are kept (--again asks anew)" in out
    assert "weight-norm" in out
    assert "Written: 2 results in out/\n" in run(*arguments, "--again").stdout


def test_failures_are_retried_on_request(run, tmp_path):
    arguments = ("score", "my_methods:broken", "weight-norm", "--task", TINY, "-o", "out")
    error = run(*arguments, code=1).stderr
    assert "These runs gave no answer (--retry-failed asks again where they were written):" in error
    assert "no luck" in error
    (tmp_path / "my_methods.py").write_text(METHODS.replace("raise", "return {}; raise"))
    sys.modules.pop("my_methods")
    assert "no luck" in run(*arguments, code=1).stderr
    error = run(*arguments, "--retry-failed", code=1).stderr
    assert "no luck" not in error
    assert "has no score" in error


def test_failures_of_large_sweeps_are_counted(run, monkeypatch):
    """Also where results are so many that they are not read."""
    monkeypatch.setattr("glassbench.score_command.MOST_READ", 3)
    monkeypatch.setattr("glassbench.score_command.MOST_NAMED", 1)
    arguments = ("score", "my_methods:broken", "weight-norm", "--suite", "tiny", "-o", "out")
    result = run(*arguments, code=1)
    assert result.stderr == (
        "2 of 4 runs gave no answer (--retry-failed asks again where they were written), such as:\n"
        f"  - my_methods:broken on {TINY}: The method 'my_methods:broken' must return an answer, "
        f"and on {TINY} it raised RuntimeError: no luck\n"
    )
    assert result.stdout == "\nWritten: 4 results in out/\n"
    nowhere = ("score", "my_methods:broken", "--task", TINY, "--seeds", "4")
    assert run(*nowhere, code=1).stderr.startswith("4 of 4 runs gave no answer")
    result = run("score", "weight-norm", "--suite", "tiny", "--seeds", "2", "-o", "well")
    assert result.stderr == ""


def test_floors_of_another_suite_are_told_and_mended(run, tmp_path, monkeypatch):
    """Two suites in one folder: nothing is asked again, and all can be ranked in the end."""
    tasks = (TINY, "sort-v1[vocab=2,length=2]", "frac_prevs-v1[vocab=2,length=3]")
    monkeypatch.setitem(SUITES, "more", Suite("More.", lambda: tasks))
    assert run("score", "weight-norm", "--suite", "tiny", "-o", "out").stderr == ""
    more = ("score", "weight-norm", "--suite", "more", "-o", "out")
    warning = (
        "2 results of 3 were kept with other prior floors than this sweep gives, which are learned "
        "over the tasks that are asked about, and cannot be ranked beside the rest; glassbench "
        "rescore out --priors-of more writes them with the floors of that suite, "
        "--again asks anew:\n"
        f"  - weight-norm on {tasks[0]}\n  - weight-norm on {tasks[1]}\n"
    )
    assert run(*more).stderr == run(*more).stderr == warning
    assert (
        "Written: 2 results with the priors of more."
        in run("rescore", "out", "--priors-of", "more").stdout
    )
    assert run(*more).stderr == ""
    out = run("score", "weight-norm", "path-norm", "--suite", "more", "-o", "out").stdout
    assert "Written: 3 results in out/; 3 were there and are kept" in out
    error = run("score", "weight-norm", "--task", TINY, "-o", "out").stderr
    assert "rescore out --priors-of NAME writes them with the floors of that suite" in error


def test_a_method_that_was_changed_is_told_of(run, tmp_path):
    arguments = ("score", "my_methods:by_writer", "--suite", "tiny", "-o", "out")
    assert "was changed" not in run(*arguments).stderr
    later = time.time() + 5
    os.utime(tmp_path / "my_methods.py", (later, later))
    assert (
        "my_methods:by_writer was changed after 2 results of it that are kept: --again asks it anew"
        in run(*arguments).stderr
    )


def test_several_tracks(run):
    methods = ("weight-norm", "pca", "my_methods:by_writer")
    both = ("--track", "circuit", "--track", "features")
    result = run("score", *methods, "--suite", "tiny", *both, code=1)
    for name in (*methods, "Node AP", "Max cosine"):
        assert name in result.stdout
    # A function that does not say what it answers is asked everything.
    assert "my_methods:by_writer on sort-v1[vocab=2,length=2]: The method" in result.stderr
    assert "Written: 8 results" in result.stdout


def test_all_tracks(run):
    out = run("score", "weight-norm", "pca", "--task", TINY, "--track", "all", "-o", "out").stdout
    assert f"weight-norm on {TINY}:" in out
    assert f"pca on {TINY}:" in out
    error = run("score", "pca", "--task", TINY, "--track", "al", code=1).stderr
    assert "There is no track 'al'." in error


def test_what_cannot_be_asked_is_left_out_and_told(run):
    result = run("score", "weight-norm", "--task", TINY, "--task", TOY, "-o", "out")
    assert result.stderr == (
        "Left out. The circuit track ranks edges by whether they are causal, and needs programs "
        f"with a causal edge; leave these tasks out:\n  - {TOY}: it has no program; ask about it "
        "with --track features (track='features')\n"
    )
    assert "Written: 1 result in out/" in result.stdout
    error = run("score", "weight-norm", "--task", TOY, code=1).stderr
    assert error.startswith("The circuit track ranks edges by whether they are causal, and needs")


def test_progress_without_a_screen(capsys, monkeypatch):
    monkeypatch.setattr("glassbench.console._BETWEEN_LINES", 0.0)
    with sweep_progress() as watch:
        watch("Scoring", 10, 40)
        time.sleep(0.01)
        watch("Scoring", 20, 40)
    first, second = capsys.readouterr().err.splitlines()
    assert first == "Scoring: 10 of 40"
    assert second.startswith("Scoring: 20 of 40, about 0:00:0")
