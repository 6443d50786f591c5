"""Reads a bundle into plain torch, with JSON and safetensors, as a module with gradients.

glassbench build sort -o bundles
python examples/read_bundle_torch.py bundles/sort-*.zip
"""

import json
import sys
import zipfile
from pathlib import Path

import torch
from safetensors.torch import load


class Transformer(torch.nn.Module):
    """The model of a bundle: token ids [inputs, n_ctx] to logits [inputs, n_ctx, d_out]."""

    def __init__(self, bundle):
        super().__init__()
        self.config = json.loads((bundle / "model/config.json").read_text(encoding="utf-8"))
        for name, array in load((bundle / "model/weights.safetensors").read_bytes()).items():
            self.register_parameter(name, torch.nn.Parameter(array))
        n_ctx = self.config["n_ctx"]
        later = torch.ones(n_ctx, n_ctx).triu(1).bool() & self.config["causal"]
        self.register_buffer("mask", torch.zeros(n_ctx, n_ctx).masked_fill(later, -torch.inf))

    def read(self, x):
        """Return what is read of a stream: itself, or its LayerNorm."""
        if not self.config.get("layer_norm", False):
            return x
        return torch.nn.functional.layer_norm(x, x.shape[-1:], eps=1e-5)

    def activated(self, y):
        """Return the activations of neurons."""
        if self.config.get("activation", "relu") == "relu":
            return torch.relu(y)
        return torch.nn.functional.gelu(y, approximate="tanh")

    def forward(self, tokens):
        """Return the logits."""
        x = self.W_E[tokens] + self.W_pos
        for layer in range(self.config["n_layers"]):
            x = x + self.attention(layer, self.read(x))
            hidden = self.activated(self.read(x) @ self.W_in[layer] + self.b_in[layer])
            x = x + hidden @ self.W_out[layer] + self.b_out[layer]
        return self.read(x) @ self.W_U

    def attention(self, layer, x):
        """Return what the heads of a layer write together."""
        x = x[:, None]  # one for all heads
        queries = x @ self.W_Q[layer] + self.b_Q[layer][:, None]
        scores = queries @ (x @ self.W_K[layer]).mT + self.mask
        mixed = scores.softmax(dim=-1) @ (x @ self.W_V[layer])
        return (mixed @ self.W_O[layer]).sum(dim=1)


def main(bundle):
    """Run the model on its data, and compare the answers of its first output."""
    model = Transformer(bundle)
    data = load((bundle / "data/inputs.safetensors").read_bytes())
    found = model(data["tokens"].long())
    (readout,) = model.config["readouts"]
    if readout["encoding"] == "numerical":
        values = torch.tensor(readout["values"], dtype=found.dtype)
        middles = values[:-1] + values.diff() * (0.5 + model.config["tie_tolerance"])
        ids = torch.searchsorted(middles, found[..., 0].contiguous())
    else:
        near = found >= found.max(dim=-1, keepdim=True).values - model.config["tie_tolerance"]
        ids = near.int().argmax(dim=-1)
        sure = model.config["threshold"] + model.config["tie_tolerance"]
        ids[found.max(dim=-1).values <= sure] = -1
    real = data["tokens"] < model.config["bos"]
    right = int((ids == data["answers"])[real].sum())
    print(f"{model.config['name']}: {right} of {int(real.sum())} answers are those of the bundle")
    return right == int(real.sum())


if __name__ == "__main__":
    place = Path(sys.argv[1])
    sys.exit(0 if main(place if place.is_dir() else zipfile.Path(place)) else 1)
