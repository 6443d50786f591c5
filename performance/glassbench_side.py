"""Compiles one program with Glassbench, cold and warm, and runs it on the given inputs.

Started by `compile_vs_tracr.py` and `compile_scaling.py`. The stages that are timed
are `compile_program` (trace, check, lower, schedule, assemble) and then `to_haiku`
(parameters on the device, and the jitted function, which jax compiles at its first call).
"""

from importlib.metadata import version
from typing import Any

from compile_timing import answer, cold_and_warm, request, within

ASKED = request()

# Imported before the clock starts, as is all that a stage would import.
import haiku  # noqa: E402, F401
import jax  # noqa: E402
import numpy as np  # noqa: E402

import glassbench.compiler.hosts.haiku  # noqa: E402, F401
from glassbench.benchmark_programs import get_program  # noqa: E402
from glassbench.compiler import CompiledModel, Encoding, compile_program  # noqa: E402

BATCH_BYTES = 2**28
"""What the executor may hold of one batch: it keeps what every component writes."""


def last_compiled() -> CompiledModel:
    """Time all repetitions, and return the model of the last."""
    spec = get_program(ASKED["program"])
    vocabulary, length = spec.vocabulary(ASKED["vocab"]), ASKED["length"]

    def compile_stage(expression: Any) -> CompiledModel:
        return compile_program(
            expression, vocabulary, length, causal=spec.causal, level=ASKED["level"]
        )

    def export_stage(compiled: CompiledModel) -> Any:
        exported = compiled.to_haiku()
        jax.block_until_ready(exported.params)
        return exported

    build = lambda: spec.build(vocabulary, length)  # noqa: E731
    compiled, _ = cold_and_warm(build, [compile_stage, export_stage], sizes, ASKED)
    return compiled


def sizes(compiled: CompiledModel) -> dict[str, int]:
    """Return how large the model is, its unembedding left out as on the other side."""
    weights = compiled.model.weights
    return {
        "layers": weights.n_layers,
        "heads": weights.n_heads,
        "d_model": weights.d_model,
        "d_head": weights.d_head,
        "d_mlp": weights.d_mlp,
        "parameters": weights.n_parameters - weights.W_U.size,
    }


def answers(compiled: CompiledModel) -> list[list[Any]]:
    """Return the decoded outputs on the given inputs, or on the first of them if time is up."""
    weights = compiled.model.weights
    writers = 2 + weights.n_layers * (weights.n_heads + 1)
    rows = max(1, BATCH_BYTES // (8 * writers * weights.n_ctx * weights.d_model))
    sequences = ASKED["sequences"]
    batches = [sequences[start : start + rows] for start in range(0, len(sequences), rows)]
    timed = within(ASKED["answer_seconds"], batches)
    return [row for batch in timed for row in compiled.apply(batch)]


def main() -> None:
    """Answer one request."""
    answer(versions={name: version(name) for name in ("jax", "dm-haiku", "numpy")})
    # At its first use jax starts, and imports more.
    jax.block_until_ready(jax.jit(abs)(jax.device_put(np.ones(1))))
    compiled = last_compiled()
    codec = compiled.model.codec
    (readout,) = codec.readouts
    numerical = readout.encoding is Encoding.NUMERICAL
    answer(numbers=list(readout.values.values) if numerical else None)
    answer(found=answers(compiled))


if __name__ == "__main__":
    main()
