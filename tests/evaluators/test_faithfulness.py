"""Faithfulness against a slow version, circuit by circuit, and by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import rel_entr, softmax

from glassbench.compiler import run
from glassbench.compiler.values import Encoding
from glassbench.errors import AnswerError, TaskError
from glassbench.evaluators import CircuitProblem, faithfulness
from glassbench.evaluators import faithfulness as by_name
from glassbench.evaluators.faithfulness import (
    ABLATIONS,
    SHARES,
    FaithfulnessCurves,
    faithfulness_curves,
)
from glassbench.ground_truth import EdgeState, load

TASK = "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled"


def distinct_scores(problem, seed=0):
    numbers = np.random.default_rng(seed).permutation(len(problem.edges)) - 3.5
    return dict(zip(problem.edges, numbers.tolist(), strict=True))


def contributions_elsewhere(problem, ablation):
    source = run(problem.model.weights, problem.source).contributions
    match ablation:
        case "interchange":
            return source
        case "zero":
            return [np.zeros_like(one) for one in source]
    return [np.broadcast_to(one.mean(axis=0), one.shape) for one in source]


def divergence(codec, before, after):
    """Return the KL divergence at each position, by scipy."""
    return sum(
        rel_entr(softmax(before[..., some], axis=-1), softmax(after[..., some], axis=-1)).sum(-1)
        for readout, some in codec.logit_slices
        if readout.encoding is Encoding.CATEGORICAL
    )


@pytest.mark.parametrize("ablation", ABLATIONS)
def test_curves_are_those_of_single_circuits(circuit_problem, gated_logits, ablation):
    problem, codec = circuit_problem, circuit_problem.model.codec
    scores = distinct_scores(problem)
    found = faithfulness_curves(problem, scores, ablation)
    others = contributions_elsewhere(problem, ablation)
    base, source = (run(problem.model.weights, t).logits for t in (problem.base, problem.source))
    real = codec.is_real(problem.base)
    ranked = sorted(scores, key=lambda edge: -abs(scores[edge]))

    def of(kept):
        gates = {edge: float(edge in kept) for edge in problem.edges}
        return gated_logits(problem, gates, others)

    def along(logits):
        return float((logits * (base - source))[real].sum())

    nothing, whole = along(of(())), along(base)
    for place, share in enumerate(SHARES):
        logits = of(ranked[: int(share * len(ranked))])
        recovered = (along(logits) - nothing) / (whole - nothing)
        assert found.recovered[place] == pytest.approx(recovered, abs=1e-6)
        right = (codec.decode_ids(logits) == codec.decode_ids(base))[real].mean()
        assert found.accuracy[place] == pytest.approx(right)
        if found.divergence is not None:
            expected = divergence(codec, base, logits)[real].mean()
            assert found.divergence[place] == pytest.approx(expected, abs=1e-6)
    categorical = any(one.encoding is Encoding.CATEGORICAL for one in codec.readouts)
    assert (found.divergence is not None) is categorical


def test_measures_by_hand():
    """Nothing up to 2 %, half at 5 %, all from 10 % on; twice too much at 20 %."""
    recovered = np.array([0, 0, 0, 0, 0, 0.5, 1, 2, 1, 1], dtype=float)
    curves = FaithfulnessCurves(recovered, recovered.clip(0, 1), None)
    above = 0.03 * 0.25 + 0.05 * 0.75 + 0.1 * 1.5 + 0.3 * 1.5 + 0.5
    assert curves.measures()["cpr"] == pytest.approx(above / 0.999)
    below = 0.019 + 0.03 * 0.75 + 0.05 * 0.25 + 0.1 * 0.5 + 0.3 * 0.5
    assert curves.measures()["cmd"] == pytest.approx(below / 0.999)
    right = 0.03 * 0.25 + 0.05 * 0.75 + 0.9
    assert curves.measures()["accuracy"] == pytest.approx(right / 0.999)
    assert "kl" not in curves.measures()
    with_kl = FaithfulnessCurves(recovered, recovered, np.full(10, 0.25))
    assert with_kl.measures()["kl"] == pytest.approx(0.25)


def test_everything_kept_is_the_model(circuit_problem):
    for ablation in ABLATIONS:
        curves = faithfulness_curves(circuit_problem, distinct_scores(circuit_problem), ablation)
        assert curves.recovered[-1] == pytest.approx(1)
        assert curves.accuracy[-1] == 1
        assert curves.divergence is None or curves.divergence[-1] == pytest.approx(0, abs=1e-9)


def test_names_of_measures(circuit_problem):
    found = faithfulness(circuit_problem, distinct_scores(circuit_problem))
    kinds = ["cpr", "cmd", "accuracy"]
    if any(one.encoding is Encoding.CATEGORICAL for one in circuit_problem.model.codec.readouts):
        kinds.append("kl")
    assert list(found) == [f"{kind}_{ablation}" for ablation in ABLATIONS for kind in kinds]
    assert all(type(value) is float for value in found.values())


def test_the_true_circuit_is_faithful_to_interchange_and_not_to_zeros():
    """Zeros are no input: what every run has, such as BOS, is missed where it is not kept."""
    task = load(TASK)
    problem = CircuitProblem.of(task)
    oracle = {e: float(s is EdgeState.CAUSAL) for e, s in task.labels.states.items()}
    assert faithfulness_curves(problem, oracle, "interchange").accuracy[-4:].min() == 1
    assert faithfulness_curves(problem, oracle, "zero").accuracy[-3] < 0.9


def test_edges_of_equal_score_are_taken_in_any_order_by_any_name():
    problem = CircuitProblem.of(load(TASK), n_pairs=16)
    equal = dict.fromkeys(problem.edges, 1.0)
    first = faithfulness(problem, equal, seed=1)
    assert faithfulness(problem, dict(reversed(equal.items())), seed=1) == first
    assert faithfulness(problem, equal, seed=2) != first
    turned = replace(problem, edges=problem.edges[::-1])
    assert faithfulness(turned, equal, seed=1) == pytest.approx(first)


def test_scale_and_sign_do_not_count():
    problem = CircuitProblem.of(load(TASK), n_pairs=16)
    scores = distinct_scores(problem)
    scaled = {edge: -7 * score for edge, score in scores.items()}
    assert faithfulness(problem, scaled) == faithfulness(problem, scores)


def test_what_cannot_be_measured_is_refused():
    problem = CircuitProblem.of(load("histogram[vocab=2,length=3]"), n_pairs=4)
    with pytest.raises(AnswerError, match=r"each of the 13 edges .* one finite number"):
        faithfulness(problem, {"embed->logits": 1.0})
    scores = distinct_scores(problem)
    same = replace(problem, source=problem.base)
    with pytest.raises(TaskError) as caught:
        faithfulness(same, scores)
    assert str(caught.value) == (
        "Faithfulness needs pairs whose outputs differ, and on these the model gives as much with "
        "every edge ablated as with none; draw pairs that differ"
    )
    with pytest.raises(TaskError, match=r"no ablation 'means'\. Did you mean 'mean'"):
        faithfulness_curves(problem, scores, "means")


def test_the_function_is_offered():
    assert by_name is faithfulness
