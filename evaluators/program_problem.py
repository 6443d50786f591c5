"""The problem of the `program` track, and the answer to it.

The problem is what a tool sees: a model and some of its inputs. It holds no label, no program,
no source map and no seed. The answer is RASP text, which is read and traced on the vocabulary
and the lengths of the model; nothing in it is evaluated. Its size, and the work that it takes,
are bounded, so that an answer cannot stop a sweep.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Int

from ..compiler import rasp
from ..compiler.effort import Effort
from ..compiler.model import Codec, Model
from ..compiler.program import Program
from ..compiler.traced_program import traced_program
from ..compiler.values import as_argument
from ..errors import AnswerError, EffortError, ProgramError, listing
from ..ground_truth import Task
from ..plurals import counted

N_INPUTS = 256
MOST_CHARACTERS = 2**16
"""How long a text may be."""
MOST_ENTRIES = 2**22
"""How many entries of tables a text may need: see `compiler.effort`."""
MOST_EXPRESSIONS = 2000
"""How many expressions the output may be computed from."""
MOST_ATTENTION = 256
"""How many of them may be aggregates and selector widths."""


@dataclass(frozen=True, eq=False)
class ProgramProblem:
    """What program is this?

    Attributes:
        model: weights and codec, which holds the tokens, the greatest length, and the values
            of each output.
        inputs: token ids of inputs, drawn evenly over lengths and answers; any other sequence
            of tokens can be given to the model as well.
    """

    model: Model
    inputs: Int[np.ndarray, "inputs position"]

    @classmethod
    def of(cls, task: Task, *, seed: int = 0, n_inputs: int = N_INPUTS) -> "ProgramProblem":
        """Return the problem that a task poses, with inputs drawn by `seed`."""
        inputs = task.domain.draw(n_inputs, np.random.default_rng([seed, 8]))
        inputs.setflags(write=False)
        return cls(task.compiled.model, inputs)


@dataclass(frozen=True, eq=False)
class SubmittedProgram:
    """An answer that was read.

    Attributes:
        text: as it was given.
        program: what it computes, on the tokens and lengths of the model.
    """

    text: str
    program: Program


def checked_program(problem: ProgramProblem, answer: Any) -> SubmittedProgram:
    """Return the program that a text stands for.

    Raises:
        AnswerError: it is no text, or not a program that has a meaning on the inputs of the
            model; every problem is listed, with its line and column where it has one.
    """
    if not isinstance(answer, str):
        raise AnswerError(
            f"An answer must be a program as RASP text, got {type(answer).__name__}; return for "
            "instance 'out = tokens;'"
        )
    if len(answer) > MOST_CHARACTERS:
        raise AnswerError(
            f"A program must have at most {MOST_CHARACTERS:,} characters, got {len(answer):,}; use "
            "`def` and `for`, or a smaller program"
        )
    _check_unicode(answer)
    weights, codec = problem.model.weights, problem.model.codec
    try:
        return SubmittedProgram(answer, _read(answer, codec, causal=weights.causal))
    except (ProgramError, EffortError) as error:
        raise AnswerError(
            f"The answer must be a program that this model could be compiled from: {error}"
        ) from error
    except RecursionError:
        raise AnswerError(
            "The answer must be a program that this model could be compiled from, and this one is "
            "nested too deeply; write it in several statements"
        ) from None


def _check_unicode(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        line = text.count("\n", 0, error.start) + 1
        column = error.start - text.rfind("\n", 0, error.start)
        raise AnswerError(
            f"A program must be Unicode text, and holds the lone surrogate "
            f"{text[error.start]!r} at line {line}, column {column}; leave it out"
        ) from None


def _read(text: str, codec: Codec, *, causal: bool) -> Program:
    """Return the traced program."""
    from ..compiler.rasp_text import read_rasp  # the parser takes long to import

    effort = Effort(MOST_ENTRIES)
    source = read_rasp(text, effort=effort)
    if len(source.outputs) != len(codec.readouts):
        asked, given = (counted(len(one), "sequence") for one in (codec.readouts, source.outputs))
        raise ProgramError(
            f"it must give {asked}, as the model does, and gives {given}; several are the last "
            "statement, as in `[x, y];`"
        )
    _check_number(rasp.topological_order(*source.outputs))

    def label(expression: rasp.RASPExpr) -> str:
        place = source.places.get(expression)
        where = "" if place is None else f"line {place.line}, column {place.column}: "
        return f"{where}{expression.name}"

    vocabulary = [as_argument(value) for value in codec.tokens.values]
    traced, checked = traced_program(
        source.outputs,
        vocabulary,
        codec.max_length,
        causal=causal,
        effort=effort,
        label=label,
    )
    if checked.reasons:
        problems = []
        for reason in checked.reasons:
            written = traced.expressions.get(reason.place)
            name = reason.expression if written is None else label(written)
            problems.append(f"{name}: {reason.reason}; {reason.advice}")
        raise ProgramError(listing("It has no meaning on some inputs:", problems))
    return traced.program


def _check_number(expressions: Sequence[rasp.RASPExpr]) -> None:
    """Refuse programs that take too long to run on every input."""
    attention = [one for one in expressions if isinstance(one, rasp.Aggregate | rasp.SelectorWidth)]
    if len(expressions) > MOST_EXPRESSIONS or len(attention) > MOST_ATTENTION:
        raise ProgramError(
            f"the output must be computed from at most {MOST_EXPRESSIONS:,} expressions, of which "
            f"{MOST_ATTENTION} may be aggregates and selector widths, and is from "
            f"{len(expressions):,}, {len(attention):,} of them these"
        )
