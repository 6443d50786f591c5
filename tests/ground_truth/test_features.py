"""Features: the stream is their sum, equal ones are found, and the statistics are NumPy's."""

from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import NamedTuple

import numpy as np
import pytest
from pydantic import ValidationError

from glassbench.compiler import CompiledModel, ComponentGraph, compile_program, rasp, run
from glassbench.errors import BundleError, CertificationError
from glassbench.ground_truth import TaskDomain, build_model
from glassbench.ground_truth.array_file import load_arrays, save_arrays
from glassbench.ground_truth.digest import weights_digest
from glassbench.ground_truth.feature_statistics import FeatureSums
from glassbench.ground_truth.features import (
    CHECKED,
    FeatureLabels,
    FeaturesRecord,
    activations,
    features,
    independent_rows,
)
from glassbench.ground_truth.record import read_record

EXACT, CROWDED = "histogram/crowded[distractors=2]", "histogram/crowded[distractors=2]/scrambled"
TASKS = (
    "histogram[vocab=2,length=3]",
    "sort[vocab=2,length=3]",
    "frac_prevs[vocab=2,length=3]",
    CROWDED,
)


class Labelled(NamedTuple):
    """A model, its inputs and its features."""

    compiled: CompiledModel
    domain: TaskDomain
    labels: FeatureLabels

    @classmethod
    def of(cls, compiled):
        domain = TaskDomain.of(compiled)
        return cls(compiled, domain, features(compiled, domain))

    @property
    def rows(self):
        """The activations at BOS and at all tokens of the domain, `[rows, k]`."""
        tokens = self.domain.tokens
        kept = tokens <= len(self.compiled.program.vocabulary)
        return activations(self.compiled, tokens)[kept]


@cache
def load(name):
    return Labelled.of(build_model(name))


@cache
def numbers():
    """Two equal variables, two that are multiples of a third, and one that is always zero."""
    code = {"a": 1, "b": 2, "c": 4}
    outputs = (
        rasp.Map(lambda x: x == "a", rasp.tokens),
        rasp.Map(lambda x: x in ("a",), rasp.tokens),
        rasp.numerical(rasp.Map(lambda x: code[x], rasp.tokens)),
        rasp.numerical(rasp.Map(lambda x: 2 * code[x], rasp.tokens)),
        rasp.numerical(rasp.Map(lambda x: -code[x] / 3, rasp.tokens)),
        rasp.numerical(rasp.Map(lambda x: code[x] + 1, rasp.tokens)),
        rasp.numerical(rasp.Map(lambda x: 0, rasp.tokens)),
    )
    names = ("is_a", "is_a_too", "code", "double", "third", "more", "zero")
    named = [output.named(name) for output, name in zip(outputs, names, strict=True)]
    return Labelled.of(compile_program(named, "abc", 3))


@pytest.fixture(scope="module", params=TASKS)
def labelled(request):
    return load(request.param)


def place_of(labels, variable, value=None):
    return labels.names.index((variable, value))


# -- what a feature is ---------------------------------------------------------------


def test_every_direction_of_the_source_map_is_a_feature(labelled):
    compiled, domain, labels = labelled
    variables = compiled.source_map.variables
    graph = ComponentGraph.of(compiled.model.weights)
    written = {writer.name: writer.depth for writer in graph.writers}
    read = {reader.name: reader.depth for reader in graph.readers}
    assert len(labels.names) == len(set(labels.names)) == sum(len(v.directions) for v in variables)
    for feature in labels.features:
        variable = compiled.source_map.by_name[feature.variable]
        depths = [read[r] for r, name in compiled.source_map.reads if name == variable.name]
        assert feature.first == written[variable.writer] + 1
        assert feature.last == max(depths, default=feature.first)
        assert feature.flag == (feature.variable in ("<bos>", "<pad>"))
        assert feature.first_hook == labels.hooks[feature.first].hook
        assert feature.last_hook == labels.hooks[feature.last].hook
    np.testing.assert_allclose(np.linalg.norm(labels.directions, axis=1), 1, atol=1e-12)
    scaled = labels.directions * labels.scale[:, None]
    np.testing.assert_allclose(
        scaled, np.concatenate([v.directions for v in variables]), atol=1e-12
    )
    assert labels.record.weights == weights_digest(compiled.model.weights)
    assert labels.record.n_inputs == len(domain.tokens)


def test_hooks_have_the_names_of_transformer_lens():
    *inner, last = [hook.hook for hook in load(TASKS[1]).labels.hooks]
    assert inner[:3] == [
        "blocks.0.hook_resid_pre",
        "blocks.0.hook_resid_mid",
        "blocks.1.hook_resid_pre",
    ]
    assert last == f"blocks.{len(inner) // 2 - 1}.hook_resid_post"


def test_the_stream_is_the_sum_of_its_features(labelled):
    """At every hook, at padding too, whatever else the model computes beside."""
    compiled, domain, labels = labelled
    tokens = domain.tokens[:: max(1, len(domain.tokens) // 300)]
    given = activations(compiled, tokens)
    assert given.shape == (*tokens.shape, len(labels.names))
    for depth, stream in enumerate(run(compiled.model.weights, tokens).streams):
        np.testing.assert_allclose(labels.stream(given, depth), stream, rtol=0, atol=1e-9)
    np.testing.assert_array_equal(labels.stream(given), labels.stream(given, depth))


def test_activations_are_the_values_of_the_program():
    compiled, _, labels = load(TASKS[2])
    (found,) = activations(compiled, compiled.model.codec.encode(["ab"]))
    assert found[:, place_of(labels, "<bos>", True)].tolist() == [1, 0, 0, 0]
    assert found[:, place_of(labels, "<pad>", True)].tolist() == [0, 0, 0, 1]
    assert found[:, place_of(labels, "tokens", "a")].tolist() == [0, 1, 0, 0]
    assert found[:3, place_of(labels, "frac_prevs")].tolist() == [0, 1, 1 / 2]


# -- the check on the weights ----------------------------------------------------------


def tampered(compiled, **arrays):
    weights = compiled.model.weights.with_arrays(arrays)
    return replace(compiled, model=replace(compiled.model, weights=weights))


def test_a_tampered_weight_is_caught():
    compiled, domain, _ = load(TASKS[0])
    b_out = compiled.model.weights.b_out.copy()
    b_out[0, 1] += 0.25
    expected = (
        "The residual stream of histogram must be the sum of its features, to within 1e-09:\n"
        "  - blocks.0.hook_resid_post: the two differ by up to 0.25"
    )
    with pytest.raises(CertificationError) as error:
        features(tampered(compiled, b_out=b_out), domain)
    assert str(error.value) == expected


@pytest.mark.parametrize("name", ["W_E", "W_pos", "W_K", "W_O", "W_in", "W_out"])
def test_every_kind_of_weight_is_checked(name):
    compiled, domain, _ = load(TASKS[2])
    array = getattr(compiled.model.weights, name).copy()
    array[np.unravel_index(np.abs(array).argmax(), array.shape)] *= -1
    with pytest.raises(CertificationError, match=r"hook_resid_\w+: the two differ by up to"):
        features(tampered(compiled, **{name: array}), domain)


def test_weights_that_are_no_numbers_are_caught():
    compiled, domain, _ = load(TASKS[0])
    W_E = compiled.model.weights.W_E.copy()
    W_E[0, 0] = np.nan
    with pytest.raises(CertificationError, match="differ by up to nan"):
        features(tampered(compiled, W_E=W_E), domain)


def test_large_domains_are_checked_on_some_inputs():
    small, large = load(TASKS[0]), load(CROWDED)
    assert small.labels.record.n_checked == len(small.domain.tokens)
    assert large.labels.record.n_checked == CHECKED < len(large.domain.tokens)
    assert large.labels.record.exhaustive


# -- classes --------------------------------------------------------------------------------


def assert_classes(labels, rows):
    """Compare the classes with those of all pairs, taken one by one."""
    class_of, active = labels.class_of, rows != 0
    dead = ~active.any(axis=0)
    np.testing.assert_array_equal([feature.dead for feature in labels.features], dead)
    assert sorted(set(class_of[~dead])) == list(range(len(labels.marginals)))
    constant = ~dead & np.isclose(rows, rows[0], rtol=0, atol=1e-12).all(axis=0)
    np.testing.assert_array_equal([feature.constant for feature in labels.features], constant)
    for one, other in combinations(np.flatnonzero(~dead), 2):
        at = active[:, one].argmax()
        ratio = rows[at, other] / rows[at, one]
        same = np.allclose(rows[:, one] * ratio, rows[:, other], rtol=0, atol=1e-12) and ratio != 0
        assert same == (class_of[one] == class_of[other]), (labels.names[one], labels.names[other])
    leaders = np.array([np.flatnonzero(class_of == c)[0] for c in range(len(labels.marginals))])
    common = rows[:, leaders[class_of]] * labels.factor
    np.testing.assert_allclose(common[:, ~dead], rows[:, ~dead], rtol=0, atol=1e-12)


def test_classes_are_those_of_all_pairs(labelled):
    assert_classes(labelled.labels, labelled.rows)


def test_equal_variables_and_multiples_are_one_class():
    labels = numbers().labels
    assert_classes(labels, numbers().rows)

    def class_of(variable, value=None):
        return labels.class_of[place_of(labels, variable, value)]

    assert class_of("is_a", True) == class_of("is_a_too", True) == class_of("tokens", "a")
    assert class_of("is_a", False) == class_of("is_a_too", False) != class_of("is_a", True)
    assert class_of("code") == class_of("double") == class_of("third") != class_of("more")
    factors = [labels.factor[place_of(labels, name)] for name in ("code", "double", "third")]
    assert factors == pytest.approx([1, 2, -1 / 3], rel=1e-15)
    assert class_of("zero") == -1 and labels.features[place_of(labels, "zero")].dead
    assert labels.factor[place_of(labels, "zero")] == 0


def test_a_constant_feature():
    """At BOS the neurons that read tokens are silent, so that it takes a length to be constant."""
    always = rasp.Map(lambda n: n > 0, rasp.SelectorWidth(rasp.Select(*_EVERYTHING)).named("n"))
    labels = Labelled.of(compile_program(always.named("always"), "ab", 3)).labels
    assert labels.features[place_of(labels, "always", True)].constant
    assert not any(feature.constant for feature in labels.features if feature.variable != "always")


_EVERYTHING = (rasp.tokens, rasp.tokens, rasp.Comparison.TRUE)


def fractions(rng, size, largest):
    return rng.integers(1, largest, size) / rng.integers(1, largest, size)


@pytest.mark.parametrize("seed", range(3))
def test_rounding_makes_no_classes_and_one_row_does(seed):
    rng = np.random.default_rng(seed)
    own = fractions(rng, (400, 6), 60) * (rng.random((400, 6)) < 0.5)
    factor = fractions(rng, (5, 6), 60) * rng.choice([-1, 1], (5, 6))
    noise = 1 + rng.uniform(-4e-16, 4e-16, (5, 400, 6))
    copies = (own * factor[:, None, :] * noise).swapaxes(0, 1).reshape(400, 30)
    copies[rng.integers(400), 7] += 1 / 4000  # one of the second six, at one place
    sums = FeatureSums.over([copies], 30)
    expected = np.tile(np.arange(6), 5)
    expected[7] = 6
    np.testing.assert_array_equal(sums.class_of, expected)
    chunks = np.split(copies, np.sort(rng.integers(0, 400, 9)))
    np.testing.assert_array_equal(FeatureSums.over(chunks, 30).class_of, expected)


# -- statistics --------------------------------------------------------------------------------


def test_statistics_are_those_of_the_matrix_of_activations(labelled):
    labels, rows = labelled.labels, labelled.rows
    assert labels.record.n_rows == len(rows)
    for depth, hook in enumerate(labels.hooks):
        present = labels.first <= depth
        classes = np.unique(labels.class_of[present])
        classes = classes[classes >= 0]
        assert hook.depth == depth
        assert hook.n_features == present.sum()
        assert hook.n_dead == (labels.class_of[present] < 0).sum()
        assert hook.n_classes == len(classes)
        assert hook.rank == np.linalg.matrix_rank(rows[:, present])
        assert hook.mean_active == pytest.approx((rows[:, present] != 0).sum(1).mean(), abs=1e-6)
        first = [np.flatnonzero((labels.class_of == c) & present)[0] for c in classes]
        varying = np.ptp(rows[:, first], axis=0) > 0
        classes = classes[varying]
        found = np.corrcoef(rows[:, first][:, varying], rowvar=False).reshape(2 * [len(classes)])
        above = np.abs(found[np.triu_indices(len(found), 1)])
        assert hook.n_strong == (above.round(6) > 0.9).sum()
        expected = np.sort(above)[::-1][:5]
        shown = [pair.correlation for pair in hook.strongest]
        np.testing.assert_allclose(np.abs(shown), expected, rtol=0, atol=1e-6)
        for pair in hook.strongest:
            a, b = classes.tolist().index(pair.first), classes.tolist().index(pair.second)
            assert a < b and pair.correlation == pytest.approx(found[a, b], abs=1e-6)
        participation = len(classes) ** 2 / np.square(found).sum()
        assert hook.participation == pytest.approx(participation, abs=1e-5)


def test_dependence_costs_rank():
    """Tokens and BOS sum to one, and so do the values of a count."""
    last = load(TASKS[0]).labels.hooks[-1]
    assert last.n_classes > last.rank


def test_marginals_count_the_rows(labelled):
    labels, rows = labelled.labels, labelled.rows
    for number, marginal in enumerate(labels.marginals):
        column = rows[:, labels.class_of.tolist().index(number)]
        values, counts = np.unique(column, return_counts=True)
        np.testing.assert_array_equal(marginal.values, values)
        np.testing.assert_array_equal(marginal.counts, counts)


# -- the independent arm ------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["numbers", CROWDED])
def arm(request):
    labels = numbers().labels if request.param == "numbers" else load(request.param).labels
    return labels, *independent_rows(labels, 20_000, 3)


def test_the_arm_keeps_marginals(arm):
    labels, found, stream = arm
    assert found.shape == (20_000, len(labels.names))
    np.testing.assert_array_equal(stream, labels.stream(found))
    for number, marginal in enumerate(labels.marginals):
        column = found[:, labels.class_of.tolist().index(number)]
        assert set(column) <= set(marginal.values.tolist())
        for value, count in zip(marginal.values, marginal.counts, strict=True):
            share = count / labels.record.n_rows
            slack = 5 * np.sqrt(share * (1 - share) / 20_000) + 1e-12
            assert (column == value).mean() == pytest.approx(share, abs=slack)


def test_the_arm_keeps_classes_together_and_nothing_else(arm):
    labels, found, _ = arm
    leaders = [labels.class_of.tolist().index(number) for number in range(len(labels.marginals))]
    live = labels.class_of >= 0
    together = found[:, leaders][:, labels.class_of[live]] * labels.factor[live]
    np.testing.assert_array_equal(found[:, live], together)
    assert not found[:, ~live].any()
    varying = found[:, leaders]
    varying = varying[:, np.ptp(varying, axis=0) > 0]
    correlations = np.corrcoef(varying, rowvar=False)
    assert np.abs(correlations - np.eye(len(correlations))).max() < 6 / np.sqrt(20_000)


def test_the_arm_at_a_hook_has_what_is_written_by_then():
    labels = load(TASKS[1]).labels
    everything, _ = independent_rows(labels, 50, 0)
    for depth in range(len(labels.hooks)):
        found, stream = independent_rows(labels, 50, 0, depth)
        np.testing.assert_array_equal(found, np.where(labels.first <= depth, everything, 0))
        np.testing.assert_array_equal(stream, labels.stream(everything, depth))


def test_the_arm_is_the_same_each_time():
    labels = load(TASKS[2]).labels
    one, again, other = (independent_rows(labels, 40, seed)[1] for seed in (5, 5, 6))
    assert one.tobytes() == again.tobytes() != other.tobytes()


# -- on disk --------------------------------------------------------------------------------------


def test_the_same_each_time():
    compiled, domain, labels = load(TASKS[2])
    again = features(compiled, domain)
    assert labels.to_json() == again.to_json()
    assert save_arrays(labels.to_arrays()) == save_arrays(again.to_arrays())


def test_coordinates_change_directions_alone():
    exact, scrambled = load(EXACT).labels, load(CROWDED).labels
    assert exact.record.weights != scrambled.record.weights
    assert exact.record.model_copy(update={"weights": ""}) == scrambled.record.model_copy(
        update={"weights": ""}
    )
    changed = {
        name
        for name, array in exact.to_arrays().items()
        if not np.array_equal(array, scrambled.to_arrays()[name])
    }
    assert "directions" in changed <= {"directions", "scale"}


def test_files_read_back(labelled):
    labels = labelled.labels
    text = labels.to_json()
    assert read_record(FeaturesRecord, text.encode(), "features.json") == labels.record
    with pytest.raises(BundleError, match="more: Extra inputs are not permitted"):
        read_record(FeaturesRecord, text.replace("{", '{"more": 1,', 1).encode(), "features.json")
    k, d_model = labels.directions.shape
    n_classes, n_values = len(labels.marginals), sum(len(m.values) for m in labels.marginals)
    expected = {
        "directions": ("<f8", (k, d_model)),
        "scale": ("<f8", (k,)),
        "factor": ("<f8", (k,)),
        "marginal_values": ("<f8", (n_values,)),
        "marginal_counts": ("<i4", (n_values,)),
        "marginal_starts": ("<i4", (n_classes + 1,)),
    }
    found = load_arrays(save_arrays(labels.to_arrays()), "features.safetensors", expected)
    np.testing.assert_array_equal(found["directions"], labels.directions)
    starts = found["marginal_starts"]
    for marginal, start, end in zip(labels.marginals, starts[:-1], starts[1:], strict=True):
        np.testing.assert_array_equal(found["marginal_values"][start:end], marginal.values)
        np.testing.assert_array_equal(found["marginal_counts"][start:end], marginal.counts)


def test_records_are_strict():
    hook = load(TASKS[0]).labels.hooks[-1]
    with pytest.raises(ValidationError, match="frozen"):
        hook.rank = 0
    with pytest.raises(ValidationError, match="finite"):
        type(hook).model_validate({**hook.model_dump(), "participation": float("nan")})
