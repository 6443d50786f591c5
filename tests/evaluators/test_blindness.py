"""Blindness: no label, no program and no seed can be reached from a problem, nor from its folder.

Tools are honest code, which this keeps from seeing labels by accident. It is no sandbox: a tool
in Python can import the package, and a command can read what its user can.
"""

import json
import sys
from collections.abc import Mapping
from contextlib import suppress
from enum import Enum
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType

import numpy as np
import pytest
from pydantic import BaseModel

from glassbench.benchmark_programs import TaskId
from glassbench.benchmark_programs.program_spec import ProgramSpec
from glassbench.compiler import CompiledModel, Program, SourceMap, rasp
from glassbench.compiler.source_map import PlacedVariable
from glassbench.evaluators import TRACKS, CommandTool, FeaturesTrack, scored
from glassbench.evaluators.features_metrics import FeatureTruth
from glassbench.evaluators.features_problem import N_HELD_OUT, N_TRAIN
from glassbench.evaluators.problem_folder import problem_files
from glassbench.evaluators.variables_floors import VariableMarks
from glassbench.evaluators.variables_pose import VariableKey, VariablesPose
from glassbench.evaluators.variables_pose import posed as variables_posed
from glassbench.ground_truth import (
    CircuitLabels,
    EdgeState,
    FeatureKey,
    FeatureLabels,
    FeatureRows,
    Predictor,
    Relevance,
    Task,
    TaskDomain,
    ToyTask,
    VariableLabels,
    feature_data,
    load,
    relevance,
)
from glassbench.ground_truth.high_level_model import HighLevelModel

SEEDS = (987_653, 987_654)
TASKS = (
    f"reverse[vocab=2,length=3]/crowded[distractors=2,seed={SEEDS[0]}]/scrambled[seed={SEEDS[1]}]",
    "frac_prevs[vocab=2,length=3]/superposed[d=6]",
)
SECRETS = (
    CircuitLabels,
    CompiledModel,
    EdgeState,
    FeatureKey,
    FeatureLabels,
    FeatureRows,
    FeatureTruth,
    HighLevelModel,
    PlacedVariable,
    Predictor,
    Program,
    ProgramSpec,
    Relevance,
    SourceMap,
    Task,
    TaskDomain,
    TaskId,
    VariableKey,
    VariableLabels,
    VariableMarks,
    VariablesPose,
    rasp.RASPExpr,
)
UNASKED = {("variables", TASKS[1])}  # a token of two tells its only variable
WORDS = ("reverse", "frac_prevs", "crowded", "scrambled", "superposed", "distractor")
STATES = {state.value for state in EdgeState} - {"causal"}  # which attention is, too
INPUTS = {"tokens", "indices"}
CODE = (type, ModuleType, FunctionType, BuiltinFunctionType, MethodType)


def reachable(root):
    """Yield every object to which attributes, items, properties and closures lead from `root`.

    Of the functions that stand on an object, what they close over, their defaults, and what
    their modules hold that is data are followed too; not what can be imported.
    """
    pending, seen = [root], {}
    while pending:
        item = pending.pop()
        if id(item) in seen:
            continue
        seen[id(item)] = item  # kept, so that no other object gets its id
        yield item
        pending += beyond(item)


def beyond(item):
    """Return what an object leads to."""
    if isinstance(item, str | bytes | int | float | complex | Enum):
        return []
    if isinstance(item, Mapping):
        return [*item.keys(), *item.values()]
    if isinstance(item, tuple | list | set | frozenset):
        return list(item)
    if isinstance(item, np.ndarray):
        return [item.base, *(item.ravel().tolist() if item.dtype == object else ())]
    if isinstance(item, MethodType):
        return [item.__self__, item.__func__]
    if isinstance(item, FunctionType):
        cells = [cell.cell_contents for cell in item.__closure__ or ()]
        kept = [item.__defaults__, item.__kwdefaults__, vars(item)]
        data = [
            value
            for name, value in item.__globals__.items()
            if (item.__module__ or "").startswith("glassbench")
            and not name.startswith("__")
            and not isinstance(value, CODE)
            and type(value).__module__ not in ("typing", "types", "functools")
        ]
        return [*cells, *kept, *data]
    if isinstance(item, type | ModuleType):
        return []
    found = [vars(item)] if hasattr(item, "__dict__") else []
    if type(item).__module__.startswith("glassbench") and not isinstance(item, BaseModel):
        for name in dir(item):
            if not name.startswith("__"):
                with suppress(ValueError):  # a property may refuse, such as numbers of letters
                    found.append(getattr(item, name))
    return found


every = pytest.mark.parametrize(
    ("track", "name"),
    [
        pytest.param(track, name, id=f"{track.name}-{TASKS.index(name)}")
        for track in TRACKS.values()
        for name in TASKS
        if (track.name, name) not in UNASKED
    ],
)


def secret_arrays(name):
    """Return the arrays of the labels of a task."""
    task = load(name)
    data = feature_data(task)
    hook = data.hooks[-1]
    rows = data.rows(hook, N_TRAIN, N_HELD_OUT, 0)
    found = [data.key(hook).directions, *(part.activations for part in rows)]
    known = relevance(task.compiled.program, task.compiled.model.codec, task.domain.tokens[:64])
    return [*found, *(array for array in vars(known).values() if isinstance(array, np.ndarray))]


@every
def test_no_label_can_be_reached_from_a_problem(track, name):
    found = list(reachable(track.problem(load(name), 0)))
    kinds = {type(item).__name__ for item in found}
    assert {"Model", "Weights", "Codec", "ndarray", "function"} <= kinds  # the walk walks
    assert not [item for item in found if isinstance(item, SECRETS)]
    texts = [item for item in found if isinstance(item, str)]
    assert not [text for text in texts if any(word in text.lower() for word in WORDS)]
    assert not STATES & set(texts)
    assert not set(SEEDS) & {item for item in found if isinstance(item, int)}


@every
def test_no_array_of_labels_can_be_reached_from_a_problem(track, name):
    found = reachable(track.problem(load(name), 0))
    arrays = [item for item in found if isinstance(item, np.ndarray)]
    for secret in secret_arrays(name):
        assert not [a for a in arrays if a.shape == secret.shape and np.allclose(a, secret)]


def test_what_a_question_about_variables_is_marked_by_cannot_be_reached():
    task = load(TASKS[0])
    pose = variables_posed(task, 0)
    found = list(reachable(pose.problem))
    assert {"VariableQuestion", "VariablePairs"} <= {type(item).__name__ for item in found}
    names = {node.name for node in task.compiled.program.nodes} - INPUTS
    assert not names & {item for item in found if isinstance(item, str)}
    arrays = {item.tobytes() for item in found if isinstance(item, np.ndarray)}
    for key in pose.keys.values():
        secret = [*vars(key.held_out).values(), key.kinds, key.true.directions]
        assert not arrays & {array.tobytes() for array in secret}
    found = list(reachable(pose))
    for kind in (VariableKey, VariableMarks):
        assert any(isinstance(item, kind) for item in found)


@pytest.mark.parametrize(
    ("arm", "name"), [("model", "toy_superposition[n=5,d=2]"), ("independent", TASKS[1])]
)
def test_no_label_can_be_reached_where_the_problem_is_rows_alone(arm, name):
    track, task = FeaturesTrack(arm=arm), load(name)
    found = list(reachable(track.problem(task, 0)))
    assert {"FeaturesProblem", "StreamRows", "ndarray"} <= {type(item).__name__ for item in found}
    assert not [item for item in found if isinstance(item, (*SECRETS, ToyTask))]
    assert not [item for item in found if isinstance(item, str) and item.split("[")[0] in name]
    arrays = [item for item in found if isinstance(item, np.ndarray)]
    truths = list(track.posed(task, 0).truths.values())
    assert any(np.array_equal(array, truths[0].streams) for array in arrays)  # which is public
    secrets = [array for truth in truths for array in (truth.bases, truth.moves, truth.active)]
    secrets += [task.W, task.directions] if isinstance(task, ToyTask) else []
    for secret in secrets:
        for one in (secret, secret.T):
            assert not [a for a in arrays if a.shape == one.shape and np.allclose(a, one)]


@every
def test_nothing_hides_behind_an_array(track, name):
    """What an array is a view of holds no more than the array does."""
    for item in reachable(track.problem(load(name), 0)):
        if isinstance(item, np.ndarray) and isinstance(item.base, np.ndarray):
            assert item.base.size == item.size


def test_the_walk_would_find_what_it_looks_for():
    task = load(TASKS[0])

    class Leak:
        pass

    leak = Leak()
    kept = {"states": task.labels}
    leak.view = np.arange(9)[:3]
    leak.function = lambda: kept
    leak.method = task.labels.to_json
    found = list(reachable(leak))
    assert any(isinstance(item, CircuitLabels) for item in found)
    assert any(isinstance(item, np.ndarray) and item.size == 9 for item in found)
    found = list(reachable(task))
    for secret in (CircuitLabels, EdgeState, Program, SourceMap, TaskId):
        assert any(isinstance(item, secret) for item in found)
    assert set(SEEDS) & {item for item in found if isinstance(item, int)} == set(SEEDS)
    data = feature_data(task)
    directions = data.key(data.hooks[-1]).directions
    assert any(np.allclose(a, directions) for a in secret_arrays(TASKS[0]) if a.ndim == 2)


@every
def test_no_file_of_a_problem_tells(track, name):
    files = problem_files(track.name, track.public(track.problem(load(name), 0)))
    for path, content in files.items():
        text = content.decode(errors="ignore").lower()
        told = [word for word in (*WORDS, *map(str, SEEDS)) if word in text or word in path]
        assert not told, path
        assert not [state for state in STATES if f'"{state}"' in text], path
    variables = {one.name for one in load(name).compiled.source_map.variables}
    assert variables - INPUTS
    assert not [one for one in variables - INPUTS if f'"{one}"' in files["problem.json"].decode()]


def test_files_and_arrays_come_in_the_order_of_their_names():
    """So that their order says nothing."""
    for track in TRACKS.values():
        files = problem_files(track.name, track.public(track.problem(load(TASKS[0]), 0)))
        record = json.loads(files["problem.json"])
        assert list(record["arrays"]) == sorted(record["arrays"])
        header = files["data/inputs.safetensors"]
        names = json.loads(header[8 : 8 + int.from_bytes(header[:8], "little")])
        places = [names[name]["data_offsets"] for name in sorted(names)]
        assert places == sorted(places)


def test_nothing_around_a_command_tells(tmp_path):
    """Its environment, its arguments, its folder and the process that started it."""
    script = tmp_path / "tool.py"
    script.write_text(
        "import json, os, pathlib, sys\n"
        "problem, answer = map(pathlib.Path, sys.argv[1:])\n"
        "asked = json.loads((problem / 'problem.json').read_text())\n"
        "parent = pathlib.Path(f'/proc/{os.getppid()}/cmdline')\n"
        "seen = {'environment': dict(os.environ), 'arguments': sys.argv, 'here': os.getcwd(),\n"
        "        'parent': parent.read_text() if parent.exists() else '',\n"
        "        'beside': sorted(map(str, problem.parent.rglob('*')))}\n"
        "scores = dict.fromkeys(asked['answer']['names'], 0.0)\n"
        "told = {'format_version': '1.0', 'problem': asked['id'], 'scores': scores}\n"
        "(answer / 'answer.json').write_text(json.dumps({**told, 'settings': seen}))\n"
    )
    tool = CommandTool(f"{sys.executable} -S -E {script} {{problem}} {{answer}}")
    seen = scored(tool, TASKS[0]).result.told["settings"]
    assert any(path.endswith("problem/problem.json") for path in seen["beside"])
    text = json.dumps(seen).lower()
    assert not [word for word in (*WORDS, *map(str, SEEDS)) if word in text]
