"""Reading results fast refuses what reading them strictly refuses, and finds the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from glassbench.errors import BundleError
from glassbench.evaluators.environment import Environment
from glassbench.evaluators.result import MetricValue, Result
from glassbench.evaluators.said_once import LONGEST, said_once

RESULT = Result(
    tool="tool",
    settings={"k": 3, "steps": [0.5, {"deep": None}]},
    task="a-v1",
    task_digest="0" * 64,
    track="circuit",
    seed=0,
    primary="ap",
    metrics={"ap": MetricValue.of(0.6, random=0.1, prior=0.2)},
    answer_sha256="a" * 64,
    wall_seconds=2.0,
    environment=Environment(python="3.11.7", platform="Linux", packages={"numpy": "2.0"}),
)
TEXT = RESULT.to_json()


def outcome(read, content):
    """Return the result, or what the error says."""
    try:
        return read(content, "here")
    except BundleError as error:
        return str(error)


def test_what_is_written_is_read_fast():
    content = TEXT.encode()
    assert said_once(content, Result.model_validate_json(content))


def test_a_name_that_looks_like_a_key_is_left_to_the_strict_reader():
    named = RESULT.model_copy(update={"tool": 'a "tool": x'})
    content = named.to_json().encode()
    assert not said_once(content, Result.model_validate_json(content))
    assert Result.parsed(content, "here") == named


def test_a_long_text_is_left_to_the_strict_reader():
    plain = RESULT.model_copy(update={"tool": "x" * LONGEST})
    content = plain.to_json().encode()
    assert not said_once(content, Result.model_validate_json(content))
    assert Result.parsed(content, "here") == plain


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"seed": 0', '"seed": 0, "seed": 0', "keys seed are there more than once"),
        ('"seed": 0', '"seed" : 0, "seed"\n: 1', "keys seed are there more than once"),
        ('"seed": 0', '"seed": 0, "s\\u0065ed": 1', "keys seed are there more than once"),
        ('"k": 3', '"k": 3, "k": 3', "keys k are there more than once"),
        ('"deep": null', '"deep": 1, "deep": null', "keys deep are there more than once"),
        ('"k": 3', '"k": NaN', "NaN is not JSON"),
        ('"k": 3', '"k": -Infinity', "-Infinity is not JSON"),
        ('"k": 3', '"k": 1e999', "one that float64 has"),
        ('"k": 3', f'"k": 1{"0" * 400}', "one that float64 has"),
        ('"wall_seconds": 2.0', '"wall_seconds": 1e999', "one that float64 has"),
        ('"seed": 0', '"seed": 0.0', "seed: "),
        ('"seed": 0', '"seed": true', "seed: "),
        ('"seed": 0', '"seed": "0"', "seed: "),
        ('"seed": 0', '"seed": 0, "more": 0', "more: "),
    ],
)
def test_what_the_strict_reader_refuses_is_refused(old, new, said):
    assert TEXT.count(old) == 1
    content = TEXT.replace(old, new).encode()
    with pytest.raises(BundleError, match=said):
        Result.parsed(content, "here")
    assert outcome(Result.parsed, content) == outcome(Result._strictly, content)


PIECES = ['"', ":", ",", "{", "}", "null", "1", "-0", "1e400", "NaN", '"seed":0', "\\", " ", "[]"]


@given(
    st.integers(0, len(TEXT)),
    st.integers(0, 12),
    st.lists(st.sampled_from(PIECES), max_size=3),
)
def test_both_readers_agree_on_edited_texts(place, removed, put):
    content = (TEXT[:place] + "".join(put) + TEXT[place + removed :]).encode()
    assert outcome(Result.parsed, content) == outcome(Result._strictly, content)


@given(st.binary(max_size=3), st.integers(0, len(TEXT)))
def test_both_readers_agree_on_bytes_that_are_no_text(put, place):
    content = TEXT.encode()[:place] + put + TEXT.encode()[place:]
    assert outcome(Result.parsed, content) == outcome(Result._strictly, content)
