"""Every example runs, and shows what it says that it shows.

Readers of bundles, the hold-out round and the tools in other languages have tests of their own:
`test_bundle_examples.py`, `test_holdout_round.py` and `test_tool_examples.py`.
"""

import os
import re
import runpy
import shlex
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

import pytest

from glassbench.evaluators import sweep_workers
from glassbench.evaluators.sweep_workers import Workers

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
PAGE = (EXAMPLES / "README.md").read_text(encoding="utf-8")
COMPILED = re.findall(r"`glassbench (compile [^`]*)`", PAGE)


def example(name):
    """Return the names that an example defines."""
    return runpy.run_path(str(EXAMPLES / name))


def test_every_file_is_on_the_page():
    here = {path.name for path in EXAMPLES.rglob("*") if path.is_file()}
    here = {name for name in here if not name.endswith(".pyc")} - {"README.md"}
    assert set(re.findall(r"^\| `(\w+\.\w+)`", PAGE, flags=re.MULTILINE)) == here


def test_every_program_has_a_line_on_the_page():
    assert {shlex.split(line)[1] for line in COMPILED} == {p.name for p in EXAMPLES.glob("*.rasp")}


@pytest.mark.parametrize("line", COMPILED)
def test_programs_compile_as_the_page_says(invoke, monkeypatch, line):
    monkeypatch.chdir(EXAMPLES)
    assert "well defined" in invoke(*shlex.split(line)).stdout


@pytest.mark.parametrize("name", ["own_method.py", "own_program.py"])
def test_first_examples(capsys, name):
    runpy.run_path(str(EXAMPLES / name), run_name="__main__")
    assert "oracle 1.00" in capsys.readouterr().out


def test_a_method_in_transformer_lens():
    pytest.importorskip("transformer_lens", reason="pip install 'glassbench[torch]'")
    (result,) = example("transformer_lens_method.py")["main"](["frac_prevs"]).values()
    leading = result.metrics["edge_average_precision"]
    assert leading.value > leading.floor + 0.3
    assert result.tool == "mean_ablation"


def test_a_sparse_dictionary(monkeypatch):
    """It finds the directions where they are independent, and hardly where a model uses them."""
    names = example("dictionary_learning.py")
    monkeypatch.setitem(names["main"].__globals__, "ROUNDS", 3)  # enough for this task
    found = names["main"](names["TASKS"][1:2])
    model, independent = found.values()
    assert independent.value > independent.floor + 0.15
    assert independent.value > model.value + 0.1


def test_from_text_to_score(tmp_path, capsys):
    results = example("text_to_score.py")["main"](tmp_path / "records")
    assert results["interchange"].metrics["edge_average_precision"].value == 1
    told = capsys.readouterr().out
    assert "[1, 3, 0, 3] -> [True, True, False, False]" in told
    assert "every byte is what the program compiles to" in told
    assert (tmp_path / "records" / "manifest.json").is_file()


ROWS_OF_A_SWEEP = (
    "12 rows of ('weight-norm', 'path-norm'), 0 of them",
    "18 rows of ('weight-norm', 'path-norm', 'eap'), 12 of them",
)


def test_a_sweep_on_what_stands_for_ray(tmp_path, capsys, monkeypatch):
    """Rows are scored here, one after the other, between the cluster's start and its end."""
    ray = pytest.importorskip("ray", reason="pip install 'glassbench[ray]'")
    happened = []
    here = Workers(lambda: 1, False, {"n_jobs": 1, "return_as": "generator"}, ())

    @contextmanager
    def played(address):
        happened.append(address)
        yield here

    monkeypatch.setattr(sweep_workers, "_ray", played)
    monkeypatch.setattr(ray, "init", lambda address, **_: happened.append(f"start {address}"))
    monkeypatch.setattr(ray, "shutdown", lambda: happened.append("end"))
    example("ray_sweep.py")["main"](tmp_path / "results")
    assert happened == ["start local", None, None, "end"]
    told = capsys.readouterr().out
    assert all(rows in told for rows in ROWS_OF_A_SWEEP)
    assert len(list((tmp_path / "results").glob("*.json"))) == 18


@pytest.mark.slow
@pytest.mark.usefixtures("only_ray")
def test_a_sweep_on_ray(tmp_path):
    pytest.importorskip("ray", reason="pip install 'glassbench[ray]'")
    command = [sys.executable, str(EXAMPLES / "ray_sweep.py"), str(tmp_path / "results")]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"RAY_USAGE_STATS_ENABLED": "0"},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert all(rows in done.stdout for rows in ROWS_OF_A_SWEEP)
    assert len(list((tmp_path / "results").glob("*.json"))) == 18
