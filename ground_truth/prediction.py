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

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ..compiler import program as ir
from ..compiler.blocks import BOS, INDICES, PAD, TOKENS, reciprocal_name
from ..compiler.compiled_model import CompiledModel
from ..compiler.component_graph import LOGITS
from ..compiler.executor import softmax
from ..compiler.lower import SHARPNESS, encode_rows
from ..compiler.values import Encoding, Value

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
    """

    reader: str
    carried: tuple[str, ...]
    source: Values


class Predictor:
    """Evaluates a compiled program on its variables, with interchanges.

    Args:
        compiled: the program and its source map; the weights are not looked at.
    """

    def __init__(self, compiled: CompiledModel) -> None:
        self._program = compiled.program
        self._source_map = compiled.source_map
        self._reads = set(compiled.source_map.reads)
        by_node = {v.node: v.name for v in compiled.source_map.variables if v.node >= 0}
        self._names = {
            place: by_node.get(place, node.name)
            for place, node in enumerate(compiled.program.nodes)
        }

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
            self._evaluate(place, values, None)
        return values

    def output(self, base: Values, interchange: Interchange) -> np.ndarray:
        """Return the output's coefficients `[batch, position, width]` after an interchange."""
        output = self._source_map.output
        if interchange.reader == LOGITS:
            carried = output in interchange.carried
            return (interchange.source if carried else base)[output]
        component = interchange.reader.split("<")[0]
        values = dict(base)
        dirty: set[str] = set()
        for place, node in enumerate(self._program.nodes):
            if node.is_selector or isinstance(node.operation, ir.Tokens | ir.Indices):
                continue
            if component in self._components(place) or dirty & self._inputs_of(place):
                self._evaluate(place, values, interchange)
                dirty.add(self._names[place])
        return values[output]

    def reaches_output(self, reader: str, carried: tuple[str, ...]) -> bool:
        """Whether the output depends on any expression that reads `carried` in this reader."""
        if reader == LOGITS:
            return True
        component = reader.split("<")[0]
        needed = ir.ancestors(self._program, self._program.outputs[0])
        readers = {
            place
            for place in needed
            if component in self._components(place)
            and self._inputs_in(place, component) & set(carried)
        }
        return bool(readers)

    # -- one expression ----------------------------------------------------------

    def _components(self, place: int) -> set[str]:
        """Return the components that compute a node."""
        by_name = self._source_map.by_name
        names = {self._names[place], reciprocal_name(self._names[place])}
        return {by_name[name].writer for name in names if name in by_name}

    def _inputs_of(self, place: int) -> set[str]:
        """Return the variables that a node's blocks read."""
        operation = self._program.nodes[place].operation
        names: set[str] = set()
        for operand in ir.operands(operation):
            inner = self._program.nodes[operand].operation
            if isinstance(inner, ir.Select):
                names |= {self._names[inner.keys], self._names[inner.queries], BOS, PAD}
            else:
                names.add(self._names[operand])
        if isinstance(operation, ir.SelectorWidth):
            names.add(reciprocal_name(self._names[place]))
        return names

    def _inputs_in(self, place: int, component: str) -> set[str]:
        """Return the variables that one component reads for a node."""
        reciprocal = reciprocal_name(self._names[place])
        if reciprocal not in self._source_map.by_name:
            return self._inputs_of(place)
        if component == self._source_map.by_name[reciprocal].writer:
            return self._inputs_of(place) - {reciprocal}
        return {reciprocal}

    def _inputs(self, tokens: np.ndarray, positions: np.ndarray | None) -> dict[str, np.ndarray]:
        """Return the variables that the embeddings write."""
        n_tokens, length = len(self._program.vocabulary), self._program.max_length
        rows = np.arange(length + 1) if positions is None else positions
        places = np.broadcast_to(rows, tokens.shape)
        return {
            TOKENS: np.eye(n_tokens + 2, n_tokens)[tokens],
            BOS: (tokens == n_tokens).astype(float)[..., None],
            PAD: (tokens == n_tokens + 1).astype(float)[..., None],
            INDICES: np.eye(length + 1)[places][..., 1:],
        }

    def _evaluate(
        self, place: int, values: dict[str, np.ndarray], interchange: Interchange | None
    ) -> None:
        """Compute one node's variable, in place."""

        def read(reader: str, variable: str) -> np.ndarray:
            if (
                interchange is not None
                and reader == interchange.reader
                and variable in interchange.carried
            ):
                return interchange.source[variable]
            return values[variable]

        node, name = self._program.nodes[place], self._names[place]
        match node.operation:
            case ir.Tokens() | ir.Indices() | ir.Select():
                return
            case ir.Aggregate(selector=selector, value=value):
                head = self._source_map.by_name[name].writer
                weights = self._attention(selector, head, 0.5, read)
                given = self._converted(value, node, read(f"{head}<v>", self._names[value]))
                given[:, 0] = _default(node, node.operation.default)
                values[name] = weights @ given
            case ir.SelectorWidth(selector=selector):
                reciprocal = reciprocal_name(name)
                head = self._source_map.by_name[reciprocal].writer
                values[reciprocal] = self._attention(selector, head, 1.0, read)[..., :1]
                widths = np.array(node.domain.values, dtype=float)
                rows = encode_rows(node.domain, node.encoding, np.arange(len(widths))[::-1])
                mlp = self._source_map.by_name[name].writer
                values[name] = _plateaus(read(mlp, reciprocal), 1 / (1 + widths[::-1]), rows)
            case _:
                mlp = self._source_map.by_name[name].writer
                values[name] = self._function(node, mlp, read)

    def _function(self, node: ir.Node, mlp: str, read: Read) -> np.ndarray:
        """Return a function of one or two variables."""
        match node.operation:
            case ir.Map(inner=inner, table=table):
                rows = encode_rows(node.domain, node.encoding, table)
                source = self._program.nodes[inner]
                given = read(mlp, self._names[inner])
                if source.encoding is Encoding.NUMERICAL:
                    return _plateaus(given, source.domain.numbers, rows)
                return np.maximum(2 * given - 1, 0) @ rows
            case ir.SequenceMap(fst=fst, snd=snd, table=table):
                rows = encode_rows(node.domain, node.encoding, table.ravel())
                left, right = read(mlp, self._names[fst]), read(mlp, self._names[snd])
                both = np.maximum(2 * (left[..., :, None] + right[..., None, :]) - 3, 0)
                return both.reshape(*both.shape[:2], -1) @ rows
            case ir.LinearMap(fst=fst, snd=snd, fst_factor=fst_factor, snd_factor=snd_factor):
                left = self._number(fst, read(mlp, self._names[fst]))
                right = self._number(snd, read(mlp, self._names[snd]))
                return float(fst_factor) * left + float(snd_factor) * right
        raise AssertionError(node.operation)

    def _number(self, place: int, given: np.ndarray) -> np.ndarray:
        """Return the number that a variable's coefficients stand for."""
        node = self._program.nodes[place]
        if node.encoding is Encoding.NUMERICAL:
            return given
        return given @ node.domain.numbers[:, None]

    def _converted(self, place: int, node: ir.Node, given: np.ndarray) -> np.ndarray:
        """Return a value's coefficients in the encoding of the aggregate that takes it."""
        if node.encoding is Encoding.NUMERICAL:
            return self._number(place, given).copy()
        source = self._program.nodes[place].domain
        table = node.domain.indices(source.values)
        return given @ encode_rows(node.domain, node.encoding, table)

    def _attention(self, selector: int, head: str, bos_score: float, read: Read) -> np.ndarray:
        """Return the attention weights `[batch, query, key]` of a selector."""
        select = self._program.nodes[selector].operation
        assert isinstance(select, ir.Select)
        query = read(f"{head}<q>", self._names[select.queries]).copy()
        key = read(f"{head}<k>", self._names[select.keys]).copy()
        query[:, 0] = 0.0
        key[:, 0] = 0.0
        scores = query @ select.table.astype(float) @ key.swapaxes(1, 2)
        scores += bos_score * read(f"{head}<k>", BOS).swapaxes(1, 2)
        if (f"{head}<k>", PAD) in self._reads:
            scores -= 2.0 * read(f"{head}<k>", PAD).swapaxes(1, 2)
        if self._program.causal:
            scores = np.where(np.tri(scores.shape[-1], dtype=bool), scores, -np.inf)
        return softmax(SHARPNESS * scores)


def _default(node: ir.Node, default: Value) -> np.ndarray:
    """Return the coefficients of an aggregate's default."""
    if node.encoding is Encoding.NUMERICAL:
        return np.array([float(default)])  # type: ignore[arg-type]
    known = default is not None and default in node.domain.values
    index = node.domain.index(default) if known else -1
    return encode_rows(node.domain, node.encoding, np.array([index]))[0]


def _plateaus(given: np.ndarray, numbers: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return the map that is constant near each number and linear in between."""
    gaps = np.diff(numbers)
    starts = numbers[:-1] + gaps / 4
    climbed = np.clip((given - starts) / (gaps / 2), 0.0, 1.0)
    return rows[0] + climbed @ np.diff(rows, axis=0)
