"""Regimes: compile a program among others, and draw its model in other coordinates.

`crowded` compiles distractors beside the program and draws where they all are placed, in a
model with layers to spare, so that the layer of an edge says little about it. `scrambled`
draws exact symmetries. Neither changes an answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from ..benchmark_programs import Regimes
from ..benchmark_programs.distractors import distractors
from ..benchmark_programs.task_id import CROWDED, SCRAMBLED, TRAINED
from ..compiler import CompiledModel, Program, compile_program, rasp, scramble
from ..compiler.values import Value
from ..errors import TaskError

SPARE_LAYERS = 4
"""How many layers a crowded model has beyond those that its programs need."""

Chosen = Mapping[str, Mapping[str, int]]
"""The parameters of each regime, by its name."""


def compile_under(
    program: rasp.SOp | Sequence[rasp.SOp] | Program,
    vocabulary: Sequence[Value],
    max_length: int,
    regimes: Regimes,
    *,
    causal: bool = False,
    level: int = 0,
) -> CompiledModel:
    """Return the model of a program, taken through regimes.

    Args:
        program: what `compile_program` takes. Of several outputs the first is the one
            whose variables distractors read.
        vocabulary: the tokens.
        max_length: the longest sequence.
        regimes: in their order, as `parse_regimes` returns them.
        causal: whether attention sees no later positions.
        level: the level of optimisation.

    Raises:
        ProgramError: the program cannot be compiled exactly.
        TaskError: a program without expressions is to be crowded.
    """
    chosen = {name: dict(parameters) for name, parameters in regimes}
    crowd = chosen.get(CROWDED)
    beside: tuple[rasp.SOp, ...] = ()
    if crowd is not None:
        beside = distractors(
            _first_expression(program),
            tuple(vocabulary),
            max_length,
            count=crowd["distractors"],
            seed=crowd["seed"],
        )
    compiled = compile_program(
        program,
        vocabulary,
        max_length,
        causal=causal,
        level=level,
        beside=beside,
        **_placement(chosen),
    )
    return _in_coordinates(compiled, chosen)


def recompile(program: Program, regimes: Regimes, level: int) -> CompiledModel:
    """Return the model of a program as it was compiled under regimes, distractors and all.

    Args:
        program: what `program.json` holds.
        regimes: which its model went through.
        level: at which it was compiled.
    """
    chosen = {name: dict(parameters) for name, parameters in regimes}
    return _in_coordinates(compile_program(program, level=level, **_placement(chosen)), chosen)


def _placement(chosen: Chosen) -> dict[str, Any]:
    """Return how the compiler places blocks under regimes."""
    if TRAINED in chosen:
        own = chosen[TRAINED]
        return {"placement_seed": own["seed"], "spare_layers": own["spare_layers"]}
    if CROWDED not in chosen:
        return {}
    return {"placement_seed": chosen[CROWDED]["seed"], "spare_layers": SPARE_LAYERS}


def _in_coordinates(compiled: CompiledModel, chosen: Chosen) -> CompiledModel:
    """Return the model in the coordinates that regimes draw."""
    if SCRAMBLED not in chosen:
        return compiled
    return scramble(compiled, chosen[SCRAMBLED]["seed"])


def _first_expression(program: rasp.SOp | Sequence[rasp.SOp] | Program) -> rasp.SOp:
    """Return the expression whose variables distractors read."""
    if isinstance(program, Program):
        raise TaskError(
            "A program must be given as RASP to be crowded, since distractors read its "
            "expressions, got a Program; give the text or the expressions, or leave `crowded` out."
        )
    return program[0] if isinstance(program, Sequence) else program
