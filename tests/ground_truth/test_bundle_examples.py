"""The examples that read a bundle without this package reproduce its answers."""

import re
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


EACH_IN_TURN = """
import runpy, sys
example, *places = sys.argv[1:]
for place in places:
    sys.argv = [example, place]
    try:
        runpy.run_path(example, run_name="__main__")
    except SystemExit as ended:
        print("ended with", ended.code)
assert "glassbench" not in sys.modules
"""


@pytest.mark.parametrize("example", ["read_bundle.py", "read_bundle_torch.py"])
def test_the_answers_are_those_of_the_bundle(tmp_path, example):
    """Of folders, and of a zip without unpacking it."""
    places = [write_bundle(load(name), tmp_path / str(at)) for at, name in enumerate(TASKS)]
    zipped = zip_bytes(bundle_files(load(TASKS[1])))
    places.append(write_whole(zipped, tmp_path / "task.zip"))
    # Isolated, with nothing but the bundles: the package is not imported.
    command = [sys.executable, "-I", "-c", EACH_IN_TURN, EXAMPLES / example, *places]
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    told = re.findall(r"(\d+) of (\d+) answers .*\n(?:.*\n)?ended with (\d)", done.stdout)
    assert len(told) == len(places)
    for right, asked, code in told:
        assert right == asked != "0"
        assert code == "0"


def test_the_examples_do_not_import_the_package():
    for example in ("read_bundle.py", "read_bundle_torch.py"):
        assert "import glassbench" not in (EXAMPLES / example).read_text(encoding="utf-8")
        assert "from glassbench" not in (EXAMPLES / example).read_text(encoding="utf-8")
