"""Faithfulness: what a circuit keeps of a model's output, measured without knowing the truth.

Where no labels are at hand, the field asks of edge scores how well the model does when all but
the edges of highest score are ablated. `faithfulness` measures that in the usual ways; none of
them ranks here, where labels are known, and docs/faithfulness.md shows how far each agrees with
them. A circuit of size k keeps the k edges of largest magnitude, of all edges of the model. Every
measure is a mean over sizes, by the trapezoid rule over the ten shares of MIB (Mueller et al.
2025, arXiv:2504.13151), so that most of it speaks of circuits of a tenth of all edges and more.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ..benchmark_programs import unknown_name
from ..compiler.model import Codec
from ..compiler.one_thread import one_thread
from ..compiler.values import Encoding
from ..errors import TaskError
from .circuit_problem import Answer, CircuitProblem, checked_answer
from .gated_model import GatedModel
from .pair_runs import PairRuns
from .result import Direction

SHARES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""The sizes of circuits, as shares of all edges, rounded down: those of MIB."""

ABLATIONS = ("interchange", "zero", "mean")
"""What edges carry that are not in the circuit."""

MEASURES: dict[str, Direction] = {
    "cpr": "higher",
    "cmd": "lower",
    "accuracy": "higher",
    "kl": "lower",
}
"""What is measured under each of them, and which values are better."""

DRAWS = 8
"""How often edges of equal score are put in a random order."""


@dataclass(frozen=True, eq=False)
class FaithfulnessCurves:
    """What circuits of growing size keep; each curve has a point for each of `SHARES`.

    Attributes:
        recovered: the output along the way from the ablated model (0) to the whole one (1).
        accuracy: at how many positions the answer is that of the whole model.
        divergence: the KL divergence from the whole model, in nats a position, summed over
            categorical outputs; `None` where there are none.
    """

    recovered: Float[np.ndarray, " size"]
    accuracy: Float[np.ndarray, " size"]
    divergence: Float[np.ndarray, " size"] | None

    def measures(self) -> dict[str, float]:
        """Return the means over sizes, by name.

        `cpr` is the mean of what is recovered, `cmd` that of its distance from 1; see `MEASURES`.
        """
        found = {
            "cpr": _mean(self.recovered),
            "cmd": _mean(np.abs(1 - self.recovered)),
            "accuracy": _mean(self.accuracy),
        }
        return found if self.divergence is None else found | {"kl": _mean(self.divergence)}


def faithfulness(problem: CircuitProblem, answer: Answer, *, seed: int = 0) -> dict[str, float]:
    """Return how faithful the circuits are that edge scores choose.

    Args:
        problem: holds the model and the pairs.
        answer: a number for every edge; magnitudes count.
        seed: orders edges of equal score; means over a few orders are taken.

    Returns:
        `cpr`, `cmd`, `accuracy` and, with categorical outputs, `kl` under each ablation, by names
        such as `cpr_interchange`.

    Raises:
        AnswerError: the answer cannot be scored; every problem is named.
        TaskError: the output is the same on bases and sources, so that nothing can be lost.
    """
    return {
        f"{name}_{ablation}": value
        for ablation in ABLATIONS
        for name, value in faithfulness_curves(problem, answer, ablation, seed=seed)
        .measures()
        .items()
    }


def faithfulness_curves(
    problem: CircuitProblem, answer: Answer, ablation: str, *, seed: int = 0
) -> FaithfulnessCurves:
    """Return what circuits of growing size keep, the other edges ablated.

    An ablated edge carries what it does on the source (`interchange`), nothing (`zero`) or, at
    each position, its mean over the sources (`mean`). What is recovered is measured as in MIB, by

        (m(circuit) - m(nothing)) / (m(model) - m(nothing))

    where `m` is the product of the logits with the difference of the model's on base and source:
    for one-hot logits that is the difference of the logits of the two answers, and it has a
    meaning for numbers as well. It can exceed 1. The arguments are those of `faithfulness`, and so
    are the errors; an unknown ablation is a `TaskError`.
    """
    if ablation not in ABLATIONS:
        raise TaskError(unknown_name("ablation", ablation, ABLATIONS))
    scores = checked_answer(problem, answer)
    with one_thread():
        model = GatedModel(problem.model.weights)
        kept = _circuits(scores, [edge.name for edge in model.edges], seed)
        circuits, which = np.unique(kept.reshape(-1, kept.shape[-1]), axis=0, return_inverse=True)
        runs = list(PairRuns.of(model, problem, circuits=len(circuits) + 1))
        found = _Sums.over(model, problem.model.codec, runs, circuits, ablation)
    which = which.reshape(kept.shape[:-1])
    return FaithfulnessCurves(
        found.recovered[which].mean(axis=0),
        found.accuracy[which].mean(axis=0),
        None if found.divergence is None else found.divergence[which].mean(axis=0),
    )


def _mean(curve: Float[np.ndarray, " size"]) -> float:
    """Return the mean of a curve over sizes, linear between its points."""
    return float(np.trapezoid(curve, SHARES) / (SHARES[-1] - SHARES[0]))


def _circuits(
    scores: Mapping[str, float], edges: Sequence[str], seed: int
) -> Float[np.ndarray, "draw size edge"]:
    """Return 1 for each of `edges` that a circuit holds, for each draw and each share."""
    rng = np.random.default_rng([seed, 8])
    names = sorted(scores)
    magnitudes = -np.abs([scores[name] for name in names])
    places = {name: place for place, name in enumerate(names)}
    chosen = np.array([places[edge] for edge in edges], dtype=np.int64)
    sizes = (np.array(SHARES) * len(names)).astype(np.int64)
    draws = []
    for _ in range(DRAWS):
        order = np.lexsort((rng.permutation(len(names)), magnitudes))
        rank = np.empty(len(names), dtype=np.int64)
        rank[order] = np.arange(len(names))
        draws.append(rank[chosen] < sizes[:, None])
    return np.array(draws, dtype=np.float64)


@dataclass(frozen=True, eq=False)
class _Sums:
    """What circuits keep, each by itself: fields as in `FaithfulnessCurves`, `[circuit]`."""

    recovered: np.ndarray
    accuracy: np.ndarray
    divergence: np.ndarray | None

    @classmethod
    def over(
        cls,
        model: GatedModel,
        codec: Codec,
        runs: Sequence[PairRuns],
        circuits: Float[np.ndarray, "circuit edge"],
        ablation: str,
    ) -> "_Sums":
        """Return what circuits keep on pairs.

        Raises:
            TaskError: the output is the same on bases and sources.
        """
        mean = sum(one.source.sum(axis=1) for one in runs) / sum(len(one.real) for one in runs)
        nothing = np.zeros((1, circuits.shape[1]))
        gates = model.gates(np.concatenate([nothing, circuits]))
        toward = np.zeros(len(gates))
        whole, right, divergence = 0.0, np.zeros(len(gates)), np.zeros(len(gates))
        for one in runs:
            others = _others(one, ablation, mean)
            logits = model.run(gates, one.contributions[None, :2], others).logits
            difference = (one.logits - one.source_logits) * one.real[..., None]
            toward += np.einsum("cnpo,npo->c", logits, difference)
            whole += float((one.logits * difference).sum())
            same = codec.decode_ids(logits.reshape(-1, *logits.shape[-2:])).reshape(
                logits.shape[:-1]
            ) == codec.decode_ids(one.logits)
            right += (same & one.real).sum(axis=(1, 2))
            divergence += (_divergence(codec, one.logits, logits) * one.real).sum(axis=(1, 2))
        empty, toward = toward[0], toward[1:]
        if abs(whole - empty) < 1e-9:
            raise TaskError(
                "Faithfulness needs pairs whose outputs differ, and on these the model gives as "
                "much with every edge ablated as with none; draw pairs that differ"
            )
        positions = sum(one.real.sum() for one in runs)
        categorical = any(one.encoding is Encoding.CATEGORICAL for one in codec.readouts)
        return cls(
            (toward - empty) / (whole - empty),
            right[1:] / positions,
            divergence[1:] / positions if categorical else None,
        )


def _others(runs: PairRuns, ablation: str, mean: np.ndarray) -> np.ndarray:
    """Return what ablated edges carry `[writer, pair, position, d_model]`."""
    match ablation:
        case "interchange":
            return runs.source
        case "zero":
            return np.zeros_like(runs.source)
    return np.broadcast_to(mean[:, None], runs.source.shape)


def _divergence(
    codec: Codec,
    logits: Float[np.ndarray, "pair position d_out"],
    others: Float[np.ndarray, "circuit pair position d_out"],
) -> Float[np.ndarray, "circuit pair position"]:
    """Return the KL divergence of every circuit's answer from the model's, at every position."""
    from scipy.special import log_softmax

    total = np.zeros(others.shape[:-1])
    for readout, some in codec.logit_slices:
        if readout.encoding is Encoding.CATEGORICAL:
            before = log_softmax(logits[..., some], axis=-1)
            after = log_softmax(others[..., some], axis=-1)
            total += (np.exp(before) * (before - after)).sum(axis=-1)
    return total
