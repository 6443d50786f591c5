"""Fresh tasks: the same for the same seed, different from one another, and alive."""

import importlib
import logging

import pytest

from glassbench import sample_tasks as offered
from glassbench.benchmark_programs.behaviour import behaviour, library_behaviours
from glassbench.benchmark_programs.fresh import DIFFICULTIES, FreshName
from glassbench.compiler import compile_program
from glassbench.errors import CertificationError, SufficiencyError, TaskError
from glassbench.ground_truth import EdgeState, load, sample_tasks, verify
from glassbench.ground_truth import sample_tasks as module_face
from glassbench.ground_truth.interchange_pairs import TaskDomain
from glassbench.ground_truth.liveness import live_heads, live_hops, liveness

SEED, N = 11, 5


@pytest.fixture(scope="module")
def sample():
    return sample_tasks(SEED, N, "easy", regimes="scrambled")


def ids(tasks):
    return [str(task.id) for task in tasks]


def causal(task):
    return [edge for edge, state in task.labels.states.items() if state is EdgeState.CAUSAL]


def test_as_many_as_asked_for(sample):
    assert offered is module_face
    assert len(sample.tasks) == len(set(ids(sample.tasks))) == N
    draws = [FreshName.parse(task.id.name).draw for task in sample.tasks]
    assert draws == sorted(draws)
    assert sample.report.draws == draws[-1] + 1
    assert sample.report.draws == N + sum(sample.report.rejected.values())
    assert not sample.report.failures


def seeds(tasks):
    """Return the seed of every regime of every task."""
    return [dict(parameters)["seed"] for task in tasks for _, parameters in task.id.regimes]


def test_seeds_of_regimes_are_each_tasks_own_and_cannot_be_guessed(sample):
    found = seeds(sample.tasks)
    assert len(set(found)) == len(found)
    assert all(2**32 < seed < 2**62 for seed in found)
    given = sample_tasks(SEED, 1, "easy", regimes="crowded[seed=3]/scrambled[seed=3]")
    assert not set(seeds(given.tasks)) & {3, *found}
    assert len(set(seeds(given.tasks))) == 2


def test_the_first_tasks_do_not_depend_on_how_many(sample):
    fewer = sample_tasks(SEED, 2, "easy", regimes="scrambled")
    assert ids(fewer.tasks) == ids(sample.tasks)[:2]
    for one, other in zip(fewer.tasks, sample.tasks, strict=False):
        assert one.labels == other.labels  # the digest of the weights is part of them


def test_several_processes_give_the_same(sample):
    several = sample_tasks(SEED, 3, "easy", regimes="scrambled", jobs=2)
    assert ids(several.tasks) == ids(sample.tasks)[:3]
    assert [t.labels for t in several.tasks] == [t.labels for t in sample.tasks[:3]]
    again = sample_tasks(SEED, 3, "easy", regimes="scrambled")
    assert several.report == again.report


def test_every_task_can_be_loaded_alone(sample):
    task = sample.tasks[-1]
    assert load(str(task.id)).labels == task.labels
    assert not verify(task.compiled, task.labels)


def test_no_two_answer_alike(sample):
    digests = [behaviour(task.compiled.program) for task in sample.tasks]
    assert len(set(digests)) == N
    for task, digest in zip(sample.tasks, digests, strict=True):
        spec = task.id.spec
        assert digest not in library_behaviours(tuple(spec.vocabulary(spec.vocab)), spec.length)


def test_weights_give_what_the_oracle_gives(sample):
    for task in sample.tasks:
        vocabulary = task.id.spec.vocabulary(task.id.vocab)
        sequences = [vocabulary[:1], vocabulary, (*vocabulary[::-1], vocabulary[1])]
        expected = [task.id.spec.oracle(list(sequence)) for sequence in sequences]
        assert task.compiled.apply(sequences) == expected


def test_tasks_are_as_large_as_is_said(sample):
    least = DIFFICULTIES["easy"]
    for task in sample.tasks:
        assert len(causal(task)) >= least.edges
        assert len(live_heads(causal(task))) >= least.heads
        assert live_hops(causal(task)) >= least.hops


def test_liveness_finds_what_is_certified(sample):
    for task in sample.tasks:
        spec = task.id.spec
        tokens = spec.vocabulary(spec.vocab)
        bare = compile_program(
            spec.build(tokens, spec.length), tokens, spec.length, causal=spec.causal
        )
        found = liveness(bare, TaskDomain.of(bare))
        assert not found.dead_heads
        assert len(live_heads(found.live)) == len(live_heads(causal(task)))


def test_dead_heads_are_seen():
    from glassbench.compiler import rasp

    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    always = rasp.SelectorWidth(same) > 0
    here = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.EQ)
    program = rasp.SequenceMap(lambda x, y: y if x else "", always, rasp.tokens)
    compiled = compile_program(rasp.Aggregate(here, program), "ab", 3)
    found = liveness(compiled, TaskDomain.of(compiled))
    assert found.dead_heads == ("a0.h0",)


def test_constructs_are_counted(sample):
    assert sum(sample.report.constructs.values()) >= 3 * N
    assert set(sample.report.seconds) == {"draw", "compare", "compile", "liveness", "certify"}


def test_failures_are_told_and_counted_apart(monkeypatch, caplog, sample):

    from glassbench.ground_truth import sample_tasks as face  # noqa: F401

    module = importlib.import_module("glassbench.ground_truth.candidate_trial")
    first = sample.tasks[0].id.name
    real = module.certified

    def failing(task, compiled):
        if task.name == first:
            raise CertificationError("program and weights differ")
        return real(task, compiled)

    monkeypatch.setattr(module, "certified", failing)
    with caplog.at_level(logging.WARNING):
        tasks, report = sample_tasks(SEED, 1, "easy", regimes="scrambled")
    assert ids(tasks) == ids(sample.tasks)[1:2]
    assert report.failures == (f"{first}: program and weights differ",)
    assert report.rejected["its labels cannot be certified"] == 1
    assert "program and weights differ" in caplog.text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((-1, 1), "seed must be an integer of at least 0, got -1."),
        ((0, 0), "n must be an integer of at least 1, got 0."),
        ((0, True), "n must be an integer of at least 1, got True."),
        ((0, 1, "extreme"), "There is no difficulty 'extreme'."),
        ((10**40, 1), "seed must have at most 40 digits"),
    ],
)
def test_samples_that_do_not_exist(arguments, message):
    with pytest.raises(TaskError) as raised:
        sample_tasks(*arguments)
    assert message in str(raised.value)


def test_unknown_regimes_are_refused():
    with pytest.raises(TaskError, match="There is no regime 'crowdy'"):
        sample_tasks(0, 1, regimes="crowdy")


def test_edges_that_matter_only_together_are_counted_apart(monkeypatch, sample):
    module = importlib.import_module("glassbench.ground_truth.candidate_trial")
    first, real = sample.tasks[0].id.name, module.certified

    def failing(task, compiled):
        if task.name == first:
            raise SufficiencyError("the causal edges of it do not suffice together")
        return real(task, compiled)

    monkeypatch.setattr(module, "certified", failing)
    _, report = sample_tasks(SEED, 1, "easy", regimes="scrambled")
    assert (report.joint, report.failures) == ((first,), ())
    assert report.rejected["some edges of it matter only together"] == 1
