"""Statistics: all frames of a leaderboard, made from its results in one go."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from .critical_difference import CriticalDifference, critical_difference
from .difficulty import difficulty_bins, difficulty_trends, task_covariates
from .pairwise import pairwise_differences
from .profiles import performance_profiles
from .standings import standings
from .task_scores import task_scores

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, eq=False)
class Statistics:
    """All frames of a leaderboard, each from the function of its name.

    Attributes:
        results: a row for each result and metric.
        scores: `task_scores`.
        standings: a row for each method and reference.
        pairwise: `pairwise_differences`.
        profiles: `performance_profiles`.
        critical: `critical_difference`.
        covariates: `task_covariates`.
        trends: `difficulty_trends`.
        bins: `difficulty_bins`.
    """

    results: "pd.DataFrame"
    scores: "pd.DataFrame"
    standings: "pd.DataFrame"
    pairwise: "pd.DataFrame"
    profiles: "pd.DataFrame"
    critical: CriticalDifference
    covariates: "pd.DataFrame"
    trends: "pd.DataFrame"
    bins: "pd.DataFrame"

    @classmethod
    def of(cls, frame: "pd.DataFrame", scores: "pd.DataFrame | None" = None) -> "Statistics":
        """Return the statistics of a frame of results.

        Args:
            frame: from `results_frame`.
            scores: from `task_scores` of that frame, if they are there.
        """
        scores = task_scores(frame) if scores is None else scores
        pairwise = pairwise_differences(scores)
        covariates = task_covariates(scores["task"].unique())
        return cls(
            results=frame,
            scores=scores,
            standings=standings(frame, scores=scores, pairwise=pairwise),
            pairwise=pairwise,
            profiles=performance_profiles(frame),
            critical=critical_difference(scores, pairwise),
            covariates=covariates,
            trends=difficulty_trends(scores, covariates),
            bins=difficulty_bins(scores, covariates),
        )
