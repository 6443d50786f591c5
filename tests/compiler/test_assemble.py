"""Weights and source map: each says about the other what is true."""

import numpy as np
import pytest

from glassbench.benchmark_programs import get_program, programs
from glassbench.compiler import (
    ComponentGraph,
    Encoding,
    InputSpace,
    compile_program,
    interpret,
    rasp,
    run,
    scramble,
)

NAMES = tuple(programs())[::7]


@pytest.fixture(
    scope="module", params=[(name, kind) for name in NAMES for kind in ("", "scrambled")]
)
def compiled(request):
    name, kind = request.param
    spec = get_program(name)
    vocabulary = spec.vocabulary(max(3, spec.least_vocab))
    made = compile_program(spec.build(vocabulary, 3), vocabulary, 3, causal=spec.causal)
    return scramble(made, 0) if kind else made


def test_directions_are_orthonormal_and_fill_the_stream(compiled):
    directions = np.vstack([v.directions for v in compiled.source_map.variables])
    assert directions.shape == (compiled.model.weights.d_model,) * 2
    np.testing.assert_allclose(directions @ directions.T, np.eye(len(directions)), atol=1e-12)


def test_every_variable_lies_where_the_map_says(compiled):
    """Its coefficients along its directions, written by its writer, are its values."""
    program, weights = compiled.program, compiled.model.weights
    tokens = InputSpace(len(program.vocabulary), program.max_length).everything()
    real = compiled.model.codec.is_real(tokens)
    values = interpret(program, tokens).values
    done, graph = run(weights, tokens), ComponentGraph.of(weights)
    checked = 0
    for variable in compiled.source_map.variables:
        if variable.node < 0:
            continue
        written = done.contributions[graph.writer_index[variable.writer]] @ variable.directions.T
        places = np.pad(values[variable.node], ((0, 0), (1, 0)), constant_values=-1)
        domain = program.nodes[variable.node].domain
        assert variable.values == domain.values
        if variable.encoding is Encoding.NUMERICAL:
            expected = domain.numbers[places][..., None]
        else:
            expected = np.eye(len(domain) + 1, len(domain))[places]
        np.testing.assert_allclose(written[real], expected[real], rtol=0, atol=1e-9)
        others = [c @ variable.directions.T for c in done.contributions]
        total = sum(others) - written
        np.testing.assert_allclose(total, 0, rtol=0, atol=1e-9, err_msg=variable.name)
        checked += 1
    assert checked == sum(not node.is_selector for node in program.nodes)


def test_neurons_of_a_variable_are_those_that_write_it(compiled):
    weights = compiled.model.weights
    for variable in compiled.source_map.variables:
        if variable.writer.startswith("m"):
            layer = int(variable.writer[1:])
            written = np.abs(weights.W_out[layer] @ variable.directions.T).max(axis=1)
            assert sorted(variable.neurons) == np.flatnonzero(written > 1e-9).tolist()
        else:
            assert variable.neurons == ()


def test_edges_carry_what_the_map_says_and_nothing_else(compiled):
    """An edge's matrix is not zero exactly for the variables that it carries."""
    weights, source_map = compiled.model.weights, compiled.source_map
    by_role = {"q": weights.W_Q, "k": weights.W_K, "v": weights.W_V}
    graph = ComponentGraph.of(weights)
    for reader in graph.readers:
        if reader.role == "logits":
            matrix = weights.W_U
        elif reader.role == "mlp":
            matrix = weights.W_in[reader.layer]
        else:
            matrix = by_role[reader.role][reader.layer, reader.head]
        read = {
            variable.name
            for variable in source_map.variables
            if np.abs(variable.directions @ matrix).max() > 1e-9
        }
        assert read == {name for asked, name in source_map.reads if asked == reader.name}
    assert set(source_map.carried) <= set(graph.edge_names)
    carried = {
        (edge.split("->")[1], name) for edge, ns in source_map.carried.items() for name in ns
    }
    assert carried == set(source_map.reads)


def test_the_output_is_read_out(compiled):
    weights, (name,) = compiled.model.weights, compiled.source_map.outputs
    output = compiled.source_map.by_name[name]
    assert compiled.program.outputs == (output.node,)
    np.testing.assert_allclose(weights.W_U, output.directions.T, rtol=0, atol=1e-12)


def test_several_outputs_are_read_out_one_after_the_other():
    is_a = rasp.Map(lambda x: x == "a", rasp.tokens).named("is_a")
    place = rasp.numerical(rasp.indices)
    compiled = compile_program([rasp.indices, is_a, place, is_a], "ab", 3)
    for made in (compiled, scramble(compiled, 0)):
        outputs = [made.source_map.by_name[name] for name in made.source_map.outputs]
        assert [one.node for one in outputs] == list(made.program.outputs)
        assert [len(one.directions) for one in outputs] == [3, 2, 1, 2]
        directions = np.concatenate([one.directions for one in outputs])
        np.testing.assert_allclose(made.model.weights.W_U, directions.T, rtol=0, atol=1e-12)


def test_sizes_and_names_of_weights():
    spec = get_program("histogram")
    compiled = compile_program(spec.build("abcd", 5), "abcd", 5)
    weights = compiled.model.weights
    shapes = {name: array.shape for name, array in weights.arrays()}
    d_model, d_mlp, d_head = weights.d_model, weights.d_mlp, weights.d_head
    assert shapes == {
        "W_E": (6, d_model),
        "W_pos": (6, d_model),
        "W_Q": (1, 1, d_model, d_head),
        "b_Q": (1, 1, d_head),
        "W_K": (1, 1, d_model, d_head),
        "W_V": (1, 1, d_model, d_head),
        "W_O": (1, 1, d_head, d_model),
        "W_in": (1, d_model, d_mlp),
        "b_in": (1, d_mlp),
        "W_out": (1, d_mlp, d_model),
        "b_out": (1, d_model),
        "W_U": (d_model, weights.d_out),
    }
    assert weights.n_parameters == sum(np.prod(shape) for shape in shapes.values())
    assert (weights.d_vocab, weights.n_ctx, weights.d_out) == (6, 6, 5)
    assert all(array.dtype == np.float64 for _, array in weights.arrays())
    assert all(
        array.flags["C_CONTIGUOUS"] for _, array in scramble(compiled, 0).model.weights.arrays()
    )


@pytest.mark.parametrize(
    ("name", "d_model"),
    [
        ("histogram", 19),
        ("frac_prevs", 14),
        ("sort_unique", 23),
        ("sort", 43),
        ("sort_by_frequency", 66),
        ("reverse", 43),
        ("shuffle_dyck2", 55),
    ],
)
def test_no_program_is_wider_than_is_known_to_be_possible(name, d_model):
    spec = get_program(name)
    vocabulary = spec.vocabulary(4)
    compiled = compile_program(spec.build(vocabulary, 5), vocabulary, 5)
    assert compiled.model.weights.d_model <= d_model


def test_unused_inputs_take_no_room():
    compiled = compile_program(rasp.tokens, "abc", 4)
    assert [v.name for v in compiled.source_map.variables] == ["tokens"]
    assert compiled.model.weights.d_model == 3
