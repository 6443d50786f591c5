"""Answer counts: of how many runs the answer was measured again, compared, or not there."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ..evaluators.answers_check import AnswerState
from .results_folder import RawResult


@dataclass(frozen=True)
class AnswerCounts:
    """What was checked of the answers of runs; runs without an answer are not among them.

    Attributes:
        measured: how many were measured again, every number being that of the result.
        compared: how many had the digest that their results say.
        absent: how many were not kept, so that nothing of them was checked.
    """

    measured: int
    compared: int
    absent: int

    @classmethod
    def of(cls, runs: Iterable[RawResult], states: Mapping[str, AnswerState]) -> "AnswerCounts":
        """Return the counts of runs.

        Args:
            runs: some runs.
            states: what was checked of each that has an answer, by its file name.
        """
        found = Counter(states[one.name] for one in runs if one.result.status == "ok")
        return cls(found["measured"], found["compared"], found["absent"])

    @property
    def note(self) -> str:
        """What a reader must know where not all were measured again; else nothing.

        Example:
            >>> AnswerCounts(0, 40, 2).note
            'Not all answers were measured again: of 42, 0 were, 40 were compared by digest, and 2 \
were not there.'
        """
        if not self.compared and not self.absent:
            return ""
        total = self.measured + self.compared + self.absent
        return (
            f"Not all answers were measured again: of {total:,}, {_were(self.measured)}, "
            f"{_were(self.compared)} compared by digest, and {_were(self.absent)} not there."
        )

    def __str__(self) -> str:
        """Return a count of each.

        Example:
            >>> print(AnswerCounts(0, 40, 2))
            0 measured again, 40 compared by digest, 2 not there
        """
        return (
            f"{self.measured:,} measured again, {self.compared:,} compared by digest, "
            f"{self.absent:,} not there"
        )


def _were(number: int) -> str:
    return f"{number:,} {'was' if number == 1 else 'were'}"
