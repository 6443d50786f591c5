"""Prediction: what an interchange does, from the program alone.

The RASP interpreter of the compiler gives values; an interchange can leave the
set of values behind (a one-hot that is half one value and half another), so here
every variable is kept as its residual coefficients and every operation is taken
in the form in which it extends to them: attention weights from the selector's
table, maps of one-hots thresholded at one half, maps of numbers as plateaus with
ramps between. Layers, heads, neurons, rotations and other programs in the same
model do not appear: only which component holds which variable, and which variables
each of its readers reads, are taken from the source map.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ..compiler import program as ir
from ..compiler.attention_blocks import AGGREGATE_BOS, PADDING, SHARPNESS, WIDTH_BOS
from ..compiler.blocks import BOS, PAD
from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import LOGITS
from ..compiler.executor import softmax
from ..compiler.mlp_blocks import Steps, shutting
from ..compiler.quotients import classes
from ..compiler.residual_coding import encode_rows
from ..compiler.spans import Span, spans

Values = Mapping[str, np.ndarray]
"""Variable name to coefficients `[batch, position, width]`."""

Read = Callable[[str, str], np.ndarray]
"""From a reader and a variable to the coefficients that the reader sees."""


@dataclass(frozen=True, eq=False)
class Interchange:
    """What one reader sees instead: variables of another run.

    Attributes:
        reader: the reader's name.
        carried: the variables that the edge carries.
        source: the values of those variables on the source.
        position: the one position at which the reader sees them; `None` for all.
    """

    reader: str
    carried: tuple[str, ...]
    source: Values
    position: int | None = None

    def seen(self, variable: str, base: np.ndarray) -> np.ndarray:
        """Return what the reader sees of a variable that it carries."""
        source = self.source[variable]
        if self.position is None:
            return source
        here = np.arange(base.shape[1])[:, None] == self.position
        return np.where(here, source, base)


class Predictor:
    """Evaluates a compiled program on its variables, with interchanges.

    Args:
        compiled: the program and its source map; the weights are not looked at.
    """

    def __init__(self, compiled: CompiledModel) -> None:
        self._program = compiled.program
        self._source_map = compiled.source_map
        self._reads = set(compiled.source_map.reads)
        self._names = [node.name for node in compiled.program.nodes]
        self._spans = spans(compiled.program)

    def values(
        self,
        tokens: Int[np.ndarray, "batch position"],
        positions: Int[np.ndarray, "batch position"] | None = None,
    ) -> dict[str, np.ndarray]:
        """Return every variable on token ids.

        Args:
            tokens: BOS first, then padding.
            positions: the row of `pos_embed` used at each place, if permuted.
        """
        values = self._inputs(tokens, positions)
        for place in range(len(self._program.nodes)):
            self.evaluate(place, values)
        return values

    def output(self, base: Values, *interchanges: Interchange) -> np.ndarray:
        """Return the output's coefficients `[batch, position, width]` after interchanges.

        Args:
            base: the values of all variables on the bases.
            interchanges: all are made at once; no two of the same variable at the same reader.
        """
        outputs = self._source_map.outputs
        values = dict(base)
        components = {one.reader.split("<")[0] for one in interchanges}
        dirty: set[str] = set()
        for place, node in enumerate(self._program.nodes):
            if node.is_selector or isinstance(node.operation, ir.Tokens | ir.Indices):
                continue
            if self._component(place) in components or dirty & self._inputs_of(place):
                self.evaluate(place, values, interchanges)
                dirty.add(self._names[place])
        for one in interchanges:
            if one.reader == LOGITS:
                values |= {name: one.seen(name, values[name]) for name in one.carried}
        return np.concatenate([values[name] for name in outputs], axis=-1)

    def reaches_output(self, reader: str, carried: tuple[str, ...]) -> bool:
        """Whether the output depends on any expression that reads `carried` in this reader."""
        if reader == LOGITS:
            return True
        component = reader.split("<")[0]
        needed = ir.ancestors(self._program, *self._program.outputs)
        return any(
            component == self._component(place) and self._inputs_of(place) & set(carried)
            for place in needed
        )

    # -- one expression ----------------------------------------------------------

    def _component(self, place: int) -> str | None:
        """Return the component that computes a node; `None` for a selector."""
        variable = self._source_map.by_name.get(self._names[place])
        return None if variable is None else variable.writer

    def _inputs_of(self, place: int) -> set[str]:
        """Return the variables that a node's block reads."""
        operation = self._program.nodes[place].operation
        names: set[str] = set()
        if (
            isinstance(operation, ir.SequenceMap)
            and self._program.nodes[operation.fst].is_numerical
        ):
            names.add(PAD)
        for operand in ir.operands(operation):
            inner = self._program.nodes[operand].operation
            if isinstance(inner, ir.Select):
                names |= {self._names[side] for side in ir.operands(inner)} | {BOS, PAD}
            else:
                names.add(self._names[operand])
        return names

    def _inputs(self, tokens: np.ndarray, positions: np.ndarray | None) -> dict[str, np.ndarray]:
        """Return the variables that the embeddings write."""
        n_tokens, length = len(self._program.vocabulary), self._program.max_length
        rows = np.arange(length + 1) if positions is None else positions
        places = np.broadcast_to(rows, tokens.shape)
        values = {
            BOS: (tokens == n_tokens).astype(float)[..., None],
            PAD: (tokens == n_tokens + 1).astype(float)[..., None],
        }
        for name, node in zip(self._names, self._program.nodes, strict=True):
            if isinstance(node.operation, ir.Tokens | ir.Indices):
                ids = tokens if isinstance(node.operation, ir.Tokens) else places - 1
                table = np.where(ids < len(node.domain), ids, -1).ravel()
                written = encode_rows(node.domain, node.encoding, table)
                values[name] = written.reshape(*ids.shape, -1)
        return values

    def evaluate(
        self,
        place: int,
        values: dict[str, np.ndarray],
        interchanges: Sequence[Interchange] = (),
    ) -> None:
        """Compute one node's variable from those it reads, and add it to `values`."""

        def read(reader: str, variable: str) -> np.ndarray:
            for one in interchanges:
                if reader == one.reader and variable in one.carried:
                    return one.seen(variable, values[variable])
            return values[variable]

        node, name = self._program.nodes[place], self._names[place]
        match node.operation:
            case ir.Tokens() | ir.Indices() | ir.Select():
                return
            case ir.Aggregate(selector=selector, value=value, table=table, default=default):
                head = self._source_map.by_name[name].writer
                weights = self._attention(selector, head, AGGREGATE_BOS, read)
                given = read(f"{head}<v>", self._names[value])
                if self._program.nodes[value].is_numerical:
                    given = given.copy()
                else:
                    given = given @ encode_rows(node.domain, node.encoding, table)
                given[:, 0] = encode_rows(node.domain, node.encoding, np.array([default]))[0]
                values[name] = weights @ given
            case ir.ReciprocalWidth(selector=selector):
                head = self._source_map.by_name[name].writer
                values[name] = self._attention(selector, head, WIDTH_BOS, read)[..., :1]
            case _:
                mlp = self._source_map.by_name[name].writer
                values[name] = self._function(node, mlp, read)

    def _function(self, node: ir.Node, mlp: str, read: Read) -> np.ndarray:
        """Return a function of one or two variables, or of a sum of them."""
        operation = node.operation
        given = [read(mlp, self._names[operand]) for operand in ir.operands(operation)]
        sources = [self._program.nodes[operand] for operand in ir.operands(operation)]
        match operation:
            case ir.Map(table=table):
                if sources[0].is_numerical:
                    rows = encode_rows(node.domain, node.encoding, table)
                    return _plateaus(given[0], sources[0].domain.numbers, rows)
                return _thresholded(given[0] @ _members(table), node, np.unique(table))
            case ir.SequenceMap(table=table):
                if sources[0].is_numerical:
                    span = self._spans[ir.operands(operation)[0]]
                    given.append(read(mlp, PAD))
                    return _gated(node, given, sources[0].domain.numbers, table, span)
                return _paired(node, given, table)
            case ir.LinearMap(terms=terms):
                return _sum(given, terms, sources)
            case ir.RidgeMap(terms=terms, sums=sums, table=table):
                rows = encode_rows(node.domain, node.encoding, table)
                return _plateaus(_sum(given, terms, sources), sums.numbers, rows)
        raise AssertionError(operation)

    def _attention(self, selector: int, head: str, bos_score: float, read: Read) -> np.ndarray:
        """Return the attention weights `[batch, query, key]` of a selector."""
        select = self._program.nodes[selector].operation
        assert isinstance(select, ir.Select)
        asks_bos = read(f"{head}<q>", BOS)
        is_bos = read(f"{head}<k>", BOS).swapaxes(1, 2)
        scores = (len(select.conditions) + bos_score) * is_bos
        for condition in select.conditions:
            table = condition.table.astype(float)
            query = np.ones_like(asks_bos)
            if condition.queries is not None:
                query = read(f"{head}<q>", self._names[condition.queries]).copy()
            if condition.queries is not None or condition.keys is None:
                query[:, 0] = 0.0
            else:
                query -= asks_bos
            if condition.keys is None:
                scores = scores - query @ table @ is_bos
                continue
            key = read(f"{head}<k>", self._names[condition.keys]).copy()
            key[:, 0] = 0.0
            scores = scores + query @ table @ key.swapaxes(1, 2)
        if (f"{head}<k>", PAD) in self._reads:
            scores = scores + PADDING * read(f"{head}<k>", PAD).swapaxes(1, 2)
        scores = np.broadcast_to(scores, (*scores.shape[:1], *(asks_bos.shape[1],) * 2))
        if self._program.causal:
            scores = np.where(np.tri(scores.shape[-1], dtype=bool), scores, -np.inf)
        return softmax(SHARPNESS * scores)


def _sum(
    given: Sequence[np.ndarray], terms: Sequence[ir.Term], sources: Sequence[ir.Node]
) -> np.ndarray:
    """Return a sum of terms; one that is no multiple of a number reads it by steps."""
    each = []
    for one, term, source in zip(given, terms, sources, strict=True):
        weights = term.weights[:, None]
        if source.is_numerical and len(weights) > 1:
            each.append(_plateaus(one, source.domain.numbers, weights))
        else:
            each.append(one @ weights)
    return np.sum(each, axis=0)


def _members(table: np.ndarray) -> np.ndarray:
    """Return which values have which image, float64 `[values, images]`."""
    return (table[:, None] == np.unique(table)[None, :]).astype(float)


def _thresholded(shares: np.ndarray, node: ir.Node, images: np.ndarray) -> np.ndarray:
    """Return what neurons write that open when more than half of their image is present."""
    return np.maximum(2 * shares - 1, 0) @ encode_rows(node.domain, node.encoding, images)


def _paired(node: ir.Node, given: Sequence[np.ndarray], table: np.ndarray) -> np.ndarray:
    """Return a function of two one-hots; a neuron reads a class of values on either side."""
    left, right = given
    rows, row_of = classes(table)
    columns, column_of = classes(table.T)
    fst = left @ (row_of[:, None] == np.arange(len(rows)))
    snd = right @ (column_of[:, None] == np.arange(len(columns)))
    both = np.maximum(2 * (fst[..., :, None] + snd[..., None, :]) - 3, 0)
    images = table[np.ix_(rows, columns)].ravel()
    written = encode_rows(node.domain, node.encoding, images)
    return both.reshape(*both.shape[:2], -1) @ written


def _gated(
    node: ir.Node,
    given: Sequence[np.ndarray],
    numbers: np.ndarray,
    table: np.ndarray,
    span: Span,
) -> np.ndarray:
    """Return a function of a number that each class of a one-hot's values opens."""
    number, value, padding = given
    columns, column_of = classes(table.T)
    written = np.zeros((*number.shape[:2], 1 if node.is_numerical else len(node.domain)))
    for index, column in enumerate(columns):
        share = value @ (column_of == index)[:, None]
        rows = encode_rows(node.domain, node.encoding, table[:, column])
        steps = Steps.of(numbers, rows)
        shut = shutting(steps, span) * (1 - share + padding)
        active = np.maximum(number * steps.factors + steps.bias - shut, 0)
        base = np.maximum(2 * (share - padding) - 1, 0) * steps.base(rows)
        written += base + active @ steps.out(rows)
    return written


def _plateaus(given: np.ndarray, numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the map that is constant near each number and linear in between."""
    gaps = np.diff(numbers)
    starts = numbers[:-1] + gaps / 4
    climbed = np.clip((given - starts) / (gaps / 2), 0.0, 1.0)
    return rows[0] + climbed @ np.diff(rows, axis=0)
