"""The workflow that validates submissions: valid YAML, few rights, real commands, hostile names."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from glassbench.cli import app

GITHUB = Path(__file__).resolve().parent.parent / ".github"
WORKFLOW = GITHUB / "workflows" / "submissions.yml"
SCRIPT = GITHUB / "validate_changed.sh"


@pytest.fixture(scope="module")
def workflow():
    return yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def steps(workflow):
    (job,) = workflow["jobs"].values()
    assert job["timeout-minutes"] <= 360
    return job["steps"]


def test_it_runs_on_pull_requests_alone_with_leave_to_read(workflow):
    triggers = workflow[True]  # YAML 1.1 reads the key "on" as true
    assert triggers == {"pull_request": {"paths": ["submissions/**"]}}
    assert workflow["permissions"] == {"contents": "read"}
    assert all("permissions" not in job for job in workflow["jobs"].values())
    assert "secrets." not in WORKFLOW.read_text(encoding="utf-8")


def test_actions_are_pinned_and_keep_no_credentials(steps):
    used = [step for step in steps if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z-]+@v\d+", step["uses"]) for step in used)
    checkouts = [step["with"] for step in used if step["uses"].startswith("actions/checkout@")]
    assert [each["path"] for each in checkouts] == ["trusted", "proposed"]
    assert all(each["persist-credentials"] is False for each in checkouts)


def test_nothing_that_is_proposed_is_run(steps):
    lines = [step["run"] for step in steps if "run" in step]
    for line in lines:
        assert "${{" not in line, "values are handed over by the environment, never as code"
        runs = r"(^|[;&|(] *)(bash|sh|source|python\S*|\.) +\S*proposed"
        assert not re.search(runs, line, re.MULTILINE)
        assert not re.search(r"install.*proposed", line)
    assert any("./trusted" in line for line in lines)
    (call,) = [line for line in lines if "validate_changed.sh" in line]
    assert shlex.split(call)[:2] == ["bash", "trusted/.github/validate_changed.sh"]
    assert (GITHUB.parent / "constraints.txt").is_file()


def test_the_command_and_its_options_are_real():
    (call,) = [
        line.strip() for line in SCRIPT.read_text().splitlines() if "glassbench validate" in line
    ]
    _, verb, *words = shlex.split(call)
    command = typer.main.get_command(app).commands[verb]
    known = {option for each in command.params for option in each.opts}
    asked = {word for word in words if word.startswith("--")}
    assert asked
    assert asked <= known


@pytest.fixture
def checkout(tmp_path):
    """A checkout with one submission, and a function that commits changes to it."""
    place = tmp_path / "proposed"
    place.mkdir()

    def git(*words):
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        done = subprocess.run(
            ["git", *who, *words], cwd=place, check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def commit(**files):
        for name, content in files.items():
            path = place / name
            if content is None:
                shutil.rmtree(path)
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content)
        git("add", "-A")
        git("commit", "-q", "--allow-empty", "-m", "change")
        return git("rev-parse", "HEAD")

    git("init", "-q")
    commit(**{"submissions/old/submission.json": "{}", "cli.py": ""})
    return place, commit, git


@pytest.fixture
def call(checkout, tmp_path):
    """Run the script with a command that tells its arguments instead of the real one."""
    git = checkout[-1]
    stub = tmp_path / "bin" / "glassbench"
    stub.parent.mkdir()
    stub.write_text(f"#!{sys.executable}\nimport json, sys\nprint(json.dumps(sys.argv[1:]))\n")
    stub.chmod(0o755)
    base = git("rev-parse", "HEAD")

    def run(head):
        return subprocess.run(
            ["bash", str(SCRIPT), "proposed", base, head, "report"],
            cwd=tmp_path,
            env=os.environ | {"PATH": f"{stub.parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
        )

    return run


def test_folders_that_changed_are_validated(checkout, call):
    _, commit, _ = checkout
    done = call(
        commit(
            **{
                "submissions/new/answers/a/answer.json": "{}",
                "submissions/--output=x; touch y/submission.json": "{}",
                "submissions/$(touch z)\n/submission.json": "{}",
            }
        )
    )
    assert done.returncode == 0, done.stderr
    verb, jobs, _, *options, output, report = json.loads(done.stdout)[:9]
    places = json.loads(done.stdout)[9:]
    assert (verb, jobs, output, report) == ("validate", "--jobs", "--output", "report")
    assert options == ["--seeds", "5", "--beside", str(GITHUB.parent / "submissions")]
    assert sorted(places) == [
        "proposed/submissions/$(touch z)\n",
        "proposed/submissions/--output=x; touch y",
        "proposed/submissions/new",
    ]


def test_other_changes_beside_a_submission_are_refused(checkout, call):
    _, commit, _ = checkout
    done = call(commit(**{"submissions/new/submission.json": "{}", "cli.py": "accept = True"}))
    assert done.returncode == 1
    assert done.stdout == ""
    assert "changes nothing but folders in submissions/, got:\n  - cli.py\n" in done.stderr


def test_a_link_in_the_place_of_a_submission_is_validated_too(checkout, call):
    place, commit, _ = checkout
    shutil.rmtree(place / "submissions" / "old")
    (place / "submissions" / "old").symlink_to("/etc")
    done = call(commit())
    assert json.loads(done.stdout)[-1] == "proposed/submissions/old"


def test_where_nothing_is_left_nothing_is_validated(checkout, call):
    _, commit, _ = checkout
    done = call(commit(**{"submissions/old": None}))
    assert (done.returncode, done.stdout) == (0, "Removed: old\n")
    done = call(commit(**{"submissions/old/submission.json": "{}", "submissions/README.md": "a"}))
    assert (done.returncode, done.stdout) == (0, "There is no submission to validate.\n")
