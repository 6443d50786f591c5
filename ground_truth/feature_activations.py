"""Feature activations: what every direction of the residual stream holds, from the program.

At BOS and at tokens a variable is a value of its domain or `None`, so that activations are
those of the interpreter: exact, and the same numbers on every machine. Padding is never
attended to, and what stands there can be a mixture of values; it is what `Predictor` gives.
"""

from functools import cached_property

import numpy as np
from jaxtyping import Float, Int

from ..compiler.blocks import Variable
from ..compiler.compiled_model import CompiledModel
from ..compiler.interpreter import interpret
from ..compiler.lower import lower
from ..compiler.residual_coding import encode_rows
from ..compiler.values import Encoding
from .prediction import Predictor

_ROUNDING = 1e-9
_DECIMALS = 12

TokenIds = Int[np.ndarray, "rows n_ctx"]
Activations = Float[np.ndarray, "rows n_ctx k"]


class FeatureActivations:
    """The activations of the features of a compiled model, in the order of its source map.

    A one-hot variable has a feature for each value, whose activation is 1 or 0; a number has
    one, whose activation is the number. `None` is zero in all of them.

    Args:
        compiled: the program and its source map; the weights are not looked at.
    """

    def __init__(self, compiled: CompiledModel) -> None:
        self._program = compiled.program
        self._variables = compiled.source_map.variables
        self._predictor = Predictor(compiled)

    @cached_property
    def at_bos(self) -> Float[np.ndarray, " k"]:
        """The activations at BOS, from how the program is compiled."""
        lowered = lower(self._program).variables
        return np.concatenate([_settled(lowered[variable.name]) for variable in self._variables])

    @property
    def n_features(self) -> int:
        """The number of features, `k`."""
        return sum(len(variable.directions) for variable in self._variables)

    def exact(self, tokens: TokenIds) -> Activations:
        """Return the activations at BOS and at tokens; zero at padding."""
        found = self.at_tokens(tokens)
        found[:, 0] = self.at_bos
        return found

    def at_tokens(self, tokens: TokenIds) -> Activations:
        """Return the activations at tokens, by the interpreter alone; zero at BOS and padding."""
        values = interpret(self._program, tokens).values
        found = np.zeros((*tokens.shape, self.n_features))
        column = 0
        for variable in self._variables:
            width = len(variable.directions)
            if variable.node >= 0:
                node = self._program.nodes[variable.node]
                ids = values[variable.node]
                rows = encode_rows(node.domain, node.encoding, ids.ravel())
                found[:, 1:, column : column + width] = rows.reshape(*ids.shape, width)
            column += width
        return found

    def everywhere(self, tokens: TokenIds) -> Activations:
        """Return the activations at every position, padding too."""
        found = self.exact(tokens)
        padding = is_padding(tokens, len(self._program.vocabulary))
        if padding.any():
            values = self._predictor.values(tokens)
            for_each = [values[variable.name][padding] for variable in self._variables]
            found[padding] = np.concatenate(for_each, axis=-1)
        return found


def is_padding(tokens: TokenIds, n_tokens: int) -> np.ndarray:
    """Return which positions hold neither BOS nor one of the tokens, bool `[rows, n_ctx]`."""
    return tokens == n_tokens + 1


def _settled(variable: Variable) -> np.ndarray:
    """Return the coefficients of a variable at BOS, free of the rounding of the products in them.

    Those of a value of the domain are exactly its own, so that the two count as equal.
    """
    numbers = variable.domain.numbers if variable.encoding is Encoding.NUMERICAL else np.ones(1)
    known = np.append(numbers, 0.0)
    nearest = known[np.abs(variable.at_bos[:, None] - known).argmin(axis=1)]
    is_known = np.abs(variable.at_bos - nearest) < _ROUNDING
    return np.where(is_known, nearest, variable.at_bos.round(_DECIMALS))
