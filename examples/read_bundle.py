"""Reads a bundle with JSON, safetensors and NumPy alone, and runs its model.

    glassbench build sort -o bundles
    python examples/read_bundle.py bundles/sort-*.zip

Nothing of Glassbench is needed: `model/config.json` has the formulae and what the logits mean.
"""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load


def softmax(scores):
    """Return the softmax over the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def read(config, x):
    """Return what is read of a stream: itself, or its LayerNorm."""
    if not config.get("layer_norm", False):
        return x
    x = x - x.mean(axis=-1, keepdims=True)
    return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5)


def activated(config, y):
    """Return the activations of neurons."""
    if config.get("activation", "relu") == "relu":
        return np.maximum(y, 0)
    return 0.5 * y * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))


def logits(config, weights, tokens):
    """Return the logits [inputs, n_ctx, d_out] of token ids [inputs, n_ctx]."""
    x = weights["W_E"][tokens] + weights["W_pos"]
    later = np.triu(np.ones((config["n_ctx"], config["n_ctx"]), dtype=bool), 1)
    for layer in range(config["n_layers"]):
        attended, n = 0, read(config, x)
        for head in range(config["n_heads"]):
            queries = n @ weights["W_Q"][layer, head] + weights["b_Q"][layer, head]
            scores = queries @ (n @ weights["W_K"][layer, head]).swapaxes(-1, -2)
            if config["causal"]:
                scores = np.where(later, -np.inf, scores)
            mixed = softmax(scores) @ n @ weights["W_V"][layer, head]
            attended = attended + mixed @ weights["W_O"][layer, head]
        x = x + attended
        hidden = read(config, x) @ weights["W_in"][layer] + weights["b_in"][layer]
        x = x + activated(config, hidden) @ weights["W_out"][layer] + weights["b_out"][layer]
    return read(config, x) @ weights["W_U"]


def answer_ids(config, found):
    """Return the place of each answer among the values of the readout, -1 for none.

    Of several outputs it is one number: their places, plus one, are its digits.
    """
    ids = 0
    for readout in config["readouts"]:
        own = found[..., readout["first"] : readout["first"] + readout["width"]]
        if readout["encoding"] == "numerical":
            values = np.array(readout["values"])
            middles = values[:-1] + np.diff(values) * (0.5 + config["tie_tolerance"])
            place = np.searchsorted(middles, own[..., 0])
        else:
            best = own.max(axis=-1)
            place = (own >= best[..., None] - config["tie_tolerance"]).argmax(axis=-1)
            place[best <= config["threshold"] + config["tie_tolerance"]] = -1
        ids = ids * (len(readout["values"]) + 1) + place + 1
    return ids - 1


def main(bundle):
    """Run the model of a bundle on its data, and compare the answers."""
    config = json.loads((bundle / "model/config.json").read_text(encoding="utf-8"))
    weights = load((bundle / "model/weights.safetensors").read_bytes())
    data = load((bundle / "data/inputs.safetensors").read_bytes())
    found = answer_ids(config, logits(config, weights, data["tokens"]))
    real = data["tokens"] < config["bos"]
    right = int((found == data["answers"])[real].sum())
    print(f"{config['name']}: {right} of {int(real.sum())} answers are those of the bundle")
    if (bundle / "labels").exists():
        circuit = json.loads((bundle / "labels/circuit.json").read_text(encoding="utf-8"))
        causal = [label["edge"] for label in circuit["edges"] if label["state"] == "causal"]
        print(f"causal edges: {', '.join(causal)}")
    return right == int(real.sum())


if __name__ == "__main__":
    place = Path(sys.argv[1])
    sys.exit(0 if main(place if place.is_dir() else zipfile.Path(place)) else 1)
