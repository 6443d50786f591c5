"""HighLevelModel: the causal model that a compiled transformer implements.

Its variables are those of the program, distractors included; a variable is a function of
those it is computed from. An interchange intervention sets variables to the values that
they have on other inputs, and everything that is computed from them follows (Geiger, Lu,
Icard and Potts, "Causal Abstractions of Neural Networks", 2021, arXiv:2106.02997). What
comes out is what the weights must give when the same is done to the subspaces in which the
variables lie.

**What is overridden.** Every reader of a variable reads the overridden value: the
variable is one node of the program *as compiled*. At level 0 two expressions that are equal
on every input are two variables, and to override one leaves the other alone; at level 1
they are one. Selectors are no variables, and neither are the flags of BOS and padding.

**Where.** A variable has a value at the positions that hold a token, and nowhere else: BOS
and padding keep what they have, whatever the mask says. A source of another length than
the base overrides the positions that hold a token in both, the first `min` of the lengths.

**Values that do not meet.** An interchange can bring values together that no input does.
The mean of two numbers is then still a number, and an aggregate of one position that finds
two has half of each; what reads that may find no value of its domain in it. So variables
are computed as their residual coefficients, by the rules of `Predictor`, which are those
of the interpreter on all that are values and extend them to all that are not. The answer is
defined everywhere in that sense; `Counterfactual.defined` says where it is that of the
interpreter, because nothing else than values of their domains is involved.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from ..benchmark_programs import unknown_name
from ..compiler import program as ir
from ..compiler.blocks import BOS, PAD
from ..compiler.compiled_model import CompiledModel
from ..compiler.interpreter import interpret
from ..compiler.residual_coding import encode_rows
from ..errors import InputError, TaskError
from .prediction import Predictor, Values
from .token_ids import check_token_ids

_ROUNDING = 1e-6

TokenIds = Int[np.ndarray, "rows n_ctx"]
ValueIds = Int[np.ndarray, "rows n_ctx"]
AnswerIds = Int[np.ndarray, "rows n_ctx"]
Positions = Bool[np.ndarray, "rows n_ctx"]


@dataclass(frozen=True, eq=False)
class Override:
    """What a variable is set to.

    Attributes:
        coefficients: its residual coefficients.
        where: at which positions.
    """

    coefficients: Float[np.ndarray, "rows n_ctx width"]
    where: Positions


@dataclass(frozen=True, eq=False)
class Counterfactual:
    """What comes out when variables are overridden.

    Attributes:
        answers: the answer at every position, as `Codec.decode_ids` numbers them; that of
            `None` at BOS and padding.
        defined: where the answer depends on values of their domains alone, so that the
            interpreter gives it; false at BOS and padding.
    """

    answers: AnswerIds
    defined: Positions


class HighLevelModel:
    """A compiled program as a causal model.

    Args:
        compiled: the program and its source map; the weights are not looked at.
    """

    def __init__(self, compiled: CompiledModel) -> None:
        self._program = compiled.program
        self._codec = compiled.model.codec
        self._predictor = Predictor(compiled)
        self._outputs = compiled.source_map.outputs
        placed = compiled.source_map.variables
        self._place_of = {variable.name: variable.node for variable in placed if variable.node >= 0}
        needed = ir.ancestors(self._program, *self._program.outputs)
        self._needed = [
            place for place in sorted(needed) if not self._program.nodes[place].is_selector
        ]

    @property
    def variables(self) -> tuple[str, ...]:
        """The names of the variables, in the order of the source map."""
        return tuple(self._place_of)

    def is_relevant(self, name: str) -> bool:
        """Whether any output is computed from a variable; of distractors none is.

        Raises:
            TaskError: there is no such variable.
        """
        return self._place(name) in self._needed

    def values(self, tokens: TokenIds) -> dict[str, ValueIds]:
        """Return every variable, by the interpreter: places in its domain, -1 for `None`.

        The domain is `PlacedVariable.values`, of numerical variables too: exact numbers in
        ascending order. BOS and padding have -1.

        Raises:
            InputError: a row is not BOS, a sequence and padding.
        """
        check_token_ids(self._codec, tokens)
        found = interpret(self._program, tokens).values
        return {
            name: np.pad(found[place], ((0, 0), (1, 0)), constant_values=-1)
            for name, place in self._place_of.items()
        }

    def output(self, tokens: TokenIds) -> AnswerIds:
        """Return the answer at every position, by the interpreter; that of `None` at BOS and pad.

        An answer is numbered as `Codec.decode_ids` does.

        Raises:
            InputError: a row is not BOS, a sequence and padding.
        """
        check_token_ids(self._codec, tokens)
        outputs = self._program.outputs
        found = interpret(self._program, tokens, outputs).values
        given = [np.pad(found[place], ((0, 0), (1, 0)), constant_values=-1) for place in outputs]
        return self._codec.answer_ids(given)

    def interchange(
        self,
        base_tokens: TokenIds,
        sources: Mapping[str, TokenIds],
        positions: Positions | None = None,
    ) -> Counterfactual:
        """Override variables by the values that they have on sources.

        Args:
            base_tokens: the inputs, BOS first, then padding.
            sources: for each variable that is overridden, by its name, the inputs from which
                its values come, row by row; of any length.
            positions: where; everywhere if it is `None`. Positions that hold no token in
                base and source are left out.

        Raises:
            TaskError: there is no such variable.
            InputError: a row is not BOS, a sequence and padding, or bases, sources and positions
                are not of the same shape.
        """
        self._check_bases(base_tokens, positions)
        overrides = {}
        for name, tokens in sources.items():
            self._place(name)
            check_token_ids(self._codec, tokens, f"The sources of {name}")
            _check_shape(f"The sources of {name}", tokens, base_tokens.shape)
            where = self.exchangeable(base_tokens, tokens)
            if positions is not None:
                where &= positions
            overrides[name] = Override(self.coefficients(tokens)[name], where)
        return self.override(self.coefficients(base_tokens), overrides)

    def interchange_values(
        self,
        base_tokens: TokenIds,
        values: Mapping[str, ValueIds],
        positions: Positions | None = None,
    ) -> Counterfactual:
        """Override variables by given values: places in their domains, -1 for `None`.

        Args:
            base_tokens: the inputs, BOS first, then padding.
            values: for each variable that is overridden, by its name, its values.
            positions: where; everywhere if it is `None`. Positions that hold no token are
                left out.

        Raises:
            TaskError: there is no such variable, or a value is no place in its domain.
            InputError: a row is not BOS, a sequence and padding, or bases, values and positions
                are not of the same shape.
        """
        self._check_bases(base_tokens, positions)
        overrides = {}
        for name, ids in values.items():
            node = self._program.nodes[self._place(name)]
            _check_shape(f"The values of {name}", ids, base_tokens.shape)
            where = self._codec.is_real(base_tokens)
            if positions is not None:
                where &= positions
            _check_values(node, ids, where)
            rows = encode_rows(node.domain, node.encoding, np.where(where, ids, -1).ravel())
            overrides[name] = Override(rows.reshape(*ids.shape, -1), where)
        return self.override(self.coefficients(base_tokens), overrides)

    # -- in parts, for those who override many variables of the same inputs ------------

    def exchangeable(self, base_tokens: TokenIds, source_tokens: TokenIds) -> Positions:
        """Return the positions at which a source can override: a token stands there in both."""
        return self._codec.is_real(base_tokens) & self._codec.is_real(source_tokens)

    def coefficients(self, tokens: TokenIds) -> Values:
        """Return the residual coefficients `[rows, n_ctx, width]` of every variable."""
        return self._predictor.values(tokens)

    def override(self, base: Values, overrides: Mapping[str, Override]) -> Counterfactual:
        """Override variables of inputs whose coefficients are known.

        Args:
            base: the coefficients of every variable on the inputs.
            overrides: what is overridden, by the variable's name.
        """
        real = (base[BOS][..., 0] == 0) & (base[PAD][..., 0] == 0)
        values = dict(base)
        sure = np.zeros_like(real)
        doubtful: dict[int, np.ndarray] = {}
        changed: set[int] = set()
        for place in self._needed:
            node = self._program.nodes[place]
            if not changed.isdisjoint(self._read_by(place)):
                self._predictor.evaluate(place, values)
                changed.add(place)
                own = real & ~_are_values(node, values[node.name])
                doubtful[place] = own | self._inherited(place, doubtful, sure)
            if node.name in overrides:
                given = overrides[node.name]
                where = (given.where & real)[..., None]
                values[node.name] = np.where(where, given.coefficients, values[node.name])
                changed.add(place)
                doubtful[place] = doubtful.get(place, sure) & ~where[..., 0]
        logits = np.concatenate([values[name] for name in self._outputs], axis=-1)
        nothing = self._codec.answer_ids([np.full((1, 1), -1) for _ in self._outputs])
        answers = np.where(real, self._codec.decode_ids(logits), nothing)
        unsure = [doubtful.get(place, sure) for place in self._program.outputs]
        return Counterfactual(answers, real & ~np.any(unsure, axis=0))

    def _check_bases(self, base_tokens: Any, positions: object) -> None:
        """Raise `InputError` unless inputs and positions are of the form that they must have."""
        check_token_ids(self._codec, base_tokens, "The bases")
        if positions is not None:
            _check_shape("The positions", positions, base_tokens.shape, kinds="b")

    def _place(self, name: str) -> int:
        """Return the node of a variable, or raise."""
        if name not in self._place_of:
            raise TaskError(unknown_name("variable", name, self._place_of))
        return self._place_of[name]

    def _read_by(self, place: int) -> tuple[int, ...]:
        """Return the variables that a node is computed from, those of its selector too."""
        read: list[int] = []
        for operand in ir.operands(self._program.nodes[place].operation):
            inner = self._program.nodes[operand].operation
            read += ir.operands(inner) if isinstance(inner, ir.Select) else [operand]
        return tuple(read)

    def _inherited(
        self, place: int, doubtful: Mapping[int, np.ndarray], sure: np.ndarray
    ) -> np.ndarray:
        """Return where a node is computed from anything doubtful, bool `[rows, n_ctx]`.

        Keys and values that are doubtful anywhere make every query doubtful that can see them.
        """
        here: set[int | None] = set()
        seen: set[int | None] = set()
        operation = self._program.nodes[place].operation
        for operand in ir.operands(operation):
            inner = self._program.nodes[operand].operation
            if isinstance(inner, ir.Select):
                here.update(condition.queries for condition in inner.conditions)
                seen.update(condition.keys for condition in inner.conditions)
            else:
                (seen if isinstance(operation, ir.Aggregate) else here).add(operand)
        at_keys, at_queries = (
            np.any([sure, *(mask for one, mask in doubtful.items() if one in places)], axis=0)
            for places in (seen, here)
        )
        if self._program.causal:
            return at_queries | np.logical_or.accumulate(at_keys, axis=1)
        return at_queries | at_keys.any(axis=1, keepdims=True)


def _check_shape(what: str, found: object, shape: tuple[int, ...], kinds: str = "iu") -> None:
    """Raise `InputError` unless an array is of the shape of the bases, and of such a kind."""
    if not isinstance(found, np.ndarray) or found.shape != shape or found.dtype.kind not in kinds:
        words = "booleans" if kinds == "b" else "integers"
        got = f"{found.dtype} {list(found.shape)}" if isinstance(found, np.ndarray) else repr(found)
        raise InputError(
            f"{what} must be an array of {words} of the shape of the bases, {list(shape)}, got "
            f"{got}"
        )


def _check_values(node: ir.Node, ids: np.ndarray, where: np.ndarray) -> None:
    """Raise `TaskError` unless these are values of a node wherever they are taken."""
    least, most = -1 if node.optional else 0, len(node.domain) - 1
    wrong = ids[where & ((ids < least) | (ids > most))]
    if wrong.size:
        raise TaskError(
            f"The values of {node.name} must be places in its domain, {least} to {most}, got "
            f"{int(wrong[0])}"
        )


def _are_values(node: ir.Node, coefficients: np.ndarray) -> np.ndarray:
    """Return which coefficients are those of a value of the node, bool `[rows, n_ctx]`."""
    nothing = (np.abs(coefficients) < _ROUNDING).all(axis=-1) & node.optional
    if node.is_numerical:
        numbers = node.domain.numbers
        given = coefficients[..., 0]
        above = np.searchsorted(numbers, given).clip(max=len(numbers) - 1)
        below = np.maximum(above - 1, 0)
        distance = np.minimum(np.abs(numbers[above] - given), np.abs(numbers[below] - given))
        return nothing | (distance < _ROUNDING)
    is_one = np.abs(coefficients - 1.0) < _ROUNDING
    is_zero = np.abs(coefficients) < _ROUNDING
    return nothing | ((is_one | is_zero).all(axis=-1) & (is_one.sum(axis=-1) == 1))
