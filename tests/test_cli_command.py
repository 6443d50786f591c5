"""`glassbench score --command`, `--answer` and `glassbench problem`."""

import json
import os
import shlex
import signal
import subprocess
import sys
import time

import psutil
import pytest

from glassbench.evaluators import Result, write_mib
from glassbench.ground_truth import load

TASK = "sort[vocab=2,length=2]"
OTHER = "histogram[vocab=2,length=3]"
TOOL = """
import json, os, pathlib, sys, time
problem, answer = map(pathlib.Path, sys.argv[1:3])
asked = json.loads((problem / "problem.json").read_text())
scores = {name: float(name.startswith("embed")) for name in asked["answer"].get("names", ())}
told = {"format_version": "1.0", "problem": asked["id"], "scores": scores}
(answer / "answer.json").write_text(json.dumps(told))
"""
COMMAND = f"{shlex.quote(sys.executable)} -S -E tool.py {{problem}} {{answer}}"


@pytest.fixture
def run(tmp_path, monkeypatch, invoke):
    """Run the command line in a folder that holds a tool."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tool.py").write_text(TOOL)
    return invoke


def results(folder):
    return {one.task: one for one in map(Result.read, folder.glob("*.json"))}


def test_a_command_is_scored_like_a_method(run, tmp_path):
    out = run(
        *("score", "weight-norm", "--command", COMMAND, "--task", TASK, "--task", OTHER),
        *("-o", "out"),
    ).stdout
    assert f"tool.py on {load(TASK).id}:  0." in out
    assert "weight-norm on" in out
    assert "Written: 4 results in out/" in out
    ranked = run("leaderboard", "out", "-o", "board").stdout
    assert "tool.py" in ranked and "2/2" in ranked
    assert run("rescore", "out").stdout.count(" same \n") == 4


def test_a_command_has_the_name_that_it_is_given(run, tmp_path):
    run("score", "--command", COMMAND, "--tool-name", "mine", "--task", TASK, "-o", "out")
    (result,) = results(tmp_path / "out").values()
    assert (result.tool, result.settings) == ("mine", {"command": COMMAND})
    assert result.peak_memory_mb is not None


def test_what_fails_is_a_row_and_the_sweep_goes_on(run, tmp_path):
    greedy = """
config = json.loads((problem / asked["config"]).read_text())
taken = bytearray(200 * 2**20 * (config["n_layers"] == 1))
"""
    (tmp_path / "tool.py").write_text(TOOL + greedy)
    done = run(
        *("score", "--command", COMMAND, "--task", OTHER, "--task", TASK, "-o", "out"),
        *("--memory-limit", "100", "--time-limit", "60"),
        code=1,
    )
    found = results(tmp_path / "out")
    assert {str(task): one.status for task, one in found.items()} == {
        str(load(OTHER).id): "out_of_memory",
        str(load(TASK).id): "ok",
    }
    assert f"tool.py on {load(OTHER).id}: tool.py must take at most 100 MiB" in done.stderr


def test_a_command_that_hangs_is_stopped(run, tmp_path):
    (tmp_path / "tool.py").write_text("import time; time.sleep(1000)")
    done = run("score", "--command", COMMAND, "--task", TASK, "--time-limit", "0.5", code=1)
    assert "tool.py must end within 0.5 s, and was stopped" in done.stderr


def test_a_problem_is_written_and_answered_elsewhere(run, tmp_path):
    out = run("problem", TASK, "-o", "problem").stdout
    identity = json.loads((tmp_path / "problem/problem.json").read_text())["id"]
    assert f"Written: problem {identity} in problem" in out
    (tmp_path / "answer").mkdir()
    subprocess.run([sys.executable, "tool.py", "problem", "answer"], check=True)
    out = run("score", "--answer", "answer", "--task", TASK, "-o", "out").stdout
    assert out.startswith(f"answer on {load(TASK).id}:  0.")
    assert run("rescore", "out").stdout.count(" same \n") == 1
    error = run("score", "--answer", "answer", "--task", OTHER, code=1).stderr
    assert "answer.json must repeat the id in problem.json" in error


def test_a_problem_is_never_written_over(run):
    run("problem", TASK, "-o", "problem")
    error = run("problem", TASK, "-o", "problem", code=1).stderr
    assert "problem must be a new folder that can be written: File exists" in error


def test_a_problem_of_another_track_and_arm(run, tmp_path):
    run("problem", TASK, "-o", "problem", "--track", "features", "--arm", "independent")
    record = json.loads((tmp_path / "problem/problem.json").read_text())
    assert (record["track"], record["config"]) == ("features", None)


def test_a_circuit_of_mib_is_scored(run, tmp_path):
    task = load(TASK)
    scores = {edge: float(edge.startswith("embed")) for edge in task.graph.edge_names}
    write_mib(scores, task.compiled.model.weights, tmp_path / "eap.json")
    out = run("score", "--answer", "eap.json", "--tool-name", "EAP", "--task", TASK).stdout
    assert out.startswith(f"EAP on {task.id}:  0.")


def test_options_that_do_not_fit(run):
    asked = ("score", "--task", TASK)
    for options, message in (
        ((), "name one, or give --command or --answer"),
        (("--tool-name", "mine", "weight-norm"), "names one --command or one --answer"),
        (("--answer", "a", "--task", OTHER), "answers one --task; name that"),
    ):
        error = run(*asked, *options, code=2).stderr
        assert message in " ".join(error.replace("│", " ").split())
    error = run(*asked, "--command", "./tool {problem}", code=1).stderr
    assert "{answer} must be an argument of its own, once, got it 0 times" in error
    error = run(*asked, "--command", COMMAND, "--time-limit", "0", code=1).stderr
    assert "seconds: must be a finite number above zero, got 0.0" in error


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_a_sweep_that_is_stopped_leaves_nothing_running(run, tmp_path, monkeypatch, number):
    """Not the tool, which ignores signals, nor a child of it in a session of its own."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))  # what is killed cannot remove its folder
    (tmp_path / "tool.py").write_text(
        "import os, pathlib, signal, sys, time\n"
        "for one in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):\n"
        "    signal.signal(one, signal.SIG_IGN)\n"
        "if os.fork() == 0: os.setsid()\n"
        "pathlib.Path(sys.argv[3], str(os.getpid())).touch()\n"
        "time.sleep(1000)\n"
    )
    (tmp_path / "started").mkdir()
    # A shell in the background has what it starts ignore the keyboard.
    minded = (
        "import runpy, signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "runpy.run_module('glassbench', run_name='__main__')"
    )
    words = [sys.executable, "-c", minded, "score", "--task", TASK, "--command"]
    sweep = subprocess.Popen(
        [*words, f"{COMMAND} {tmp_path / 'started'}"], stderr=subprocess.DEVNULL
    )
    try:
        until = time.monotonic() + 120
        while len(started := os.listdir(tmp_path / "started")) < 2:
            assert time.monotonic() < until and sweep.poll() is None
            time.sleep(0.05)
        sweep.send_signal(number)
        sweep.wait(60)
        until = time.monotonic() + 30
        while left := [pid for pid in map(int, started) if psutil.pid_exists(pid)]:
            assert time.monotonic() < until, left
            time.sleep(0.05)
    finally:
        sweep.kill()
        sweep.wait()
