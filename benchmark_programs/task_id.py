"""TaskId: the name of a task, which says everything needed to build it again.

    histogram-v1[vocab=6,length=8]/crowded[distractors=3,seed=0]/scrambled[seed=0]

A program and its version, its size, and the regimes that its model goes through,
in that order. Sizes that are the program's defaults are left out; a name without
version means the newest one. A size may be given by its name, as in `histogram[large]`.
Each task has exactly one canonical text.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from ..errors import TaskError, listing
from .program_spec import LENGTH, VOCAB, ProgramSpec
from .registry import get_program, programs
from .suggestion import unknown_name

EXACT = "exact"
CROWDED = "crowded"
SCRAMBLED = "scrambled"
SUPERPOSED = "superposed"
TRAINED = "trained"
REGIMES: Mapping[str, Mapping[str, int | None]] = {
    EXACT: {},
    CROWDED: {"distractors": 4, "seed": 0},
    SCRAMBLED: {"seed": 0},
    SUPERPOSED: {"d": None, "seed": 0},
    TRAINED: {"d": 32, "heads": 4, "spare_layers": 0, "layer_norm": 0, "seed": 0},
}
"""The regimes, each with its parameters in canonical order and their defaults; a parameter
without one must be given."""

# One part of a task id; the parts are separated by slashes.
_PART = re.compile(
    r"(?P<name>[a-z][a-z0-9_]*)"
    r"(?:-v(?P<version>[1-9][0-9]{0,8}))?"
    r"(?:\[(?P<parameters>[a-z]+|[a-z_]+=[0-9]{1,40}(?:,[a-z_]+=[0-9]{1,40})*)\])?",
    re.ASCII,
)
_GRAMMAR = "name-vN[vocab=N,length=N]/regime[key=N,...]/..."

Parameters = tuple[tuple[str, int], ...]

Regimes = tuple[tuple[str, Parameters], ...]
"""Regimes in order, each with all its parameters in canonical order."""


def parse_regimes(text: str) -> Regimes:
    """Return the regimes that a text such as `crowded[seed=1]/scrambled` names.

    Every default is filled in; `exact`, like no text at all, stands for no regime.

    Raises:
        TaskError: the text does not name regimes in their order; all problems are listed.

    Example:
        >>> parse_regimes("scrambled")
        (('scrambled', (('seed', 0),)),)
    """
    matches = [_PART.fullmatch(part) for part in text.strip().split("/")] if text.strip() else []
    if any(match is None or match["version"] for match in matches):
        raise TaskError(f"Regimes must read regime[key=N,...]/..., got {text!r}.")
    problems: list[str] = []
    regimes = [_read_regime(m["name"], m["parameters"], problems) for m in matches if m]
    if problems:
        raise TaskError(listing(f"The regimes {text!r} cannot be read:", problems))
    return _in_order(regimes, text)


def write_regimes(regimes: Regimes) -> str:
    """Return regimes as they stand in a task id, each with a slash before it.

    Example:
        >>> write_regimes(parse_regimes("crowded/scrambled[seed=3]"))
        '/crowded[distractors=4,seed=0]/scrambled[seed=3]'
    """
    return "".join(f"/{name}{_written(parameters)}" for name, parameters in regimes)


def last_regime(regimes: Regimes) -> str:
    """Return the name of the last regime, which says how labels are made: `exact` if there is none.

    Example:
        >>> last_regime(parse_regimes("crowded/scrambled"))
        'scrambled'
    """
    return regimes[-1][0] if regimes else EXACT


@dataclass(frozen=True)
class TaskId:
    """A task by name; make one with `parse`.

    Attributes:
        name: the program.
        version: the version of the program.
        parameters: all size parameters, in canonical order.
        regimes: the regimes in order, each with all its parameters in canonical
            order; empty for the model as compiled.
    """

    name: str
    version: int
    parameters: Parameters
    regimes: Regimes = ()

    @classmethod
    def parse(cls, text: str) -> "TaskId":
        """Return the task that `text` names, with every default filled in.

        Raises:
            TaskError: the text is not a task id, or names a program, a version, a
                regime or a parameter that does not exist; all problems are listed.

        Example:
            >>> print(TaskId.parse("histogram[length=8]/scrambled"))
            histogram-v1[vocab=4,length=8]/scrambled[seed=0]
        """
        matches = [_PART.fullmatch(part) for part in text.strip().split("/")]
        if not all(matches) or any(match and match["version"] for match in matches[1:]):
            raise TaskError(_unreadable(text))
        first, *others = [match for match in matches if match]
        spec = get_program(first["name"], int(first["version"]) if first["version"] else None)
        problems: list[str] = []
        chosen = _read_size(first["parameters"], spec, problems)
        problems += spec.problems(chosen)
        regimes = [_read_regime(m["name"], m["parameters"], problems) for m in others]
        if problems:
            raise TaskError(listing(f"The task id {text!r} cannot be read:", problems))
        kept = _in_order(regimes, text)
        return cls(spec.name, spec.version, tuple(spec.parameters(chosen).items()), kept)

    def __str__(self) -> str:
        default = dict(self.parameters) == dict(self.spec.defaults)
        size = "" if default else _written(self.parameters)
        return f"{self.name}-v{self.version}{size}{write_regimes(self.regimes)}"

    @property
    def spec(self) -> ProgramSpec:
        """The program, in the version of this task."""
        return get_program(self.name, self.version)

    @property
    def vocab(self) -> int:
        """The number of tokens."""
        return dict(self.parameters)[VOCAB]

    @property
    def length(self) -> int:
        """The greatest length of a sequence."""
        return dict(self.parameters)[LENGTH]


def _unreadable(text: str) -> str:
    """Return the message for a text that is no task id, with the nearest program if any."""
    program = re.split(r"[\[/]", text.strip().lower())[0].replace(" ", "_")
    nearest = get_close_matches(program, programs(), n=1)
    question = f" Did you mean {nearest[0]!r}?" if nearest else ""
    return f"A task id must read {_GRAMMAR}, got {text!r}.{question}"


def _in_order(regimes: Sequence[tuple[str, Parameters]], text: str) -> Regimes:
    """Return regimes without `exact`, or raise if they do not stand in their order."""
    kept = tuple(regime for regime in regimes if regime[0] != EXACT)
    order = [name for name in REGIMES if name in dict(kept)]
    if [name for name, _ in kept] != order:
        raise TaskError(
            f"Regimes must stand once each, in the order {' then '.join(order)}, got {text!r}."
        )
    if TRAINED in order and len(order) > 1:
        raise TaskError(
            f"An ordinary model is trained to run the program itself: {TRAINED} must stand alone, "
            f"got {text!r}."
        )
    return kept


def _written(parameters: Parameters) -> str:
    return f"[{','.join(f'{key}={value}' for key, value in parameters)}]" if parameters else ""


def _read_size(text: str | None, spec: ProgramSpec, problems: list[str]) -> dict[str, int]:
    """Return the size that `key=N,...` or the name of a size stands for."""
    if text is None or "=" in text:
        return _read_parameters(text, spec.name, problems)
    named = spec.sizes._asdict()
    if text not in named:
        problems.append(unknown_name("size", text, named))
        return {}
    return dict(zip(spec.defaults, named[text], strict=True))


def _read_parameters(text: str | None, owner: str, problems: list[str]) -> dict[str, int]:
    """Return `key=N,...` as a dictionary, and note keys that stand twice."""
    chosen: dict[str, int] = {}
    for item in text.split(",") if text else ():
        key, equals, value = item.partition("=")
        if not equals:
            problems.append(f"{owner}: parameters read key=N, got {item!r}.")
            continue
        if key in chosen:
            problems.append(f"{owner}: {key} must stand once, got it twice.")
        chosen[key] = int(value)
    return chosen


def _read_regime(name: str, text: str | None, problems: list[str]) -> tuple[str, Parameters]:
    """Return a regime with all its parameters in canonical order, and note what is wrong."""
    if name not in REGIMES:
        problems.append(unknown_name("regime", name, REGIMES))
        return name, ()
    chosen = _read_parameters(text, name, problems)
    defaults = REGIMES[name]
    for key in chosen:
        if key not in defaults:
            known = ", ".join(defaults) or "none"
            problems.append(f"{name}: there is no parameter {key!r}. Known: {known}.")
    for key, value in defaults.items():
        if value is None and key not in chosen:
            problems.append(f"{name}: {key} must be given, as in {name}[{key}=8].")
    return name, tuple((key, chosen.get(key, value or 0)) for key, value in defaults.items())
