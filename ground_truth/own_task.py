"""Tasks of programs that are not of the library: compiled, named by content, certified.

task = make_task("counts = selector_width(select(tokens, tokens, ==));", "abc", 4)
score("interchange", task)
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..benchmark_programs import parse_regimes
from ..compiler import CompiledModel, Program, rasp
from ..compiler.values import Value
from ..errors import ProgramError, TaskError
from .own_task_id import OwnProgram, OwnTaskId, name_like
from .regimes import compile_under
from .task import Task
from .task_building import certified

if TYPE_CHECKING:
    from ..compiler import RaspSource

    AnyProgram = rasp.SOp | Sequence[rasp.SOp] | Program | RaspSource | str
    """A program as expressions, as data, or as RASP text that is read or not."""


def make_task(
    program: "AnyProgram",
    vocab: Sequence[Value] = (),
    max_length: int = 0,
    *,
    name: str = "",
    description: str = "",
    causal: bool = False,
    level: int = 0,
    regimes: str = "",
) -> Task:
    """Return a program of one's own as a task: compiled under regimes, and certified.

    Args:
        program: a RASP expression; several, whose values the model answers with as a
            tuple; RASP as text, or what `read_rasp` made of it; or a `Program` (then
            `vocab`, `max_length` and `causal` are not used).
        vocab: the tokens: booleans, numbers, strings or tuples.
        max_length: the longest input sequence.
        name: how the task is called, of letters, digits, `_`, `-` and `.`; by default
            after its outputs.
        description: what the program computes, in a sentence.
        causal: whether attention sees no later positions.
        level: 0 keeps every expression as a variable, 1 merges and folds them.
        regimes: as in task ids, such as `crowded[distractors=2]/scrambled`.

    Raises:
        ProgramError: the program cannot be read, or not be compiled exactly.
        TaskError: the name or the regimes are malformed, or the task poses no question.
        CertificationError: the labels cannot be certified.

    Example:
        >>> task = make_task("counts = selector_width(select(tokens, tokens, ==));", "ab", 3)
        >>> task
        Task('counts@...')
        >>> task.compiled("aba")
        [2, 1, 2]
    """
    task, compiled = compile_own(
        program,
        vocab,
        max_length,
        name=name,
        description=description,
        causal=causal,
        level=level,
        regimes=regimes,
    )
    return certified(task, compiled)


def compile_own(
    program: "AnyProgram",
    vocab: Sequence[Value] = (),
    max_length: int = 0,
    *,
    name: str = "",
    description: str = "",
    causal: bool = False,
    level: int = 0,
    regimes: str = "",
) -> tuple[OwnTaskId, CompiledModel]:
    """Return the id of such a task and its model; labels are not made.

    The arguments are those of `make_task`.
    """
    if not isinstance(regimes, str):
        raise TaskError(f"The regimes must be a text such as 'crowded/scrambled', got {regimes!r}.")
    chain = parse_regimes(regimes)
    target, text = _with_text(program)
    compiled = compile_under(target, vocab, max_length, chain, causal=causal, level=level)
    outputs = compiled.program.name
    spec = OwnProgram(description or f"Computes {outputs}.", text)
    return OwnTaskId.of(name or name_like(outputs), compiled.program, chain, spec), compiled


def _with_text(
    program: "AnyProgram",
) -> tuple[rasp.SOp | Sequence[rasp.SOp] | Program, str]:
    """Return what can be compiled, and the text of it, empty where it has none."""
    from ..compiler import RaspSource, read_rasp

    if isinstance(program, str):
        program = read_rasp(program)
    if isinstance(program, RaspSource):
        return program.outputs, program.text
    if isinstance(program, Program):
        return program, ""
    return program, text_of(program)


def text_of(program: rasp.SOp | Sequence[rasp.SOp]) -> str:
    """Return expressions as RASP text, empty where some expression has none."""
    from ..compiler import write_rasp

    outputs = program if isinstance(program, Sequence) else [program]
    try:
        return write_rasp(*outputs)
    except ProgramError:
        return ""
