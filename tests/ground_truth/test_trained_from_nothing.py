"""From a program of one's own to a trained task: trained, measured, scored, written, verified."""

from dataclasses import asdict, replace

import jax
import numpy as np
import pytest

import glassbench as gb
from glassbench.benchmark_programs import TaskId
from glassbench.compiler.interchange_training import InterchangeTraining
from glassbench.errors import CertificationError, TaskError
from glassbench.ground_truth import load, read_bundle, verify_bundle, write_bundle
from glassbench.ground_truth.circuit_labels import EdgeState
from glassbench.ground_truth.counted_interchanges import Count
from glassbench.ground_truth.label_rules import training_problems
from glassbench.ground_truth.training_gate import MOST_WRONG, MOST_WRONG_OF_A_SET
from glassbench.ground_truth.training_record import TrainingRecord, UnmatchedEdge

BEFORE = "before = select(indices, indices - 1, ==); out = aggregate(before, tokens);"
RECIPE = gb.TrainingRecipe(steps=4_000, chunk=500)
OTHER = "must be the regime `trained` of the program that it is trained from"
REGIME = "trained[d=16,heads=1]"


@pytest.fixture(scope="module")
def own():
    return gb.make_task(BEFORE, "abcd", 5)


@pytest.fixture(scope="module")
def made(own):
    (found,) = gb.train(REGIME, own, starts=(3,), recipe=RECIPE)
    return found


def test_a_program_of_ones_own_becomes_a_trained_task(made, own, tmp_path):
    assert made.passed
    assert made.task.id.regimes[-1][0] == "trained"
    assert (made.history.start, made.history.starts) == (3, (3,))
    assert made.history.recipe == asdict(RECIPE)
    assert made.history.versions["jax"] == jax.__version__
    states = made.task.labels.states
    effects = {name for name, state in own.labels.states.items() if state.has_effect}
    assert {name for name, state in states.items() if state.has_effect} == {
        made.gate.alignment.edge(name) for name in effects
    }
    result = gb.score("interchange", made.task)
    assert result.metrics[result.primary].normalised > 0.3
    write_bundle(made.task, tmp_path / "bundle")
    there = gb.load_bundle(tmp_path / "bundle")
    assert (there.id, there.labels) == (made.id, made.task.labels)
    assert there.training.history == made.history
    assert not verify_bundle(read_bundle(tmp_path / "bundle"))


def spoilt(gate, **changed):
    return replace(gate, **changed).shortcomings


def test_each_shortcoming_is_told(made):
    gate = made.gate
    few, enough = Count(0, 100), Count(0, 1_000)
    assert few.bounds[1] > MOST_WRONG > enough.bounds[1]
    assert spoilt(gate, answers=enough, strict=enough) == ()
    assert "held-out inputs" in spoilt(gate, answers=few)[0]
    assert spoilt(gate, strict=few)[0].startswith("strictness: at most 2% may be wrong")
    name, one = next(iter(gate.interchanges.items()))
    for wrong, tried, is_told in ((0, 50, True), (0, 200, False), (30, 512, True)):
        changed = {**gate.interchanges, name: replace(one, wrong=Count(wrong, tried))}
        told = [
            text for text in spoilt(gate, interchanges=changed) if f"interchange of {name}" in text
        ]
        assert bool(told) == is_told == (Count(wrong, tried).bounds[1] > MOST_WRONG_OF_A_SET)
    edge, state = next(iter(gate.labels.states.items()))
    (told,) = spoilt(gate, moved=((edge, state, None),))
    assert told.startswith(f"{edge}: must be {state} as in the program, and as measured can be")
    bad = replace(made, gate=replace(gate, answers=few))
    assert not bad.passed
    with pytest.raises(CertificationError, match="answers: at most 2% may be wrong"):
        _ = bad.task
    assert bad.as_measured.labels == made.task.labels


def test_rows_of_a_batch_have_their_own_edges(made):
    """Aligned edges are those of the set of a row; quiet ones are in some of the rows."""
    from glassbench.ground_truth.trained import held_out
    from glassbench.ground_truth.training import _Run

    measured_by = held_out(made.id, made.original)
    recipe = replace(RECIPE, batch=4_000, strict=0.25)
    run = _Run(made.id, made.original, measured_by, [made.weights], [0], recipe, None, print)
    training: InterchangeTraining = run._training
    batch, edges = training._drawn(training.rows, jax.random.PRNGKey(0))
    edges, aligned = np.asarray(edges), np.asarray(training.sets)[np.asarray(batch.aligned)]
    quiet = edges - aligned
    assert set(np.unique(edges)) == {0.0, 1.0}
    assert (quiet >= 0).all()
    assert (quiet <= np.asarray(training.quiet)).all()
    assert not (aligned * training.quiet).any()
    moved = quiet.any(axis=(1, 2)).mean()
    assert 0.15 < moved <= 0.26
    counts = np.bincount(np.asarray(batch.aligned), minlength=len(training.sets))
    assert (counts > 0.7 * len(edges) / len(training.sets)).all()


def test_what_cannot_be_trained_is_told(own, made):
    scrambled = load("histogram/scrambled")
    for task, original, said in (
        ("scrambled", own, "The regime must be trained"),
        ("trained", scrambled, "compiled without regimes"),
        ("histogram", None, "is not trained; name the regime, as in histogram/trained"),
        (made.id, None, "give `original`"),
        (TaskId.parse("sort/trained"), load("histogram"), OTHER),
        (made.id, load("histogram"), OTHER),
        (str(TaskId.parse("sort/trained")), load("histogram"), OTHER),
    ):
        with pytest.raises(TaskError, match=said):
            gb.train(task, original)


@pytest.mark.parametrize("starts", [5, (), (0, 0), (-1,), (0.5,), None])
def test_starts_are_different_seeds(own, starts):
    with pytest.raises(TaskError, match="one or more different seeds from 0 up, got"):
        gb.train(REGIME, own, starts=starts)


def test_a_bundle_does_not_hide_what_moved(made, tmp_path):
    """An edge that has an effect and stands for none is named, or the bundle is refused."""
    edges = [one.edge for one in made.task.labels.edges if one.state is EdgeState.CAUSAL]
    record = TrainingRecord.of(made.task)
    kept = tuple(one for one in record.sets if edges[0] not in one.edges)
    spoilt = record.model_copy(update={"sets": kept})
    told = list(training_problems(made.task.compiled, made.task.labels, spoilt))
    assert [one.partition(":")[0] for one in told] == [edges[0]]
    moved = UnmatchedEdge(edge=edges[0], wanted=EdgeState.INERT, found=EdgeState.CAUSAL)
    spoilt = spoilt.model_copy(update={"moved": (moved,)})
    assert not list(training_problems(made.task.compiled, made.task.labels, spoilt))
    assert not list(training_problems(made.task.compiled, made.task.labels, record))
