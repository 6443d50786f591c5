"""A tool for the variables track in plain Python, with NumPy alone.

Each variable is regressed on the stream at every hook. Its subspace is what the weights span at the
first hook from which it can be read as well as from any.

    glassbench score --command "python probe.py {problem} {answer}" --track variables --suite quick
"""

import json
import sys
from pathlib import Path

import numpy as np
from array_files import load, save
from interchange import run

ROUNDING = 1e-6


def streams(config, weights, tokens):
    """Return the residual stream [inputs, n_ctx, d_model] at every hook, the first first."""
    _, wrote = run(config, weights, tokens)
    found = [wrote["embed"] + wrote["pos_embed"]]
    for layer in range(config["n_layers"]):
        heads = [wrote[f"a{layer}.h{head}"] for head in range(config["n_heads"])]
        found.append(found[-1] + sum(heads))
        found.append(found[-1] + wrote[f"m{layer}"])
    return found


def probed(rows, wanted):
    """Return the weights [wanted, d_model] of a linear regression, and how much it leaves over."""
    rows, wanted = rows - rows.mean(axis=0), wanted - wanted.mean(axis=0)
    weights = np.linalg.lstsq(rows, wanted, rcond=ROUNDING)[0]
    return weights.T, np.square(rows @ weights - wanted).sum() / max(np.square(wanted).sum(), 1e-9)


def found(config, weights, data, name, numbers, most):
    """Return the place of a hook and directions, for one variable."""
    sides = [(data[f"{name}/{side}"], data[f"{name}/{side}_values"]) for side in ("base", "source")]
    tokens, values = (np.concatenate(parts) for parts in zip(*sides, strict=True))
    real = tokens < config["bos"]
    values = values[real]
    if numbers is None:
        wanted = (values[:, None] == np.arange(values.max() + 1)).astype(float)
    else:
        wanted = np.where(values < 0, 0.0, np.array(numbers)[values])[:, None]
    probes = [probed(stream[real], wanted) for stream in streams(config, weights, tokens)]
    left = np.array([each for _, each in probes])
    place = int(np.argmax(left <= left.min() + ROUNDING))
    _, sizes, axes = np.linalg.svd(probes[place][0], full_matrices=False)
    return place, axes[sizes > ROUNDING * sizes[0]][:most]


def main(problem, answer):
    """Answer the problem in one folder into another."""
    asked = json.loads((problem / "problem.json").read_text(encoding="utf-8"))
    config = json.loads((problem / asked["config"]).read_text(encoding="utf-8"))
    weights, data = load(problem / asked["weights"]), load(problem / asked["data"])
    facts, arrays = asked["facts"], {}
    for name, most in facts["max_directions"].items():
        place, directions = found(config, weights, data, name, facts["numbers"][name], most)
        arrays[f"{name}/hook"] = np.array([float(place)])
        arrays[f"{name}/directions"] = directions
    save(arrays, answer / "answer.safetensors")
    told = {"format_version": "1.0", "problem": asked["id"], "array_file": "answer.safetensors"}
    (answer / "answer.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
