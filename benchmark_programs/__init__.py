"""The library of RASP programs, and the names of the tasks made of them.

Programs stand in files by family. Each is a `ProgramSpec`: the expression for any
vocabulary and length, the same function in plain Python, and what it is good for.
`get_program` finds one by name; `TaskId` names a task (a program in one size, its
model taken through regimes); `get_suite` lists the tasks of a suite, and
`suite_measures` says what it is worth. `check_program` checks the rules that every
program keeps. `ToyId` names a toy model of superposition, which has no program, and
`suite_members` lists what a suite holds, toys too.
"""

from .conformance import Finding, check_program
from .program_spec import ProgramSpec, Size, Sizes
from .registry import get_program, library, programs
from .suggestion import unknown_name
from .suite_measures import SuiteMeasures, is_ranked, suite_measures
from .suites import SUITES, get_suite, suite_members
from .task_id import REGIMES, Regimes, TaskId, parse_regimes, write_regimes
from .task_measures import TaskMeasures
from .toy_id import ToyId, is_toy
from .toy_suites import TOY_SUITES
from .traits import TRAITS, traits

__all__ = [
    "REGIMES",
    "SUITES",
    "TOY_SUITES",
    "TRAITS",
    "Finding",
    "ProgramSpec",
    "Regimes",
    "Size",
    "Sizes",
    "SuiteMeasures",
    "TaskId",
    "TaskMeasures",
    "ToyId",
    "check_program",
    "get_program",
    "get_suite",
    "is_ranked",
    "is_toy",
    "library",
    "parse_regimes",
    "programs",
    "suite_measures",
    "suite_members",
    "traits",
    "unknown_name",
    "write_regimes",
]
