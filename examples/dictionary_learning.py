"""Score a dictionary-learning method on models with more features than dimensions.

The residual stream of a superposed task has fewer dimensions than the model has features, and
every direction is known. The method here is a sparse dictionary: each row is written with the
two directions that explain it best (orthogonal matching pursuit), directions are fitted to that
by least squares (the method of optimal directions), and so on in turn.

    python dictionary_learning.py
    glassbench score dictionary_learning:sparse_dictionary --suite superposition --track features

The arm `independent` adds the same directions up independently of each other, as dictionary
learning hopes for; in the arm `model` they come as the inputs of the model bring them about.
"""

import warnings

import numpy as np
from sklearn.decomposition import sparse_encode

import glassbench as gb

N_ACTIVE, ROUNDS = 2, 10
TASKS = ("histogram/superposed[d=9]", "frac_prevs/superposed[d=7]", "shift/superposed[d=17]")


def sparse_dictionary(problem: gb.FeaturesProblem) -> dict[str, gb.FoundFeatures]:
    rng = np.random.default_rng(problem.seed)
    found = {}
    for hook, rows in problem.hooks.items():
        distinct = np.unique(unit(rows.train).round(6), axis=0)
        directions = unit(rng.permutation(distinct)[: rows.max_directions])
        for _ in range(ROUNDS):
            codes = coded(rows.train, directions)
            fitted = np.linalg.lstsq(codes, rows.train, rcond=None)[0]
            # A direction that no row uses begins anew, at a row that is badly explained.
            unused = ~codes.any(axis=0)
            badly = np.argsort(-np.linalg.norm(rows.train - codes @ fitted, axis=1))
            fitted[unused] = rows.train[badly[: unused.sum()]]
            directions = unit(fitted)
        found[hook] = gb.FoundFeatures(directions, coded(rows.held_out, directions))
    return found


def coded(rows, directions):
    """Return coefficients [row, direction], at most `N_ACTIVE` of a row other than zero."""
    with warnings.catch_warnings():
        # A row that is a multiple of one direction needs no second.
        warnings.filterwarnings("ignore", "Orthogonal matching pursuit ended", RuntimeWarning)
        return sparse_encode(rows, directions, algorithm="omp", n_nonzero_coefs=N_ACTIVE)


def unit(rows):
    """Return rows at length one."""
    return rows / np.linalg.norm(rows, axis=1, keepdims=True).clip(1e-12)


def main(tasks=TASKS):
    """Score it and principal components; return the matched cosines by task and arm."""
    found = {}
    print(f"{'matched cosine':30}{'rows':12}{'random':>8}{'pca':>8}{'mine':>8}{'truth':>8}")
    for task in tasks:
        for arm in ("model", "independent"):
            track = gb.FeaturesTrack(arm=arm)
            results = [gb.score(method, task, track) for method in ("pca", sparse_dictionary)]
            pca, mine = (result.metrics["matched_cosine"] for result in results)
            numbers = (mine.floor, pca.value, mine.value, mine.ceiling)
            print(f"{task:30}{arm:12}" + "".join(f"{number:8.2f}" for number in numbers))
            found[task, arm] = mine
    return found


if __name__ == "__main__":
    main()
