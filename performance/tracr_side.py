"""Compiles one program with Tracr, cold and warm, and runs it on the given inputs.

Started by `compile_vs_tracr.py` and `compile_scaling.py` with the Python of an
environment that holds tracr-pypi and not Glassbench. The stage that is timed is
`compile_rasp_to_model`, up to its parameters being ready on the device.
"""

from importlib.metadata import version
from typing import Any

from compile_timing import answer, cold_and_warm, request, within

ASKED = request()

# Imported before the clock starts.
import haiku  # noqa: E402, F401
import jax  # noqa: E402
import numpy as np  # noqa: E402
from tracr.compiler import compiling  # noqa: E402
from tracr_programs import BOS, expression  # noqa: E402


def compiled(source: Any) -> Any:
    """Compile with Tracr's defaults and wait for the parameters."""
    model = compiling.compile_rasp_to_model(
        source,
        vocab=set(ASKED["tokens"]),
        max_seq_len=ASKED["length"],
        causal=ASKED["causal"],
        compiler_bos=BOS,
    )
    jax.block_until_ready(model.params)
    return model


def sizes(model: Any) -> dict[str, int]:
    """Return how large the model is; its parameters hold no unembedding."""
    config = model.model_config
    return {
        "layers": config.num_layers,
        "heads": config.num_heads,
        "d_model": len(model.residual_labels),
        "d_head": config.key_size,
        "d_mlp": config.mlp_hidden_size,
        "parameters": sum(leaf.size for leaf in jax.tree_util.tree_leaves(model.params)),
    }


def plain(value: Any) -> Any:
    """Return a value that JSON can hold."""
    return value.item() if hasattr(value, "item") else value


def main() -> None:
    """Answer one request."""
    answer(versions={name: version(name) for name in ("tracr-pypi", "jax", "dm-haiku", "numpy")})
    # At its first use jax starts, and imports more.
    jax.block_until_ready(jax.jit(abs)(jax.device_put(np.ones(1))))
    build = lambda: expression(ASKED["program"], ASKED["length"])  # noqa: E731
    (model,) = cold_and_warm(build, [compiled], sizes, ASKED)
    sequences = within(ASKED["answer_seconds"], ASKED["sequences"])
    found = [
        [plain(value) for value in model.apply([BOS, *sequence]).decoded[1:]]
        for sequence in sequences
    ]
    answer(found=found)


if __name__ == "__main__":
    main()
