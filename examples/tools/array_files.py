"""Reads and writes safetensors files with NumPy alone: a size, a header of JSON, and bytes."""

import json

import numpy as np

DTYPES = {"F64": "<f8", "F32": "<f4", "I32": "<i4"}


def load(path):
    """Return the arrays of a file by name."""
    content = path.read_bytes()
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    return {
        name: np.frombuffer(
            content[start + fact["data_offsets"][0] : start + fact["data_offsets"][1]],
            DTYPES[fact["dtype"]],
        ).reshape(fact["shape"])
        for name, fact in header.items()
        if name != "__metadata__"
    }


def save(arrays, path):
    """Write arrays by name, as float64."""
    header, parts, end = {}, [], 0
    for name, array in arrays.items():
        part = np.ascontiguousarray(array, "<f8").tobytes()
        offsets = [end, end + len(part)]
        header[name] = {"dtype": "F64", "shape": list(array.shape), "data_offsets": offsets}
        parts.append(part)
        end += len(part)
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + b"".join(parts))
