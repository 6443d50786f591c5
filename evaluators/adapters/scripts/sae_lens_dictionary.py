"""Trains dictionaries by SAELens: `python sae_lens_dictionary.py METHOD PROBLEM ANSWER`.

At every hook a sparse autoencoder with as many units as directions may be given is trained on
the rows of the problem. Directions are rows of its decoder, activations what its encoder gives.

Runs in an environment with sae-lens, torch and safetensors, and without this package.
"""

import json
import os
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

STEPS = 3000
BATCH = 256
LEARNING_RATE = 3e-3
PENALTY = 0.02
SHARE = 0.1
"""Which share of the units is kept active by TopK."""


def autoencoder(method: str, d_in: int, d_sae: int) -> Any:
    """Return an autoencoder to be trained."""
    from sae_lens import (
        StandardTrainingSAE,
        StandardTrainingSAEConfig,
        TopKTrainingSAE,
        TopKTrainingSAEConfig,
    )

    shared: dict[str, Any] = {
        "d_in": d_in,
        "d_sae": d_sae,
        "normalize_activations": "expected_average_only_in",
    }
    if method == "topk":
        kept = max(1, round(SHARE * d_sae))
        return TopKTrainingSAE(TopKTrainingSAEConfig(**shared, k=kept))
    return StandardTrainingSAE(StandardTrainingSAEConfig(**shared, l1_coefficient=PENALTY))


def batches(rows: Any, seed: int) -> Iterator[Any]:
    """Yield rows drawn with replacement, without end."""
    import torch

    draw = torch.Generator().manual_seed(seed)
    while True:
        yield rows[torch.randint(len(rows), (BATCH,), generator=draw)]


def trained(method: str, rows: Any, d_sae: int, seed: int) -> Any:
    """Return an autoencoder after training on rows `[n, d_model]`."""
    import torch
    from sae_lens.config import LoggingConfig, SAETrainerConfig
    from sae_lens.training.sae_trainer import SAETrainer

    torch.manual_seed(seed)
    config = SAETrainerConfig(
        total_training_samples=STEPS * BATCH,
        train_batch_size_samples=BATCH,
        lr=LEARNING_RATE,
        lr_end=LEARNING_RATE / 10,  # its default is none, which its trainer refuses
        lr_decay_steps=STEPS // 2,
        n_batches_for_norm_estimate=20,
        logger=LoggingConfig(log_to_wandb=False),
    )
    found = SAETrainer(config, autoencoder(method, rows.shape[1], d_sae), batches(rows, seed))
    return found.fit().eval()


def main(method: str, problem: Path, answer: Path) -> None:
    """Answer the problem in one folder into another."""
    os.environ.setdefault("WANDB_MODE", "disabled")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from safetensors.torch import load_file, save_file

    torch.set_num_threads(1)
    said = json.loads((problem / "problem.json").read_text(encoding="utf-8"))
    data = load_file(problem / said["data"])
    arrays = {}
    for place, (hook, most) in enumerate(said["facts"]["max_directions"].items()):
        train, held_out = (data[f"{hook}/{part}"].float() for part in ("train", "held_out"))
        found = trained(method, train, most, said["facts"]["seed"] + place)
        with torch.no_grad():
            arrays[f"{hook}/directions"] = found.W_dec.detach().clone()
            arrays[f"{hook}/activations"] = found.encode(held_out).contiguous()
    save_file(arrays, answer / "answer.safetensors")
    told = {
        "format_version": "1.0",
        "problem": said["id"],
        "array_file": "answer.safetensors",
        "tool": "sae-lens",
        "tool_version": version("sae-lens"),
        "settings": {"method": method, "steps": STEPS},
    }
    (answer / "answer.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
