"""Conformance: the rules that every program keeps, each of which can be checked.

`check_program` checks what can be said of a program before its labels are made, and
`check_task`, in `ground_truth`, what its certified labels add. The tests run the first
over the whole library, and the second over every program in size tiny, and some also crowded
and scrambled, most of these among the slow tests. `glassbench check` runs both, the second in
default size, over the library and over programs of others.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from copy import deepcopy
from dataclasses import dataclass
from itertools import count, pairwise
from typing import Any

import numpy as np

from ..compiler import CompiledModel, Program, compile_program, interpret, to_json
from ..compiler.input_space import InputSpace
from ..compiler.values import Value, as_argument
from ..errors import GlassbenchError
from .program_spec import ProgramSpec, Size

EXHAUSTIVE = 6_000
SAMPLE = 600
CANDIDATES = 12 * SAMPLE
_BATCH_BYTES = 2**28
_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


@dataclass(frozen=True)
class Finding:
    """One rule, and whether it holds.

    Attributes:
        rule: what must hold.
        problem: empty, or what was got, and where.
        note: on what it was checked, where that is not plain.
        required: whether it must hold; else it decides whether methods are ranked on it.
    """

    rule: str
    problem: str = ""
    note: str = ""
    required: bool = True

    @property
    def holds(self) -> bool:
        """Whether the rule is kept."""
        return not self.problem


def check_program(spec: ProgramSpec) -> Iterator[Finding]:
    """Check a program: its description, then its meaning and its model in every size."""
    yield from _about(spec)
    shape = _sizes(spec)
    yield shape
    if not shape.holds:
        return
    for name, size in spec.sizes._asdict().items():
        tokens = _vocabulary(spec, name, size)
        yield tokens
        if tokens.holds:
            yield from _agreement(spec, name, size)


def _about(spec: ProgramSpec) -> Iterator[Finding]:
    """Check what a program says of itself."""
    named = bool(_NAME.fullmatch(spec.name)) and not re.search(r"_v\d+$", spec.name)
    yield Finding(
        "The name is of lower-case words joined by underscores.", "" if named else repr(spec.name)
    )
    positive = isinstance(spec.version, int) and spec.version >= 1
    yield Finding(
        "The version is an integer from 1 on.", "" if positive else f"got {spec.version!r}"
    )
    for what in ("description", "why"):
        text = getattr(spec, what)
        good = text[:1].isupper() and text.endswith(".") and len(text) >= 20 and "\n" not in text
        yield Finding(
            f"The {what} is a sentence, or a few, on one line.", "" if good else f"got {text!r}"
        )
    tags = (spec.family, *spec.tags)
    good = len(spec.tags) > 0 and all(tag == tag.lower().strip() != "" for tag in tags)
    yield Finding(
        "It has a family, and at least one tag, in lower case.", "" if good else f"got {tags}"
    )
    good = re.fullmatch(r"[A-Za-z0-9.+-]+", spec.licence) is not None
    yield Finding("The licence is an SPDX identifier.", "" if good else f"got {spec.licence!r}")


def _sizes(spec: ProgramSpec) -> Finding:
    """Check that the named sizes grow, and that the small ones can be tried in full."""
    rule = "Sizes grow from tiny to large; tiny and small have at most 6,000 inputs."
    problems = []
    sizes = list(spec.sizes._asdict().items())
    for (_, before), (name, size) in pairwise(sizes):
        if not (size[0] >= before[0] and size[1] >= before[1] and size != before):
            problems.append(f"{name} {size} is not larger than {before}")
    for name, (vocab, length) in sizes:
        problems += spec.problems({"vocab": vocab, "length": length})
        if name in ("tiny", "small") and InputSpace(vocab, length).size > EXHAUSTIVE:
            problems.append(f"{name} has {InputSpace(vocab, length).size:,} inputs")
    return Finding(rule, "; ".join(problems))


def _vocabulary(spec: ProgramSpec, name: str, size: Size) -> Finding:
    """Check the tokens of one size."""
    rule = f"{name}: the vocabulary has as many different tokens as it should."
    try:
        tokens = spec.vocabulary(size[0])
    except Exception as error:  # noqa: BLE001 - whatever a vocabulary of others raises
        return Finding(rule, repr(error))
    if len(tokens) != size[0] or len(set(tokens)) != len(tokens):
        return Finding(rule, f"asked for {size[0]}, got {tokens}")
    return Finding(rule)


def _agreement(spec: ProgramSpec, name: str, size: Size) -> Iterator[Finding]:
    """Check that the program compiles in one size, and that its model agrees with the oracle."""
    vocab, length = size
    rule = f"{name}: the program compiles exactly, in float32 too, the same each time."
    tokens = spec.vocabulary(vocab)

    def build() -> CompiledModel:
        return compile_program(spec.build(tokens, length), tokens, length, causal=spec.causal)

    try:
        compiled = build()
    except Exception as error:  # noqa: BLE001 - whatever a program of others raises
        told = str(error) if isinstance(error, GlassbenchError) else repr(error)
        yield Finding(rule, told)
        return
    problem = ""
    if compiled.margins.float32 < 1:
        problem = f"the margin in float32 is {compiled.margins.float32:.2g}, below 1"
    elif name == "tiny" and to_json(build().program) != to_json(compiled.program):
        problem = "building it twice gives two programs; it must not depend on anything else"
    elif compiled.program.nodes[compiled.program.outputs[0]].name != spec.name and name == "tiny":
        problem = (
            f"its output is called {compiled.program.name!r}; end the expression with "
            f".named({spec.name!r})"
        )
    yield Finding(rule, problem)
    yield from _same_answers(spec, name, compiled)


def _same_answers(spec: ProgramSpec, name: str, compiled: CompiledModel) -> Iterator[Finding]:
    """Compare oracle and weights on all inputs, or on a sample; and see that outputs vary."""
    space = InputSpace(len(compiled.program.vocabulary), compiled.program.max_length)
    exhaustive = space.size <= EXHAUSTIVE
    ids = space.everything() if exhaustive else spread_sample(compiled.program, space)
    sequences = _sequences(compiled, ids)
    rule = f"{name}: the weights give what the oracle gives."
    note = f"on {'all' if exhaustive else 'a sample of'} {len(sequences):,} inputs"
    expected = []
    for sequence in sequences:
        try:
            expected.append(list(spec.oracle(deepcopy(sequence))))
        except Exception as error:  # noqa: BLE001 - whatever an oracle of others raises
            yield Finding(rule, f"on {sequence} the oracle raised {error!r}", note)
            return
    note += "" if exhaustive else _commonest(expected)
    yield Finding(rule, _first_difference(compiled, sequences, expected), note)
    if name in ("tiny", "small"):
        outputs = {value for answer in expected for value in answer}
        varies = len(outputs) > 1
        rule = f"{name}: the output is constant in a control that says so, and varies elsewhere."
        problem = "" if varies or spec.control else f"it is {outputs} on every input"
        yield Finding(rule, problem)


def spread_sample(program: Program, space: InputSpace) -> np.ndarray:
    """Return different inputs, evenly over lengths, and within a length over outputs.

    Most inputs of some programs lead to one output (random brackets are almost never
    balanced), so that rare ones are looked for among many more, with the interpreter.
    """
    found = space.sample(CANDIDATES, seed=0)
    found = found[_turns(found) == 0]
    lengths = (found < space.n_tokens).sum(axis=1)
    rank = np.empty(len(found), dtype=np.int64)
    for length in range(1, space.max_length + 1):
        places = np.flatnonzero(lengths == length)
        # Without padding, since the time goes with the square of the width.
        values = interpret(program, found[places, : length + 1], program.outputs).values
        outputs = np.concatenate([values[place] for place in program.outputs], axis=1)
        rank[places[np.argsort(_turns(outputs), kind="stable")]] = np.arange(len(places))
    return found[np.sort(np.argsort(rank, kind="stable")[:SAMPLE])]


def _turns(rows: np.ndarray) -> np.ndarray:
    """Return for each row how many equal ones come before it."""
    rows = np.ascontiguousarray(rows)
    seen: defaultdict[bytes, Iterator[int]] = defaultdict(count)
    keys = rows.view(f"V{rows.itemsize * rows.shape[1]}").ravel().tolist()
    return np.array([next(seen[key]) for key in keys])


def _commonest(expected: list[list[Value]]) -> str:
    """Say how large a share of all values is the commonest one, rounded down."""
    counts = Counter(repr(value) for answer in expected for value in answer)
    if not counts:
        return ""
    return f"; the commonest value is {100 * max(counts.values()) // counts.total()}% of all"


def _sequences(compiled: CompiledModel, ids: np.ndarray) -> list[list[Any]]:
    """Return token ids as sequences of tokens."""
    tokens = [as_argument(value) for value in compiled.program.vocabulary.values]
    return [[tokens[i] for i in row if i < len(tokens)] for row in ids[:, 1:].tolist()]


def _first_difference(
    compiled: CompiledModel, sequences: list[list[Any]], expected: list[list[Value]]
) -> str:
    """Return the first input on which model and oracle differ, in words; empty if none."""
    weights = compiled.model.weights
    row = 8 * weights.d_model * weights.n_ctx * (2 + weights.n_layers * (weights.n_heads + 1))
    step = max(1, _BATCH_BYTES // row)
    for start in range(0, len(sequences), step):
        given = compiled.apply(sequences[start : start + step])
        for sequence, ours, theirs in zip(
            sequences[start : start + step], given, expected[start : start + step], strict=True
        ):
            if not _equal(ours, theirs):
                return f"on {sequence} the weights give {ours}, the oracle {theirs}"
    return ""


def _equal(ours: list[Value], theirs: list[Value]) -> bool:
    """Whether two answers are the same; numbers up to rounding, and `None` only with `None`."""
    if len(ours) != len(theirs):
        return False
    return ours == theirs or all(_same(x, y) for x, y in zip(ours, theirs, strict=True))


def _same(x: Value, y: Value) -> bool:
    """Whether two values are the same."""
    if isinstance(x, float | int) and isinstance(y, float | int):
        return abs(x - y) <= 1e-9 * max(1.0, abs(x), abs(y))
    return bool(x == y)
