"""A straightforward loop of strict interchange-intervention training in PyTorch.

After Gupta et al. 2024, arXiv:2407.14494: in every step there is a batch on which nothing is
interchanged, one on which an aligned component is, and one on which a component is that stands for
nothing. Components are patched whole: where they end, for all that read them. Sources have
any length, and no position is permuted. Losses are those of our training. Heads of a layer run
together; the rest is eager PyTorch, as one would write it.

Interchange targets come from our interpreter, made beforehand, so that only training is compared.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from component_interchanges import ComponentInterchanges
from torch import nn
from torch.optim.lr_scheduler import ReduceLROnPlateau

from glassbench.compiler import Weights
from glassbench.compiler.model import Codec
from glassbench.compiler.values import Encoding
from glassbench.ground_truth.aligned_interchanges import AlignedRows

STRICT, SHARPNESS, NORM = 0.4, 8.0, 1.0
CHUNK = 250
"""Steps that are taken at a time; after each the schedule sees the mean loss."""
FALLS, PATIENCE = 0.5, 4
"""By how much the rate falls, and after how many chunks that are no better."""
OF_LAYERS = ("W_Q", "b_Q", "W_K", "W_V", "W_O", "W_in", "b_in", "W_out", "b_out")


@dataclass(frozen=True, eq=False)
class Patch:
    """What one component is replaced by.

    Attributes:
        component: its name.
        written: all that was written on the source.
    """

    component: str
    written: Mapping[str, torch.Tensor]

    def of(self, place: str, own: torch.Tensor) -> torch.Tensor:
        """Return what is at a place: `embed`, the heads of a layer such as `a0`, or an MLP."""
        where, _, head = self.component.partition(".h")
        if where != place:
            return own
        if not head:
            return self.written[place]
        is_head = torch.arange(own.shape[1])[:, None, None] == int(head)
        return torch.where(is_head, self.written[place], own)


class PlainTransformer(nn.Module):
    """An ordinary transformer whose components can be patched."""

    def __init__(self, weights: Weights) -> None:
        super().__init__()
        self.like = weights
        for name, array in weights.arrays():
            setattr(self, name, nn.Parameter(torch.tensor(array, dtype=torch.float32)))

    def forward(
        self, tokens: torch.Tensor, patch: Patch | None = None
    ) -> tuple[torch.Tensor, dict[str, torch.Tensor]]:
        """Return logits, and what was written: of heads before their output matrices."""
        written: dict[str, torch.Tensor] = {}

        def write(place: str, own: torch.Tensor) -> torch.Tensor:
            written[place] = own if patch is None else patch.of(place, own)
            return written[place]

        n = tokens.shape[1]
        hidden = torch.ones(n, n, dtype=torch.bool).triu(1) if self.like.causal else None
        x = write("embed", self.W_E[tokens]) + self.W_pos[:n]
        layers = zip(*(getattr(self, name).unbind() for name in OF_LAYERS), strict=True)
        for layer, (w_q, b_q, w_k, w_v, w_o, w_in, b_in, w_out, b_out) in enumerate(layers):
            read = self.norm(x)
            queries, keys, values = (
                torch.einsum("btd,hde->bhte", read, one) for one in (w_q, w_k, w_v)
            )
            scores = (queries + b_q[:, None]) @ keys.mT
            if hidden is not None:
                scores = scores.masked_fill(hidden, -torch.inf)
            mixed = write(f"a{layer}", scores.softmax(-1) @ values)
            x = x + torch.einsum("bhte,hed->btd", mixed, w_o)
            neurons = nn.functional.gelu(self.norm(x) @ w_in + b_in, approximate="tanh")
            x = x + write(f"m{layer}", neurons @ w_out + b_out)
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


@dataclass(frozen=True)
class Setting:
    """How fast a loop learns.

    Attributes:
        rate: of Adam at first. It is halved whenever the loss does not fall any more.
        batch: rows in each of the three batches of a step.
    """

    rate: float
    batch: int

    @property
    def row(self) -> list[str]:
        """What a table says of it."""
        return [f"{self.rate:g}", str(self.batch)]


class PlainLoop:
    """Trains one transformer.

    Args:
        codec: tells categorical logits from numerical ones.
        interchanges: what is interchanged.
        rows: on what it is trained, as `interchanges` draws them.
    """

    def __init__(
        self, codec: Codec, interchanges: ComponentInterchanges, rows: AlignedRows
    ) -> None:
        self._codec, self._interchanges = codec, interchanges
        self._base, self._source = torch.tensor(rows.base), torch.tensor(rows.source)
        self._targets = torch.tensor(codec.answer_logits(rows.answers), dtype=torch.float32)
        self._counted = torch.tensor(codec.is_real(rows.base), dtype=torch.float32)
        self._of = [np.flatnonzero(rows.chosen == one) for one in range(rows.chosen.max() + 1)]

    def training(
        self, first: Weights, setting: Setting, seed: int = 0
    ) -> Iterator[tuple[int, float, Weights]]:
        """Yield steps, seconds of the processor, and weights, after every chunk and without end."""
        rng, model = np.random.default_rng(seed), PlainTransformer(first)
        optimiser = torch.optim.Adam(model.parameters(), lr=setting.rate)
        schedule = ReduceLROnPlateau(optimiser, factor=FALLS, patience=PATIENCE)
        steps, seconds = 0, 0.0
        while True:
            started, lost = time.process_time(), 0.0
            for _ in range(CHUNK):
                lost += self._step(model, optimiser, rng, setting.batch)
            schedule.step(lost / CHUNK)
            steps, seconds = steps + CHUNK, seconds + time.process_time() - started
            yield steps, seconds, model.weights()

    def _step(
        self,
        model: PlainTransformer,
        optimiser: torch.optim.Optimizer,
        rng: np.random.Generator,
        batch: int,
    ) -> float:
        """Take a step, with a backward pass for each of the three losses, and return their sum."""
        optimiser.zero_grad()
        places, quiet = self._interchanges.places, self._interchanges.quiet
        aligned, lost = self._names[rng.integers(len(self._names))], 0.0
        terms = (
            (1.0, 0, ""),
            (1.0, places[aligned], aligned),
            (STRICT, 0, quiet[rng.integers(len(quiet))]),
        )
        for share, place, component in terms:
            some = torch.tensor(rng.choice(self._of[place], batch))
            patch = Patch(component, model(self._source[some])[1]) if component else None
            loss = share * self._loss(model(self._base[some], patch)[0], some)
            loss.backward()
            lost += loss.item()
        nn.utils.clip_grad_norm_(model.parameters(), NORM)
        optimiser.step()
        return lost

    @cached_property
    def _names(self) -> list[str]:
        return list(self._interchanges.places)

    def _loss(self, logits: torch.Tensor, some: torch.Tensor) -> torch.Tensor:
        lost = torch.zeros(logits.shape[:-1])
        for readout, at in self._codec.logit_slices:
            given, wanted = logits[..., at], self._targets[some][..., at]
            error = (given - wanted).square().sum(-1)
            if readout.encoding is Encoding.NUMERICAL:
                lost = lost + error / max(float(readout.values.numbers.var()), 1e-6)
            else:
                target, found = ((SHARPNESS * each).log_softmax(-1) for each in (wanted, given))
                lost = lost + error + (target.exp() * (target - found)).sum(-1)
        counted = self._counted[some]
        return (lost * counted).sum() / counted.sum()
