"""Explanations: true to the program, the weights and the source map, and no wider than a page."""

from collections import Counter
from fractions import Fraction

import numpy as np
import pytest

from glassbench.benchmark_programs import programs
from glassbench.compiler import ComponentGraph, Explanation, compile_program, rasp, scramble
from glassbench.compiler.explain import values_text
from glassbench.compiler.explanation import table_of
from glassbench.compiler.lower import lower
from glassbench.compiler.placed_blocks import placed_blocks
from glassbench.compiler.text_table import text_table

HISTOGRAM = """\
Input
-----
What              Value
vocabulary        3 tokens: 'a', 'b', 'c'
longest sequence  4
attention         bidirectional
level             0: every expression is a variable
outputs           histogram

Program
-------
Name                  Computes                             Encoding     Values  Which
tokens                rasp.tokens                          categorical       3  'a', 'b', 'c'
same_token            Select(tokens, tokens, ==)           selector
histogram.reciprocal  1 / (1 + SelectorWidth(same_token))  numerical         4  1/5, 1/4, 1/3, 1/2
histogram             Map(histogram.reciprocal)            categorical       4  1, 2, 3, 4

Check
-----
No aggregate can select different values, so that no run was needed.

Heads
-----
Head   Writes                Query   Key            Value  d_qk  d_v
a0.h0  histogram.reciprocal  tokens  tokens, <bos>  <bos>     4    1

Neurons
-------
MLP  Writes     Reads                 Neurons
m0   histogram  histogram.reciprocal        6

Layers
------
Layer  Heads write           MLP writes
    0  histogram.reciprocal  histogram

Residual stream
---------------
Directions  Variable              Encoding     Values              Written by  Read by
0           <bos>                 categorical  True                embed       a0.h0<k>, a0.h0<v>
1-3         tokens                categorical  'a', 'b', 'c'       embed       a0.h0<q>, a0.h0<k>
4           histogram.reciprocal  numerical    1/5, 1/4, 1/3, 1/2  a0.h0       m0
5-8         histogram             categorical  1, 2, 3, 4          m0          logits

Sizes
-----
What              Number  Of which
layers                 1
heads in a layer       1  1 of 1 used
d_model                9
d_head                 4
d_mlp                  6  6 of 6 neurons used
positions              5  BOS included
token ids              5  BOS and padding included
logits                 4
"""


def build(name, level=0, **options):
    spec = programs()[name]
    vocabulary = spec.vocabulary(spec.vocab)
    program = spec.build(vocabulary, spec.length)
    options |= {"causal": spec.causal, "level": level}
    return compile_program(program, vocabulary, spec.length, **options)


def test_a_small_program_in_full():
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ).named("same_token")
    compiled = compile_program(rasp.SelectorWidth(same).named("histogram"), "abc", 4)
    text = str(compiled.explain())
    assert text.startswith(HISTOGRAM)
    margins = compiled.explain()["Margins"]
    assert text.endswith(str(margins))
    assert margins.rows[0] == ("float64", f"{compiled.margins.float64:.3g}", "exact")
    assert margins.note == (
        f"The weakest decision: {compiled.margins.weakest}. The bounds hold in the basis in which "
        "the model was compiled."
    )


@pytest.mark.parametrize("level", [0, 1])
@pytest.mark.parametrize("name", tuple(programs())[::7])
def test_every_program_of_the_library_fits_the_page(name, level):
    explanation = build(name, level).explain()
    assert isinstance(explanation, Explanation)
    assert tuple(explanation) == explanation.tables
    assert "Sizes" in explanation
    assert "sizes" not in explanation
    assert max(map(len, str(explanation).splitlines())) <= 100
    assert ("Level 1" in [table.title for table in explanation.tables]) is (level == 1)
    for table in explanation.tables:
        assert {len(row) for row in table.rows} <= {len(table.heading)}


@pytest.mark.parametrize("level", [0, 1])
def test_tables_are_what_the_model_is(level):
    compiled = build("shuffle_dyck2", level)
    explanation, weights = compiled.explain(), compiled.model.weights
    components = {writer.name for writer in ComponentGraph.of(weights).writers}
    heads = explanation["Heads"].rows
    assert {row[0] for row in heads} == {name for name in components if name.startswith("a")}
    assert max(int(row[5]) for row in heads) <= weights.d_head
    written = [name for row in heads for name in row[1].split(", ")]
    written += [row[1] for row in explanation["Neurons"].rows]
    assert sorted(written) == sorted(
        variable.name
        for variable in compiled.source_map.variables
        if "embed" not in variable.writer
    )
    neurons = Counter()
    for row in explanation["Neurons"].rows:
        neurons[row[0]] += int(row[3])
    assert max(neurons.values()) == weights.d_mlp
    layout = explanation["Residual stream"].rows
    ends = [tuple(map(int, row[0].split("-"))) for row in layout]
    assert [place for end in ends for place in range(end[0], end[-1] + 1)] == list(
        range(weights.d_model)
    )
    sizes = {row[0]: row[1] for row in explanation["Sizes"].rows}
    assert sizes["parameters"] == f"{weights.n_parameters:,}"
    used = {row[0]: row[2] for row in explanation["Sizes"].rows}
    assert used["heads in a layer"].startswith(f"{len(heads)} of ")


def test_level_1_says_what_became_of_every_expression():
    compiled = build("shuffle_dyck2", 1)
    table = compiled.explain()["Level 1"]
    gone = {node.name for node in compiled.source.nodes} - {n.name for n in compiled.program.nodes}
    assert {row[0] for row in table.rows if row[2] == "removed"} == gone
    assert table.note.startswith(
        f"{len(compiled.source.nodes)} nodes -> {len(compiled.program.nodes)}: "
    )
    before, after = (
        "Aggregate(so_far_2, is_open, default=0)",
        "Aggregate(so_far, tokens, default=0)",
    )
    assert ("opened", before, after) in table.rows


def test_slack_is_where_a_block_could_be_as_well():
    """Moving a block within its slack, and no further, keeps all reads after their writes."""
    compiled = build("shuffle_dyck2", 0)
    blocks, n_layers = lower(compiled.program), compiled.model.weights.n_layers
    placed = placed_blocks(blocks, compiled.source_map, n_layers)
    depths = {name: one.depth for one in placed for name in one.outputs}
    for one in placed:
        before = [depths[n] for names in one.reads.values() for n in names if n in depths]
        after = [
            other.depth
            for other in placed
            if any(set(one.outputs) & set(names) for names in other.reads.values())
        ]
        kind = [d for d in range(2 * n_layers) if d % 2 == one.depth % 2]
        legal = [d for d in kind if max(before, default=-1) < d < min(after, default=99)]
        assert legal == [d for d in kind if one.earliest <= d <= one.latest]
    note = "In brackets: the layers it could be in as well, all others staying where they are."
    assert compiled.explain()["Layers"].note == note
    assert "length.reciprocal [0-1]" in str(build("shuffle_dyck2", 1).explain()["Layers"])


def test_a_scrambled_model_is_explained_by_its_own_source_map():
    compiled = scramble(build("shuffle_dyck2"), 3)
    explanation = compiled.explain()
    layout = explanation["Residual stream"]
    assert layout.note == "The residual stream is rotated: directions are given by their number."
    assert sum(int(row[0]) for row in layout.rows) == compiled.model.weights.d_model
    writers = {variable.name: variable.writer for variable in compiled.source_map.variables}
    for row in explanation["Heads"].rows:
        assert writers[row[1]] == row[0]


def test_the_check_says_on_what_it_ran():
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    token = rasp.Aggregate(same, rasp.tokens)
    note = compile_program(token, "ab", 3).explain()["Check"].note
    assert note.endswith("so that no run was needed.")
    first = rasp.categorical(rasp.Aggregate(same, rasp.SelectorWidth(same)))
    note = compile_program(first, "ab", 3).explain()["Check"].note
    assert note.endswith("was checked on all possible inputs: 14.")
    note = compile_program(first, "abcd", 9).explain()["Check"].note
    assert note.endswith("was checked on a sample of the possible inputs: 4,096.")


def test_what_stands_beside_is_told():
    compiled = compile_program(rasp.tokens, "ab", 3, beside=[rasp.indices], causal=True)
    rows = dict(compiled.explain()["Input"].rows)
    assert (rows["beside them"], rows["attention"]) == ("indices", "causal")
    assert compiled.explain()["Heads"].note == "There are none."


def test_compile_program_writes_the_explanation(capsys):
    compiled = compile_program(rasp.indices, "ab", 3, explain=True)
    assert capsys.readouterr().out == f"{compiled.explain()}\n"


@pytest.mark.parametrize(
    ("values", "text"),
    [
        ([], ""),
        (range(6), "0, 1, 2, 3, 4, 5"),
        (range(7), "0, 1, 2, 3, ... 6"),
        ([Fraction(-1, 2), "1/2"], "-1/2, '1/2'"),
    ],
)
def test_values_are_shortened(values, text):
    assert values_text(values) == text


def test_wide_cells_are_folded_and_words_are_kept():
    words = " ".join(["word"] * 40)
    lines = text_table(["Name", "Text"], [["x" * 30, words], ["y", "1"]], width=50).splitlines()
    assert max(map(len, lines)) <= 50
    assert " ".join(lines).split().count("word") == 40
    assert "".join(lines).count("x") == 30 + 1  # and that in the heading


def test_numbers_stand_to_the_right():
    lines = text_table(["N", "Text"], [["1,000", "a"], ["7", "b"], ["", "c"]]).splitlines()
    assert lines == ["    N  Text", "1,000  a", "    7  b", "       c"]


def test_long_notes_are_folded():
    lines = str(table_of("Title", [], [], "word " * 50)).splitlines()
    assert max(map(len, lines)) <= 100
    assert len(lines) == 5


def test_a_table_without_rows_is_its_note():
    assert str(table_of("Title", [], [], "Nothing.")) == "Title\n-----\nNothing."
    with pytest.raises(KeyError, match="no table 'Depth'; there are: Title"):
        Explanation((table_of("Title", [], []),))["Depth"]


def test_explaining_changes_nothing():
    compiled = build("sort")
    before = [array.copy() for _, array in compiled.model.weights.arrays()]
    assert str(compiled.explain()) == str(compiled.explain())
    for array, (_, after) in zip(before, compiled.model.weights.arrays(), strict=True):
        np.testing.assert_array_equal(array, after)
