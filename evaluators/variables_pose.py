"""Variables pose: which variables of a task are asked about, with what, and what is right.

**Asked about** are the variables that the model computes on the way to its answers: not `tokens`
and `indices`, which the embeddings write, not what is read out as the answer, whose place the
unembedding shows, not distractors, and none whose ceiling is too near its floor to tell who found
it. Which these are is measured on the pairs of one seed, and does not depend on that with which
the question is asked.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType

import numpy as np
from jaxtyping import Int

from ..compiler.component_graph import EMBED, POS_EMBED
from ..compiler.one_thread import one_thread
from ..compiler.source_map import PlacedVariable
from ..compiler.values import Encoding
from ..ground_truth import Task
from ..ground_truth.high_level_model import HighLevelModel
from ..ground_truth.variable_window import basis, hook_name, window
from .variables_floors import VariableMarks, marks, true_subspace
from .variables_metrics import InterchangeRuns
from .variables_pairs import PairSource, VariablePairs, split_domain
from .variables_problem import Subspace, VariableQuestion, VariablesProblem

N_TRAIN = 384
"""How many pairs there are to learn from."""
N_HELD_OUT = 192
"""On how many pairs an answer is measured."""
LEAST_ROOM = 0.1
"""A variable is asked about where its ceiling is at least so far above its floor."""
_SEED_OF_QUESTION = 0
_LEAST_INPUTS = 4


@dataclass(frozen=True, eq=False)
class VariableKey:
    """What answers about one variable are compared with.

    Attributes:
        held_out: the pairs on which they are measured.
        kinds: the kind of each of these pairs.
        true: the variable's own subspace.
        window: the places of the first and the last hook at which it can be interchanged.
        marks: floors and ceiling.
    """

    held_out: VariablePairs
    kinds: Int[np.ndarray, " pairs"]
    true: Subspace
    window: tuple[int, int]
    marks: VariableMarks


@dataclass(frozen=True, eq=False)
class VariablesPose:
    """A problem with what answers to it are compared with.

    Attributes:
        problem: what a tool sees.
        keys: by the name of the variable in the problem.
    """

    problem: VariablesProblem
    keys: Mapping[str, VariableKey]


def why_not(task: Task) -> str:
    """Return why there is no variable of a task to ask about; empty if there is one."""
    if task.training is not None:
        return "it was trained, and nothing is known of directions in its stream"
    if not _candidates(task):
        return "it computes nothing on the way to its answers"
    if len(task.domain.tokens) < _LEAST_INPUTS:
        return f"it must have {_LEAST_INPUTS} inputs or more, and has {len(task.domain.tokens)}"
    if not _asked(task):
        return "to do nothing, or to swap all of the stream, is as good as to swap any variable"
    return ""


def _candidates(task: Task) -> list[PlacedVariable]:
    """Return the variables that are computed on the way to the answers.

    Their order, that of a digest, tells nothing of the order in which they are computed.
    """
    source_map, model = task.compiled.source_map, HighLevelModel(task.compiled)
    names = [
        name
        for name in model.variables
        if model.is_relevant(name)
        and name not in source_map.outputs
        and source_map.by_name[name].writer not in (EMBED, POS_EMBED)
    ]
    names.sort(key=lambda name: hashlib.sha256(f"{task.labels.weights} {name}".encode()).digest())
    return [source_map.by_name[name] for name in names]


@lru_cache(maxsize=256)
def _asked(task: Task) -> frozenset[str]:
    """Return the variables that are asked about, whatever the seed."""
    return frozenset(
        name
        for name, (_, key) in _questions(task, _SEED_OF_QUESTION).items()
        if key.marks.ceiling - key.marks.floor >= LEAST_ROOM
    )


@lru_cache(maxsize=64)
def posed(task: Task, seed: int) -> VariablesPose:
    """Return the problem of a task with its keys; made once for all methods."""
    asked = _asked(task)
    found = [both for name, both in _questions(task, seed).items() if name in asked]
    names = [f"v{place}" for place in range(len(found))]
    model = task.compiled.model
    n_layers = model.weights.n_layers
    problem = VariablesProblem(
        model,
        tuple(hook_name(depth, n_layers) for depth in range(2 * n_layers + 1)),
        MappingProxyType(dict(zip(names, (question for question, _ in found), strict=True))),
        seed,
    )
    return VariablesPose(problem, dict(zip(names, (key for _, key in found), strict=True)))


@lru_cache(maxsize=64)
def _questions(task: Task, seed: int) -> Mapping[str, tuple[VariableQuestion, VariableKey]]:
    """Return the question about each candidate, and what its answers are compared with.

    Candidates of which there is no pair to learn from or none to measure on are left out.
    """
    parts = split_domain(task.domain, seed)
    found = {}
    with one_thread():
        learn, measure = (
            PairSource(task, part, np.random.default_rng([seed, 12, place]))
            for place, part in enumerate(parts)
        )
        for variable in _candidates(task):
            train, _ = learn.pairs(variable.name, N_TRAIN)
            held_out, kinds = measure.pairs(variable.name, N_HELD_OUT)
            if not len(train) or not len(held_out):
                continue
            found[variable.name] = _question(task, variable, train, held_out, kinds, seed)
    return found


def _question(
    task: Task,
    variable: PlacedVariable,
    train: VariablePairs,
    held_out: VariablePairs,
    kinds: np.ndarray,
    seed: int,
) -> tuple[VariableQuestion, VariableKey]:
    """Return the question about a variable, and what its answers are compared with."""
    compiled = task.compiled
    places = window(compiled.source_map, variable.name, compiled.model.weights.n_layers)
    most = len(basis(variable))
    true = true_subspace(task, variable.name, train.base)
    measured = marks(InterchangeRuns.of(compiled.model, held_out), true, places[0], most, seed)
    numbers = None
    if variable.encoding is Encoding.NUMERICAL:
        domain = compiled.program.nodes[variable.node].domain
        numbers = tuple(float(value) for value in domain.numbers)
    key = VariableKey(held_out, kinds, true, places, measured)
    return VariableQuestion(train, most, numbers), key
