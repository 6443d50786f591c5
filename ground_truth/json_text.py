"""JSON text: one text for what is written, and a strict reader of what others wrote."""

import json
import math
from collections import Counter
from collections.abc import Mapping
from typing import Any, NoReturn

from pydantic import JsonValue

from ..errors import BundleError, listing

MOST_VALUES = 2**22
"""How many values JSON may hold: once it is read, each takes some hundred bytes."""

_MOST_KEYS = 2**16
_LINE = 100


def canonical_text(content: Mapping[str, JsonValue]) -> str:
    """Return an object as JSON: keys sorted, a newline at the end.

    A list that is too long for a line has one line for each item.
    """
    members = [f" {_dumped(key)}: {_laid_out(value)}" for key, value in sorted(content.items())]
    return "{\n" + ",\n".join(members) + "\n}\n"


def _laid_out(value: JsonValue) -> str:
    text = _dumped(value)
    if isinstance(value, list) and len(text) > _LINE:
        return "[\n  " + ",\n  ".join(map(_dumped, value)) + "\n ]"
    return text


def _dumped(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def strict_json(content: bytes) -> Any:
    """Return what JSON holds.

    Raises:
        ValueError: it is no JSON in UTF-8, holds NaN, an infinity or a number that float64 does
            not have, has a key twice, is too deep, or has more values than `MOST_VALUES`.
    """
    # No value comes without one of these before it, but the first.
    if sum(map(content.count, (b",", b"[", b"{"))) >= MOST_VALUES:
        raise ValueError(f"it must have at most {MOST_VALUES:,} values, and seems to have more")
    try:
        return json.loads(
            content.decode(),
            object_pairs_hook=_object,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_integer,
        )
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object of JSON, of which each key is there once."""
    found = dict(pairs)
    if len(pairs) > _MOST_KEYS:
        raise ValueError(f"an object must have at most {_MOST_KEYS:,} keys, got {len(pairs):,}")
    if len(found) < len(pairs):
        counted = Counter(name for name, _ in pairs)
        twice = sorted(name for name, times in counted.items() if times > 1)
        raise ValueError(f"the keys {', '.join(twice)} are there more than once")
    return found


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


def _finite(text: str) -> float:
    """Return a number of JSON, which other readers than this one must have too."""
    number = float(text)
    if math.isinf(number):
        raise ValueError(f"a number must be one that float64 has, got {text[:_LINE]}")
    return number


def _integer(text: str) -> int:
    _finite(text)
    return int(text)


def check_text(text: str, content: bytes, where: str) -> None:
    """Raise `BundleError` unless a file holds this text."""
    if text.encode() != content:
        raise BundleError(f"{where} must be written as Glassbench writes it; get it again")


def read_json(content: bytes, where: str, what: str) -> Any:
    """Return what a file of JSON holds: see `strict_json`.

    Args:
        content: of the file.
        where: the file, for messages.
        what: it should hold, in words.

    Raises:
        BundleError: it is no JSON.
    """
    try:
        return strict_json(content)
    except ValueError as error:
        problem = f"it is not JSON: {error}"
        raise BundleError(listing(f"{where} does not hold {what}:", [problem])) from None
