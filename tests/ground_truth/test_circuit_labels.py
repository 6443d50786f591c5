"""Labels on disk: written and read back, and refused when malformed."""

import json

import pytest
from pydantic import ValidationError

from glassbench.errors import BundleError
from glassbench.ground_truth import CircuitLabels, EdgeState


@pytest.fixture
def written(task, tmp_path):
    path = tmp_path / "circuit.json"
    path.write_text(task.labels.to_json(), encoding="utf-8")
    return path


def test_labels_are_read_as_they_were_written(task, written):
    read = CircuitLabels.read(written)
    assert read == task.labels
    assert read.to_json() == task.labels.to_json()
    assert read.states == task.labels.states


def test_the_text_is_canonical(task):
    text = task.labels.to_json()
    content = json.loads(text)
    assert text.endswith("}\n")
    assert list(content) == sorted(content)
    assert all(list(edge) == sorted(edge) for edge in content["edges"])
    assert CircuitLabels.model_validate_json(text).to_json() == text
    assert content["format_version"] == "1.0"
    assert [edge["edge"] for edge in content["edges"]] == list(task.graph.edge_names)
    assert {edge["state"] for edge in content["edges"]} <= {
        "causal",
        "positional",
        "inert",
        "unwired",
    }


def test_counts_hold_every_state(task):
    counts = task.labels.counts
    assert list(counts) == [
        EdgeState.CAUSAL,
        EdgeState.POSITIONAL,
        EdgeState.INERT,
        EdgeState.UNWIRED,
    ]
    assert sum(counts.values()) == len(task.labels.edges)


def test_labels_cannot_be_changed(histogram):
    with pytest.raises(ValidationError):
        histogram.labels.task = "other"
    with pytest.raises(ValidationError):
        histogram.labels.edges[0].state = EdgeState.CAUSAL


def spoiled(content, path, value):
    """Set or, where `value` is `...`, delete one entry."""
    *parents, last = path
    for key in parents:
        content = content[key]
    if value is ...:
        del content[last]
    else:
        content[last] = value


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("format_version",), "2.0", "format_version: must be '1.0', got '2.0'"),
        (("task",), ..., "task: Field required"),
        (("weights",), 7, "weights: Input should be a valid string"),
        (("extra",), 1, "extra: Extra inputs are not permitted"),
        (("edges", 0, "state"), "dead", "edges.0.state: Input should be 'causal', 'positional'"),
        (("edges", 0, "edge"), ..., "edges.0.edge: Field required"),
        (("edges", 0, "certificate", "kind"), "belief", "edges.0.certificate: "),
        (("edges", 0, "certificate", "base"), ["x"], "edges.0.certificate.witness.base.0: "),
        (("edges", 0, "certificate", "tried"), ..., "certificate.witness.tried: Field required"),
        (("edges", 0, "certificate", "more"), 1, "certificate.witness.more: Extra inputs"),
        (("edges",), {}, "edges: Input should be a valid"),
        (("sufficiency", "n_changed"), None, "sufficiency.n_changed: "),
        (("exhaustive",), "maybe", "exhaustive: "),
    ],
)
def test_malformed_labels_are_refused_with_the_place(histogram, tmp_path, path, value, message):
    content = json.loads(histogram.labels.to_json())
    spoiled(content, path, value)
    file = tmp_path / "circuit.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(BundleError) as caught:
        CircuitLabels.read(file)
    assert str(caught.value).startswith(f"{file} does not hold circuit labels:")
    assert message in str(caught.value)


def test_all_faults_are_listed(histogram, tmp_path):
    content = json.loads(histogram.labels.to_json())
    spoiled(content, ("task",), ...)
    spoiled(content, ("seed",), "x")
    spoiled(content, ("edges", 1, "state"), "dead")
    file = tmp_path / "circuit.json"
    file.write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(BundleError) as caught:
        CircuitLabels.read(file)
    assert all(f"  - {name}: " in str(caught.value) for name in ("task", "seed", "edges.1.state"))


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b'{"edges": NaN}', b"null"])
def test_files_that_are_no_labels_are_refused(tmp_path, content):
    file = tmp_path / "circuit.json"
    file.write_bytes(content)
    with pytest.raises(BundleError, match="does not hold circuit labels"):
        CircuitLabels.read(file)


def test_numbers_that_json_does_not_know_are_refused(histogram, tmp_path):
    text = histogram.labels.to_json().replace('"bound": 0.0', '"bound": NaN', 1)
    assert "NaN" in text
    file = tmp_path / "circuit.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(BundleError, match="does not hold circuit labels"):
        CircuitLabels.read(file)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BundleError, match=r"none\.json must be a file of circuit labels: No such"):
        CircuitLabels.read(tmp_path / "none.json")
    with pytest.raises(BundleError, match="must be a file of circuit labels"):
        CircuitLabels.read(tmp_path)
