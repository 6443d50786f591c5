"""Margins: how far every decision of a compiled model is from going wrong.

In exact arithmetic a compiled model is exact but for what softmax leaks. In floating
point every number is a little off, and every threshold has some slack. Here errors are
carried from block to block by worst-case bounds, and each decision (a step of a neuron,
a gate, the decoding of an output) gets the ratio of its slack to the error that can
reach it. A model whose least ratio is above one cannot be wrong in that precision; one
below it may still be right, since bounds are pessimistic.

The bounds hold in the basis in which the model is compiled.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import expm1, inf

import numpy as np

from . import program as ir
from .attention_blocks import SHARPNESS
from .blocks import Blocks, HeadBlock, MlpBlock, Variable
from .interpreter import contributions
from .mlp_blocks import Steps
from .residual_coding import encode_rows
from .selector_facts import at_most_one, conditions_of
from .values import Encoding

_UNITS = {"float64": 2.0**-53, "float32": 2.0**-24}
_HOPELESS = 100.0
"""An exponent beyond which an error is as bad as it can be."""

_OPERATIONS = 4.0
"""Roundings between two variables, sums over positions not counted."""


@dataclass(frozen=True)
class Margins:
    """The least ratio of slack to worst-case error, in two precisions.

    Attributes:
        float64: above one: exact in float64.
        float32: above one: exact in float32.
        weakest: the decision with the least ratio.
    """

    float64: float
    float32: float
    weakest: str

    def advice(self, precision: str) -> str:
        """Return what is wrong where a margin is below one, and what to do."""
        margin = min(getattr(self, precision), 0.99)
        return (
            f"{self.weakest}, has a margin of {margin:.2g} in {precision}, where 1 is needed; use "
            "shorter sequences or fewer values, or round numbers that lie close together"
        )


def margins_of(program: ir.Program, blocks: Blocks) -> Margins:
    """Return the margins of a lowered program."""
    found = {name: _Bounds(program, blocks, unit) for name, unit in _UNITS.items()}
    for bounds in found.values():
        bounds.follow()
    weakest = min(found["float32"].decisions, key=lambda one: one[0], default=(inf, "nothing"))
    least = {
        name: min((ratio for ratio, _ in bounds.decisions), default=inf)
        for name, bounds in found.items()
    }
    return Margins(least["float64"], least["float32"], weakest[1])


@dataclass(frozen=True, eq=False)
class _Error:
    """A bound on the error of a variable's coefficients.

    Attributes:
        each: for every coefficient, `[width]`.
        relative: to be multiplied with the size of a number and added.
        alone: whether only the coefficient of the value itself can be off, all others
            being exactly zero.
    """

    each: np.ndarray
    relative: float = 0.0
    alone: bool = False


@dataclass(eq=False)
class _Bounds:
    """Errors and decisions in one precision; lives for one call of `margins_of`."""

    program: ir.Program
    blocks: Blocks
    unit: float
    errors: dict[str, _Error] = field(default_factory=dict)
    decisions: list[tuple[float, str]] = field(default_factory=list)

    def follow(self) -> None:
        """Bound the errors of all variables, in order, and then those of the answers."""
        for embedding in self.blocks.embeddings:
            width = self._variable(embedding.output).width
            self.errors[embedding.output] = self._rounded(embedding.output, np.zeros(width))
        for block in self.blocks.blocks:
            found = self._head(block) if isinstance(block, HeadBlock) else self._mlp(block)
            self.errors[block.output] = found
        for name in self.blocks.outputs:
            variable, error = self.blocks.variables[name], self.errors[name]
            if variable.encoding is Encoding.NUMERICAL:
                numbers, what = variable.domain.numbers, (name, "values of the output")
                self._tell_apart(numbers, self._at_values(name), 2.0, what)
            else:
                self._decide(0.5, error.each, f"{name}: decoding the output")

    def _variable(self, name: str) -> Variable:
        return self.blocks.variables[name]

    def _at_values(self, name: str) -> np.ndarray:
        """Return the bound for each value of a number."""
        error, numbers = self.errors[name], self._variable(name).domain.numbers
        return error.each[0] + error.relative * np.abs(numbers)

    def _rounded(self, name: str, each: np.ndarray, *, alone: bool = False) -> _Error:
        """Return the error of a variable that is written with errors, and rounded if a number."""
        numerical = self._variable(name).encoding is Encoding.NUMERICAL
        return _Error(each, self.unit if numerical else 0.0, alone and not numerical)

    def _decide(self, slack: float, error: np.ndarray, what: str) -> None:
        """Note a decision."""
        worst = float(np.max(error, initial=0.0))
        self.decisions.append((slack / worst if worst else inf, what))

    def _tell_apart(
        self,
        numbers: np.ndarray,
        error: np.ndarray,
        share: float,
        what: tuple[str, str],
        changes: np.ndarray | None = None,
    ) -> None:
        """Note that neighbours must lie further apart than `share` times their errors.

        Args:
            numbers: ascending.
            error: the bound for each.
            share: how many errors must fit between neighbours.
            what: where it is read, and which numbers these are.
            changes: the numbers whose next neighbour is to be told from them; `None` for all.
        """
        at = np.arange(len(numbers) - 1) if changes is None else changes
        if len(at) == 0:
            return
        worst = np.maximum(np.maximum(error[at], error[at + 1]), np.finfo(float).tiny)
        ratios = (numbers[at + 1] - numbers[at]) / share / worst
        least = int(ratios.argmin())
        low, high = numbers[at[least]].item(), numbers[at[least] + 1].item()
        shown = f"{low:.6g} from {high:.6g}"
        if len(set(shown.split(" from "))) == 1:
            shown = f"{low!r} from {high!r}"
        where, which = what
        text = f"{where}: telling {shown}, {which}"
        self.decisions.append((float(ratios[least]), text))

    # -- heads -------------------------------------------------------------------

    def _head(self, block: HeadBlock) -> _Error:
        """Return the error of what a head writes."""
        variable = self._variable(block.output)
        operation = self.program.nodes[variable.node].operation
        assert isinstance(operation, ir.Aggregate | ir.ReciprocalWidth)
        n = self.program.max_length
        scores = self._score_error(operation.selector)
        leak = n * np.exp(min(2.0 * scores - SHARPNESS / 2.0, _HOPELESS))
        mixing = expm1(min(2.0 * scores, _HOPELESS)) + (n + _OPERATIONS) * self.unit
        if isinstance(operation, ir.ReciprocalWidth):
            return _Error(np.zeros(1), mixing + leak)
        carried = self._linear(block.value)
        rounding = _OPERATIONS * self.unit
        if at_most_one(self.program.nodes, operation.selector, causal=self.program.causal):
            mixing = rounding
        else:
            rounding += n * self.unit
        if variable.encoding is Encoding.CATEGORICAL:
            return _Error(carried + leak + rounding)
        numbers = variable.domain.numbers
        size, spread = float(np.abs(numbers).max()), float(numbers[-1] - numbers[0])
        return _Error(carried + leak * spread + mixing * max(size, spread), self.unit)

    def _linear(self, reads: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the error of each column of a product of variables with matrices."""
        total = np.zeros(next(iter(reads.values())).shape[1])
        for name, matrix in reads.items():
            error = self.errors[name]
            each = error.each
            if self._variable(name).encoding is Encoding.NUMERICAL:
                each = self._at_values(name).max(keepdims=True)
            wrong = np.flatnonzero(each)
            if len(wrong):
                parts = np.abs(matrix[wrong]) * each[wrong, None]
                total += parts.max(axis=0) if error.alone else parts.sum(axis=0)
        return total

    def _score_error(self, selector: int) -> float:
        """Return a bound on the error of any score.

        Where a one-hot `q` is off by `e`, the score `S q^T T k` is off by `S e^T T k`.
        """
        total = 0.0
        conditions = conditions_of(self.program.nodes, selector)
        for condition in conditions:
            for place, table in (
                (condition.queries, condition.table),
                (condition.keys, condition.table.T),
            ):
                if place is None:
                    continue
                error = self.errors[self.program.nodes[place].name]
                if error.alone:
                    total += float(error.each.max())
                elif error.each.any():
                    total += float((error.each @ table).max())
        # Without errors, scores are products of zeros, ones and the sharpness, all exact.
        rounding = _OPERATIONS * self.unit * (len(conditions) + 2) if total else 0.0
        return SHARPNESS * (total + rounding)

    # -- MLPs --------------------------------------------------------------------

    def _mlp(self, block: MlpBlock) -> _Error:
        """Return the error of what neurons write, and note what they decide."""
        operation = self._node(block).operation
        match operation:
            case ir.LinearMap():
                return self._linear_map(block)
            case ir.RidgeMap():
                return self._ridge_map(block, operation)
            case ir.Map(inner=fst) | ir.SequenceMap(fst=fst):
                if self.program.nodes[fst].is_numerical:
                    return self._of_number(block, operation)
                return self._of_values(block)
        raise AssertionError(operation)

    def _node(self, block: MlpBlock) -> ir.Node:
        return self.program.nodes[self._variable(block.output).node]

    def _linear_map(self, block: MlpBlock) -> _Error:
        """Return the error of a sum."""
        node = self._node(block)
        assert isinstance(node.operation, ir.LinearMap)
        error = _OPERATIONS * self.unit * np.full(1, self._size(node.operation.terms))
        for term in node.operation.terms:
            source = self.program.nodes[term.node]
            if not ir.is_stepped(self.program.nodes, term):
                error = error + self._linear({source.name: term.weights[:, None]})
                continue
            steps = Steps.of(source.domain.numbers, term.weights[:, None])
            self._read_steps(block, source, steps.at)
            made = steps.factors[:, None] * source.domain.numbers[[0, -1]] + steps.bias[:, None]
            jumps = np.abs(steps.out(term.weights[:, None]))
            error = error + _OPERATIONS * self.unit * np.maximum(made, 0.0).max(axis=1) @ jumps
        return _Error(error, self.unit)

    def _size(self, terms: Sequence[ir.Term]) -> float:
        """Return a bound on the sum of the sizes of the terms, all of which are rounded."""
        nodes = [self.program.nodes[term.node] for term in terms]
        each = [np.abs(contributions(n, t)).max() for n, t in zip(nodes, terms, strict=True)]
        return float(sum(each))

    def _ridge_map(self, block: MlpBlock, operation: ir.RidgeMap) -> _Error:
        """Return the error of steps that read a sum."""
        node, numbers, table = self._node(block), operation.sums.numbers, operation.table
        named = [(self.program.nodes[term.node].name, term.weights) for term in operation.terms]
        carried = sum(float(self._linear({n: own[:, None]})[0]) for n, own in named)
        size = self._size(operation.terms)
        error = np.full(len(numbers), carried + _OPERATIONS * self.unit * size)
        what = (block.output, f"sums of {' and '.join(repr(n) for n, _ in named)}")
        self._tell_apart(numbers, error, 4.0, what, np.flatnonzero(table[1:] != table[:-1]))
        steps = Steps.of(numbers, encode_rows(node.domain, node.encoding, table))
        return self._of_steps(block, steps.factors, numbers, size * np.abs(steps.factors))

    def _of_number(self, block: MlpBlock, operation: ir.Map | ir.SequenceMap) -> _Error:
        """Return the error of steps that read a number, which a one-hot may open."""
        places = ir.operands(operation)
        source = self.program.nodes[places[0]]
        numbers = source.domain.numbers
        rows = operation.table.reshape(len(numbers), -1)
        self._read_steps(block, source, np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1)))
        gates = np.zeros(1)
        if len(places) > 1:
            opener = self.program.nodes[places[1]].name
            matrix = block.inputs[opener]
            gates = np.maximum(matrix.max(axis=0), 0.0)
            wrong = self._linear({opener: matrix}) + _OPERATIONS * self.unit * gates
            self._decide(0.5, wrong, f"{block.output}: being opened by {opener!r}")
        return self._of_steps(block, block.inputs[source.name][0], numbers, gates)

    def _read_steps(self, block: MlpBlock, source: ir.Node, changes: np.ndarray) -> None:
        """Note that a number must be told from its neighbour where what is made of it changes."""
        numbers = source.domain.numbers
        error = self._at_values(source.name) + _OPERATIONS * self.unit * np.abs(numbers)
        what = (block.output, f"values of {source.name!r}")
        self._tell_apart(numbers, error, 4.0, what, changes)

    def _of_values(self, block: MlpBlock) -> _Error:
        """Return the error of neurons that read one-hots: one of them is active, or none."""
        variable = self._variable(block.output)
        errors = self._linear(block.inputs)
        names = " and ".join(repr(name) for name in block.inputs)
        self._decide(1.0, errors, f"{block.output}: reading {names}")
        numerical = variable.encoding is Encoding.NUMERICAL
        largest = float(np.abs(block.out).max(initial=0.0)) if numerical else 1.0
        each = np.full(variable.width, float(errors.max(initial=0.0)) * largest)
        return self._rounded(block.output, each, alone=True)

    def _of_steps(
        self, block: MlpBlock, slopes: np.ndarray, numbers: np.ndarray, gates: np.ndarray
    ) -> _Error:
        """Return the rounding error of sums of neurons that nearly cancel.

        Args:
            block: the neurons.
            slopes: what each multiplies its number with.
            numbers: the values of the number.
            gates: what else goes into each and is rounded, such as what opens it.
        """
        ends = np.array([numbers[0], numbers[-1]])
        open_at = slopes[:, None] * ends + (block.bias + gates)[:, None]
        largest = np.maximum(open_at, 0.0).max(axis=1) + gates
        return self._rounded(block.output, _OPERATIONS * self.unit * largest @ np.abs(block.out))
