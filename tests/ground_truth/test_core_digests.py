"""The bundles of the suite `core` are the bytes that they were when their digests were taken.

Their weights are those that the first leaderboard is about.

`performance/build_suite.py --digests tests/ground_truth/core_digests.txt` takes them anew.
"""

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from glassbench.benchmark_programs import get_suite

FILE = Path(__file__).with_name("core_digests.txt")
DIGESTS = {task: digest for digest, task in map(str.split, FILE.read_text().splitlines())}
RAW = Path(__file__).resolve().parents[2] / "docs" / "leaderboard" / "raw"
SOME = list(DIGESTS)[::14]
PARTS = [list(DIGESTS)[place::4] for place in range(4)]

# A process of its own, in which shapes are not checked at run time, and hashes differ.
BUILD = """
import sys
from glassbench.ground_truth import bundle_files, load
from glassbench.ground_truth.manifest import sha256_of
for task in sys.argv[1:]:
    made = load(task)
    manifest = sha256_of(bundle_files(made)["manifest.json"])
    print(manifest, task, made.labels.weights, flush=True)
"""


@cache
def ranked():
    """The sha256 of the weights that the methods of the first leaderboard were asked about."""
    found = (json.loads(file.read_text(encoding="utf-8")) for file in RAW.glob("*.json"))
    pairs = {(one["task"], one["task_digest"]) for one in found}
    assert len(pairs) == len(DIGESTS)
    return dict(pairs)


def test_every_task_has_a_digest():
    assert list(DIGESTS) == [str(task) for task in get_suite("core")]
    assert ranked().keys() == DIGESTS.keys()


@pytest.mark.parametrize(
    ("tasks", "hash_seed"),
    [
        pytest.param(SOME, "4", id="some"),
        *(pytest.param(PARTS[one], str(one), marks=pytest.mark.slow) for one in range(4)),
    ],
)
def test_digests(tasks, hash_seed):
    backwards = tasks[::-1] if int(hash_seed) % 2 else tasks
    told = subprocess.run(
        [sys.executable, "-c", BUILD, *backwards],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONHASHSEED": hash_seed},
    )
    assert told.returncode == 0, told.stderr
    found = {
        task: (digest, weights)
        for digest, task, weights in map(str.split, told.stdout.splitlines())
    }
    assert found == {task: (DIGESTS[task], ranked()[task]) for task in tasks}
