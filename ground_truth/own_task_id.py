"""OwnTaskId: the name of a task whose program is not of the library.

    frac_prevs@3f9c2a71d0b4/scrambled[seed=0]

A name of the user's choice, the digest of the program as compiled, and the regimes. The
digest is the beginning of the sha256 of `program.json`, which holds everything that the
program is: its tables, vocabulary, greatest length, and what is computed beside it.
"""

import hashlib
import re
from dataclasses import dataclass, field

from ..benchmark_programs import Regimes, write_regimes
from ..compiler import Program, to_json
from ..errors import TaskError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]*")
_DIGITS = 12


@dataclass(frozen=True)
class OwnProgram:
    """What is known of a program that is not of the library.

    Attributes:
        description: what it computes, in a sentence.
        text: the program as RASP text; empty where it has none.
        citation: where it comes from.
        control: empty, or why no edge need be causal.
    """

    description: str
    text: str = ""
    citation: str = "a program of one's own"
    control: str = ""


@dataclass(frozen=True, kw_only=True)
class OwnTaskId:
    """A task by its name and content; `of` makes one.

    Attributes:
        name: as the user calls it.
        digest: the first twelve hexadecimal digits of the sha256 of `program.json`.
        regimes: the regimes in order, each with all its parameters in canonical order.
        spec: what is known of the program; it is no part of the identity.
    """

    name: str
    digest: str
    regimes: Regimes = ()
    spec: OwnProgram = field(compare=False, repr=False)

    @classmethod
    def of(cls, name: str, program: Program, regimes: Regimes, spec: OwnProgram) -> "OwnTaskId":
        """Return the id of a task.

        Args:
            name: letters, digits, `_`, `-` and `.`; not starting with `-` or `.`.
            program: as compiled, with what is computed beside it.
            regimes: what its model went through.
            spec: what is known of the program.

        Raises:
            TaskError: the name holds something else.
            ProgramError: the program cannot be written as JSON.
        """
        if not _NAME.fullmatch(name):
            raise TaskError(
                "The name of a task must consist of the letters a to z and A to Z, digits, '_', "
                f"'-' and '.', and must not start with '-' or '.', got {name!r}."
            )
        digest = hashlib.sha256(to_json(program).encode()).hexdigest()[:_DIGITS]
        return cls(name=name, digest=digest, regimes=regimes, spec=spec)

    def __str__(self) -> str:
        return f"{self.name}@{self.digest}{write_regimes(self.regimes)}"


def name_like(text: str) -> str:
    """Return the name of a task that is most like `text`.

    Example:
        >>> name_like("my program (2)")
        'my_program_2'
    """
    return re.sub(r"[^A-Za-z0-9_.-]+", "_", text).lstrip(".-").rstrip("_") or "program"
