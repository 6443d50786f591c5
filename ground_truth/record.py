"""Record: what is written to disk as JSON, the same text each time, and read strictly."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from ..compiler.domains import canonical
from ..compiler.values import Domain, Value, as_argument
from ..errors import BundleError, ProgramError, listing

_LINE = 100
_SHOWN = 10


class Record(BaseModel):
    """A frozen record that refuses unknown keys, NaN and infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

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
        raise BundleError(f"values must differ from each other, got {list(found)}")
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
        BundleError: it is no JSON, has a key twice, holds NaN, is of a newer version, or
            does not fit; every problem is told with its path.
    """
    _check_json(content, where, kind)
    try:
        return kind.model_validate_json(content, strict=True)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, e['loc'])) or 'all'}: {e['msg']}" for e in error.errors()]
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


def _check_json(content: bytes, where: str, kind: type[Record]) -> None:
    """Refuse what a lenient reader of JSON would read in a way of its own."""
    try:
        found = strict_json(content)
    except ValueError as error:
        raise BundleError(
            listing(f"{where} does not hold {_words(kind)}:", [f"it is not JSON: {error}"])
        ) from None
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
        ValueError: it is no JSON in UTF-8, holds NaN or an infinity, has a key twice, or is
            too deep.
    """

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            twice = sorted({name for name in names if names.count(name) > 1})
            raise ValueError(f"the keys {', '.join(twice)} are there more than once")
        return found

    def refuse(constant: str) -> NoReturn:
        raise ValueError(f"{constant} is not JSON")

    try:
        return json.loads(content.decode(), object_pairs_hook=once, parse_constant=refuse)
    except RecursionError as error:
        raise ValueError(str(error)) from None


def _words(kind: type[Record]) -> str:
    """Return what a record is in words, such as `circuit labels`."""
    return re.sub(r"(?<!^)([A-Z])", r" \1", kind.__name__).lower()
