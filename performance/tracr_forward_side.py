"""Runs one model of Tracr's; started by `forward_pass.py` in Tracr's environment.

It also saves the model, so that our hosts can run the same weights.
"""

from collections.abc import Callable
from importlib.metadata import version
from itertools import cycle
from typing import Any

from compile_timing import answer, limited, request

ASKED = request()

import haiku as hk  # noqa: E402
import jax  # noqa: E402
import numpy as np  # noqa: E402
from forward_rates import Contestant, measured  # noqa: E402
from tracr.compiler import compiling  # noqa: E402
from tracr_programs import BOS, expression  # noqa: E402


def save(model: Any, tokens: jax.Array) -> None:
    """Save the parameters, the unembedding, the token ids and what the model makes of them."""
    unembed: hk.Transformed = hk.without_apply_rng(
        hk.transform(lambda rows: model.get_compiled_model().unembed(rows, False))
    )
    arrays = {
        f"{module}/{name}": array
        for module, found in model.params.items()
        for name, array in found.items()
    }
    rows = np.eye(len(model.residual_labels))
    np.savez(
        ASKED["weights"],
        **arrays,
        unembed=np.asarray(unembed.apply(model.params, rows)).reshape(len(rows), -1),
        heads=model.model_config.num_heads,
        tokens=tokens,
        output=model.forward(model.params, tokens).unembedded_output,
    )


def main() -> None:
    """Answer one request."""
    answer(versions={name: version(name) for name in ("tracr-pypi", "jax", "dm-haiku", "numpy")})
    with limited(ASKED["seconds"]):
        model = compiling.compile_rasp_to_model(
            expression(ASKED["program"], ASKED["length"]),
            vocab=set(ASKED["tokens"]),
            max_seq_len=ASKED["length"],
            causal=ASKED["causal"],
            compiler_bos=BOS,
        )
    sequences = [[BOS, *sequence] for sequence in ASKED["sequences"]]
    encoded = [model.input_encoder.encode(sequence) for sequence in sequences]
    tokens = jax.device_put(np.array(encoded, dtype=np.int32))
    save(model, tokens)
    params, size = model.params, len(sequences)
    whole = jax.jit(model.forward)
    only_output = jax.jit(lambda params, tokens: model.forward(params, tokens).unembedded_output)

    def finished(forward: Callable[..., Any]) -> Contestant:
        return lambda: jax.block_until_ready(forward(params, tokens)), size

    turns = cycle(sequences)
    contestants: dict[str, Contestant] = {
        "apply, one by one": (lambda: model.apply(next(turns)), 1),
        "forward": finished(model.forward),
        "jitted": finished(whole),
        "jitted, output alone": finished(only_output),
    }
    answer(rates=measured(contestants, ASKED))


if __name__ == "__main__":
    main()
