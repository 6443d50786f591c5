"""Variables: where they live, and that the weights do there what the program does."""

import json
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pytest
from pydantic import ValidationError

from glassbench.compiler import (
    CompiledModel,
    ComponentGraph,
    compile_program,
    rasp,
    run,
    scramble,
)
from glassbench.errors import CertificationError
from glassbench.ground_truth import TaskDomain, build_model
from glassbench.ground_truth.digest import weights_digest
from glassbench.ground_truth.domain_runs import DomainRuns
from glassbench.ground_truth.high_level_model import HighLevelModel
from glassbench.ground_truth.subspace_patch import SubspacePatch, patched_logits
from glassbench.ground_truth.variable_window import basis, hook_name, window
from glassbench.ground_truth.variables import VariableLabel, variables

CROWDED = "histogram/crowded[distractors=2]/scrambled"
TASKS = (
    "histogram[vocab=2,length=3]",
    "sort[vocab=2,length=3]",
    "frac_prevs[vocab=2,length=3]",
    CROWDED,
)


@dataclass(frozen=True, eq=False)
class Model:
    """A model and its inputs; its circuit need not be certified here."""

    id: str
    compiled: CompiledModel
    domain: TaskDomain


@cache
def load(name):
    compiled = build_model(name)
    return Model(name, compiled, TaskDomain.of(compiled))


@pytest.fixture(scope="module", params=TASKS)
def labelled(request):
    task = load(request.param)
    return task, variables(task.compiled, task.domain, 0, task=task.id)


def test_every_variable_of_the_program_has_a_label(labelled):
    task, labels = labelled
    placed = [v for v in task.compiled.source_map.variables if v.node >= 0]
    assert [label.name for label in labels.variables] == [v.name for v in placed]
    assert labels.task == task.id
    assert labels.weights == weights_digest(task.compiled.model.weights)
    for label, variable in zip(labels.variables, placed, strict=True):
        assert label.writer == variable.writer
        assert label.neurons == variable.neurons
        assert len(label.values) == len(variable.values)
        assert label.encoding == variable.encoding.value
        assert labels.by_name[label.name] is label


def test_a_window_runs_from_the_writer_to_the_last_reader(labelled):
    task, labels = labelled
    source_map = task.compiled.source_map
    graph = ComponentGraph.of(task.compiled.model.weights)
    depths = {reader.name: reader.depth for reader in graph.readers}
    n_layers = task.compiled.model.weights.n_layers
    for label in labels.variables:
        writer = graph.writers[graph.writer_index[label.writer]]
        assert label.first == writer.depth + 1
        reads = [depths[reader] for reader, name in source_map.reads if name == label.name]
        assert label.last == max(reads, default=label.first)
        assert min(reads, default=label.first) >= label.first
        assert label.first_hook == hook_name(label.first, n_layers)
        assert label.last_hook == hook_name(label.last, n_layers)


def test_hooks_known_by_hand():
    labels = load("frac_prevs[vocab=2,length=3]")
    found = variables(labels.compiled, labels.domain).by_name
    assert {name: (v.first_hook, v.last_hook) for name, v in found.items()} == {
        "tokens": ("blocks.0.hook_resid_pre", "blocks.0.hook_resid_mid"),
        "is_a": ("blocks.1.hook_resid_pre", "blocks.1.hook_resid_pre"),
        "indices": ("blocks.0.hook_resid_pre", "blocks.1.hook_resid_pre"),
        "frac_prevs": ("blocks.1.hook_resid_mid", "blocks.1.hook_resid_post"),
    }


def test_variables_of_the_target_change_outputs_and_no_others_do(labelled):
    task, labels = labelled
    for label in labels.variables:
        counts = (label.whole, label.partial)
        assert all(0 <= one.changed <= one.tried and one.defined <= one.tried for one in counts)
        if not label.relevant:
            assert not any(one.changed for one in counts)
            assert all(one.defined == one.tried > 0 for one in counts)
        elif label.name == "indices":  # the same in every source
            assert label.whole.changed == 0
        else:
            assert label.whole.changed and label.partial.changed
    outputs = task.compiled.source_map.outputs
    assert all(labels.by_name[name].whole.defined == 128 for name in outputs)
    crowded = any(not label.relevant for label in labels.variables)
    assert crowded == ("crowded" in task.id)


def test_sets_of_variables_are_interchanged_at_once(labelled):
    _, labels = labelled
    assert len(labels.joint) == 8
    for one in labels.joint:
        assert 2 <= len(set(one.variables)) == len(one.variables) <= 4
        assert set(one.variables) <= set(labels.by_name)
        assert one.partial.tried == 48
    assert sum(one.partial.changed for one in labels.joint) > 8


def test_labels_follow_their_seed():
    task = load("sort[vocab=2,length=3]")
    first, other = (variables(task.compiled, task.domain, seed) for seed in (3, 4))
    assert first.variables != other.variables
    assert [label.relevant for label in first.variables] == [
        label.relevant for label in other.variables
    ]
    runs = DomainRuns(task.compiled.model.weights, task.domain.tokens)
    again = variables(task.compiled, task.domain, 3, runs=runs)
    assert again.to_json() == first.to_json()


def test_json_holds_the_labels_and_nothing_unknown(labelled):
    _, labels = labelled
    text = labels.to_json()
    assert type(labels).model_validate_json(text) == labels
    content = json.loads(text)
    assert content["format_version"] == "1.0"
    assert set(content["variables"][0]) == set(VariableLabel.model_fields)
    with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
        type(labels).model_validate({**content, "colour": 1})


PREVIOUS = rasp.Select(rasp.indices, rasp.indices, lambda key, query: key == query - 1)
PROGRAMS = {
    "numbers": rasp.numerical(
        rasp.LinearSequenceMap(
            rasp.numerical(rasp.Map(lambda x: 1 if x == "a" else -2, rasp.tokens)),
            rasp.numerical(rasp.Aggregate(PREVIOUS, rasp.indices, default=0)),
            2,
            -1,
        )
    ),
    "None": rasp.Aggregate(PREVIOUS, rasp.Aggregate(PREVIOUS, rasp.tokens)),
    "several": (rasp.Aggregate(PREVIOUS, rasp.tokens), rasp.SelectorWidth(PREVIOUS)),
    "a constant": rasp.numerical(rasp.Map(lambda _: 0, rasp.tokens)),
}


@pytest.mark.parametrize(("causal", "level"), [(False, 0), (True, 0), (True, 1)])
@pytest.mark.parametrize("name", PROGRAMS)
def test_delicate_programs_can_be_certified(name, causal, level):
    compiled = scramble(
        compile_program(PROGRAMS[name], "ab", 3, causal=causal, level=level, placement_seed=1), 2
    )
    labels = variables(compiled, TaskDomain.of(compiled))
    assert any(label.whole.changed for label in labels.variables) == (name != "a constant")


# -- subspaces -----------------------------------------------------------------------


def test_a_basis_is_orthonormal_and_spans_the_directions(labelled):
    task, _ = labelled
    for variable in task.compiled.source_map.variables:
        rows = basis(variable)
        np.testing.assert_allclose(rows @ rows.T, np.eye(len(rows)), rtol=0, atol=1e-9)
        mixing = np.random.default_rng(0).normal(size=(len(rows), len(rows)))
        mixed = replace(variable, directions=mixing @ variable.directions)
        other = basis(mixed)
        assert other.shape == rows.shape
        np.testing.assert_allclose(other @ other.T, np.eye(len(rows)), rtol=0, atol=1e-9)
        np.testing.assert_allclose(other.T @ other, rows.T @ rows, rtol=0, atol=1e-9)


def patched(task, name, depth, mixing=None):
    """Return the answers when a variable is interchanged at a depth, all inputs backwards."""
    weights, codec = task.compiled.model.weights, task.compiled.model.codec
    tokens = task.domain.tokens
    base, source = run(weights, tokens), run(weights, tokens[::-1])
    directions = task.compiled.source_map.by_name[name].directions
    directions = directions if mixing is None else mixing @ directions
    where = codec.is_real(tokens) & codec.is_real(tokens[::-1])
    patch = SubspacePatch(depth, directions, source.streams[depth], where)
    logits = patched_logits(weights, ComponentGraph.of(weights), base, [patch])
    return np.where(codec.is_real(tokens), codec.decode_ids(logits), -1)


def test_directions_need_not_be_orthonormal():
    task = load("sort[vocab=2,length=3]/scrambled")
    width = len(task.compiled.source_map.by_name["place"].directions)
    mixing = np.random.default_rng(0).normal(size=(width, width))
    np.testing.assert_array_equal(patched(task, "place", 4, mixing), patched(task, "place", 4))


def test_at_a_later_hook_only_later_readers_are_reached():
    """Where tokens belong is computed before; which are put there is read after."""
    task = load("sort[vocab=2,length=3]")
    codec, tokens = task.compiled.model.codec, task.domain.tokens
    assert window(task.compiled.source_map, "tokens", 3) == (0, 4)
    whole = HighLevelModel(task.compiled).interchange(tokens, {"tokens": tokens[::-1]}).answers
    np.testing.assert_array_equal(patched(task, "tokens", 0), whole)
    np.testing.assert_array_equal(patched(task, "tokens", 1), whole)
    late, real = np.full(tokens.shape, -1), codec.is_real(tokens)
    mixed = np.where(real & real[::-1], tokens[::-1], tokens)
    for row, length in enumerate(real.sum(axis=1).tolist()):
        order = np.argsort(tokens[row, 1 : length + 1], kind="stable")
        late[row, 1 : length + 1] = mixed[row, 1:][order]
    for depth in (2, 3, 4):
        np.testing.assert_array_equal(patched(task, "tokens", depth), late)
    assert (late != whole).any()
    before = HighLevelModel(task.compiled).output(tokens)
    np.testing.assert_array_equal(patched(task, "tokens", 5), before)
    assert (late != before).any()


# -- what is wrong is found ------------------------------------------------------------


def complaint(compiled, domain):
    with pytest.raises(CertificationError) as caught:
        variables(compiled, domain, task="this-task")
    message = str(caught.value)
    assert message.startswith("The variables of this-task cannot be certified: program and")
    return message


def with_directions(compiled, name, directions):
    source_map = compiled.source_map
    changed = tuple(
        replace(one, directions=directions) if one.name == name else one
        for one in source_map.variables
    )
    return replace(compiled, source_map=replace(source_map, variables=changed))


@pytest.mark.parametrize("name", ["tokens", "histogram.reciprocal", "histogram"])
def test_a_wrong_subspace_is_found_and_named(name):
    task = load(CROWDED)
    right = task.compiled.source_map.by_name[name].directions
    drawn = np.random.default_rng(0).normal(size=right.shape)
    lines = complaint(with_directions(task.compiled, name, drawn), task.domain).splitlines()
    assert any(line.startswith(f"  - {name}: on base [") for line in lines)
    single = [line for line in lines[1:] if "," not in line.split(":")[0]]
    assert [line.split(":")[0] for line in single] == [f"  - {name}"]


def test_a_direction_that_is_missing_is_found():
    task = load(CROWDED)
    right = task.compiled.source_map.by_name["histogram"].directions
    message = complaint(with_directions(task.compiled, "histogram", right[1:]), task.domain)
    assert "  - histogram: on base [" in message
    assert " and source [" in message
    assert " the program gives " in message
    assert " and the weights give " in message


def test_a_variable_that_stands_for_another_is_found():
    """A distractor's subspace, named as the target's: the output does not follow it."""
    task = load(CROWDED)
    model = HighLevelModel(task.compiled)
    other = next(
        variable
        for variable in task.compiled.source_map.variables
        if variable.node >= 0 and not model.is_relevant(variable.name)
    )
    swapped = with_directions(task.compiled, "histogram", other.directions)
    assert "  - histogram: on base [" in complaint(swapped, task.domain)


def test_a_weight_that_lets_a_distractor_through_is_found():
    task = load(CROWDED)
    compiled, model = task.compiled, HighLevelModel(task.compiled)
    labels = variables(compiled, task.domain)
    varied = model.values(task.domain.tokens)
    beside = next(
        label.name
        for label in labels.variables
        if not label.relevant and len(np.unique(varied[label.name])) > 2
    )
    weights = compiled.model.weights
    leak = weights.W_U.copy()
    leak[:, 0] += 5 * compiled.source_map.by_name[beside].directions[0]
    broken = replace(weights, W_U=leak)
    message = complaint(
        replace(compiled, model=replace(compiled.model, weights=broken)), task.domain
    )
    assert f"  - {beside}: on base [" in message


def test_a_wrong_table_is_found():
    task = load("sort[vocab=2,length=3]")
    compiled = task.compiled
    places = list(compiled.source_map.by_name["place"].neurons)
    writes = compiled.model.weights.W_out.copy()
    writes[1, places] = np.roll(writes[1, places], 1, axis=0)
    model = replace(compiled.model, weights=replace(compiled.model.weights, W_out=writes))
    message = complaint(replace(compiled, model=model), task.domain)
    assert "  - place.reciprocal: on base [" in message
