"""pyvene: its intervention is the interchange that we score, and learning finds subspaces."""

import numpy as np
import pytest

pytest.importorskip("pyvene", reason="pip install 'glassbench[pyvene]'")

import torch

from glassbench.evaluators import VariablesProblem, find_track, scored
from glassbench.evaluators.adapters import pyvene_alignment as adapter
from glassbench.evaluators.variables_metrics import InterchangeRuns
from glassbench.evaluators.variables_problem import Subspace, place_of
from glassbench.ground_truth import load

TASK = "sort[vocab=2,length=3]"


@pytest.fixture(scope="module")
def problem() -> VariablesProblem:
    return find_track("variables").problem(load(TASK), 0)


def test_positions_are_repeated_where_there_are_fewer():
    where = np.array([[False, True, False, True], [False, False, True, False]])
    assert adapter._positions(where).tolist() == [[1, 3], [2, 2]]


def test_its_intervention_is_the_interchange_that_is_scored(problem):
    question = next(iter(problem.variables.values()))
    pairs = question.train.take(slice(0, 24))
    positions = adapter._positions(pairs.where)
    places = list(adapter._places(problem))
    assert len(places) > 1
    runs = InterchangeRuns.of(problem.model, pairs)
    for hook, component in places:
        torch.manual_seed(0)
        intervention, patched = adapter._patched(problem, 2, component, positions)
        base, source = (torch.as_tensor(np.array(each)) for each in (pairs.base, pairs.source))
        with torch.no_grad():
            logits = patched(base, source, positions).numpy()
        rows = intervention.rotate_layer.weight.detach().numpy().T
        right = runs.right(problem.model.codec.decode_ids(logits))
        hits = runs.hits(place_of(hook), [Subspace(hook, rows).factors])[0]
        assert (hits == right).all(), hook


def test_what_it_learns_is_better_than_where_it_starts(monkeypatch):
    learned = scored("pyvene-das", TASK, "variables").result
    assert learned.status == "ok"
    assert learned.tool_version.startswith("0.1")
    monkeypatch.setattr(adapter, "STEPS", 0)
    start = scored("pyvene-das", TASK, "variables").result
    assert start.metrics[start.primary].value + 0.05 < learned.metrics[learned.primary].value
