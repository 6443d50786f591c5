"""Tables of a task: every node, every edge, every certificate has its row."""

from glassbench.compiler import compile_program, rasp
from glassbench.ground_truth import EdgeState, load
from glassbench.ground_truth.circuit_labels import (
    Constant,
    Exhausted,
    Searched,
    Structural,
    Unreachable,
    Witness,
)
from glassbench.ground_truth.task_tables import (
    certificate_counts,
    certificate_text,
    circuit_table,
    operation_text,
    program_table,
    suite_table,
)

CROWDED = "sort[vocab=2,length=3]/crowded[distractors=3,seed=1]"


def test_program_table():
    heading, rows = program_table(load("histogram[vocab=2,length=3]"))
    assert heading == ["Name", "Operation", "Encoding", "Values", "Held by", "Part"]
    assert rows == [
        ["tokens", "rasp.tokens", "categorical", "2", "embed", "circuit"],
        ["same_token", "Select(tokens, tokens, ==)", "selector", "", "a0.h0", "circuit"],
        [
            "histogram.reciprocal",
            "1 / (1 + SelectorWidth(same_token))",
            "numerical",
            "3",
            "a0.h0",
            "circuit",
        ],
        [
            "histogram",
            "Map(histogram.reciprocal)",
            "categorical",
            "3",
            "m0 neurons 0-3",
            "output",
        ],
    ]


def test_other_programs_of_a_crowded_model_are_told_apart():
    _, rows = program_table(load(CROWDED))
    parts = {row[0]: row[-1] for row in rows}
    assert parts["sort"] == "output"
    assert parts["place"] == "circuit"
    assert parts["distractor_0"] == "beside"


def test_operations_read_like_rasp():
    earlier = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LEQ).named("earlier")
    share = rasp.numerical(
        rasp.Aggregate(earlier, rasp.numerical(rasp.tokens == "a"), default=0)
    ).named("share")
    twice = rasp.numerical(rasp.LinearSequenceMap(share, share, 1, 2)).named("twice")
    program = compile_program(twice, "ab", 3).program
    texts = {node.name: operation_text(program, node) for node in program.nodes}
    assert texts["share"] == "Aggregate(earlier, map, default=0)"
    assert texts["twice"] == "share + 2 * share"


def test_circuit_table_has_every_wired_edge_strongest_first():
    task = load(CROWDED)
    _, rows = circuit_table(task)
    states = [row[1] for row in rows]
    assert states == sorted(states, key=list(EdgeState).index)
    counts = task.labels.counts
    assert len(rows) == sum(counts.values()) - counts[EdgeState.UNWIRED]
    _, fewer = circuit_table(task, inert=False)
    assert len(rows) - len(fewer) == counts[EdgeState.INERT] > 0


def test_certificate_counts_cover_every_edge():
    labels = load(CROWDED).labels
    _, rows = certificate_counts(labels)
    assert sum(int(row[-1]) for row in rows) == len(labels.edges)
    assert rows[0][:2] == ["causal", "witness"]


def test_certificates_in_words():
    witness = Witness(base=(2, 0), source=(2, 1), position=1, before=0, after=1, changed=3, tried=8)
    constant = Constant(n_sources=1200, bound=0.0, exhaustive=False)
    for certificate, text in [
        (witness, "witness: 3 of 8 pairs change"),
        (Structural(bound=0.0), "structural: product zero"),
        (Unreachable(bound=1e-9), "unreachable: at the logits at most 1e-09"),
        (constant, "constant: on a sample of 1,200 inputs"),
        (Exhausted(n_bases=84, n_contributions=3), "exhausted: 84 bases, 3 contributions"),
        (Searched(n_pairs=4096), "searched: 4,096 pairs"),
    ]:
        assert certificate_text(certificate) == text


def test_suite_table():
    heading, rows = suite_table((load("histogram[vocab=2,length=3]"),))
    assert heading[-4:] == ["Causal", "Positional", "Inert", "Unwired"]
    assert rows[0][0] == "histogram-v1[vocab=2,length=3]"
    assert rows[0][-4:] == ["4", "0", "1", "8"]
