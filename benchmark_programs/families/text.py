"""Programs that read tokens as a text."""

from ..program_spec import ProgramSpec

PROGRAMS: tuple[ProgramSpec, ...] = ()
