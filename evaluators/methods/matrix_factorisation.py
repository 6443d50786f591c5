"""Matrix factorisations of the rows, by scikit-learn: PCA, ICA, NMF and dictionary learning.

All write the rows as `activations @ directions`, the mean left out or not, and differ in what
they ask of the two: directions that are orthogonal, activations that are independent, both
without negative entries, or activations that are sparse.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ...errors import ToolError
from ..features_problem import FeaturesProblem, FoundFeatures, StreamRows

_ROUNDING = 1e-9
SPARSITY = 0.1
"""The weight of the L1 penalty of dictionary learning, on rows scaled to a root mean square norm
of one."""
EPOCHS = 50


def pca(problem: FeaturesProblem) -> dict[str, FoundFeatures]:
    """Return the principal components with variance, the largest first."""
    from sklearn.decomposition import PCA

    return {hook: _fitted(PCA(_rank(rows)), rows) for hook, rows in problem.hooks.items()}


def ica(problem: FeaturesProblem) -> dict[str, FoundFeatures]:
    """Return the columns of the mixing matrix of as many sources as the rows have dimensions."""
    from sklearn.decomposition import FastICA

    found = {}
    for hook, rows in problem.hooks.items():
        model = FastICA(
            _rank(rows), whiten="unit-variance", max_iter=1000, random_state=problem.seed
        )
        with _unfinished():
            model.fit(rows.train)
        found[hook] = _without_zeros(model.mixing_.T, model.transform(rows.held_out))
    return found


def nmf(problem: FeaturesProblem) -> dict[str, FoundFeatures]:
    """Return the parts of which the rows are sums.

    Raises:
        ToolError: some row has a negative entry.
    """
    from sklearn.decomposition import NMF

    lowest = {
        hook: min(rows.train.min(), rows.held_out.min()) for hook, rows in problem.hooks.items()
    }
    problems = [f"{hook}: {low:.3g}" for hook, low in lowest.items() if low < -_ROUNDING]
    if problems:
        raise ToolError(
            "nmf needs rows without negative entries, and the lowest are "
            f"{', '.join(problems)}; take a method that allows them, such as 'dictionary-learning'"
        )
    found = {}
    for hook, rows in problem.hooks.items():
        count = min(rows.max_directions, *rows.train.shape)
        model = NMF(count, init="nndsvda", max_iter=1000, random_state=problem.seed)
        with _unfinished():
            model.fit(rows.train.clip(0))
            activations = model.transform(rows.held_out.clip(0))
        found[hook] = _without_zeros(model.components_, activations)
    return found


def dictionary_learning(problem: FeaturesProblem) -> dict[str, FoundFeatures]:
    """Return a dictionary in which rows have sparse activations that are not negative."""
    from sklearn.decomposition import MiniBatchDictionaryLearning

    found = {}
    for hook, rows in problem.hooks.items():
        scale = _scale(rows)
        model = MiniBatchDictionaryLearning(
            rows.max_directions,
            alpha=SPARSITY,
            max_iter=EPOCHS,
            batch_size=256,
            fit_algorithm="cd",
            transform_algorithm="lasso_cd",
            positive_code=True,
            random_state=problem.seed,
        )
        with _unfinished():
            model.fit(rows.train / scale)
            activations = model.transform(rows.held_out / scale) * scale
        found[hook] = _without_zeros(model.components_, activations)
    return found


def _fitted(model: Any, rows: StreamRows) -> FoundFeatures:
    """Fit a model of scikit-learn whose components are the directions."""
    model.fit(rows.train)
    return _without_zeros(model.components_, model.transform(rows.held_out))


def _rank(rows: StreamRows) -> int:
    """Return how many dimensions the rows vary in, or how many directions may be given."""
    sizes = np.linalg.svd(rows.train - rows.train.mean(axis=0), compute_uv=False)
    return max(1, min(rows.max_directions, int((sizes > _ROUNDING * max(sizes[0], 1)).sum())))


def _scale(rows: StreamRows) -> float:
    """Return the root mean square norm of the rows; one where they are all zero."""
    return float(np.sqrt(np.square(rows.train).sum(axis=1).mean())) or 1.0


def _without_zeros(directions: np.ndarray, activations: np.ndarray) -> FoundFeatures:
    """Return what was found, less directions of length zero."""
    kept = np.linalg.norm(directions, axis=1) > _ROUNDING
    return FoundFeatures(
        directions[kept].astype(np.float64), activations[:, kept].astype(np.float64)
    )


@contextmanager
def _unfinished() -> Iterator[None]:
    """Take what a fit has at its last step: an answer that has not settled is one too."""
    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        yield
