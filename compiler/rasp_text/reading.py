"""Text -> RASP expressions."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from ...errors import ProgramError, listing
from .. import rasp
from ..effort import Effort
from .expressions import SPOILED
from .parsing import parse
from .parts import kind
from .source_text import Place, suggestion, text_error
from .statements import Statements


@dataclass(frozen=True)
class RaspSource:
    """A text that was read.

    Attributes:
        text: the program as it was given.
        outputs: the sequences that it computes, at least one.
        names: every expression that has a name at the top of the text.
        places: where in the text each expression was written.
    """

    text: str
    outputs: tuple[rasp.SOp, ...]
    names: Mapping[str, rasp.RASPExpr]
    places: Mapping[rasp.RASPExpr, Place] = field(default_factory=dict)


def read_rasp(text: str, outputs: Sequence[str] = (), effort: Effort | None = None) -> RaspSource:
    """Return the expressions that a RASP program stands for.

    The language is that of Weiss, Goldberg and Yahav, "Thinking Like Transformers" (2021,
    arXiv:2106.06981), as its authors' interpreter reads it; docs/rasp.md says what differs.
    Encodings are left to the compiler, except where `numerical` or `categorical` chooses one.

    Args:
        text: the program.
        outputs: the names of the sequences to compute. If there are none, the last statement
            that gives a sequence is the output; a list of sequences, `[x, y];`, gives several.
        effort: what reading may take; without end by default.

    Raises:
        EffortError: it takes more.
        ProgramError: the text is not a program, or the outputs are not sequences. The message
            shows each place with what must stand there.

    Example:
        >>> source = read_rasp('''
        ...     is_x = (tokens == "x");
        ...     prevs = select(indices, indices, <=);
        ...     frac_prevs = aggregate(prevs, is_x);
        ... ''')
        >>> source.outputs[0]("xyx")
        [True, 0.5, 0.6666666666666666]
        >>> list(source.names)
        ['is_x', 'prevs', 'frac_prevs']
    """
    if not isinstance(text, str):
        raise ProgramError(f"A RASP program must be a text, got {text!r}.")
    statements = Statements(effort or Effort())
    statements.run_all(parse(text))
    if statements.problems:
        raise text_error(text, statements.problems)
    assigned = statements.scope.own
    names = {name: part for name, part in assigned.items() if isinstance(part, rasp.RASPExpr)}
    chosen = _chosen(outputs, assigned) if outputs else statements.outputs
    if not chosen:
        got = "no statement of it does"
        if assigned:
            got = f"the last name is {kind(list(assigned.values())[-1])}"
        raise ProgramError(
            f"A RASP program must give a sequence, got none: {got}. End it with a statement such "
            "as `out = aggregate(s, tokens);`."
        )
    places = MappingProxyType(statements.places)
    return RaspSource(text, chosen, MappingProxyType(names), places)


def _chosen(outputs: Sequence[str], assigned: Mapping[str, object]) -> tuple[rasp.SOp, ...]:
    """Return the sequences with the given names."""
    if isinstance(outputs, str):
        raise ProgramError(f"The outputs must be a list of names, got {outputs!r} alone.")
    problems = []
    for name in outputs:
        part = assigned.get(name, SPOILED)
        if part is SPOILED:
            known = [other for other, value in assigned.items() if isinstance(value, rasp.SOp)]
            there = suggestion(name, known) or f" There are: {', '.join(known) or 'none'}."
            problems.append(f"there is no name {name!r} in the program.{there}")
        elif not isinstance(part, rasp.SOp):
            advice = (
                "take its selector_width or aggregate over it"
                if isinstance(part, rasp.Selector)
                else "call it"
                if kind(part) == "a function"
                else "write full(...) for a constant"
            )
            problems.append(f"{name!r} is {kind(part)}; {advice}")
    if problems:
        raise ProgramError(listing("The outputs must be names of sequences:", problems))
    return tuple(assigned[name] for name in outputs)  # type: ignore[misc]
