"""Vocabularies and sequences as they are written on a command line."""

import pytest

from glassbench.errors import InputError
from glassbench.token_lists import check_sequence, read_sequence, read_tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("a,b,c", ["a", "b", "c"]),
        (" a , b ", ["a", "b"]),
        ("a", ["a"]),
        ("0,1,-2,0.5,1e3", [0, 1, -2, 0.5, 1000.0]),
        ("True,False", [True, False]),
        ("true,None,nan,inf,007,.5,1_0", ["true", "None", "nan", "inf", "007", ".5", "1_0"]),
        ("'1',\"True\",''", ["1", "True", ""]),
        ("',',\";\"", [",", ";"]),
        ("(,),{,}", ["(", ")", "{", "}"]),
        ("[,]", ["[", "]"]),
        ("',a", ["'", "a"]),
        ("a b,c", ["a b", "c"]),
        ("é,日", ["é", "日"]),
        ('["a", 1, true, 0.5, [1, ["b"]]]', ["a", 1, True, 0.5, (1, ("b",))]),
        ("[]", []),
    ],
)
def test_lists_of_tokens(text, tokens):
    found = read_tokens(text)
    assert found == tokens
    assert list(map(type, found)) == list(map(type, tokens))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a,,b", "got nothing at character 3 of 'a,,b'"),
        ("a,", "got nothing at character 3 of 'a,'"),
        ("", "got nothing at character 1 of ''"),
        ("[1, 2", r"A list in brackets must be JSON, such as \[1, 2, \"a\"\], got '\[1, 2'"),
        ('[{"a": 1}]', "an object is no token"),
    ],
)
def test_lists_that_cannot_be_read(text, message):
    with pytest.raises(InputError, match=message):
        read_tokens(text)


@pytest.mark.parametrize(
    ("text", "vocabulary", "sequence"),
    [
        ("abba", ["a", "b"], ["a", "b", "b", "a"]),
        ("a b", ["a", "b"], ["a", "b"]),
        ("a, b", ["a", "b"], ["a", "b"]),
        ("ab", ["ab", "a", "b"], ["ab"]),
        ("ab a", ["ab", "a"], ["ab", "a"]),
        ("1201", [0, 1, 2], [1, 2, 0, 1]),
        ("12", [1, 2, 12], [12]),
        ("12", ["1", "2"], ["1", "2"]),
        ("0.5 -1", [0.5, -1], [0.5, -1]),
        ("True False", [True, False], [True, False]),
        ("(,)", ["(", ",", ")"], ["(", ",", ")"]),
        ("[][", ["[", "]"], ["[", "]", "["]),
        ('["a", [1, 2]]', ["a", (1, 2)], ["a", (1, 2)]),
        ('["1", "2"]', [1, 2], [1, 2]),
        ("1,2", ["1", "2"], ["1", "2"]),
        ("1e3,True", ["1e3", "True"], ["1e3", "True"]),
        ("1,'1'", [1, "1"], [1, "1"]),
        ("xz", ["x"], ["x", "z"]),
        ("", ["x"], []),
    ],
)
def test_sequences(text, vocabulary, sequence):
    assert read_sequence(text, vocabulary) == sequence


@pytest.mark.parametrize(
    ("sequence", "message"),
    [
        (["a", "c", "d", "c"], "'text' must consist of tokens, which are 'a', 'b'; got 'c', 'd'."),
        ([], "'text' must have 1 to 4 tokens, got 0."),
        (["a"] * 5, "'text' must have 1 to 4 tokens, got 5."),
    ],
)
def test_sequences_that_are_no_inputs(sequence, message):
    with pytest.raises(InputError, match=message):
        check_sequence("text", sequence, ["a", "b"], 4)
    check_sequence("text", ["a", "b"], ["a", "b"], 4)
