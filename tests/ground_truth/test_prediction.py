"""What the program says about variables, with and without interchanges."""

import numpy as np
import pytest

from glassbench.compiler import ComponentGraph, Encoding, InputSpace, interpret, run, scramble
from glassbench.ground_truth import Pairs, Predictor, load
from glassbench.ground_truth.prediction import Interchange

TASKS = (
    "sort[vocab=2,length=3]",
    "frac_prevs[vocab=2,length=3]",
    "reverse[vocab=2,length=3]",
    "shuffle_dyck1[vocab=2,length=3]",
    "detect_pattern[vocab=3,length=3]",
    "pair_balance[vocab=2,length=3]",
)


@pytest.fixture(scope="module", params=TASKS)
def compiled(request):
    return scramble(load(request.param).compiled, 5)


def everything(compiled):
    program = compiled.program
    return InputSpace(len(program.vocabulary), program.max_length).everything()


def test_without_interchange_variables_are_what_the_interpreter_says(compiled):
    program, tokens = compiled.program, everything(compiled)
    real = compiled.model.codec.is_real(tokens)
    predicted = Predictor(compiled).values(tokens)
    expected = interpret(program, tokens).values
    for place, node in enumerate(program.nodes):
        if node.is_selector:
            continue
        places = np.pad(expected[place], ((0, 0), (1, 0)), constant_values=-1)
        if node.encoding is Encoding.NUMERICAL:
            rows = node.domain.numbers[places][..., None]
        else:
            rows = np.eye(len(node.domain) + 1, len(node.domain))[places]
        np.testing.assert_allclose(
            predicted[node.name][real], rows[real], rtol=0, atol=1e-9, err_msg=node.name
        )


def test_variables_are_what_lies_in_the_residual_stream(compiled):
    """At BOS and at padding too, and with positions permuted."""
    weights, rng = compiled.model.weights, np.random.default_rng(0)
    tokens = everything(compiled)
    rows = np.stack([np.append(0, 1 + rng.permutation(tokens.shape[1] - 1)) for _ in tokens])
    for positions in (None, rows):
        moved = None if positions is None else weights.W_pos[positions]
        done = run(weights, tokens, pos_embed=moved)
        stream = sum(done.contributions)
        predicted = Predictor(compiled).values(tokens, positions)
        for variable in compiled.source_map.variables:
            np.testing.assert_allclose(
                stream @ variable.directions.T,
                predicted[variable.name],
                rtol=0,
                atol=1e-8,
                err_msg=variable.name,
            )


def test_interchanges_give_the_logits_that_the_weights_give(compiled):
    """Not only the same decoded output: the same coefficients, on every wired edge."""
    from glassbench.compiler import interchange

    weights, predictor = compiled.model.weights, Predictor(compiled)
    graph = ComponentGraph.of(weights)
    rng = np.random.default_rng(1)
    base_tokens = everything(compiled)
    source_tokens = base_tokens[rng.permutation(len(base_tokens))]
    base, source = run(weights, base_tokens), run(weights, source_tokens)
    base_values, source_values = predictor.values(base_tokens), predictor.values(source_tokens)
    changed = 0
    for edge in graph.edges:
        carried = compiled.source_map.carried.get(edge.name, ())
        if not carried:
            continue
        writer = graph.writer_index[edge.writer.name]
        delta = source.contributions[writer] - base.contributions[writer]
        measured = interchange(weights, graph, base, edge.reader, delta)
        swap = Interchange(edge.reader.name, carried, source_values)
        np.testing.assert_allclose(
            predictor.output(base_values, swap), measured, rtol=0, atol=1e-7, err_msg=edge.name
        )
        changed += np.abs(measured - base.logits).max() > 0.1
    assert changed >= 3


def test_pairs_hold_bases_sources_and_permutations():
    domain = load("sort[vocab=2,length=3]").domain
    pairs = Pairs.draw(domain, 500, np.random.default_rng(0))
    assert pairs.base.shape == pairs.source.shape == pairs.positions.shape == (500, 4)
    known = set(map(tuple, domain.tokens.tolist()))
    assert set(map(tuple, pairs.base.tolist())) == known
    assert set(map(tuple, pairs.source.tolist())) == known
    np.testing.assert_array_equal(np.sort(pairs.positions, axis=1), np.tile(np.arange(4), (500, 1)))
    assert (pairs.positions[:, 0] == 0).all()
    assert len(set(map(tuple, pairs.positions.tolist()))) == 6
    lengths = [(ids < 2).sum(axis=1) for ids in (pairs.base, pairs.source)]
    assert (lengths[0] != lengths[1]).any()
    assert (lengths[0] == lengths[1]).any()


def test_pairs_are_drawn_evenly_over_lengths_and_outputs():
    task = load("shuffle_dyck1[vocab=3,length=6]")
    drawn = task.domain.draw(2000, np.random.default_rng(0))
    codec = task.compiled.model.codec
    rare = [
        bool(row[0])
        for row in task.compiled.apply(
            [[codec.tokens.values[i] for i in ids if i < 3] for ids in drawn[:, 1:].tolist()]
        )
    ]
    program = task.compiled.program
    (output,) = program.outputs
    found = interpret(program, task.domain.tokens).values[output]
    lengths = (task.domain.tokens < 3).sum(axis=1)
    last = found[np.arange(len(found)), lengths - 1]
    balanced = program.nodes[output].domain.index(True)
    assert (last == balanced).mean() < 0.1
    assert np.mean(rare) > 0.3
    counts = np.bincount((drawn < 3).sum(axis=1), minlength=7)[1:]
    assert counts.min() > 200


def test_large_domains_are_sampled(monkeypatch):
    from glassbench.compiler import compile_program, rasp
    from glassbench.ground_truth import TaskDomain

    compiled = compile_program(rasp.tokens, range(20), 6)
    domain = TaskDomain.of(compiled, seed=1)
    assert not domain.exhaustive
    assert len(domain.tokens) == 20_000
    np.testing.assert_array_equal(domain.tokens, TaskDomain.of(compiled, seed=1).tokens)
    assert (domain.tokens != TaskDomain.of(compiled, seed=2).tokens).any()
    assert TaskDomain.of(compile_program(rasp.tokens, "ab", 3)).exhaustive
