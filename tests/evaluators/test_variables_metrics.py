"""Interchange accuracy by hand, as in docs/variables.md, patches, overlap, and intervals."""

import numpy as np
import pytest
from scipy import stats

from glassbench.compiler.executor import run
from glassbench.compiler.model import Codec, Model, Readout
from glassbench.compiler.values import Domain, Encoding
from glassbench.compiler.weights import Weights
from glassbench.evaluators import MetricValue
from glassbench.evaluators.variables_floors import marks, whole_stream_dimensions
from glassbench.evaluators.variables_metrics import (
    InterchangeRuns,
    interchange_accuracy,
    mean_accuracy_interval,
    overlap,
)
from glassbench.evaluators.variables_pairs import VariablePairs
from glassbench.evaluators.variables_problem import Subspace
from glassbench.ground_truth import load
from glassbench.ground_truth.row_space import row_space
from glassbench.ground_truth.subspace_patch import SubspacePatch, patched_logits

HOOKS = ("blocks.0.hook_resid_pre", "blocks.0.hook_resid_mid", "blocks.0.hook_resid_post")
LAST = HOOKS[-1]


@pytest.fixture(scope="module")
def adder():
    """A model of one token that answers v + 2u, with v and u in dimensions of their own.

    The tokens p, q, r and s have (v, u) = (0, 0), (1, 0), (0, 1) and (1, 1). A third dimension
    holds nothing. There are no heads and no neurons.
    """
    nothing = {
        "W_Q": (1, 1, 3, 1),
        "b_Q": (1, 1, 1),
        "W_K": (1, 1, 3, 1),
        "W_V": (1, 1, 3, 1),
        "W_O": (1, 1, 1, 3),
        "W_in": (1, 3, 1),
        "b_in": (1, 1),
        "W_out": (1, 1, 3),
        "b_out": (1, 3),
        "W_pos": (2, 3),
    }
    tokens = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 0]], float)
    weights = Weights(
        W_E=tokens,
        W_U=np.array([[1.0], [2.0], [0.0]]),
        causal=False,
        **{name: np.zeros(shape) for name, shape in nothing.items()},
    )
    answers = Readout(Domain((0, 1, 2, 3)), Encoding.NUMERICAL)
    return Model(weights, Codec(Domain(tuple("pqrs")), 1, (answers,)))


@pytest.fixture(scope="module")
def pairs(adder):
    """The pairs p <- s, q <- r, p <- r and r <- q of v; v + 2u becomes 1, 0, 0 and 3."""
    base, source = (
        adder.codec.encode([[token] for token in tokens]) for tokens in ("pqpr", "srrq")
    )
    v = np.array([0, 1, 0, 1, -1, -1])
    answers = np.array([[0, 1], [0, 0], [0, 0], [0, 3]])
    where = np.array([[False, True]] * 4)
    return VariablePairs(base, source, v[base], v[source], where, answers)


@pytest.mark.parametrize(
    ("directions", "read", "right"),
    [
        ([[1, 0, 0]], None, [1, 1, 1, 1]),  # v itself
        ([[-3, 0, 0]], None, [1, 1, 1, 1]),
        ([[0, 1, 0]], None, [0, 0, 0, 0]),  # u: 2, 3, 2, 0
        ([[0, 0, 1]], None, [0, 0, 1, 0]),  # nothing: the answers stay 0, 1, 0, 2
        ([[1, 1, 0]], None, [0, 0, 0, 0]),  # half of both: 3, 1, 2 (from 1.5), 2
        ([[1, 0, 0], [0, 1, 0]], None, [0, 0, 0, 0]),  # the whole stream: 3, 2, 2, 1
        ([[1, 0, 0], [0, 0, 1]], None, [1, 1, 1, 1]),
        # Written along (1, 1, 0) and read along (1, 0, 0): u moves with v, to 3, 0 (from -2), 0, 3.
        ([[1, 1, 0]], [[1, 0, 0]], [0, 1, 1, 1]),
        # Written along v, read along v - u: 0, 0 (from -1), 0 (from -1), 3 (from 4).
        ([[1, 0, 0]], [[1, -1, 0]], [0, 1, 1, 1]),
        ([[1, 0, 0]], [[2, 0, 5]], [1, 1, 1, 1]),  # what is read beside is zero
    ],
)
@pytest.mark.parametrize("hook", HOOKS)
def test_interchange_accuracy_by_hand(adder, pairs, hook, directions, read, right):
    rows = None if read is None else np.array(read, float)
    subspace = Subspace(hook, np.array(directions, float), rows)
    hits = InterchangeRuns.of(adder, pairs).hits(HOOKS.index(hook), [subspace.factors])
    assert hits[0].tolist() == [bool(one) for one in right]
    assert interchange_accuracy(adder, HOOKS, pairs, subspace) == np.mean(right)


def test_floors_by_hand(adder, pairs):
    runs = InterchangeRuns.of(adder, pairs)
    assert runs.idle_hits().tolist() == [False, False, True, False]
    assert runs.whole_stream_hits(0).tolist() == [False] * 4
    assert whole_stream_dimensions(runs, 0) == 2
    assert whole_stream_dimensions(runs, 2) == 1  # the unembedding has one column
    true = Subspace(LAST, np.eye(1, 3))
    found = marks(runs, true, 2, 1, seed=0)
    assert (found.idle, found.whole, found.ceiling) == (0.25, 0.0, 1.0)
    assert found.random == 15 / 64  # of 16 directions on four pairs
    assert found.floor == 0.25


def test_a_score_by_hand(adder, pairs):
    """The fourth answer of the example in docs/variables.md."""
    subspace = Subspace(LAST, np.array([[1.0, 1.0, 0.0]]), np.eye(1, 3))
    (hits,) = InterchangeRuns.of(adder, pairs).hits(2, [subspace.factors])
    interval = mean_accuracy_interval([hits], seed=0)
    assert (interval.low, interval.high) == (0.25, 1)
    metric = MetricValue.of(hits.mean(), random=0.25, interval=interval)
    assert metric.normalised == pytest.approx(2 / 3)


def test_a_patch_replaces_what_is_read_and_leaves_the_rest():
    rng = np.random.default_rng(0)
    written, read = rng.normal(size=(2, 3, 8))
    A, B = Subspace(LAST, written, read).factors
    projection = A @ B
    np.testing.assert_allclose(projection @ projection, projection, atol=1e-12)
    np.testing.assert_allclose(written @ projection, written, atol=1e-12)
    np.testing.assert_allclose(projection @ read.T, read.T, atol=1e-12)
    A, B = Subspace(LAST, written).factors
    np.testing.assert_allclose(A @ B, np.linalg.pinv(written) @ written, atol=1e-12)


@pytest.mark.parametrize("has_read", [False, True])
def test_only_spans_count(has_read):
    rng = np.random.default_rng(1)
    written, read = rng.normal(size=(2, 3, 8))
    mixes = rng.normal(size=(2, 5, 3))
    one = Subspace(LAST, written, read if has_read else None)
    other = Subspace(LAST, mixes[0] @ written, mixes[1] @ read if has_read else None)
    products = [A @ B for A, B in (one.factors, other.factors)]
    np.testing.assert_allclose(*products, atol=1e-10)


def test_dependent_rows_are_one_dimension():
    assert len(row_space(np.array([[1.0, 2.0], [-2.0, -4.0]]))) == 1
    assert len(row_space(np.zeros((2, 3)))) == 0
    assert len(Subspace(LAST, np.array([[1.0, 2.0], [-2.0, -4.0]])).factors[1]) == 1


def test_hits_are_those_of_a_subspace_patch_on_the_whole_model():
    model = load("sort[vocab=2,length=3]/crowded[distractors=2,seed=1]/scrambled").compiled.model
    weights = model.weights
    rng = np.random.default_rng(2)
    domain = load("sort[vocab=2,length=3]/crowded[distractors=2,seed=1]/scrambled").domain
    base, source = domain.draw(40, rng), domain.draw(40, rng)
    where = model.codec.is_real(base) & model.codec.is_real(source)
    nothing = np.zeros_like(base)
    for depth in range(2 * weights.n_layers + 1):
        directions = rng.normal(size=(6, weights.d_model))
        runs = [run(weights, tokens) for tokens in (base, source)]
        patch = SubspacePatch(depth, directions, runs[1].streams[depth], where)
        graph = load("sort[vocab=2,length=3]/crowded[distractors=2,seed=1]/scrambled").graph
        answers = model.codec.decode_ids(patched_logits(weights, graph, runs[0], [patch]))
        pairs = VariablePairs(base, source, nothing, nothing, where, answers)
        own = InterchangeRuns.of(model, pairs)
        both = [Subspace("", directions).factors, Subspace("", directions[:1]).factors]
        hits = own.hits(depth, both)
        assert hits[0].all()
        one = [own.hits(depth, [each])[0] for each in both]
        np.testing.assert_array_equal(hits, one)


# -- overlap and intervals ---------------------------------------------------------


def test_overlap_is_that_of_the_principal_angles():
    from scipy.linalg import subspace_angles

    rng = np.random.default_rng(3)
    for k, m in ((1, 1), (2, 3), (3, 2), (4, 4)):
        true, found = rng.normal(size=(k, 7)), rng.normal(size=(m, 7))
        cosines = np.cos(subspace_angles(true.T, found.T))
        assert overlap(true, found) == pytest.approx(np.square(cosines).sum() / k)
    assert overlap(true, 3 * true[::-1]) == pytest.approx(1)
    assert overlap(np.eye(2, 4), np.eye(4)[2:]) == 0


def test_the_interval_is_that_of_the_bootstrap():
    rng = np.random.default_rng(4)
    hits = [rng.random(60) < 0.8, rng.random(40) < 0.4]
    found = mean_accuracy_interval(hits, seed=0)

    def mean(*samples, axis):
        return np.mean([sample.mean(axis=axis) for sample in samples], axis=0)

    samples = [one.astype(float) for one in hits]
    expected = stats.bootstrap(
        samples, mean, vectorized=True, method="percentile", rng=np.random.default_rng(5)
    ).confidence_interval
    assert found.low == pytest.approx(expected.low, abs=0.01)
    assert found.high == pytest.approx(expected.high, abs=0.01)
    assert found == mean_accuracy_interval(hits, seed=0)


def test_an_interval_of_pairs_that_are_all_right_is_a_point():
    found = mean_accuracy_interval([np.ones(9, bool), np.ones(4, bool)], seed=0)
    assert (found.low, found.high) == (1, 1)
