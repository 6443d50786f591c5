"""Token lists: vocabularies and sequences as one writes them on a command line."""

import json
import re
from collections.abc import Sequence
from typing import Any

from .errors import InputError

_ITEM = re.compile(
    r"""\s*(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<bare>[^,]*?))\s*(?P<end>,|$)""",
    re.DOTALL,
)
_NUMBER = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_BOOLEANS = {"True": True, "False": False}


def read_tokens(text: str) -> list[Any]:
    """Return the tokens of a list: with commas between them, or as JSON.

    Between commas, numbers, `True` and `False` are what they say; all else is text, as
    is what stands in quotes. In JSON, lists inside the list are tuples.

    Raises:
        InputError: a token is empty, or the JSON is malformed.

    Example:
        >>> read_tokens("a, b, 1, '1', True")
        ['a', 'b', 1, '1', True]
        >>> read_tokens('["a", 0.5, [1, "b"]]')
        ['a', 0.5, (1, 'b')]
    """
    if re.match(r"\s*\[(?!\s*,)", text):
        return _from_json(text)
    tokens, place = [], 0
    while True:
        item = _ITEM.match(text, place)
        assert item is not None  # A bare item can be anything up to the next comma.
        quoted = item["double"] if item["double"] is not None else item["single"]
        if quoted is None and not item["bare"]:
            raise InputError(
                f"Every token must be something, got nothing at character {place + 1} of {text!r}; "
                "leave out the comma, write '' for an empty text, or ',' in quotes for a comma."
            )
        tokens.append(_as_value(item["bare"]) if quoted is None else quoted)
        if not item["end"]:
            return tokens
        place = item.end()


def read_sequence(text: str, vocabulary: Sequence[Any]) -> list[Any]:
    """Return a sequence: one token, a character for each token, words, or a list.

    Whatever makes tokens of the vocabulary comes first: `12` is the token 12 where there
    is one, otherwise a 1 and a 2. Lists are read as `read_tokens` reads them.

    Raises:
        InputError: a token of a list is empty, or the JSON is malformed.

    Example:
        >>> read_sequence("abba", ["a", "b"])
        ['a', 'b', 'b', 'a']
        >>> read_sequence("12", [1, 2]), read_sequence("12", [2, 12]), read_sequence("1 2", [1, 2])
        ([1, 2], [12], [1, 2])
    """
    for parts in ([text], list(text)):
        tokens = [_known(part, vocabulary) for part in parts]
        if tokens and all(token in vocabulary for token in tokens):
            return tokens
    if text.lstrip().startswith("[") or "," in text:
        return read_tokens(text)
    words = text.split() if len(text.split()) > 1 else list(text)
    return [_known(word, vocabulary) for word in words]


def _known(text: str, vocabulary: Sequence[Any]) -> Any:
    """Return what a word says, or the word itself where only that is a token."""
    value = _as_value(text)
    return text if value not in vocabulary and text in vocabulary else value


def _as_value(text: str) -> Any:
    """Return a number or a boolean where a text says one, else the text."""
    if _NUMBER.fullmatch(text):
        return json.loads(text)
    return _BOOLEANS.get(text, text)


def _from_json(text: str) -> list[Any]:
    try:
        return [_hashable(value) for value in json.loads(text)]
    except ValueError as error:
        raise InputError(
            f'A list in brackets must be JSON, such as [1, 2, "a"], got {text!r}: {error}'
        ) from None


def _hashable(value: Any) -> Any:
    """Return a value of JSON with lists as tuples."""
    if isinstance(value, dict):
        raise ValueError("an object is no token")
    return tuple(map(_hashable, value)) if isinstance(value, list) else value
