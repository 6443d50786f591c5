"""`compile_program`: the whole pipeline, and the `CompiledModel` it returns."""

import logging
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..errors import ProgramError, listing
from ..plurals import counted
from . import rasp
from .assemble import assemble
from .check import Checked, check
from .lower import lower
from .margins import Margins, margins_of
from .model import Codec, Model, Readout
from .optimise import optimise
from .program import Program
from .program_rules import problems
from .schedule import schedule
from .source_map import SourceMap
from .sum_check import missed_sums
from .traced_program import traced_program
from .values import Domain, Value, as_argument

if TYPE_CHECKING:
    from .explanation import Explanation
    from .rasp_text import RaspSource

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, repr=False)
class CompiledModel:
    """A model together with the program it came from and the map between the two.

    Attributes:
        model: weights and codec; what a tool may see.
        program: the program, as compiled.
        source_map: where each of its variables lives.
        checked: on what the program was checked to be well defined.
        margins: how far every decision in the model is from going wrong.
        source: the program before it was optimised.
        level: the level at which it was.
    """

    model: Model
    program: Program
    source_map: SourceMap
    checked: Checked
    margins: Margins
    source: Program
    level: int

    def __repr__(self) -> str:
        """Return what is compiled and how large it is."""
        weights, program = self.model.weights, self.program
        kind = "causal" if program.causal else "bidirectional"
        return (
            f"CompiledModel({program.name!r}: {counted(len(program.vocabulary), 'token')}, up to "
            f"{program.max_length} of them, {kind}; {counted(weights.n_layers, 'layer')}, "
            f"{counted(weights.n_heads, 'head')}, d_model {weights.d_model})"
        )

    def __call__(self, sequence: Sequence[Value]) -> list[Value]:
        """Return the decoded output at every position of one sequence."""
        return self.model(sequence)

    def apply(self, sequences: Sequence[Sequence[Value]]) -> list[list[Value]]:
        """Return the decoded outputs of a batch of sequences, by the reference executor."""
        return self.model.apply(sequences)

    def explain(self) -> "Explanation":
        """Return what each stage of the compiler made of the program; `str` gives it as text."""
        from .explain import explain

        return explain(self)

    def to_haiku(self, **options: Any) -> Any:
        """Return `(apply, params)`: see `Model.to_haiku`."""
        return self.model.to_haiku(**options)

    def to_torch(self, **options: Any) -> Any:
        """Return a plain `torch.nn.Module`: see `Model.to_torch`."""
        return self.model.to_torch(**options)

    def to_transformer_lens(self, **options: Any) -> Any:
        """Return a TransformerLens model: see `Model.to_transformer_lens`."""
        return self.model.to_transformer_lens(**options)


def compile_program(
    program: "rasp.SOp | Sequence[rasp.SOp] | RaspSource | str | Program",
    vocab: Sequence[Value] = (),
    max_length: int = 0,
    *,
    causal: bool = False,
    level: int = 0,
    beside: Sequence[rasp.SOp] = (),
    placement_seed: int | None = None,
    spare_layers: int = 0,
    explain: bool = False,
) -> CompiledModel:
    """Compile a RASP program into a transformer that computes it exactly.

    One thing is decided by running the program, where it does not follow from its
    form: that a categorical aggregate never selects positions with different values.
    Up to 50,000 possible inputs all of them are run; beyond that a sample is, which is
    logged as a warning and stands in `CompiledModel.checked`. An aggregate of numbers
    that is not annotated and does select different values is their mean.

    Args:
        program: a RASP expression; several, whose values the model answers with as a
            tuple; RASP text, or what `read_rasp` made of it; or a `Program` already
            traced (then `vocab`, `max_length`, `causal` and `beside` are not used).
        vocab: the tokens: booleans, numbers, strings or tuples.
        max_length: the longest input sequence.
        causal: whether attention sees no later positions; changes the
            meaning of most programs.
        level: 0 keeps every expression as a variable; 1 merges equal ones, folds maps
            and constants into what reads them, and lets heads with the same pattern be one.
        beside: expressions computed in the same layers and never read out.
        placement_seed: draws layers (within their slack) and the order of heads.
        spare_layers: how many layers there are beyond those that the program needs.
        explain: whether to write to standard output what each stage made of the
            program: see `CompiledModel.explain`.

    Raises:
        ProgramError: the program is malformed or cannot be compiled exactly;
            every reason is listed.
    """
    if level not in (0, 1):
        raise ProgramError(f"the optimisation level must be 0 or 1, got {level!r}")
    if isinstance(program, Program):
        source, checked = program, _checked(program)
    else:
        others = _expressions(beside) if len(beside) else ()
        traced, checked = traced_program(
            _expressions(program), vocab, max_length, causal=causal, beside=others
        )
        source = traced.program
    _check_aggregates(source, checked)
    compiled = _assembled(source, checked, level, placement_seed, spare_layers)
    if explain:
        sys.stdout.write(f"{compiled.explain()}\n")
    return compiled


def _assembled(
    source: Program, checked: Checked, level: int, placement_seed: int | None, spare_layers: int
) -> CompiledModel:
    """Return the model of a program that passed its check."""
    program = optimise(source, level)
    blocks = lower(program)
    margins = margins_of(program, blocks)
    _check_margins(program, margins)
    placed = schedule(blocks, seed=placement_seed, spare_layers=spare_layers, share_heads=level > 0)
    weights, source_map = assemble(
        blocks,
        placed,
        n_tokens=len(program.vocabulary),
        max_length=program.max_length,
        causal=program.causal,
    )
    model = Model(weights, _codec(program))
    return CompiledModel(model, program, source_map, checked, margins, source, level)


def _checked(program: Program) -> Checked:
    """Check a program that was not traced here: a file may hold anything.

    Raises:
        ProgramError: it breaks a rule that every traced program keeps.
    """
    broken = problems(program)
    if broken:
        raise ProgramError(listing("The program is not sound:", broken))
    checked = check(program)
    return replace(checked, reasons=checked.reasons + missed_sums(program))


def _expressions(program: object) -> tuple[rasp.SOp, ...]:
    """Return the outputs of a program as a tuple, read if they are text, or raise."""
    if isinstance(program, str):
        from .rasp_text import read_rasp  # the parser takes long to import

        program = read_rasp(program)
    program = getattr(program, "outputs", program)
    several = isinstance(program, Sequence) and not isinstance(program, str)
    outputs: tuple[Any, ...] = tuple(program) if several else (program,)  # type: ignore[arg-type]
    wrong = [type(one).__name__ for one in outputs if not isinstance(one, rasp.RASPExpr)]
    if wrong or not outputs:
        raise ProgramError(
            "a program must be RASP text, an expression such as rasp.tokens, or several, got "
            f"{wrong[0] if wrong else 'none'}; a program of the library is built by gb.load"
        )
    return outputs


def _check_aggregates(program: Program, checked: Checked) -> None:
    """Refuse a program that a check found wrong; warn where it did not run all inputs."""
    if checked.reasons:
        raise ProgramError(
            listing("The program cannot be compiled exactly:", [str(r) for r in checked.reasons])
        )
    if not checked.exhaustive:
        _LOG.warning(
            "%s: whether its categorical aggregates select one value each was checked on %d "
            "inputs, not on all; on an input where they do not, the model's output has no meaning. "
            "Annotate one that is to be a mean with rasp.numerical",
            program.name,
            checked.n_inputs,
        )


def _check_margins(program: Program, margins: Margins) -> None:
    """Refuse a program that float64 cannot tell right; warn where float32 might not."""
    if margins.float64 < 1:
        raise ProgramError(
            listing("The program cannot be compiled exactly:", [margins.advice("float64")])
        )
    if margins.float32 < 1:
        _LOG.warning(
            "%s: exact in float64, but not sure to be exact in float32: %s",
            program.name,
            margins.advice("float32"),
        )


def _codec(program: Program) -> Codec:
    """Return how inputs are encoded and answers decoded."""
    readouts = []
    for place in program.outputs:
        node = program.nodes[place]
        values = Domain(tuple(as_argument(value) for value in node.domain.values))
        readouts.append(Readout(values, node.encoding))
    if math.prod(len(readout.values) + 1 for readout in readouts) >= 2**62:
        raise ProgramError(
            "the outputs can take more than 2^62 values together; compile fewer of them at once"
        )
    return Codec(program.vocabulary, program.max_length, tuple(readouts))
