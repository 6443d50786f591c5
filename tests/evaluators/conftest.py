"""Circuit problems in every regime, and a slow model whose edges have gates."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pytest

from glassbench.compiler import run
from glassbench.compiler.component_graph import ComponentGraph
from glassbench.compiler.model import Codec, Model, Readout
from glassbench.compiler.values import Domain, Encoding
from glassbench.compiler.weights import Weights
from glassbench.evaluators import CircuitProblem
from glassbench.evaluators.gated_model import GatedModel
from glassbench.evaluators.pair_runs import PairRuns
from glassbench.ground_truth import Task, load, make_task

CIRCUIT_TASKS = {
    "categorical": "histogram[vocab=2,length=3]",
    "numerical": "frac_prevs[vocab=2,length=3]",
    "with many heads": "detect_pattern[vocab=3,length=4]",
    "crowded": "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled",
    "superposed": "frac_prevs[vocab=2,length=3]/superposed[d=6]",
    "of two outputs": "n = selector_width(select(tokens, tokens, ==)); [n, n == length];",
    "of numbers and classes": "a = aggregate(select(indices, indices, <=), 1.0 * (tokens == 'a'));"
    "[a, tokens];",
}


def circuit_task_named(name: str) -> Task:
    """Return one of the tasks; the last are programs of one's own, one of them causal."""
    written = CIRCUIT_TASKS[name]
    if ";" not in written:
        return load(written)
    return make_task(written, "ab", 3, causal=name == "of numbers and classes")


@pytest.fixture(scope="session", params=CIRCUIT_TASKS)
def circuit_task(request: pytest.FixtureRequest) -> Task:
    """A task in one of the regimes, with one of the kinds of output."""
    return circuit_task_named(request.param)


RANDOM_KINDS: dict[str, dict[str, Any]] = {
    "of neurons with GELU": {"activation": "gelu"},
    "with LayerNorm": {"layer_norm": True},
    "with GELU and LayerNorm": {"activation": "gelu", "layer_norm": True, "causal": False},
}
"""Models as training gives them, here with random weights."""


@pytest.fixture(scope="session", params=[*CIRCUIT_TASKS, *RANDOM_KINDS])
def circuit_problem(request: pytest.FixtureRequest) -> CircuitProblem:
    """The problem that one of the tasks poses, on few pairs; or one on a random model."""
    if request.param in RANDOM_KINDS:
        return problem_on(random_model_of(**RANDOM_KINDS[request.param]))
    return CircuitProblem.of(circuit_task_named(request.param), n_pairs=16)


@pytest.fixture(scope="module")
def gated(circuit_problem: CircuitProblem) -> GatedModel:
    """The model of the problem, with gates."""
    return GatedModel(circuit_problem.model.weights)


@pytest.fixture(scope="module")
def runs(circuit_problem: CircuitProblem, gated: GatedModel) -> PairRuns:
    """What the gated model does on all pairs of the problem."""
    (runs,) = PairRuns.of(gated, circuit_problem)
    return runs


@pytest.fixture(scope="session")
def gated_logits() -> Callable[..., np.ndarray]:
    """The logits of the whole model, by the executor, with gates on edges one after another."""

    def logits(
        problem: CircuitProblem,
        gates: Mapping[str, float],
        others: Sequence[np.ndarray] | None = None,
    ) -> np.ndarray:
        weights = problem.model.weights
        if others is None:
            others = run(weights, problem.source).contributions
        place = problem.graph.writer_index
        closing: dict[str, list[tuple[int, float]]] = {}
        for edge in problem.graph.edges:
            if gates.get(edge.name, 1.0) != 1.0:
                closed = 1.0 - gates[edge.name]
                closing.setdefault(edge.reader.name, []).append((place[edge.writer.name], closed))

        def read(reader, stream, contributions):
            for writer, closed in closing.get(reader.name, ()):
                stream = stream + closed * (others[writer] - contributions[writer])
            return stream

        return run(weights, problem.base, read=read).logits

    return logits


def random_model_of(**kind: Any) -> Model:
    """Return a model with random weights, in which nearly every edge has an effect."""
    draw = np.random.default_rng(0)
    layers, heads, d_model, d_head, d_mlp, d_vocab, n_ctx, d_out = 2, 2, 8, 4, 6, 5, 5, 3
    sizes = {
        "W_E": (d_vocab, d_model),
        "W_pos": (n_ctx, d_model),
        "W_Q": (layers, heads, d_model, d_head),
        "b_Q": (layers, heads, d_head),
        "W_K": (layers, heads, d_model, d_head),
        "W_V": (layers, heads, d_model, d_head),
        "W_O": (layers, heads, d_head, d_model),
        "W_in": (layers, d_model, d_mlp),
        "b_in": (layers, d_mlp),
        "W_out": (layers, d_mlp, d_model),
        "b_out": (layers, d_model),
        "W_U": (d_model, d_out),
    }
    arrays = {name: draw.normal(size=size) / np.sqrt(d_model) for name, size in sizes.items()}
    readout = Readout(Domain.of(range(d_out)), Encoding.CATEGORICAL)
    codec = Codec(Domain.of("abc"), n_ctx - 1, (readout,))
    return Model(Weights(**arrays, **{"causal": True, **kind}), codec)


def problem_on(model: Model) -> CircuitProblem:
    """Return a problem on such a model, with pairs of every length."""
    codec = model.codec
    base = codec.encode(["abca", "bb", "cab", "a", "ccba", "bac"])
    source = codec.encode(["cb", "abcc", "a", "bcab", "aab", "cccc"])
    return CircuitProblem(model, base, source, ComponentGraph.of(model.weights).edge_names)


@pytest.fixture(scope="session", params=["compiled", *RANDOM_KINDS])
def random_model(request: pytest.FixtureRequest) -> Model:
    """A model with random weights, in which nearly every edge has an effect and a gradient."""
    return random_model_of(**RANDOM_KINDS.get(request.param, {}))


@pytest.fixture(scope="session")
def random_circuit_problem(random_model: Model) -> CircuitProblem:
    """Pairs of every length on that model."""
    return problem_on(random_model)
