"""States of edges: those one can derive by hand, and weights that break them."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from glassbench.compiler import compile_program, rasp, scramble
from glassbench.errors import CertificationError, SufficiencyError
from glassbench.ground_truth import EdgeState, build_model, certify, load, make_task, verify
from glassbench.ground_truth.circuit_labels import Sufficiency
from glassbench.ground_truth.digest import weights_digest
from glassbench.ground_truth.interchange_search import InterchangeSearch

TOKENS, INDICES = rasp.tokens, rasp.indices

# What is not named is unwired. Derived by hand: see the comments.
KNOWN = {
    "histogram": {
        "embed->a0.h0<q>": "causal",  # counts another token
        "embed->a0.h0<k>": "causal",  # counts it among other tokens
        "embed->a0.h0<v>": "inert",  # reads BOS alone, which is always there
        "a0.h0->m0": "causal",
        "m0->logits": "causal",
    },
    "frac_prevs": {
        "embed->m0": "causal",  # which tokens are `a`
        "pos_embed->a1.h0<q>": "positional",  # positions are the same in every source
        "pos_embed->a1.h0<k>": "positional",
        "embed->a1.h0<k>": "causal",  # where padding begins: the source may be shorter
        "m0->a1.h0<v>": "causal",
        "a1.h0->logits": "causal",
    },
    "sort": {
        "embed->m0": "causal",
        # The position only tells equal tokens apart, and those are alike in the output.
        "pos_embed->m0": "inert",
        "m0->a1.h0<q>": "causal",
        "m0->a1.h0<k>": "causal",
        "embed->a1.h0<k>": "inert",  # BOS; padding has no key, so no flag is needed
        "embed->a1.h0<v>": "inert",  # BOS
        "a1.h0->m1": "causal",
        "m1->a2.h0<k>": "causal",
        "pos_embed->a2.h0<q>": "positional",
        "embed->a2.h0<k>": "causal",  # where padding begins
        "embed->a2.h0<v>": "causal",
        "a2.h0->logits": "causal",
    },
}


@pytest.mark.parametrize("name", KNOWN)
def test_states_known_by_hand(name, request):
    task = request.getfixturevalue(name)
    wired = {
        edge: str(state)
        for edge, state in task.labels.states.items()
        if state is not EdgeState.UNWIRED
    }
    assert wired == KNOWN[name]
    assert task.labels.counts[EdgeState.UNWIRED] == len(task.graph.edges) - len(wired)


def test_every_edge_has_one_label_with_a_fitting_certificate(task):
    labels = task.labels
    assert tuple(label.edge for label in labels.edges) == task.graph.edge_names
    assert labels.exhaustive
    assert labels.n_inputs == len(task.domain.tokens)
    assert labels.weights == weights_digest(task.compiled.model.weights)
    assert labels.task == str(task.id)
    kinds = {
        "causal": {"witness"},
        "positional": {"witness"},
        "inert": {"constant", "exhausted", "unreachable"},
        "unwired": {"structural"},
    }
    for label in labels.edges:
        assert label.certificate.kind in kinds[label.state], label.edge
        if label.certificate.kind == "witness":
            moved = label.certificate.positions is not None
            assert moved == (label.state is EdgeState.POSITIONAL)
            assert 0 < label.certificate.changed <= label.certificate.tried
        if label.state is EdgeState.UNWIRED:
            assert label.variables == ()
            assert label.certificate.bound == 0
        else:
            assert label.variables
    assert labels.sufficiency.n_changed == 0
    assert labels.sufficiency.n_bases > 0


def test_labels_follow_their_seed(histogram):
    again = certify(histogram.compiled, str(histogram.id), seed=0)
    assert again == histogram.labels
    other = certify(histogram.compiled, str(histogram.id), seed=1)
    assert other.states == again.states
    assert other.edges != again.edges


def test_scrambling_carries_the_labels_over(task):
    labels = certify(scramble(task.compiled, 3))
    assert labels.counts == task.labels.counts
    kinds = [
        Counter((label.state, label.variables) for label in found.edges)
        for found in (labels, task.labels)
    ]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize("name", ["histogram[vocab=2,length=3]", "sort[vocab=2,length=3]"])
@pytest.mark.parametrize("regimes", ["crowded[seed=0]", "crowded[distractors=3,seed=4]/scrambled"])
def test_distractors_leave_the_circuit_alone(name, regimes):
    plain, crowded = load(name), load(f"{name}/{regimes}")
    target = {variable.name for variable in plain.compiled.source_map.variables}

    def circuit(task, state):
        carried = [
            frozenset(label.variables) & target
            for label in task.labels.edges
            if label.state is state
        ]
        return Counter(names for names in carried if names)

    for state in (EdgeState.CAUSAL, EdgeState.POSITIONAL):
        assert circuit(crowded, state) == circuit(plain, state)
        assert crowded.labels.counts[state] == plain.labels.counts[state]
    assert crowded.labels.counts[EdgeState.INERT] > plain.labels.counts[EdgeState.INERT]


SAME = rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)
SO_FAR = rasp.Select(INDICES, INDICES, rasp.Comparison.LEQ)
PREVIOUS = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)
SIGN = rasp.numerical(rasp.Map(lambda x: 1 if x == "a" else -2, TOKENS))
MEAN = rasp.numerical(rasp.Aggregate(SO_FAR, SIGN, default=5))

PROGRAMS = {
    "tokens": TOKENS,
    "indices": INDICES,
    "None through two aggregates": rasp.Aggregate(PREVIOUS, rasp.Aggregate(PREVIOUS, TOKENS)),
    "two widths in one layer": rasp.SequenceMap(
        lambda x, y: x - y, rasp.SelectorWidth(SAME), rasp.SelectorWidth(SO_FAR)
    ),
    "a sum of numbers": rasp.numerical(rasp.LinearSequenceMap(SIGN, MEAN, 2, -1)),
    "a map of a mean": rasp.Map(lambda x: x > 0, MEAN, simplify=False),
    "a default that is a token": rasp.Aggregate(PREVIOUS, TOKENS, "b"),
    "a mean as a key": rasp.SelectorWidth(rasp.Select(MEAN, MEAN, rasp.Comparison.EQ)),
}


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("name", PROGRAMS)
def test_prediction_and_measurement_agree_on_delicate_programs(name, causal):
    compiled = compile_program(PROGRAMS[name], "ab", 3, causal=causal, placement_seed=0)
    labels = certify(scramble(compiled, 1) if causal else compiled)
    assert labels.sufficiency.n_changed == 0
    assert labels.counts[EdgeState.CAUSAL] + labels.counts[EdgeState.POSITIONAL] > 0


def test_what_changes_at_padding_does_not_count():
    """The only token tells nothing, and a source can only be longer or shorter."""
    labels = certify(compile_program(TOKENS, "a", 3))
    (label,) = [label for label in labels.edges if label.edge == "embed->logits"]
    assert label.state is EdgeState.CAUSAL
    # A third of the sources are shorter than their bases; as many are longer.
    assert 0.25 < label.certificate.changed / label.certificate.tried < 0.42


def test_what_the_output_does_not_depend_on_is_inert():
    expression = rasp.SequenceMap(lambda x, y: x, TOKENS, rasp.SelectorWidth(SAME))
    compiled = compile_program(expression, "ab", 2)
    labels = certify(compiled)
    assert labels.states["m0->m1"] is EdgeState.INERT
    assert labels.states["embed->m1"] is EdgeState.CAUSAL
    assert labels.states["embed->a0.h0<q>"] is EdgeState.INERT
    assert "exhausted" in {label.certificate.kind for label in labels.edges}


def test_what_is_only_compiled_beside_is_unreachable():
    target = rasp.Map(lambda x: x == "a", TOKENS)
    compiled = compile_program(target, "ab", 3, beside=[rasp.SelectorWidth(SAME)])
    kinds = {label.edge: label.certificate.kind for label in certify(compiled).edges}
    assert kinds["embed->a0.h0<q>"] == "unreachable"
    assert kinds["embed->a0.h0<k>"] == "unreachable"


# -- weights and maps that are broken on purpose -----------------------------------


def broken(compiled, name, place, value):
    """Return a model with one entry (or block) of one array set to a value."""
    weights = compiled.model.weights
    array = getattr(weights, name).copy()
    assert np.any(array[place] != value), "nothing would be broken"
    array[place] = value
    model = replace(compiled.model, weights=replace(weights, **{name: array}))
    return replace(compiled, model=model)


def complaint(compiled):
    with pytest.raises(CertificationError) as caught:
        certify(compiled, "this-task")
    message = str(caught.value)
    assert message.startswith("The labels of this-task cannot be certified")
    return message


def place_of(compiled, name):
    """Return the axis of a variable of width one in a model that is not scrambled."""
    (direction,) = compiled.source_map.by_name[name].directions
    return int(direction.argmax())


def test_a_weight_set_to_zero_is_found(histogram):
    bos = place_of(histogram.compiled, "<bos>")
    message = complaint(broken(histogram.compiled, "W_V", (0, 0, bos, 0), 0))
    assert "embed->a0.h0<v>: the program has it carry <bos>, and on the weights nothing" in message


@pytest.mark.parametrize("size", [1e-6, -1.0])
def test_a_weight_that_connects_what_is_unwired_is_found(frac_prevs, size):
    compiled = frac_prevs.compiled
    indices = compiled.source_map.by_name["indices"].directions[1].argmax()
    message = complaint(broken(compiled, "W_U", (indices, 0), size))
    assert "pos_embed->logits: the program has it carry nothing, and on the weights" in message
    assert f"something passes (largest product {abs(size):g})" in message


def test_a_small_weight_in_a_scrambled_model_is_found(frac_prevs):
    scrambled = scramble(frac_prevs.compiled, 0)
    direction = scrambled.source_map.by_name["indices"].directions[1]
    weights = scrambled.model.weights
    model = replace(
        scrambled.model,
        weights=replace(weights, W_U=weights.W_U + 1e-6 * direction[:, None]),
    )
    assert "pos_embed->logits" in complaint(replace(scrambled, model=model))


def test_the_least_weight_is_found_where_zero_must_be_exact(frac_prevs):
    """In a model that is not scrambled unwired means exactly zero."""
    compiled = frac_prevs.compiled
    indices = compiled.source_map.by_name["indices"].directions[1].argmax()
    assert "pos_embed->logits" in complaint(broken(compiled, "W_U", (indices, 0), 1e-12))


def test_a_wrong_table_is_found(sort):
    compiled = sort.compiled
    places = list(compiled.source_map.by_name["place"].neurons)
    flipped = compiled.model.weights.W_out[1].copy()
    flipped[places] = np.roll(flipped[places], 1, axis=0)
    message = complaint(broken(compiled, "W_out", 1, flipped))
    assert "outputs: the weights do not give what the program gives on " in message
    assert "a1.h0->m1: on base [" in message
    assert "the program predicts" in message
    assert "and the weights give" in message


def test_a_wrong_bias_is_found(histogram):
    message = complaint(broken(histogram.compiled, "b_Q", (0, 0), 0))
    assert "embed->a0.h0<" in message


def test_every_broken_edge_is_named(frac_prevs):
    compiled = frac_prevs.compiled
    indices = compiled.source_map.by_name["indices"].directions[1].argmax()
    twice = broken(broken(compiled, "W_U", (indices, 0), 1.0), "W_V", (1, 0), 0)
    message = complaint(twice)
    assert "pos_embed->logits" in message
    assert "m0->a1.h0<v>" in message


def test_a_path_from_what_is_only_compiled_beside_is_found():
    target = rasp.Map(lambda x: x == "a", TOKENS)
    beside = rasp.SelectorWidth(SAME).named("beside")
    compiled = compile_program(target, "ab", 3, beside=[beside])
    axis = compiled.source_map.by_name["beside"].directions[0].argmax()
    lines = complaint(broken(compiled, "W_U", (axis, 0), 1e-3)).splitlines()
    for edge in ("embed->a0.h0<q>", "embed->a0.h0<k>", "a0.h0->m0"):
        assert any(
            line.startswith(f"  - {edge}: no output depends on what it carries, and on the weights")
            for line in lines
        ), edge


def test_a_source_map_that_misses_a_read_is_found(histogram):
    source_map = histogram.compiled.source_map
    reads = tuple(read for read in source_map.reads if read != ("a0.h0<v>", "<bos>"))
    assert len(reads) < len(source_map.reads)
    wrong = replace(histogram.compiled, source_map=replace(source_map, reads=reads))
    assert "embed->a0.h0<v>: the program has it carry nothing" in complaint(wrong)
    assert any("embed->a0.h0<v>" in problem for problem in verify(wrong, histogram.labels))


def test_a_source_map_that_invents_a_read_is_found(frac_prevs):
    source_map = frac_prevs.compiled.source_map
    reads = (*source_map.reads, ("logits", "indices"))
    wrong = replace(frac_prevs.compiled, source_map=replace(source_map, reads=reads))
    message = complaint(wrong)
    assert "pos_embed->logits: the program has it carry indices, and on the weights" in message


def test_a_program_that_is_another_one_is_found(histogram):
    program = histogram.compiled.program
    (place,) = [at for at, node in enumerate(program.nodes) if node.is_selector]
    node = program.nodes[place]
    (condition,) = node.operation.conditions
    other = replace(node.operation, conditions=(replace(condition, table=~condition.table),))
    nodes = (*program.nodes[:place], replace(node, operation=other), *program.nodes[place + 1 :])
    wrong = replace(histogram.compiled, program=replace(program, nodes=nodes))
    message = complaint(wrong)
    assert "embed->a0.h0<k>" in message
    assert any("embed->a0.h0<k>" in problem for problem in verify(wrong, histogram.labels))


def test_causal_edges_that_do_not_suffice_stop_the_build(histogram, monkeypatch):
    from glassbench.ground_truth import certify as function

    module = __import__(function.__module__, fromlist=["joint_sufficiency"])
    insufficient = Sufficiency(n_bases=256, n_changed=3)
    monkeypatch.setattr(module, "joint_sufficiency", lambda *_args, **_kw: insufficient)
    with pytest.raises(SufficiencyError, match="causal edges of that must suffice together"):
        certify(histogram.compiled, "that")


def test_models_of_a_task_are_the_same_bytes(histogram):
    assert weights_digest(build_model(histogram.id).model.weights) == histogram.labels.weights


def test_what_is_broken_is_said_before_the_long_searches(sort, monkeypatch):
    """Otherwise a build that must fail could try hundreds of thousands of pairs first."""

    def too_late(*_):
        raise AssertionError("every base is tried although the build has failed already")

    monkeypatch.setattr(InterchangeSearch, "every_base", too_late)
    monkeypatch.setattr(InterchangeSearch, "distinct_contributions", too_late)
    scrambled = scramble(sort.compiled, 0)
    for name in ("W_E", "W_Q", "W_V", "W_in", "W_out", "b_in", "W_U"):
        array = getattr(scrambled.model.weights, name)
        place = np.unravel_index(np.abs(array).argmax(), array.shape)
        complaint(broken(scrambled, name, place, -0.5 * array[place]))


def test_what_varies_on_one_input_in_many_is_found():
    """The six `a` that change the answer are one input of 15,625, which no small sample has."""
    text = """
        is_a = tokens == "a";
        n = selector_width(select(is_a, True, ==));
        out = tokens if n != 6 else "z";
    """
    task = make_task(text, "abcde", 6)
    states = task.labels.states
    assert states["embed->m0"] is EdgeState.CAUSAL
    assert states["a1.h0->m1"] is EdgeState.CAUSAL
    witness = {label.edge: label.certificate for label in task.labels.edges}["a1.h0->m1"]
    assert (witness.changed, witness.tried) == (0, 256)  # of random pairs; a search found it
    assert verify(task.compiled, task.labels) == []
