"""Runs one compiled model in every host; started by `forward_pass.py`."""

from importlib.metadata import version
from itertools import cycle
from pathlib import Path
from typing import Any

from compile_timing import answer, limited, request

ASKED = request()

import jax  # noqa: E402
import numpy as np  # noqa: E402
import torch  # noqa: E402
import tracr_weights  # noqa: E402
from forward_rates import Contestant, measured  # noqa: E402

from glassbench.benchmark_programs import get_program  # noqa: E402
from glassbench.compiler import CompiledModel, Model, compile_program, run  # noqa: E402


def compiled_model() -> CompiledModel:
    """Compile the program that is asked for."""
    spec = get_program(ASKED["program"])
    vocabulary, length = spec.vocabulary(ASKED["vocab"]), ASKED["length"]
    expression = spec.build(vocabulary, length)
    return compile_program(expression, vocabulary, length, causal=spec.causal, level=ASKED["level"])


def hosts(compiled: CompiledModel, ids: np.ndarray) -> dict[str, Any]:
    """Return, for every host, a function without arguments that returns the logits of `ids`."""
    model = compiled.model
    apply, params = model.to_haiku()
    only_logits = jax.jit(lambda params, tokens: apply(params, tokens).logits)
    on_device = jax.device_put(ids.astype(np.int32))
    tokens = torch.as_tensor(ids)
    network, hooked = model.to_torch().eval(), model.to_transformer_lens()
    return {
        "executor": lambda: run(model.weights, ids).logits,
        "Haiku": lambda: jax.block_until_ready(apply(params, on_device)).logits,
        "Haiku, logits alone": lambda: jax.block_until_ready(only_logits(params, on_device)),
        "torch": lambda: network(tokens),
        "TransformerLens": lambda: hooked(tokens),
    }


def other_weights(compiled: CompiledModel) -> tuple[dict[str, Any], dict[str, int]]:
    """Return two hosts with Tracr's weights, and on how many sequences they differ from Tracr."""
    file = Path(ASKED["weights"])
    if not file.exists():
        return {}, {}
    weights, ids, expected = tracr_weights.read(file, compiled.model.weights.causal)
    # The hosts read the weights alone.
    model = Model(weights, compiled.model.codec)
    network, hooked = model.to_torch().eval(), model.to_transformer_lens()
    tokens = torch.as_tensor(ids)
    calls = {
        "torch, Tracr's weights": lambda: network(tokens),
        "TransformerLens, Tracr's weights": lambda: hooked(tokens),
    }
    different = {}
    for name, call in calls.items():
        logits = np.asarray(call())
        numerical = logits.shape[-1] == 1
        found = logits[..., 0] if numerical else logits.argmax(axis=-1)
        # BOS has no output.
        same = np.isclose(found, expected, atol=1e-3)[:, 1:]
        different[name] = int((~same).any(axis=1).sum())
    return calls, different


def main() -> None:
    """Answer one request."""
    torch.set_num_threads(ASKED["threads"])
    packages = ("jax", "dm-haiku", "numpy", "torch", "transformer-lens")
    answer(versions={name: version(name) for name in packages})
    with limited(ASKED["seconds"]):
        compiled = compiled_model()
    sequences = ASKED["sequences"]
    codec = compiled.model.codec
    ids = codec.encode(sequences)
    with torch.inference_mode():
        calls = hosts(compiled, ids)
        decoded = {name: codec.decode_ids(np.asarray(call())) for name, call in calls.items()}
        different = {
            name: int((found != decoded["executor"]).any(axis=1).sum())
            for name, found in decoded.items()
        }
        others, others_different = other_weights(compiled)
        answer(different=different | others_different)
        calls |= others
        turns = cycle(sequences)
        contestants: dict[str, Contestant] = {
            "values, one by one": (lambda: compiled(next(turns)), 1),
            "values, batch": (lambda: compiled.apply(sequences), len(sequences)),
            **{name: (call, len(sequences)) for name, call in calls.items()},
        }
        answer(rates=measured(contestants, ASKED))


if __name__ == "__main__":
    main()
