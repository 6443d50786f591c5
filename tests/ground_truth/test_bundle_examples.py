"""The examples that read a bundle without this package reproduce its answers."""

import subprocess
import sys
from pathlib import Path

import pytest

from glassbench.ground_truth import bundle_files, load, write_bundle
from glassbench.ground_truth.bundle_archive import zip_bytes
from glassbench.whole_file import write_whole

EXAMPLES = Path(__file__).parents[2] / "examples"
TASKS = (
    "sort[vocab=2,length=3]/crowded[distractors=1]/scrambled",
    "frac_prevs[vocab=2,length=3]",
    "detect_pattern[vocab=3,length=3]",
    "frac_prevs[vocab=2,length=3]/superposed[d=6,seed=0]",
)


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("example", ["read_bundle.py", "read_bundle_torch.py"])
def test_the_answers_are_those_of_the_bundle(tmp_path, example, name):
    check_answers(example, write_bundle(load(name), tmp_path / "task"))


@pytest.mark.parametrize("example", ["read_bundle.py", "read_bundle_torch.py"])
def test_a_zip_is_read_without_unpacking(tmp_path, example):
    zipped = zip_bytes(bundle_files(load(TASKS[1])))
    check_answers(example, write_whole(zipped, tmp_path / "task.zip"))


def check_answers(example, place):
    # Isolated, with nothing but the bundle: the package is not imported.
    command = [sys.executable, "-I", str(EXAMPLES / example), str(place)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    first, second = told.stdout.split(": ")[1].split(" answers")[0].split(" of ")
    assert first == second != "0"


def test_the_examples_do_not_import_the_package():
    for example in ("read_bundle.py", "read_bundle_torch.py"):
        assert "import glassbench" not in (EXAMPLES / example).read_text(encoding="utf-8")
        assert "from glassbench" not in (EXAMPLES / example).read_text(encoding="utf-8")
