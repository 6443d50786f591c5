"""Bundle: a task from disk, every file of it checked before any is used.

    bundle = read_bundle("sort.zip")
    bundle.model    # what a tool may see
    bundle.task     # the same with its labels, if they are there

Nothing is unpacked, imported or evaluated. What cannot be checked is refused: files that
no manifest names, and manifests whose files are missing or other than they say.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from ..compiler import CompiledModel, ComponentGraph, Weights, from_json
from ..compiler.check import Checked
from ..compiler.executor import run
from ..compiler.margins import Margins
from ..compiler.model import Codec, Model, Readout
from ..errors import BundleError, ProgramError, listing
from . import bundle_layout as at
from .array_file import load_arrays, row_count
from .bundle_store import BundleStore, open_store
from .circuit_labels import CircuitLabels
from .digest import weights_digest
from .features import FeaturesRecord
from .manifest import FileRecord, LabelsManifest, Manifest, sha256_of
from .model_config import ModelConfig
from .position_labels import PositionLabels
from .record import AnyRecord, Record, read_record
from .relevance_record import RelevanceRecord
from .source_map_record import SourceMapRecord
from .subspace_labels import SubspaceLabels
from .variables import VariableLabels

_MOST_MANIFEST = 2**20
LABEL_RECORDS: Mapping[str, type[Record]] = {
    at.CIRCUIT: CircuitLabels,
    at.SUBSPACES: SubspaceLabels,
    at.POSITIONS: PositionLabels,
    at.VARIABLES: VariableLabels,
    at.FEATURES: FeaturesRecord,
    at.RELEVANCE: RelevanceRecord,
}
RECORDS: Mapping[str, type[Record]] = {
    at.MANIFEST: Manifest,
    at.CONFIG: ModelConfig,
    at.LABELS_MANIFEST: LabelsManifest,
    at.SOURCE_MAP: SourceMapRecord,
    **LABEL_RECORDS,
}
"""What each file of JSON is read as, but for the program, which the compiler reads."""


@dataclass(frozen=True, eq=False)
class Bundle:
    """A task as it was read from disk; see `read_bundle`.

    Attributes:
        place: where it was read from.
        manifest: what it says of itself.
        config: sizes, vocabulary, and what the logits mean.
        model: weights and codec: what a tool may see.
        data: the arrays of `data/inputs.safetensors`.
        contents: every file by its path.
    """

    place: Path
    manifest: Manifest
    config: ModelConfig
    model: Model
    data: Mapping[str, np.ndarray]
    contents: Mapping[str, bytes]

    @property
    def has_labels(self) -> bool:
        """Whether labels and program are here too, not the public part alone."""
        return at.LABELS_MANIFEST in self.contents

    @property
    def digest(self) -> str:
        """The sha256 of `manifest.json`."""
        return sha256_of(self.contents[at.MANIFEST])

    @cached_property
    def labels(self) -> CircuitLabels:
        """The labels of the edges.

        Raises:
            BundleError: they are not here.
        """
        self._need_labels()
        return read_record(CircuitLabels, self.contents[at.CIRCUIT], self._where(at.CIRCUIT))

    @cached_property
    def compiled(self) -> CompiledModel:
        """The model with its program and the map between the two.

        Raises:
            BundleError: they are not here.
        """
        self._need_labels()
        return _compiled(self)

    def _need_labels(self) -> None:
        if not self.has_labels:
            raise BundleError(
                f"{self.place} must hold the labels and the program, and is the public part of "
                f"{self.manifest.id} alone; get the whole bundle"
            )

    def _where(self, name: str) -> str:
        return f"{self.place}: {name}"


def read_bundle(place: str | Path) -> Bundle:
    """Read a bundle from its folder or zip, whole or its public part alone.

    Raises:
        BundleError: something is missing, too much, or not what the manifest says; nothing
            is loaded then.
    """
    store = open_store(place)
    contents = _contents(store)
    manifest = _manifest(contents[at.MANIFEST], f"{store.place}: {at.MANIFEST}")
    config_at = f"{store.place}: {at.CONFIG}"
    config = read_record(ModelConfig, contents[at.CONFIG], config_at)
    model = _model(config, contents[at.WEIGHTS], config_at, f"{store.place}: {at.WEIGHTS}")
    data = _data(model, contents[at.INPUTS], f"{store.place}: {at.INPUTS}")
    bundle = Bundle(store.place, manifest, config, model, data, contents)
    if bundle.has_labels:
        _check_labels(bundle)
    return bundle


# -- which bytes there are -------------------------------------------------------------


def _contents(store: BundleStore) -> dict[str, bytes]:
    """Return every file, each as long as its manifest says and with the sha256 it says."""
    contents = {at.MANIFEST: store.read(at.MANIFEST, most=_MOST_MANIFEST)}
    manifest = _manifest(contents[at.MANIFEST], f"{store.place}: {at.MANIFEST}")
    listed = _listed(manifest.files, at.PUBLIC, frozenset(), f"{store.place}: {at.MANIFEST}")
    if at.LABELS_MANIFEST in store.names:
        inner = store.read(at.LABELS_MANIFEST, most=_MOST_MANIFEST)
        where = f"{store.place}: {at.LABELS_MANIFEST}"
        _check_sha256(inner, manifest.labels, where)
        labels = read_record(LabelsManifest, inner, where)
        if labels.task != manifest.id:
            raise BundleError(f"{where} must belong to {manifest.id}, got {labels.task}")
        listed |= _listed(labels.files, at.PRIVATE, at.OPTIONAL, where)
        contents[at.LABELS_MANIFEST] = inner
    others = sorted(set(store.names) - set(listed) - set(contents))
    if others:
        raise BundleError(
            listing(f"{store.place} holds files that no manifest names; remove them:", others)
        )
    for name, record in listed.items():
        contents[name] = store.read(name, size=record.size)
        _check_sha256(contents[name], record.sha256, f"{store.place}: {name}")
    return contents


def _manifest(content: bytes, where: str) -> Manifest:
    """Return the manifest, which must be as it was written."""
    manifest = read_record(Manifest, content, where)
    if manifest.sealed().to_json().encode() != content:
        raise BundleError(
            f"{where} must be as it was written, and its checksum is of another text; get it again"
        )
    return manifest


def _listed(
    files: tuple[FileRecord, ...], allowed: frozenset[str], optional: frozenset[str], where: str
) -> dict[str, FileRecord]:
    """Return the files that a manifest names, which must be those that there can be."""
    named = [record.path for record in files]
    problems = [f"{name}: is no file of a bundle" for name in named if name not in allowed]
    problems += [f"{name}: is missing" for name in sorted(allowed - optional - set(named))]
    if len(set(named)) < len(named):
        problems.append("a file is named twice")
    if problems:
        raise BundleError(listing(f"{where} does not name the files of a bundle:", problems))
    return {record.path: record for record in files}


def _check_sha256(content: bytes, expected: str, where: str) -> None:
    found = sha256_of(content)
    if found != expected:
        raise BundleError(f"{where} must have the sha256 {expected}, got {found}; get it again")


# -- the public part ---------------------------------------------------------------------


def _model(config: ModelConfig, content: bytes, config_at: str, weights_at: str) -> Model:
    """Return the model that a configuration and weights describe."""
    try:
        codec = config.codec()
    except BundleError as error:
        raise BundleError(f"{config_at}: {error}") from None
    shapes = {name: ("<f8", shape) for name, shape in config.shapes().items()}
    arrays = load_arrays(content, weights_at, shapes)
    return Model(Weights(**arrays, causal=config.causal), codec)


def _data(model: Model, content: bytes, where: str) -> dict[str, np.ndarray]:
    """Return the data; the model must give the answers that they say."""
    n_rows, n_pairs = (row_count(content, name) for name in ("lengths", "base"))
    n_ctx = model.codec.max_length + 1
    shapes = {"tokens": (n_rows, n_ctx), "lengths": (n_rows,), "answers": (n_rows, n_ctx)}
    shapes |= {"base": (n_pairs, n_ctx), "source": (n_pairs, n_ctx)}
    data = load_arrays(content, where, {name: ("<i4", shape) for name, shape in shapes.items()})
    problems = [
        f"{name}: must be token ids of sequences, <bos> first, then padding"
        for name in ("tokens", "base", "source")
        if not _are_inputs(model.codec, data[name])
    ]
    if not problems:
        real = model.codec.is_real(data["tokens"])
        if not np.array_equal(real.sum(axis=1), data["lengths"]):
            problems.append("lengths: must be how many tokens each input has")
        given = model.codec.decode_ids(run(model.weights, data["tokens"]).logits)
        if not np.array_equal(np.where(real, given, -1), data["answers"]):
            problems.append("answers: must be what the model gives")
    if problems:
        raise BundleError(listing(f"{where} does not hold the data of a task:", problems))
    return data


def _are_inputs(codec: Codec, tokens: np.ndarray) -> bool:
    """Whether rows are `<bos>`, at least one token, then padding."""
    inner = tokens[:, 1:]
    real = (inner >= 0) & (inner < codec.bos)
    is_token_or_pad = real | (inner == codec.pad)
    return bool(
        (tokens[:, 0] == codec.bos).all()
        and is_token_or_pad.all()
        and real[:, 0].all()
        and (real[:, :-1] >= real[:, 1:]).all()
    )


# -- the labels ------------------------------------------------------------------------------


def _compiled(bundle: Bundle) -> CompiledModel:
    """Return the compiled model of a bundle with labels."""
    where = f"{bundle.place}: {at.PROGRAM}"
    try:
        program = from_json(bundle.contents[at.PROGRAM])
    except ProgramError as error:
        raise BundleError(f"{where}: {error}") from None
    source_at = f"{bundle.place}: {at.SOURCE_MAP}"
    record = read_record(SourceMapRecord, bundle.contents[at.SOURCE_MAP], source_at)
    source_map = record.source_map(program, bundle.config.d_model, source_at)
    outputs = [program.nodes[place] for place in program.outputs]
    readouts = tuple(Readout(node.domain, node.encoding) for node in outputs)
    codec = Codec(program.vocabulary, program.max_length, readouts)
    margins = bundle.config.margins
    compiled = CompiledModel(
        model=Model(bundle.model.weights, codec),
        program=program,
        source_map=source_map,
        checked=Checked((), 0, True),
        margins=Margins(_or_infinity(margins.float64), _or_infinity(margins.float32), ""),
        source=program,
        level=bundle.config.level,
    )
    if ModelConfig.of(compiled) != bundle.config:
        raise BundleError(f"{where} must be the program of {at.CONFIG}, and is another one")
    return compiled


def _or_infinity(margin: float | None) -> float:
    return math.inf if margin is None else margin


def _check_labels(bundle: Bundle) -> None:
    """Raise unless every label is of this model and of the form that it must have."""
    weights = weights_digest(bundle.model.weights)
    edges = ComponentGraph.of(bundle.model.weights).edge_names
    circuit = bundle.labels
    problems = []
    if tuple(label.edge for label in circuit.edges) != edges:
        problems.append(f"{at.CIRCUIT}: must name every edge of the model once, in order")
    for name, kind in LABEL_RECORDS.items():
        record = _record(bundle, name, kind)
        if getattr(record, "weights", weights) != weights:
            problems.append(f"{name}: must be made for these weights")
        if getattr(record, "task", bundle.manifest.id) != bundle.manifest.id:
            problems.append(f"{name}: must be of {bundle.manifest.id}")
        if record.to_json().encode() != bundle.contents[name]:
            problems.append(f"{name}: must be written as Glassbench writes it")
    if problems:
        raise BundleError(listing(f"{bundle.place}: the labels do not fit the model:", problems))
    relevance = _record(bundle, at.RELEVANCE, RelevanceRecord)
    if relevance.n_rankable + relevance.n_excluded != int(bundle.data["lengths"].sum()):
        raise BundleError(f"{bundle.place}: {at.RELEVANCE}: must count every answer of the data")
    for name, shapes in _label_shapes(bundle).items():
        load_arrays(bundle.contents[name], f"{bundle.place}: {name}", shapes)
    _ = bundle.compiled


def _label_shapes(bundle: Bundle) -> dict[str, dict[str, tuple[str, tuple[int, ...]]]]:
    """Return the dtype and shape of every array of the labels, by file and name."""
    contents = bundle.contents
    n_rows, n_ctx = bundle.data["tokens"].shape
    n_variables = len(_record(bundle, at.VARIABLES, VariableLabels).variables)
    features = _record(bundle, at.FEATURES, FeaturesRecord).features
    k, n_classes = len(features), 1 + max((one.class_id for one in features), default=-1)
    n_marginals = row_count(contents[at.FEATURE_ARRAYS], "marginal_values")
    by_position = (n_rows, n_ctx - 1, n_ctx - 1)
    relevance: dict[str, tuple[str, tuple[int, ...]]] = {"sensitivity": ("|u1", by_position)}
    if not _record(bundle, at.RELEVANCE, RelevanceRecord).omitted:
        relevance |= {"shapley": ("<f8", by_position), "baseline": ("<f8", by_position[:2])}
    return {
        at.VARIABLE_VALUES: {"values": ("<i2", (n_rows, n_ctx, n_variables))},
        at.FEATURE_ARRAYS: {
            "directions": ("<f8", (k, bundle.config.d_model)),
            "scale": ("<f8", (k,)),
            "factor": ("<f8", (k,)),
            "marginal_values": ("<f8", (n_marginals,)),
            "marginal_counts": ("<i4", (n_marginals,)),
            "marginal_starts": ("<i4", (n_classes + 1,)),
        },
        at.RELEVANCE_ARRAYS: relevance,
    }


def _record(bundle: Bundle, name: str, kind: type[AnyRecord]) -> AnyRecord:
    return read_record(kind, bundle.contents[name], f"{bundle.place}: {name}")
