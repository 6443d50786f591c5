"""What a report says of the machine and the packages that it was measured with."""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("numpy", "scipy", "jax", "pandas")
"""The packages whose versions tell most of how fast anything here is."""


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


def here() -> str:
    """Return this machine and its packages in a line."""
    memory = ""
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        held = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        memory = f", {held / 2**30:.0f} GiB of memory"
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{platform.system()}, {platform.machine()}, {_processor()}, {os.cpu_count()} cores"
        f"{memory}; Python {platform.python_version()}, {packages}"
    )


def load() -> float:
    """Return how many processes wanted to run in the last minute, 0 where that is not told."""
    return os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0


def _processor() -> str:
    """Return what the processor is called, as far as the system tells."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names and names[0] != "unknown" else platform.processor() or "a processor"
