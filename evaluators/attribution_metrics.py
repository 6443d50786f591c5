"""Attribution metrics: how well an answer orders the tokens that outputs depend on.

One output at one position of one input is an *answer of the model*, and the tokens of that
input are ranked for it. Every metric is a mean over such answers, computed for all inputs of a
length at once. Against the sensitivity, which has no sign, and against the share of Shapley
values that is held, magnitudes are ranked; only Spearman's correlation with the Shapley values
reads signs.

Ties are handled by expectation throughout, so that a constant answer earns what random ones
earn on average, and no metric depends on the order of tokens.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int, Real

from ..ground_truth import Relevance
from .ranking_metrics import auroc, average_precision

PRIMARY = "sensitivity_average_precision"
AUROC = "sensitivity_auroc"
SPEARMAN = "shapley_spearman"
MASS = "shapley_mass_at_size"

TokenMetric = Callable[..., np.ndarray | np.float64]
"""From arrays `[answer, token]` to a value for each answer."""
Attributions = Real[np.ndarray, "rows n n"]
"""Numbers by input, output position and input position, the first token after BOS being 0."""


@dataclass(frozen=True, eq=False)
class PerAnswer:
    """A metric, once for each answer of the model that it can be asked about.

    Attributes:
        rows: which input each answer belongs to.
        values: the metric.
    """

    rows: Int[np.ndarray, " answer"]
    values: Float[np.ndarray, " answer"]

    @property
    def mean(self) -> float:
        """The mean over answers."""
        return float(self.values.mean())


def spearman(
    scores: Float[np.ndarray, "answer token"], labels: Float[np.ndarray, "answer token"]
) -> Float[np.ndarray, " answer"]:
    """Return Spearman's correlation of each row, from -1 to 1; 0 where scores are constant.

    Zero is the mean over random orders of the scores, whatever the labels, so that a constant
    row earns what a random one does.

    Args:
        scores: of tokens; equal scores share their mean rank.
        labels: likewise; no row of them may be constant.

    Example:
        >>> spearman(np.array([[0.1, 0.3, 0.2], [5.0, 5.0, 5.0]]), np.array([[1.0, 3.0, 2.0]] * 2))
        array([1., 0.])
    """
    from scipy.stats import rankdata

    ranks = [rankdata(side, axis=-1) for side in (scores, labels)]
    own, other = (side - side.mean(axis=-1, keepdims=True) for side in ranks)
    lengths = np.sqrt((own**2).sum(axis=-1) * (other**2).sum(axis=-1))
    products = (own * other).sum(axis=-1)
    return np.divide(products, lengths, out=np.zeros_like(lengths), where=lengths > 0)


def mass_at_size(
    scores: Float[np.ndarray, "answer token"],
    masses: Float[np.ndarray, "answer token"],
    positive: Bool[np.ndarray, "answer token"],
) -> Float[np.ndarray, " answer"]:
    """Return which share of the mass the `k` highest scores hold, `k` being how many are positive.

    Of a tie that the cut goes through, each token counts with the chance that it is above. Some
    token of each row must have mass, as it has where the answer depends on a token: the Shapley
    values of all of them sum to the chance that it changes when all are drawn.

    Example:
        >>> mass = np.array([[0.1, 0.7, 0.2]])
        >>> mass_at_size(np.array([[2.0, 2.0, 1.0]]), mass, mass > 0.5).round(3)
        array([0.4])
    """
    from scipy.stats import rankdata

    above = rankdata(-scores, method="min", axis=-1) - 1
    through = rankdata(-scores, method="max", axis=-1)
    size = positive.sum(axis=-1, keepdims=True)
    chance = np.clip((size - above) / (through - above), 0.0, 1.0)
    return (chance * masses).sum(axis=-1) / masses.sum(axis=-1)


def varying(relevance: Relevance) -> Bool[np.ndarray, "rows n"]:
    """Return for which answers the Shapley values of the tokens differ; others order nothing.

    Relevance without Shapley values has no such answer.
    """
    if relevance.shapley is None:
        return np.zeros_like(relevance.real)
    inside = relevance.real[:, None, :]
    highest = relevance.shapley.max(axis=2, where=inside, initial=-np.inf)
    lowest = relevance.shapley.min(axis=2, where=inside, initial=np.inf)
    return (highest > lowest) & relevance.real


def per_answer(relevance: Relevance, attributions: Attributions) -> Mapping[str, PerAnswer]:
    """Return every metric that the labels allow, by name, for each answer of the model.

    Those of the sensitivity are taken over answers whose tokens are rankable, as is the share of
    Shapley mass; Spearman's correlation over those whose Shapley values differ.

    Args:
        relevance: the labels.
        attributions: what is measured.
    """
    lengths, rankable = relevance.lengths, relevance.rankable
    signed = attributions.astype(np.float64)
    magnitudes = np.abs(signed)

    def over(chosen: np.ndarray, metric: TokenMetric, *sides: np.ndarray) -> PerAnswer:
        return _by_length(chosen, lengths, metric, *sides)

    found = {
        PRIMARY: over(rankable, average_precision, magnitudes, relevance.sensitivity),
        AUROC: over(rankable, auroc, magnitudes, relevance.sensitivity),
    }
    if relevance.shapley is not None:
        masses = np.abs(relevance.shapley)
        found[SPEARMAN] = over(varying(relevance), spearman, signed, relevance.shapley)
        found[MASS] = over(rankable, mass_at_size, magnitudes, masses, relevance.sensitivity)
    return {name: metric for name, metric in found.items() if len(metric.values)}


def _by_length(
    chosen: np.ndarray, lengths: np.ndarray, metric: TokenMetric, *sides: np.ndarray
) -> PerAnswer:
    """Return a metric of the tokens of chosen answers, all of one length at once.

    Args:
        chosen: which answers, bool `[rows, n]`.
        lengths: of the inputs.
        metric: from arrays `[answer, token]` to values.
        sides: arrays `[rows, n, n]`, of which it is given the chosen answers.
    """
    rows, outputs = np.nonzero(chosen)
    values = np.empty(len(rows))
    for length in np.unique(lengths[rows]):
        some = np.flatnonzero(lengths[rows] == length)
        values[some] = metric(*(side[rows[some], outputs[some], :length] for side in sides))
    return PerAnswer(rows, values)


def means(relevance: Relevance, attributions: Attributions) -> dict[str, float]:
    """Return the mean of every metric that the labels allow; see `per_answer`."""
    return {name: metric.mean for name, metric in per_answer(relevance, attributions).items()}


def ceilings(relevance: Relevance) -> dict[str, float]:
    """Return what the labels themselves earn: each metric by the label that it speaks of."""
    found = means(relevance, relevance.sensitivity.astype(np.float64))
    if relevance.shapley is not None:
        of_shapley = means(relevance, relevance.shapley)
        found |= {name: of_shapley[name] for name in (SPEARMAN, MASS) if name in of_shapley}
    return found


def floors(relevance: Relevance) -> dict[str, float]:
    """Return what random answers earn in the mean; a constant answer earns exactly that."""
    return means(relevance, np.zeros(relevance.sensitivity.shape))


def counts(relevance: Relevance) -> dict[str, float]:
    """Return how many answers there are, how many can be ranked, and why others cannot."""
    n_sensitive = relevance.sensitivity.sum(axis=2)
    real = relevance.real
    found = {
        "answers": real.sum(),
        "answers_ranked": relevance.rankable.sum(),
        "answers_on_no_token": (real & (n_sensitive == 0)).sum(),
        "answers_on_every_token": (real & (n_sensitive == relevance.lengths[:, None])).sum(),
    }
    if relevance.shapley is not None:
        found["answers_with_even_shapley"] = (real & ~varying(relevance)).sum()
    return {name: float(count) for name, count in found.items()}
