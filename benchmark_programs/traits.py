"""Traits: what can be seen of a program by looking at its expression."""

from functools import lru_cache

from ..compiler import program as ir
from ..compiler.program import Program
from ..compiler.trace import trace
from .program_spec import ProgramSpec

TRAITS = {
    "attention": "it attends, so that its output may depend on other positions",
    "causal": "its model attends backwards only",
    "width": "it counts selected positions",
    "mean": "it averages numbers over several positions",
    "numerical": "its output is a number in one direction",
    "hops-N": "attention operations on the longest path of its expression: N",
}
"""The traits, and what each says. None says that an expression could not be written otherwise."""

_HOPS = "hops-"


@lru_cache(maxsize=1024)
def traits(spec: ProgramSpec) -> tuple[str, ...]:
    """Return the traits of a program in its default size.

    What building its vocabulary and its expression raises is passed on.

    Example:
        >>> from glassbench.benchmark_programs import get_program
        >>> traits(get_program("sort"))
        ('attention', 'width', 'hops-2')
    """
    vocabulary = spec.vocabulary(spec.vocab)
    program = trace(
        [spec.build(vocabulary, spec.length)], vocabulary, spec.length, causal=spec.causal
    ).program
    operations = [node.operation for node in program.nodes]
    (output,) = (program.nodes[place] for place in program.outputs)
    depth = hops(program)
    seen = {
        "attention": depth > 0,
        "causal": spec.causal,
        "width": any(isinstance(one, ir.ReciprocalWidth) for one in operations),
        "mean": any(
            isinstance(node.operation, ir.Aggregate) and node.is_numerical for node in program.nodes
        ),
        "numerical": output.is_numerical,
        f"{_HOPS}{depth}": depth > 0,
    }
    return tuple(name for name, holds in seen.items() if holds)


def trait_meaning(trait: str) -> str:
    """Return what a trait says.

    Example:
        >>> trait_meaning("hops-2")
        'attention operations on the longest path of its expression: 2'
    """
    if trait.startswith(_HOPS):
        return TRAITS[f"{_HOPS}N"].replace("N", trait.removeprefix(_HOPS))
    return TRAITS[trait]


def hops(program: Program) -> int:
    """Return how many attention operations are on the longest path to the outputs.

    It is a property of this expression: another of the same function may have fewer.
    """
    depths: list[int] = []
    for node in program.nodes:
        before = max((depths[place] for place in ir.operands(node.operation)), default=0)
        attends = isinstance(node.operation, ir.Aggregate | ir.ReciprocalWidth)
        depths.append(before + attends)
    return max(depths[place] for place in program.outputs)
