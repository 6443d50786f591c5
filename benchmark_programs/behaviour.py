"""Behaviour: what a program answers, as a digest, so that programs can be compared.

Programs of equal digests answer alike on the sequences that are tried. They are the same
few for every program over the same tokens up to the same length.
"""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import permutations

import numpy as np

from ..compiler.input_space import InputSpace
from ..compiler.interpreter import interpret
from ..compiler.program import Program
from ..compiler.values import Value, as_argument, is_number
from ..errors import TaskError
from .program_spec import ProgramSpec
from .registry import library

_TRIED = 150
_DIGITS = 9


def behaviour(program: Program) -> str:
    """Return the digest of what a traced program of one output answers.

    Example:
        >>> from glassbench.benchmark_programs import get_program
        >>> from glassbench.compiler.trace import trace
        >>> spec = get_program("histogram")
        >>> program = trace([spec.expression(3, 4)], "abc", 4).program
        >>> behaviour(program) in library_behaviours(("a", "b", "c"), 4)
        True
    """
    tokens = _tried(len(program.vocabulary), program.max_length)
    (output,) = program.outputs
    values = interpret(program, tokens, [output]).values[output]
    domain = [as_argument(value) for value in program.nodes[output].domain.values]
    lengths = (tokens[:, 1:] < len(program.vocabulary)).sum(axis=1)
    return _digest(
        [None if place < 0 else domain[place] for place in row[:length].tolist()]
        for row, length in zip(values, lengths.tolist(), strict=True)
    )


@lru_cache(maxsize=16)
def library_behaviours(vocabulary: tuple[Value, ...], length: int) -> frozenset[str]:
    """Return the digests of the library's programs over a vocabulary.

    Programs over as many other tokens count too, their tokens renamed in every way; but
    where tokens are numbers, which mean something, they stay what they are.
    """
    tokens = _tried(len(vocabulary), length)
    rows = [[i for i in row if i < len(vocabulary)] for row in tokens[:, 1:].tolist()]
    digests = set()
    for spec in library():
        for order in _renamings(spec, vocabulary):
            back = {} if order == vocabulary else dict(zip(order, vocabulary, strict=True))
            answers = (spec.oracle([order[i] for i in row]) for row in rows)
            digests.add(_digest([back.get(one, one) for one in answer] for answer in answers))
    return frozenset(digests)


def _renamings(spec: ProgramSpec, vocabulary: tuple[Value, ...]) -> Iterator[tuple[Value, ...]]:
    """Yield the tokens of a program in every order in which `vocabulary` may stand for them."""
    try:
        own = tuple(spec.vocabulary(len(vocabulary)))
    except TaskError:  # it is not defined over so many
        return
    if len(vocabulary) < spec.least_vocab:
        return
    if any(is_number(token) for token in own + vocabulary):
        yield from [own] if own == vocabulary else []
    else:
        yield from permutations(own)


def _tried(n_tokens: int, length: int) -> np.ndarray:
    """Return token ids of some sequences of every length."""
    everything = InputSpace(n_tokens, length).everything()
    return everything[:: max(1, len(everything) // _TRIED)]


def _digest(answers: Iterable[Sequence[Value]]) -> str:
    text = "\n".join(" ".join(map(_written, answer)) for answer in answers)
    return hashlib.sha256(text.encode()).hexdigest()


def _written(value: Value) -> str:
    """Return a value as text, the same for values that are equal up to rounding."""
    if isinstance(value, tuple):
        return f"({','.join(map(_written, value))})"
    if is_number(value):
        return f"{round(float(value), _DIGITS) + 0.0:.{_DIGITS}g}"  # type: ignore[arg-type]
    return repr(value)
