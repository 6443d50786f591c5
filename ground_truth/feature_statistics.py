"""Feature statistics: which features are one and the same, and how the others hang together.

Over the rows of a domain, that is its BOS and token positions. Only sums over rows are kept,
so that memory does not grow with the domain.

**Classes.** Two features that are equal up to a factor on every row form one class. Each
feature is divided by its first activation that is not zero, which takes the factor away, and
the quotients `x` are put on a grid, `floor(x M + c)` with `M = 2^24`. Features are in one
class when the grid points agree on every row; what is compared is their sum modulo 2^64, each
row with a random weight, which agrees by chance with probability 2^-64 or so. Grid lines lie
at irrational places: with `c` the golden ratio no fraction `p / q` comes closer to one than
`1 / (sqrt(5) M q^2)` (Hurwitz), so that rounding puts no value of a program on either side
of a line, depending on the machine. Fractions that differ by less than `1 / M` do not occur
where denominators stay below 4,096.

**Rank** is that of the matrix `[rows, features]`: the number of eigenvalues above
`RANK_TOLERANCE` of its Gram matrix, features scaled to norm 1.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from .record import Record
from .variable_window import hook_name

RANK_TOLERANCE = 1e-9
STRONG = 0.9
"""Above this absolute correlation pairs of classes are counted."""
_SHOWN = 5
_DECIMALS = 6
_GRID = 2.0**24
_OFFSET = (5**0.5 - 1) / 2
_SEED = 0


class ClassCorrelation(Record):
    """How strongly two classes go together over the rows of the domain.

    Attributes:
        first: a class.
        second: another one, of a larger number.
        correlation: Pearson's, of the first feature of either, to 6 decimals.
    """

    first: int
    second: int
    correlation: float


class HookStatistics(Record):
    """The features in the residual stream at one hook.

    Attributes:
        depth: of the hook.
        hook: its name in TransformerLens.
        n_features: features that are written by then.
        n_dead: those among them that are zero on every row.
        n_classes: classes of the others.
        rank: of the matrix of activations.
        mean_active: on how many features a row is not zero, in the mean; to 6 decimals.
        participation: `n^2` over the sum of squares of the correlation matrix of the `n`
            classes that vary, to 6 decimals: `n` where none depends on another, 1 where all
            are the same; 0 for none.
        n_strong: pairs of classes with an absolute correlation above 0.9.
        strongest: the pairs with the largest absolute correlations, at most five.
    """

    depth: int
    hook: str
    n_features: int
    n_dead: int
    n_classes: int
    rank: int
    mean_active: float
    participation: float
    n_strong: int
    strongest: tuple[ClassCorrelation, ...]


@dataclass(frozen=True, eq=False)
class Marginal:
    """How often a class has which activation.

    Attributes:
        values: distinct activations, ascending.
        counts: on how many rows each occurs.
    """

    values: Float[np.ndarray, " distinct"]
    counts: Int[np.ndarray, " distinct"]


@dataclass(frozen=True, eq=False)
class FeatureSums:
    """Sums over all rows of a domain, and what follows from them for each feature.

    Attributes:
        n_rows: how many rows there are.
        gram: sums of products of activations.
        total: sums of activations.
        active: on how many rows each feature is not zero.
        class_of: the class of each feature, numbered by first appearance; -1 for one that is
            zero on every row.
        factor: what the activation of the first feature of the class is to be multiplied by.
        constant: whether a feature is the same number, not zero, on every row.
        marginals: for each class that of its first feature.
    """

    n_rows: int
    gram: Float[np.ndarray, "k k"]
    total: Float[np.ndarray, " k"]
    active: Int[np.ndarray, " k"]
    class_of: Int[np.ndarray, " k"]
    factor: Float[np.ndarray, " k"]
    constant: Bool[np.ndarray, " k"]
    marginals: tuple[Marginal, ...]

    @classmethod
    def over(cls, chunks: Iterable[Float[np.ndarray, "_rows _k"]], k: int) -> "FeatureSums":
        """Return the sums over rows that come in chunks.

        Args:
            chunks: activations of `k` features.
            k: the number of features.
        """
        rng = np.random.default_rng(_SEED)
        n_rows = 0
        gram = np.zeros((k + 1, k + 1))
        signature = np.zeros(k + 1, dtype=np.uint64)
        reference = np.zeros(k + 1)
        counts: list[Counter[float]] = [Counter() for _ in range(k)]
        for chunk in chunks:
            rows = np.append(chunk, np.ones((len(chunk), 1)), axis=1)
            first = rows[(rows != 0).argmax(axis=0), np.arange(k + 1)] if len(rows) else reference
            reference = np.where(reference == 0, first, reference)
            quotients = rows / np.where(reference == 0, 1.0, reference)
            grid = np.floor(quotients * _GRID + _OFFSET).astype(np.int64).view(np.uint64)
            weights = rng.integers(2**64, size=(len(rows), 1), dtype=np.uint64)
            signature += (grid * weights).sum(axis=0, dtype=np.uint64)
            gram += rows.T @ rows
            n_rows += len(rows)
            for count, column in zip(counts, chunk.T, strict=True):
                count.update(_counted(column))
        dead = reference[:-1] == 0
        class_of = _numbered(signature[:-1], dead)
        leaders = _leaders(class_of)
        factor = np.zeros(k)
        np.divide(reference[:-1], reference[leaders[class_of]], out=factor, where=~dead)
        zeros = np.array([count[0.0] for count in counts], dtype=np.int64)
        marginals = tuple(_marginal(counts[leader]) for leader in leaders[:-1])
        constant = ~dead & (signature[:-1] == signature[-1])
        total = gram[-1, :-1]
        return cls(
            n_rows, gram[:-1, :-1], total, n_rows - zeros, class_of, factor, constant, marginals
        )

    def at_hooks(self, first: Int[np.ndarray, " k"], n_layers: int) -> tuple[HookStatistics, ...]:
        """Return the statistics of every hook.

        Args:
            first: the depth from which each feature is in the stream.
            n_layers: of the model.
        """
        found: list[HookStatistics] = []
        for depth in range(2 * n_layers + 1):
            name = hook_name(depth, n_layers)
            if found and not (first == depth).any():
                update = {"depth": depth, "hook": name}
                found.append(found[-1].model_copy(update=update))
            else:
                found.append(self._at(np.flatnonzero(first <= depth), depth, name))
        return tuple(found)

    def _at(self, present: np.ndarray, depth: int, name: str) -> HookStatistics:
        """Return the statistics of the features that are present at a hook."""
        classes, where = np.unique(self.class_of[present], return_index=True)
        chosen = present[where[classes >= 0]]
        classes = classes[classes >= 0]
        varying = ~self.constant[chosen]
        correlations = self._correlations(chosen[varying])
        squares = float(np.square(correlations).sum())
        strongest, n_strong = _strongest(correlations, classes[varying])
        return HookStatistics(
            depth=depth,
            hook=name,
            n_features=len(present),
            n_dead=int((self.class_of[present] < 0).sum()),
            n_classes=len(chosen),
            rank=self._rank(chosen),
            mean_active=round(int(self.active[present].sum()) / self.n_rows, _DECIMALS),
            participation=round(int(varying.sum()) ** 2 / squares, _DECIMALS) if squares else 0.0,
            n_strong=n_strong,
            strongest=strongest,
        )

    def _rank(self, chosen: np.ndarray) -> int:
        """Return the rank of the activations of some features, none of which is dead."""
        gram = self.gram[np.ix_(chosen, chosen)]
        norms = np.sqrt(gram.diagonal())
        return int((np.linalg.eigvalsh(gram / np.outer(norms, norms)) > RANK_TOLERANCE).sum())

    def _correlations(self, chosen: np.ndarray) -> np.ndarray:
        """Return the correlations of features that vary."""
        total = self.total[chosen]
        covariance = self.n_rows * self.gram[np.ix_(chosen, chosen)] - np.outer(total, total)
        deviations = np.sqrt(covariance.diagonal())
        return covariance / np.outer(deviations, deviations)


def _counted(column: np.ndarray) -> dict[float, int]:
    """Return how often each number occurs."""
    ones = int(np.count_nonzero(column == 1))
    zeros = int(np.count_nonzero(column == 0))
    if ones + zeros == len(column):
        return {0.0: zeros, 1.0: ones}
    values, counts = np.unique(column, return_counts=True)
    return dict(zip(values.tolist(), counts.tolist(), strict=True))


def _marginal(counter: Counter[float]) -> Marginal:
    values = sorted(value for value, count in counter.items() if count)
    counts = [counter[value] for value in values]
    return Marginal(np.array(values), np.array(counts, dtype=np.int64))


def _numbered(signature: np.ndarray, dead: np.ndarray) -> np.ndarray:
    """Return a number for each feature: the same for the same signature, -1 for the dead."""
    numbers: dict[int, int] = {}
    return np.array(
        [
            -1 if is_dead else numbers.setdefault(own, len(numbers))
            for own, is_dead in zip(signature.tolist(), dead.tolist(), strict=True)
        ],
        dtype=np.int64,
    )


def _leaders(class_of: np.ndarray) -> np.ndarray:
    """Return the first feature of each class, and 0 at the end for the dead, whose class is -1."""
    _, first = np.unique(class_of[class_of >= 0], return_index=True)
    return np.append(np.flatnonzero(class_of >= 0)[first], 0)


def _strongest(
    correlations: np.ndarray, classes: np.ndarray
) -> tuple[tuple[ClassCorrelation, ...], int]:
    """Return the pairs that go together most, and how many do so strongly.

    Correlations are rounded before they are compared: ties must not be decided by rounding.
    """
    first, second = np.triu_indices(len(classes), 1)
    rounded = correlations[first, second].round(_DECIMALS) + 0.0
    order = np.argsort(-np.abs(rounded), kind="stable")[:_SHOWN]
    pairs = tuple(
        ClassCorrelation(first=int(a), second=int(b), correlation=float(r))
        for a, b, r in zip(
            classes[first[order]], classes[second[order]], rounded[order], strict=True
        )
    )
    return pairs, int((np.abs(rounded) > STRONG).sum())
