"""Said once: whether JSON that pydantic read holds what a strict reader would find in it.

Pydantic's own reader of JSON is several times faster than Python's, and it lets pass what
`strict_json` refuses: a key that is there twice, and numbers that float64 does not have. Every key
of JSON is a quote with a colon after it. Where the text has as many as there are
keys in what was read, none was there twice.
"""

import math
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel

LONGEST = 2**16
"""Longer texts are left to the strict reader, which bounds what they may hold."""

_UNSAFE = -(2**40)
_FLOAT64_BITS = 1024


def said_once(content: bytes, found: BaseModel) -> bool:
    """Return whether `found`, as read from JSON, is all that a strict reader finds there.

    `False` says only that a strict reader must look: a text that holds a quote and a colon is
    counted as a key.

    Args:
        content: the JSON.
        found: what `model_validate_json` made of it, by a model that refuses unknown keys.
    """
    return len(content) <= LONGEST and _written_keys(content) == _keys(found)


def _written_keys(content: bytes) -> int:
    """Return how many quotes of JSON have a colon after them."""
    return content.translate(None, b" \t\n\r").count(b'":')


def _keys(value: Any) -> int:
    """Return how many keys of JSON a value had; less than none if a number is too large."""
    # Exact types, the most frequent first: this runs for many values of every result.
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return 0
    if kind is float:
        return 0 if math.isfinite(value) else _UNSAFE
    if kind is int:
        return 0 if value.bit_length() < _FLOAT64_BITS else _UNSAFE
    if kind is dict:
        return len(value) + sum([_keys(one) for one in value.values() if type(one) is not str])
    if kind is list or kind is tuple:
        return sum(map(_keys, value))
    assert isinstance(value, BaseModel)
    fields, read = value.__dict__, value.__pydantic_fields_set__
    deep = [name for name in _deep_fields(type(value)) if name in read]
    return len(read) + sum([_keys(fields[name]) for name in deep])


@cache
def _deep_fields(model: type[BaseModel]) -> tuple[str, ...]:
    """Return the fields of a model that may hold keys, or numbers that float64 does not have."""
    plain = {str, bool, NoneType}
    if model.model_config.get("allow_inf_nan") is False:
        plain.add(float)
    fields = model.model_fields.items()
    return tuple(name for name, field in fields if not _kinds(field.annotation) <= plain)


def _kinds(annotation: Any) -> set[Any]:
    """Return the types that a value of a field can have."""
    arguments = get_args(annotation)
    if get_origin(annotation) is Literal:
        return set(map(type, arguments))
    if get_origin(annotation) is Annotated:
        return _kinds(arguments[0])
    if get_origin(annotation) in (Union, UnionType):
        return set().union(*map(_kinds, arguments))
    return {annotation}
