"""Constructs: which parts of the language a program uses."""

from ..compiler import rasp
from ..compiler import rasp_operations as operations

_COMPARISONS = (
    operations.EQUAL,
    operations.NOT_EQUAL,
    operations.LESS,
    operations.AT_MOST,
    operations.GREATER,
    operations.AT_LEAST,
)
_ARITHMETIC = (
    operations.ADD,
    operations.SUBTRACT,
    operations.MULTIPLY,
    operations.DIVIDE,
    operations.MODULO,
    operations.MINIMUM,
    operations.MAXIMUM,
)
_CHOICES = (operations.WHERE, operations.OTHERWISE)


def constructs(output: rasp.SOp, *, causal: bool = False) -> tuple[str, ...]:
    """Return the constructs that an expression uses, each once, in alphabetical order.

    Example:
        >>> same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
        >>> constructs(rasp.SelectorWidth(same) > 1)
        ('comparison', 'map', 'select ==', 'selector width')
    """
    found = {"causal attention"} if causal else set()
    for part in rasp.topological_order(output):
        match part:
            case rasp.Select(predicate=rasp.Comparison() as comparison):
                found.add(f"select {comparison.value}")
                if part.keys is not part.queries:
                    found.add("other keys than queries")
            case rasp.SelectorAnd():
                found.add("selector and")
            case rasp.SelectorOr():
                found.add("selector or")
            case rasp.SelectorNot():
                found.add("selector not")
            case rasp.SelectorWidth():
                found.add("selector width")
            case rasp.Aggregate():
                found.add("mean" if rasp.is_numerical(part) else "lookup")
            case rasp.SequenceMap(f=function):
                found |= {"sequence map", *_kind(function)}
            case rasp.Map(f=operations.Composition(functions=functions)):
                found.add("map")
                found.update(*map(_kind, functions))
            case rasp.Map(f=function):
                found |= {"map", *_kind(function)}
    return tuple(sorted(found))


def _kind(function: object) -> set[str]:
    """Return what kind of function of values this is."""
    plain = function.operation if isinstance(function, operations.WithConstant) else function
    if plain in _COMPARISONS:
        return {"comparison"}
    if plain in _ARITHMETIC:
        return {"arithmetic"}
    if plain in (operations.AND, operations.OR, operations.NOT):
        return {"and, or, not"}
    if plain in _CHOICES or isinstance(plain, operations.ChoiceWithConstant):
        return {"choice"}
    return {"membership"} if isinstance(plain, operations.Membership) else set()
