"""RelevanceRecord: token relevance as it is written: `labels/relevance.json` and its arrays."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from .record import Record
from .relevance import Relevance

FORMAT_VERSION: Literal["1.0"] = "1.0"


class RelevanceRecord(Record):
    """What `labels/relevance.safetensors` holds.

    Its arrays are `sensitivity`, and `shapley` and `baseline` where there are any, by input
    of the data, output position and input position, the first token after `<bos>` being 0.

    Attributes:
        n_rankable: answers that depend on some of the tokens and not on others.
        n_excluded: the other answers, which are left out of rankings.
        omitted: empty, or why there are no Shapley values.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    n_rankable: int
    n_excluded: int
    omitted: str

    @classmethod
    def of(cls, relevance: Relevance) -> "RelevanceRecord":
        """Return the record of the relevance of a task."""
        return cls(
            n_rankable=relevance.n_rankable,
            n_excluded=relevance.n_excluded,
            omitted=relevance.omitted,
        )

    @staticmethod
    def arrays(relevance: Relevance) -> Mapping[str, np.ndarray]:
        """Return its arrays: booleans as bytes, values as float64."""
        found = {"sensitivity": relevance.sensitivity.astype("|u1")}
        if relevance.shapley is not None and relevance.baseline is not None:
            found["shapley"] = relevance.shapley.astype("<f8")
            found["baseline"] = relevance.baseline.astype("<f8")
        return found
