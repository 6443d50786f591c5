"""Bundle: a task from disk, every file of it checked before any is used.

    bundle = read_bundle("sort.zip")
    bundle.model    # what a tool may see
    bundle.task     # the same with its labels, if they are there

Nothing is unpacked, imported or evaluated. What cannot be checked is refused: files that
no manifest names, and manifests whose files are missing or other than they say.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..compiler import CompiledModel, Weights
from ..compiler.model import Model
from ..errors import BundleError, listing
from . import bundle_layout as at
from .array_file import load_arrays, row_count
from .bundle_labels import LABEL_RECORDS, BundleLabels, read_labels
from .bundle_store import MOST_BYTES, BundleStore, open_store
from .circuit_labels import CircuitLabels
from .croissant import croissant
from .domain_runs import MOST_RUN_BYTES, DomainRuns
from .manifest import FileRecord, LabelsManifest, Manifest, sha256_of
from .model_config import ModelConfig
from .record import Record, read_exact, read_record
from .source_map_record import SourceMapRecord
from .task_data import MOST_ROWS, N_PAIRS
from .token_ids import well_formed

_MOST_MANIFEST = 2**20
_MOST_JSON = 2**25
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
        known: the labels, if they are here too; see `all_labels`.
    """

    place: Path
    manifest: Manifest
    config: ModelConfig
    model: Model
    data: Mapping[str, np.ndarray]
    contents: Mapping[str, bytes]
    known: BundleLabels | None

    @property
    def has_labels(self) -> bool:
        """Whether labels and program are here too, not the public part alone."""
        return self.known is not None

    @property
    def digest(self) -> str:
        """The sha256 of `manifest.json`."""
        return sha256_of(self.contents[at.MANIFEST])

    @property
    def all_labels(self) -> BundleLabels:
        """Labels of every kind, and the program.

        Raises:
            BundleError: they are not here.
        """
        if self.known is None:
            raise BundleError(
                f"{self.place} must hold the labels and the program, and is the public part of "
                f"{self.manifest.id} alone; get the whole bundle"
            )
        return self.known

    @property
    def labels(self) -> CircuitLabels:
        """The labels of the edges: see `all_labels`."""
        return self.all_labels.circuit

    @property
    def compiled(self) -> CompiledModel:
        """The model with its program and the map between the two: see `all_labels`."""
        return self.all_labels.compiled


def read_bundle(place: str | Path) -> Bundle:
    """Read a bundle from its folder or zip, whole or its public part alone.

    Raises:
        BundleError: something is missing, too much, or not what the manifest says; nothing
            is loaded then.
    """
    with np.errstate(all="ignore"):  # numbers may be any: what becomes of them is looked at
        return _read(open_store(place))


def _read(store: BundleStore) -> Bundle:
    """Read a bundle from where its files are."""
    contents = _contents(store)
    manifest = _manifest(contents[at.MANIFEST], f"{store.place}: {at.MANIFEST}")
    config_at = f"{store.place}: {at.CONFIG}"
    config = read_exact(ModelConfig, contents[at.CONFIG], config_at)
    model = _model(config, contents[at.WEIGHTS], config_at, f"{store.place}: {at.WEIGHTS}")
    data = _data(model, contents[at.INPUTS], f"{store.place}: {at.INPUTS}")
    _check_croissant(manifest, contents, f"{store.place}: {at.CROISSANT}")
    known = None
    if at.LABELS_MANIFEST in contents:
        known = read_labels(store.place, contents, config, model, data, manifest)
    return Bundle(store.place, manifest, config, model, data, contents, known)


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
        labels = read_exact(LabelsManifest, inner, where)
        if labels.task != manifest.id:
            raise BundleError(f"{where} must belong to {manifest.id}, got {labels.task}")
        listed |= _listed(labels.files, at.PRIVATE, at.OPTIONAL, where)
        contents[at.LABELS_MANIFEST] = inner
    others = sorted(set(store.names) - set(listed) - set(contents))
    if others:
        raise BundleError(
            listing(f"{store.place} holds files that no manifest names; remove them:", others)
        )
    if (total := sum(record.size for record in listed.values())) > MOST_BYTES:
        raise BundleError(
            f"{store.place} must have at most {MOST_BYTES:,} bytes, and is said to have {total:,}; "
            "it cannot be read here"
        )
    for name, record in listed.items():
        most = _MOST_JSON if name.endswith(".json") else MOST_BYTES
        contents[name] = store.read(name, size=record.size, most=most)
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
    weights = Weights(
        **arrays,
        causal=config.causal,
        activation=config.activation,
        layer_norm=config.layer_norm,
    )
    return Model(weights, codec)


def _data(model: Model, content: bytes, where: str) -> dict[str, np.ndarray]:
    """Return the data; the model must give the answers that they say."""
    n_rows, n_pairs = (row_count(content, name) for name in ("lengths", "base"))
    n_ctx = model.codec.max_length + 1
    shapes = {"tokens": (n_rows, n_ctx), "lengths": (n_rows,), "answers": (n_rows, n_ctx)}
    shapes |= {"base": (n_pairs, n_ctx), "source": (n_pairs, n_ctx)}
    data = load_arrays(content, where, {name: ("<i4", shape) for name, shape in shapes.items()})
    problems = [
        f"{name}: must have at most {most} rows, got {len(data[name])}"
        for name, most in (("tokens", MOST_ROWS), ("base", N_PAIRS))
        if len(data[name]) > most
    ]
    problems += [
        f"{name}: must be token ids of sequences, <bos> first, then padding"
        for name in ("tokens", "base", "source")
        if not well_formed(model.codec, data[name]).all()
    ]
    if not problems:
        real = model.codec.is_real(data["tokens"])
        if not np.array_equal(real.sum(axis=1), data["lengths"]):
            problems.append("lengths: must be how many tokens each input has")
        given = _answers(model, data["tokens"], where)
        if given is None:
            problems.append("tokens: the model must give logits that are finite")
        elif not np.array_equal(np.where(real, given, -1), data["answers"]):
            problems.append("answers: must be what the model gives")
    if problems:
        raise BundleError(listing(f"{where} does not hold the data of a task:", problems))
    return data


def _check_croissant(manifest: Manifest, contents: Mapping[str, bytes], where: str) -> None:
    """Raise unless the Croissant record says what the manifest does."""
    if croissant(manifest.about, contents).encode() != contents[at.CROISSANT]:
        raise BundleError(f"{where} must say what {at.MANIFEST} says; get the bundle again")


def _answers(model: Model, tokens: np.ndarray, where: str) -> np.ndarray | None:
    """Return the answer ids that a model gives at every position; `None` for no numbers."""
    runs = DomainRuns(model.weights, tokens)
    if runs.input_bytes > MOST_RUN_BYTES:
        raise BundleError(
            f"{where}: the model must run an input in at most {MOST_RUN_BYTES:,} bytes, and needs "
            f"{runs.input_bytes:,}; it cannot be checked here"
        )
    given = np.empty(tokens.shape, dtype=np.int64)
    for some, done in runs.chunks():
        if not np.isfinite(done.logits).all():
            return None
        given[some] = model.codec.decode_ids(done.logits)
    return given
