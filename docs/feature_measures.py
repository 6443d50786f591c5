"""Feature measures: what is measured of each feature of a compression.

Features are the axes of the original's stream: values of categorical variables, and numerical
variables. Where each is drawn: see make_superposition_pictures.py.
"""

from dataclasses import dataclass

import numpy as np

from glassbench.compiler.compression_starts import read_moments
from glassbench.compiler.executor import run
from glassbench.compiler.source_map import SourceMap
from glassbench.ground_truth import Task
from glassbench.ground_truth.toy_superposition import interference

KEPT = 0.5
"""The squared length of a column from which on its feature counts as kept."""


def feature_names(source_map: SourceMap) -> list[str]:
    """Return a name for each axis of the original's stream, such as `tokens=a`."""
    found = []
    for variable in source_map.variables:
        if len(variable.directions) == 1:
            found.append(variable.name)
        else:
            found += [f"{variable.name}={value}" for value in variable.values]
    return found


def owners(source_map: SourceMap) -> list[str]:
    """Return the variable of each axis."""
    return [one.name for one in source_map.variables for _direction in one.directions]


def values(task: Task) -> np.ndarray:
    """Return the features at BOS and at tokens, over the domain, `[places, features]`."""
    model, tokens = task.compiled.model, task.domain.tokens
    stream = run(model.weights, tokens).streams[-1]
    # The directions of a compiled model are axes of its stream, in any order.
    directions = np.vstack([one.directions for one in task.compiled.source_map.variables])
    return stream[model.codec.is_bos_or_real(tokens)] @ directions.T


def correlations(x: np.ndarray) -> np.ndarray:
    """Return the correlations of features; NaN for those that are constant."""
    centred = x - x.mean(axis=0)
    length = np.linalg.norm(centred, axis=0)
    unit = centred / np.where(length > 1e-9, length, np.nan)
    return unit.T @ unit


def independence(x: np.ndarray, owner: list[str]) -> np.ndarray:
    """Return 1 - R² of each feature, predicted from those of other variables; NaN if constant.

    From those of its own variable a value is always known: exactly one of them is one.
    """
    found = np.full(x.shape[1], np.nan)
    for i, centred in enumerate((x - x.mean(axis=0)).T):
        others = [j for j, name in enumerate(owner) if name != owner[i]]
        total = centred @ centred
        if total > 1e-9:
            known = np.column_stack([np.ones(len(x)), x[:, others]])
            left = centred - known @ np.linalg.lstsq(known, centred)[0]
            found[i] = round(float(left @ left / total), 9)
    return found


@dataclass(frozen=True, eq=False)
class FeatureMeasures:
    """What is measured of each feature of a compression, `[features]` each.

    Attributes:
        name: the program and its width.
        interference: of its column of `W` with the others.
        kept: whether its column is not short.
        importance: how much readers read it, as in `read_moments`.
        density: the share of places, BOS or tokens, at which it is not zero.
        independence: 1 - R² from features of other variables; NaN where it is constant.
    """

    name: str
    interference: np.ndarray
    kept: np.ndarray
    importance: np.ndarray
    density: np.ndarray
    independence: np.ndarray

    @classmethod
    def of(cls, name: str, task: Task, W: np.ndarray) -> "FeatureMeasures":
        """Measure the features of a compression of a task."""
        source_map = task.compiled.source_map
        directions = np.vstack([one.directions for one in source_map.variables])
        x, columns = values(task), W @ directions.T
        scale, _moments = read_moments(task.compiled.model, task.domain.tokens)
        return cls(
            name,
            interference(columns),
            (columns**2).sum(axis=0) >= KEPT,
            np.diag(directions @ scale.sum(axis=0) @ directions.T),
            (np.abs(x) > 1e-9).mean(axis=0),
            independence(x, owners(source_map)),
        )
