"""What programs earn that were written without a look at the model: others of the library.

Whoever knows the library and not the model can submit a program of it. The floor is what that
earns in the mean, over programs that are built on the tokens and the lengths of the task.
"""

import numpy as np

from ..benchmark_programs import TaskId, library
from ..compiler.effort import Effort
from ..compiler.program import Program
from ..compiler.traced_program import traced_program
from ..compiler.values import as_argument
from ..errors import EffortError, ProgramError
from ..ground_truth import Task
from .program_problem import MOST_ENTRIES

N_PROGRAMS = 24
"""Over how many programs the floor is averaged."""


def library_programs(task: Task, *, seed: int, n_programs: int = N_PROGRAMS) -> list[Program]:
    """Return other programs of the library, on the tokens and lengths of a task.

    Of a model with several outputs each is read out as often.

    Args:
        task: the task.
        seed: draws which.
        n_programs: how many; fewer where fewer can be built on these tokens.
    """
    program = task.compiled.program
    vocabulary = tuple(as_argument(value) for value in program.vocabulary.values)
    own = task.id.spec.name if isinstance(task.id, TaskId) else ""
    specs = [spec for spec in library() if spec.name != own]
    found: list[Program] = []
    for at in np.random.default_rng([seed, 10]).permutation(len(specs)).tolist():
        if len(found) == n_programs:
            break
        try:
            expression = specs[at].build(vocabulary, program.max_length)
            traced, checked = traced_program(
                [expression] * len(program.outputs),
                vocabulary,
                program.max_length,
                causal=program.causal,
                effort=Effort(MOST_ENTRIES),
            )
        except (ProgramError, EffortError):
            continue
        except Exception:  # noqa: BLE001 - a program may refuse tokens in its own way
            continue
        if not checked.reasons:
            found.append(traced.program)
    return found
