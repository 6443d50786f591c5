"""Task ids: one canonical text for each task, and helpful refusals; suites."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from glassbench.benchmark_programs import (
    REGIMES,
    SUITES,
    TaskId,
    get_program,
    get_suite,
    programs,
)
from glassbench.errors import TaskError


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("histogram", "histogram-v1"),
        (" histogram-v1 ", "histogram-v1"),
        ("histogram[vocab=4]", "histogram-v1"),
        ("histogram[length=8,vocab=6]", "histogram-v1[vocab=6,length=8]"),
        ("histogram-v1[length=08]", "histogram-v1[vocab=4,length=8]"),
        ("histogram/exact", "histogram-v1"),
        ("histogram/exact/scrambled", "histogram-v1/scrambled[seed=0]"),
        ("sort/crowded", "sort-v1/crowded[distractors=4,seed=0]"),
        (
            "histogram-v1[vocab=6,length=8]/crowded[seed=0,distractors=3]/scrambled[seed=7]",
            "histogram-v1[vocab=6,length=8]/crowded[distractors=3,seed=0]/scrambled[seed=7]",
        ),
    ],
)
def test_canonical_text(text, canonical):
    task = TaskId.parse(text)
    assert str(task) == canonical
    assert TaskId.parse(canonical) == task


def test_all_defaults_are_filled_in():
    task = TaskId.parse("sort[length=7]/crowded[seed=3]")
    assert (task.name, task.version) == ("sort", 1)
    assert task.parameters == (("vocab", 4), ("length", 7))
    assert (task.vocab, task.length) == (4, 7)
    assert task.regimes == (("crowded", (("distractors", 4), ("seed", 3))),)
    assert task.spec is get_program("sort")
    assert len({task, TaskId.parse(str(task))}) == 1


@st.composite
def parts_of_tasks(draw):
    spec = draw(st.sampled_from(list(programs().values())))
    sizes = (
        ("vocab", draw(st.integers(spec.least_vocab, 50))),
        ("length", draw(st.integers(1, 50))),
    )
    together = st.sets(st.sampled_from(sorted(set(REGIMES) - {"exact", "trained"})))
    chosen = draw(together | st.just({"trained"}))
    names = [name for name in REGIMES if name in chosen]
    seeds = st.integers(0, 10**6)
    regimes = [(name, tuple((key, draw(seeds)) for key in REGIMES[name])) for name in names]
    return spec.name, spec.version, sizes, tuple(regimes)


@settings(max_examples=50, deadline=None)
@given(parts_of_tasks())
def test_text_and_task_are_one_to_one(parts):
    task = TaskId(*parts)
    assert TaskId.parse(str(task)) == task


@settings(max_examples=50, deadline=None)
@given(parts_of_tasks())
def test_the_order_of_parameters_does_not_matter(parts):
    def backwards(parameters):
        return "[" + ",".join(f"{key}={value}" for key, value in reversed(parameters)) + "]"

    name, _, sizes, regimes = parts
    texts = [name + backwards(sizes)]
    texts += [regime + backwards(parameters) for regime, parameters in regimes]
    assert TaskId.parse("/".join(texts)) == TaskId(*parts)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_a_task_or_a_task_error(text):
    try:
        task = TaskId.parse(text)
    except TaskError:
        return
    assert TaskId.parse(str(task)) == task


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("histgram", "no program 'histgram'. Did you mean 'histogram' or"),
        ("Histogram", "must read name-vN.*got 'Histogram'. Did you mean 'histogram'?"),
        ("shuffle dyck1", "Did you mean 'shuffle_dyck1'?"),
        ("", "must read name-vN"),
        ("histogram-v0", "must read name-vN"),
        ("histogram-v2", "no version 2 of program 'histogram'. Known: histogram-v1."),
        ("histogram/scrambled-v1", "must read name-vN"),
        ("histogram[]", "must read name-vN"),
        ("histogram[vocab=-1]", "must read name-vN"),
        ("histogram[vocab=٣]", "must read name-vN"),
        ("histogram/crowdd", "no regime 'crowdd'. Did you mean 'crowded'?"),
        ("histogram[vocab=5,vocab=6]", "vocab must stand once"),
        ("histogram[vocab=0]", "vocab of 'histogram' must be at least 1, got 0"),
        ("histogram/scrambled[sed=1]", "scrambled: there is no parameter 'sed'. Known: seed."),
        ("histogram/exact[seed=1]", "exact: there is no parameter 'seed'. Known: none."),
    ],
)
def test_refusals(text, message):
    with pytest.raises(TaskError, match=message.replace("?", r"\?")):
        TaskId.parse(text)


def test_all_problems_are_listed():
    with pytest.raises(TaskError) as caught:
        TaskId.parse("sort[vocb=3,length=0]/scrambld/crowded[sed=1]")
    message = str(caught.value)
    for part in ("'vocb'", "length of 'sort'", "'scrambld'", "'sed'"):
        assert part in message


# -- suites ------------------------------------------------------------------------


def test_quick_suite():
    tasks = get_suite("quick")
    assert [task.name for task in tasks] == [
        "histogram",
        "sort",
        "reverse",
        "frac_prevs",
        "shuffle_dyck1",
        "sort_by_frequency",
    ]
    for task in tasks:
        assert [name for name, _ in task.regimes] == ["crowded", "scrambled"]


@pytest.mark.parametrize("name", SUITES)
def test_suites_hold_different_canonical_ids(name):
    names = list(SUITES[name].choose())
    assert [str(task) for task in get_suite(name)] == names
    assert len(set(names)) == len(names)


def test_an_unknown_suite_is_answered_with_the_nearest():
    with pytest.raises(TaskError, match=r"There is no suite 'quik'\. Did you mean 'quick'"):
        get_suite("quik")


@pytest.mark.parametrize("regimes", ["scrambled/crowded", "scrambled/scrambled[seed=1]"])
def test_regimes_stand_once_and_in_order(regimes):
    with pytest.raises(TaskError, match="once each, in the order"):
        TaskId.parse(f"histogram/{regimes}")
