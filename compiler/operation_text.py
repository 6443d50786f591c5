"""Operations as one writes them in RASP, their tabulated functions left out."""

from . import program as ir


def operation_text(program: ir.Program, operation: ir.Operation) -> str:
    """Return an operation as a line of RASP."""

    def name(place: int | None) -> str:
        return "any" if place is None else program.nodes[place].name

    match operation:
        case ir.Tokens() | ir.Indices():
            return f"rasp.{type(operation).__name__.lower()}"
        case ir.Map(inner=inner):
            return f"Map({name(inner)})"
        case ir.SequenceMap(fst=fst, snd=snd):
            return f"SequenceMap({name(fst)}, {name(snd)})"
        case ir.LinearMap(terms=terms):
            return _sum_text(program, terms)
        case ir.RidgeMap(terms=terms):
            return f"Map({_sum_text(program, terms)})"
        case ir.Select(conditions=conditions):
            parts = [f"Select({name(c.keys)}, {name(c.queries)})" for c in conditions]
            return " & ".join(parts)
        case ir.Aggregate(selector=selector, value=value):
            return f"Aggregate({name(selector)}, {name(value)})"
        case ir.ReciprocalWidth(selector=selector):
            return f"1 / (1 + SelectorWidth({name(selector)}))"


def _sum_text(program: ir.Program, terms: tuple[ir.Term, ...]) -> str:
    """Return a weighted sum; a variable of one direction per value stands for its numbers."""
    parts = []
    for term in terms:
        node = program.nodes[term.node]
        factor = f"{term.weights[0]:g} * " if node.is_numerical and term.weights[0] != 1 else ""
        parts.append(f"{factor}{node.name}")
    return " + ".join(parts)
