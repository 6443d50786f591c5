"""Record: what is written to disk as JSON, the same text each time, and read strictly."""

import json
import math
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from reprlib import repr as shortened
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, JsonValue, ValidationError

from ..compiler.domains import canonical
from ..compiler.values import Domain, Value, as_argument
from ..errors import BundleError, ProgramError, listing
from ..strict_record import StrictRecord

MOST_VALUES = 2**22
"""How many values JSON may hold: once it is read, each takes some hundred bytes."""

_MOST_KEYS = 2**16
_LINE = 100
_SHOWN = 10


class Record(StrictRecord):
    """A `StrictRecord` that is written as JSON, the same text each time."""

    def to_json(self) -> str:
        """Return the record as canonical JSON: see `canonical_json`."""
        return canonical_json(self)


def plain(values: Sequence[Value]) -> tuple[JsonValue, ...]:
    """Return values as JSON has them: fractions as floating-point numbers, tuples as lists.

    Example:
        >>> from fractions import Fraction
        >>> plain((True, 2, Fraction(1, 4), "a", ("b", 1)))
        (True, 2, 0.25, 'a', ['b', 1])
    """
    return tuple(_plain(as_argument(value)) for value in values)


def _plain(value: Value) -> JsonValue:
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    assert value is None or isinstance(value, bool | int | float | str)
    return value


def values_from(values: Sequence[JsonValue]) -> Domain:
    """Return the values that JSON holds: the other way of `plain`.

    Raises:
        BundleError: they are no values, or not different.
    """
    try:
        found = tuple(canonical(_value(value)) for value in values)
    except ProgramError as error:
        raise BundleError(f"values must be those of a program: {error}") from None
    if len(set(found)) < len(found):
        raise BundleError(f"values must differ from each other, got {shortened(list(found))}")
    return Domain(found)


def _value(value: JsonValue) -> Value:
    if isinstance(value, list):
        return tuple(_value(item) for item in value)
    return value  # type: ignore[return-value]  # what is no value is refused by `canonical`


def canonical_json(record: BaseModel) -> str:
    """Return a record as JSON, the same text each time: see `canonical_text`."""
    return canonical_text(record.model_dump(mode="json"))


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


AnyRecord = TypeVar("AnyRecord", bound=Record)


def read_record(kind: type[AnyRecord], content: bytes, where: str) -> AnyRecord:
    """Return the record that a file of JSON holds.

    Args:
        kind: what it must be.
        content: of the file.
        where: the file, for messages.

    Raises:
        BundleError: it is not what `strict_json` reads, is of a newer version, or does not fit;
            every problem is told with its path, of a list those of its first wrong item.
    """
    _check_version(read_json(content, where, _words(kind)), where, kind)
    try:
        return kind.model_validate_json(content, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        problems = [f"{'.'.join(map(str, one['loc'])) or 'all'}: {one['msg']}" for one in found]
        if len(problems) > _SHOWN:
            problems[_SHOWN:] = [f"and {len(problems) - _SHOWN} more"]
        raise BundleError(listing(f"{where} does not hold {_words(kind)}:", problems)) from None


def read_exact(kind: type[AnyRecord], content: bytes, where: str) -> AnyRecord:
    """Return the record of a file that must be, byte for byte, as `to_json` writes it.

    Other readers of JSON than this one then cannot read it otherwise.

    Raises:
        BundleError: as `read_record`, or it is another text.
    """
    record = read_record(kind, content, where)
    check_text(record.to_json(), content, where)
    return record


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


def _check_version(found: Any, where: str, kind: type[Record]) -> None:
    """Refuse a file of another version than is read here."""
    known = kind.model_fields.get("format_version")
    version = found.get("format_version") if isinstance(found, dict) else None
    if known is not None and isinstance(version, str) and version != known.default:
        raise BundleError(
            listing(
                f"{where} does not hold {_words(kind)}:",
                [
                    f"format_version: must be {known.default!r}, got {version!r}; use the version "
                    "of Glassbench that wrote it"
                ],
            )
        )


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


def _words(kind: type[Record]) -> str:
    """Return what a record is in words, such as `a source map record` or `circuit labels`."""
    words = re.sub(r"(?<!^)([A-Z])", r" \1", kind.__name__).lower()
    return words if words.endswith("labels") else f"a {words}"
