"""Compiles one program with Tracr, cold and warm, and runs it on the given inputs.

Started by `compile_vs_tracr.py` with the Python of an environment that holds
tracr-pypi and not Glassbench. The stage that is timed is `compile_rasp_to_model`,
up to its parameters being ready on the device.
"""

from importlib.metadata import version
from typing import Any

from compile_timing import answer, measure, request

ASKED = request()

# Imported before the clock starts.
import haiku  # noqa: E402, F401
import jax  # noqa: E402
import numpy as np  # noqa: E402
from tracr.compiler import compiling, lib  # noqa: E402
from tracr.rasp import rasp  # noqa: E402

BOS = "compiler_bos"


def expression(program: str, length: int) -> Any:
    """Return Tracr's own version of a program of the library."""
    match program:
        case "histogram":
            return lib.make_hist()
        case "count":
            return lib.make_count(rasp.tokens, "a")
        case "length":
            return lib.make_length()
        case "sort":
            return lib.make_sort(rasp.tokens, rasp.tokens, max_seq_len=length, min_key=1)
        case "sort_unique":
            return lib.make_sort_unique(rasp.tokens, rasp.tokens)
        case "most_frequent":
            return lib.make_sort_freq(max_seq_len=length)
        case "reverse":
            return lib.make_reverse(rasp.tokens)
        case "frac_prevs":
            return lib.make_frac_prevs(rasp.tokens == "a")
        case "pair_balance":
            return lib.make_pair_balance(rasp.tokens, "(", ")")
        case "shuffle_dyck1":
            return lib.make_shuffle_dyck(pairs=["()"])
        case "shuffle_dyck2":
            return lib.make_shuffle_dyck2()
        case "detect_pattern":
            return lib.detect_pattern(rasp.tokens, "abc")
    raise ValueError(f"Tracr's library has no program for {program!r}; add it to {__file__}")


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


def plain(value: Any) -> Any:
    """Return a value that JSON can hold."""
    return value.item() if hasattr(value, "item") else value


def main() -> None:
    """Answer one request."""
    # At its first use jax starts, and imports more.
    jax.block_until_ready(jax.jit(abs)(jax.device_put(np.ones(1))))
    times, (model,) = measure(
        lambda: expression(ASKED["program"], ASKED["length"]), [compiled], 1 + ASKED["warm"]
    )
    config = model.model_config
    sizes = {
        "layers": config.num_layers,
        "heads": config.num_heads,
        "d_model": len(model.residual_labels),
        "d_head": config.key_size,
        "d_mlp": config.mlp_hidden_size,
        "parameters": sum(leaf.size for leaf in jax.tree_util.tree_leaves(model.params)),
    }
    found = [
        [plain(value) for value in model.apply([BOS, *sequence]).decoded[1:]]
        for sequence in ASKED["sequences"]
    ]
    versions = {name: version(name) for name in ("tracr-pypi", "jax", "dm-haiku", "numpy")}
    answer(times=times, sizes=sizes, found=found, versions=versions)


if __name__ == "__main__":
    main()
