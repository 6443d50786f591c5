"""Commands: tools in any language, and what becomes of each way in which they can fail."""

import importlib.util
import json
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from glassbench.errors import AnswerError, ToolError
from glassbench.evaluators import CommandTool, Limits, limited_run, score, score_suite, scored
from glassbench.evaluators import command_tool as module
from glassbench.evaluators.answer_folder import ToolAnswer
from glassbench.evaluators.problem_folder import ProblemRecord
from glassbench.evaluators.scratch_folder import remove_folder
from glassbench.ground_truth import load

SCRIPT = Path(__file__).parents[2] / "performance" / "fault_injection.py"
TASK = "histogram[vocab=2,length=3]"
OTHER = "sort[vocab=2,length=2]"
PYTHON = shlex.quote(sys.executable)


def loaded(path):
    """Load the script that has the faults, which is in no package."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    found = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = found
    spec.loader.exec_module(found)
    return found


faults = loaded(SCRIPT.with_name("faults_of_tools.py"))
injection = loaded(SCRIPT)


def command(folder, script, **options):
    """Return a tool that is a Python script, after the same beginning as the faults."""
    file = folder / "tool.py"
    file.write_text(faults.PRELUDE + script)
    words = [sys.executable, "-S", "-E", str(file)]
    return CommandTool(f"{shlex.join(words)} {{problem}} {{answer}}", **options)


# -- faults ------------------------------------------------------------------------


@pytest.mark.parametrize("fault", faults.FAULTS, ids=lambda fault: fault.name)
def test_every_fault_is_a_row_that_says_so_and_leaves_nothing(fault, tmp_path, monkeypatch):
    monkeypatch.setattr(limited_run, "LATE", 2.0)  # so as not to wait
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    tool = injection.tool(fault, tmp_path)
    (row,) = score_suite(tool, [TASK], fault.track, priors={})
    assert row.status == fault.status, row.error
    assert bool(row.error) == bool(fault.error)
    assert re.search(fault.error, row.error or "")
    assert injection.left_running(tmp_path) == 0
    assert not list((tmp_path / "tmp").iterdir())


def test_the_count_of_what_is_left_would_find_it(tmp_path):
    script = tmp_path / "left.py"
    script.write_text("import time; time.sleep(1000)")
    process = subprocess.Popen([sys.executable, str(script)])
    try:
        assert injection.left_running(tmp_path) == 1
    finally:
        process.kill()
        process.wait()
    assert injection.left_running(tmp_path) == 0


def test_the_sweep_goes_on(tmp_path):
    seen = tmp_path / "seen"
    script = f"seen = pathlib.Path({str(seen)!r})\nif not seen.exists(): seen.touch(); os.abort()\n"
    rows = list(score_suite(command(tmp_path, f"{script}give()"), [TASK, OTHER, TASK]))
    assert [row.status for row in rows] == ["failed", "ok", "ok"]
    assert "was ended by SIGABRT" in rows[0].error


def test_errors_are_raised_where_one_task_is_asked(tmp_path):
    with pytest.raises(ToolError, match="must end with exit code 0, and ended with 3"):
        score(command(tmp_path, "sys.exit(3)"), TASK)
    with pytest.raises(AnswerError, match="is missing"):
        score(command(tmp_path, ""), TASK)


def test_the_end_of_what_it_printed_is_told_without_temporary_paths(tmp_path):
    script = "print('\\x1b[31mat', problem, file=sys.stderr); sys.exit(1)"
    with pytest.raises(ToolError, match=re.escape("printed:\n  ?[31mat {problem}")):
        score(command(tmp_path, script), TASK)


def test_folders_go_whatever_is_in_them(tmp_path):
    folder = tmp_path / "home"
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "kept").touch()
    (folder / "closed" / "inner").mkdir(parents=True)
    (folder / "closed" / "inner" / "file").touch()
    (folder / "link").symlink_to(outside)
    (folder / "closed" / "inner" / "link").symlink_to(outside / "kept")
    (folder / "closed").chmod(0)
    folder.chmod(0)
    remove_folder(folder)
    assert not folder.exists()
    assert (outside / "kept").exists()


def test_an_error_is_kept_as_text_of_some_length(tmp_path):
    def fails(problem):
        raise OSError("no \udcff " + "x" * 10**6)

    (row,) = score_suite(fails, [TASK])
    assert "raised OSError: no \\udcff xxx" in row.error
    assert row.error.endswith(" characters more")
    assert len(row.error) < 20_000
    assert row.write(tmp_path).exists()
    (row,) = score_suite(command(tmp_path, "give(problem='x' * 10**6)"), [TASK])
    assert len(row.error) < 20_000


def test_memory_that_was_taken_between_two_looks_is_told_all_the_same(tmp_path):
    """By what the system says of a process that has ended: here nothing else is looked at."""
    blind = (
        "import importlib.util as u, sys\n"
        "spec = u.spec_from_file_location('supervisor', sys.argv[1])\n"
        "module = u.module_from_spec(spec); spec.loader.exec_module(module)\n"
        "def look(run): run._next_look = float('inf'); return []\n"
        "module.Run._look = look; module.main()"
    )
    words = [sys.executable, "-S", "-E", "-c", "taken = bytearray(200 * 2**20)"]
    request = {"argv": words, "folder": str(tmp_path), "seconds": 60, "processes": 9}
    request |= {"memory": 128 * 2**20, "file": 2**20}
    supervisor = limited_run._SUPERVISOR
    with subprocess.Popen(
        [sys.executable, "-c", blind, str(supervisor)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        process.stdin.write(json.dumps(request).encode() + b"\n")
        process.stdin.flush()
        _, report = process.stdout.read().splitlines()
    found = json.loads(report)
    assert (found["ended"], found["code"]) == ("memory", 0)
    assert found["peak"] > 200 * 2**20


def test_at_its_limit_a_tool_is_asked_to_end_before_it_is_killed(tmp_path):
    asked = tmp_path / "asked"
    script = (
        f"signal.signal(signal.SIGTERM, lambda *_: pathlib.Path({str(asked)!r}).touch())\n"
        "while True: time.sleep(0.1)"
    )
    (row,) = score_suite(command(tmp_path, script, limits=Limits(seconds=1)), [TASK])
    assert row.status == "timeout"
    assert asked.exists()


# -- what a run is given, and what is recorded -------------------------------------


def test_a_result_says_what_the_tool_took_and_tells_of_itself(tmp_path):
    script = (
        "taken = b'1' * (60 * 2**20); time.sleep(0.3)\n"
        "give(tool='mine', tool_version='1.2', settings={'steps': 3})"
    )
    found = scored(command(tmp_path, script, name="given"), TASK)
    result = found.result
    assert (result.tool, result.tool_version) == ("given", "1.2")
    assert result.told == {"tool": "mine", "settings": {"steps": 3}}
    assert set(result.settings) == {"command"}
    assert 60 < result.peak_memory_mb < 120
    assert 0.3 <= result.wall_seconds < 30
    assert json.loads(result.to_json())["told"] == result.told
    assert found.answer.content.scores == dict.fromkeys(load(TASK).graph.edge_names, 0.0)


def test_a_function_tells_nothing_of_itself():
    assert "told" not in json.loads(score("weight-norm", TASK).to_json())


def test_our_own_writing_is_not_counted(tmp_path, monkeypatch):
    def slow(*arguments):
        time.sleep(1.5)
        return module_write(*arguments)

    module_write = module.write_problem
    monkeypatch.setattr(module, "write_problem", slow)
    tool = command(tmp_path, "give()")
    began = time.perf_counter()
    seconds = score(tool, TASK).wall_seconds
    assert seconds <= time.perf_counter() - began - 1.5


def test_a_problem_is_written_anew_for_every_run(tmp_path):
    """What one tool does to its problem, or leaves in its folder, no later run sees."""
    script = (
        "import hashlib\n"
        "files = sorted(path for path in problem.rglob('*') if path.is_file())\n"
        "seen = hashlib.sha256(b''.join(path.read_bytes() for path in files)).hexdigest()\n"
        "beside = [name for place in ('.', os.environ['TMPDIR']) for name in os.listdir(place)]\n"
        "give(settings={'seen': seen, 'beside': beside})\n"
        "pathlib.Path('left').touch(); pathlib.Path(os.environ['TMPDIR'], 'left').touch()\n"
        "for path in files: os.chmod(path, 0o666); path.write_text('spoilt')\n"
    )
    one, two = score_suite(command(tmp_path, script), [TASK, TASK])
    assert one.told == two.told
    assert one.told["settings"]["beside"] == []


def test_a_tool_gets_no_environment_of_ours(tmp_path, monkeypatch):
    monkeypatch.setenv("GLASSBENCH_HOME", str(tmp_path))
    monkeypatch.setenv("OLDPWD", str(tmp_path))
    script = (
        "own = [name for name in os.environ if name.startswith('GLASSBENCH')]\n"
        "told = {'own': own, 'old': 'OLDPWD' in os.environ, 'path': 'PATH' in os.environ}\n"
        "give(settings={**told, 'here': os.environ['PWD'] == os.getcwd()})"
    )
    told = scored(command(tmp_path, script), TASK).result.told["settings"]
    assert told == {"own": [], "old": False, "path": True, "here": True}


def test_files_beside_the_command_are_found(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "tools").mkdir()
    name = command(tmp_path / "tools", "give()").name
    assert name == "tool.py"
    assert (
        score(CommandTool(f"{PYTHON} -S tools/tool.py {{problem}} {{answer}}"), TASK).status == "ok"
    )
    monkeypatch.chdir(tmp_path / "tools")
    assert score(CommandTool(f"{PYTHON} -S tool.py {{problem}} {{answer}}"), TASK).status == "ok"
    elsewhere = CommandTool(f"{PYTHON} -S tool.py {{problem}} {{answer}}", place=tmp_path / "tools")
    monkeypatch.chdir(tmp_path)
    assert score(elsewhere, TASK).status == "ok"


def test_words_are_arguments_and_no_shell_reads_them(tmp_path):
    tool = command(tmp_path, "print(sys.argv[3:], file=sys.stderr); sys.exit(1)")
    with pytest.raises(ToolError, match=re.escape("['$HOME', 'a b', '*', ';']")):
        score(CommandTool(f"{tool.command} '$HOME' 'a b' '*' ';'"), TASK)


def test_a_shell_is_asked_for_by_its_name():
    words = """sh -c 'cp "$1"/problem.json "$2"/answer.json' sh {problem} {answer}"""
    with pytest.raises(AnswerError, match="track: Extra inputs are not permitted"):
        score(CommandTool(words), TASK)


# -- commands and limits -----------------------------------------------------------


@pytest.mark.parametrize(
    ("words", "problems"),
    [
        ("./tool", ["{problem} must be an argument of its own", "{answer} must be"]),
        ("./tool {problem}", ["{answer} must be an argument of its own, once, got it 0 times"]),
        ("./tool --in={problem} {answer}", ["{problem} must be an argument of its own"]),
        ("./tool {problem} {answer} {answer}", ["got it 2 times"]),
        ("{problem} {answer}", ["it must begin with a program"]),
        ("./tool '{problem} {answer}", ["must be words as a shell has them: No closing quotation"]),
    ],
)
def test_commands_that_are_none(words, problems):
    with pytest.raises(ToolError) as caught:
        CommandTool(words)
    for problem in problems:
        assert problem in str(caught.value)


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("./tool {problem} {answer}", "tool"),
        ("tool --steps=3 {problem} {answer}", "tool"),
        ("python -O tools/pca.py {problem} {answer}", "pca.py"),
        ("node tool.mjs --rate 0.5 {problem} {answer}", "tool.mjs"),
        ("./run.sh conf.toml {problem} {answer}", "run.sh"),
        ("sh -c 'cp x.json y.json' sh {problem} {answer}", "sh"),
    ],
)
def test_a_command_is_named_by_what_it_runs(words, name):
    assert CommandTool(words).name == name
    assert CommandTool(words, "mine").name == "mine"


def test_limits_that_leave_nothing():
    with pytest.raises(ToolError) as caught:
        Limits(seconds=0, memory_mb=float("nan"))
    assert "seconds: must be a finite number above zero, got 0" in str(caught.value)
    assert "memory_mb: must be a finite number above zero, got nan" in str(caught.value)


# -- the page ----------------------------------------------------------------------


def test_the_page_tells_of_every_fault_and_of_every_field():
    page = (SCRIPT.parents[1] / "docs" / "any_language.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|]+) \| (ok|failed|timeout|out_of_memory) \|", page, re.MULTILINE)
    assert rows == [(fault.name, fault.status) for fault in faults.FAULTS]
    left = re.findall(
        r"^\| .* \| (?:ok|failed|timeout|out_of_memory) \|.* \| (\d+) \|$", page, re.M
    )
    assert left == ["0"] * len(rows)
    for field in (*ProblemRecord.model_fields, *ToolAnswer.model_fields):
        assert f"`{field}`" in page, field
