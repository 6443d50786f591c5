"""Limits: how much of the machine one run of a tool may take."""

import math
from dataclasses import dataclass

from ..errors import ToolError, listing


@dataclass(frozen=True)
class Limits:
    """How much of the machine one run of a tool may take.

    Attributes:
        seconds: how long it may run.
        memory_mb: how much resident memory all of its processes may have together, in MiB.
            Address space is not limited: node, Julia and Java reserve far more than they use.
        processes: how many processes it may have at a time. `RLIMIT_NPROC` would count all that
            the user runs, and none of root.
        file_mb: how large a file it writes may become, in MiB.

    Raises:
        ToolError: some limit leaves nothing.
    """

    seconds: float = 600.0
    memory_mb: float = 4096.0
    processes: int = 256
    file_mb: float = 1024.0

    def __post_init__(self) -> None:
        """Refuse limits under which nothing can run."""
        problems = [
            f"{name}: must be a finite number above zero, got {limit}"
            for name, limit in vars(self).items()
            if not (isinstance(limit, int | float) and math.isfinite(limit) and limit > 0)
        ]
        if problems:
            raise ToolError(listing("A tool needs limits under which it can run:", problems))
