"""Tasks: built, certified and kept; positives of edges and nodes."""

import pytest

from glassbench.compiler import run
from glassbench.errors import ProgramError, TaskError
from glassbench.ground_truth import (
    EdgeState,
    build_model,
    edge_positives,
    load,
    node_positives,
)
from glassbench.ground_truth.digest import weights_digest
from glassbench.ground_truth.interchange_pairs import TaskDomain

C, P, N, U = EdgeState.CAUSAL, EdgeState.POSITIONAL, EdgeState.INERT, EdgeState.UNWIRED


def test_a_task_is_loaded_once(histogram):
    assert load("histogram[vocab=2,length=3]") is histogram
    assert load("histogram-v1[length=3,vocab=2]") is histogram
    assert load(histogram.id) is histogram
    assert load("histogram[vocab=2,length=3]/exact") is histogram


def test_a_task_says_what_it_is(histogram):
    text = str(histogram)
    assert text.startswith("histogram-v1[vocab=2,length=3]\nGives at each position how often")
    assert "layers 1, heads 1, d_model 7, d_mlp 4, 231 parameters" in text
    assert "edges: 4 causal, 0 positional, 1 inert, 8 unwired" in text
    assert "certified on all 14 inputs" in text


def test_regimes_are_applied_and_seeded():
    digests = {
        task: weights_digest(build_model(f"sort[vocab=2,length=3]{task}").model.weights)
        for task in (
            "",
            "/scrambled",
            "/scrambled[seed=1]",
            "/crowded",
            "/crowded[seed=1]",
            "/crowded[distractors=2]",
            "/crowded/scrambled",
        )
    }
    assert len(set(digests.values())) == len(digests)
    again = weights_digest(build_model("sort[vocab=2,length=3]/crowded[seed=1]").model.weights)
    assert again == digests["/crowded[seed=1]"]


@pytest.mark.parametrize("distractors", [1, 2, 5, 8])
def test_as_many_distractors_as_are_asked_for(distractors):
    compiled = build_model(f"histogram[vocab=2,length=3]/crowded[distractors={distractors}]")
    assert len(compiled.program.beside) == distractors
    assert len(compiled.program.outputs) == 1
    assert compiled.source_map.outputs == ("histogram",)
    assert compiled("aab") == [2, 2, 1]


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("name", ["sort", "reverse", "shuffle_dyck1", "detect_pattern"])
def test_crowding_never_stops_a_task_from_compiling(name, seed):
    """Whichever distractors are drawn, all are there, and no answer is another one."""
    alone = build_model(f"{name}[vocab=3,length=4]")
    crowded = build_model(f"{name}[vocab=3,length=4]/crowded[distractors=6,seed={seed}]")
    assert len(crowded.program.beside) == 6
    tokens = TaskDomain.of(alone).tokens
    given, expected = (
        one.model.codec.decode_ids(run(one.model.weights, tokens).logits)
        for one in (crowded, alone)
    )
    assert alone.model.codec.answered_alike(given, expected, tokens).all()


def test_unknown_tasks_are_refused():
    with pytest.raises(TaskError, match="Did you mean 'histogram'"):
        load("histogramm")
    with pytest.raises(TaskError):
        load("histogram/fogged")


def test_what_cannot_be_compiled_in_that_size_is_refused():
    with pytest.raises(ProgramError, match="at most"):
        build_model("sort[vocab=100,length=50]")


def test_positives_of_edges():
    states = {"embed->m0": C, "embed->m1": P, "m0->m1": N, "m0->logits": U}
    assert edge_positives(states) == {"embed->m0": True, "m0->m1": False, "m0->logits": False}
    assert edge_positives({}) == {}


def test_a_node_is_what_the_strongest_edge_that_leaves_it_is():
    states = {
        "embed->a0.h0<q>": U,
        "embed->m0": C,
        "embed->logits": N,
        "pos_embed->a0.h0<q>": P,
        "pos_embed->m0": U,
        "a0.h0->m0": N,
        "a0.h0->logits": U,
        "m0->logits": U,
        "a1.h0->m1": U,
        "a1.h0->logits": C,
    }
    expected = {"embed": True, "a0.h0": False, "m0": False, "a1.h0": True}
    assert node_positives(states) == expected
    backwards = dict(reversed(states.items()))
    assert node_positives(backwards) == expected


def test_positives_of_a_task(frac_prevs):
    states = frac_prevs.labels.states
    assert node_positives(states) == {"embed": True, "m0": True, "a1.h0": True}
    edges = edge_positives(states)
    assert sum(edges.values()) == frac_prevs.labels.counts[C]
    assert len(edges) == len(states) - frac_prevs.labels.counts[P]


def test_the_digest_depends_on_every_array_and_on_the_mask(histogram):
    from dataclasses import replace

    weights = histogram.compiled.model.weights
    digests = {weights_digest(weights), weights_digest(replace(weights, causal=True))}
    for name, array in weights.arrays():
        moved = array.copy()
        moved.flat[-1] += 1e-9
        digests.add(weights_digest(replace(weights, **{name: moved})))
    reordered = replace(weights, W_E=weights.W_E.copy(order="F"))
    assert len(digests) == 2 + len(list(weights.arrays()))
    assert weights_digest(reordered) == weights_digest(weights)
