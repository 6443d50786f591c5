"""`compile_program`: the whole pipeline, and the `CompiledModel` it returns."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..errors import ProgramError, listing
from . import rasp
from .assemble import assemble
from .check import Checked, check
from .lower import lower
from .model import Codec, Model
from .optimise import optimise
from .program import Program
from .schedule import schedule
from .source_map import SourceMap
from .trace import trace
from .values import Domain, Value, as_argument

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, eq=False, repr=False)
class CompiledModel:
    """A model together with the program it came from and the map between the two.

    Attributes:
        model: weights and codec; what a tool may see.
        program: the program, as compiled.
        source_map: where each of its variables lives.
        checked: on what the program was checked to be well defined.
    """

    model: Model
    program: Program
    source_map: SourceMap
    checked: Checked

    def __repr__(self) -> str:
        """Return what is compiled and how large it is."""
        weights, program = self.model.weights, self.program
        kind = "causal" if program.causal else "bidirectional"
        return (
            f"CompiledModel({program.output.name!r}: {len(program.vocabulary)} tokens, up to "
            f"{program.max_length} of them, {kind}; {weights.n_layers} layers, "
            f"{weights.n_heads} heads, d_model {weights.d_model})"
        )

    def __call__(self, sequence: Sequence[Value]) -> list[Value]:
        """Return the decoded output at every position of one sequence."""
        return self.model(sequence)

    def apply(self, sequences: Sequence[Sequence[Value]]) -> list[list[Value]]:
        """Return the decoded outputs of a batch of sequences, by the reference executor."""
        return self.model.apply(sequences)

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
    program: rasp.SOp | Program,
    vocab: Sequence[Value] = (),
    max_length: int = 0,
    *,
    causal: bool = False,
    level: int = 0,
    beside: Sequence[rasp.SOp] = (),
    placement_seed: int | None = None,
) -> CompiledModel:
    """Compile a RASP program into a transformer that computes it exactly.

    One thing is decided by running the program: that a categorical aggregate never
    selects positions with different values. Up to 50,000 possible inputs all of
    them are run; beyond that a sample is, which is logged as a warning and stands
    in `CompiledModel.checked`.

    Args:
        program: a RASP expression, or a `Program` already traced (then `vocab`,
            `max_length`, `causal` and `beside` are not used).
        vocab: the tokens: booleans, numbers, strings or tuples.
        max_length: the longest input sequence.
        causal: whether attention sees only earlier positions; changes the
            meaning of most programs.
        level: 0 keeps every expression as a variable, 1 merges equal ones.
        beside: expressions computed in the same layers and never read out.
        placement_seed: draws layers (within their slack) and the order of heads.

    Raises:
        ProgramError: the program is malformed or cannot be compiled exactly;
            every reason is listed.
    """
    if not isinstance(program, rasp.RASPExpr | Program):
        raise ProgramError(
            f"a program must be a RASP expression such as rasp.tokens, got "
            f"{type(program).__name__}; a program of the library is built by gb.load"
        )
    if isinstance(program, rasp.RASPExpr):
        program = trace([program, *beside], vocab, max_length, causal=causal)
    checked = check(program)
    if checked.reasons:
        raise ProgramError(
            listing("The program cannot be compiled exactly:", [str(r) for r in checked.reasons])
        )
    if not checked.exhaustive:
        _LOG.warning(
            "%s: whether its aggregates select one value each was checked on %d inputs, not on "
            "all; on an input where they do not, the model's output has no meaning",
            program.output.name,
            checked.n_inputs,
        )
    program = optimise(program, level)
    blocks = lower(program)
    placed = schedule(blocks, seed=placement_seed)
    weights, source_map = assemble(
        blocks,
        placed,
        n_tokens=len(program.vocabulary),
        max_length=program.max_length,
        causal=program.causal,
    )
    outputs = Domain(tuple(as_argument(value) for value in program.output.domain.values))
    codec = Codec(program.vocabulary, program.max_length, outputs, program.output.encoding)
    return CompiledModel(Model(weights, codec), program, source_map, checked)
