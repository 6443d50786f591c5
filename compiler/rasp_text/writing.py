"""RASP expressions -> text."""

import re
from collections import Counter
from collections.abc import Sequence

from ...errors import ProgramError, listing
from .. import rasp
from .. import rasp_operations as operations
from .building import INPUTS
from .constants import UnwritableError, written_constant
from .functions_as_text import mapped, selected, sequence_mapped
from .words import KNOWN

_NAME = re.compile(r"[A-Za-z_][A-Za-z_0-9]*")


def write_rasp(*outputs: rasp.SOp | Sequence[rasp.SOp]) -> str:
    """Return a RASP program that computes `outputs`: one statement for each expression.

    What is read back has the same values on every input, and is written as the same text.
    Names are kept where the language allows them and no other expression has them; other
    annotations than the encoding are lost.

    Args:
        outputs: the sequences, one by one or in a list.

    Raises:
        ProgramError: some expression has no text; every such is listed, with what to use.

    Example:
        >>> same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ).named("same")
        >>> print(write_rasp(rasp.SelectorWidth(same).named("histogram") > 1), end="")
        same = select(tokens, tokens, ==);
        histogram = selector_width(same);
        map = histogram > 1;
    """
    if len(outputs) == 1 and isinstance(outputs[0], Sequence) and not isinstance(outputs[0], str):
        outputs = tuple(outputs[0])
    if not outputs:
        raise ProgramError("A program must have an output, got none; give the sequences to write.")
    sequences = []
    for output in outputs:
        if not isinstance(output, rasp.SOp):
            raise ProgramError(f"The outputs must be SOps, got {output!r}.")
        sequences.append(output)
    return _Writer(tuple(sequences)).text()


class _Writer:
    """Names expressions and writes them; lives for one text."""

    def __init__(self, outputs: tuple[rasp.SOp, ...]) -> None:
        self._outputs = outputs
        self._order = rasp.topological_order(*outputs)
        self._uses = Counter(child for expr in self._order for child in expr.children)
        self._uses.update(outputs)
        self._kept_parts = {
            expr.fst
            for expr in self._order
            if isinstance(expr, rasp.SequenceMap) and self._is_choice(expr)
        }
        self._taken = set(KNOWN)
        self._texts: dict[rasp.RASPExpr, str] = {}
        self._problems: list[str] = []

    def _is_choice(self, expr: rasp.SequenceMap) -> bool:
        """Whether `expr` is the second half of a choice of which nothing else uses the first."""
        kept = expr.fst
        return (
            expr.f == operations.OTHERWISE
            and isinstance(kept, rasp.SequenceMap)
            and kept.f == operations.WHERE
            and not rasp.is_annotated(kept)
            and self._uses[kept] == 1
        )

    def text(self) -> str:
        """Return the program."""
        lines = []
        for expr in self._order:
            inline = self._inline(expr)
            if inline:
                self._texts[expr] = inline
            elif expr not in self._kept_parts:
                self._texts[expr] = self._unique_name(expr)
                lines.append(f"{self._texts[expr]} = {self._statement(expr)};")
        if self._problems:
            raise ProgramError(listing("The program cannot be written as text:", self._problems))
        texts = [self._texts[output] for output in self._outputs]
        if len(texts) > 1:
            lines.append(f"[{', '.join(texts)}];")
        elif self._inline(self._outputs[0]):
            lines.append(f"{texts[0]};")
        return "\n".join(lines) + "\n"

    def _inline(self, expr: rasp.RASPExpr) -> str:
        """Return the text of what needs no statement of its own: an input or a constant."""
        if not isinstance(expr, rasp.SOp) or rasp.is_annotated(expr):
            return ""
        match expr:
            case rasp.TokensType() | rasp.IndicesType() | rasp.LengthType():
                return expr.default_name
            case rasp.Full():
                return self._expression(expr)
            case rasp.Map(f=function, inner=rasp.TokensType() as inner):
                if not rasp.is_annotated(inner):
                    casts = (n for n, i in INPUTS.items() if getattr(i, "f", None) == function)
                    return next(casts, "")
        return ""

    def _unique_name(self, expr: rasp.RASPExpr) -> str:
        """Return a name that no other expression has: its own, or that with a number."""
        wanted = expr.name if _NAME.fullmatch(expr.name) else expr.default_name
        name, count = wanted, 0
        while name in self._taken:
            count += 1
            name = f"{wanted}_{count}"
        self._taken.add(name)
        return name

    def _statement(self, expr: rasp.RASPExpr) -> str:
        """Return what the name of an expression is assigned; nothing, with a problem noted."""
        text = self._expression(expr)
        if isinstance(expr, rasp.SOp) and rasp.is_annotated(expr):
            return f"{rasp.get_encoding(expr).value}({text})"
        return text

    def _expression(self, expr: rasp.RASPExpr) -> str:
        try:
            return self._written(expr)
        except UnwritableError as reason:
            self._problems.append(f"{expr!r}: {reason}")
            return "?"

    def _written(self, expr: rasp.RASPExpr) -> str:
        of = self._texts
        match expr:
            case rasp.TokensType() | rasp.IndicesType() | rasp.LengthType():
                return expr.default_name
            case rasp.Full(fill=fill):
                return f"full({written_constant(fill)})"
            case rasp.Map(f=function, inner=inner):
                return mapped(function, of[inner])
            case rasp.SequenceMap(fst=rasp.SequenceMap() as kept, snd=snd) if (
                kept in self._kept_parts
            ):
                return f"{of[kept.snd]} if {of[kept.fst]} else {of[snd]}"
            case rasp.SequenceMap(f=function, fst=fst, snd=snd):
                return sequence_mapped(function, of[fst], of[snd])
            case rasp.SelectorWidth(selector=selector):
                return f"selector_width({of[selector]})"
            case rasp.Aggregate(selector=selector, sop=sop, default=default):
                last = "" if default is None else f", {written_constant(default)}"
                return f"aggregate({of[selector]}, {self._operand(sop)}{last})"
            case rasp.Select(keys=keys, queries=queries, predicate=predicate):
                if any(isinstance(sop, rasp.Full) and sop.fill is None for sop in (keys, queries)):
                    predicate = rasp.Comparison.EQ  # nothing is selected, whatever it is
                return selected(predicate, self._operand(keys), self._operand(queries))
            case rasp.SelectorAnd(fst=fst, snd=snd):
                return f"{of[fst]} and {of[snd]}"
            case rasp.SelectorOr(fst=fst, snd=snd):
                return f"{of[fst]} or {of[snd]}"
            case rasp.SelectorNot(inner=inner):
                return f"not {of[inner]}"
        raise UnwritableError(
            f"a {type(expr).__name__} has no text, since it is defined for one length only; use "
            "operators on rasp.indices, or a Select on them"
        )

    def _operand(self, sop: rasp.SOp) -> str:
        """Return an operand of attention, in which a constant stands for itself."""
        text = self._texts[sop]
        is_constant = isinstance(sop, rasp.Full) and not rasp.is_annotated(sop)
        return text.removeprefix("full(").removesuffix(")") if is_constant else text
