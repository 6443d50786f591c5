"""The records of which a program file consists: `program.json`, key by key.

What these records accept has the right shape; `program_rules` says what the numbers in
it must fulfil. A value is an integer, a boolean or a string as JSON has them, a fraction
`{"fraction": [1, 3]}` in lowest terms, or a tuple `{"tuple": [1, "a", null]}`.
"""

import json
import math
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Discriminator, Field, Tag

from ..strict_record import StrictRecord
from .domains import LARGEST_DOMAIN


class _Record(StrictRecord):
    """A `StrictRecord` that refuses other types too."""

    model_config = ConfigDict(strict=True)


def _in_lowest_terms(pair: tuple[int, int]) -> tuple[int, int]:
    if math.gcd(*pair) > 1:
        raise ValueError("a fraction must be in lowest terms")
    return pair


class FractionRecord(_Record):
    """Numerator and denominator of a fraction that is no integer, in lowest terms."""

    fraction: Annotated[tuple[int, Annotated[int, Field(ge=2)]], AfterValidator(_in_lowest_terms)]


class TupleRecord(_Record):
    """A tuple of values, some of which may be absent."""

    items: tuple["ValueRecord | None", ...] = Field(alias="tuple", description="The values.")


_KINDS = {bool: "boolean", int: "integer", str: "string"}


def _kind(value: Any) -> str | None:
    """Return which kind of value JSON holds."""
    match value:
        case {"fraction": _}:
            return "fraction"
        case {"tuple": _}:
            return "tuple"
    return _KINDS.get(type(value))


ValueRecord = Annotated[
    Annotated[bool, Tag("boolean")]
    | Annotated[int, Tag("integer")]
    | Annotated[str, Tag("string")]
    | Annotated[FractionRecord, Tag("fraction")]
    | Annotated[TupleRecord, Tag("tuple")],
    Discriminator(
        _kind,
        custom_error_type="value",
        custom_error_message='A value is an integer, a boolean, a string, {"fraction": [n, d]} or '
        '{"tuple": [...]}',
    ),
]

Values = Annotated[
    tuple[ValueRecord, ...],
    Field(description="Different values in canonical order: numbers, then strings, then tuples."),
]
Place = Annotated[int, Field(ge=0, description="The place of a node among `nodes`, from 0.")]
Entry = Annotated[
    int,
    Field(ge=-1, lt=LARGEST_DOMAIN, description="The place of a value in a domain, -1 for none."),
]
Weights = Annotated[
    tuple[float, ...],
    Field(
        description="A number for each value of the variable, or one factor if it is numerical; "
        "in a ridge map always a factor if it is numerical."
    ),
]
Bits = Annotated[str, Field(pattern="^[01]+$", description="One character for each value.")]


def _rectangular(rows: tuple[Any, ...]) -> tuple[Any, ...]:
    if len(set(map(len, rows))) > 1:
        raise ValueError("the rows of a table must be equally long")
    return rows


class TokensRecord(_Record):
    """The input tokens."""

    kind: Literal["tokens"]


class IndicesRecord(_Record):
    """The positions of the tokens, from 0."""

    kind: Literal["indices"]


class MapRecord(_Record):
    """A function of one variable."""

    kind: Literal["map"]
    inner: Place
    table: tuple[Entry, ...] = Field(description="The value here for each value of `inner`.")


class SequenceMapRecord(_Record):
    """A function of two variables at the same position."""

    kind: Literal["sequence_map"]
    fst: Place
    snd: Place
    table: Annotated[tuple[tuple[Entry, ...], ...], AfterValidator(_rectangular)] = Field(
        description="A row for each value of `fst`, an entry for each value of `snd`."
    )


class TermRecord(_Record):
    """One summand of a sum of numbers."""

    node: Place
    weights: Weights


class LinearMapRecord(_Record):
    """A sum of numbers."""

    kind: Literal["linear_map"]
    terms: tuple[TermRecord, ...]


class RidgeMapRecord(_Record):
    """A function of a sum of numbers: of the number in `sums` nearest to it."""

    kind: Literal["ridge_map"]
    terms: tuple[TermRecord, ...]
    sums: Values
    table: tuple[Entry, ...] = Field(description="The value here for each of `sums`.")


class ConditionRecord(_Record):
    """A relation of a variable at the key and a variable at the query."""

    keys: Place | None = Field(description="The variable at the key; null if it does not matter.")
    queries: Place | None = Field(
        description="The variable at the query; null if it does not matter."
    )
    table: Annotated[tuple[Bits, ...], AfterValidator(_rectangular)] = Field(
        description="A row for each value of `queries` and a character for each value of `keys`, "
        "1 where the relation holds; a side that is null counts as one value."
    )


class SelectRecord(_Record):
    """A selector: the pairs of positions at which all conditions hold."""

    kind: Literal["select"]
    conditions: tuple[ConditionRecord, ...]


class AggregateRecord(_Record):
    """The mean (numerical) or the common value (categorical) over selected positions."""

    kind: Literal["aggregate"]
    selector: Place
    value: Place
    table: tuple[Entry, ...] = Field(description="The value here for each value of `value`.")
    default: Entry


class ReciprocalWidthRecord(_Record):
    """One over one more than the number of selected positions."""

    kind: Literal["reciprocal_width"]
    selector: Place


OperationRecord = Annotated[
    TokensRecord
    | IndicesRecord
    | MapRecord
    | SequenceMapRecord
    | LinearMapRecord
    | RidgeMapRecord
    | SelectRecord
    | AggregateRecord
    | ReciprocalWidthRecord,
    Field(discriminator="kind", description="What the node computes."),
]


class NodeRecord(_Record):
    """One expression of a program."""

    name: str = Field(description="Different from all other names.")
    operation: OperationRecord
    domain: Values = Field(description="The values it can take; none for a selector.")
    encoding: Literal["categorical", "numerical"] = Field(
        description="One direction of the residual stream for each value, or one for a number."
    )
    optional: bool = Field(description="Whether it may have no value.")


class ProgramRecord(_Record):
    """A RASP program over a vocabulary, every function a table."""

    format_version: Literal["1.0"]
    nodes: tuple[NodeRecord, ...] = Field(description="Each after the nodes that it takes.")
    outputs: tuple[Place, ...] = Field(description="What is read out, in the order of the logits.")
    beside: tuple[Place, ...] = Field(description="What is computed too, and never read out.")
    vocabulary: Values = Field(description="The tokens.")
    max_length: Annotated[int, Field(ge=1)] = Field(description="The longest sequence of tokens.")
    causal: bool = Field(description="Whether keys after the query's position are hidden.")


def schema_text() -> str:
    """Return the JSON Schema of a program file."""
    schema = ProgramRecord.model_json_schema(by_alias=True)
    schema["$schema"] = "https://json-schema.org/draft/2020-12/schema"
    return json.dumps(schema, indent=1, sort_keys=True) + "\n"
