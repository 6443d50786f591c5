"""Said once: whether JSON that pydantic read holds what a strict reader would find in it.

Pydantic's own reader of JSON is several times faster than Python's, and it lets pass what
`strict_json` refuses: a key that is there twice, and numbers that float64 does not have. Every key
of JSON is a quote with a colon after it. Where the text has as many as there are
keys in what was read, none was there twice.
"""

import math
import re
from typing import Any

from pydantic import BaseModel

LONGEST = 2**16
"""Longer texts are left to the strict reader, which bounds what they may hold."""

_KEY = re.compile(rb'"[ \t\n\r]*:')
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
    return len(content) <= LONGEST and len(_KEY.findall(content)) == _keys(found)


def _keys(value: Any) -> int:
    """Return how many keys of JSON a value had; less than none if a number is too large."""
    # Exact types, the most frequent first: this runs for every value of every result.
    kind = type(value)
    if value is None or kind is str or kind is bool:
        return 0
    if kind is float:
        return 0 if math.isfinite(value) else _UNSAFE
    if kind is int:
        return 0 if value.bit_length() < _FLOAT64_BITS else _UNSAFE
    if kind is dict:
        return len(value) + sum(map(_keys, value.values()))
    if kind is list or kind is tuple:
        return sum(map(_keys, value))
    assert isinstance(value, BaseModel)
    fields = value.__dict__
    read = value.model_fields_set
    return len(read) + sum([_keys(fields[name]) for name in read])
