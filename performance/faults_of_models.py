"""Faults of weights: one number of a certified model changed, whose labels are then not true.

The model is that of a task. Its labels are checked twice: as they are, when they belong to other
weights by their digest; and with the digest of the changed weights, when only their certificates
can tell. Some numbers matter to no answer. So where nothing is found, every edge is interchanged
between all pairs of inputs, on both models, and all answers must be the same: then the labels are
true of the changed model too.
"""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from trial import Attempt, Trial, survived, told

from glassbench.compiler import CompiledModel, ComponentGraph, interchange, run
from glassbench.ground_truth import CircuitLabels, Task, load, verify
from glassbench.ground_truth.digest import weights_digest

TASKS = (
    "histogram[vocab=3,length=3]",
    "sort[vocab=3,length=3]/scrambled[seed=1]",
    "frac_prevs[vocab=3,length=3]/crowded[distractors=1]/scrambled[seed=1]",
)
KIND = "weights"
REPEATS = 3
HARMLESS = "every interchange of every edge answers as before"

Verifier = Callable[[CompiledModel, CircuitLabels], list[str]]


def trials(verifier: Verifier = verify, seed: int = 0) -> Iterator[Trial]:
    """Yield all trials of weights.

    Args:
        verifier: what must find labels wrong.
        seed: draws which numbers are changed.
    """
    draw = random.Random(seed)
    tasks = [load(name) for name in TASKS]
    some = [case for task in tasks for case in cases(task, draw)]
    known = [told(what, lambda m=m, t=t: verifier(m, t.labels)) for what, t, m in some]
    yield Trial(KIND, "one number of the weights times -0.5", tuple(known))
    certified = [_by_certificates(what, task, model, verifier) for what, task, model in some]
    what = "the same, with the digest of these weights: found, or true of them by trying all"
    yield Trial(KIND, what, tuple(certified))


def cases(task: Task, draw: random.Random) -> Iterator[tuple[str, Task, CompiledModel]]:
    """Yield models with one number changed: some of every array, none of them zero."""
    weights = task.compiled.model.weights
    for name, array in weights.arrays():
        places = np.flatnonzero(array)
        for place in draw.sample(places.tolist(), min(REPEATS, len(places))):
            changed = array.copy()
            changed.flat[place] *= -0.5
            index = tuple(int(one) for one in np.unravel_index(place, array.shape))
            model = replace(task.compiled.model, weights=replace(weights, **{name: changed}))
            what = f"{task.id.name}, {name}{list(index)}"
            yield what, task, replace(task.compiled, model=model)


def _by_certificates(what: str, task: Task, changed: CompiledModel, verifier: Verifier) -> Attempt:
    digest = weights_digest(changed.model.weights)
    labels = task.labels.model_copy(update={"weights": digest})
    found = told(what, lambda: verifier(changed, labels))
    if found.is_caught:
        return found
    edge = other_edge(task, changed)
    return survived(what, edge and f"no problem was found, and {edge} answers otherwise", HARMLESS)


def other_edge(task: Task, changed: CompiledModel) -> str:
    """Return an edge whose interchange gives another answer than before, empty if none does."""
    model, other = task.compiled.model, changed.model
    tokens = task.domain.tokens
    base, source = (each.ravel() for each in np.indices((len(tokens), len(tokens))))
    graph = ComponentGraph.of(model.weights)
    runs = [[run(m.weights, tokens[rows]) for rows in (base, source)] for m in (model, other)]
    real = model.codec.is_real(tokens[base])
    for edge in graph.edges:
        place = graph.writer_index[edge.writer.name]
        answers = []
        for one, (here, there) in zip((model, other), runs, strict=True):
            delta = there.contributions[place] - here.contributions[place]
            logits = interchange(one.weights, graph, here, edge.reader, delta)
            answers.append(one.codec.decode_ids(logits)[real])
        if not np.array_equal(*answers):
            return edge.name
    return ""
