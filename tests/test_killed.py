"""Processes killed by the system while they build, write, download or score.

What is on disk changes only when a process asks the system for it, so a command is run again and
again and killed just before its 1st, 2nd, 3rd ... request that names a file of its folder. The
bytes of a file may also be cut off while they are written; those go to files of other names.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Timer

import pytest

from glassbench.benchmark_programs import TaskId
from glassbench.errors import BundleError
from glassbench.evaluators import Result
from glassbench.ground_truth import Registry, download, read_bundle
from glassbench.ground_truth.bundle_building import build_bundles, write_registry
from glassbench.leaderboard import read_results

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no such signal")

TASK = "histogram-v1[vocab=2,length=3]"
LARGER = "histogram-v1[vocab=3,length=3]"
MOST_SECONDS = 300

DRIVER = """
import contextlib, io, json, os, shutil, signal, sys
from glassbench.cli import app
from glassbench.ground_truth import bundle_building, bundle_files, bundle_folder, load, write_bundle

made = {}

def made_once(task):
    if task.id not in made:
        made[task.id] = bundle_files(task)
    return made[task.id]

bundle_building.bundle_files = bundle_folder.bundle_files = made_once

def work(arguments, folder):
    os.environ["GLASSBENCH_HOME"] = folder
    with contextlib.redirect_stdout(io.StringIO()):
        if arguments[0] == "write_bundle":
            write_bundle(load(arguments[1]), folder, force=True)
        else:
            told = [folder if word == "FOLDER" else word for word in arguments]
            app(told, standalone_mode=False)

def killed_at(moment, root, arguments, folder):
    seen = 0
    def watch(event, details):
        nonlocal seen
        if any(str(one).startswith(root) for one in details):
            seen += 1
            if seen == moment:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(watch)
    work(arguments, folder)

def moments(root, before, arguments):
    whole = f"{root}/whole"
    if before:
        shutil.copytree(before, whole)
    work(arguments, whole)
    moment, ended = 0, False
    while not ended:
        moment += 1
        folder = f"{root}/{moment:03}"
        if before:
            shutil.copytree(before, folder)
        child = os.fork()
        if child == 0:
            killed_at(moment, root, arguments, folder)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        ended = not os.WIFSIGNALED(status)
        assert not ended or status == 0, status
    return moment

for line in sys.stdin:
    print(moments(*json.loads(line)), flush=True)
"""


Killed = Callable[..., list[Path]]


@pytest.fixture(scope="module")
def killed(tmp_path_factory) -> Iterator[Killed]:
    """Run a command whole, then killed at every moment; return the folders it leaves.

    The first folder is that of the whole run, the last of one that came to its end. Each
    begins as a copy of `before`. One process, which has loaded the package, starts all of them.
    """
    log = tmp_path_factory.mktemp("driver") / "log"
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with (
        log.open("w") as said,
        subprocess.Popen([sys.executable, "-c", DRIVER], stderr=said, **pipes) as driver,
    ):

        def run(*arguments: str, before: Path | None = None) -> list[Path]:
            root = tmp_path_factory.mktemp("killed")
            asked = json.dumps([str(root), before and str(before), arguments])
            driver.stdin.write(f"{asked}\n")
            driver.stdin.flush()
            limit = Timer(MOST_SECONDS, driver.kill)
            limit.start()
            told = driver.stdout.readline()
            limit.cancel()
            assert told, log.read_text()
            assert int(told) > 4
            left = [root / "whole", *(root / f"{moment:03}" for moment in range(1, int(told) + 1))]
            assert shown(left[-1]).keys() == shown(left[0]).keys()
            return left

        yield run
        driver.stdin.close()


@pytest.fixture(scope="module")
def first_written(killed) -> list[Path]:
    """What the first bundle leaves that is written into a folder."""
    return killed("write_bundle", TASK)


def shown(folder: Path) -> dict[str, bytes]:
    """Return the files of a folder that are not hidden."""
    paths = folder.rglob("*") if folder.exists() else ()
    inside = {path.relative_to(folder): path for path in paths if path.is_file()}
    return {
        str(name): path.read_bytes()
        for name, path in inside.items()
        if not any(part.startswith(".") for part in name.parts)
    }


def test_build(killed):
    before, *moments = killed("build", TASK, "--registry", "FOLDER")
    check_served(moments, [{}, shown(before)])
    whole, *moments = killed("build", TASK, LARGER, "--registry", "FOLDER", before=before)
    check_served(moments, [shown(before), shown(whole)])


def check_served(folders: list[Path], states: list[dict[str, bytes]]) -> None:
    """Check that every folder has a registry of one of the states, and bundles that are whole."""
    registries = set()
    for folder in folders:
        files = shown(folder)
        assert files.items() <= {item for state in states for item in state.items()}
        registries.add(files.pop("registry.json", None))
        for name in files:
            read_bundle(folder / name)
        if (folder / "registry.json").exists():
            listed = Registry.read(folder).bundles
            assert {entry.sha256 for entry in listed} <= {
                hashlib.sha256(content).hexdigest() for content in files.values()
            }
    assert registries == {state.get("registry.json") for state in states}


def test_a_folder(killed, first_written):
    before, *moments = first_written
    check_one_of(moments, [{}, shown(before)])
    whole, *moments = killed("write_bundle", LARGER, before=before)
    check_one_of(moments, [{}, shown(before), shown(whole)])


def check_one_of(folders: list[Path], states: list[dict[str, bytes]]) -> None:
    """Check that every folder is in one of the states, and that all of them occur."""
    found = [shown(folder) for folder in folders]
    assert all(files in states for files in found)
    assert all(state in found for state in states)


def test_a_folder_with_other_files(killed, first_written, tmp_path):
    """Files go to their places one by one; a mixture of two tasks is refused."""
    before = shutil.copytree(first_written[0], tmp_path / "before")
    (before / "notes.txt").write_text("mine")
    whole, *moments = killed("write_bundle", LARGER, before=before)
    n_mixed = 0
    for folder in moments:
        files = shown(folder)
        assert files["notes.txt"] == b"mine"
        (folder / "notes.txt").unlink()
        if files in (shown(before), shown(whole)):
            read_bundle(folder)
        else:
            n_mixed += 1
            with pytest.raises(BundleError):
                read_bundle(folder)
    assert n_mixed > 0


def test_download(killed, tmp_path, monkeypatch):
    served = tmp_path / "served"
    built = build_bundles([TaskId.parse(TASK)], served)
    url = write_registry(list(built), served).as_uri()
    (bundle,) = served.glob("*.zip")
    _, *moments = killed("download", "--from", url)
    n_whole = 0
    for folder in moments:
        there = list(folder.glob("bundles/*.zip"))
        n_whole += len(there)
        assert all(path.read_bytes() == bundle.read_bytes() for path in there)
        monkeypatch.setenv("GLASSBENCH_HOME", str(folder))
        if not there:
            with pytest.raises(BundleError, match="is missing"):
                download(url, offline=True)
        (path,) = download(url)
        assert path.read_bytes() == bundle.read_bytes()
    assert 0 < n_whole < len(moments)


def test_score(killed):
    names = ("interchange", "weight-norm")
    whole, *moments = killed("score", *names, "--task", TASK, "-o", "FOLDER")
    answers = {result.file_name: result.answer_sha256 for result in read_results(whole)}
    assert len(answers) == 2
    counts = set()
    for folder in moments:
        results = [Result.read(path) for path in folder.glob("*.json")]
        assert all(answers[one.file_name] == one.answer_sha256 for one in results)
        counts.add(len(results))
    assert counts == {0, 1, 2}
