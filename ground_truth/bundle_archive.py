"""Bundle archive: the files of a bundle as one zip, the same bytes each time.

Files are stored and not compressed, since what a compressor writes differs from one
version of it to the next; times are zero, and names are in order.
"""

import io
import os
import tempfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from ..errors import BundleError

_NEVER = (1980, 1, 1, 0, 0, 0)
_UNIX, _PLAIN_FILE = 3, 0o100644 << 16


def zip_bytes(files: Mapping[str, bytes]) -> bytes:
    """Return files, by path, as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(files):
            entry = zipfile.ZipInfo(name, _NEVER)
            entry.create_system, entry.external_attr = _UNIX, _PLAIN_FILE
            archive.writestr(entry, files[name])
    return buffer.getvalue()


def write_whole(content: bytes, file: Path) -> Path:
    """Write a file whole or not at all, in place of one that is there.

    Raises:
        BundleError: it cannot be written.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        try:
            with os.fdopen(handle, "wb") as part:
                part.write(content)
                part.flush()
                os.fsync(part.fileno())
            os.chmod(name, 0o644)
            os.replace(name, file)
        except BaseException:
            os.unlink(name)
            raise
    except OSError as error:
        raise BundleError(
            f"{file} cannot be written: {error.strerror}; choose another place"
        ) from None
    return file
