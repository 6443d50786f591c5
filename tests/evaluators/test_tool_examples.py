"""The tools of the examples, each in its language, give what they say."""

import shutil
import sys
from pathlib import Path

import numpy as np
import pytest

from glassbench.evaluators import CommandTool, scored
from glassbench.ground_truth import load

TOOLS = Path(__file__).parents[2] / "examples" / "tools"
TASK = "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled"


def answer(words, track="circuit"):
    """Return what a tool of the examples answers, and what it earns."""
    if shutil.which(words.split()[0]) is None:
        pytest.skip(f"{words.split()[0]} is not installed here")
    tool = CommandTool(f"{words} {{problem}} {{answer}}", place=TOOLS)
    found = scored(tool, TASK, track)
    return found.answer.content, found.result


def matrices(edge):
    """Return the matrices by which the writer of an edge writes, and its reader reads."""
    weights = load(TASK).compiled.model.weights
    graph = load(TASK).graph
    found = next(one for one in graph.edges if one.name == edge)
    writer, reader = found.writer, found.reader
    writes = {
        "embed": lambda: weights.W_E,
        "pos_embed": lambda: weights.W_pos,
        "a": lambda: weights.W_O[writer.layer, writer.head],
        "m": lambda: weights.W_out[writer.layer],
    }[writer.name if writer.layer < 0 else writer.name[0]]()
    reads = {
        "q": lambda: weights.W_Q[reader.layer, reader.head],
        "k": lambda: weights.W_K[reader.layer, reader.head],
        "v": lambda: weights.W_V[reader.layer, reader.head],
        "mlp": lambda: weights.W_in[reader.layer],
        "logits": lambda: weights.W_U,
    }[reader.role]()
    return writes, reads


def test_plain_python_interchanges_edges():
    content, result = answer(f"{sys.executable} interchange.py")
    metric = result.metrics["edge_average_precision"]
    assert metric.value == pytest.approx(1)
    changed = {edge for edge, score in content.scores.items() if score > 1e-12}
    states = load(TASK).labels.states
    assert {edge for edge, state in states.items() if state == "causal"} <= changed
    unwired = {edge for edge, state in states.items() if state == "unwired"}
    assert unwired and not unwired & changed


def test_javascript_multiplies_matrices():
    content, _ = answer("node weight_norm.mjs")
    for edge, score in content.scores.items():
        writes, reads = matrices(edge)
        assert score == pytest.approx(np.linalg.norm(writes @ reads), abs=1e-9), edge


def test_shell_and_awk_take_norms():
    content, _ = answer("sh norms.sh")
    for edge, score in content.scores.items():
        expected = np.prod([np.linalg.norm(matrix) for matrix in matrices(edge)])
        assert score == pytest.approx(expected, rel=1e-6), edge


def test_plain_python_gives_principal_components():
    content, result = answer(f"{sys.executable} pca.py", "features")
    (directions,) = (a for name, a in content.arrays.items() if name.endswith("/directions"))
    assert np.allclose(directions @ directions.T, np.eye(len(directions)))
    assert result.status == "ok"


def test_plain_python_probes_variables():
    content, result = answer(f"{sys.executable} probe.py", "variables")
    names = {path.partition("/")[0] for path in content.arrays}
    assert names == {"v0", "v1", "v2"}
    assert all(content.arrays[f"{name}/hook"].shape == (1,) for name in names)
    metric = result.metrics["interchange_accuracy"]
    assert metric.value > metric.floor
    assert max(result.reported[f"{name}_accuracy"] for name in names) == 1
