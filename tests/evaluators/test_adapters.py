"""The registry of adapters, and what is said where a package or an environment is missing."""

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from glassbench.errors import TaskError, ToolError
from glassbench.evaluators import BUILT_IN, TRACKS, find_method, score, scored_suite
from glassbench.evaluators.adapters import ADAPTERS, ENVIRONMENTS, OwnEnvironment, PackageTool
from glassbench.evaluators.adapters.scripts.auto_circuit_edges import own_name

TASK = "histogram[vocab=2,length=3]"

needs_uv = pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not installed here")


@pytest.fixture
def own_environment(tmp_path, monkeypatch):
    """An environment that is not made, in a cache folder of its own."""
    monkeypatch.setattr("platformdirs.user_cache_dir", lambda name: str(tmp_path / name))
    return OwnEnvironment("nothing", ())


def test_names_are_told_from_those_of_built_in_methods():
    assert not set(ADAPTERS) & set(BUILT_IN)
    assert all(name == adapter.name for name, adapter in ADAPTERS.items())
    assert {adapter.track for adapter in ADAPTERS.values()} <= set(TRACKS)


def test_a_missing_package_says_what_installs_it(monkeypatch):
    absent = replace(ADAPTERS["transformer-lens-eap"], module="no_such_package")
    monkeypatch.setitem(ADAPTERS, absent.name, absent)
    with pytest.raises(ToolError) as caught:
        find_method(absent.name)
    assert str(caught.value) == (
        "transformer-lens-eap needs the package transformer-lens, which is not installed: "
        "pip install 'glassbench[torch]'"
    )
    reply = absent.ask(TRACKS["circuit"], None)
    assert (reply.status, str(reply.error)) == ("failed", str(caught.value))


def test_a_missing_environment_says_what_makes_it(own_environment, monkeypatch):
    absent = replace(ADAPTERS["auto-circuit-eap"], environment=own_environment)
    monkeypatch.setitem(ADAPTERS, absent.name, absent)
    with pytest.raises(ToolError) as caught:
        score(absent.name, TASK)
    assert str(caught.value) == (
        "auto-circuit-eap needs an environment of its own, nothing, which is not made: "
        "python -m glassbench.evaluators.adapters nothing"
    )


def test_an_adapter_answers_its_own_track_alone():
    with pytest.raises(TaskError, match="'transformer-lens-eap' answers the circuit track"):
        score("transformer-lens-eap", TASK, track="attribution")


def test_unknown_names_are_answered_with_those_of_adapters():
    with pytest.raises(TaskError, match="Did you mean 'transformer-lens-eap'"):
        find_method("transformer-lens-epa")


def test_a_package_that_raises_is_a_row_that_says_so():
    def fails(problem):
        raise IndexError("no such head")

    tool = PackageTool("mine", "circuit", "numpy", "numpy", "torch", fails, "nothing")
    (found,) = scored_suite(tool, [TASK])
    assert found.result.status == "failed"
    assert found.result.error.startswith("mine must return an answer, and numpy ")
    assert found.result.error.endswith(" raised IndexError: no such head")
    assert found.result.tool_version


@needs_uv
def test_an_environment_is_made_once(own_environment):
    assert not own_environment.is_there
    made = own_environment.make()
    assert own_environment.is_there
    done = subprocess.run(
        [made, "-c", "import sys; print(sys.prefix)"], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str(own_environment.folder)
    written = own_environment.folder / "of the first making"
    written.touch()
    own_environment.make()
    assert written.exists()
    assert not replace(own_environment, requirements=("numpy",)).is_there


@needs_uv
def test_an_environment_that_cannot_be_made_says_why(own_environment, monkeypatch):
    wrong = replace(own_environment, requirements=("no such requirement",))
    with pytest.raises(ToolError, match="The environment nothing must be made by uv, which ended"):
        wrong.make()
    assert not wrong.is_there
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ToolError, match="there is no uv on the path: pip install uv"):
        wrong.make()


def test_environments_are_made_by_name(own_environment):
    import typer

    from glassbench.evaluators.adapters.__main__ import main

    app = typer.Typer()
    app.command()(main)
    listed = CliRunner().invoke(app, [])
    assert listed.exit_code == 0
    assert "auto-circuit: not made" in listed.output
    assert CliRunner().invoke(app, ["auto-circus"]).exit_code == 2


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        ("Resid Start->A0.1.Q", "embed->a0.h1<q>"),
        ("A0.1->MLP 2", "a0.h1->m2"),
        ("MLP 10->A11.0.V", "m10->a11.h0<v>"),
        ("MLP 0->Resid End", "m0->logits"),
    ],
)
def test_names_of_auto_circuit(theirs, ours):
    assert own_name(theirs) == ours


def test_every_requirement_of_an_environment_is_pinned():
    for environment in ENVIRONMENTS.values():
        assert all("==" in one for one in environment.requirements), environment.name


def test_the_page_of_external_tools_names_every_adapter():
    page = (Path(__file__).parents[2] / "docs" / "external_tools.md").read_text(encoding="utf-8")
    assert not [name for name in ADAPTERS if f"`{name}`" not in page]
    for environment in ENVIRONMENTS.values():
        (version,) = (
            one.split("==")[1]
            for one in environment.requirements
            if one.startswith(f"{environment.name}==")
        )
        assert f"| {environment.name} | {version} |" in page
