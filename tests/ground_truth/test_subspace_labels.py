"""Labels of single variables and single positions are what brute force finds."""

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from glassbench.compiler.executor import run
from glassbench.errors import CertificationError
from glassbench.ground_truth import EdgeState, load
from glassbench.ground_truth.circuit_labels import Searched
from glassbench.ground_truth.position_labels import position_labels, was_tried
from glassbench.ground_truth.subspace_labels import subspace_labels

TASKS = (
    "histogram[vocab=2,length=3]",
    "frac_prevs[vocab=2,length=3]",
    "sort[vocab=2,length=3]",
    "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled",
    "twos_complement[tiny]",
)


def changes(task, reader_name, delta_of, permuted=()):
    """Whether any pair of inputs changes an output when a reader's input changes by `delta_of`.

    Args:
        task: the task.
        reader_name: whose input changes.
        delta_of: what is interchanged, given a run.
        permuted: of the sources, for each permutation of positions; else as they are.
    """
    weights, codec = task.compiled.model.weights, task.compiled.model.codec
    tokens = task.domain.tokens
    once = run(weights, tokens)
    rows = [np.tile(order, (len(tokens), 1)) for order in permuted]
    sources = [run(weights, tokens, pos_embed=weights.W_pos[order]) for order in rows]
    source = np.concatenate([delta_of(one) for one in sources or [once]])
    n_bases, n_sources = len(tokens), len(source)
    bases = tokens[np.repeat(np.arange(n_bases), n_sources)]
    delta = (source[None, :] - delta_of(once)[:, None]).reshape(len(bases), *source.shape[1:])

    def read(reader, stream, _):
        return stream + delta if reader.name == reader_name else stream

    before = np.repeat(codec.decode_ids(once.logits), n_sources, axis=0)
    after = codec.decode_ids(run(weights, bases, read=read).logits)
    return bool(((before != after) & codec.is_real(bases)).any())


@pytest.mark.parametrize("name", TASKS)
def test_every_variable_on_its_own(name):
    task = load(name)
    source_map, graph = task.compiled.source_map, task.graph
    states = subspace_labels(task).states
    assert len(states) == len(source_map.reads)
    for (reader, variable_name), state in zip(source_map.reads, states.values(), strict=True):
        variable = source_map.by_name[variable_name]
        onto = np.linalg.pinv(variable.directions) @ variable.directions
        writer = graph.writer_index[variable.writer]

        def of_variable(once, writer=writer, onto=onto):
            return once.contributions[writer] @ onto

        found = changes(task, reader, of_variable)
        assert found == (state is EdgeState.CAUSAL), (reader, variable_name)


@pytest.mark.parametrize(
    "name", [*TASKS[:3], *(pytest.param(one, marks=pytest.mark.slow) for one in TASKS[3:])]
)
def test_every_edge_at_every_position(name):
    task = load(name)
    labels = position_labels(task)
    states, n_ctx = labels.states, task.compiled.model.weights.n_ctx
    edges = {edge.name: edge for edge in task.graph.edges}
    tried = [label.edge for label in task.labels.edges if was_tried(label)]
    assert list(states) == [(edge, position) for edge in tried for position in range(n_ctx)]
    assert not any(isinstance(one.certificate, Searched) for one in labels.positions)
    for edge_name in edges:
        for position in range(n_ctx):
            found = changes_at(task, edges[edge_name], position)
            state = states.get((edge_name, position), EdgeState.INERT)
            assert found == (state is EdgeState.CAUSAL), (edge_name, position)


def changes_at(task, edge, position, permuted=()):
    """Whether any pair of inputs changes an output when an edge is interchanged at a position."""
    writer = task.graph.writer_index[edge.writer.name]

    def at_position(once):
        kept = np.zeros_like(once.contributions[writer])
        kept[:, position] = once.contributions[writer][:, position]
        return kept

    return changes(task, edge.reader.name, at_position, permuted)


@pytest.mark.parametrize("name", TASKS[:4])
def test_what_is_not_causal_is_positional_where_permutations_change_something(name):
    """No pair of an edge and a position is a negative that some permutation shows to be none."""
    task = load(name)
    labels = position_labels(task)
    n_ctx = task.compiled.model.weights.n_ctx
    permuted = [np.array([0, *rows]) for rows in permutations(range(1, n_ctx))]
    edges = {edge.name: edge for edge in task.graph.edges}
    for label in labels.positions:
        if label.state is EdgeState.CAUSAL:
            assert label.permuted == 0
            continue
        found = changes_at(task, edges[label.edge], label.position, permuted)
        expected = EdgeState.POSITIONAL if found else EdgeState.INERT
        assert label.state is expected, (label.edge, label.position)
        assert (label.permuted > 0) == (label.state is EdgeState.INERT)


def test_an_edge_that_permutations_leave_alone_can_be_positional_at_a_position():
    """Sorting breaks ties by position: who comes first matters, and not by how much."""
    task = load("sort/crowded[seed=1]/scrambled[seed=1]")
    assert task.labels.states["pos_embed->m2"] is EdgeState.INERT
    states = position_labels(task).states
    found = [states["pos_embed->m2", position] for position in range(6)]
    assert found == [EdgeState.INERT, *[EdgeState.POSITIONAL] * 5]


def test_bos_and_tokens_share_an_edge_and_not_a_label(histogram):
    """The head compares tokens; that it reads `<bos>` too changes nothing."""
    edges = {label.edge: label for label in histogram.labels.edges}
    assert edges["embed->a0.h0<k>"].variables == ("tokens", "<bos>")
    states = subspace_labels(histogram).states
    assert states["embed[tokens]->a0.h0<k>"] is EdgeState.CAUSAL
    assert states["embed[<bos>]->a0.h0<k>"] is EdgeState.INERT


def tampered(task, **arrays):
    model = task.compiled.model
    weights = model.weights.with_arrays(arrays)
    compiled = replace(task.compiled, model=replace(model, weights=weights))
    return replace(task, compiled=compiled)


def test_neurons_that_write_elsewhere_are_found(sort):
    W_out = sort.compiled.model.weights.W_out.copy()
    (variable,) = [v for v in sort.compiled.source_map.variables if v.name == "place"]
    layer, neuron = int(variable.writer[1:]), variable.neurons[0]
    outside = int(np.flatnonzero(~variable.directions.any(axis=0))[0])
    W_out[layer, neuron, outside] = 1.0
    with pytest.raises(CertificationError, match="place: its neurons write outside"):
        subspace_labels(tampered(sort, W_out=W_out))


def test_a_reader_of_what_it_should_not_read_is_found(histogram):
    W_U = histogram.compiled.model.weights.W_U.copy()
    (variable,) = [v for v in histogram.compiled.source_map.variables if v.name == "<bos>"]
    W_U[variable.directions[0].astype(bool)] = 1.0
    message = r"embed\[<bos>\]->logits: the program has it carry nothing"
    with pytest.raises(CertificationError, match=message):
        subspace_labels(tampered(histogram, W_U=W_U))


def test_a_position_at_which_the_weights_do_something_else_is_found(sort):
    W_U = sort.compiled.model.weights.W_U
    with pytest.raises(CertificationError, match="at 1: on base"):
        position_labels(tampered(sort, W_U=W_U[:, ::-1].copy()))


@pytest.mark.parametrize("name", TASKS[2:])
def test_the_same_each_time(name):
    task = load(name)
    assert subspace_labels(task).to_json() == subspace_labels(task).to_json()
    assert position_labels(task).to_json() == position_labels(task).to_json()
