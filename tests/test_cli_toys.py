"""Toy models of superposition on the command line: shown, scored, and refused where they cannot."""

import json

import pytest
from typer.testing import CliRunner

from glassbench import ground_truth
from glassbench.benchmark_programs import TOY_SUITES
from glassbench.benchmark_programs.toy_suites import ToySuite
from glassbench.cli import app

TOY = "toy_superposition[n=4,d=2,sparsity=50]"
FULL = "toy_superposition-v1[n=4,d=2,sparsity=50,seed=0]"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in an empty folder, with a small suite of toys."""
    monkeypatch.chdir(tmp_path)
    small = ToySuite("Small ones.", ("n=4,d=2,sparsity=50", "n=3,d=2,sparsity=50"))
    monkeypatch.setitem(TOY_SUITES, "small toys", small)

    def call(*arguments, code=0):
        result = CliRunner().invoke(app, list(arguments))
        assert result.exit_code == code, result.output
        return result

    return call


def test_show_tells_what_became_of_each_feature(run):
    out = run("show", TOY).stdout
    assert out.startswith(f"{FULL}\nA toy model of superposition: 4 features in 2 dimensions, ")
    heading = "Feature Importance Length Dimensions Interference State"
    assert heading.split() in [line.split() for line in out.splitlines()]
    assert len([line for line in out.splitlines() if line.lstrip().startswith("x")]) == 4


def test_the_features_track_scores_toys_and_writes_results(run, tmp_path):
    out = run("score", "pca", "--task", TOY, "--track", "features", "-o", "results").stdout
    assert f"pca on {FULL}:  " in out
    assert len(list((tmp_path / "results").glob("*.json"))) == 1
    ranked = run("leaderboard", "results", "--track", "features", "-o", "board").stdout
    assert "pca" in ranked


@pytest.mark.parametrize("verb", ["verify", "build", "check"])
def test_verbs_that_need_a_program_say_so(run, verb):
    told = run(verb, TOY, code=1).output
    assert (
        "toy_superposition is a toy model, which has no program, no circuit and no bundle" in told
    )


NOT_POSED = (
    "The circuit track ranks edges by whether they are causal, and needs programs with a causal "
    "edge; leave these tasks out:\n  - "
)


@pytest.fixture
def untrained(monkeypatch):
    """Have no toy trained."""

    def never(*_, **__):
        raise AssertionError("a toy was trained")

    monkeypatch.setattr(ground_truth, "load", never)


@pytest.mark.usefixtures("untrained")
def test_circuits_of_toys_are_refused_before_any_is_trained(run):
    for asked in (("--task", TOY), ("--suite", "small toys")):
        assert NOT_POSED + FULL in run("score", "eap", *asked, code=1).output
    told = run("quickstart", "--suite", "small toys", code=1).output
    assert "score methods on it with --suite small toys --track features" in " ".join(told.split())


def test_toys_among_others_are_left_out_and_told(run):
    told = run("score", "weight-norm", "--task", "sort[vocab=2,length=3]", "--task", TOY).output
    assert f"Left out. {NOT_POSED}{FULL}" in told
    assert "weight-norm on sort-v1[vocab=2,length=3]:" in told


def test_a_suite_of_toys_is_scored(run, tmp_path):
    out = run("score", "pca", "kmeans", "--suite", "small toys", "--track", "features").stdout
    ranked = [line.split()[:2] for line in out.splitlines() if line.lstrip().startswith("1-2 ")]
    assert ranked == [["1-2", "kmeans"], ["1-2", "pca"]]  # two tasks tell no methods apart
    assert "Written: 4 results in " in out
    assert len(list((tmp_path / "glassbench-results" / "results").glob("*.json"))) == 4


def test_a_suite_of_toys_is_listed(run):
    out = run("list", "--suite", "toys").stdout
    assert "toy_superposition-v1[n=5,d=2,sparsity=95,seed=0] " in out
    assert out.endswith("\n8 toy models, for the features track\n")
    record, *_ = json.loads(run("list", "--suite", "toys", "--json").stdout)
    task = "toy_superposition-v1[n=5,d=2,sparsity=95,seed=0]"
    assert record == {"task": task, "n": 5, "d": 2, "sparsity": 95, "seed": 0}
    told = run("list", "--suite", "toys", "--size", "small", code=2).output
    told = " ".join(told.replace("│", " ").split())
    assert "toy models have no tags, families and sizes; leave the other options out" in told
    (row,) = (line for line in run("list").stdout.splitlines() if line.startswith("toys "))
    assert row.split()[1:3] == ["8", "no"]


def test_what_a_toy_has_not_is_told(run):
    for extra in (("--picture", "a.svg"), ("--explain",)):
        told = run("show", TOY, *extra, code=1).output
        assert told.strip() == f"{FULL} has no circuit to draw or explain; show it without both"
    assert "Did you mean 'sparsity'" in run("show", "toy_superposition[sparse=1]", code=1).output


def test_the_list_names_toys(run):
    assert "'toy_superposition[n=5,d=2]', 'toy_superposition[n=40,d=10]'" in run("list").stdout
