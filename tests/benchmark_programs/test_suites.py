"""Suites hold what the rules allow, by what was measured."""

from collections import Counter
from dataclasses import replace
from importlib import import_module

import pytest

from glassbench.benchmark_programs import (
    SUITES,
    TOY_SUITES,
    TaskId,
    ToyId,
    get_program,
    get_suite,
    is_ranked,
    library,
    suite_measures,
    suite_members,
)
from glassbench.benchmark_programs import suites as suites_file
from glassbench.benchmark_programs.feature_measures import (
    MOST_FLOOR,
    FeatureMeasures,
    measured_features,
)
from glassbench.benchmark_programs.measures_table import read_table, write_table
from glassbench.benchmark_programs.relevance_measures import (
    LEAST_INPUTS,
    MOST_PRIOR_OF_TASK,
    RelevanceMeasures,
    measured_relevance,
)
from glassbench.benchmark_programs.suite_names import SUITE_NAMES
from glassbench.benchmark_programs.suites import (
    FULL_REGIMES,
    LARGEST_CORE_TASK,
    candidates,
    relevance_candidates,
    superposition_candidates,
    task_of,
)
from glassbench.benchmark_programs.superposed_widths import WIDTHS
from glassbench.benchmark_programs.task_measures import TaskMeasures, measured_tasks
from glassbench.errors import TaskError
from glassbench.ground_truth.stored_compressions import stored_compression_ids

suite_measures_file = import_module("glassbench.benchmark_programs.suite_measures")
RANKED = [name for name in SUITES if not suite_measures(name).shortcomings]
MEASURES = measured_tasks()["histogram-v1/crowded[distractors=4,seed=0]/scrambled[seed=0]"]


def test_suites_are_not_taken_for_programs():
    assert (*SUITES, *TOY_SUITES) == SUITE_NAMES
    for name in SUITE_NAMES:
        with pytest.raises(TaskError, match=f"'{name}' is a suite, not a task"):
            TaskId.parse(name)


def test_every_candidate_is_measured():
    assert list(measured_tasks()) == list(candidates())


def test_the_suites_that_results_are_reported_on_are_ranked():
    assert RANKED == ["quick", "core", "trained"]


def test_full_holds_every_program_that_can_be_ranked_on_in_every_regime():
    full = {task.name for task in get_suite("full")}
    left_out = [spec for spec in library() if not spec.control and spec.name not in full]
    for spec in left_out:
        tasks = [task_of(spec, regimes) for regimes in FULL_REGIMES]
        assert all(measured_tasks()[task].shortcomings for task in tasks), spec.name
    assert {len(task.regimes) for task in get_suite("full")} == {0, 1, 2}


@pytest.mark.parametrize("name", SUITES)
def test_tasks_are_named_canonically_and_once(name):
    tasks = [str(task) for task in get_suite(name)]
    assert tasks == list(SUITES[name].choose())
    assert len(set(tasks)) == len(tasks) > 0


@pytest.mark.parametrize("name", RANKED)
def test_ranked_suites_hold_what_is_worth_ranking_on(name):
    rows = [measured_tasks()[str(task)] for task in get_suite(name)]
    assert not [row.task for row in rows if row.shortcomings]


@pytest.mark.parametrize("name", ["quick", "core", "full", "trained"])
def test_no_circuit_stands_twice(name):
    rows = [measured_tasks()[str(task)] for task in get_suite(name)]
    assert max(Counter(row.circuit for row in rows).values()) == 1


def test_core_is_broad():
    core = get_suite("core")
    assert len(core) >= 40
    assert len({task.name for task in core}) == len(core)
    assert len({task.spec.family for task in core}) >= 10
    assert len({tuple(name for name, _ in task.regimes) for task in core}) >= 2


def test_controls_are_controls():
    assert all(task.spec.control for task in get_suite("controls"))
    ranked = {task.name for name in RANKED for task in get_suite(name)}
    assert not [name for name in ranked if get_program(name).control]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"causal": 3}, "its circuit has 3 edges, fewer than 4"),
        ({"circuit_heads": 0}, "no head is part of its circuit"),
        ({"inert": 2}, "2 edges are inert, fewer than the 4 causal ones"),
    ],
)
def test_each_rule_notices_what_breaks_it(changes, told):
    assert not MEASURES.shortcomings
    assert replace(MEASURES, **changes).shortcomings == [told]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"unmeasured": 2}, "2 of its 6 tasks are not measured"),
        ({"prior": 0.2}, "the prior earns 0.20 without looking, more than 0.15"),
        ({"with_attention": 0.5}, "50% of the circuits have heads, fewer than 2 in 3"),
        ({"small": 0.2}, "20% of the circuits have fewer than 4 edges"),
        ({"circuits": 5}, "6 tasks have 5 different circuits"),
    ],
)
def test_each_rule_of_suites_notices_what_breaks_it(changes, told):
    assert replace(suite_measures("quick"), **changes).shortcomings == [told]


@pytest.mark.parametrize(
    ("kind", "known"),
    [
        (TaskMeasures, measured_tasks),
        (FeatureMeasures, measured_features),
        (RelevanceMeasures, measured_relevance),
    ],
)
def test_measures_are_read_as_they_were_written(kind, known):
    rows = tuple(known().values())
    assert read_table(kind, write_table(kind, rows)) == rows


def test_toys_are_members_of_suites_of_their_own():
    assert not set(SUITES) & set(TOY_SUITES)
    assert suite_members("quick") == get_suite("quick")
    toys = suite_members("toys")
    assert {ToyId.parse("toy_superposition[n=5,d=2]"), ToyId.parse("toy_superposition")} <= {*toys}
    assert ToyId.parse("toy_superposition[n=40,d=10]") in toys
    assert len(set(toys)) == len(toys) <= 8
    assert max(toy.n for toy in toys) <= 160  # so that each trains within seconds
    with pytest.raises(TaskError, match="holds toy models; score methods on it with --suite toys"):
        get_suite("toys")
    with pytest.raises(TaskError, match=r"no suite 'toy'\. Did you mean 'toys'"):
        suite_members("toy")
    with pytest.raises(TaskError, match=r"no suite 'cor'\. Did you mean 'core'"):
        is_ranked("cor")


def test_programs_are_compressed_to_several_widths():
    assert len(WIDTHS) >= 12
    for name, widths in WIDTHS.items():
        assert not measured_tasks()[get_program(name).id].shortcomings, name
        assert len(widths) >= 2
        assert list(widths) == sorted(set(widths), reverse=True)
        assert widths[0] < measured_tasks()[get_program(name).id].d_model


def test_superposition_holds_what_is_worth_ranking_on_by_its_features():
    assert list(measured_features()) == list(superposition_candidates())
    held = [str(task) for task in get_suite("superposition")]
    worth = [one.task for one in measured_features().values() if one.floor <= MOST_FLOOR]
    assert held == worth
    assert {"length-v1/superposed[d=5,seed=0]", "length-v1/superposed[d=7,seed=0]"}.isdisjoint(held)
    assert not [task for task in held if task.startswith("running_mean")]
    programs = Counter(task.name for task in get_suite("superposition"))
    assert len(programs) >= 12
    assert min(programs.values()) >= 2
    assert is_ranked("superposition")


def test_a_floor_that_is_too_high_is_told_and_keeps_a_task_out(monkeypatch):
    measured = dict(measured_features())
    task = "count-v1/superposed[d=9,seed=0]"
    assert not measured[task].shortcomings
    measured[task] = replace(measured[task], spread=0.81)
    assert measured[task].shortcomings == [
        "blind directions have a matched cosine of 0.81, more than 0.75"
    ]
    monkeypatch.setattr(suites_file, "measured_features", lambda: measured)
    assert task not in {str(one) for one in get_suite("superposition")}
    assert replace(measured[task], random=0.82, spread=0.7).floor == 0.82


def test_features_are_ranked_on_enough_tasks(monkeypatch):
    measured = dict(measured_features())
    asked = [str(task) for task in get_suite("superposition")]
    few = {task: measured[task] for task in asked[:11]}
    monkeypatch.setattr(suites_file, "measured_features", lambda: few)
    assert len(get_suite("superposition")) == 11
    assert not is_ranked("superposition")


def test_matrices_of_superposition_are_kept_with_the_package():
    assert set(superposition_candidates()) <= set(stored_compression_ids())


# -- relevance ---------------------------------------------------------------------


def test_relevance_holds_what_positions_do_not_tell():
    assert list(measured_relevance()) == list(relevance_candidates())
    rows = [measured_relevance()[str(task)] for task in get_suite("relevance")]
    assert all(row.prior <= MOST_PRIOR_OF_TASK for row in rows)
    assert all(row.inputs >= LEAST_INPUTS for row in rows)
    assert len({row.labels for row in rows}) == len(rows) >= 24
    for name in ("cumulative_sum", "depth"):  # every token so far
        (row,) = (one for task, one in measured_relevance().items() if task.startswith(f"{name}-"))
        assert row.prior == 1
    held = {row.task for row in rows}
    kept_out = [row for row in measured_relevance().values() if row.task not in held]
    twice = [row for row in kept_out if not row.shortcomings]
    assert all(row.labels in {one.labels for one in rows} for row in twice)
    assert is_ranked("relevance")


def test_relevance_does_not_ask_how_circuits_look(monkeypatch):
    """But for their size: a task that is too large is no candidate."""
    (task, other), known = relevance_candidates()[:2], dict(measured_tasks())
    known[task] = replace(known[task], causal=1, circuit_heads=0)
    known[other] = replace(known[other], unwired=LARGEST_CORE_TASK)
    monkeypatch.setattr(suites_file, "measured_tasks", lambda: known)
    assert task in relevance_candidates()
    assert other not in relevance_candidates()


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"prior": 0.51}, "positions alone earn 0.51 without looking, more than 0.5"),
        ({"inputs": 31}, "31 inputs have an answer whose tokens can be ranked, fewer than 32"),
        ({"labels": "those of another"}, None),
    ],
)
def test_each_rule_keeps_a_task_out_of_relevance(monkeypatch, changes, told):
    first, task = map(str, get_suite("relevance")[:2])
    measured = dict(measured_relevance())
    if told is None:
        changes = {"labels": measured[first].labels}
    measured[task] = replace(measured[task], **changes)
    assert measured[task].shortcomings == ([told] if told else [])
    monkeypatch.setattr(suites_file, "measured_relevance", lambda: measured)
    held = [str(one) for one in get_suite("relevance")]
    assert first in held
    assert task not in held


@pytest.mark.parametrize("priors", [{}, {("relevance", "attribution"): 0.16}])
def test_relevance_is_not_ranked_where_positions_earn_much(monkeypatch, priors):
    monkeypatch.setattr(suite_measures_file, "measured_priors", lambda: priors)
    assert not is_ranked("relevance")
