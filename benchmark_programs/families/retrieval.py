"""Programs that look values up by keys."""

from ..program_spec import ProgramSpec

PROGRAMS: tuple[ProgramSpec, ...] = ()
