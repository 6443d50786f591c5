"""TaskData: the inputs that travel with a task, their answers, and pairs to interchange."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from ..compiler.compiled_model import CompiledModel
from ..compiler.executor import run
from .interchange_pairs import Pairs, TaskDomain, spread_rows

MOST_ROWS = 512
N_PAIRS = 256


@dataclass(frozen=True, eq=False)
class TaskData:
    """What a tool is given beside the model; it holds nothing of the labels.

    Attributes:
        tokens: token ids, `<bos>` first, then padding.
        lengths: how many tokens each input has.
        answers: the answer ids at each position, -1 where there is none: at `<bos>`, in
            padding, and where the output is `None`.
        base: token ids of bases, evenly over lengths and outputs.
        source: token ids of a source for each.
    """

    tokens: Int[np.ndarray, "rows n_ctx"]
    lengths: Int[np.ndarray, " rows"]
    answers: Int[np.ndarray, "rows n_ctx"]
    base: Int[np.ndarray, "pairs n_ctx"]
    source: Int[np.ndarray, "pairs n_ctx"]

    @classmethod
    def of(cls, compiled: CompiledModel, domain: TaskDomain, *, seed: int = 0) -> "TaskData":
        """Return all inputs of a domain, or `MOST_ROWS` evenly over lengths and outputs."""
        rows = spread_rows(domain.length, domain.stratum, MOST_ROWS)
        tokens = domain.tokens[rows]
        codec = compiled.model.codec
        answers = codec.decode_ids(run(compiled.model.weights, tokens).logits)
        real = codec.is_real(tokens)
        pairs = Pairs.draw(domain, N_PAIRS, np.random.default_rng([seed, 3]))
        return cls(
            tokens, domain.length[rows], np.where(real, answers, -1), pairs.base, pairs.source
        )

    def arrays(self) -> Mapping[str, np.ndarray]:
        """Return the arrays by name, as 32-bit integers."""
        return {name: np.ascontiguousarray(array, "<i4") for name, array in vars(self).items()}
