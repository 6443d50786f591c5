"""Lower: `Program` -> blocks, the exact algebra of every operation.

`None` is the zero vector throughout: maps send it to itself, selectors score it
zero and so never select it, and it decodes to `None`.

Attention. A query value `u` and a key value `v` score `S * table[u, v]`, with
`S = SHARPNESS`. BOS scores `S / 2` for an aggregate, so that it is attended when
and only when nothing is selected, and holds the default; it scores `S` for a
selector width `w`, so that its weight is `1 / (1 + w)`. Padding scores at most
`-S`. What leaks to unselected positions is at most `n * exp(-S / 2)`, about 1e-12
at 64 positions.

MLPs. A one-hot input `x` is read by neurons `relu(2 x_v - 1)`, two of them by
`relu(2 x_u + 2 y_v - 3)`. A number is read by steps: between neighbouring values
a gap apart lies a ramp over the middle half of the gap, so that each value sits on
a plateau and errors below a quarter of the gap vanish.
"""

from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from . import program as ir
from .blocks import (
    BOS,
    INDICES,
    PAD,
    TOKENS,
    Block,
    Blocks,
    HeadBlock,
    MlpBlock,
    Variable,
    reciprocal_name,
)
from .values import Domain, Encoding, Value

SHARPNESS = 64.0
_AGGREGATE_BOS = 0.5
_WIDTH_BOS = 1.0
_PADDING = -2.0
_ROUNDING = 1e-9


def lower(program: ir.Program) -> Blocks:
    """Return the blocks that compute every variable of `program`."""
    variables = {
        TOKENS: Variable(
            TOKENS, -1, Encoding.CATEGORICAL, program.vocabulary, _zeros(program.vocabulary), True
        ),
        BOS: Variable(BOS, -1, Encoding.CATEGORICAL, Domain((True,)), np.ones(1), True),
        PAD: Variable(PAD, -1, Encoding.CATEGORICAL, Domain((True,)), np.zeros(1)),
    }
    names: dict[int, str] = {}
    blocks: list[Block] = []

    def emit(block: Block, variable: Variable) -> None:
        variables[variable.name] = variable
        blocks.append(block)

    for place, node in enumerate(program.nodes):
        names[place] = node.name
        match node.operation:
            case ir.Tokens():
                names[place] = TOKENS
                variables[TOKENS] = Variable(
                    TOKENS, place, node.encoding, node.domain, _zeros(node.domain), True
                )
            case ir.Indices():
                names[place] = INDICES
                variables[INDICES] = Variable(
                    INDICES, place, node.encoding, node.domain, _zeros(node.domain)
                )
            case ir.Select():
                pass
            case ir.Map() | ir.SequenceMap() | ir.LinearMap():
                inputs = {o: variables[names[o]] for o in ir.operands(node.operation)}
                emit(*_mlp(place, node, inputs))
            case ir.Aggregate(selector=selector, value=value):
                attended = _attention(program, names, variables, selector)
                emit(*_aggregate(place, node, attended, variables[names[value]]))
            case ir.SelectorWidth(selector=selector):
                attended = _attention(program, names, variables, selector)
                head, reciprocal = _width_head(node, attended)
                emit(head, reciprocal)
                emit(*_width_reader(place, node, reciprocal))
    return Blocks(variables, tuple(blocks), names[program.outputs[0]])


def _zeros(domain: Domain) -> np.ndarray:
    return np.zeros(len(domain))


def encode_rows(domain: Domain, encoding: Encoding, table: np.ndarray) -> np.ndarray:
    """Return the residual coefficients of the values at positions `table`; zero for -1.

    Args:
        domain: the values.
        encoding: how they are written.
        table: int64 `[rows]`.

    Returns:
        float64 `[rows, width]`.
    """
    if encoding is Encoding.NUMERICAL:
        return np.append(domain.numbers, 0.0)[table][:, None]
    return np.eye(len(domain) + 1, len(domain))[table]


# -- attention -------------------------------------------------------------------


def _attention(
    program: ir.Program, names: Mapping[int, str], variables: Mapping[str, Variable], selector: int
) -> tuple[Mapping[str, np.ndarray], np.ndarray, Mapping[str, np.ndarray]]:
    """Return the query matrices, query bias and key matrices of a selector, BOS score one.

    The last inner dimension is the sink: the query's is constant, the key's marks
    BOS and padding. The others carry the table, through whichever of the two
    variables has fewer values.
    """
    select = program.nodes[selector].operation
    assert isinstance(select, ir.Select)
    query, key = variables[names[select.queries]], variables[names[select.keys]]
    table = select.table.astype(np.float64)
    if query.width <= key.width:
        query_rows, key_rows = np.eye(query.width), table.T
    else:
        query_rows, key_rows = table, np.eye(key.width)
    inner = query_rows.shape[1]
    queries = {query.name: _widened(SHARPNESS * query_rows)}
    keys = {key.name: _widened(key_rows)}
    bos = np.append(-key.at_bos @ key_rows, 1.0)
    keys[BOS] = bos[None, :]
    if not key.zero_at_pad:
        keys[PAD] = np.append(np.zeros(inner), _PADDING)[None, :]
    if query.at_bos.any():
        queries[BOS] = -query.at_bos[None, :] @ queries[query.name]
    bias = np.append(np.zeros(inner), SHARPNESS)
    return queries, bias, keys


def _widened(matrix: np.ndarray) -> np.ndarray:
    """Return `matrix` with a column of zeros for the sink."""
    return np.pad(matrix, ((0, 0), (0, 1)))


def _with_bos_score(keys: Mapping[str, np.ndarray], score: float) -> dict[str, np.ndarray]:
    """Return the key matrices with the score of BOS set."""
    bos = keys[BOS].copy()
    bos[0, -1] = score
    return {**keys, BOS: bos}


def _aggregate(
    place: int,
    node: ir.Node,
    attended: tuple[Mapping[str, np.ndarray], np.ndarray, Mapping[str, np.ndarray]],
    value: Variable,
) -> tuple[HeadBlock, Variable]:
    """Return the head of an aggregate."""
    operation = node.operation
    assert isinstance(operation, ir.Aggregate)
    queries, bias, keys = attended
    convert = _conversion(value, node)
    default = _default(node, operation.default)
    values = {value.name: convert}
    correction = default - value.at_bos @ convert
    if correction.any():
        values[BOS] = correction[None, :]
    block = HeadBlock(node.name, queries, bias, _with_bos_score(keys, _AGGREGATE_BOS), values)
    return block, Variable(node.name, place, node.encoding, node.domain, default)


def _conversion(value: Variable, node: ir.Node) -> np.ndarray:
    """Return the matrix from a value's coefficients to those of the aggregate that takes it."""
    if value.encoding is Encoding.NUMERICAL:
        return np.ones((1, 1))
    if node.encoding is Encoding.NUMERICAL:
        return value.domain.numbers[:, None]
    return encode_rows(node.domain, node.encoding, node.domain.indices(value.domain.values))


def _default(node: ir.Node, default: Value) -> np.ndarray:
    """Return the coefficients of an aggregate's default; zero where it is `None` or not needed."""
    if node.encoding is Encoding.NUMERICAL:
        return np.array([float(default)])  # type: ignore[arg-type]
    known = default in node.domain.values
    return encode_rows(
        node.domain, node.encoding, np.array([node.domain.index(default) if known else -1])
    )[0]


def _width_head(
    node: ir.Node,
    attended: tuple[Mapping[str, np.ndarray], np.ndarray, Mapping[str, np.ndarray]],
) -> tuple[HeadBlock, Variable]:
    """Return the head that writes `1 / (1 + width)`."""
    queries, bias, keys = attended
    name = reciprocal_name(node.name)
    widths = np.asarray(node.domain.values, dtype=np.int64)
    domain = Domain(tuple(1.0 / (1.0 + width) for width in widths[::-1].tolist()))
    block = HeadBlock(
        name, queries, bias, _with_bos_score(keys, _WIDTH_BOS), {BOS: np.ones((1, 1))}
    )
    return block, Variable(name, -1, Encoding.NUMERICAL, domain, np.ones(1))


def _width_reader(place: int, node: ir.Node, reciprocal: Variable) -> tuple[MlpBlock, Variable]:
    """Return the neurons that turn `1 / (1 + width)` into the width."""
    table = np.arange(len(node.domain))[::-1]
    rows = encode_rows(node.domain, node.encoding, table)
    return _read_number(place, node, reciprocal, rows)


# -- MLPs ------------------------------------------------------------------------


def _mlp(place: int, node: ir.Node, inputs: Mapping[int, Variable]) -> tuple[MlpBlock, Variable]:
    """Return the neurons of a function of one or two variables."""
    match node.operation:
        case ir.Map(inner=inner, table=table):
            rows = encode_rows(node.domain, node.encoding, table)
            if inputs[inner].encoding is Encoding.NUMERICAL:
                return _read_number(place, node, inputs[inner], rows)
            return _read_value(place, node, inputs[inner], rows)
        case ir.SequenceMap(fst=fst, snd=snd, table=table):
            return _read_pair(place, node, inputs[fst], inputs[snd], table)
        case ir.LinearMap():
            return _read_linear(place, node, inputs)
    raise AssertionError(node.operation)


def _finished(
    place: int,
    node: ir.Node,
    block: MlpBlock,
    inputs: list[Variable],
    *,
    zero_at_pad: bool,
) -> tuple[MlpBlock, Variable]:
    """Return the block with its output variable, its value at BOS computed."""
    hidden = sum((v.at_bos @ block.inputs[v.name] for v in inputs), start=block.bias)
    at_bos = np.maximum(hidden, 0.0) @ block.out + block.out_bias
    whole = np.round(at_bos)
    at_bos = np.where(np.abs(at_bos - whole) < _ROUNDING, whole, at_bos)
    return block, Variable(node.name, place, node.encoding, node.domain, at_bos, zero_at_pad)


def _read_value(
    place: int, node: ir.Node, source: Variable, rows: np.ndarray
) -> tuple[MlpBlock, Variable]:
    """Read a one-hot variable; values that are sent to zero need no neuron."""
    used = np.flatnonzero(rows.any(axis=1))
    weights = 2.0 * np.eye(source.width)[:, used]
    bias = -np.ones(len(used))
    block = MlpBlock(node.name, {source.name: weights}, bias, rows[used], np.zeros(rows.shape[1]))
    return _finished(place, node, block, [source], zero_at_pad=source.zero_at_pad)


def _read_pair(
    place: int, node: ir.Node, fst: Variable, snd: Variable, table: np.ndarray
) -> tuple[MlpBlock, Variable]:
    """Read two one-hot variables; pairs that are sent to zero need no neuron."""
    rows = encode_rows(node.domain, node.encoding, table.ravel())
    used = np.flatnonzero(rows.any(axis=1))
    left, right = np.unravel_index(used, table.shape)
    inputs = _summed(
        (fst, 2.0 * np.eye(fst.width)[:, left]), (snd, 2.0 * np.eye(snd.width)[:, right])
    )
    bias = np.full(len(used), -3.0)
    block = MlpBlock(node.name, inputs, bias, rows[used], np.zeros(rows.shape[1]))
    zero = fst.zero_at_pad or snd.zero_at_pad
    return _finished(place, node, block, _distinct(fst, snd), zero_at_pad=zero)


def _summed(*terms: tuple[Variable, np.ndarray]) -> dict[str, np.ndarray]:
    """Return the matrix for each variable; one that is read twice has the sum of both."""
    reads: dict[str, np.ndarray] = {}
    for variable, matrix in terms:
        reads[variable.name] = reads.get(variable.name, np.zeros_like(matrix)) + matrix
    return reads


def _distinct(*variables: Variable) -> list[Variable]:
    return list({variable.name: variable for variable in variables}.values())


def _read_number(
    place: int, node: ir.Node, source: Variable, rows: np.ndarray
) -> tuple[MlpBlock, Variable]:
    """Read a number by steps; neighbours with the same image need no step."""
    numbers = source.domain.numbers
    steps = np.flatnonzero((rows[1:] != rows[:-1]).any(axis=1))
    gaps = numbers[steps + 1] - numbers[steps]
    slopes = 2.0 / gaps
    centres = -slopes * (numbers[steps + 1] + numbers[steps]) / 2.0
    weights = np.concatenate([slopes, slopes])[None, :]
    bias = np.concatenate([centres + 0.5, centres - 0.5])
    jumps = rows[steps + 1] - rows[steps]
    out = np.concatenate([jumps, -jumps])
    block = MlpBlock(node.name, {source.name: weights}, bias, out, rows[0])
    return _finished(place, node, block, [source], zero_at_pad=False)


def _read_linear(
    place: int, node: ir.Node, inputs: Mapping[int, Variable]
) -> tuple[MlpBlock, Variable]:
    """Write `a x + b y` as `relu(z) - relu(-z)`."""
    operation = node.operation
    assert isinstance(operation, ir.LinearMap)
    fst, snd = inputs[operation.fst], inputs[operation.snd]
    reads = _summed(
        (fst, _scaled(fst, operation.fst_factor)), (snd, _scaled(snd, operation.snd_factor))
    )
    out = np.array([[1.0], [-1.0]])
    block = MlpBlock(node.name, reads, np.zeros(2), out, np.zeros(1))
    zero = fst.zero_at_pad and snd.zero_at_pad
    return _finished(place, node, block, _distinct(fst, snd), zero_at_pad=zero)


def _scaled(source: Variable, factor: Fraction) -> np.ndarray:
    """Return the columns that read a number times `factor`, and its opposite."""
    one = np.ones((1, 1))
    number = one if source.encoding is Encoding.NUMERICAL else source.domain.numbers[:, None]
    return float(factor) * number * np.array([[1.0, -1.0]])
