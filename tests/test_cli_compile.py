"""`glassbench compile`: what it prints, writes and refuses."""

import json
import sys

import pytest
from typer.testing import CliRunner

from glassbench.cli import app

FRACTION = """is_x = (tokens == "x");
prevs = select(indices, indices, <=);
frac_prevs = aggregate(prevs, is_x);
"""
SIZE = ("--vocab", "x,y", "--length", "3")


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command in a folder that holds a program."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "share.rasp").write_text(FRACTION)

    def call(*arguments, code=0, text=None):
        result = CliRunner().invoke(app, ["compile", *arguments], input=text)
        assert result.exit_code == code, result.output
        assert "Traceback" not in result.output
        return result

    return call


def test_prints_what_was_compiled_and_answers(run, tmp_path):
    lines = run("share.rasp", *SIZE).stdout.splitlines()
    assert lines[0].startswith("share@")
    assert lines[1] == "tokens: x y; up to 3 of them; bidirectional"
    assert lines[2].startswith("layers 2, heads 1, d_model 10, d_mlp 2, 522 parameters")
    assert lines[3] == "well defined: on every input"
    assert lines[4].startswith("margins: ")
    assert (
        lines[5] == "weakest decision: frac_prevs: telling 0.5 from 0.666667, values of the output"
    )
    assert lines[7:9] == ["tokens      x   y      x", "frac_prevs  1 0.5 0.6667"]
    assert [path.name for path in tmp_path.iterdir()] == ["share.rasp"]


def test_says_on_what_it_was_checked(run):
    same = "select(tokens, tokens, ==)"
    text = f"categorical(aggregate({same}, selector_width({same})));"
    assert "well defined: checked on all 14 inputs" in run("-", *SIZE, text=text).stdout
    assert "up to 3 of them; causal" in run("share.rasp", *SIZE, "--causal").stdout


def test_tries_sequences(run):
    out = run("share.rasp", *SIZE, "--try", "yx", "--try", "x y y").stdout
    assert "tokens      y   x\nfrac_prevs  0 0.5\n" in out
    assert "tokens      x   y      y\nfrac_prevs  1 0.5 0.3333\n" in out


def test_several_answers(run):
    out = run("share.rasp", *SIZE, "--answer", "is_x", "--answer", "frac_prevs", "--try", "xy")
    assert "tokens         x     y\nis_x        True False\nfrac_prevs     1   0.5\n" in out.stdout
    error = run("share.rasp", *SIZE, "--answer", "is_y", code=1).stderr
    assert "share.rasp: The outputs must be names of sequences" in error


def test_reads_standard_input(run):
    out = run("-", "--vocab", "1,2", "--length", "2", "--try", "21", text="tokens + 1;").stdout
    assert "tokens  2 1\n" in out
    assert "map     3 2\n" in out


def test_files_of_other_editors(run, tmp_path):
    text = b"\xef\xbb\xbf" + FRACTION.replace("\n", "\r\n").encode()
    (tmp_path / "other.rasp").write_bytes(text)
    run("other.rasp", *SIZE, "--try", "x", "-o", "out")
    assert (tmp_path / "out" / "program.rasp").read_bytes() == text[3:]
    run("out/program.rasp", *SIZE)


def test_values_are_shown_as_one_writes_them(run):
    arguments = ("-", "--vocab", '[0.5, "a b", true, ["c", 1]]', "--length", "4")
    out = run(*arguments, text="tokens;").stdout
    assert "tokens: 0.5 True 'a b' ('c', 1); up to 4" in out


def test_explains(run):
    out = run("share.rasp", *SIZE, "--explain", "--level", "1").stdout
    for title in ("Residual stream", "Level 1", "Margins"):
        assert f"\n{title}\n---" in out


def test_draws(run, tmp_path):
    assert "Written: model.svg" in run("share.rasp", *SIZE, "--picture", "model.svg").stdout
    assert b"<svg" in (tmp_path / "model.svg").read_bytes()
    assert ".svg or .png" in run("share.rasp", *SIZE, "--picture", "a.gif", code=2).stderr


def test_writes_a_certified_task(run, tmp_path):
    out = run("share.rasp", *SIZE, "-o", "out/share", "--regimes", "scrambled").stdout
    assert "edges: 4 causal, 2 positional, 0 inert, 9 unwired; certified on all 14 inputs" in out
    assert "Written: out/share\n" in out
    assert (tmp_path / "out/share/program.rasp").read_text() == FRACTION
    labels = json.loads((tmp_path / "out/share/labels/circuit.json").read_text())
    assert labels["task"] == out.splitlines()[0]
    assert labels["task"].endswith("/scrambled[seed=0]")
    assert "\nmargins before scrambling: " in out


def test_compiles_a_program_file_again(run, tmp_path):
    run("share.rasp", *SIZE, "-o", "a", "--level", "1", "--name", "frac_prevs")
    run("a/program.json", "-o", "b", "--level", "1")
    for name in ("program.json", "model/config.json", "model/weights.safetensors"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    assert not (tmp_path / "b" / "program.rasp").exists()


def test_writes_over_tasks_and_not_over_other_files(run, tmp_path):
    run("share.rasp", *SIZE, "-o", "out")
    run("share.rasp", *SIZE, "-o", "out", "--level", "1")
    (tmp_path / "out" / "notes.txt").write_text("mine")
    error = run("share.rasp", *SIZE, "-o", "out", code=1)
    assert "out must be empty or hold a task" in error.stderr
    assert error.stdout == ""
    run("share.rasp", *SIZE, "-o", "out", "--force")
    assert (tmp_path / "out" / "notes.txt").read_text() == "mine"


def test_does_not_write_over_the_task_of_another_program(run, tmp_path):
    task = run("share.rasp", *SIZE, "-o", "out").stdout.splitlines()[0]
    error = run("share.rasp", *SIZE, "--name", "other", "-o", "out", code=1).stderr
    assert f"out must be empty or hold an earlier other, got the task {task}; choose" in error
    run("share.rasp", *SIZE, "--name", "other", "-o", "out", "--force")
    labels = json.loads((tmp_path / "out/labels/circuit.json").read_text())
    assert labels["task"].startswith("other@")


def test_texts_that_look_like_numbers(run):
    arguments = ("-", "--vocab", "'1',2,a", "--length", "4", "--try", '[1, "2", "a"]')
    out = run(*arguments, text="tokens;").stdout
    assert "tokens: 2 '1' a; up to 4" in out
    assert "\ntokens  '1' 2 a\n" in out


def test_shows_where_a_text_is_wrong(run, tmp_path):
    (tmp_path / "wrong.rasp").write_text("a = 1;\nb = select(indeces, indices, <);\n")
    error = run("wrong.rasp", *SIZE, code=1).stderr
    assert error.startswith("wrong.rasp: The RASP text cannot be read:\n  - line 2, column 12: ")
    assert "\n      b = select(indeces, indices, <);\n                 ^\n" in error


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("share.rasp", "--length", "3"), 2, "--vocab: is needed"),
        (("share.rasp", "--vocab", "x"), 2, "--length: is needed"),
        (("share.rasp", "--vocab", "x,", "--length", "3"), 2, "--vocab: Every token must be"),
        (("share.rasp", "--vocab", "x,x", "--length", "3"), 1, "tokens must differ"),
        (("share.rasp", *SIZE, "--level", "2"), 2, "--level"),
        (
            ("share.rasp", *SIZE, "--try", "z"),
            2,
            "--try: 'z' must consist of tokens, which are 'x', 'y'; got 'z'.",
        ),
        (("share.rasp", *SIZE, "--try", "xyxy"), 2, "'xyxy' must have 1 to 3 tokens, got 4."),
        (("share.rasp", *SIZE, "-o", "latin.rasp/a/b"), 1, "latin.rasp/a must be where files"),
        (("share.rasp", *SIZE, "--regimes", "fog"), 1, "There is no regime 'fog'"),
        (("share.rasp", *SIZE, "--name", "a b"), 1, "The name of a task must consist"),
        (("nothing.rasp", *SIZE), 1, "nothing.rasp: No such file or directory"),
        ((".", *SIZE), 1, ".: Is a directory"),
        (("share.rasp", *SIZE, "-o", "share.rasp"), 1, "must be a folder, got a file"),
        (("latin.rasp", *SIZE), 1, "latin.rasp: must be UTF-8, got byte 0xe9 at 2"),
        (("wrong.json",), 1, "wrong.json: The file does not hold a program"),
        (("wrong.json", "--vocab", "x"), 2, "--vocab: stands in program.json already"),
        (("wrong.json", "--causal"), 2, "--causal: stands in program.json already"),
        (("wrong.json", "--answer", "x"), 2, "--answer: stands in program.json already"),
    ],
)
def test_what_is_refused(run, tmp_path, arguments, code, message):
    (tmp_path / "latin.rasp").write_bytes(b"# \xe9t\xe9\n")
    (tmp_path / "wrong.json").write_text('{"nodes": []}')
    error = " ".join(run(*arguments, code=code).stderr.replace("│", " ").split())
    assert message in error


def test_show_explains_a_task_of_the_library():
    result = CliRunner().invoke(app, ["show", "histogram[vocab=2,length=3]", "--explain"])
    assert result.exit_code == 0, result.output
    assert "\nResidual stream\n---" in result.stdout
