"""Programs that calculate with the values of tokens."""

from ..program_spec import ProgramSpec

PROGRAMS: tuple[ProgramSpec, ...] = ()
