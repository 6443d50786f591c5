"""Record: what is written to disk as JSON, the same text each time, and read strictly."""

import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ..errors import BundleError, listing
from ..strict_record import StrictRecord
from .json_text import canonical_text, check_text, read_json

_SHOWN = 10


class Record(StrictRecord):
    """A `StrictRecord` that is written as JSON, the same text each time."""

    def to_json(self) -> str:
        """Return the record as canonical JSON: see `canonical_json`."""
        return canonical_json(self)


def canonical_json(record: BaseModel) -> str:
    """Return a record as JSON, the same text each time: see `canonical_text`."""
    return canonical_text(record.model_dump(mode="json"))


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


def _words(kind: type[Record]) -> str:
    """Return what a record is in words, such as `a source map record` or `circuit labels`."""
    words = re.sub(r"(?<!^)([A-Z])", r" \1", kind.__name__).lower()
    return words if words.endswith("labels") else f"a {words}"
