"""The library of RASP programs, and the names of the tasks made of them.

Programs stand in files by family. Each is a `ProgramSpec`: the expression for any
vocabulary and length, the same function in plain Python, and what it is good for.
`get_program` finds one by name; `TaskId` names a task (a program in one size, its
model taken through regimes); `get_suite` lists the tasks of a suite.
"""

from .conformance import Finding, check_program
from .program_spec import ProgramSpec, Size, Sizes
from .registry import get_program, programs
from .suggestion import unknown_name
from .suites import SUITES, get_suite
from .task_id import REGIMES, Regimes, TaskId, parse_regimes, write_regimes

__all__ = [
    "REGIMES",
    "SUITES",
    "ProgramSpec",
    "Regimes",
    "TaskId",
    "get_program",
    "get_suite",
    "parse_regimes",
    "programs",
    "unknown_name",
    "write_regimes",
]
