"""Programs that combine truth values and route by conditions."""

from ..program_spec import ProgramSpec

PROGRAMS: tuple[ProgramSpec, ...] = ()
