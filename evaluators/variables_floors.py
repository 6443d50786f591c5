"""What can be had on the `variables` track without finding a variable, and what the truth earns.

Three answers need no look for the variable, and the best of them is its floor:

* nothing is done, which is right where the answers are kept;
* a random subspace, of the variable's own dimension and at the hook after its writer; its accuracy
  is the mean over draws;
* the whole stream is swapped, at the hook where that is best. That is an answer only where it
  can be written within the bound on dimensions: where streams differ between base and source in
  no more dimensions than the variable has, or at the last hook where the logits do.

**Why there is a bound.** Without it the whole stream could be swapped at any hook, and that is
right wherever all that follows depends on the stream of that position through one variable, as
in a program that is a chain. So an answer must be as small as the variable is.

The ceiling is what the variable's own subspace earns, at the hook after its writer. In a
superposed model the directions of variables overlap. What the writer adds lies along the images of
the variable's directions, and that is what is written; what is read is the linear function of the
stream that gives the variable's coefficients, by least squares over the training bases. That is
the best that we know, and it is measured like any other answer.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import run, seen_columns
from ..ground_truth import Task
from ..ground_truth.high_level_model import HighLevelModel
from ..ground_truth.row_space import row_space
from ..ground_truth.variable_window import basis, hook_name, window
from .variables_metrics import InterchangeRuns
from .variables_problem import Subspace

DRAWS = 16
"""Over how many random subspaces the floor is averaged."""
_SUPERPOSED_ROUNDING = 1e-6


@dataclass(frozen=True)
class VariableMarks:
    """What is measured of a variable whatever a tool answers, each a share of held-out pairs.

    Attributes:
        idle: if nothing is done.
        random: for random subspaces, in the mean.
        whole: if the whole stream is swapped where that can be an answer; zero if nowhere.
        ceiling: for the variable's own subspace.
    """

    idle: float
    random: float
    whole: float
    ceiling: float

    @property
    def floors(self) -> dict[str, float]:
        """What can be had without finding the variable, by name."""
        return {"idle": self.idle, "random": self.random, "whole_stream": self.whole}

    @property
    def floor(self) -> float:
        """The best of it."""
        return max(self.floors.values())


def true_subspace(
    task: Task, variable: str, tokens: Int[np.ndarray, "inputs position"]
) -> Subspace:
    """Return where a variable is, at the hook after its writer.

    Args:
        task: the task.
        variable: its name in the program.
        tokens: inputs on which what is read in a superposed model is fitted.
    """
    compiled, n_layers = task.compiled, task.compiled.model.weights.n_layers
    first, _ = window(compiled.source_map, variable, n_layers)
    directions = basis(compiled.source_map.by_name[variable])
    hook = hook_name(first, n_layers)
    if task.gate is None:
        return Subspace(hook, directions)
    stream = run(compiled.model.weights, tokens).streams[first]
    coefficients = HighLevelModel(compiled).coefficients(tokens)[variable]
    written = coefficients @ compiled.source_map.by_name[variable].directions
    real = compiled.model.codec.is_real(tokens)
    streams, others = (part[real] for part in (stream, stream - written))
    beside = row_space(np.eye(streams.shape[1]) - directions.T @ directions)
    # Of all that reads what is written as it is, the function that others disturb least.
    disturbed = (others - others.mean(axis=0)) @ directions.T
    seen = (streams - streams.mean(axis=0)) @ beside.T
    correction = np.linalg.lstsq(seen, disturbed, rcond=_SUPERPOSED_ROUNDING)[0]
    return Subspace(hook, directions, directions - correction.T @ beside)


def whole_stream_dimensions(runs: InterchangeRuns, place: int) -> int:
    """Return how many dimensions an answer needs to swap all of the stream.

    It is the rank of the differences between sources and bases; at the last hook, where nothing
    but the unembedding reads, of what that sees of them.

    Args:
        runs: the runs on some pairs.
        place: that of the hook.
    """
    difference = (runs.source[place] - runs.base[place])[runs.pairs.where]
    if place == len(runs.base) - 1:
        weights = runs.model.weights
        difference = difference @ seen_columns(weights, ComponentGraph.of(weights).readers[-1])
    return len(row_space(np.asarray(np.linalg.qr(difference, mode="r"))))


def marks(
    runs: InterchangeRuns, true: Subspace, depth: int, max_directions: int, seed: int
) -> VariableMarks:
    """Return what is measured of a variable on its held-out pairs.

    Args:
        runs: the runs on these pairs.
        true: the variable's own subspace.
        depth: the place of its hook.
        max_directions: how many dimensions an answer may have.
        seed: draws the random subspaces.
    """
    rng = np.random.default_rng([seed, 11])
    drawn = rng.normal(size=(DRAWS, max_directions, runs.model.weights.d_model))
    random = [Subspace(true.hook, rows).factors for rows in drawn]
    earned = runs.hits(depth, [true.factors, *random]).mean(axis=1)
    whole = [
        float(runs.whole_stream_hits(place).mean())
        for place in range(len(runs.base))
        if whole_stream_dimensions(runs, place) <= max_directions
    ]
    return VariableMarks(
        idle=float(runs.idle_hits().mean()),
        random=float(earned[1:].mean()),
        whole=max(whole, default=0.0),
        ceiling=float(earned[0]),
    )
