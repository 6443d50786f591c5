"""Token-position table: the best program that pays attention to nothing.

At each position it answers what the model answers most often there to the same token, rare
answers counting as much as common ones. It is what the floor of `balanced_agreement` is, as a
program.
"""

from ...compiler import rasp
from ...compiler.input_space import InputSpace
from ...compiler.traced_program import traced_program
from ...compiler.values import as_argument
from ..program_behaviour import Behaviour
from ..program_problem import ProgramProblem
from .tabulated_answers import answer_tables

_INPUTS = 10_000


def token_position_table(problem: ProgramProblem) -> str:
    """Return the table of tokens and positions that agrees most, made on up to 10,000 inputs."""
    from ...compiler.rasp_text import write_rasp  # the parser takes long to import

    codec, sides = problem.model.codec, (rasp.tokens, rasp.indices)
    space = InputSpace(len(codec.tokens), codec.max_length)
    behaviour = Behaviour.of(problem.model, space.all_or_sample(_INPUTS, seed=0)[0])
    vocabulary = [as_argument(value) for value in codec.tokens.values]
    traced, _ = traced_program(sides, vocabulary, codec.max_length)
    return write_rasp(*answer_tables(behaviour, sides, traced.program))
