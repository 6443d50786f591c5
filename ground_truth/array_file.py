"""Array files: safetensors, written the same each time, and read strictly."""

from collections.abc import Collection, Mapping
from reprlib import repr as shortened
from typing import Any

import numpy as np

from ..errors import BundleError, listing
from .json_text import strict_json

Shape = tuple[int, ...]

_DTYPES = {"<f8": "F64", "<f4": "F32", "<i4": "I32", "<i2": "I16", "|u1": "U8"}
_PREFIX = 8
_METADATA = "__metadata__"


def save_arrays(arrays: Mapping[str, np.ndarray]) -> bytes:
    """Return arrays as a safetensors file, in the order of their names."""
    from safetensors.numpy import save

    return save({name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays)})


def load_arrays(
    content: bytes, where: str, expected: Mapping[str, tuple[str, Shape]]
) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file.

    Args:
        content: of the file.
        where: the file, for messages.
        expected: the dtype, as NumPy writes it, and the shape of every array, by name.

    Raises:
        BundleError: it is no such file, or holds other arrays, or numbers that are not finite, or
            is written in another way than by `save_arrays`.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    problems = _header_problems(content, expected)
    if problems:
        raise BundleError(listing(f"{where} does not hold the arrays that it should:", problems))
    try:
        found = load(content)
    except (SafetensorError, ValueError) as error:
        raise BundleError(f"{where} must be a safetensors file: {error}") from None
    if save_arrays(found) != content:
        raise BundleError(f"{where} must be written as Glassbench writes it; get it again")
    for name, array in found.items():
        if array.dtype.kind == "f" and not np.isfinite(array).all():
            raise BundleError(f"{where}: {name} must be finite, and holds infinity or NaN")
    return found


def load_foreign(content: bytes, where: str, dtypes: Collection[str]) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file that some other program wrote, whatever they are.

    Args:
        content: of the file.
        where: the file, for messages.
        dtypes: those that arrays may have, as NumPy writes them.

    Raises:
        BundleError: it is no such file, or holds arrays of another dtype.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load

    header = _header(content)
    if isinstance(header, str):
        raise BundleError(f"{where} must be a safetensors file: {header}")
    must = [_DTYPES[dtype] for dtype in dtypes]
    problems = [
        f"{name}: must be of dtype {' or '.join(must)}, got {shortened(entry)}"
        for name, entry in header.items()
        if name != _METADATA and not (isinstance(entry, dict) and entry.get("dtype") in must)
    ]
    if problems:
        raise BundleError(listing(f"{where} does not hold the arrays that it should:", problems))
    try:
        return load(content)
    except (SafetensorError, ValueError, OverflowError) as error:
        raise BundleError(f"{where} must be a safetensors file: {error}") from None


def row_count(content: bytes, name: str) -> int:
    """Return how many rows an array of a safetensors file says to have; 0 if it cannot be told."""
    header = _header(content)
    entry = {} if isinstance(header, str) else header.get(name)
    shape = entry.get("shape") if isinstance(entry, dict) else None
    rows = shape[0] if isinstance(shape, list) and shape else 0
    return rows if isinstance(rows, int) and 0 <= rows <= len(content) else 0


def _header_problems(content: bytes, expected: Mapping[str, tuple[str, Shape]]) -> list[str]:
    """Return how the header differs from what is expected; nothing is allocated for it."""
    header = _header(content)
    if isinstance(header, str):
        return [header]
    problems = [f"{name}: is missing" for name in expected if name not in header]
    problems += [f"{name}: must not be there" for name in header if name not in expected]
    for name, (dtype, shape) in expected.items():
        entry = header.get(name)
        if entry is None:
            continue
        must = {"dtype": _DTYPES[dtype], "shape": list(shape)}
        got = {key: entry.get(key) for key in must} if isinstance(entry, dict) else entry
        if got != must:
            problems.append(f"{name}: must be {must}, got {got}")
    return problems


def _header(content: bytes) -> dict[str, Any] | str:
    """Return the header of a safetensors file, or why it has none."""
    size = int.from_bytes(content[:_PREFIX], "little")
    if len(content) < _PREFIX or size > len(content) - _PREFIX:
        return f"it must begin with the size of its header, and has {len(content):,} bytes"
    try:
        header = strict_json(content[_PREFIX : _PREFIX + size])
    except ValueError as error:
        return f"its header must be JSON: {error}"
    return header if isinstance(header, dict) else "its header must be a JSON object"
