"""Packages of others add programs through an entry point."""

import logging
from dataclasses import replace
from importlib.metadata import EntryPoint

import pytest

from glassbench.benchmark_programs import get_program, library, programs, registry
from glassbench.errors import TaskError

MINE = replace(get_program("histogram"), name="my_program")
TAKEN = replace(get_program("histogram"), description="Another one of the same name.")
NOTHING = "text"


@pytest.fixture
def installed(monkeypatch):
    """Let some objects of this module be named by entry points."""

    def install(*names):
        entries = [EntryPoint(name, f"{__name__}:{name}", registry.ENTRY_POINTS) for name in names]
        monkeypatch.setattr(registry, "entry_points", lambda group: entries)
        registry._registered.cache_clear()

    yield install
    monkeypatch.undo()
    registry._registered.cache_clear()


def test_a_program_of_another_package_is_found(installed):
    installed("MINE")
    assert get_program("my_program") is MINE
    assert "my_program" in programs()
    assert "my_program" not in {spec.name for spec in library()}


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("TAKEN", "The program 'histogram' of TAKEN is left out: there is one of that name"),
        ("MISSING", "The programs of MISSING"),
        ("NOTHING", "The entry point NOTHING must name a ProgramSpec or several, got 't'"),
        ("MINE_TWICE", "'my_program' of MINE_TWICE is left out"),
    ],
)
def test_what_cannot_be_used_is_told_and_left_out(installed, caplog, name, told):
    with caplog.at_level(logging.WARNING):
        installed("MINE", name)
        assert set(programs()) == {*(spec.name for spec in library()), "my_program"}
    assert told in caplog.text
    assert get_program("histogram").description.startswith("Gives at each position how often")


MINE_TWICE = [MINE]


def test_old_versions_stay_reachable(installed, monkeypatch):
    newer = replace(get_program("sort"), version=2)
    monkeypatch.setattr(registry, "LIBRARY", (*registry.LIBRARY, newer))
    installed()
    assert get_program("sort") is newer
    assert get_program("sort", version=1).version == 1
    assert [spec.version for spec in library() if spec.name == "sort"] == [2]
    with pytest.raises(TaskError, match="no version 3 of program 'sort'"):
        get_program("sort", version=3)
