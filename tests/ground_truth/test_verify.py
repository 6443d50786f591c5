"""Labels that are wrong are found out, whatever is wrong with them."""

import numpy as np
import pytest

from glassbench.compiler import ComponentGraph, interchange, run, scramble
from glassbench.ground_truth import EdgeState, certify, verify
from glassbench.ground_truth.circuit_labels import (
    Constant,
    Exhausted,
    Searched,
    Structural,
    Sufficiency,
    Unreachable,
)


def changed(labels, edge, **update):
    """Return labels in which the label of one edge is another."""
    assert edge in labels.states
    edges = tuple(
        label.model_copy(update=update) if label.edge == edge else label for label in labels.edges
    )
    assert edges != labels.edges
    return labels.model_copy(update={"edges": edges})


def certificate(labels, edge):
    return next(label.certificate for label in labels.edges if label.edge == edge)


def test_true_labels_stand(task):
    assert verify(task.compiled, task.labels) == []


def test_true_labels_of_a_scrambled_model_stand(sort):
    scrambled = scramble(sort.compiled, 1)
    labels = certify(scrambled, "sort", seed=3)
    assert verify(scrambled, labels) == []


def test_witnesses_can_be_replayed_by_hand(task):
    """As anyone would do it: two runs, a difference, a third run."""
    weights, codec = task.compiled.model.weights, task.compiled.model.codec
    graph = ComponentGraph.of(weights)
    replayed = 0
    for edge, label in zip(graph.edges, task.labels.edges, strict=True):
        if label.certificate.kind != "witness":
            continue
        witness = label.certificate
        base, source = (np.array([ids]) for ids in (witness.base, witness.source))
        rows = np.arange(base.shape[1]) if witness.positions is None else witness.positions
        writer = graph.writer_index[edge.writer.name]
        there = run(weights, source, pos_embed=weights.W_pos[np.array([rows])])
        here = run(weights, base)
        delta = there.contributions[writer] - here.contributions[writer]

        def read(reader, stream, contributions, edge=edge, delta=delta):
            return stream + delta if reader == edge.reader else stream

        after = run(weights, base, read=read).logits
        at = (0, witness.position)
        assert codec.is_real(base)[at]
        assert codec.decode_ids(here.logits)[at] == witness.before
        assert codec.decode_ids(after)[at] == witness.after
        assert witness.before != witness.after
        np.testing.assert_allclose(
            after, interchange(weights, graph, here, edge.reader, delta), rtol=0, atol=1e-9
        )
        replayed += 1
    counts = task.labels.counts
    assert replayed == counts[EdgeState.CAUSAL] + counts[EdgeState.POSITIONAL] > 0


def test_labels_of_other_weights_are_refused(sort, histogram):
    (problem,) = verify(scramble(sort.compiled, 0), sort.labels)
    assert "the labels must belong to these weights, whose digest is" in problem
    assert sort.labels.weights in problem
    assert verify(sort.compiled, histogram.labels)


@pytest.mark.parametrize("order", [slice(1, None), slice(None, None, -1)])
def test_labels_that_miss_edges_or_mix_them_are_refused(histogram, order):
    labels = histogram.labels.model_copy(update={"edges": histogram.labels.edges[order]})
    (problem,) = verify(histogram.compiled, labels)
    assert "the labels must name every edge once, in order" in problem


@pytest.mark.parametrize(
    ("edge", "state", "proof"),
    [
        ("a0.h0->m0", EdgeState.INERT, Searched(n_pairs=10**6)),
        ("a0.h0->m0", EdgeState.INERT, Exhausted(n_bases=14, n_contributions=3)),
        ("a0.h0->m0", EdgeState.INERT, Unreachable(bound=0.0)),
        ("a0.h0->m0", EdgeState.INERT, Constant(n_sources=14, bound=1e-9, exhaustive=True)),
        ("a0.h0->m0", EdgeState.UNWIRED, Structural(bound=0.0)),
        ("a0.h0->m0", EdgeState.UNWIRED, Structural(bound=1e9)),
        ("embed->a0.h0<v>", EdgeState.UNWIRED, Structural(bound=0.0)),
        ("embed->logits", EdgeState.INERT, Constant(n_sources=14, bound=1e-9, exhaustive=True)),
    ],
)
def test_a_wrong_state_is_found_and_its_edge_is_named(histogram, edge, state, proof):
    problems = verify(
        histogram.compiled, changed(histogram.labels, edge, state=state, certificate=proof)
    )
    assert problems
    assert all(problem.startswith(f"{edge}: ") for problem in problems)
    assert any("certifying again gives" in problem for problem in problems)


def test_every_wrong_label_is_found(histogram):
    labels = changed(
        histogram.labels, "a0.h0->m0", state=EdgeState.UNWIRED, certificate=Structural(bound=0.0)
    )
    labels = changed(labels, "m0->logits", state=EdgeState.INERT, certificate=Searched(n_pairs=7))
    problems = "\n".join(verify(histogram.compiled, labels))
    assert "a0.h0->m0: " in problems
    assert "m0->logits: " in problems


def test_a_certificate_of_the_wrong_kind_is_found(histogram):
    problems = verify(
        histogram.compiled, changed(histogram.labels, "m0->logits", certificate=Searched(n_pairs=7))
    )
    assert any("a searched certificate cannot show causal" in problem for problem in problems)
    witness = certificate(histogram.labels, "m0->logits")
    problems = verify(
        histogram.compiled, changed(histogram.labels, "embed->a0.h0<v>", certificate=witness)
    )
    assert any("a witness certificate cannot show inert" in problem for problem in problems)


@pytest.mark.parametrize("field", ["before", "after", "source", "base", "position"])
def test_a_witness_that_shows_nothing_is_found(histogram, field):
    witness = certificate(histogram.labels, "embed->a0.h0<q>")
    wrong = {
        "before": witness.before + 1,
        "after": witness.before,
        "source": witness.base,
        "base": witness.source,
        "position": 0,
    }[field]
    labels = changed(
        histogram.labels,
        "embed->a0.h0<q>",
        certificate=witness.model_copy(update={field: wrong}),
    )
    problems = verify(histogram.compiled, labels)
    assert any(problem.startswith("embed->a0.h0<q>: ") for problem in problems)


@pytest.mark.parametrize(
    "update",
    [
        {"base": (2, 99, 0, 0)},
        {"base": (2, -1, 3, 3)},
        {"source": (2, 0)},
        {"base": ()},
        {"position": 17},
        {"positions": (0, 1, 2, 99)},
    ],
)
def test_a_witness_that_cannot_be_run_is_a_problem_and_no_crash(histogram, update):
    witness = certificate(histogram.labels, "m0->logits")
    labels = changed(histogram.labels, "m0->logits", certificate=witness.model_copy(update=update))
    problems = verify(histogram.compiled, labels)
    assert any(problem.startswith("m0->logits: ") for problem in problems)


def test_a_witness_must_change_a_real_position(frac_prevs):
    """What is decoded at padding is no output."""
    edge = "embed->a1.h0<k>"
    witness = certificate(frac_prevs.labels, edge)
    compiled = frac_prevs.compiled
    weights, codec = compiled.model.weights, compiled.model.codec
    graph = ComponentGraph.of(weights)
    found = graph.edges[graph.edge_names.index(edge)]
    for base in frac_prevs.domain.tokens:
        for source in frac_prevs.domain.tokens:
            runs = [run(weights, np.array([ids])) for ids in (base, source)]
            delta = runs[1].contributions[0] - runs[0].contributions[0]
            after = codec.decode_ids(interchange(weights, graph, runs[0], found.reader, delta))[0]
            before = codec.decode_ids(runs[0].logits)[0]
            padding = np.flatnonzero((before != after) & (base > codec.bos))
            if len(padding):
                at = int(padding[-1])
                forged = witness.model_copy(
                    update={
                        "base": tuple(base.tolist()),
                        "source": tuple(source.tolist()),
                        "position": at,
                        "before": int(before[at]),
                        "after": int(after[at]),
                    }
                )
                assert verify(compiled, changed(frac_prevs.labels, edge, certificate=forged))
                return
    raise AssertionError("no interchange changes what is decoded at padding")


@pytest.mark.parametrize(
    ("edge", "update"),
    [
        ("a0.h0->m0", {"variables": ("tokens",)}),
        ("embed->a0.h0<v>", {"variables": ()}),
        ("embed->a0.h0<v>", {"certificate": Exhausted(n_bases=10**9, n_contributions=10**9)}),
        ("embed->a0.h0<v>", {"certificate": Searched(n_pairs=10**9)}),
        ("embed->a0.h0<v>", {"permuted": 10**9}),
    ],
)
def test_claims_beside_the_state_are_checked(histogram, edge, update):
    problems = verify(histogram.compiled, changed(histogram.labels, edge, **update))
    assert any(problem.startswith(f"{edge}: ") for problem in problems)


def test_false_sufficiency_is_found(histogram):
    labels = histogram.labels.model_copy(
        update={"sufficiency": Sufficiency(n_bases=10**6, n_changed=0)}
    )
    (problem,) = verify(histogram.compiled, labels)
    assert problem.startswith("joint sufficiency: the labels say n_bases=1000000")


def test_false_claims_about_the_domain_are_found(histogram):
    for update in ({"n_inputs": 10**6}, {"exhaustive": False}):
        assert verify(histogram.compiled, histogram.labels.model_copy(update=update))
