"""The times of one side, as its processes measured them, and their medians."""

from dataclasses import dataclass, field
from statistics import median

Repetition = dict[str, list[float]]
"""Seconds from the start to the end of each stage, by clock (`wall`, `cpu`)."""


@dataclass
class CompileTimes:
    """Every repetition of every process; the first of a process is the cold one."""

    processes: list[list[Repetition]] = field(default_factory=list)

    def cold(self, stage: int = -1, clock: str = "wall") -> float:
        """Return the median over processes of the first compilation, in seconds."""
        return median(process[0][clock][stage] for process in self.processes)

    def warm(self, stage: int = -1, clock: str = "wall") -> float:
        """Return the median of the later compilations of all processes, in seconds."""
        return median(
            repetition[clock][stage] for process in self.processes for repetition in process[1:]
        )

    @property
    def has_warm(self) -> bool:
        """Whether any process compiled more than once."""
        return any(len(process) > 1 for process in self.processes)
