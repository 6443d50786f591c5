"""Circuit labels: the state of every edge, each with its certificate.

`causal`: some interchange of this edge alone changes a decoded output; the
certificate is a witness. `positional`: only a source with permuted position
embeddings does. `inert`: the reader reads what the writer writes, and nothing
changes. `unwired`: the reader's weights annihilate all that the writer writes.

On disk this is `labels/circuit.json`.
"""

from collections import Counter
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from ..errors import BundleError
from ..strict_record import Natural
from .record import Record, read_record

FORMAT_VERSION: Literal["1.0"] = "1.0"


class EdgeState(StrEnum):
    """What an interchange of the edge can do, strongest first."""

    CAUSAL = "causal"
    POSITIONAL = "positional"
    INERT = "inert"
    UNWIRED = "unwired"

    @property
    def has_effect(self) -> bool:
        """Whether some interchange changes an output."""
        return self in (EdgeState.CAUSAL, EdgeState.POSITIONAL)


class Witness(Record):
    """One interchange that changes a decoded output; anyone can replay it.

    Attributes:
        base: token ids of the base, BOS and padding included.
        source: token ids of the source.
        positions: the row of `pos_embed` used at each place of the source; only
            for `positional` edges.
        position: where the output changes (BOS is position 0).
        before: position of the decoded value among the outputs, -1 for `None`.
        after: the same after the interchange.
        changed: how many of `tried` pairs change some output.
        tried: how many pairs were drawn at random to say so; where none of them is a
            witness, this one was found by a longer search.
    """

    kind: Literal["witness"] = "witness"
    base: tuple[int, ...]
    source: tuple[int, ...]
    positions: tuple[int, ...] | None = None
    position: int
    before: int
    after: int
    changed: int
    tried: int


class Structural(Record):
    """The product of what the writer can write and what the reader reads is zero.

    Attributes:
        bound: no entry of that product is larger: 0 for models in their own basis,
            a rounding bound for rotated ones.
    """

    kind: Literal["structural"] = "structural"
    bound: float


class Unreachable(Record):
    """No path through the weights leads from what the edge changes to the logits.

    Attributes:
        bound: over an orthonormal basis of all that can change, nothing larger
            arrives at the logits; 0 or a rounding bound, as in `Structural`.
    """

    kind: Literal["unreachable"] = "unreachable"
    bound: float


class Constant(Record):
    """What the reader sees of the writer is the same on every input.

    Attributes:
        n_sources: inputs compared.
        bound: no coordinate differs by more between two of them.
        exhaustive: whether those were all inputs of the domain.
    """

    kind: Literal["constant"] = "constant"
    n_sources: int
    bound: float
    exhaustive: bool


class Exhausted(Record):
    """Every distinct (base, source contribution) of the domain was tried.

    Attributes:
        n_bases: inputs used as base.
        n_contributions: distinct contributions of the writer, as the reader sees them.
    """

    kind: Literal["exhausted"] = "exhausted"
    n_bases: int
    n_contributions: int


class Searched(Record):
    """This many random pairs were tried, and none changed an output.

    Attributes:
        n_pairs: pairs tried.
    """

    kind: Literal["searched"] = "searched"
    n_pairs: int


class Counted(Record):
    """On this many random pairs, few outputs if any changed; exact states are known of no more.

    Of a trained model nothing is proved. What share of all pairs changes an output lies below
    `bound` with a confidence of 99% (Clopper and Pearson 1934).

    Attributes:
        changed: how many of `tried` pairs change some output.
        tried: pairs with sources of any length.
        permuted_changed: how many do of the label's `permuted` pairs.
        bound: the larger of the upper bounds of the two shares; in every task at most `tolerance`,
            in the bundle of a model that is none it may be more.
        tolerance: which share counts as none.
    """

    kind: Literal["counted"] = "counted"
    changed: int
    tried: int
    permuted_changed: int
    bound: float
    tolerance: float


Quiet = Constant | Exhausted | Searched
"""Why no effect is known, short of a proof on the weights alone."""

Certificate = Annotated[
    Witness | Structural | Unreachable | Quiet | Counted,
    Field(discriminator="kind"),
]


class EdgeLabel(Record):
    """The state of one edge.

    Attributes:
        edge: the edge's name.
        state: its state.
        variables: the program variables that it carries.
        certificate: why.
        same_length: of a causal edge, whether sources as long as the base show it: a
            witness, or how that was looked for.
        permuted: pairs with permuted positions that were tried without effect, or with an effect
            on so few as a `Counted` certificate says; zero where a proof makes trying needless.
    """

    edge: str
    state: EdgeState
    variables: tuple[str, ...] = ()
    certificate: Certificate
    same_length: Certificate | None = None
    permuted: int = 0

    @property
    def fits(self) -> bool:
        """Whether a certificate of this kind can show this state."""
        return can_show(self.certificate, self.state)


def can_show(certificate: Certificate, state: EdgeState) -> bool:
    """Return whether a certificate of this kind can show a state."""
    match state:
        case EdgeState.CAUSAL:
            return isinstance(certificate, Witness) and certificate.positions is None
        case EdgeState.POSITIONAL:
            return isinstance(certificate, Witness) and bool(certificate.positions)
        case EdgeState.UNWIRED:
            return isinstance(certificate, Structural)
    return not isinstance(certificate, Witness | Structural)


class Sufficiency(Record):
    """All edges that are not causal interchanged at once, with independent sources.

    Attributes:
        n_bases: bases tried.
        n_changed: bases whose decoded output changed; must be zero, but in trained models.
    """

    n_bases: Natural
    n_changed: Natural


class CircuitLabels(Record):
    """The state of every edge of a model.

    Attributes:
        task: the task's id.
        weights: sha256 of the weights that the certificates hold for.
        n_inputs: sequences of the domain that were used.
        exhaustive: whether those were all.
        seed: draws the pairs.
        edges: in the order of the component graph.
        sufficiency: the joint certificate of the circuit.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    task: str
    weights: str
    n_inputs: int
    exhaustive: bool
    seed: Natural
    edges: tuple[EdgeLabel, ...]
    sufficiency: Sufficiency

    @property
    def states(self) -> dict[str, EdgeState]:
        """The state of each edge by name."""
        return {label.edge: label.state for label in self.edges}

    @property
    def counts(self) -> dict[EdgeState, int]:
        """How many edges are in each state."""
        counted = Counter(label.state for label in self.edges)
        return {state: counted[state] for state in EdgeState}

    @classmethod
    def read(cls, path: Path) -> "CircuitLabels":
        """Read labels from a file.

        Raises:
            BundleError: the file is missing or is not what `to_json` writes.
        """
        try:
            content = path.read_bytes()
        except OSError as error:
            raise BundleError(
                f"{path} must be a file of circuit labels: {error.strerror}"
            ) from None
        return read_record(cls, content, str(path))
