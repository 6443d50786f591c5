"""Answer folders: what is read, and what is refused whatever tool wrote it.

Most of what is refused is in the faults of `test_command_tool`.
"""

import json

import numpy as np
import pytest

from glassbench.errors import AnswerError
from glassbench.evaluators.answer_folder import ANSWER, ANSWER_ARRAYS, read_answer
from glassbench.evaluators.problem_content import AskedArrays, AskedScores, AskedText
from glassbench.ground_truth.array_file import save_arrays

SCORES = AskedScores(names=("a", "b"))
ARRAYS = AskedArrays(arrays={"v/directions": ("k", 3), "v/read": ("m", 3)}, optional=("v/read",))
TEXT = AskedText(language="RASP")


def given(folder, **told):
    """Write an answer, and return its folder."""
    content = {"format_version": "1.0", "problem": "id", **told}
    (folder / ANSWER).write_text(json.dumps(content))
    return folder


def test_scores_are_read_with_what_the_tool_tells_of_itself(tmp_path):
    told = {"tool": "mine", "tool_version": "2", "settings": {"steps": 1}}
    record, content = read_answer(given(tmp_path, scores={"a": 1, "b": -0.5}, **told), SCORES, "id")
    assert content.scores == {"a": 1.0, "b": -0.5}
    assert record.tool_version == "2"
    assert record.told == {"tool": "mine", "settings": {"steps": 1}}


def test_names_are_for_the_track_to_check(tmp_path):
    _, content = read_answer(given(tmp_path, scores={"c": 1}), SCORES, "id")
    assert content.scores == {"c": 1.0}


def test_arrays_are_read_and_some_can_be_left_out(tmp_path):
    arrays = {"v/directions": np.eye(2, 3, dtype=np.float32)}
    given(tmp_path, array_file=ANSWER_ARRAYS)
    (tmp_path / ANSWER_ARRAYS).write_bytes(save_arrays(arrays))
    _, content = read_answer(tmp_path, ARRAYS, "id")
    np.testing.assert_array_equal(content.arrays["v/directions"], arrays["v/directions"])
    (tmp_path / ANSWER_ARRAYS).write_bytes(save_arrays({"v/read": np.eye(3)}))
    with pytest.raises(AnswerError, match="v/directions: is missing"):
        read_answer(tmp_path, ARRAYS, "id")
    (tmp_path / ANSWER_ARRAYS).unlink()
    with pytest.raises(AnswerError, match=r"answer\.safetensors must be written"):
        read_answer(tmp_path, ARRAYS, "id")


def test_a_text_is_read(tmp_path):
    _, content = read_answer(given(tmp_path, text="out = tokens;"), TEXT, "id")
    assert content.text == "out = tokens;"
    with pytest.raises(AnswerError, match="must give 'text', since the problem asks for text, got"):
        read_answer(given(tmp_path, scores={}), TEXT, "id")


def test_other_files_are_not_looked_at(tmp_path):
    (tmp_path / "log.txt").write_text("much")
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "link").symlink_to("/etc/passwd")
    assert read_answer(given(tmp_path, scores={"a": 1}), SCORES, "id")


@pytest.mark.parametrize(
    ("told", "problem"),
    [
        ({}, "must give 'scores', since the problem asks for scores, got none"),
        ({"scores": {}, "text": "x"}, "got 'scores' and 'text'"),
        ({"scores": {"a": True}}, "scores.a: Input should be a valid number"),
        ({"scores": {"a": None}}, "scores.a: Input should be a valid number"),
        ({"array_file": "/etc/passwd"}, "array_file: Input should be 'answer.safetensors'"),
        ({"scores": {}, "tool": ""}, "tool: String should have at least 1 character"),
        ({"scores": {}, "tool": "x" * 201}, "tool: String should have at most 200 characters"),
        ({"scores": {}, "problem": 3}, "problem: Input should be a valid string"),
    ],
)
def test_answers_that_are_refused(tmp_path, told, problem):
    with pytest.raises(AnswerError) as caught:
        read_answer(given(tmp_path, **told), SCORES, "id")
    assert problem in str(caught.value)


def test_a_file_that_cannot_be_read_says_why(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AnswerError, match="must be in the folder that was given"):
        read_answer(tmp_path / "file", SCORES, "id")
