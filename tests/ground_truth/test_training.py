"""Training of ordinary transformers: what they are trained on, and how training goes on."""

from dataclasses import dataclass, replace
from itertools import chain, repeat
from types import SimpleNamespace

import numpy as np
import pytest

from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.compiler import Weights
from glassbench.compiler.component_graph import ComponentGraph
from glassbench.compiler.executor import interchange, run
from glassbench.compiler.interchange_training import TrainingRecipe
from glassbench.compiler.least_one import below_one, not_finite
from glassbench.compiler.ordinary_transformer import Architecture
from glassbench.errors import BundleError, TaskError
from glassbench.ground_truth import load, training, training_gate
from glassbench.ground_truth.alignment import Alignment
from glassbench.ground_truth.circuit_labels import EdgeState
from glassbench.ground_truth.counted_interchanges import EdgeCounting
from glassbench.ground_truth.masked_interchanges import interchanged_logits
from glassbench.ground_truth.task_building import original_of
from glassbench.ground_truth.trained import held_out, initial_weights
from glassbench.ground_truth.training import train
from glassbench.ground_truth.training_gate import HeldOut
from glassbench.ground_truth.training_history import TrainingHistory

TASK = TaskId.parse("histogram/trained[d=8,heads=2,seed=1]")
STARTS = (0, 1)
# All that is trained here has one shape, and is compiled once.
SHORT = TrainingRecipe(steps=20, chunk=5, batch=8, warm_up=10)
UNTIMED = {"seconds": 0.0}


@pytest.fixture(scope="module")
def original():
    return original_of(TASK)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"chunk": 30}, "steps: must be a multiple of chunk, 30, got 40000"),
        ({"batch": 0}, "batch: must be at least 1, got 0"),
        ({"rate": -1.0}, "rate: must be above 0, got -1.0"),
        ({"warm_up": 0}, "warm_up: must be at least 1, got 0"),
        ({"strict": 7.0}, "strict: must be from 0 to 1, got 7.0"),
        ({"norm": float("inf")}, "norm: must be a finite number, got inf"),
    ],
)
def test_recipes_that_cannot_be(changed, said, original):
    with pytest.raises(TaskError, match="cannot be trained so") as caught:
        train(TASK, original, recipe=TrainingRecipe(**changed))
    assert said in str(caught.value)


def test_settings_of_another_kind_are_told():
    given = SimpleNamespace(rate="0.01", norm=True, batch=48.5, steps=True, chunk=0)
    assert list(not_finite(given, "rate", "norm")) == [
        "rate: must be a finite number, got '0.01'",
        "norm: must be a finite number, got True",
    ]
    assert list(below_one(given, "batch", "steps", "chunk")) == [
        "batch: must be a whole number, got 48.5",
        "steps: must be a whole number, got True",
        "chunk: must be at least 1, got 0",
    ]


@pytest.mark.parametrize(
    ("regime", "said"),
    [
        ("d=9,heads=2", "d must be a multiple of heads, got 9 and 2"),
        ("layer_norm=2", "layer_norm must be 0 or 1, got 2"),
    ],
)
def test_architectures_that_cannot_be(regime, said, original):
    task = TaskId.parse(f"histogram/trained[{regime}]")
    with pytest.raises(TaskError, match=said):
        initial_weights(task, original.compiled)


def test_a_program_has_room_in_the_heads():
    task = TaskId.parse("majority_token/trained[d=8,heads=1]")
    with pytest.raises(TaskError, match="heads must be at least the 2 that the program has"):
        initial_weights(task, original_of(task).compiled)


def test_too_few_inputs_are_told_of_before_training():
    task = TaskId.parse("histogram[vocab=2,length=3]/trained[d=8,heads=2]")
    with pytest.raises(TaskError, match="of its 14 inputs are held out, too few to tell whether"):
        train(task, original_of(task))


def test_trained_stands_alone():
    with pytest.raises(TaskError, match="trained must stand alone"):
        TaskId.parse("histogram/crowded/trained")


def test_layers_and_heads_are_placed_by_seed():
    found = set()
    for seed in range(8):
        task = TaskId.parse(f"histogram/trained[d=8,heads=4,spare_layers=2,seed={seed}]")
        compiled = original_of(task).compiled
        ordinary = ComponentGraph.of(initial_weights(task, compiled))
        alignment = Alignment.drawn(ComponentGraph.of(compiled.model.weights), ordinary, 4, seed)
        heads = [one.name for one in alignment.compiled.writers if one.head >= 0]
        assert set(alignment.heads) == set(heads)
        assert {alignment.name(one) for one in heads} <= set(ordinary.writer_index)
        found.add(tuple(alignment.heads.items()))
    assert len(found) > 3


def test_inputs_are_split_and_none_is_in_both(original):
    measured_by = held_out(TASK, original)
    train_rows, held_rows = (
        {tuple(row) for row in part.tokens.tolist()}
        for part in (measured_by.train, measured_by.domain)
    )
    assert not train_rows & held_rows
    assert train_rows | held_rows == {tuple(row) for row in original.domain.tokens.tolist()}
    assert 0.2 < len(held_rows) / len(original.domain.tokens) < 0.3
    rows = measured_by.rows
    assert {tuple(row) for row in rows.base.tolist()} <= held_rows
    assert {tuple(row) for row in rows.source.tolist()} <= held_rows
    assert len({int(length) for length in (rows.source < 4).sum(axis=1)}) == 5  # all lengths
    moved = (rows.positions != np.arange(rows.positions.shape[1])).any(axis=1)
    assert 0.1 < moved.mean() < 0.3  # one in four is permuted, some to what they were


@pytest.mark.parametrize("name", ["histogram", "count_before_minus_after", "reverse"])
def test_targets_are_what_the_compiled_model_gives(name):
    """The interpreter with variables overridden, against interchanges on compiled weights."""
    task = TaskId.parse(f"{name}/trained[seed=2]")
    original = original_of(task)
    measured_by = held_out(task, original)
    compiled_sets = measured_by.alignment.sets(original.labels.states)
    rows = measured_by.aligned.draw(measured_by.domain, 24, np.random.default_rng(0))
    weights, codec = original.compiled.model.weights, original.compiled.model.codec
    graph = ComponentGraph.of(weights)
    masks = [graph.edge_mask(edges) for edges in ([], *compiled_sets.values())]
    edges = np.stack(masks)[rows.chosen]
    logits = interchanged_logits(weights, rows.base, rows.source, rows.positions, edges)
    ids = np.stack([one.decode_ids(logits[..., at]) for one, at in codec.logit_slices], axis=-1)
    real = codec.is_real(rows.base)
    assert (ids[real] == rows.answers[real]).all()
    plain = codec.decode_ids(run(weights, rows.base, graph=graph).logits)
    changed = ((ids[..., 0] != plain) & real).any(axis=1)
    assert not changed[rows.chosen == 0].any()
    assert all(changed[rows.chosen == place].any() for place in range(1, len(masks)))


@pytest.mark.parametrize("layer_norm", [False, True])
def test_masked_interchanges_are_those_of_the_executor(layer_norm, original):
    codec = original.compiled.model.codec
    weights = Architecture(8, 2, 2, 4, 16, layer_norm=layer_norm).initial(codec, 0)
    graph, rng = ComponentGraph.of(weights), np.random.default_rng(0)
    base, source = (original.domain.draw(len(graph.edges), rng) for _ in range(2))
    positions = np.tile(np.arange(base.shape[1]), (len(base), 1))
    readers = {reader.name: place for place, reader in enumerate(graph.readers)}
    edges = np.zeros((len(base), len(graph.readers), len(graph.writers)))
    expected = []
    for place, edge in enumerate(graph.edges):
        writer = graph.writer_index[edge.writer.name]
        edges[place, readers[edge.reader.name], writer] = 1
        one, other = (run(weights, tokens[place : place + 1]) for tokens in (base, source))
        delta = other.contributions[writer] - one.contributions[writer]
        expected.append(interchange(weights, graph, one, edge.reader, delta)[0])
    found = interchanged_logits(weights, base, source, positions, edges)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_states_of_edges_that_stand_for_nothing_are_inert(original):
    measured_by = held_out(TASK, original)
    effects = {name for name, state in measured_by.wanted.items() if state.has_effect}
    alignment = measured_by.alignment
    assert effects == {
        alignment.edge(name) for name, state in original.labels.states.items() if state.has_effect
    }
    others = set(measured_by.wanted.values()) - {EdgeState.CAUSAL, EdgeState.POSITIONAL}
    assert others == {EdgeState.INERT}
    assert set(measured_by.wanted) == set(alignment.ordinary.edge_names)


def test_logits_that_stand_for_answers_decode_to_them(original):
    codec = original.compiled.model.codec
    ids = np.array([[[0], [3], [-1]]])
    assert codec.decode_ids(codec.answer_logits(ids)).tolist() == [[0, 3, -1]]


@dataclass(frozen=True)
class Verdict:
    """A gate of which only this is known."""

    passed: bool
    weights: Weights | None = None
    history: TrainingHistory | None = None


def run_from(original, first):
    """Return a training from these weights, and the list of what it will tell."""
    told = []
    tell = lambda _, text: told.append(text)  # noqa: E731
    measured_by = held_out(TASK, original)
    return training._Run(TASK, original, measured_by, first, list(STARTS), SHORT, None, tell), told


def first_weights(original):
    return [initial_weights(TASK, original.compiled, start) for start in STARTS]


@pytest.fixture(scope="module")
def steps_of_all(original):
    """What takes the steps of any of the trainings."""
    run, _ = run_from(original, first_weights(original))
    return run._training


@pytest.fixture
def traced_once(monkeypatch, steps_of_all):
    """Have all trainings take their steps by one function, since they differ in how many."""
    monkeypatch.setattr(training._Run, "_training", steps_of_all)


@pytest.fixture
def judged(monkeypatch, traced_once):
    """Have rehearsals and gates go as they are told to, and as the last one ever after."""

    def set_up(rehearsals, gates):
        rehearsed, passed = (chain(given, repeat(given[-1])) for given in (rehearsals, gates))
        monkeypatch.setattr(training._Run, "_share", lambda *_: 1.0)
        monkeypatch.setattr(HeldOut, "passes_rehearsal", lambda *_: next(rehearsed))
        monkeypatch.setattr(HeldOut, "gate", lambda _, weights, __: Verdict(next(passed), weights))

    return set_up


def test_training_goes_on_where_it_was_stopped(original, judged, tmp_path):
    """Interrupted after any chunk, it comes to the same weights."""
    judged([False], [False])
    whole = train(TASK, original, STARTS, recipe=SHORT)
    assert [one.history.steps for one in whole] == [20, 20]
    assert [one.history.start for one in whole] == [0, 1]
    assert whole[0].gate.weights.W_E.tobytes() != whole[1].gate.weights.W_E.tobytes()
    file = tmp_path / "stand"

    class Stop(Exception):
        pass

    def stop(steps, _text):
        if steps == 10:
            raise Stop

    with pytest.raises(Stop):
        train(TASK, original, STARTS, recipe=SHORT, checkpoint=file, progress=stop)
    told = []
    again = train(
        TASK,
        original,
        STARTS,
        recipe=SHORT,
        checkpoint=file,
        progress=lambda steps, text: told.append((steps, text)),
    )
    assert [steps for steps, _ in told] == [15]
    for one, other in zip(whole, again, strict=True):
        for (name, array), (_, found) in zip(
            one.gate.weights.arrays(), other.gate.weights.arrays(), strict=True
        ):
            np.testing.assert_array_equal(array, found, err_msg=name)
    longer = replace(SHORT, steps=25)
    (more, _) = train(TASK, original, STARTS, recipe=longer, checkpoint=file)
    assert more.history.steps == 25
    with pytest.raises(BundleError, match="must be a checkpoint of this task, recipe and these"):
        train(TASK, original, (0, 2), recipe=SHORT, checkpoint=file)


def test_training_lowers_the_loss(original):
    losses = []
    made, _ = train(
        TASK,
        original,
        STARTS,
        recipe=replace(SHORT, steps=100),
        progress=lambda _steps, text: losses.append(text),
    )
    assert float(losses[0].split()[1].rstrip(",")) > 2 * made.loss
    assert not made.gate.passed
    assert made.gate.shortcomings[0].startswith("answers: at most 2% may be wrong, and")


def test_held_out_inputs_are_asked_when_a_model_would_pass(original, judged):
    judged([False, False, True, False, True, False], [False, True])
    (made,) = train(TASK, original, STARTS, recipe=SHORT)
    assert made.gate.passed
    assert (made.history.steps, made.history.measured) == (15, 2)


def test_a_training_that_passed_is_not_taken_further(original, judged, tmp_path):
    judged([True], [True])
    made, again = (
        train(TASK, original, STARTS, recipe=SHORT, checkpoint=tmp_path / "stand")[0]
        for _ in range(2)
    )
    assert made.gate.passed
    assert (made.history.steps, made.history.measured) == (5, 2)
    assert again.history.model_copy(update=UNTIMED) == made.history.model_copy(update=UNTIMED)
    assert again.gate.weights.W_E.tobytes() == made.gate.weights.W_E.tobytes()


def test_each_model_that_is_measured_counts(original, judged):
    judged([True, True, False, True], [False, False, True])
    (made,) = train(TASK, original, STARTS, recipe=SHORT)
    assert made.gate.passed
    assert (made.history.start, made.history.steps, made.history.measured) == (1, 10, 3)


def test_a_rehearsal_is_on_inputs_of_training(monkeypatch):
    """It is a rough one, and the first thing that is wrong ends it."""
    monkeypatch.setattr(training_gate, "N_INTERCHANGES", 256)
    task = next(task for task in get_suite("trained") if task.name == "length")
    original = original_of(task)
    measured_by = held_out(task, original)
    trained = load(str(task))
    weights, states = trained.compiled.model.weights, trained.labels.states
    counted, real = [], EdgeCounting.counted

    def noted(self, edge):
        """Count one edge in ten; others are in the state that was measured."""
        counted.append((self, edge.name))
        if len(counted) % 10 == 0:
            return real(self, edge)
        return SimpleNamespace(state=states[edge.name])

    monkeypatch.setattr(EdgeCounting, "counted", noted)

    assert measured_by.passes_rehearsal(weights)
    counting, edges = counted[0][0], [name for _, name in counted]
    assert sorted(edges) == sorted(measured_by.wanted)
    assert counting.domain is measured_by.train
    assert counting.compiled.model.weights.W_E.dtype == np.float32

    counted.clear()
    assert not measured_by.passes_rehearsal(initial_weights(task, original.compiled))
    assert not counted  # what it answers is wrong already

    wanted = measured_by.wanted
    wrong = next(place for place, name in enumerate(edges) if not wanted[name].has_effect)
    wanted[edges[wrong]] = EdgeState.CAUSAL
    for asked in (edges[: wrong + 1], [edges[wrong]]):  # the second time what was wrong comes first
        counted.clear()
        assert not measured_by.passes_rehearsal(weights)
        assert [name for _, name in counted] == asked


def lost(weights):
    return weights.with_arrays({"W_E": weights.W_E * np.nan})


def test_a_training_that_diverges_stops(original, traced_once):
    run, told = run_from(original, list(map(lost, first_weights(original))))
    with pytest.raises(TaskError, match="weights must stay finite, and of every start they do not"):
        run.until_good()
    assert not told


def test_a_start_that_diverges_is_left_out(original, judged):
    """Others are trained on, and measured when all steps are taken."""
    judged([False], [False])
    one, other = first_weights(original)
    run, told = run_from(original, [lost(one), other])
    (made,) = run.until_good()
    assert (made.history.start, made.history.starts, made.history.measured) == (1, STARTS, 1)
    assert np.isfinite(made.gate.weights.W_E).all()
    assert len(told) == 3
    assert all(text.endswith(", 1 start lost") for text in told)


def test_fewer_steps_than_were_taken_measure_the_models_as_they_are(original, judged, tmp_path):
    judged([False], [False])

    def stop(steps, _text):
        if steps == 15:
            raise KeyboardInterrupt

    arguments = {"checkpoint": str(tmp_path / "stand")}
    with pytest.raises(KeyboardInterrupt):
        train(TASK, original, STARTS, recipe=SHORT, progress=stop, **arguments)
    for steps, taken, measured in ((10, 15, 2), (10, 15, 2), (20, 20, 4)):
        made, _ = train(TASK, original, STARTS, recipe=replace(SHORT, steps=steps), **arguments)
        assert (made.history.steps, made.history.measured) == (taken, measured)
