"""MLP blocks: functions of values -> neurons.

A one-hot input `x` is read by neurons `relu(2 sum(x_v) - 1)`, where `v` runs over a class
of values with the same image, two of them by `relu(2 sum(x_u) + 2 sum(y_v) - 3)`. A
number is read by steps: between neighbouring values a gap apart lies a ramp over the
middle half of the gap, so that each value sits on a plateau and errors below a quarter
of the gap vanish. A step is the difference of two neurons that are both active on one
side of it; that is the side on which they stay smaller, since their rounding errors do
not cancel.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from . import program as ir
from .blocks import PAD, MlpBlock, Variable
from .quotients import classes, membership
from .residual_coding import encode_rows
from .spans import Span
from .values import Encoding

VariableOf = Callable[[int], Variable]
_ROUNDING = 1e-9


@dataclass(frozen=True, eq=False)
class _Neurons:
    """Neurons, before their output has a place.

    Attributes:
        reads: a matrix for each variable, `[width, neurons]`.
        bias: `[neurons]`.
        out: `[neurons, width]`.
        out_bias: `[width]`.
    """

    reads: Mapping[str, np.ndarray]
    bias: np.ndarray
    out: np.ndarray
    out_bias: np.ndarray


def mlp_block(
    place: int, node: ir.Node, variable_of: VariableOf, known: Mapping[int, Span]
) -> tuple[MlpBlock, Variable]:
    """Return the neurons of a function of variables, and what they write.

    Args:
        place: the position of the node.
        node: the function.
        variable_of: the variable of a node that it reads.
        known: the spans of numerical variables.
    """
    operation = node.operation
    read = [variable_of(operand) for operand in ir.operands(operation)]
    match operation:
        case ir.Map(table=table):
            if read[0].encoding is Encoding.NUMERICAL:
                rows = encode_rows(node.domain, node.encoding, table)
                made = _steps({read[0].name: np.ones(1)}, read[0].domain.numbers, rows)
            else:
                made = _of_value(node, read[0], table)
        case ir.SequenceMap(table=table):
            if read[0].encoding is Encoding.NUMERICAL:
                made = _of_number_and_value(node, read[0], read[1], table, known[read[0].node])
            else:
                made = _of_values(node, read[0], read[1], table)
        case ir.LinearMap(terms=terms):
            made = _sum(terms, read)
        case ir.RidgeMap(terms=terms, sums=sums, table=table):
            rows = encode_rows(node.domain, node.encoding, table)
            made = _steps(_summed(terms, read), sums.numbers, rows)
        case _:
            raise AssertionError(operation)
    block = MlpBlock(node.name, made.reads, made.bias, made.out, made.out_bias)
    at_bos = _at_bos(block, read)
    zero = not made.out_bias.any() and (PAD in made.reads or _silent(block, read))
    return block, Variable(node.name, place, node.encoding, node.domain, at_bos, zero)


def _at_bos(block: MlpBlock, read: Sequence[Variable]) -> np.ndarray:
    """Return what a block writes at BOS."""
    known = {variable.name: variable.at_bos for variable in read}
    given = [known[name] @ matrix for name, matrix in block.inputs.items() if name in known]
    hidden = sum(given, start=block.bias)
    active = np.flatnonzero(hidden > 0.0)
    at_bos = hidden[active] @ block.out[active] + block.out_bias
    whole = np.round(at_bos)
    return np.where(np.abs(at_bos - whole) < _ROUNDING, whole, at_bos)


def _silent(block: MlpBlock, read: Sequence[Variable]) -> bool:
    """Whether no neuron can be active at padding: one-hot variables that are zero there.

    What is not zero at padding may be any value, of which a neuron reads at most the
    largest of its weights.
    """
    most = block.bias.copy()
    for variable in read:
        if not variable.zero_at_pad:
            if variable.encoding is Encoding.NUMERICAL:
                return False
            most = most + np.maximum(block.inputs[variable.name].max(axis=0), 0.0)
    return bool((most <= 0.0).all())


def _sum(terms: Sequence[ir.Term], read: Sequence[Variable]) -> _Neurons:
    """Return a sum: a pair of neurons for all that is linear, and steps for what is not."""
    linear, parts = [], []
    for term, variable in zip(terms, read, strict=True):
        if variable.encoding is Encoding.NUMERICAL and len(term.weights) > 1:
            rows = term.weights[:, None]
            parts.append(_steps({variable.name: np.ones(1)}, variable.domain.numbers, rows))
        else:
            linear.append((term, variable))
    weights = _summed([term for term, _ in linear], [variable for _, variable in linear])
    both = {name: np.outer(own, [1.0, -1.0]) for name, own in weights.items()}
    if linear or not parts:
        parts.append(_Neurons(both, np.zeros(2), np.array([[1.0], [-1.0]]), np.zeros(1)))
    return _together(parts)


def _together(parts: Sequence[_Neurons]) -> _Neurons:
    """Return the neurons of several functions, whose outputs are added."""
    widths = {name: len(matrix) for part in parts for name, matrix in part.reads.items()}
    reads = {
        name: np.concatenate(
            [part.reads.get(name, np.zeros((width, len(part.bias)))) for part in parts], axis=1
        )
        for name, width in widths.items()
    }
    return _Neurons(
        reads,
        np.concatenate([part.bias for part in parts]),
        np.concatenate([part.out for part in parts]),
        np.sum([part.out_bias for part in parts], axis=0),
    )


def _summed(terms: Sequence[ir.Term], read: Sequence[Variable]) -> dict[str, np.ndarray]:
    """Return the weights of each variable; one that stands in several terms has their sum."""
    weights: dict[str, np.ndarray] = {}
    for term, variable in zip(terms, read, strict=True):
        known = weights.get(variable.name, np.zeros_like(term.weights))
        weights[variable.name] = known + term.weights
    return weights


def _of_value(node: ir.Node, source: Variable, table: np.ndarray) -> _Neurons:
    """Read a one-hot variable; values that are sent to zero need no neuron."""
    images, member_of = _images(node, table)
    weights = 2.0 * membership(member_of, len(images))
    out = encode_rows(node.domain, node.encoding, images)
    return _Neurons({source.name: weights}, np.full(len(images), -1.0), out, _nothing(out))


def _images(node: ir.Node, table: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct images that are not written as zero, and which each value has, or -1."""
    found, inverse = np.unique(table, return_inverse=True)
    used = found >= 0
    if node.is_numerical:
        used &= node.domain.numbers[found] != 0.0
    number = np.where(used, np.cumsum(used) - 1, -1)
    return found[used], number[inverse]


def _nothing(out: np.ndarray) -> np.ndarray:
    """Return an output bias of zero."""
    return np.zeros(out.shape[1])


def _of_values(node: ir.Node, fst: Variable, snd: Variable, table: np.ndarray) -> _Neurons:
    """Read two one-hot variables, by pairs of classes that the function treats alike."""
    rows, row_of = classes(table)
    columns, column_of = classes(table.T)
    images, member_of = _images(node, table[np.ix_(rows, columns)].ravel())
    used = np.flatnonzero(member_of >= 0)
    left, right = np.unravel_index(used, (len(rows), len(columns)))
    reads: dict[str, np.ndarray] = {}
    for variable, own, picked, n in (
        (fst, row_of, left, len(rows)),
        (snd, column_of, right, len(columns)),
    ):
        matrix = 2.0 * membership(own, n)[:, picked]
        reads[variable.name] = reads.get(variable.name, 0.0) + matrix
    out = encode_rows(node.domain, node.encoding, images[member_of[used]])
    return _Neurons(reads, np.full(len(used), -3.0), out, _nothing(out))


@dataclass(frozen=True, eq=False)
class Steps:
    """A function of a number, by the places where it changes.

    Attributes:
        at: the positions of the values after which it changes, ascending.
        slopes: of the ramps, upwards.
        centres: the bias that makes the ramp one half in the middle, less one half.
        backward: whether the neurons are active below the step, so that they stay small;
            those steps come first.
    """

    at: np.ndarray
    slopes: np.ndarray
    centres: np.ndarray
    backward: np.ndarray

    @classmethod
    def of(cls, numbers: np.ndarray, rows: np.ndarray) -> "Steps":
        """Return the steps of the function that sends `numbers[i]` to `rows[i]`."""
        at = np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1))
        low, high = numbers[at], numbers[at + 1]
        slopes = 2.0 / (high - low)
        middle = (low + high) / 2.0
        backward = middle - numbers[0] < numbers[-1] - middle
        return cls(at, slopes, -slopes * (high + low) / 2.0, backward)

    @property
    def factors(self) -> np.ndarray:
        """What the two neurons of each step multiply the number with."""
        return np.repeat(np.where(self.backward, -self.slopes, self.slopes), 2)

    @property
    def bias(self) -> np.ndarray:
        """The biases of the two neurons of each step."""
        centres = np.where(self.backward, -self.centres, self.centres)
        return (centres[:, None] + np.array([0.5, -0.5])).ravel()

    def out(self, rows: np.ndarray) -> np.ndarray:
        """Return what the neurons write, `[2 * steps, width]`."""
        jumps = (rows[self.at + 1] - rows[self.at]) * np.where(self.backward, -1.0, 1.0)[:, None]
        return (jumps[:, None, :] * np.array([1.0, -1.0])[None, :, None]).reshape(-1, rows.shape[1])

    def base(self, rows: np.ndarray) -> np.ndarray:
        """Return what is written where no neuron is active."""
        n_backward = int(self.backward.sum())
        return rows[self.at[n_backward - 1] + 1] if n_backward else rows[0]


def _steps(weights: Mapping[str, np.ndarray], numbers: np.ndarray, rows: np.ndarray) -> _Neurons:
    """Read a sum of numbers by steps; neighbours with the same image need none."""
    steps = Steps.of(numbers, rows)
    reads = {name: np.outer(own, steps.factors) for name, own in weights.items()}
    return _Neurons(reads, steps.bias, steps.out(rows), steps.base(rows))


def _of_number_and_value(
    node: ir.Node, number: Variable, value: Variable, table: np.ndarray, span: Span
) -> _Neurons:
    """Read a number by steps that depend on a one-hot variable.

    The steps of a class of values are shut by a bias where the variable is not in it. At
    padding a one-hot can be a mixture, which would open some steps and not others: there
    all of them are shut.
    """
    columns, column_of = classes(table.T)
    members = membership(column_of, len(columns))
    factors, gates, biases, outs = [], [], [], []
    for column, own in zip(columns, members.T, strict=True):
        rows = encode_rows(node.domain, node.encoding, table[:, column])
        steps = Steps.of(number.domain.numbers, rows)
        gate = shutting(steps, span)
        factors += [np.zeros(1), steps.factors]
        gates += [2.0 * own[:, None], np.outer(own, gate)]
        biases += [np.full(1, -1.0), steps.bias - gate]
        outs += [steps.base(rows)[None, :], steps.out(rows)]
    reads = {number.name: np.concatenate(factors)[None, :]}
    reads[value.name] = np.concatenate(gates, axis=1)
    reads[PAD] = -reads[value.name].max(axis=0, keepdims=True)
    out = np.concatenate(outs)
    return _Neurons(reads, np.concatenate(biases), out, _nothing(out))


def shutting(steps: Steps, span: Span) -> np.ndarray:
    """Return a whole number for each neuron of `steps` that keeps it shut, wherever in `span`."""
    most = (steps.factors[:, None] * np.array(span) + steps.bias[:, None]).max(axis=1)
    return np.maximum(np.ceil(most), 0.0) + 1.0
