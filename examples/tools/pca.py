"""A tool for the features track in plain Python, with NumPy alone.

The directions are the principal components of the rows to learn from, and the activations are
projections.

    glassbench score --command "python pca.py {problem} {answer}" --track features --suite quick
"""

import json
import sys
from pathlib import Path

import numpy as np
from array_files import load, save


def main(problem, answer):
    """Answer the problem in one folder into another."""
    asked = json.loads((problem / "problem.json").read_text(encoding="utf-8"))
    data = load(problem / asked["data"])
    found = {}
    for hook, most in asked["facts"]["max_directions"].items():
        train, held_out = data[f"{hook}/train"], data[f"{hook}/held_out"]
        mean = train.mean(axis=0)
        directions = np.linalg.svd(train - mean, full_matrices=False)[2][:most]
        found[f"{hook}/directions"] = directions
        found[f"{hook}/activations"] = (held_out - mean) @ directions.T
    save(found, answer / "answer.safetensors")
    told = {"format_version": "1.0", "problem": asked["id"], "array_file": "answer.safetensors"}
    (answer / "answer.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
