"""Compiles one program with Glassbench, cold and warm, and checks what it computes.

Started by `compile_vs_tracr.py`. The stages that are timed are `compile_program`
(trace, check, lower, schedule, assemble) and then `to_haiku` (parameters on the
device, and the jitted function, which jax compiles at its first call).
"""

from importlib.metadata import version
from typing import Any

from compile_timing import answer, measure, request

ASKED = request()

# Imported before the clock starts, as is all that a stage would import.
import haiku  # noqa: E402, F401
import jax  # noqa: E402
import numpy as np  # noqa: E402

import glassbench.compiler.hosts.haiku  # noqa: E402, F401
from glassbench.benchmark_programs import get_program  # noqa: E402
from glassbench.compiler import CompiledModel, InputSpace, compile_program  # noqa: E402


def compiled_and_timed(asked: dict[str, Any]) -> tuple[list[dict[str, list[float]]], CompiledModel]:
    """Return the times of every repetition, and the model."""
    spec = get_program(asked["program"])
    vocabulary, length = spec.vocabulary(asked["vocab"]), asked["length"]

    def compile_stage(expression: Any) -> CompiledModel:
        return compile_program(expression, vocabulary, length, causal=spec.causal)

    def export_stage(compiled: CompiledModel) -> Any:
        exported = compiled.to_haiku()
        jax.block_until_ready(exported.params)
        return exported

    times, (compiled, _) = measure(
        lambda: spec.build(vocabulary, length),
        [compile_stage, export_stage],
        1 + asked["warm"],
    )
    return times, compiled


def checked(compiled: CompiledModel, asked: dict[str, Any]) -> dict[str, Any]:
    """Compare the compiled weights with the plain-Python oracle; draw inputs for the other side."""
    spec = get_program(asked["program"])
    tokens = spec.vocabulary(asked["vocab"])
    space = InputSpace(len(tokens), asked["length"])
    ids, exhaustive = space.all_or_sample(asked["inputs"], seed=0)
    by_id = compiled.model.codec.tokens.values
    sequences = [[by_id[i] for i in row if i < len(tokens)] for row in ids[:, 1:].tolist()]
    expected = [spec.oracle(sequence) for sequence in sequences]
    found = compiled.apply(sequences)
    shared = _spread(sequences, asked["shared_inputs"])
    return {
        "inputs": len(sequences),
        "exhaustive": exhaustive,
        "wrong": sum(a != b for a, b in zip(found, expected, strict=True)),
        "shared": [{"input": sequences[i], "expected": expected[i]} for i in shared],
        "outputs": list(compiled.model.codec.outputs.values),
        "numerical": compiled.model.codec.output_encoding.value == "numerical",
    }


def _spread(sequences: list[list[Any]], size: int) -> list[int]:
    """Return at most `size` places, lengths equally frequent as far as can be."""
    by_length: dict[int, list[int]] = {}
    for place, sequence in enumerate(sequences):
        by_length.setdefault(len(sequence), []).append(place)
    chosen: list[int] = []
    left = size
    for turn, length in enumerate(sorted(by_length, key=lambda n: len(by_length[n]))):
        places = by_length[length]
        count = min(len(places), left // (len(by_length) - turn))
        chosen += [places[i * len(places) // count] for i in range(count)]
        left -= count
    return chosen


def main() -> None:
    """Answer one request."""
    # At its first use jax starts, and imports more.
    jax.block_until_ready(jax.jit(abs)(jax.device_put(np.ones(1))))
    times, compiled = compiled_and_timed(ASKED)
    weights = compiled.model.weights
    sizes = {
        "layers": weights.n_layers,
        "heads": weights.n_heads,
        "d_model": weights.d_model,
        "d_head": weights.d_head,
        "d_mlp": weights.d_mlp,
        "parameters": weights.n_parameters - weights.W_U.size,
    }
    check = checked(compiled, ASKED) if ASKED["check"] else None
    versions = {name: version(name) for name in ("jax", "dm-haiku", "numpy")}
    answer(times=times, sizes=sizes, check=check, versions=versions)


if __name__ == "__main__":
    main()
