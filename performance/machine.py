"""What a report says of the machine and the packages that it was measured with."""

import os
import platform
from collections.abc import Mapping


def described(threads: int, versions: Mapping[str, Mapping[str, str]]) -> str:
    """Return a sentence on the machine, and one on the packages of each side."""
    packages = "; ".join(
        f"{side}: {', '.join(f'{name} {v}' for name, v in found.items())}"
        for side, found in versions.items()
    )
    return (
        f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, "
        f"{threads} used by each process. {packages}."
    )
