"""Interchange accuracy: how often swapping a subspace swaps the meaning.

On a pair, the stream of the base at the hook is patched with the component of the source's
stream at the positions that are interchanged, and the model is run on from there. The pair counts
if the decoded answers are those of the program with the variable overridden, at every position
that holds a token (Geiger et al. 2021, arXiv:2106.02997; as a benchmark: Mueller et al. 2025,
MIB, arXiv:2504.13151).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import Run, Stream, project, resume, run, unembedded
from ..compiler.model import Model
from ..compiler.weights import Weights
from ..ground_truth.row_space import row_space
from ..ground_truth.wiring import ROUNDING_BOUND, without_dead_ends
from .intervals import RESAMPLES_OF_MEANS, Interval
from .variables_pairs import VariablePairs
from .variables_problem import Subspace

_ELEMENTS_AT_ONCE = 2**22

Factors = tuple[np.ndarray, np.ndarray]
"""Matrices `A` `[d_model, r]` and `B` `[r, d_model]`: see `Subspace.factors`."""


@dataclass(frozen=True, eq=False)
class InterchangeRuns:
    """The runs of a model on the bases and sources of some pairs, ready for interchanges.

    Attributes:
        model: weights and codec.
        live: the weights without heads and neurons that nothing reads, on which the runs go on:
            whatever is done to the stream, the logits are the same.
        graph: the components that are left.
        pairs: the pairs.
        base: the streams of the bases, one for each hook.
        source: the streams of the sources.
    """

    model: Model
    live: Weights
    graph: ComponentGraph
    pairs: VariablePairs
    base: Sequence[Stream]
    source: Sequence[Stream]

    @classmethod
    def of(cls, model: Model, pairs: VariablePairs) -> "InterchangeRuns":
        """Run a model on some pairs."""
        live = without_dead_ends(model.weights, ROUNDING_BOUND)
        runs: list[Run] = [run(model.weights, tokens) for tokens in (pairs.base, pairs.source)]
        graph = ComponentGraph.of(live)
        return cls(model, live, graph, pairs, runs[0].streams, runs[1].streams)

    def hits(self, depth: int, factors: Sequence[Factors]) -> Bool[np.ndarray, "answers pairs"]:
        """Return whether the answers are right on each pair, for each of several subspaces.

        Args:
            depth: the place of the hook.
            factors: what each subspace is patched with.
        """
        base, where = self.base[depth], self.pairs.where[..., None]
        change = np.where(where, self.source[depth] - base, 0.0)
        step = max(1, _ELEMENTS_AT_ONCE // base.size)
        found = np.zeros((len(factors), len(base)), dtype=bool)
        for start in range(0, len(factors), step):
            some = factors[start : start + step]
            patched = np.stack([base + project(project(change, A), B) for A, B in some])
            stream = patched.reshape(-1, *base.shape[1:])
            logits = resume(self.live, self.graph, stream, depth)
            given = self.model.codec.decode_ids(logits).reshape(len(some), *base.shape[:2])
            found[start : start + step] = self.right(given)
        return found

    def right(self, answers: "np.ndarray") -> Bool[np.ndarray, "*several pairs"]:
        """Return on which pairs answers `[..., pairs, position]` are those that they must be."""
        return self.model.codec.answered_alike(answers, self.pairs.answers, self.pairs.base)

    def whole_stream_hits(self, depth: int) -> Bool[np.ndarray, " pairs"]:
        """Return whether the answers are right on each pair if all of the stream is swapped."""
        everything = np.eye(self.model.weights.d_model)
        return self.hits(depth, [(everything, everything)])[0]

    def idle_hits(self) -> Bool[np.ndarray, " pairs"]:
        """Return whether the answers are right on each pair if nothing is done."""
        logits = unembedded(self.model.weights, self.base[-1])
        return self.right(self.model.codec.decode_ids(logits))


def interchange_accuracy(
    model: Model, hooks: Sequence[str], pairs: VariablePairs, subspace: Subspace
) -> float:
    """Return the share of pairs on which a subspace gives the right answers.

    Args:
        model: weights and codec.
        hooks: those of the problem.
        pairs: the pairs, such as those to learn from.
        subspace: where the variable is said to be.
    """
    hits = InterchangeRuns.of(model, pairs).hits(hooks.index(subspace.hook), [subspace.factors])
    return float(hits.mean())


def overlap(true: Float[np.ndarray, "k d_model"], found: Float[np.ndarray, "m d_model"]) -> float:
    """Return which share of a subspace lies in another, from 0 to 1.

    It is the mean of the squared cosines of the principal angles, over the dimensions of the
    true subspace; an angle that the other lacks a dimension for is a right one.

    Args:
        true: rows that span the true subspace.
        found: rows that span the other.

    Example:
        >>> round(overlap(np.eye(2, 4), np.array([[3.0, 0.0, 4.0, 0.0]])), 9)
        0.18
    """
    basis = row_space(true)
    cosines = basis @ row_space(found).T
    return float(np.square(cosines).sum() / len(basis))


def mean_accuracy_interval(hits: Sequence[Bool[np.ndarray, " _"]], *, seed: int) -> Interval:
    """Return the 95% interval of the mean accuracy of some variables, by resampling pairs.

    Pairs of each variable are resampled apart; the variables are those that there are. As the
    mean of independent draws with replacement, the number of right pairs of a variable is
    binomial, which is how it is drawn.

    Args:
        hits: which pairs of each variable were right.
        seed: the same seed gives the same interval.
    """
    rng = np.random.default_rng([seed, 10])
    drawn = [rng.binomial(len(one), one.mean(), size=RESAMPLES_OF_MEANS) / len(one) for one in hits]
    low, high = np.quantile(np.mean(drawn, axis=0), [0.025, 0.975])
    return Interval(float(low), float(high))
