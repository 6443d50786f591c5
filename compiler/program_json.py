"""Program JSON: a `Program` as text, and back.

    text = to_json(compiled.source)
    compile_program(from_json(text), level=compiled.level)    # the same weights, byte by byte

The text is JSON with sorted keys, one node a line, the same bytes each time; the records
of `program_schema` say what stands in it, and `docs/schemas/program.schema.json` says so
to programs in other languages. Nothing in it is evaluated.
"""

import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import ProgramError, listing
from . import program as ir
from .program_rules import problems
from .values import Domain, Encoding, Value

if TYPE_CHECKING:
    from pydantic import ValidationError

    from . import program_schema as records

FORMAT_VERSION = "1.0"


def to_json(program: ir.Program) -> str:
    """Return a program as JSON text, which ends with a newline.

    Example:
        >>> tokens = ir.Node("tokens", ir.Tokens(), Domain.of("ab"))
        >>> text = to_json(ir.Program((tokens,), (0,), Domain.of("ab"), 3, causal=False))
        >>> from_json(text).nodes[0].domain.values
        ('a', 'b')

    Raises:
        ProgramError: a name or a string is no Unicode text.
    """
    file: dict[str, Any] = {
        "beside": program.beside,
        "causal": program.causal,
        "format_version": FORMAT_VERSION,
        "max_length": program.max_length,
        "nodes": [_node_as_json(node) for node in program.nodes],
        "outputs": program.outputs,
        "vocabulary": _domain_as_json(program.vocabulary),
    }
    members = [f' "{key}": {_laid_out(value)}' for key, value in sorted(file.items())]
    text = "{\n" + ",\n".join(members) + "\n}\n"
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise ProgramError(
            "names and strings must be Unicode text to be written to a file, and one holds the "
            f"lone surrogate {error.object[error.start]!r}; choose another token or name"
        ) from None
    return text


def from_json(text: str | bytes) -> ir.Program:
    """Return the program that `to_json` wrote.

    Args:
        text: JSON, as text or UTF-8.

    Raises:
        ProgramError: it does not hold a program; every problem is listed with its path.
    """
    if not isinstance(text, str | bytes):
        raise ProgramError(f"A program as JSON must be a text or bytes, got {text!r}.")
    from pydantic import ValidationError  # takes long to import, and only readers need it

    from .program_schema import ProgramRecord

    try:
        program = _program(ProgramRecord.model_validate_json(text))
    except ValidationError as error:
        raise ProgramError(_of_another_shape(text, error)) from None
    found = problems(program)
    if found:
        raise ProgramError(listing("The file does not hold a program that is sound:", found))
    return program


# -- to JSON -------------------------------------------------------------------------


def _laid_out(value: Any) -> str:
    """Return JSON on one line; a list of records with one line for each."""
    if isinstance(value, list) and value and isinstance(value[0], dict) and "name" in value[0]:
        return "[\n  " + ",\n  ".join(map(_laid_out, value)) + "\n ]"
    return json.dumps(value, sort_keys=True, ensure_ascii=False, allow_nan=False)


def _node_as_json(node: ir.Node) -> dict[str, Any]:
    return {
        "domain": _domain_as_json(node.domain),
        "encoding": node.encoding.value,
        "name": node.name,
        "operation": _operation_as_json(node.operation),
        "optional": node.optional,
    }


def _domain_as_json(domain: Domain) -> list[Any]:
    return [_value_as_json(value) for value in domain.values]


def _value_as_json(value: Value) -> Any:
    if isinstance(value, Fraction):
        return {"fraction": [value.numerator, value.denominator]}
    if isinstance(value, tuple):
        return {"tuple": [_value_as_json(item) for item in value]}
    return value


def _operation_as_json(operation: ir.Operation) -> dict[str, Any]:
    match operation:
        case ir.Tokens():
            return {"kind": "tokens"}
        case ir.Indices():
            return {"kind": "indices"}
        case ir.Map(inner=inner, table=table):
            return {"kind": "map", "inner": inner, "table": table.tolist()}
        case ir.SequenceMap(fst=fst, snd=snd, table=table):
            return {"kind": "sequence_map", "fst": fst, "snd": snd, "table": table.tolist()}
        case ir.LinearMap(terms=terms):
            return {"kind": "linear_map", "terms": _terms_as_json(terms)}
        case ir.RidgeMap(terms=terms, sums=sums, table=table):
            own = {"sums": _domain_as_json(sums), "table": table.tolist()}
            return {"kind": "ridge_map", "terms": _terms_as_json(terms), **own}
        case ir.Select(conditions=conditions):
            made = [
                {"keys": one.keys, "queries": one.queries, "table": _bits(one.table)}
                for one in conditions
            ]
            return {"kind": "select", "conditions": made}
        case ir.Aggregate(selector=selector, value=value, table=table, default=default):
            own = {"selector": selector, "value": value, "default": default}
            return {"kind": "aggregate", **own, "table": table.tolist()}
        case ir.ReciprocalWidth(selector=selector):
            return {"kind": "reciprocal_width", "selector": selector}


def _terms_as_json(terms: Sequence[ir.Term]) -> list[dict[str, Any]]:
    return [{"node": term.node, "weights": term.weights.tolist()} for term in terms]


def _bits(table: np.ndarray) -> list[str]:
    """Return a row of zeros and ones for each row of a relation."""
    rows = table.astype(np.uint8) + ord("0")
    return [row.tobytes().decode("ascii") for row in rows]


# -- from JSON -----------------------------------------------------------------------


def _program(file: "records.ProgramRecord") -> ir.Program:
    nodes = tuple(
        ir.Node(
            node.name,
            _operation(node.operation),
            _domain(node.domain),
            Encoding(node.encoding),
            node.optional,
        )
        for node in file.nodes
    )
    vocabulary = _domain(file.vocabulary)
    return ir.Program(nodes, file.outputs, vocabulary, file.max_length, file.causal, file.beside)


def _domain(values: Sequence[Any]) -> Domain:
    return Domain(tuple(map(_value, values)))


def _value(value: Any) -> Value:
    from . import program_schema as records

    match value:
        case records.FractionRecord(fraction=(numerator, denominator)):
            return Fraction(numerator, denominator)
        case records.TupleRecord(items=items):
            return tuple(map(_value, items))
    return value


def _operation(record: "records.OperationRecord") -> ir.Operation:
    from . import program_schema as records

    match record:
        case records.TokensRecord():
            return ir.Tokens()
        case records.IndicesRecord():
            return ir.Indices()
        case records.MapRecord(inner=inner, table=table):
            return ir.Map(inner, _integers(table))
        case records.SequenceMapRecord(fst=fst, snd=snd, table=rows):
            return ir.SequenceMap(fst, snd, _integers(rows))
        case records.LinearMapRecord(terms=terms):
            return ir.LinearMap(_terms(terms))
        case records.RidgeMapRecord(terms=terms, sums=sums, table=table):
            return ir.RidgeMap(_terms(terms), _domain(sums), _integers(table))
        case records.SelectRecord(conditions=conditions):
            return ir.Select(
                tuple(
                    ir.Condition(one.keys, one.queries, _relation(one.table)) for one in conditions
                )
            )
        case records.AggregateRecord():
            own = (record.selector, record.value, _integers(record.table), record.default)
            return ir.Aggregate(*own)
        case records.ReciprocalWidthRecord(selector=selector):
            return ir.ReciprocalWidth(selector)


def _integers(table: Sequence[Any]) -> np.ndarray:
    return np.array(table, dtype=np.int64)


def _terms(terms: "Sequence[records.TermRecord]") -> tuple[ir.Term, ...]:
    return tuple(ir.Term(one.node, np.array(one.weights, dtype=np.float64)) for one in terms)


def _relation(rows: Sequence[str]) -> np.ndarray:
    """Return a relation of which each row is a text of zeros and ones."""
    return np.array([np.frombuffer(row.encode(), np.uint8) for row in rows]) == ord("1")


# -- what is wrong -------------------------------------------------------------------


def _of_another_shape(text: str | bytes, error: "ValidationError") -> str:
    """Return a message with the path of everything that has not the right shape."""
    found = error.errors()
    if found[0]["type"] == "json_invalid":
        return f"A program file must hold JSON: {found[0]['msg']}"
    raw = json.loads(text)
    version = raw.get("format_version") if isinstance(raw, Mapping) else None
    if isinstance(version, str) and version != FORMAT_VERSION:
        return (
            f"format_version must be {FORMAT_VERSION!r}, got {version!r}; read the file with the "
            "version of Glassbench that wrote it, or write it anew"
        )
    lines = [f"{_path(raw, one)}: {one['msg']}{_got(one)}" for one in found]
    return listing("The file does not hold a program:", lines)


def _got(problem: Any) -> str:
    """Return what was found, where the message does not say it and it is short."""
    if problem["type"] in ("missing", "extra_forbidden"):
        return ""
    shown = repr(problem["input"])
    return f", got {shown}" if len(shown) <= 60 else f", got {shown[:57]}..."


def _path(raw: Any, problem: Any) -> str:
    """Return the path of a problem in the file, without the names of records."""
    steps = problem["loc"]
    path = ""
    for number, step in enumerate(steps, start=1):
        is_missing = problem["type"] == "missing" and number == len(steps)
        if not is_missing:
            if not (step in raw if isinstance(raw, Mapping) else isinstance(step, int)):
                continue  # the name of a record, which pydantic puts between
            raw = raw[step]
        path += f"[{step}]" if isinstance(step, int) else f".{step}"
    return path.lstrip(".") or "file"
