"""Record: what is written to disk as JSON, the same text each time."""

import json
from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, JsonValue

from ..compiler.values import Value, as_argument

_LINE = 100


class Record(BaseModel):
    """A frozen record that refuses unknown keys, NaN and infinity."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


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


def canonical_json(record: BaseModel) -> str:
    """Return a record as JSON: keys sorted, a newline at the end, the same text each time.

    A list that is too long for a line has one line for each item.
    """
    content = record.model_dump(mode="json")
    members = [f" {_dumped(key)}: {_laid_out(value)}" for key, value in sorted(content.items())]
    return "{\n" + ",\n".join(members) + "\n}\n"


def _laid_out(value: JsonValue) -> str:
    text = _dumped(value)
    if isinstance(value, list) and len(text) > _LINE:
        return "[\n  " + ",\n  ".join(map(_dumped, value)) + "\n ]"
    return text


def _dumped(value: JsonValue) -> str:
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)
