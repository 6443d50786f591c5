"""Normal forms and their matching: what does not matter, what does, and the best of matchings."""

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import f1_score, precision_score, rand_score, recall_score

from glassbench.benchmark_programs import library
from glassbench.compiler import InputSpace, optimise, read_rasp, write_rasp
from glassbench.compiler.effort import Effort
from glassbench.compiler.traced_program import traced_program
from glassbench.compiler.untrace import untrace
from glassbench.errors import EffortError
from glassbench.evaluators.local_function import partition, same_partition
from glassbench.evaluators.program_normal_form import NormalForm
from glassbench.evaluators.program_structure import Matching, Overlap, are_alike

LENGTH = 4


def form(text, vocabulary="abc", length=LENGTH, *, causal=False, effort=None):
    outputs = read_rasp(text).outputs
    traced, checked = traced_program(outputs, vocabulary, length, causal=causal)
    assert not checked.reasons
    inputs = InputSpace(len(vocabulary), length).everything()
    return NormalForm.of(traced.program, inputs, effort)


def shape(found):
    """Return the kinds of units, and who reads whom as what."""
    return [unit.kind for unit in found.units[2:]], sorted(found.edges)


def scores(submitted, true, **options):
    return Matching.of(form(submitted, **options), form(true, **options)).metrics()


def assert_same(submitted, true, **options):
    assert shape(form(submitted, **options)) == shape(form(true, **options))
    assert set(scores(submitted, true, **options).values()) == {1.0}


# -- by hand -------------------------------------------------------------------------


def test_by_hand():
    """The example in docs/program_track.md."""
    histogram, length = "selector_width(select(tokens, tokens, ==));", "length;"
    options = {"vocabulary": "ab", "length": 2}
    assert shape(form(histogram, **options)) == (
        ["selector", "width"],
        [(0, 2, "key"), (0, 2, "query"), (2, 3, "selector"), (3, -1, "output")],
    )
    assert shape(form(length, **options)) == (
        ["selector", "width"],
        [(2, 3, "selector"), (3, -1, "output")],
    )
    assert scores(length, histogram, **options) == pytest.approx(
        {
            "node_f1": 2 * 1 / (2 + 2),
            "node_precision": 1 / 2,
            "node_recall": 1 / 2,
            "edge_f1": 2 * 1 / (2 + 4),
            "edge_precision": 1 / 2,
            "edge_recall": 1 / 4,
        }
    )


FORMS = {
    "tokens;": ([], [(0, -1, "output")]),
    "indices + 1;": ([], [(1, -1, "output")]),
    "full(1);": (["function"], [(2, -1, "output")]),
    "tokens == 'a';": (["function"], [(0, 2, "argument"), (2, -1, "output")]),
    "[indices, tokens];": ([], [(0, -2, "output"), (1, -1, "output")]),
    "aggregate(select(indices, 0, ==), tokens == 'a');": (
        ["selector", "aggregate"],
        [(0, 3, "value"), (1, 2, "key"), (2, 3, "selector"), (3, -1, "output")],
    ),
    "x = length; 2 * x + 1;": (
        ["selector", "width"],
        [(2, 3, "selector"), (3, -1, "output")],
    ),
    "length - indices;": (
        ["selector", "width", "function"],
        [(1, 4, "argument"), (2, 3, "selector"), (3, 4, "argument"), (4, -1, "output")],
    ),
}


@pytest.mark.parametrize("text", FORMS)
def test_small_forms(text):
    assert shape(form(text)) == FORMS[text]


# -- what does not matter ------------------------------------------------------------


@pytest.mark.parametrize("key", ["indices * 0", "0 * indices + 0"])
def test_a_key_that_does_not_matter_takes_no_query_with_it(key):
    """Where attention looks back, a key that is held late would come after most queries."""
    assert_same(
        f"selector_width(select({key}, indices, <));",
        "selector_width(select(0, indices, <));",
        causal=True,
    )


FRACTION = """
is_a = tokens == "a";
before = select(indices, indices, <=);
out = aggregate(before, is_a);
"""
SAME = {
    "names": "p = tokens == 'a'; q = select(indices, indices, <=); r = aggregate(q, p);",
    "order": "q = select(indices, indices, <=); p = tokens == 'a'; r = aggregate(q, p);",
    "one statement": "aggregate(select(indices, indices, <=), tokens == 'a');",
    "sides turned": "aggregate(select(indices, indices, <=), 'a' == tokens);",
    "steps": "b = tokens in ['b', 'c']; aggregate(select(indices, indices, <=), not b);",
    "numbers for booleans": (
        "n = 1 if tokens == 'a' else 0; aggregate(select(indices, indices, <=), n);"
    ),
    "shifted": "aggregate(select(indices + 3, indices + 3, <=), tokens == 'a');",
    "other relation": "aggregate(not select(indices, indices, >), tokens == 'a');",
    "and what is always so": (
        "s = select(indices, indices, <=) and select(tokens, tokens, True);"
        "aggregate(s, tokens == 'a');"
    ),
    "dead code": f"x = selector_width(select(tokens, tokens, <)); {FRACTION}",
    "times zero": f"x = selector_width(select(tokens, tokens, <)); {FRACTION} out + 0 * x;",
    "written twice": (
        "x = aggregate(select(indices, indices, <=), tokens == 'a');"
        "y = aggregate(select(indices, indices, <=), tokens == 'a'); (x + y) / 2;"
    ),
    "a default that is not needed": "aggregate(select(indices, indices, <=), tokens == 'a', 7);",
    "encodings": (
        "n = numerical(indicator(tokens == 'a'));"
        "numerical(aggregate(select(indices, indices, <=), n, 0));"
    ),
    "a function": (
        "def f(s, x) { y = x == 'a'; return aggregate(s, y); }"
        "f(select(indices, indices, <=), tokens);"
    ),
}


@pytest.mark.parametrize("name", SAME)
def test_what_does_not_matter(name):
    assert_same(SAME[name], FRACTION)


def test_a_mask_makes_a_relation_needless():
    count = "selector_width(select(tokens, tokens, ==));"
    masked = "selector_width(select(tokens, tokens, ==) and select(indices, indices, <=));"
    assert_same(masked, count, causal=True)
    assert shape(form(masked)) != shape(form(count))


def test_a_choice_is_one_function_however_it_is_written():
    one = "n = length; x = n if tokens == 'a' else (indices if tokens == 'b' else 7);"
    other = (
        "a = tokens == 'a'; b = tokens == 'b'; neither = not (a or b);"
        "x = indicator(a) * length + indicator(b) * indices + 7 * indicator(neither);"
    )
    assert_same(one, other)


def test_what_is_copied_keeps_its_name():
    previous = "p = aggregate(select(indices, indices - 1, ==), tokens{}); "
    coded = "p = aggregate(select(indices, indices - 1, ==), 1 + 2 * (tokens == 'b')); "
    assert_same(
        previous.format(" == 'b'") + "selector_width(select(p, p, ==));",
        coded + "selector_width(select(p, p, ==));",
    )


def of_library(spec):
    """Return a traced program of the library in its smallest size, and all of its inputs."""
    vocab, length = spec.sizes.tiny
    vocabulary, expression = spec.vocabulary(vocab), spec.expression(vocab, length)
    program = traced_program([expression], vocabulary, length, causal=spec.causal)[0].program
    return program, InputSpace(vocab, length).everything()


@pytest.mark.parametrize("spec", library(), ids=lambda spec: spec.name)
def test_texts_of_tables_and_folded_programs_have_the_form_of_the_program(spec):
    program, inputs = of_library(spec)
    true = NormalForm.of(program, inputs)
    source = read_rasp(write_rasp(*untrace(program)))
    vocabulary = program.vocabulary.values
    written, _ = traced_program(
        source.outputs, vocabulary, program.max_length, causal=program.causal
    )
    for other in (written.program, optimise(program, 1), program):
        found = NormalForm.of(other, inputs)
        assert shape(found) == shape(true)
        assert set(Matching.of(found, true).metrics().values()) == {1.0}


# -- what does -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "nodes", "edges"),
    [
        (FRACTION.replace("<=", "<"), 1 / 2, 2 / 5),
        (FRACTION.replace('"a"', '"b"'), 1 / 2, 2 / 5),
        (FRACTION.replace("is_a)", "tokens == 'a', 0.3)"), 1, 1),
        ("aggregate(select(tokens, tokens, <=), tokens == 'a');", 1 / 2, 2 / 5),
        ("tokens;", 0, 0),
        ("indices;", 0, 0),
    ],
)
def test_what_differs_is_lost_and_no_more(text, nodes, edges):
    found = Matching.of(form(text), form(FRACTION))
    assert (found.nodes.true, found.edges.true) == (2, 5)
    assert found.nodes.matched / 2 == nodes
    assert found.edges.matched / 5 == pytest.approx(edges)


def test_units_that_differ_are_not_alike():
    texts = (
        "selector_width(select(tokens, tokens, ==));",
        "selector_width(select(tokens, tokens, <=));",
        "selector_width(select(indices, indices, ==));",
        "aggregate(select(tokens, tokens, ==), tokens == 'a');",
        "aggregate(select(tokens, tokens, ==), tokens == 'b');",
        "aggregate(select(indices, indices - 1, ==), tokens == 'a');",
        "(length == 2) and (tokens == 'a');",
        "(length == 3) and (tokens == 'a');",
    )
    units = [unit for text in texts for unit in form(text).units[2:]]
    alike = np.array([[are_alike(a, b) for b in units] for a in units])
    assert np.array_equal(alike, alike.T)
    kinds = [unit.kind for unit in units]
    assert all(kinds[a] == kinds[b] for a, b in np.argwhere(alike))
    selectors = [place for place, kind in enumerate(kinds) if kind == "selector"]
    # The three of the first expressions differ; the one of tokens that are equal comes thrice.
    assert alike[np.ix_(selectors, selectors)].sum(axis=0).tolist() == [3, 1, 1, 3, 3, 1, 2, 2]
    functions = [place for place, kind in enumerate(kinds) if kind == "function"]
    assert (alike[np.ix_(functions, functions)] == np.eye(len(functions), dtype=bool)).all()


# -- the best matching ---------------------------------------------------------------


def slow_best(submitted, true):
    """Return the most units and edges that any matching has, all of them tried."""
    most = -1
    rows, columns = list(submitted.inner), list(true.inner)
    alike = {(a, b) for a in rows for b in columns if are_alike(submitted.units[a], true.units[b])}
    for chosen in {*permutations([*columns, *[None] * len(rows)], len(rows))}:
        pairs = [(a, b) for a, b in zip(rows, chosen, strict=True) if b is not None]
        if not set(pairs) <= alike:
            continue
        units = {0: 0, 1: 1, **dict(pairs)}
        edges = {(units.get(a), b if b < 0 else units.get(b), r) for a, b, r in submitted.edges}
        most = max(most, len(pairs) + len(edges & true.edges))
    return most


TWINS = (
    "x = selector_width(select(tokens, 'a', ==)); y = selector_width(select(tokens, 'b', ==));"
    "x - y;",
    "x = selector_width(select(tokens, 'b', ==)); y = selector_width(select(tokens, 'a', ==));"
    "x - y;",
    "x = length; y = selector_width(select(tokens, 'a', ==)); z = x - y; x if z == 0 else y;",
    "x = selector_width(select(tokens, tokens, ==)); selector_width(select(x, x, ==));",
)


@pytest.mark.parametrize("fst", TWINS)
@pytest.mark.parametrize("snd", TWINS)
def test_no_matching_is_better(fst, snd):
    submitted, true = form(fst, "ab", 3), form(snd, "ab", 3)
    found = Matching.of(submitted, true)
    assert found.nodes.matched + found.edges.matched == slow_best(submitted, true)
    turned = Matching.of(true, submitted)
    assert turned.edges.matched + turned.nodes.matched == slow_best(submitted, true)


def test_laws_of_the_metrics():
    """Of any two programs: from 0 to 1, and who is compared with whom turns precision round."""
    forms = [NormalForm.of(*of_library(spec)) for spec in library()[::11]]
    for fst in forms:
        for snd in forms:
            there, back = Matching.of(fst, snd).metrics(), Matching.of(snd, fst).metrics()
            for kind in ("node", "edge"):
                assert 0 <= there[f"{kind}_f1"] <= 1
                assert there[f"{kind}_precision"] == back[f"{kind}_recall"]
            nodes = Matching.of(fst, snd).nodes
            assert nodes.matched <= min(nodes.submitted, nodes.true)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1))
def test_what_two_sets_have_in_common_is_that_of_scikit_learn(members):
    given, true = np.array(members).T
    common = Overlap(int((given & true).sum()), int(given.sum()), int(true.sum()))
    found = common.metrics("x")
    peers = {"x_f1": f1_score, "x_precision": precision_score, "x_recall": recall_score}
    for name, peer in peers.items():
        # Of nothing beside nothing we say 1; of no answers beside some, and the reverse, 0.
        expected = peer(true, given, zero_division=float(not (given | true).any()))
        assert found[name] == pytest.approx(expected), name


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=2))
def test_results_are_the_same_up_to_names_where_the_rand_index_is_one(results):
    fst, snd = np.array(results, float).T
    assert same_partition(fst, snd) == (rand_score(fst, snd) == 1)
    assert (partition(fst) == partition(snd)) == same_partition(fst, snd)


def test_nothing_beside_nothing():
    assert Overlap(0, 0, 0).metrics("x") == {"x_f1": 1.0, "x_precision": 1.0, "x_recall": 1.0}
    assert Overlap(0, 0, 3).metrics("x") == {"x_f1": 0.0, "x_precision": 0.0, "x_recall": 0.0}
    assert scores("tokens;", "tokens;")["node_f1"] == 1.0


def test_looking_at_functions_takes_bounded_work():
    text = "x = length; y = selector_width(select(tokens, tokens, ==)); (x + y) * (x - y);"
    assert form(text, effort=Effort(10_000))
    with pytest.raises(EffortError):
        form(text, effort=Effort(100))
