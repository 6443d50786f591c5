"""The map of the code names every module, in its own words."""

import pytest


@pytest.fixture
def code_map(docs_script):
    return docs_script("make_code_map")


def test_the_map_is_that_of_the_modules_as_they_are(code_map):
    assert code_map.PAGE.read_text(encoding="utf-8") == code_map.page(), "run make_code_map.py"


def test_a_module_in_no_group_is_told(code_map, monkeypatch):
    (one, *_) = code_map.FOLDERS["leaderboard"]
    groups = {**code_map.FOLDERS, "leaderboard": {one: ["nothing_*"]}}
    monkeypatch.setattr(code_map, "FOLDERS", groups)
    with pytest.raises(ValueError, match="leaderboard/aggregates must be in a group of"):
        code_map.grouped("leaderboard")


def test_a_pattern_that_names_nothing_is_told(code_map, monkeypatch):
    groups = {"All": ["*"], "None": ["nothing_*"]}
    monkeypatch.setattr(code_map, "FOLDERS", {"leaderboard": groups})
    with pytest.raises(ValueError, match=r"of leaderboard name no module: nothing_\*"):
        code_map.grouped("leaderboard")
