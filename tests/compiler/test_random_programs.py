"""Random programs are refused, or exact on their whole domain in every form.

Set GLASSBENCH_RANDOM_PROGRAMS to try more than the usual number.
"""

import os
from collections import Counter
from dataclasses import dataclass
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from glassbench.compiler import compile_program, rasp, scramble
from glassbench.errors import ProgramError

N_PROGRAMS = int(os.environ.get("GLASSBENCH_RANDOM_PROGRAMS", "150"))

VOCABULARIES = (
    ("a", "b"),
    ("c", "a", "b"),
    (0, 1, 2),
    (-1, 2),
    (True, "x"),
    (0.5, -1.5),
    (("a", 1), ("b", 0)),
    (3,),
)
# What a random function returns; it picks one by a number made of its arguments.
IMAGES = (
    (True, False),
    (0, 1, 2),
    (-3, 2, 0.5),
    ("x", "y"),
    (None, "x"),
    (1 / 3, -2 / 3, 0.1),
    ((1, "a"), (2, "b")),
    (1, "a"),
    (None, 0, 1),
    (5,),
    (0,),
    (-1, 0, 1, None),
    (1e3, -1e3, 0.25),
)
VALUES = (None, 0, 1, -2, 0.5, "x", True, (1, "a"))
OPERATORS = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "<": lambda a, b: a < b,
    "==": lambda a, b: a == b,
    "&": lambda a, b: a & b,
    "neg": lambda a, b: -a,
    "not": lambda a, b: ~a,
}


def number(value: Any) -> int:
    """Return an integer for any value, equal for equal values and the same in every process."""
    if isinstance(value, str):
        return sum(map(ord, value))
    if isinstance(value, tuple):
        return sum(place * number(item) for place, item in enumerate(value, start=1))
    return round(float(value) * 840)


@dataclass(frozen=True)
class Function:
    """A function of any number of values."""

    images: tuple
    factor: int
    shift: int

    def __call__(self, *values: Any) -> Any:
        total = sum((self.factor + 2 * i) * number(v) for i, v in enumerate(values))
        return self.images[(total + self.shift) % len(self.images)]


@dataclass(frozen=True)
class Relation:
    """A predicate of a key and a query."""

    key_factor: int
    query_factor: int
    modulus: int
    bound: int

    def __call__(self, key: Any, query: Any) -> bool:
        total = self.key_factor * number(key) + self.query_factor * number(query)
        return total % self.modulus < self.bound


def written(expression: rasp.RASPExpr) -> str:
    """Return an expression as a text to copy into a test."""
    own = ("f", "predicate", "fill", "default", "fst_fac", "snd_fac")
    parts = [written(child) for child in expression.children]
    parts += [repr(getattr(expression, name)) for name in own if hasattr(expression, name)]
    text = f"{type(expression).__name__}({', '.join(parts)})"
    is_number = isinstance(expression, rasp.SOp) and rasp.is_numerical(expression)
    return f"numerical({text})" if is_number else text


@dataclass(frozen=True)
class Case:
    """A program with the size to compile it in."""

    expression: rasp.SOp
    vocabulary: tuple
    max_length: int
    causal: bool

    def __repr__(self) -> str:
        return (
            f"{written(self.expression)} over {self.vocabulary} up to length {self.max_length}"
            f"{', causal' if self.causal else ''}"
        )


class Builder:
    """Grows a program: every new expression may use all those before it."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.sops: list[rasp.SOp] = [rasp.tokens, rasp.indices]
        self.selectors: list[rasp.Selector] = []

    def among(self, *items: Any) -> Any:
        return self.draw(st.sampled_from(items))

    def function(self) -> Function:
        small = st.integers(0, 5)
        return Function(self.among(*IMAGES), self.draw(small), self.draw(small))

    def sop(self) -> rasp.SOp:
        return self.sops[-1 - self.draw(st.integers(0, len(self.sops) - 1))]

    def selector(self) -> rasp.Selector:
        kind = self.draw(st.integers(0, 5)) if self.selectors else 0
        if kind == 5:
            fst, snd = self.among(*self.selectors), self.among(*self.selectors)
            simplify = self.draw(st.booleans())
            made = self.among(
                lambda: rasp.selector_and(fst, snd, simplify),
                lambda: rasp.selector_or(fst, snd, simplify),
                lambda: rasp.selector_not(fst, simplify),
            )()
        else:
            last = self.selectors[-1] if kind == 4 else None
            if isinstance(last, rasp.Select):
                keys, queries = last.keys, last.queries
            else:
                keys = self.sop()
                queries = self.among(keys, self.sop())
            made = rasp.Select(keys, queries, self.predicate())
        self.selectors.append(made)
        return made

    def predicate(self) -> rasp.Predicate:
        if self.draw(st.booleans()):
            return self.among(*rasp.Comparison)
        modulus = self.draw(st.integers(2, 5))
        factors = (self.draw(st.integers(0, 4)), self.draw(st.integers(0, 4)))
        return Relation(*factors, modulus, self.draw(st.integers(0, modulus)))

    def expression(self) -> rasp.SOp:
        match self.draw(st.integers(0, 10)):
            case 0 | 1:
                return rasp.Map(self.function(), self.sop(), simplify=self.draw(st.booleans()))
            case 2:
                return rasp.SequenceMap(self.function(), self.sop(), self.sop())
            case 3:
                factors = (self.among(1, -1, 0.5, 2, 0, 1 / 3), self.among(1, -1, 3, 0))
                made = rasp.LinearSequenceMap(self.sop(), self.sop(), *factors)
                return self.among(made, rasp.numerical(made))
            case 4:
                return rasp.SelectorWidth(self.selector())
            case 5 | 6 | 7:
                made = rasp.Aggregate(self.selector(), self.sop(), self.among(*VALUES))
                return self.among(made, rasp.numerical(made))
            case 8:
                inputs = (rasp.tokens, rasp.indices)
                full = rasp.Full(self.among(*VALUES))
                return self.among(rasp.length, full, *map(rasp.numerical, inputs))
            case 9:
                return self.sop().copy()  # computed twice, and once at level 1
        operation = OPERATORS[self.among(*OPERATORS)]
        return operation(self.sop(), self.among(self.sop(), 0, 1, 2, "x"))

    def grow(self) -> None:
        made = self.expression()
        if self.draw(st.integers(0, 3)) == 0:
            made = rasp.numerical(made)
        if self.draw(st.integers(0, 7)) == 0:
            made = made.named(self.among("x", "y", "tokens", "<bos>", "x.reciprocal"))
        self.sops.append(made)


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Draw a program of one to seven expressions, and a size."""
    vocabulary = draw(st.sampled_from(VOCABULARIES))
    builder = Builder(draw)
    for _ in range(draw(st.integers(1, 7))):
        builder.grow()
    max_length = draw(st.integers(1, 3 if len(vocabulary) > 2 else 4))
    return Case(builder.sops[-1], vocabulary, max_length, draw(st.booleans()))


def test_random_programs_are_refused_or_exact(differential):
    seen: Counter[str] = Counter()

    @settings(
        max_examples=N_PROGRAMS,
        deadline=None,
        derandomize=N_PROGRAMS <= 1000,
        suppress_health_check=list(HealthCheck),
    )
    @given(cases())
    def try_one(case):
        sizes = {"vocab": case.vocabulary, "max_length": case.max_length, "causal": case.causal}
        try:
            compiled = compile_program(case.expression, **sizes)
        except ProgramError:
            seen["refused"] += 1
            return
        seen["exact"] += 1
        seen["with attention"] += bool(compiled.model.weights.W_O.any())
        inputs = differential.all_sequences(case.vocabulary, case.max_length)
        differential.check_exact(compiled, case.expression, inputs)
        variants = {
            "scrambled": scramble(compiled, 1),
            "level 1": compile_program(case.expression, **sizes, level=1),
            "placed": compile_program(case.expression, **sizes, placement_seed=1),
        }
        expected = [rasp.evaluate(case.expression, x, case.causal) for x in inputs]
        for name, variant in variants.items():
            differential.compare(name, inputs, variant.apply(inputs), expected)

    try_one()
    assert seen["exact"] > N_PROGRAMS / 3  # a compiler that refuses everything is never wrong
    assert seen["with attention"] > N_PROGRAMS / 6
    assert seen["refused"] > N_PROGRAMS / 20
