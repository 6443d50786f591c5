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
_SHOWN = 20
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
        tokens.append(as_value(item["bare"]) if quoted is None else quoted)
        if not item["end"]:
            return tokens
        place = item.end()


def read_sequence(text: str, vocabulary: Sequence[Any]) -> list[Any]:
    """Return a sequence: one token, a character for each token, words, or a list.

    Whatever makes tokens of the vocabulary comes first: `12` is the token 12 where there
    is one, otherwise a 1 and a 2. Lists are read as `read_tokens` reads them; a number that
    is no token stands for the token that is its text, and a text for that number.

    Raises:
        InputError: a token of a list is empty, or the JSON is malformed.

    Example:
        >>> read_sequence("abba", ["a", "b"])
        ['a', 'b', 'b', 'a']
        >>> read_sequence("12", [1, 2]), read_sequence("12", [2, 12]), read_sequence("1 2", [1, 2])
        ([1, 2], [12], [1, 2])
        >>> read_sequence("1,2", ["1", "2"]), read_sequence('["1", "2"]', [1, 2])
        (['1', '2'], [1, 2])
    """
    for parts in ([text], list(text)):
        tokens = [_known(as_value(part), vocabulary) for part in parts]
        if tokens and all(token in vocabulary for token in tokens):
            return tokens
    if text.lstrip().startswith("[") or "," in text:
        return [_known(token, vocabulary) for token in read_tokens(text)]
    words = text.split() if len(text.split()) > 1 else list(text)
    return [_known(as_value(word), vocabulary) for word in words]


def check_sequence(
    text: str, sequence: Sequence[Any], vocabulary: Sequence[Any], longest: int
) -> None:
    """Raise if a sequence is no input of a program.

    Args:
        text: how it was written.
        sequence: what `read_sequence` made of it.
        vocabulary: the tokens.
        longest: the greatest length.

    Raises:
        InputError: it holds other tokens, or has too many or none; the message quotes it.
    """
    if not 1 <= len(sequence) <= longest:
        raise InputError(f"{text!r} must have 1 to {longest} tokens, got {len(sequence)}.")
    unknown = [token for token in dict.fromkeys(sequence) if token not in vocabulary]
    if unknown:
        few = [*map(repr, vocabulary[:_SHOWN]), *["..."] * (len(vocabulary) > _SHOWN)]
        raise InputError(
            f"{text!r} must consist of tokens, which are {', '.join(few)}; "
            f"got {', '.join(map(repr, unknown))}."
        )


def _known(token: Any, vocabulary: Sequence[Any]) -> Any:
    """Return the token of the vocabulary that is this one, else one that reads like it."""
    for reading in (lambda value: value, as_value):
        for known in vocabulary:
            own, other = reading(known), reading(token)
            if own == other and isinstance(own, bool) == isinstance(other, bool):
                return known
    return token


def as_value(text: Any) -> Any:
    """Return a number or a boolean where a text says one, else what was given.

    Example:
        >>> as_value("1"), as_value("True"), as_value("one"), as_value((1, 2))
        (1, True, 'one', (1, 2))
    """
    if not isinstance(text, str):
        return text
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
