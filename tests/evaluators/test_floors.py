"""What an answer earns without looking at the model."""

import numpy as np
import pytest

from glassbench.errors import AnswerError
from glassbench.evaluators.floors import (
    LEVELS,
    PriorFloor,
    kind_and_layer,
    normalised,
    prior_floor,
    prior_scores,
    random_floor,
)
from glassbench.evaluators.ranking_metrics import METRICS

AP = METRICS["average_precision"]


def key_of(size: int, positives: int) -> np.ndarray:
    return np.arange(size) < positives


@pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS.keys())
@pytest.mark.parametrize(("size", "positives"), [(8, 1), (40, 5), (120, 30)])
def test_the_random_floor_is_the_mean_over_many_draws(metric, size, positives):
    key = key_of(size, positives)
    drawn = metric(np.random.default_rng(1).random((2000, size)), key)
    floor = random_floor(key, metric, seed=0, draws=2000)
    assert floor == pytest.approx(drawn.mean(), abs=5 * drawn.std() / np.sqrt(2000) + 1e-9)
    assert 0 < floor < 1


def test_the_random_floor_of_average_precision_is_above_the_share_of_positives():
    # The expectation is not the base rate: small circuits are flattered by more.
    assert random_floor(key_of(8, 1), AP, seed=0) == pytest.approx(
        np.mean(1 / np.arange(1, 9)), abs=1e-12
    )


def test_the_random_floor_depends_on_the_seed_alone():
    key, metric = key_of(3000, 20), METRICS["best_f1"]
    floors = [random_floor(key, metric, seed=seed, draws=400) for seed in (0, 0, 1)]
    assert floors[0] == floors[1] != floors[2]


def test_the_random_floor_needs_a_draw():
    with pytest.raises(AnswerError, match="at least one draw, got draws=0"):
        random_floor(key_of(4, 2), METRICS["best_f1"], seed=0, draws=0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("embed->a0.h1<q>", (("embed", "q"), (-1, 0))),
        ("pos_embed->m3", (("pos_embed", "mlp"), (-1, 3))),
        ("a10.h2->a11.h0<v>", (("head", "v"), (10, 11))),
        ("m0->logits", (("mlp", "logits"), (0, -1))),
        ("a0.h0", (("head",), (0,))),
        ("embed", (("embed",), (-1,))),
    ],
)
def test_names_are_read_as_kind_and_layer(name, expected):
    assert kind_and_layer(name) == expected


@pytest.mark.parametrize("name", ["", "a0", "a0.h1<x>", "embed->", "m->logits", "head 3", "m0\n"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(AnswerError, match="An edge is named like"):
        kind_and_layer(name)


SUITE = {
    "held_out": {
        "embed->m0": True,  # known by name
        "a0.h7->m0": False,  # known by kind and layers
        "a5.h0->m5": False,  # known by kind and distance
        "a2.h0->m5": False,  # known by kind
        "pos_embed->logits": False,  # of a kind never seen
    },
    "one": {"embed->m0": True, "a0.h0->m0": True, "m0->logits": False},
    "two": {"embed->m0": False, "a0.h0->m0": False, "a1.h0->m1": False, "a0.h0->m4": True},
}


def test_the_prior_backs_off_from_what_is_most_alike_to_anything():
    scores = prior_scores(SUITE)["held_out"]
    assert tuple(scores) == LEVELS
    layers, distance, kind, anything = 1 / 2, 1 / 3, 2 / 4, 3 / 7
    expected = {
        "name": [1 / 2, layers, distance, kind, anything],
        "kind and layers": [1 / 2, layers, distance, kind, anything],
        "kind and distance": [1 / 2, distance, distance, kind, anything],
        "kind": [1 / 2, kind, kind, kind, anything],
    }
    for level, one in expected.items():
        np.testing.assert_allclose(scores[level], one)
    by_name = prior_scores(SUITE)["one"]["name"]
    np.testing.assert_allclose(by_name, [1 / 2, 0, 2 / 9])


def test_levels_can_tell_different_things():
    suite = {
        "x": {"a0.h0->m0": True, "a0.h1->m0": False},
        "y": {"a0.h0->m0": True, "a0.h1->m0": False},
    }
    scores = prior_scores(suite)["x"]
    assert scores["name"].tolist() == [1.0, 0.0]
    assert scores["kind and layers"].tolist() == scores["kind"].tolist() == [0.5, 0.5]
    floor = prior_floor(suite, AP)
    assert floor.best == "name"
    assert floor["x"] == 1.0
    assert floor.answers["kind"]["x"] == 0.75


def test_how_far_apart_layers_are_can_tell_most():
    """A program that lies in other layers in each task is still as long."""
    suite = {
        str(place): {
            f"a{layer}.h0->m{layer + apart}": layer == place and apart == 1
            for layer in range(4)
            for apart in range(3)
        }
        for place in range(4)
    }
    floor = prior_floor(suite, AP)
    assert floor.best == "kind and distance"
    assert floor["0"] == pytest.approx(np.mean([1 / n for n in range(1, 5)]))


def test_the_answer_that_does_best_on_average_is_the_floor():
    floor = PriorFloor({"name": {"x": 0.9, "y": 0.1}, "kind": {"x": 0.6, "y": 0.6}})
    assert floor.best == "kind"
    assert floor["x"] == 0.6


def test_the_prior_never_sees_the_labels_of_the_task_itself():
    opposite = {name: not positive for name, positive in SUITE["held_out"].items()}
    before = prior_scores(SUITE)["held_out"]
    after = prior_scores({**SUITE, "held_out": opposite})["held_out"]
    for level in LEVELS:
        assert before[level].tolist() == after[level].tolist()


def test_the_prior_of_a_lone_task_is_the_random_floor():
    suite = {"one": SUITE["one"]}
    key = np.array(list(SUITE["one"].values()))
    for metric in (AP, METRICS["auroc"]):
        assert prior_floor(suite, metric)["one"] == random_floor(key, metric, seed=0)


def test_normalised_is_zero_at_the_floor_and_one_at_the_ceiling():
    assert normalised(0.3, 0.3, 1.0) == 0.0
    assert normalised(1.0, 0.3, 1.0) == 1.0
    assert normalised(0.1, 0.3, 1.0) == pytest.approx(-2 / 7)
    assert normalised(2.0, 10.0, 0.0) == pytest.approx(0.8)  # lower is better


def test_nothing_is_earned_where_the_floor_reaches_the_ceiling():
    assert normalised(1.0, 1.0, 1.0) == 0.0
    assert normalised(0.4, 1.0, 1.0) == 0.0
