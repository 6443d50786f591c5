"""Layers: as few as the data flow allows, and none that breaks it."""

import numpy as np
import pytest

from glassbench.benchmark_programs import get_program, programs
from glassbench.compiler import lower, rasp, schedule, trace
from glassbench.compiler.blocks import HeadBlock, MlpBlock

TOKENS = rasp.tokens


def blocks_of(expression, vocabulary="ab", max_length=3, beside=()):
    return lower(trace([expression], vocabulary, max_length, beside=beside).program)


def mapped(sop, times):
    for _ in range(times):
        sop = rasp.Map(lambda x: x, sop, simplify=False)
    return sop


def moved(sop):
    previous = rasp.Select(rasp.indices, rasp.indices, lambda key, query: key == query - 1)
    return rasp.Aggregate(previous, sop, "a")


def sequenced(blocks, placed):
    """Return each block with the time at which it writes: heads before the MLP of a layer."""
    times = {}
    for block, layer in zip(blocks.blocks, placed.layers, strict=True):
        times[block.output] = 2 * layer + isinstance(block, MlpBlock)
    return times


@pytest.mark.parametrize("seed", [None, 0, 1, 2, 3])
@pytest.mark.parametrize("name", tuple(programs())[::7])
def test_everything_is_written_before_it_is_read(name, seed):
    spec = get_program(name)
    vocabulary = spec.vocabulary(spec.vocab)
    blocks = blocks_of(spec.build(vocabulary, 4), vocabulary, 4)
    placed = schedule(blocks, seed=seed)
    times = sequenced(blocks, placed)
    for block in blocks.blocks:
        for read in block.reads() & times.keys():
            assert times[read] < times[block.output]
    assert placed.n_layers == schedule(blocks).n_layers == max(placed.layers) + 1
    slots = [
        (layer, head)
        for block, layer, head in zip(blocks.blocks, placed.layers, placed.heads, strict=True)
        if isinstance(block, HeadBlock)
    ]
    assert len(set(slots)) == len(slots)
    for layer, head in slots:
        assert 0 <= head < sum(other == layer for other, _ in slots)
    mlps = [h for b, h in zip(blocks.blocks, placed.heads, strict=True) if isinstance(b, MlpBlock)]
    assert set(mlps) <= {-1}


@pytest.mark.parametrize(
    ("expression", "layers"),
    [
        (TOKENS, 1),
        (mapped(TOKENS, 1), 1),
        (mapped(TOKENS, 5), 5),
        (moved(TOKENS), 1),
        (mapped(moved(TOKENS), 1), 1),
        (moved(mapped(TOKENS, 1)), 2),
        (moved(moved(moved(TOKENS))), 3),
        (moved(mapped(moved(mapped(TOKENS, 1)), 1)), 3),
        (rasp.SelectorWidth(rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ)), 1),
    ],
)
def test_the_number_of_layers_is_that_of_the_longest_path(expression, layers):
    assert schedule(blocks_of(expression)).n_layers == layers
    beside = [mapped(TOKENS, 1), moved(TOKENS)]
    assert schedule(blocks_of(expression, beside=beside)).n_layers == layers


@pytest.mark.parametrize(
    ("name", "layers"),
    [
        ("histogram", 1),
        ("frac_prevs", 2),
        ("sort_unique", 2),
        ("sort", 3),
        ("sort_by_frequency", 5),
        ("reverse", 4),
        ("shuffle_dyck2", 8),
    ],
)
def test_no_program_is_deeper_than_is_known_to_be_possible(name, layers):
    spec = get_program(name)
    vocabulary = spec.vocabulary(spec.vocab)
    assert schedule(blocks_of(spec.build(vocabulary, 5), vocabulary, 5)).n_layers <= layers


def test_slack_is_used_to_keep_layers_narrow():
    chain = moved(moved(moved(TOKENS)))
    beside = [rasp.Aggregate(rasp.Select(TOKENS, TOKENS, rasp.Comparison.EQ), TOKENS)] * 1
    beside += [moved(TOKENS).copy() for _ in range(2)]
    placed = schedule(blocks_of(chain, beside=beside))
    assert np.bincount(placed.layers).tolist() == [2, 2, 2]


def test_a_seed_draws_the_layers_and_the_order_of_heads():
    chain = moved(moved(moved(TOKENS)))
    blocks = blocks_of(chain, beside=[moved(TOKENS).copy() for _ in range(4)])
    drawn = [schedule(blocks, seed=seed) for seed in range(20)]
    assert schedule(blocks, seed=7) == drawn[7]
    assert len({placed.layers for placed in drawn}) > 5
    assert len({placed.heads for placed in drawn}) > 5
    # Blocks beside the chain may go anywhere.
    assert {layer for placed in drawn for layer in placed.layers[3:]} == {0, 1, 2}
