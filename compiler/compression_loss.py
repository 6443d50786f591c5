"""The loss of a compression, L(W) = L_out + L_layer (Lindner et al. 2023, section 5).

`L_out` compares the logits with those of the original model: cross-entropy with the
distribution that the original's logits stand for where the output is categorical, the squared
error where it is numerical. `L_layer` is the squared difference of what every head and MLP
writes, in the coordinates of the original and relative to the mean square of the original.

Both are taken over inputs, and over interchanges of edges. Without the latter a compression
learns shortcuts: it reads a fact wherever it is also known from, answers everything right, with
every layer right, and has other causal edges than the original.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from .interchanged_forward import Arrays, InterchangedForward
from .model import Model, Readout
from .values import Encoding
from .weights import READS, Weights

SHARPNESS = 4.0
"""What logits are multiplied by before the softmax of the cross-entropy."""
_LEAST = 1e-3
_SOME_ERROR = 0.25

Matrix = Float[Array, "d d_model"]


class Sample(NamedTuple):
    """Inputs and interchanges, with what the original does on them.

    Attributes:
        base: token ids `[rows, position]`.
        source: token ids of the sources.
        places: the row of `W_pos` at each position of a source.
        edges: which edge of each row is interchanged, `[rows, reader, writer]`.
        written: what each writer of the original contributes after the embeddings.
        logits: of the original.
        at_layers: the weight of each position where layers are compared, summing to one.
        at_answers: the same where answers are.
    """

    base: Array
    source: Array
    places: Array
    edges: Array
    written: tuple[Array, ...]
    logits: Array
    at_layers: Array
    at_answers: Array

    def take(self, rows: Array) -> "Sample":
        """Return some rows; their weights sum to one again."""
        taken = jax.tree.map(lambda array: array[rows], self)
        return taken._replace(
            at_layers=taken.at_layers / taken.at_layers.sum(),
            at_answers=taken.at_answers / taken.at_answers.sum(),
        )


class Parts(NamedTuple):
    """The parts of the loss before they are squared and summed.

    Attributes:
        residuals: one-dimensional; the sum of their squares is a part of the loss.
        logits: of categorical outputs, `[rows, position, values]` each.
    """

    residuals: Array
    logits: tuple[Array, ...]


@dataclass(frozen=True, eq=False)
class CompressionLoss:
    """The loss of one model.

    Attributes:
        model: the original.
        forward: runs it.
        arrays: its weights.
        axes: for each writer after the embeddings the axes that it writes along.
        sizes: its mean square over positions.
        in_bounds: whether errors are measured in units of about what may be: numerical outputs
            of half the smallest gap between two values, so that an error of one is a wrong
            answer, and layers of a quarter of their size; else as they are.
    """

    model: Model
    forward: InterchangedForward
    arrays: Arrays
    axes: tuple[np.ndarray, ...]
    sizes: tuple[float, ...]
    in_bounds: bool = False

    @classmethod
    def of(cls, model: Model, tokens: Int[np.ndarray, "rows position"]) -> "CompressionLoss":
        """Return the loss; `tokens` are inputs over which the size of each layer is taken."""
        weights = model.weights
        forward = InterchangedForward(weights)
        arrays = {name: jnp.asarray(array) for name, array in weights.arrays()}
        written, _ = jax.jit(forward)(arrays, jnp.asarray(tokens))
        kept = model.codec.is_bos_or_real(tokens)
        sizes = [float(np.square(np.asarray(w)[kept]).sum(axis=-1).mean()) for w in written[2:]]
        written_by = [(one.layer, one.head) for one in forward.graph.writers[2:]]
        axes = tuple(_axes(weights, *at) for at in written_by)
        return cls(model, forward, arrays, axes, tuple(max(size, _LEAST) for size in sizes))

    def sample(
        self,
        tokens: Int[np.ndarray, "rows position"],
        interchanges: Sequence[Collection[str]],
        n_interchanged: int,
        rng: np.random.Generator,
    ) -> Sample:
        """Return the inputs as they are, then pairs of them with edges interchanged.

        Args:
            tokens: the inputs.
            interchanges: the names of the edges that are interchanged together, in each.
            n_interchanged: how many pairs there are; every interchange gets as many, to within
                one.
            rng: draws the pairs.
        """
        n = len(tokens)
        base, source = (
            tokens[np.concatenate([np.arange(n), rng.integers(n, size=n_interchanged)])]
            for _ in ("base", "source")
        )
        swapped = np.zeros((len(base), *self.forward.edge_shape))
        if n_interchanged and interchanges:
            masks = np.array([self.forward.graph.edge_mask(edges) for edges in interchanges])
            swapped[n:] = masks[rng.permutation(n_interchanged) % len(masks)]
        places = _places(source.shape, n, rng)
        written, logits = jax.jit(self.forward.interchange)(
            self.arrays, base, source, places, jnp.asarray(swapped)
        )
        layers = self.model.codec.is_bos_or_real(base)
        answers = self.model.codec.is_real(base)
        return Sample(
            jnp.asarray(base),
            jnp.asarray(source),
            jnp.asarray(places),
            jnp.asarray(swapped, logits.dtype),
            tuple(written[2:]),
            logits,
            jnp.asarray(layers / layers.sum(), logits.dtype),
            jnp.asarray(answers / answers.sum(), logits.dtype),
        )

    def parts(self, W: Matrix, sample: Sample) -> Parts:
        """Return the parts of the loss of `W`."""
        arrays = dict(self.arrays)
        for name in READS:
            arrays[name] = jnp.einsum("dD,...Dk->...dk", W.T @ W, arrays[name])
        written, logits = self.forward.interchange(
            arrays, sample.base, sample.source, sample.places, sample.edges
        )
        layer = jnp.sqrt(sample.at_layers)[..., None] / (_SOME_ERROR if self.in_bounds else 1.0)
        residuals = [
            (layer * (ours - theirs)[..., axes] / np.sqrt(size)).ravel()
            for ours, theirs, axes, size in zip(
                written[2:], sample.written, self.axes, self.sizes, strict=True
            )
        ]
        answer = jnp.sqrt(sample.at_answers)[..., None]
        categorical = []
        for readout, some in self.model.codec.logit_slices:
            if readout.encoding is Encoding.CATEGORICAL:
                categorical.append(SHARPNESS * logits[..., some])
                continue
            scale = _half_gap(readout) if self.in_bounds else 1.0
            error = logits[..., some] - sample.logits[..., some]
            residuals.append((answer * error / scale).ravel())
        return Parts(jnp.concatenate(residuals), tuple(categorical))

    def targets(self, sample: Sample) -> tuple[Array, ...]:
        """Return the distributions that the original's categorical logits stand for."""
        return tuple(
            jax.nn.softmax(SHARPNESS * sample.logits[..., some])
            for readout, some in self.model.codec.logit_slices
            if readout.encoding is Encoding.CATEGORICAL
        )

    def __call__(self, W: Matrix, sample: Sample) -> Array:
        """Return the loss of `W`, without the entropy of the targets, so that the least is 0."""
        parts = self.parts(W, sample)
        total = jnp.square(parts.residuals).sum()
        for logits, target in zip(parts.logits, self.targets(sample), strict=True):
            excess = jnp.log(target) - jax.nn.log_softmax(logits)
            total += (sample.at_answers * (target * excess).sum(axis=-1)).sum()
        return total

    def by_row(self, W: Matrix, sample: Sample) -> Float[Array, " rows"]:
        """Return the loss of `W` on each row; their mean is the loss."""

        def one(row: Sample) -> Array:
            return self(W, jax.tree.map(lambda array: array[None], row))

        return jax.vmap(one)(sample) * len(sample.base)


def _places(
    shape: tuple[int, int], first: int, rng: np.random.Generator
) -> Int[np.ndarray, "rows position"]:
    """Return the row of `W_pos` at each position of a source.

    In every other row from `first` on they are permuted, all but that of BOS, as in the family
    `positions` of interchanges.
    """
    places = np.tile(np.arange(shape[1]), (shape[0], 1))
    places[first::2, 1:] = rng.permuted(places[first::2, 1:], axis=1)
    return places


def _half_gap(readout: Readout) -> float:
    """Return half the smallest gap between two values of a numerical output."""
    gaps = np.diff(readout.values.numbers)
    return float(gaps.min()) / 2 if len(gaps) else 1.0


def _axes(weights: Weights, layer: int, head: int) -> np.ndarray:
    """Return the axes of the stream along which a head writes, or an MLP if it is -1."""
    if head >= 0:
        rows = weights.W_O[layer, head]
    else:
        rows = np.vstack([weights.W_out[layer], weights.b_out[layer]])
    return np.flatnonzero(np.abs(rows).max(axis=0) > 0)
