"""The registry: every program of the library, by name and version."""

from collections.abc import Mapping
from types import MappingProxyType

from ..errors import TaskError
from . import brackets, counting, moving, patterns, running_statistics, sorting
from .program_spec import ProgramSpec
from .suggestion import unknown_name

_ALL: tuple[ProgramSpec, ...] = (
    *counting.PROGRAMS,
    *sorting.PROGRAMS,
    *moving.PROGRAMS,
    *running_statistics.PROGRAMS,
    *brackets.PROGRAMS,
    *patterns.PROGRAMS,
)


def programs() -> Mapping[str, ProgramSpec]:
    """Return the newest version of every program, by name."""
    newest: dict[str, ProgramSpec] = {}
    for spec in sorted(_ALL, key=lambda spec: spec.version):
        newest[spec.name] = spec
    return MappingProxyType({spec.name: newest[spec.name] for spec in _ALL})


def get_program(name: str, version: int | None = None) -> ProgramSpec:
    """Return a program by name, in its newest version unless another is asked for.

    Raises:
        TaskError: there is no such program, or no such version of it.

    Example:
        >>> get_program("sort").length
        5
    """
    versions = {spec.version: spec for spec in _ALL if spec.name == name}
    if not versions:
        raise TaskError(unknown_name("program", name, programs()))
    chosen = max(versions) if version is None else version
    if chosen not in versions:
        raise TaskError(
            f"There is no version {chosen} of program {name!r}. "
            f"Known: {', '.join(f'{name}-v{known}' for known in sorted(versions))}."
        )
    return versions[chosen]
