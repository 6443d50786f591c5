"""Scoring: a method and a task in, a result out.

`score` asks one method one question; `score_suite` asks several methods about all
tasks of a suite, with the prior floor learned from the other tasks. A method that
fails on a task of a suite gets a result that says so, and the others go on. What is asked,
and how an answer is measured, is the track's to say. `scored` and `scored_suite` return the
answers too, to be kept beside the results. A method can also be a `Tool`, such as a command in
any language.
"""

import hashlib
import importlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import JsonValue

from ..benchmark_programs import unknown_name
from ..errors import AnswerError, GlassbenchError, TaskError, ToolError, listing
from ..ground_truth import load
from .adapters import ADAPTERS
from .environment import Environment
from .kept_answer import KeptAnswer
from .method import Method
from .methods import BUILT_IN, built_in
from .result import MOST_ERROR, Result
from .tool import Reply, Tool
from .track import AnyTask, Priors, Track
from .tracks import CIRCUIT, find_track

AnyMethod = str | Method | Tool | Callable[[Any], Any]
"""A built-in method or an adapter by name, `module:function`, a function from a problem to an
answer, or a tool."""


@dataclass(frozen=True, eq=False)
class Scored:
    """A result with the answer that earned it.

    Attributes:
        result: the numbers.
        answer: as it is kept; `None` where the tool gave none.
    """

    result: Result
    answer: KeptAnswer | None = None

    def write(self, folder: str | os.PathLike[str]) -> Path:
        """Write the answer and then the result into `folder`, and return the path of the result.

        Raises:
            BundleError: they cannot be written.
        """
        if self.answer is not None:
            self.answer.write(folder, self.result.file_name)
        return self.result.write(folder)


def find_method(method: AnyMethod) -> Method | Tool:
    """Return a method by name, by `module:function`, or from a function; or a tool.

    Names are those of built-in methods and of `ADAPTERS`.

    Raises:
        ToolError: the module or function cannot be imported, or is no function; or what an
            adapter needs is not installed.
        TaskError: there is no method of that name.
    """
    if isinstance(method, Method | Tool):
        return method
    if callable(method):
        name = getattr(method, "__name__", type(method).__name__)
        return Method(name, method, "", "not stated")
    if not isinstance(method, str):
        raise ToolError(f"A method must be a function or a name, got {type(method).__name__}")
    if ":" not in method:
        if method in ADAPTERS:
            ADAPTERS[method].check()
            return ADAPTERS[method]
        if method not in BUILT_IN:
            raise TaskError(
                unknown_name("method", method, [*BUILT_IN, *ADAPTERS])
                + " A method of your own is named module:function."
            )
        return BUILT_IN[method]
    module, _, function = method.partition(":")
    try:
        found = getattr(importlib.import_module(module), function)
    except (Exception, SystemExit) as error:
        raise ToolError(
            f"A method must be an importable module:function, and {method!r} cannot be imported: "
            f"{type(error).__name__}: {error}; mend the module, run from the folder that holds "
            "it, or install it"
        ) from error
    if isinstance(found, Method | Tool):
        return found
    if not callable(found):
        raise ToolError(f"{method!r} must be a function of a problem, got {type(found).__name__}")
    return Method(method, found, "", "not stated")


def several_methods(
    methods: AnyMethod | Sequence[AnyMethod],
) -> list[tuple[AnyMethod, Method | Tool]]:
    """Return what was given with what it stands for, each method once with its settings.

    Raises:
        TaskError: two methods have one name and the same settings.
    """
    several = (
        methods if isinstance(methods, Sequence) and not isinstance(methods, str) else [methods]
    )
    found: dict[tuple[str, str], tuple[AnyMethod, Method | Tool]] = {}
    for given in several:
        method = find_method(given)
        _, known = found.setdefault((method.name, str(settings_of(method))), (given, method))
        if known != method:
            raise TaskError(
                f"Every method must have a name of its own, and two are called {method.name!r}; "
                "wrap one in glassbench.evaluators.Method, with another name"
            )
    return list(found.values())


def answers(method: Method | Tool, track: Track) -> bool:
    """Return whether a method can be asked on a track."""
    return getattr(method, "track", None) in (None, track.name)


def check_track(method: Method | Tool, track: Track) -> None:
    """Check that a method answers what is asked.

    Raises:
        TaskError: it answers another track.
    """
    if not answers(method, track):
        own = getattr(method, "track", None)
        raise TaskError(
            f"The method {method.name!r} answers the {own} track, and the {track.name} "
            f"track was asked; ask with --track {own} (track={own!r}), or take "
            f"one that answers it: {', '.join(built_in(track.name))}"
        )


def check_seeds(seeds: Sequence[object]) -> None:
    """Check that seeds can draw problems.

    Raises:
        TaskError: there is none, or some is no integer from 0 on.
    """
    wrong = [
        seed
        for seed in seeds
        if not isinstance(seed, int | np.integer) or isinstance(seed, bool) or seed < 0
    ]
    if wrong or not seeds:
        raise TaskError(
            f"Seeds must be integers from 0 on, and at least one, got {wrong or list(seeds)}"
        )


def _check_asked(track: Track, tasks: Sequence[AnyTask], seed: int, priors: Priors | None) -> None:
    """Check that tasks can be asked about, and that prior floors that are given are theirs.

    Raises:
        TaskError: they cannot, or are not.
    """
    track.check(tasks)
    check_seeds([seed])
    if not priors:
        return
    if not track.has_priors:
        raise TaskError(f"The {track.name} track learns no prior floors, so give none to it")
    of_some_metric = {task for prior in priors.values() for task in prior.answers[prior.best]}
    lacking = [str(task.id) for task in tasks if str(task.id) not in of_some_metric]
    if lacking:
        raise TaskError(
            listing("Prior floors must be of every task, and of these are none:", lacking)
        )


def score(
    method: AnyMethod,
    task: str | AnyTask,
    track: str | Track = CIRCUIT,
    *,
    seed: int = 0,
    priors: Priors | None = None,
) -> Result:
    """Score a method on a task.

    Args:
        method: a function from a problem to an answer, a built-in name, or
            `module:function`.
        task: a task or its id.
        track: the question, by name or as an object such as `FeaturesTrack(arm="independent")`.
        seed: draws what the problem holds.
        priors: the prior floor of each metric, learned over a suite; without it
            the floor is the random one.

    Raises:
        AnswerError: the answer cannot be scored; every problem is named.
        ToolError: the method raised.
        TaskError: there is no such task, method or track, or the task does not pose the question,
            or the method answers another.
    """
    return scored(method, task, track, seed=seed, priors=priors).result


def scored(
    method: AnyMethod,
    task: str | AnyTask,
    track: str | Track = CIRCUIT,
    *,
    seed: int = 0,
    priors: Priors | None = None,
) -> Scored:
    """Return the result of a method on a task, with its answer; as `score` otherwise."""
    track = find_track(track)
    method = find_method(method)
    check_track(method, track)
    task = load(task) if isinstance(task, str) else task
    _check_asked(track, [task], seed, priors)
    found, error = attempted(method, task, track, seed, priors or {})
    if error is not None:
        raise error
    return found


def attempted(
    method: Method | Tool, task: AnyTask, track: Track, seed: int, priors: Priors
) -> tuple[Scored, GlassbenchError | None]:
    """Return the result of a method on a task, and why it has no answer, if it has none."""
    problem = track.problem(task, seed)
    if isinstance(method, Tool):
        reply = method.ask(track, problem)
    else:
        reply = _called(method, problem, str(task.id))
    error = reply.error
    if error is None:
        try:
            checked = track.checked(problem, reply.answer)
            measures = track.measures(checked, task, seed, priors)
        except (AnswerError, ToolError) as raised:
            error = raised
    if error is not None:
        status = "failed" if reply.status == "ok" else reply.status
        failed = _result(method, task, track, seed, reply, status=status, error=_said(error))
        return Scored(failed), error
    result = _result(
        method,
        task,
        track,
        seed,
        reply,
        metrics=dict(measures.metrics),
        reported=dict(measures.reported),
        answer_sha256=hashlib.sha256(track.answer_bytes(checked)).hexdigest(),
    )
    return Scored(result, KeptAnswer.of(result, track.content(checked))), None


def refused(
    method: Method | Tool, task: AnyTask, track: Track, seed: int, error: GlassbenchError
) -> Scored:
    """Return the result of a method that gave no answer, with the reason and no seconds."""
    return Scored(_result(method, task, track, seed, Reply(), status="failed", error=_said(error)))


def _said(error: Exception) -> str:
    """Return what an error says, as Unicode text of some length: both can be a tool's to choose."""
    text = str(error).encode(errors="backslashreplace").decode()
    more = f" ... and {len(text) - MOST_ERROR:,} characters more" if len(text) > MOST_ERROR else ""
    return text[:MOST_ERROR] + more


def _called(method: Method, problem: Any, task: str) -> Reply:
    """Return what a function says to a problem."""
    started = time.perf_counter()
    try:
        answer = method.function(problem)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - a method may fail in its own way
        failure = ToolError(
            f"The method {method.name!r} must return an answer, and on {task} it raised "
            f"{type(error).__name__}: {error}"
        )
        failure.__cause__ = error
        return Reply(error=failure, status="failed", seconds=time.perf_counter() - started)
    return Reply(answer, seconds=time.perf_counter() - started)


def _result(
    method: Method | Tool, task: AnyTask, track: Track, seed: int, reply: Reply, **outcome: Any
) -> Result:
    """Return a result with what is the same for every outcome filled in."""
    environment = Environment.here()
    is_ours = isinstance(method, Method) and method.name in BUILT_IN
    return Result(
        tool=method.name,
        tool_version=environment.packages.get("glassbench") if is_ours else reply.version,
        settings=dict(settings_of(method)),
        task=str(task.id),
        task_digest=track.digest(task),
        track=track.name,
        question=dict(track.question),
        seed=seed,
        primary=track.primary,
        wall_seconds=reply.seconds,
        peak_memory_mb=reply.peak_memory_mb,
        told=dict(reply.told),
        environment=environment,
        **outcome,
    )


def settings_of(method: Method | Tool) -> Mapping[str, JsonValue]:
    """Return what tells a method from others of its name."""
    return method.settings if isinstance(method, Tool) else {}


def score_suite(
    methods: AnyMethod | Sequence[AnyMethod],
    tasks: Sequence[AnyTask | str],
    track: str | Track = CIRCUIT,
    *,
    seed: int = 0,
    priors: Priors | None = None,
) -> Iterator[Result]:
    """Yield the result of every method on every task, method by method.

    Failures of a method are results with status `failed`.

    Raises:
        ToolError: a method cannot be imported.
        TaskError: there is no such method or track, some task does not pose the question, or a
            method answers another.
    """
    for one in scored_suite(methods, tasks, track, seed=seed, priors=priors):
        yield one.result


def scored_suite(
    methods: AnyMethod | Sequence[AnyMethod],
    tasks: Sequence[AnyTask | str],
    track: str | Track = CIRCUIT,
    *,
    seed: int = 0,
    priors: Priors | None = None,
) -> Iterator[Scored]:
    """Yield the results of every method on every task with their answers; as `score_suite`."""
    track = find_track(track)
    found = [method for _, method in several_methods(methods)]
    for method in found:
        check_track(method, track)
    if isinstance(tasks, str):
        raise TaskError(f"Tasks must be several, got {tasks!r}; name each, as in [{tasks!r}]")
    loaded = [load(task) if isinstance(task, str) else task for task in tasks]
    _check_asked(track, loaded, seed, priors)
    priors = track.priors(loaded) if priors is None else priors
    for method in found:
        for task in loaded:
            yield attempted(method, task, track, seed, priors)[0]
