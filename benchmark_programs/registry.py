"""The registry: every program, of the library and of installed packages, by name and version.

A package of yours adds programs through an entry point that names a `ProgramSpec`, or a
sequence of them:

    [project.entry-points."glassbench.programs"]
    mine = "my_package.my_module:PROGRAMS"
"""

import logging
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib.metadata import EntryPoint, entry_points
from types import MappingProxyType

from ..errors import TaskError
from .families import LIBRARY
from .fresh import fresh_program, is_fresh
from .program_spec import ProgramSpec
from .suggestion import unknown_name
from .suite_names import SUITE_NAMES
from .toy_id import TOY

ENTRY_POINTS = "glassbench.programs"

_LOG = logging.getLogger(__name__)


@lru_cache(maxsize=1)
def _registered() -> tuple[ProgramSpec, ...]:
    """Return the library's programs, then those of installed packages."""
    found = list(LIBRARY)
    for entry in sorted(entry_points(group=ENTRY_POINTS), key=lambda entry: entry.name):
        found += _specs_of(entry, {TOY, *(spec.name for spec in found)})
    return tuple(found)


def _specs_of(entry: EntryPoint, taken: set[str]) -> list[ProgramSpec]:
    """Return the programs of an entry point; one that cannot be used is told and left out."""
    try:
        given = entry.load()
    except Exception as error:  # noqa: BLE001 - whatever a package of others raises
        _LOG.warning("The programs of %s (%s) cannot be imported: %s", entry.name, entry, error)
        return []
    if isinstance(given, ProgramSpec):
        given = (given,)
    if not isinstance(given, Iterable):
        given = [given]
    specs = []
    for spec in given:
        if not isinstance(spec, ProgramSpec):
            _LOG.warning(
                "The entry point %s must name a ProgramSpec or several, got %r", entry.name, spec
            )
        elif is_fresh(spec.name):
            _LOG.warning(
                "The program %r of %s is left out: names of that form are those of programs drawn "
                "at random; rename it",
                spec.name,
                entry.name,
            )
        elif spec.name in taken:
            _LOG.warning(
                "The program %r of %s is left out: there is one of that name; rename it",
                spec.name,
                entry.name,
            )
        else:
            specs.append(spec)
    return specs


def library() -> tuple[ProgramSpec, ...]:
    """Return the newest version of every program that Glassbench itself brings."""
    names = {spec.name for spec in LIBRARY}
    return tuple(spec for name, spec in programs().items() if name in names)


def programs() -> Mapping[str, ProgramSpec]:
    """Return the newest version of every program, by name."""
    newest: dict[str, ProgramSpec] = {}
    for spec in sorted(_registered(), key=lambda spec: spec.version):
        newest[spec.name] = spec
    return MappingProxyType({spec.name: newest[spec.name] for spec in _registered()})


def get_program(name: str, version: int | None = None) -> ProgramSpec:
    """Return a program by name, in its newest version unless another is asked for.

    A name such as `fresh_medium_7_13` stands for a program that is drawn here and now.

    Raises:
        TaskError: there is no such program, or no such version of it.

    Example:
        >>> get_program("sort").length
        5
    """
    if is_fresh(name):
        return fresh_program(name, version)
    if name == TOY:
        raise TaskError(
            f"This needs a program, and {TOY} is a toy model, which has no program, no circuit and "
            "no bundle; load it with glassbench.load, or score methods on it with --track features"
        )
    versions = {spec.version: spec for spec in _registered() if spec.name == name}
    if not versions and name in SUITE_NAMES:
        raise TaskError(f"{name!r} is a suite, not a task. See: glassbench list --suite {name}.")
    if not versions:
        raise TaskError(unknown_name("program", name, [*programs(), TOY]))
    chosen = max(versions) if version is None else version
    if chosen not in versions:
        raise TaskError(
            f"There is no version {chosen} of program {name!r}. "
            f"Known: {', '.join(f'{name}-v{known}' for known in sorted(versions))}."
        )
    return versions[chosen]
