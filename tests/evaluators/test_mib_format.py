"""Circuits of MIB: what is read is what was written, but for the two embeddings."""

import json

import pytest

from glassbench.compiler.component_graph import ComponentGraph
from glassbench.errors import AnswerError
from glassbench.evaluators import AnswerFile, read_mib, score, write_mib
from glassbench.evaluators.mib_format import mib_text
from glassbench.ground_truth import EdgeState, load

TASK = "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled"


@pytest.fixture(scope="module")
def task():
    return load(TASK)


@pytest.fixture(scope="module")
def weights(task):
    return task.compiled.model.weights


@pytest.fixture
def scores(weights):
    """A number for every edge, no two the same in magnitude, every second one negative."""
    names = ComponentGraph.of(weights).edge_names
    return {name: (-1.0) ** i * (i + 1) for i, name in enumerate(names)}


def changed(content, **parts):
    """Return a circuit with parts of it replaced."""
    return json.dumps({**json.loads(content), **parts}).encode()


def test_the_shape_of_a_file(scores, weights):
    found = json.loads(mib_text(scores, weights))
    assert set(found) == {"cfg", "nodes", "edges"}
    assert found["cfg"] == {
        "n_layers": weights.n_layers,
        "n_heads": weights.n_heads,
        "parallel_attn_mlp": False,
        "d_model": weights.d_model,
    }
    heads = weights.n_layers * weights.n_heads
    assert len(found["nodes"]) == 2 + heads + weights.n_layers
    assert found["nodes"]["logits"] == {"in_graph": True}
    assert found["edges"]["input->a0.h0<q>"].keys() == {"score", "in_graph"}


def test_there_is_an_edge_for_each_pair_that_eap_ig_has(scores, weights):
    """Before layer l there are 1 + l (n_heads + 1) writers: those and the input."""
    n_layers, n_heads = weights.n_layers, weights.n_heads
    before = [1 + layer * (n_heads + 1) for layer in range(n_layers)]
    expected = sum(3 * n_heads * n + n + n_heads for n in before) + 1 + n_layers * (n_heads + 1)
    assert len(json.loads(mib_text(scores, weights))["edges"]) == expected


def test_what_is_written_is_read_but_for_the_embeddings(scores, weights):
    again = read_mib(mib_text(scores, weights).encode(), "file", weights)
    assert again.keys() == scores.keys()
    for edge, number in scores.items():
        writer, reader = edge.split("->")
        if writer in ("embed", "pos_embed"):
            both = [scores[f"{name}->{reader}"] for name in ("embed", "pos_embed")]
            number = max(both, key=abs)
        assert again[edge] == number, edge
    assert mib_text(again, weights) == mib_text(scores, weights)


def test_components_that_are_all_zero_are_written_as_zero_and_not_read(scores, weights):
    heads = {f"a{i}.h{j}" for i in range(weights.n_layers) for j in range(weights.n_heads)}
    empty = heads - {writer.name for writer in ComponentGraph.of(weights).writers}
    assert empty, "this model has no empty head"
    found = json.loads(mib_text(scores, weights))
    for edge, told in found["edges"].items():
        if {part.split("<")[0] for part in edge.split("->")} & empty:
            assert told == {"score": 0.0, "in_graph": False}
    for head in empty:
        assert found["nodes"][head] == {"in_graph": False}


def test_an_oracle_in_that_form_earns_what_it_can(task, weights, tmp_path):
    """`input` is both embeddings: where one alone is causal, the other ranks beside it."""
    truth = {edge: float(s is EdgeState.CAUSAL) for edge, s in task.labels.states.items()}
    file = write_mib(truth, weights, tmp_path / "oracle.json")
    result = score(AnswerFile(file), task)
    assert result.wall_seconds is None
    assert result.tool == "oracle"
    metric = result.metrics["edge_average_precision"]
    assert metric.floors.random < metric.value <= metric.ceiling
    merged = read_mib(file.read_bytes(), "file", weights)
    for_the_other = {edge for edge, number in merged.items() if number and not truth[edge]}
    assert all(edge.startswith(("embed", "pos_embed")) for edge in for_the_other)
    assert score(lambda problem: merged, task).metrics["edge_average_precision"].value == (
        metric.value
    )


def test_a_circuit_without_scores_says_which_edges_are_in_it(scores, weights):
    content = mib_text(scores, weights)
    edges = {name: {"in_graph": name == "input->m1"} for name in json.loads(content)["edges"]}
    found = read_mib(changed(content, edges=edges), "file", weights)
    assert {edge for edge, number in found.items() if number} == {"embed->m1", "pos_embed->m1"}


def test_one_empty_head_may_be_added(scores, weights):
    """Some tools fail on models of a single head."""
    content = json.loads(mib_text(scores, weights))
    content["cfg"]["n_heads"] += 1
    extra = f"input->a0.h{weights.n_heads}<q>"
    content["edges"][extra] = {"score": 9.0, "in_graph": True}
    again = read_mib(json.dumps(content).encode(), "file", weights)
    assert again == read_mib(mib_text(scores, weights).encode(), "file", weights)


@pytest.mark.parametrize(
    ("parts", "problem"),
    [
        ({"cfg": {"n_layers": 1, "n_heads": 9}}, "cfg.n_heads: must be "),
        ({"cfg": {"n_layers": 1}}, "cfg.n_heads: Field required"),
        ({"edges": {"m9->logits": {"score": 1.0}}}, "'m9->logits': is no edge of this model"),
        ({"edges": {"input->m0": {}}}, "input->m0: must have a score or in_graph"),
        ({"edges": {"input->m0": {"score": "high"}}}, "edges.input->m0.score: Input should be"),
        ({"edges": {"input->m0": {"score": float("nan")}}}, "NaN is not JSON"),
    ],
)
def test_files_that_are_no_circuit_of_the_model(scores, weights, parts, problem):
    content = changed(mib_text(scores, weights), **parts)
    with pytest.raises(AnswerError) as caught:
        read_mib(content, "file", weights)
    assert problem in str(caught.value)


def test_what_is_no_json_such_as_a_pt_file(weights):
    with pytest.raises(AnswerError, match="must be a circuit of MIB as JSON"):
        read_mib(b"PK\x03\x04", "file", weights)
    with pytest.raises(AnswerError, match="must be a circuit of MIB:\n  - all: Input should be"):
        read_mib(b"[]", "file", weights)


def test_edges_that_are_missing_are_told_by_name(task, scores, weights, tmp_path):
    """MIB counts them as found."""
    content = json.loads(mib_text(scores, weights))
    del content["edges"]["input->m1"]
    file = tmp_path / "part.json"
    file.write_text(json.dumps(content))
    with pytest.raises(AnswerError, match=r"pos_embed->m1: has no score"):
        score(AnswerFile(file), task)


def test_scores_of_other_edges_are_not_written(scores, weights):
    with pytest.raises(AnswerError) as caught:
        mib_text({**scores, "m9->logits": 1.0, "embed->m0": float("inf")}, weights)
    assert "'m9->logits': is no edge of this model" in str(caught.value)
    assert "embed->m0: must have a finite number, got inf" in str(caught.value)


def test_a_file_answers_the_circuit_track_alone(tmp_path):
    (tmp_path / "file.json").write_text("{}")
    with pytest.raises(AnswerError, match="files answer the circuit track alone"):
        score(AnswerFile(tmp_path / "file.json"), "histogram[vocab=2,length=3]", "features")


@pytest.mark.parametrize("name", ["nothing.json", "x" * 5000])
def test_an_answer_that_is_not_there(tmp_path, name):
    with pytest.raises(AnswerError, match=r"must be a folder with answer\.json, .* is not there"):
        score(AnswerFile(tmp_path / name), "histogram[vocab=2,length=3]")
