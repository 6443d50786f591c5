"""Features: the directions of the residual stream and their activations, checked on the weights.

A feature is a value of a categorical variable, or a numerical variable: a unit direction,
from the source map, with an activation at every position of every input, from the program.
At each hook the residual stream is the sum of the features that are written by then,

    stream = sum over features of activation * scale * direction,

and nothing else: no offset is left over, since what a bias adds is part of the variable that
its component writes. Nothing is erased, so a feature is in the stream at every hook from its
first one on. Features that are equal on the whole domain, up to a factor, are one class: no
tool can tell their directions apart by what they do, so it is asked for any vector of their span.

On disk this is `labels/features.json` and `labels/features.safetensors`. A hook is a depth, as
in `variables`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Int
from pydantic import JsonValue

from ..compiler.compiled_model import CompiledModel
from ..compiler.one_thread import one_thread
from ..compiler.source_map import PlacedVariable
from ..compiler.values import Encoding
from ..errors import CertificationError, listing
from .digest import weights_digest
from .feature_activations import Activations, FeatureActivations, TokenIds, is_padding
from .feature_statistics import FeatureSums, HookStatistics, Marginal
from .interchange_pairs import TaskDomain, spread_rows
from .json_values import plain
from .record import Record
from .stream_deviation import stream_deviation
from .variable_window import hook_name, window

FORMAT_VERSION: Literal["1.0"] = "1.0"
BOUND = 1e-9
"""How far the stream may be from the sum of its features, in any coordinate."""
WHOLE = 1024
"""On domains up to this size the stream is checked on every input."""
CHECKED = 512
"""On how many inputs it is checked beyond that, evenly over lengths and outputs."""
_ELEMENTS = 2**22


class FeatureLabel(Record):
    """A feature of the residual stream.

    Attributes:
        variable: whose feature it is.
        value: which of its values; `None` for a number.
        flag: whether it marks BOS or padding, and is no variable of the program.
        first: the depth of the first hook at which it is in the stream.
        last: the depth of the last reader of its variable; `first` where nothing reads it.
        first_hook: `first` as TransformerLens names it.
        last_hook: `last` as TransformerLens names it.
        class_id: its class; -1 for a feature that is zero at BOS and at all tokens of the domain.
        constant: whether it is the same number, not zero, at BOS and at all tokens.
    """

    variable: str
    value: JsonValue
    flag: bool
    first: int
    last: int
    first_hook: str
    last_hook: str
    class_id: int
    constant: bool

    @property
    def dead(self) -> bool:
        """Whether it is zero at BOS and at all tokens of the domain."""
        return self.class_id < 0

    @property
    def name(self) -> tuple[str, JsonValue]:
        """The variable and the value."""
        return self.variable, self.value


class FeaturesRecord(Record):
    """The features of a model, as they are written; the directions are in the arrays.

    Attributes:
        weights: sha256 of the weights on which the stream was checked.
        n_inputs: inputs of the domain.
        n_rows: their BOS and token positions, over which classes and statistics are taken.
        exhaustive: whether these are all inputs that there are.
        n_checked: inputs on which the stream was compared with the sum of its features, at
            every hook and position.
        bound: how far they may have differed in any coordinate; of a model that was trained,
            the share `s` of `stream_deviation`.
        features: in the order of the source map.
        hooks: from the embeddings to the logits.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    weights: str
    n_inputs: int
    n_rows: int
    exhaustive: bool
    n_checked: int
    bound: float
    features: tuple[FeatureLabel, ...]
    hooks: tuple[HookStatistics, ...]


@dataclass(frozen=True, eq=False)
class FeatureLabels:
    """The features of a model, with their directions.

    Attributes:
        record: what is known of each, and of the stream at every hook.
        directions: unit vectors, one row for each feature.
        scale: how much one unit of activation adds along the direction.
        factor: what a feature's activation is, divided by that of the first feature of its
            class; 0 for a dead one.
        marginals: for each class how often its first feature has which activation.
    """

    record: FeaturesRecord
    directions: Float[np.ndarray, "k d_model"]
    scale: Float[np.ndarray, " k"]
    factor: Float[np.ndarray, " k"]
    marginals: tuple[Marginal, ...]

    @property
    def features(self) -> tuple[FeatureLabel, ...]:
        """The features, in the order of the rows of `directions`."""
        return self.record.features

    @property
    def hooks(self) -> tuple[HookStatistics, ...]:
        """The statistics of every hook, by depth."""
        return self.record.hooks

    @property
    def names(self) -> tuple[tuple[str, JsonValue], ...]:
        """The variable and the value of each feature; the value of a number is `None`."""
        return tuple(feature.name for feature in self.features)

    @property
    def first(self) -> Int[np.ndarray, " k"]:
        """The depth from which each feature is in the stream."""
        return np.array([feature.first for feature in self.features], dtype=np.int64)

    @property
    def class_of(self) -> Int[np.ndarray, " k"]:
        """The class of each feature; -1 for the dead."""
        return np.array([feature.class_id for feature in self.features], dtype=np.int64)

    def stream(
        self, activations: Float[np.ndarray, "*rows k"], depth: int | None = None
    ) -> Float[np.ndarray, "*rows d_model"]:
        """Return the residual stream at a depth that features with such activations make up.

        Args:
            activations: of all features; those not yet written at `depth` are left out.
            depth: of the hook; `None` for the last.
        """
        present = self.first <= (len(self.hooks) - 1 if depth is None else depth)
        return (activations[..., present] * self.scale[present]) @ self.directions[present]

    @classmethod
    def of_arrays(cls, record: FeaturesRecord, arrays: Mapping[str, np.ndarray]) -> "FeatureLabels":
        """Return the features that a record and its arrays describe: see `to_arrays`."""
        ends = arrays["marginal_starts"][1:-1]
        marginals = zip(
            np.split(arrays["marginal_values"], ends),
            np.split(arrays["marginal_counts"].astype(np.int64), ends),
            strict=True,
        )
        return cls(
            record,
            arrays["directions"],
            arrays["scale"],
            arrays["factor"],
            tuple(Marginal(values, counts) for values, counts in marginals),
        )

    def to_json(self) -> str:
        """Return what is known of the features as canonical JSON."""
        return self.record.to_json()

    def to_arrays(self) -> Mapping[str, np.ndarray]:
        """Return the arrays by name.

        The marginals of the classes stand end to end: that of class `c` is in
        `marginal_values` and `marginal_counts` from `marginal_starts[c]` to
        `marginal_starts[c + 1]`.
        """
        values = [marginal.values for marginal in self.marginals]
        counts = [marginal.counts for marginal in self.marginals]
        return {
            "directions": self.directions.astype("<f8"),
            "scale": self.scale.astype("<f8"),
            "factor": self.factor.astype("<f8"),
            "marginal_values": np.concatenate([np.zeros(0), *values]).astype("<f8"),
            "marginal_counts": np.concatenate([np.zeros(0, np.int64), *counts]).astype("<i4"),
            "marginal_starts": np.cumsum([0, *map(len, values)]).astype("<i4"),
        }


def features(compiled: CompiledModel, domain: TaskDomain, *, bound: float = BOUND) -> FeatureLabels:
    """Return the features of a model, checked on its weights.

    Args:
        compiled: the model.
        domain: its inputs.
        bound: how far the stream may be from the sum of its features, in any coordinate. A wider
            one than `BOUND` is for a model that was trained: it is then the share `s` of
            `stream_deviation`, taken over all inputs, and padding is not compared.

    Raises:
        CertificationError: at some hook the stream is not the sum of its features; or a feature
            has no direction, since what compressed the model left nothing of it.
    """
    with one_thread():
        source = FeatureActivations(compiled)
        sums = FeatureSums.over(_rows(source, compiled, domain.tokens), source.n_features)
        whole = len(domain.tokens) <= WHOLE or bound > BOUND  # a norm is over all rows
        rows = spread_rows(domain.length, domain.stratum, len(domain.tokens) if whole else CHECKED)
        taken = domain.tokens[rows]
        labels = _labels(compiled, domain, sums, len(taken), bound)
        _check_streams(compiled, labels, source, taken)
    return labels


def activations(compiled: CompiledModel, tokens: TokenIds) -> Activations:
    """Return the activation of every feature at every position, from the program.

    Args:
        compiled: the program and its source map; the weights are not looked at.
        tokens: token ids, BOS first, then padding.
    """
    return FeatureActivations(compiled).everywhere(tokens)


def independent_rows(
    labels: FeatureLabels, n: int, seed: int, depth: int | None = None
) -> tuple[Float[np.ndarray, "n k"], Float[np.ndarray, "n d_model"]]:
    """Return residual streams of the same features, their classes independent of each other.

    Each class has the marginal that it has over the domain. What a tool finds here and not
    on the model's own rows it misses because features depend on each other, not because they
    lie in superposition.

    Args:
        labels: the features.
        n: how many rows.
        seed: draws them.
        depth: at which hook, `None` for the last; features that are written later are zero.

    Returns:
        The activations, and the streams that they make up.
    """
    rng = np.random.default_rng(seed)
    drawn = np.zeros((n, len(labels.marginals) + 1))
    for number, marginal in enumerate(labels.marginals):
        ends = marginal.counts.cumsum()
        picks = rng.integers(ends[-1], size=n)
        drawn[:, number] = marginal.values[ends.searchsorted(picks, side="right")]
    found = drawn[:, labels.class_of] * labels.factor
    last = len(labels.hooks) - 1 if depth is None else depth
    found[:, labels.first > last] = 0.0
    return found, labels.stream(found, last)


def _rows(
    source: FeatureActivations, compiled: CompiledModel, tokens: TokenIds
) -> Iterator[Float[np.ndarray, "_rows _k"]]:
    """Yield the activations at BOS and at tokens, in chunks of bounded size."""
    kept = ~is_padding(tokens, len(compiled.program.vocabulary))
    size = max(1, _ELEMENTS // (tokens.shape[1] * source.n_features))
    for start in range(0, len(tokens), size):
        some = slice(start, start + size)
        yield source.exact(tokens[some])[kept[some]]


def _labels(
    compiled: CompiledModel, domain: TaskDomain, sums: FeatureSums, n_checked: int, bound: float
) -> FeatureLabels:
    """Return the labels, from the source map and the sums over the domain."""
    source_map, weights = compiled.source_map, compiled.model.weights
    placed = source_map.variables
    windows = [window(source_map, variable.name, weights.n_layers) for variable in placed]
    widths = [len(variable.directions) for variable in placed]
    first, last = np.repeat(np.array(windows), widths, axis=0).T
    named = [(variable, value) for variable in placed for value in _values_of(variable)]
    record = FeaturesRecord(
        weights=weights_digest(weights),
        n_inputs=len(domain.tokens),
        n_rows=sums.n_rows,
        exhaustive=domain.exhaustive,
        n_checked=n_checked,
        bound=bound,
        features=tuple(
            FeatureLabel(
                variable=variable.name,
                value=value,
                flag=variable.node < 0,
                first=int(first[place]),
                last=int(last[place]),
                first_hook=hook_name(int(first[place]), weights.n_layers),
                last_hook=hook_name(int(last[place]), weights.n_layers),
                class_id=int(sums.class_of[place]),
                constant=bool(sums.constant[place]),
            )
            for place, (variable, value) in enumerate(named)
        ),
        hooks=sums.at_hooks(first, weights.n_layers),
    )
    directions = np.concatenate([variable.directions for variable in placed])
    # Summed one after the other: a BLAS or a vectorised sum would round differently elsewhere.
    scale = np.sqrt(np.square(directions).cumsum(axis=1)[:, -1])
    lost = sorted(
        {label.variable for label, size in zip(record.features, scale, strict=True) if not size}
    )
    if lost:
        raise CertificationError(
            f"Every feature of {compiled.program.name} must have a direction, and the matrix that "
            f"compresses the model is zero along some of {', '.join(lost)}."
        )
    return FeatureLabels(record, directions / scale[:, None], scale, sums.factor, sums.marginals)


def _values_of(variable: PlacedVariable) -> tuple[JsonValue, ...]:
    """Return the value of each direction of a variable."""
    return (None,) if variable.encoding is Encoding.NUMERICAL else plain(variable.values)


def _check_streams(
    compiled: CompiledModel, labels: FeatureLabels, source: FeatureActivations, tokens: TokenIds
) -> None:
    """Compare the stream with the sum of its features, at every hook and position.

    Under a wider bound than `BOUND` padding is left out: nothing reads what a model that was
    trained has there, so that training does not keep it.

    Raises:
        CertificationError: they differ.
    """
    bound, exact = labels.record.bound, labels.record.bound <= BOUND
    found = stream_deviation(compiled, source, labels.first, tokens, padding=exact)
    if exact:
        off, allowed = found.largest, np.full(len(labels.hooks), bound)
        said, of = "the two differ by up to {:g}", ""
    else:
        off = found.norm
        allowed = bound * found.written + BOUND * np.sqrt(found.n_numbers)
        said, of = "the norm of the difference is {:g}, and {:g} is allowed", " of what is written"
    problems = [
        f"{hook.hook}: {said.format(*numbers)}"
        for hook, *numbers in zip(labels.hooks, off.tolist(), allowed.tolist(), strict=True)
        if not numbers[0] <= numbers[1]
    ]
    if problems:
        heading = (
            f"The residual stream of {compiled.program.name} must be the sum of its features, to "
            f"within {bound:g}{of}:"
        )
        raise CertificationError(listing(heading, problems))
