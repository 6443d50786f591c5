"""ModelConfig: all that must be known beside the weights to run a model.

On disk this is `model/config.json`. A reader needs it, `model/weights.safetensors` and
nothing of this package: a sequence becomes token ids, the formulae give logits, and the
readouts say what the logits mean.
"""

import math
from reprlib import repr as shortened
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field, JsonValue, SerializerFunctionWrapHandler, model_serializer

from ..compiler import CompiledModel
from ..compiler.model import NONE_THRESHOLD, TIE_TOLERANCE, Codec, Model, Readout
from ..compiler.values import Encoding
from ..compiler.weights import LAYER_NORM_EPSILON, Activation
from ..errors import BundleError, listing
from ..strict_record import Positive
from .json_values import plain, values_from
from .record import Record

FORMAT_VERSION: Literal["1.0"] = "1.0"
MOST_EDGES = 2**20
"""How many edges a model may have between components: each is named, even if no weight is."""
MOST_ANSWERS = 2**62
"""Answers are numbered, by all outputs together."""


def architecture(activation: Activation = "relu", layer_norm: bool = False) -> tuple[str, ...]:
    """Return the formulae of a model, line by line, all that has to be known to write it anew.

    Args:
        activation: of its neurons.
        layer_norm: whether there is one before whatever reads the stream.
    """
    x, said = "x", []
    if layer_norm:
        x = "n(x)"
        said.append(
            "n(x) = (x - mean(x)) / sqrt(mean((x - mean(x))^2) + "
            f"{LAYER_NORM_EPSILON:.0e}), means over the dimensions of x at a position"
        )
    if activation == "gelu":
        said.append("gelu(y) = 0.5 y (1 + tanh(sqrt(2 / pi) (y + 0.044715 y^3)))")
    return (
        "tokens: <bos>, the sequence, then <pad> up to n_ctx positions",
        *said,
        "x = W_E[token] + W_pos[position]",
        "for each layer l in turn:",
        f"    s[h] = ({x} W_Q[l,h] + b_Q[l,h]) ({x} W_K[l,h])^T for each head h; if causal, "
        "s[query, key] is minus infinity where key > query",
        f"    x = x + sum over h of softmax(s[h]) {x} W_V[l,h] W_O[l,h], softmax over all keys, "
        "padding too",
        f"    x = x + {activation}({x} W_in[l] + b_in[l]) W_out[l] + b_out[l]",
        f"logits = {x} W_U",
    )


DECODING = (
    "A readout reads logits[first : first + width] at each position of the sequence.",
    "categorical: values[i] for the largest logit i; of those within tie_tolerance of the largest "
    "the first; null if the largest is at most threshold + tie_tolerance.",
    "numerical: the number of values that is nearest to the one logit; of two that are as near, up "
    "to tie_tolerance of their distance, the lower.",
)


class ReadoutRecord(Record):
    """One output.

    Attributes:
        encoding: `categorical`, one logit per value, or `numerical`, a single logit.
        first: the first logit.
        width: the number of logits.
        values: what the output can be, in the order of the logits, or ascending.
    """

    encoding: Literal["categorical", "numerical"]
    first: int
    width: int
    values: Annotated[tuple[JsonValue, ...], Field(min_length=1)]

    def readout(self) -> Readout:
        """Return what decodes its logits.

        Raises:
            BundleError: its values are none of its encoding.
        """
        domain, encoding = values_from(self.values), Encoding(self.encoding)
        ascends = domain.is_numeric and (np.diff(domain.numbers) >= 0).all()
        if encoding is Encoding.NUMERICAL and not ascends:
            raise BundleError(
                "the values of a numerical output must be numbers, ascending, got "
                f"{shortened(list(self.values))}"
            )
        return Readout(domain, encoding)


class MarginsRecord(Record):
    """How far the model is from a wrong decision, in the basis in which it was compiled.

    Attributes:
        float64: the least ratio of the error that a decision bears to the error that can
            reach it; `null` where no decision can go wrong.
        float32: the same if everything is computed in float32.
    """

    float64: float | None
    float32: float | None


class NamelessConfig(Record):
    """How a model runs, and nothing of what it is called or how it was made.

    Attributes:
        architecture: the formulae, line by line.
        decoding: what the readouts mean, in words.
        dtype: of the weights.
        causal: whether a query sees only keys up to its own position.
        activation: of the neurons; not written where it is `relu`, as in every compiled model.
        layer_norm: whether a LayerNorm stands before whatever reads the stream; not written where
            there is none, as in every compiled model.
        n_layers: layers.
        n_heads: heads in each layer.
        d_model: the width of the residual stream.
        d_head: the width of each head.
        d_mlp: neurons in each layer.
        d_vocab: token ids, those of `<bos>` and `<pad>` included.
        n_ctx: positions, that of `<bos>` included.
        d_out: logits.
        vocabulary: the tokens; the id of each is its place here.
        bos: the id of `<bos>`.
        pad: the id of `<pad>`.
        max_length: the longest sequence, `<bos>` not counted.
        threshold: see `decoding`.
        tie_tolerance: see `decoding`.
        readouts: the outputs, in the order of their logits.
    """

    format_version: Literal["1.0"] = FORMAT_VERSION
    architecture: tuple[str, ...] = architecture()
    decoding: tuple[str, ...] = DECODING
    dtype: Literal["float64"] = "float64"
    causal: bool
    activation: Activation = "relu"
    layer_norm: bool = False
    n_layers: Positive
    n_heads: Positive
    d_model: Positive
    d_head: Positive
    d_mlp: Positive
    d_vocab: int
    n_ctx: int
    d_out: int
    vocabulary: Annotated[tuple[JsonValue, ...], Field(min_length=1)]
    bos: int
    pad: int
    max_length: Positive
    threshold: float = NONE_THRESHOLD
    tie_tolerance: float = TIE_TOLERANCE
    readouts: Annotated[tuple[ReadoutRecord, ...], Field(min_length=1, max_length=62)]

    @model_serializer(mode="wrap")
    def _written(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what is as in every compiled model, whose text does not change so."""
        usual = {"activation": "relu", "layer_norm": False}
        return {name: value for name, value in write(self).items() if value != usual.get(name, ...)}

    @classmethod
    def of_model(cls, model: Model) -> "NamelessConfig":
        """Return the configuration of a model."""
        return cls(**_fields(model))

    def codec(self) -> Codec:
        """Return what encodes sequences and decodes logits.

        Raises:
            BundleError: the numbers do not fit each other; all that do not are listed.
        """
        widths = [1 if one.encoding == "numerical" else len(one.values) for one in self.readouts]
        must = {
            "bos": len(self.vocabulary),
            "pad": len(self.vocabulary) + 1,
            "d_vocab": len(self.vocabulary) + 2,
            "n_ctx": self.max_length + 1,
            "d_out": sum(widths),
            "threshold": NONE_THRESHOLD,
            "tie_tolerance": TIE_TOLERANCE,
            "architecture": architecture(self.activation, self.layer_norm),
            "decoding": DECODING,
        }
        problems = [
            f"{name}: must be {value}, got {getattr(self, name)}"
            for name, value in must.items()
            if getattr(self, name) != value
        ]
        for place, (readout, width) in enumerate(zip(self.readouts, widths, strict=True)):
            if (readout.first, readout.width) != (sum(widths[:place]), width):
                problems.append(f"readouts.{place}: must begin at {sum(widths[:place])}")
        n_edges = _most_edges(self.n_layers, self.n_heads)
        if n_edges > MOST_EDGES:
            problems.append(
                f"n_layers, n_heads: must be of at most {MOST_EDGES:,} edges between components, "
                f"got {self.n_layers:,} and {self.n_heads:,}, which are of {n_edges:,}"
            )
        if (n_answers := math.prod(len(one.values) + 1 for one in self.readouts)) >= MOST_ANSWERS:
            problems.append(
                f"readouts: must take less than {MOST_ANSWERS:,} values together, got {n_answers:,}"
            )
        if problems:
            raise BundleError(listing("The configuration does not describe a model:", problems))
        readouts = tuple(one.readout() for one in self.readouts)
        return Codec(values_from(self.vocabulary), self.max_length, readouts)

    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Return the shape of every array of the weights."""
        per_head = (self.n_layers, self.n_heads, self.d_model, self.d_head)
        return {
            "W_E": (self.d_vocab, self.d_model),
            "W_pos": (self.n_ctx, self.d_model),
            "W_Q": per_head,
            "b_Q": (self.n_layers, self.n_heads, self.d_head),
            "W_K": per_head,
            "W_V": per_head,
            "W_O": (self.n_layers, self.n_heads, self.d_head, self.d_model),
            "W_in": (self.n_layers, self.d_model, self.d_mlp),
            "b_in": (self.n_layers, self.d_mlp),
            "W_out": (self.n_layers, self.d_mlp, self.d_model),
            "b_out": (self.n_layers, self.d_model),
            "W_U": (self.d_model, self.d_out),
        }


class ModelConfig(NamelessConfig):
    """All that must be known beside the weights to run a model, and which model it is.

    Attributes:
        name: of the program.
        level: 0 where every expression is a variable, 1 where they are merged and folded.
        margins: above one, the model is exact in that precision.
    """

    name: str
    level: Annotated[int, Field(ge=0, le=1)]
    margins: MarginsRecord

    @classmethod
    def of(cls, compiled: CompiledModel) -> "ModelConfig":
        """Return the configuration of a compiled model."""
        margins = compiled.margins
        return cls(
            name=compiled.program.name,
            level=compiled.level,
            margins=MarginsRecord(
                float64=_finite(margins.float64), float32=_finite(margins.float32)
            ),
            **_fields(compiled.model),
        )


def _fields(model: Model) -> dict[str, Any]:
    """Return what the weights and the codec of a model say of how it runs."""
    weights, codec = model.weights, model.codec
    readouts, first = [], 0
    for readout in codec.readouts:
        readouts.append(
            ReadoutRecord(
                encoding=readout.encoding.value,
                first=first,
                width=readout.width,
                values=plain(readout.values.values),
            )
        )
        first += readout.width
    sizes = ("n_layers", "n_heads", "d_model", "d_head", "d_mlp", "d_vocab", "d_out", "n_ctx")
    return {
        "architecture": architecture(weights.activation, weights.layer_norm),
        "causal": weights.causal,
        "activation": weights.activation,
        "layer_norm": weights.layer_norm,
        **{size: getattr(weights, size) for size in sizes},
        "vocabulary": plain(codec.tokens.values),
        "bos": codec.bos,
        "pad": codec.pad,
        "max_length": codec.max_length,
        "readouts": tuple(readouts),
    }


def _most_edges(n_layers: int, n_heads: int) -> int:
    """Return how many edges there are between components if none of them is all zero.

    Before the attention of layer `l` there are `2 + l (n_heads + 1)` writers.
    """
    before = 2 * n_layers + (n_heads + 1) * (n_layers * (n_layers - 1) // 2)
    into_mlps = before + n_layers * n_heads
    into_logits = 2 + n_layers * (n_heads + 1)
    return 3 * n_heads * before + into_mlps + into_logits


def _finite(number: float) -> float | None:
    """Return a number that JSON has; infinity is none.

    Three digits are what no machine rounds differently.
    """
    return float(f"{number:.3g}") if math.isfinite(number) else None
