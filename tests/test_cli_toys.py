"""Toy models of superposition on the command line: shown, scored, and refused where they cannot."""

import pytest
from typer.testing import CliRunner

from glassbench.cli import app

TOY = "toy_superposition[n=4,d=2,sparsity=50]"
FULL = "toy_superposition-v1[n=4,d=2,sparsity=50,seed=0]"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in an empty folder."""
    monkeypatch.chdir(tmp_path)

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


def test_what_a_toy_has_not_is_told(run):
    assert "needs a compiled model, and got" in run("score", "eap", "--task", TOY, code=1).output
    for extra in (("--picture", "a.svg"), ("--explain",)):
        told = run("show", TOY, *extra, code=1).output
        assert told.strip() == f"{FULL} has no circuit to draw or explain; show it without both"
    assert "Did you mean 'sparsity'" in run("show", "toy_superposition[sparse=1]", code=1).output


def test_the_list_names_toys(run):
    assert "'toy_superposition[n=5,d=2]', 'toy_superposition[n=40,d=10]'" in run("list").stdout
