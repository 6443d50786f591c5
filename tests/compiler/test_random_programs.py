"""Random programs are refused, or exact on their whole domain in every form.

Set GLASSBENCH_RANDOM_PROGRAMS to try more than the usual number, and to be told how
often each construct of the language came up.
"""

import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import pytest

from glassbench.compiler import compile_program, rasp, scramble
from glassbench.compiler.values import is_number
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
VALUES = (None, "x", 0, 1, -2, 0.5, True, (1, "a"))
LESS = rasp.Comparison.LT
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
    if isinstance(expression, rasp.SOp) and rasp.is_annotated(expression):
        return f"{rasp.get_encoding(expression).value}({text})"
    return text


@dataclass(frozen=True)
class Case:
    """A program with the size to compile it in."""

    outputs: tuple[rasp.SOp, ...]
    vocabulary: tuple
    max_length: int
    causal: bool

    @property
    def program(self) -> rasp.SOp | list[rasp.SOp]:
        """What is compiled: one expression, or several outputs."""
        return self.outputs[0] if len(self.outputs) == 1 else list(self.outputs)

    def __repr__(self) -> str:
        return (
            f"{', '.join(map(written, self.outputs))} over {self.vocabulary} up to length "
            f"{self.max_length}{', causal' if self.causal else ''}"
        )


class Builder:
    """Grows a program: every new expression may use all those before it."""

    def __init__(self, rng: Random, vocabulary: tuple) -> None:
        self.rng = rng
        self.sops: list[rasp.SOp] = [rasp.numerical(rasp.indices), rasp.tokens, rasp.indices]
        if all(map(is_number, vocabulary)):
            self.sops.append(rasp.numerical(rasp.tokens))
        before = rasp.Select(rasp.indices, rasp.indices, rasp.Comparison.LT)
        same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
        self.selectors: list[rasp.Selector] = [before, same]

    def among(self, *items: Any) -> Any:
        return self.rng.choice(items)

    def below(self, bound: int) -> int:
        return self.rng.randrange(bound)

    def chance(self, n: int) -> bool:
        """Once in `n` times."""
        return self.below(n) == 0

    def function(self) -> Function:
        return Function(self.among(*IMAGES), self.below(6), self.below(6))

    def sop(self) -> rasp.SOp:
        return self.among(*self.sops, *self.sops[-3:])

    def selector(self, depth: int = 2) -> rasp.Selector:
        """A selector: new, one of those before, or up to `depth` steps of algebra on such."""
        if self.chance(3):
            return self.among(*self.selectors)
        if depth and self.chance(3):
            return self.algebra(depth - 1)
        last = self.selectors[-1]
        if isinstance(last, rasp.Select) and self.chance(2):
            keys, queries = last.keys, last.queries
        else:
            keys = self.sop()
            queries = self.among(keys, self.sop())
        made = rasp.Select(keys, queries, self.predicate())
        self.selectors.append(made)
        return made

    def algebra(self, depth: int) -> rasp.Selector:
        simplify = self.chance(2)
        fst = self.selector(depth)
        made = self.among(
            lambda: rasp.selector_and(fst, self.selector(depth), simplify),
            lambda: rasp.selector_or(fst, self.selector(depth), simplify),
            lambda: rasp.selector_not(fst, simplify),
        )()
        self.selectors.append(made)
        return made

    def predicate(self) -> rasp.Predicate:
        if self.chance(2):
            return self.among(*rasp.Comparison)
        modulus = 2 + self.below(4)
        factors = (self.below(5), self.below(5))
        return Relation(*factors, modulus, self.below(modulus + 1))

    def summand(self) -> rasp.SOp:
        """An SOp, as often as not one of numbers."""
        if self.chance(3):
            return self.sop()
        images = self.among((0, 1), (True, False), (-3, 2, 0.5), (1 / 3, -2 / 3, 0.1))
        made = rasp.Map(Function(images, self.below(6), self.below(6)), self.sop())
        return self.among(made, rasp.numerical(made))

    def expression(self) -> rasp.SOp:
        match self.below(11):
            case 0 | 1:
                return rasp.Map(self.function(), self.sop(), simplify=self.chance(2))
            case 2:
                return rasp.SequenceMap(self.function(), self.sop(), self.sop())
            case 3:
                factors = (self.among(1, -1, 0.5, 2, 0, 1 / 3), self.among(1, -1, 3, 0))
                return rasp.LinearSequenceMap(self.summand(), self.summand(), *factors)
            case 4:
                return rasp.SelectorWidth(self.selector())
            case 5 | 6 | 7:
                default = self.among(None, "x", *VALUES)
                return rasp.Aggregate(self.selector(), self.summand(), default)
            case 8:
                return self.among(rasp.length, rasp.Full(self.among(*VALUES)))
            case 9:
                return self.sop().copy()  # computed twice, and once at level 1
        operation = OPERATORS[self.among(*OPERATORS)]
        return operation(self.sop(), self.among(self.sop(), 0, 1, 2, "x"))

    def grow(self) -> None:
        made = self.expression()
        made = self.among(made, made, made, rasp.numerical(made), rasp.categorical(made))
        if self.chance(8):
            made = made.named(self.among("x", "y", "tokens", "<bos>", "x.reciprocal"))
        self.sops.append(made)

    def finish(self) -> None:
        """Add something that is rare otherwise, and perhaps an expression that uses it."""
        match self.among("selectors", "means", "means", "None", "anything"):
            case "selectors":
                selector = self.algebra(2)
                kinds = (rasp.SelectorWidth(selector), rasp.Aggregate(selector, self.summand()))
                self.sops.append(self.among(*kinds))
            case "means":
                before = rasp.Select(rasp.indices, self.among(rasp.indices, self.sop()), LESS)
                selector = self.among(before, self.selector())
                mean = rasp.Aggregate(selector, self.summand(), self.among(None, "x", 0, 0.5, 7))
                self.sops.append(self.among(mean, mean, rasp.numerical(mean)))
            case "None":
                part = Function(self.among((None, "x"), (None, 0, 1)), self.among(0, 1, 3), 0)
                self.sops.append(rasp.Map(part, self.sop()))
                sides = (self.sops[-1], self.sop())
                keys, queries = self.among(sides, sides[::-1])
                select = rasp.Select(keys, queries, self.predicate())
                selector = self.among(select, rasp.SelectorNot(select), select | self.selector())
                self.sops.append(rasp.SelectorWidth(selector))
        if self.chance(2):
            self.sops.append(self.sop_of(self.sops[-1]))

    def sop_of(self, sop: rasp.SOp) -> rasp.SOp:
        """Something that reads `sop`."""
        maps = (
            rasp.Map(self.function(), sop, simplify=False),
            rasp.SequenceMap(self.function(), sop, self.sop()),
            rasp.SelectorWidth(rasp.Select(sop, self.sop(), self.predicate())),
        )
        return self.among(*maps)


def drawn(seed: int) -> Case:
    """Return a program of one to ten expressions and one to three outputs, and a size."""
    rng = Random(seed)
    vocabulary = rng.choice(VOCABULARIES)
    builder = Builder(rng, vocabulary)
    for _ in range(rng.randrange(1, 8)):
        builder.grow()
    builder.finish()
    others = rng.choice([0, 0, 0, 1, 2])
    outputs = (builder.sops[-1], *(builder.sop() for _ in range(others)))
    max_length = rng.choice([3, 3, 2]) + (len(vocabulary) < 3)
    return Case(outputs, vocabulary, max_length, rng.random() < 0.5)


def selected_from(selector: rasp.Selector) -> set[tuple[int, int]]:
    """Return the different pairs of keys and queries that a selector looks at."""
    parts = rasp.topological_order(selector)
    return {(id(p.keys), id(p.queries)) for p in parts if isinstance(p, rasp.Select)}


def constructs(case: Case, answers: list[dict[rasp.RASPExpr, list]]) -> Iterator[str]:
    """Yield what a program uses, given the values of all its expressions on every input."""
    if len(case.outputs) > 1:
        yield "several outputs"
    if case.causal:
        yield "causal attention"
    if len({type(token) for token in case.vocabulary}) > 1:
        yield "tokens of several types"
    if any(None in found[output] for found in answers for output in case.outputs):
        yield "None as an answer"
    for part in rasp.topological_order(*case.outputs):
        match part:
            case rasp.SelectorAnd() | rasp.SelectorOr() | rasp.SelectorNot():
                yield type(part).__name__
                if len(selected_from(part)) > 1:
                    yield f"{type(part).__name__} of other keys or queries"
                if any(not isinstance(child, rasp.Select) for child in part.children):
                    yield "selectors combined twice"
            case rasp.Select(keys=keys, queries=queries):
                if rasp.is_numerical(keys) or rasp.is_numerical(queries):
                    yield "numerical keys or queries"
                if any(None in found[side] for found in answers for side in (keys, queries)):
                    yield "None as a key or query"
            case rasp.TokensType() | rasp.IndicesType() if rasp.is_numerical(part):
                yield f"numerical {part.name}"
            case rasp.LinearSequenceMap():
                yield "LinearSequenceMap"
            case rasp.SequenceMap(fst=fst, snd=snd):
                kinds = sorted(rasp.get_encoding(side).value for side in (fst, snd))
                yield f"a map of {' and '.join(kinds)}"
            case rasp.Aggregate():
                yield from means(part, answers)


def means(part: rasp.Aggregate, answers: list[dict[rasp.RASPExpr, list]]) -> Iterator[str]:
    """Yield what an aggregate is used for: where it gives values that it does not select."""
    is_mean = any(
        value not in found[part.sop] and value != part.default and value is not None
        for found in answers
        for value in found[part]
    )
    if not is_mean:
        yield "Aggregate of one value"
        return
    chosen = rasp.get_encoding(part).value if rasp.is_annotated(part) else "un-annotated"
    yield f"{chosen} mean"
    if any(value == part.default for found in answers for value in found[part]):
        yield f"mean or {'None' if part.default is None else type(part.default).__name__}"


def is_well_formed(case: Case, answers: list[dict[rasp.RASPExpr, list]]) -> bool:
    """Whether what is called numerical holds numbers, and everything has a value sometimes."""
    for part in rasp.topological_order(*case.outputs):
        if isinstance(part, rasp.SOp):
            values = [value for found in answers for value in found[part] if value is not None]
            default = part.default if isinstance(part, rasp.Aggregate) else None
            numbers = all(is_number(value) or value == default for value in values)
            if not values or not (numbers or rasp.is_categorical(part)):
                return False
    return True


# Every one of these must come up.
EXPECTED = (
    "several outputs",
    "causal attention",
    "tokens of several types",
    "None as an answer",
    "None as a key or query",
    "SelectorAnd of other keys or queries",
    "SelectorOr of other keys or queries",
    "SelectorNot of other keys or queries",
    "selectors combined twice",
    "numerical keys or queries",
    "numerical tokens",
    "numerical indices",
    "LinearSequenceMap",
    "a map of categorical and categorical",
    "a map of categorical and numerical",
    "a map of numerical and numerical",
    "Aggregate of one value",
    "numerical mean",
    "un-annotated mean",
    "mean or None",
    "mean or str",
    "mean or int",
    "in TransformerLens",
    "in Haiku",
)


def try_one(case: Case, seen: Counter[str], differential: Any) -> None:
    """Check that a program is refused, or exact in every form; count what it uses."""
    sizes = {"vocab": case.vocabulary, "max_length": case.max_length, "causal": case.causal}
    inputs = differential.all_sequences(case.vocabulary, case.max_length)
    try:
        answers = [rasp.evaluate_every(case.outputs, xs, case.causal) for xs in inputs]
    except ProgramError:
        answers = None
    try:
        compiled = compile_program(case.program, **sizes)
    except ProgramError as error:
        seen["refused"] += 1
        if answers is not None and is_well_formed(case, answers):
            seen["refused though well formed"] += 1
            seen[f"refused though well formed: {str(error).splitlines()[-1][:150]}"] += 1
        return
    seen["exact"] += 1
    seen.update(set(constructs(case, answers)))
    differential.check_exact(compiled, case.program, inputs)
    expected = differential.evaluated(case.program, inputs, case.causal)
    variants = {
        "scrambled": scramble(compiled, 1),
        "level 1": compile_program(case.program, **sizes, level=1),
        "placed": compile_program(case.program, **sizes, placement_seed=1),
    }
    for name, variant in variants.items():
        differential.compare(name, inputs, variant.apply(inputs), expected)
    if seen["exact"] % 5 == 0:
        seen["in TransformerLens"] += 1
        differential.check_transformer_lens(compiled, inputs, expected)
    seen["in Haiku"] += differential.check_haiku_in_one_size(compiled, inputs, expected)


def simplest(case: Case, differential: Any) -> Case:
    """Return the first part of a failing program that fails alone, or else the program."""
    for part in rasp.topological_order(*case.outputs):
        alone = replace(case, outputs=(part,))
        try:
            if isinstance(part, rasp.SOp):
                try_one(alone, Counter(), differential)
        except Exception:  # noqa: BLE001
            return alone
    return case


@pytest.mark.parametrize(
    "n_programs", [N_PROGRAMS, pytest.param(2 * N_PROGRAMS, marks=pytest.mark.slow)]
)
def test_random_programs_are_refused_or_exact(differential, request, capsys, n_programs):
    seen: Counter[str] = Counter()

    for seed in range(n_programs):
        case = drawn(seed)
        try:
            try_one(case, seen, differential)
        except Exception as error:
            error.add_note(f"Program {seed}: {simplest(case, differential)!r}")
            raise
    if "GLASSBENCH_RANDOM_PROGRAMS" in os.environ:
        report = request.config.pluginmanager.get_plugin("terminalreporter")
        with capsys.disabled():
            for name, count in sorted(seen.items()):
                report.write_line(f"{count:7d}  {name}")
    assert seen["exact"] > n_programs / 2  # a compiler that refuses everything is never wrong
    assert seen["refused"] > n_programs / 20
    assert seen["refused though well formed"] < n_programs / 10
    assert not [name for name in EXPECTED if not seen[name]]
