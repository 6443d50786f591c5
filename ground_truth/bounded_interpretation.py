"""Bounded interpretation: how many inputs the interpreter may be given at once."""

from collections.abc import Iterator, Sequence

from ..compiler.program import Program, ancestors

_BYTES = 2**25


def slices_that_fit(
    program: Program, n_rows: int, length: int, places: Sequence[int] | None = None
) -> Iterator[slice]:
    """Yield slices of inputs whose values take a bounded space in the interpreter.

    A selector takes a byte for each pair of positions, any other node eight for each position,
    and both are kept to the end; a condition needs some 16 for each pair while it is evaluated.

    Args:
        program: what is interpreted.
        n_rows: how many inputs there are.
        length: the positions of each, BOS left out.
        places: the nodes that are asked for; `None` for all.
    """
    n_nodes = len(program.nodes) if places is None else len(ancestors(program, *places))
    step = max(1, _BYTES // (length * (length + 8) * n_nodes + 16 * length**2))
    for start in range(0, n_rows, step):
        yield slice(start, min(start + step, n_rows))
