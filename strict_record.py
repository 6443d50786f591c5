"""StrictRecord: a record of which a file of others says what is in it.

A file can be made to be wrong in as many places as it has bytes, and each place that is told
of takes a thousand times that. So of a list the first wrong item is told, with all that is
wrong with it, and what comes after it is not looked at.
"""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema

Natural = Annotated[int, Field(ge=0)]
Positive = Annotated[int, Field(ge=1)]
Amount = Annotated[float, Field(ge=0)]

_LISTS = ("list", "tuple", "set", "frozenset")


def _stop_at_first(schema: Any) -> None:
    """Have every list of a schema end at its first wrong item."""
    if isinstance(schema, dict):
        if schema.get("type") in _LISTS:
            schema["fail_fast"] = True
        for part in schema.values():
            _stop_at_first(part)
    elif isinstance(schema, list):
        for part in schema:
            _stop_at_first(part)


class StrictRecord(BaseModel):
    """A frozen record that refuses unknown keys, NaN and infinity.

    Example:
        >>> class Row(StrictRecord):
        ...     cells: tuple[int, ...]
        >>> try:
        ...     Row.model_validate_json('{"cells": [1, "a", "b"], "more": 0}')
        ... except ValueError as error:
        ...     print(error.error_count())
        2
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Return how a record is read: each list up to its first wrong item."""
        schema = handler(source)
        _stop_at_first(schema)
        return schema
