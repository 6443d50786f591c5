"""A straightforward loop of strict interchange-intervention training in PyTorch.

After Gupta et al. 2024, arXiv:2407.14494: in every step there is a batch on which nothing is
interchanged, one on which an aligned component is, and one on which a component is that stands for
nothing; each has a backward pass of its own. Components are patched by their outputs, edges are
not. Interchange targets come from our interpreter, made beforehand, so that only training
is compared.
"""

import time
from collections.abc import Iterator, Mapping

import numpy as np
import torch
from torch import nn

from glassbench.compiler import Weights
from glassbench.compiler.interchange_training import answer_logits
from glassbench.compiler.values import Encoding
from glassbench.ground_truth.training_gate import HeldOut

RATE, STRICT, SHARPNESS = 1e-3, 0.4, 8.0


class PlainTransformer(nn.Module):
    """An ordinary transformer whose components can be patched by name."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.like = weights
        for name, array in weights.arrays():
            setattr(self, name, nn.Parameter(torch.tensor(array, dtype=torch.float32)))

    def forward(
        self, tokens: torch.Tensor, patches: Mapping[str, torch.Tensor] | None = None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Return logits, and what every component writes."""
        patches, written = patches or {}, {}

        def write(name: str, value: torch.Tensor) -> torch.Tensor:
            written[name] = patches.get(name, value)
            return written[name]

        x = write("embed", self.W_E[tokens])
        x = x + write("pos_embed", self.W_pos[: tokens.shape[1]].expand_as(x))
        for layer in range(self.like.n_layers):
            read = self.norm(x)
            for head in range(self.like.n_heads):
                at = layer, head
                scores = (read @ self.W_Q[at] + self.b_Q[at]) @ (read @ self.W_K[at]).mT
                if self.like.causal:
                    hidden = torch.ones_like(scores, dtype=torch.bool).triu(1)
                    scores = scores.masked_fill(hidden, -torch.inf)
                mixed = scores.softmax(-1) @ (read @ self.W_V[at])
                x = x + write(f"a{layer}.h{head}", mixed @ self.W_O[at])
            neurons = nn.functional.gelu(
                self.norm(x) @ self.W_in[layer] + self.b_in[layer], approximate="tanh"
            )
            x = x + write(f"m{layer}", neurons @ self.W_out[layer] + self.b_out[layer])
        return self.norm(x) @ self.W_U, written

    def norm(self, x: torch.Tensor) -> torch.Tensor:
        """Return what readers get of the stream."""
        return nn.functional.layer_norm(x, x.shape[-1:]) if self.like.layer_norm else x

    def weights(self) -> Weights:
        """Return the weights as they are now."""
        arrays = {name: getattr(self, name) for name, _ in self.like.arrays()}
        return self.like.with_arrays(
            {name: array.detach().numpy().astype(np.float64) for name, array in arrays.items()}
        )


class Rows:
    """Interchanges of whole components of a program, with its answers."""

    def __init__(self, held_out: HeldOut, n_rows: int, seed: int) -> None:
        codec, domain = held_out.original.model.codec, held_out.train
        rows = held_out.aligned.draw(domain, n_rows, np.random.default_rng([seed, 1]))
        kept = (rows.positions == np.arange(rows.positions.shape[1])).all(axis=1)
        self.chosen = rows.chosen[kept]
        self.base, self.source = (torch.tensor(one[kept]) for one in (rows.base, rows.source))
        logits = answer_logits(codec, rows.answers[kept])
        self.targets = torch.tensor(logits, dtype=torch.float32)
        self.counted = torch.tensor(codec.is_real(rows.base[kept]), dtype=torch.float32)
        self.codec = codec
        alignment, places = held_out.alignment, {}
        for place, name in enumerate(held_out.sets, start=1):
            writer = name.partition("->")[0]
            if "->" not in name or writer not in held_out.sets:
                places[alignment.name(writer)] = place
        self.sets = places
        wanted = {one.name for one in alignment.ordinary.writers}
        self.quiet = sorted(wanted - set(places) - {"embed", "pos_embed"})

    def loss(self, logits: torch.Tensor, some: torch.Tensor) -> torch.Tensor:
        """Return the loss on rows."""
        lost = torch.zeros(logits.shape[:-1])
        for readout, at in self.codec.logit_slices:
            given, wanted = logits[..., at], self.targets[some][..., at]
            error = (given - wanted).square().sum(-1)
            if readout.encoding is Encoding.NUMERICAL:
                lost = lost + error / max(float(readout.values.numbers.var()), 1e-6)
            else:
                share = (SHARPNESS * wanted).softmax(-1)
                found = (SHARPNESS * given).log_softmax(-1)
                lost = lost + error + (share * (share.log() - found)).sum(-1)
        counted = self.counted[some]
        return (lost * counted).sum() / counted.sum()


def training(
    held_out: HeldOut, first: Weights, *, batch: int, every: int, seed: int = 0
) -> Iterator[tuple[int, float, Weights]]:
    """Yield steps, seconds of training, and weights, from time to time and without end."""
    torch.manual_seed(seed)
    rng, model = np.random.default_rng(seed), PlainTransformer(first)
    rows = Rows(held_out, 600, held_out.seed)
    optimiser = torch.optim.AdamW(model.parameters(), lr=RATE, weight_decay=1e-3)
    steps, seconds = 0, 0.0
    while True:
        started = time.process_time()
        for _ in range(every):
            optimiser.zero_grad()
            _behaviour(model, rows, rng, batch).backward()
            _interchange(model, rows, rng, batch).backward()
            (STRICT * _strict(model, rows, rng, batch)).backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimiser.step()
        steps, seconds = steps + every, seconds + time.process_time() - started
        yield steps, seconds, model.weights()


def _drawn(rows: Rows, rng: np.random.Generator, place: int, batch: int) -> torch.Tensor:
    return torch.tensor(rng.choice(np.flatnonzero(rows.chosen == place), batch))


def _behaviour(
    model: PlainTransformer, rows: Rows, rng: np.random.Generator, batch: int
) -> torch.Tensor:
    some = _drawn(rows, rng, 0, batch)
    return rows.loss(model(rows.base[some])[0], some)


def _interchange(
    model: PlainTransformer, rows: Rows, rng: np.random.Generator, batch: int
) -> torch.Tensor:
    name = rng.choice(sorted(rows.sets))
    some = _drawn(rows, rng, rows.sets[name], batch)
    _, source = model(rows.source[some])
    return rows.loss(model(rows.base[some], {name: source[name]})[0], some)


def _strict(
    model: PlainTransformer, rows: Rows, rng: np.random.Generator, batch: int
) -> torch.Tensor:
    name, some = rng.choice(rows.quiet), _drawn(rows, rng, 0, batch)
    _, source = model(rows.source[some])
    return rows.loss(model(rows.base[some], {name: source[name]})[0], some)
