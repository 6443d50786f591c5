"""A tool for the circuit track in plain Python, with NumPy alone.

Each edge is interchanged by itself: its reader sees what the writer wrote on the source, and all
else as on the base. The score is the mean squared change of the logits.

    glassbench score --command "python interchange.py {problem} {answer}" --suite quick
"""

import json
import sys
from pathlib import Path

import numpy as np
from array_files import load

PAIRS = 16  # of those that the problem has


def softmax(scores):
    """Return the softmax over the last axis."""
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def activated(config, y):
    """Return the activations of neurons."""
    if config.get("activation", "relu") == "relu":
        return np.maximum(y, 0)
    return 0.5 * y * (1 + np.tanh(np.sqrt(2 / np.pi) * (y + 0.044715 * y**3)))


def run(config, weights, tokens, reader=None, change=0):
    """Return the logits of token ids [inputs, n_ctx], and what each writer adds to the stream.

    The reader sees the stream changed by so much.
    """
    positions = np.broadcast_to(weights["W_pos"], (*tokens.shape, config["d_model"]))
    wrote = {"embed": weights["W_E"][tokens], "pos_embed": positions}
    stream = wrote["embed"] + positions

    def read(name):
        x = stream + change if name == reader else stream
        if not config.get("layer_norm", False):
            return x
        x = x - x.mean(axis=-1, keepdims=True)
        return x / np.sqrt((x**2).mean(axis=-1, keepdims=True) + 1e-5)

    hidden = np.triu(np.ones((config["n_ctx"], config["n_ctx"]), dtype=bool), 1)
    for layer in range(config["n_layers"]):
        heads = {}
        for head in range(config["n_heads"]):
            name = f"a{layer}.h{head}"
            queries = read(f"{name}<q>") @ weights["W_Q"][layer, head] + weights["b_Q"][layer, head]
            keys = read(f"{name}<k>") @ weights["W_K"][layer, head]
            scores = queries @ keys.swapaxes(-1, -2)
            if config["causal"]:
                scores = np.where(hidden, -np.inf, scores)
            values = read(f"{name}<v>") @ weights["W_V"][layer, head]
            heads[name] = softmax(scores) @ values @ weights["W_O"][layer, head]
        stream = stream + sum(heads.values())
        neurons = read(f"m{layer}") @ weights["W_in"][layer] + weights["b_in"][layer]
        mlp = activated(config, neurons) @ weights["W_out"][layer] + weights["b_out"][layer]
        stream = stream + mlp
        wrote |= {**heads, f"m{layer}": mlp}
    return read("logits") @ weights["W_U"], wrote


def main(problem, answer):
    """Answer the problem in one folder into another."""
    asked = json.loads((problem / "problem.json").read_text(encoding="utf-8"))
    config = json.loads((problem / asked["config"]).read_text(encoding="utf-8"))
    weights, data = load(problem / asked["weights"]), load(problem / asked["data"])
    inputs = data["base"][:PAIRS]
    logits, base = run(config, weights, inputs)
    _, source = run(config, weights, data["source"][:PAIRS])
    real = inputs < config["bos"]
    scores = {}
    for edge in asked["answer"]["names"]:
        writer, reader = edge.split("->")
        change = source[writer] - base[writer]
        changed, _ = run(config, weights, inputs, reader, change)
        scores[edge] = float(((changed - logits)[real] ** 2).mean())
    found = {"format_version": "1.0", "problem": asked["id"], "scores": scores}
    (answer / "answer.json").write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
