"""How close a compressed model is to the original: answers, and what every component writes.

The output of a component is compared in the coordinates of the original, at BOS and at tokens.
The cosine is the mean over positions at which the original writes anything; where it writes
nothing there is none. The error is relative to what the original writes over all positions: a
component that writes along a single direction has cosine one whatever it computes.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from .component_graph import ComponentGraph
from .compress import seen_through
from .executor import run
from .model import Model

LEAST_COSINE = 0.98
LARGEST_ERROR = 0.1
_CHUNK = 2048
_NOTHING = 1e-9


@dataclass(frozen=True)
class ComponentQuality:
    """How a head or an MLP of the compressed model compares with the original's.

    Attributes:
        name: of the component.
        cosine: the mean cosine of what the two write, where the original writes anything.
        error: the norm of the difference, relative to that of what the original writes.
    """

    name: str
    cosine: float
    error: float


@dataclass(frozen=True)
class Quality:
    """How a compressed model compares with the original.

    Attributes:
        n_inputs: on how many inputs.
        accuracy: share of tokens at which the decoded answer is the original's.
        components: every head and MLP that writes anything, in the order of the forward pass.
    """

    n_inputs: int
    accuracy: float
    components: tuple[ComponentQuality, ...]

    @property
    def cosine(self) -> float:
        """The least cosine of a component."""
        return min((one.cosine for one in self.components), default=1.0)

    @property
    def error(self) -> float:
        """The largest relative error of a component."""
        return max((one.error for one in self.components), default=0.0)

    @property
    def shortcomings(self) -> tuple[str, ...]:
        """In what it falls short of the bounds; empty if it does not."""
        found = []
        if self.accuracy < 1:
            found.append(f"every answer must be the original's, got {self.accuracy:.2%} of them")
        for one in self.components:
            if not one.cosine >= LEAST_COSINE:
                found.append(
                    f"{one.name}: the cosine with the original must be at least "
                    f"{LEAST_COSINE}, got {one.cosine:.3f}"
                )
            if not one.error <= LARGEST_ERROR:
                found.append(
                    f"{one.name}: the error relative to the original must be at most "
                    f"{LARGEST_ERROR}, got {one.error:.3f}"
                )
        return tuple(found)


def compression_quality(
    model: Model,
    W: Float[np.ndarray, "d d_model"],
    tokens: Int[np.ndarray, "rows position"],
) -> Quality:
    """Compare a model compressed by `W` with the original, on some inputs."""
    weights, codec = model.weights, model.codec
    squeezed = seen_through(weights, W)
    graph = ComponentGraph.of(weights)
    sums = np.zeros((4, len(graph.writers)))
    n_right = n_answers = 0
    for start in range(0, len(tokens), _CHUNK):
        some = tokens[start : start + _CHUNK]
        ours, theirs = run(squeezed, some, graph=graph), run(weights, some, graph=graph)
        real, kept = codec.is_real(some), codec.is_bos_or_real(some)
        same = codec.decode_ids(ours.logits) == codec.decode_ids(theirs.logits)
        n_right, n_answers = n_right + int(same[real].sum()), n_answers + int(real.sum())
        for place in range(2, len(graph.writers)):
            sums[:, place] += _sums(
                ours.contributions[place][kept], theirs.contributions[place][kept]
            )
    cosines, n_written, wrong, size = sums
    return Quality(
        len(tokens),
        n_right / n_answers,
        tuple(
            ComponentQuality(
                writer.name,
                float(cosines[place] / n_written[place]),
                float(np.sqrt(wrong[place] / size[place])),
            )
            for place, writer in enumerate(graph.writers)
            if place >= 2 and n_written[place]
        ),
    )


def _sums(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """Return sums over rows: cosines, rows with anything, squared differences, squares."""
    squares = np.square(theirs).sum(axis=1)
    written = squares > _NOTHING
    norms = np.sqrt(squares[written] * np.square(ours[written]).sum(axis=1))
    products = (ours[written] * theirs[written]).sum(axis=1)
    cosines = np.divide(products, norms, out=np.zeros_like(norms), where=norms > 0)
    wrong = np.square(ours - theirs).sum()
    return np.array([cosines.sum(), written.sum(), wrong, squares.sum()])
