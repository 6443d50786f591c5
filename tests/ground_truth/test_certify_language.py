"""Certification of the whole language: program and weights agree on every edge."""

import pytest

from glassbench.compiler import compile_program, rasp, scramble
from glassbench.compiler import program as ir
from glassbench.ground_truth import EdgeState, certify, verify

TOKENS, INDICES = rasp.tokens, rasp.indices
EQ, LEQ, NEQ = rasp.Comparison.EQ, rasp.Comparison.LEQ, rasp.Comparison.NEQ
SAME = rasp.Select(TOKENS, TOKENS, EQ)
SO_FAR = rasp.Select(INDICES, INDICES, LEQ)
PREVIOUS = rasp.Select(INDICES, INDICES, lambda key, query: key == query - 1)
THREES = rasp.Select(TOKENS, INDICES, lambda key, _: key == 3)
AT_ONE = rasp.Select(TOKENS, INDICES, lambda _, query: query == 1)
BEFORE = rasp.Aggregate(PREVIOUS, TOKENS)
WIDTH = rasp.SelectorWidth(SAME)


def share_of(token):
    is_token = rasp.numerical(rasp.Map(lambda x: x == token, TOKENS))
    return rasp.numerical(rasp.Aggregate(SO_FAR, is_token, default=0))


def total(fst, snd, fst_factor, snd_factor):
    return rasp.numerical(rasp.LinearSequenceMap(fst, snd, fst_factor, snd_factor))


SHARE, OTHER = share_of(3), share_of(5)

PROGRAMS = {
    "and": rasp.SelectorWidth(rasp.selector_and(SAME, SO_FAR)),
    "or": rasp.Aggregate(rasp.selector_or(SAME, PREVIOUS), INDICES, "none"),
    "not, of keys that may be None": rasp.SelectorWidth(
        rasp.selector_not(rasp.selector_and(rasp.Select(BEFORE, TOKENS, EQ), SO_FAR))
    ),
    "keys alone": rasp.Aggregate(THREES, rasp.Map(lambda x: -x, TOKENS), "none"),
    "queries alone": rasp.Aggregate(rasp.selector_and(AT_ONE, SAME), TOKENS, "none"),
    "queries alone and keys alone": rasp.SelectorWidth(rasp.selector_and(AT_ONE, THREES)),
    "everything": rasp.length,
    "a number and a value": rasp.SequenceMap(lambda x, t: (x > 0.5, t), SHARE, TOKENS),
    "a number and a value that may be None": rasp.SequenceMap(lambda n, t: n * t, WIDTH, BEFORE),
    "a number from a number and a value": rasp.numerical(
        rasp.SequenceMap(lambda x, i: x * i, SHARE, INDICES)
    ),
    "two numbers": rasp.SequenceMap(lambda x, y: x == y, SHARE, OTHER),
    "two widths": rasp.SequenceMap(lambda x, y: (x, y), WIDTH, rasp.SelectorWidth(SO_FAR)),
    "a function of a sum": rasp.Map(lambda x: x > 0, total(SHARE, WIDTH, 2, -1)),
    "a sum of sums": total(total(SHARE, OTHER, 1, -1), total(TOKENS, INDICES, 1, 2), 3, 1),
    "numerical tokens": rasp.SequenceMap(
        lambda x, y: x - y,
        rasp.numerical(TOKENS),
        rasp.numerical(rasp.Aggregate(PREVIOUS, rasp.numerical(TOKENS), default=7)),
    ),
    "numerical indices": total(rasp.numerical(INDICES), TOKENS, 2, -1),
    "a mean that is not annotated": rasp.Aggregate(SO_FAR, INDICES, "none"),
    "a mean whose default is no number": rasp.Aggregate(
        rasp.selector_and(SO_FAR, rasp.Select(TOKENS, TOKENS, NEQ)), INDICES
    ),
    "a mean selected by means": rasp.numerical(
        rasp.Aggregate(rasp.Select(SHARE, SHARE, rasp.Comparison.LT), INDICES, default=-1)
    ),
    "a constant": rasp.SequenceMap(lambda x, t: (x, t), rasp.Full(1), TOKENS),
    "several outputs": [WIDTH, BEFORE, SHARE, TOKENS],
    "an output twice": [BEFORE, WIDTH, BEFORE],
}


def compiled(name, **options):
    return compile_program(PROGRAMS[name], (3, 5), 3, **options)


@pytest.mark.parametrize("causal", [False, True], ids=["bidirectional", "causal"])
@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", PROGRAMS)
def test_prediction_and_measurement_agree(name, level, causal):
    made = compiled(name, level=level, causal=causal, placement_seed=0)
    made = scramble(made, 1) if causal else made
    labels = certify(made, name)
    assert labels.exhaustive
    assert labels.sufficiency.n_changed == 0
    assert labels.counts[EdgeState.CAUSAL] + labels.counts[EdgeState.POSITIONAL] > 0
    wired = {label.edge for label in labels.edges if label.state is not EdgeState.UNWIRED}
    assert wired == set(made.source_map.carried)
    assert not verify(made, labels)


def test_every_operation_is_certified():
    """So is every kind of read: numbers that values open, conditions on one side or none."""
    programs = [compiled(name, level=level).program for name in PROGRAMS for level in (0, 1)]
    operations = [(made, node.operation) for made in programs for node in made.nodes]
    assert {type(operation) for _, operation in operations} == set(ir.Operation.__args__)
    opened = [
        operation
        for made, operation in operations
        if isinstance(operation, ir.SequenceMap) and made.nodes[operation.fst].is_numerical
    ]
    assert opened
    sides = {
        (one.queries is None, one.keys is None)
        for _, operation in operations
        if isinstance(operation, ir.Select)
        for one in operation.conditions
    }
    assert sides == {(False, False), (False, True), (True, False), (True, True)}


def test_folding_makes_fewer_edges_and_loses_none_that_matters():
    for name in ("two numbers", "a number and a value", "a function of a sum"):
        kept, folded = (certify(compiled(name, level=level)) for level in (0, 1))
        assert len(folded.edges) < len(kept.edges)
        assert folded.counts[EdgeState.CAUSAL] <= kept.counts[EdgeState.CAUSAL]
        assert 0 < folded.counts[EdgeState.POSITIONAL] <= kept.counts[EdgeState.POSITIONAL]


def test_several_outputs_are_read_through_one_set_of_logits():
    """An edge to the logits is causal where any output changes."""
    labels = certify(compiled("several outputs"))
    to_logits = {label.edge: label for label in labels.edges if label.edge.endswith("->logits")}
    carried = {name for label in to_logits.values() for name in label.variables}
    assert carried == set(compiled("several outputs").source_map.outputs)
    assert to_logits["embed->logits"].state is EdgeState.CAUSAL
    assert to_logits["embed->logits"].variables == ("tokens",)
