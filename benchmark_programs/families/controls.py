"""Controls: programs on which the right answer to some question is "none"."""

from ..program_spec import ProgramSpec

PROGRAMS: tuple[ProgramSpec, ...] = ()
