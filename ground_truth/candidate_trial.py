"""Candidate trials: whether a fresh program is worth being a task, the cheap ways first.

Each trial is of one candidate and knows of no other, so that several processes can work.
"""

import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from ..benchmark_programs import Regimes, TaskId, get_program
from ..benchmark_programs.behaviour import behaviour
from ..benchmark_programs.fresh import DIFFICULTIES, GENERATOR_VERSION, FreshName, candidate
from ..benchmark_programs.random_draws import Draws
from ..compiler import CompiledModel, compile_program
from ..compiler.values import Value
from ..errors import CertificationError, ProgramError, SufficiencyError, TaskError
from .circuit_labels import EdgeState
from .interchange_pairs import TaskDomain
from .liveness import live_heads, live_hops, liveness, proof_cost
from .measure import measure
from .task import Task
from .task_building import build_model, certified

PROOF_COST = 50_000
"""The most interchanges that proofs for the quiet edges of a bare model may take."""

STAGES = ("draw", "compare", "compile", "liveness", "certify")
_SEEDS = 2**62
JOINT = "some edges of it matter only together"
_LOG = logging.getLogger(__name__)


@dataclass(frozen=True)
class Screened:
    """What is seen of a candidate without compiling it.

    Attributes:
        name: the candidate.
        defect: why it is no program; empty if it is.
        behaviour: the digest of its answers; empty if it is no program.
        vocabulary: its tokens.
        length: its greatest length.
        seconds: of processor time, by stage.
    """

    name: FreshName
    defect: str
    behaviour: str
    vocabulary: tuple[Value, ...]
    length: int
    seconds: Mapping[str, float]


@dataclass(frozen=True)
class Trial:
    """What became of a candidate that was compiled.

    Attributes:
        name: the candidate.
        task: the task, if it is one.
        reason: why not; empty if it is one.
        failure: on what program and weights differ; empty if they do not.
        seconds: of processor time, by stage.
    """

    name: FreshName
    task: Task | None
    reason: str
    failure: str
    seconds: Mapping[str, float]


class _Clock:
    """Sums up seconds of processor time by stage."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._last = time.process_time()

    def stop(self, stage: str) -> None:
        """Add the time since the last stop to a stage."""
        now = time.process_time()
        self.seconds[stage] = self.seconds.get(stage, 0.0) + now - self._last
        self._last = now


def screened(name: FreshName) -> Screened:
    """Draw a candidate, and look at its values."""
    clock = _Clock()
    found = candidate(name)
    clock.stop("draw")
    spec = found.spec
    digest = "" if found.defect or found.program is None else behaviour(found.program)
    clock.stop("compare")
    vocabulary = tuple(spec.vocabulary(spec.vocab))
    return Screened(name, found.defect, digest, vocabulary, spec.length, clock.seconds)


def tried(name: FreshName, regimes: Regimes) -> Trial:
    """Compile a candidate, look at what lives in it, and certify it."""
    clock = _Clock()
    task, reason, failure = None, "", ""
    try:
        with _quiet():
            reason = _shortcoming(name, clock)
            if not reason:
                task_id, compiled = _built(name, regimes)
                clock.stop("compile")
                reason = _inexact(compiled)
        if not reason:
            task = certified(task_id, compiled)
            reason = _certified_shortcoming(name, task)
    except ProgramError as error:
        reason = "the compiler refuses it"
        _LOG.info("%s: %s", name, error)
    except SufficiencyError as error:
        reason = JOINT
        _LOG.info("%s: %s", name, error)
    except CertificationError as error:
        reason = "its labels cannot be certified"
        failure = f"{name}: {error}"
        _LOG.info("%s: %s", name, error)
    except TaskError as error:
        reason = "it poses no question"
        _LOG.info("%s: %s", name, error)
    clock.stop("certify")
    return Trial(name, None if reason else task, reason, failure, clock.seconds)


def _shortcoming(name: FreshName, clock: _Clock) -> str:
    """Return what the bare model of a candidate lacks; empty if nothing."""
    spec, least = get_program(str(name)), DIFFICULTIES[name.difficulty]
    vocabulary = spec.vocabulary(spec.vocab)
    compiled = compile_program(
        spec.build(vocabulary, spec.length), vocabulary, spec.length, causal=spec.causal
    )
    clock.stop("compile")
    if _inexact(compiled):
        return _inexact(compiled)
    wired = [edge for edge, carried in compiled.source_map.carried.items() if carried]
    if _too_small(name, wired):  # and what is alive is smaller still
        return _too_small(name, wired)
    domain = TaskDomain.of(compiled)
    found = liveness(compiled, domain)
    if found.dead_heads:
        reason = "a head of it does nothing"
    elif len(found.live) > least.most_edges:
        reason = "its circuit is larger than is asked for"
    else:
        reason = _too_small(name, found.live)
    if not reason and proof_cost(compiled, domain, found) > PROOF_COST:
        reason = "proofs for its edges would take long"
    clock.stop("liveness")
    return reason


def _too_small(name: FreshName, live: Sequence[str]) -> str:
    """Return what a circuit lacks; empty if nothing."""
    least = DIFFICULTIES[name.difficulty]
    if len(live_heads(live)) < least.heads:
        return "fewer live heads than are asked for"
    if live_hops(live) < least.hops:
        return "fewer hops than are asked for"
    return "fewer live edges than are asked for" if len(live) < least.edges else ""


def _built(name: FreshName, regimes: Regimes) -> tuple[TaskId, CompiledModel]:
    """Return the id and the model of a candidate's task."""
    spec = get_program(str(name))
    chain = tuple((regime, _own(name, regime, parameters)) for regime, parameters in regimes)
    task = TaskId(spec.name, spec.version, tuple(spec.defaults.items()), chain)
    return task, build_model(task)


def _own(
    name: FreshName, regime: str, parameters: tuple[tuple[str, int], ...]
) -> tuple[tuple[str, int], ...]:
    """Return the parameters of a regime for one candidate.

    Its seed follows from the name and the seed that is given, and from neither alone: who
    does not know the seed of the sample knows neither places nor coordinates.
    """
    terms = (name.difficulty, name.seed, name.draw, regime)
    own = Draws("glassbench", GENERATOR_VERSION, *terms, dict(parameters)["seed"])
    return tuple((key, own.below(_SEEDS) if key == "seed" else value) for key, value in parameters)


def _inexact(compiled: CompiledModel) -> str:
    """Return why a model may not be used in float32; empty if it may."""
    return "" if compiled.margins.float32 >= 1 else "it is not sure to be exact in float32"


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the compiler from warning of margins, which are looked at here."""
    logger = logging.getLogger(compile_program.__module__)
    logger.addFilter(_is_error)
    try:
        yield
    finally:
        logger.removeFilter(_is_error)


def _is_error(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.ERROR


def _certified_shortcoming(name: FreshName, task: Task) -> str:
    """Return what a certified circuit lacks; empty if nothing."""
    causal = [edge for edge, state in task.labels.states.items() if state is EdgeState.CAUSAL]
    if measure(task).shortcomings:
        return "methods could not be ranked on it"
    return _too_small(name, causal)
