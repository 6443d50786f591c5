"""The bundles of the suite `core` are the bytes that they were when their digests were taken.

`performance/build_suite.py --digests tests/ground_truth/core_digests.txt` takes them anew.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from glassbench.benchmark_programs import get_suite

FILE = Path(__file__).with_name("core_digests.txt")
DIGESTS = {task: digest for digest, task in map(str.split, FILE.read_text().splitlines())}
PARTS = 4

# A process of its own, in which shapes are not checked at run time, and hashes differ.
BUILD = """
import sys
from glassbench.ground_truth import bundle_files, load
from glassbench.ground_truth.manifest import sha256_of
for task in sys.argv[1:]:
    print(sha256_of(bundle_files(load(task))["manifest.json"]), task, flush=True)
"""


def test_every_task_has_a_digest():
    assert list(DIGESTS) == [str(task) for task in get_suite("core")]


@pytest.mark.parametrize("part", range(PARTS))
def test_digests(part):
    tasks = list(DIGESTS)[part::PARTS]
    backwards = tasks[::-1] if part % 2 else tasks
    told = subprocess.run(
        [sys.executable, "-c", BUILD, *backwards],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": str(part)},
    )
    assert told.returncode == 0, told.stderr
    found = {task: digest for digest, task in map(str.split, told.stdout.splitlines())}
    assert found == {task: DIGESTS[task] for task in tasks}
