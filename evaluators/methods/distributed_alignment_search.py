"""Distributed alignment search (DAS): a subspace learned by gradient descent on interchanges.

The orthogonal projection on a subspace is swapped between base and source, the model is run on,
and the subspace is moved so that the logits come near those that the answers ask for (Geiger, Wu,
Potts, Icard and Goodman 2024, "Finding Alignments Between Interpretable Causal Variables and
Distributed Neural Representations", arXiv:2303.02536). What is minimised is the squared distance
between logits and their targets, one or zero for each value of a categorical output and the
number of a numerical one.

Compiled models saturate: attention is all on one position or another, and steps are steep. Most
subspaces move no logit, and have no gradient. So a subspace is searched in the span of the
differences between sources and bases alone, and half of the searches take coordinates in which
these vary equally in all directions: there small numbers are no harder to hit than large ones.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Int

from ..variables_metrics import InterchangeRuns
from ..variables_problem import Subspace, VariableQuestion, VariablesProblem
from .linear_probe import probes
from .subspace_choice import best_of, each_variable, telling_places

if TYPE_CHECKING:
    from .slim_forward import SlimModel

_LEAST_SPREAD = 1e-3
"""Directions in which differences vary less than this share of the most are left out."""


@dataclass(frozen=True)
class Recipe:
    """How subspaces are searched.

    Attributes:
        candidates: how many subspaces are searched at a hook, of several sizes.
        from_probe: whether they start from the span of a linear probe, and not at random.
        learning_rate: of Adam, falling to zero along a cosine.
        batch: pairs a step, drawn with replacement.
        first_steps: of the search at every hook.
        steps: of the search at the hooks that are kept after it.
        hooks: how many these are.
        held_back: which share of the training pairs is kept for choosing.
    """

    candidates: int = 8
    from_probe: bool = False
    learning_rate: float = 0.3
    batch: int = 32
    first_steps: int = 40
    steps: int = 300
    hooks: int = 3
    held_back: float = 0.25


DAS = Recipe()
DAS_FROM_PROBE = Recipe(from_probe=True, learning_rate=0.03)


def das(problem: VariablesProblem) -> dict[str, Subspace]:
    """Return learned subspaces, started at random."""
    return found_by(problem, DAS)


def das_from_probe(problem: VariablesProblem) -> dict[str, Subspace]:
    """Return learned subspaces, started from where a linear probe reads the variable."""
    return found_by(problem, DAS_FROM_PROBE)


def found_by(problem: VariablesProblem, recipe: Recipe) -> dict[str, Subspace]:
    """Search a subspace for each variable."""
    from .slim_forward import SlimModel

    slim = SlimModel.of(problem.model.weights)
    return each_variable(problem, lambda *asked: _Search(*asked, slim=slim, recipe=recipe).best())


class _Place(NamedTuple):
    """What a search at a hook needs of it.

    Attributes:
        depth: the place of the hook.
        base: streams of the bases.
        change: what is added to them if all is swapped, zero where nothing is interchanged.
        axes: from the coordinates of each search to the stream `[candidates, d_model, d_model]`,
            zero beyond the rank of the differences.
        rank: of the differences.
    """

    depth: Any
    base: Any
    change: Any
    axes: Any
    rank: int


class _Search:
    """The search for one variable.

    Args:
        problem: the problem.
        question: the variable.
        runs: the runs on its training pairs.
        slim: the model.
        recipe: how.
    """

    def __init__(
        self,
        problem: VariablesProblem,
        question: VariableQuestion,
        runs: InterchangeRuns,
        *,
        slim: "SlimModel",
        recipe: Recipe,
    ) -> None:
        self._problem, self._question, self._runs = problem, question, runs
        self._slim, self._recipe = slim, recipe
        # A power of two, so that few shapes are compiled; columns beyond a size are masked.
        self._widest = 2 ** (question.max_directions - 1).bit_length()
        n_learn = len(question.train) - int(recipe.held_back * len(question.train))
        self._learn = slice(0, n_learn)
        choose = question.train.take(slice(n_learn, None))
        if not len(choose):
            choose = question.train
        self._choosing = InterchangeRuns.of(problem.model, choose)
        codec = problem.model.codec
        self._target = codec.answer_logits(codec.ids_of(question.train.answers[self._learn]))
        self._real = codec.is_real(question.train.base[self._learn])
        self._rng = np.random.default_rng([problem.seed, 13])

    def best(self) -> Subspace:
        """Return the best subspace of all hooks, by interchanges on pairs kept for choosing."""
        probed = self._probed()
        candidates = [*probed.values()]
        for place, sizes, params in self._first_round(probed):
            candidates += self._subspaces(place, params, sizes)
            learned, _ = self._descended(place, params, sizes, self._recipe.steps)
            candidates += self._subspaces(place, learned, sizes)
        return best_of(self._choosing, candidates)

    def _probed(self) -> dict[int, Subspace]:
        """Return the probes that are started from, by the places of their hooks."""
        if not self._recipe.from_probe:
            return {}
        return probes(self._problem, self._question, self._runs)

    def _first_round(
        self, probed: Mapping[int, Subspace]
    ) -> list[tuple[_Place, np.ndarray, np.ndarray]]:
        """Return sizes and parameters after a short search, at the hooks of least loss."""
        recipe = self._recipe
        rounds = []
        for depth in telling_places(self._problem.model.weights):
            place = self._place(depth)
            if not place.rank:
                continue
            sizes = _sizes(min(place.rank, self._question.max_directions), recipe.candidates)
            params = self._starts(place, probed.get(depth))
            learned, loss = self._descended(place, params, sizes, recipe.first_steps)
            rounds.append((loss.min(), depth, sizes, learned))
        rounds.sort(key=lambda one: one[:2])
        return [
            (self._place(depth), sizes, params)
            for _, depth, sizes, params in rounds[: recipe.hooks]
        ]

    def _starts(self, place: _Place, probe: Subspace | None) -> np.ndarray:
        """Return where the searches at a hook start, in their coordinates."""
        shape = self._recipe.candidates, place.base.shape[-1], self._widest
        params = self._rng.normal(size=shape)
        if probe is not None:
            read = np.linalg.pinv(place.axes) @ probe.directions.T
            read /= np.abs(read).max(axis=(1, 2), keepdims=True)
            params[:, :, : read.shape[2]] = read
        return params

    def _place(self, depth: int) -> _Place:
        """Return what a search at a hook needs of it."""
        base = self._runs.base[depth][self._learn]
        where = self._question.train.where[self._learn]
        change = np.where(where[..., None], self._runs.source[depth][self._learn] - base, 0.0)
        _, sizes, rows = np.linalg.svd(change[where], full_matrices=False)
        rows = rows[sizes > _LEAST_SPREAD * max(sizes.max(initial=0.0), _LEAST_SPREAD)]
        rank = len(rows)
        axes = np.zeros((self._recipe.candidates, *(base.shape[-1],) * 2))
        axes[:, :, :rank] = rows.T
        axes[1::2, :, :rank] *= sizes[0] / sizes[:rank]
        return _Place(depth, base, change, axes, rank)

    def _subspaces(self, place: _Place, params: np.ndarray, sizes: np.ndarray) -> list[Subspace]:
        """Return subspaces from the coordinates of the search."""
        hook = self._problem.hooks[place.depth]
        return [
            Subspace(hook, (axes @ one[:, :size]).T)
            for axes, one, size in zip(place.axes, params, sizes, strict=True)
        ]

    def _descended(
        self, place: _Place, params: np.ndarray, sizes: np.ndarray, steps: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return parameters after some steps, and the loss of each at the end."""
        import jax

        from .slim_forward import Between
        from .subspace_descent import descend

        mask = np.arange(self._widest) < sizes[:, None]
        arrays = (place.base, place.change, place.axes, self._target, self._real, params, mask)
        found, losses = descend(
            self._slim,
            place.depth,
            *(array.astype(np.float32) for array in arrays),
            self._recipe.learning_rate,
            steps,
            jax.random.key(int(self._rng.integers(2**31))),
            between=Between.of(self._problem.model.weights),
            batch=self._recipe.batch,
        )
        return np.asarray(found, np.float64), np.asarray(losses)


def _sizes(most: int, candidates: int) -> Int[np.ndarray, " candidates"]:
    """Return how many directions each search has: all that is allowed, one less, or half.

    Indicators of values add up to one, so that between two inputs they differ in one dimension
    less than there are values. Both kinds of coordinates get every size.
    """
    sizes = dict.fromkeys((most, max(1, most - 1), max(1, most // 2)))
    return np.resize(np.repeat(list(sizes), 2), candidates)
