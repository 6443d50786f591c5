"""Bundles are built into folders that others use at the same time."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from glassbench.benchmark_programs import TaskId
from glassbench.errors import BundleError
from glassbench.ground_truth.bundle_building import build_bundles


def test_several_builds_begin_in_one_folder(tmp_path):
    """Whether it can be written is tried at the start, by each with a file of its own."""
    folder = tmp_path / "out"

    def begin(_):
        assert list(build_bundles([], folder)) == []

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(begin, range(400)))
    assert list(folder.iterdir()) == []


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    tasks = [TaskId.parse("sort[tiny]")]
    with pytest.raises(BundleError, match="file must be a folder that can be written to"):
        next(build_bundles(tasks, tmp_path / "file"))
