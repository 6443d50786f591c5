"""k-means: the directions from the mean of all rows to the centres of clusters.

A row has one active unit, that of its cluster, whose activation is the distance of the centre
from the mean. This is the sparsest dictionary there is.
"""

import numpy as np

from ..features_problem import FeaturesProblem, FoundFeatures

RESTARTS = 4


def kmeans(problem: FeaturesProblem) -> dict[str, FoundFeatures]:
    """Return as many centres as may be given, or as there are different rows."""
    from sklearn.cluster import KMeans

    found = {}
    for hook, rows in problem.hooks.items():
        count = min(rows.max_directions, len(np.unique(rows.train.round(9), axis=0)))
        model = KMeans(count, n_init=RESTARTS, random_state=problem.seed).fit(rows.train)
        centres = model.cluster_centers_ - rows.train.mean(axis=0)
        lengths = np.linalg.norm(centres, axis=1)
        kept = lengths > 1e-9
        member = model.predict(rows.held_out)[:, None] == np.arange(count)
        found[hook] = FoundFeatures(
            centres[kept] / lengths[kept, None], (member * lengths)[:, kept]
        )
    return found
