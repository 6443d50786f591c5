"""Bundle files: all that is written of a task, as bytes by path; see `bundle_layout`.

The same task gives the same bytes, on every machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..compiler import to_json
from ..compiler.compress import model_seen_through
from ..compiler.one_thread import one_thread
from . import bundle_layout as at
from .array_file import save_arrays
from .compression_grid import steps_of
from .compression_record import CompressionRecord
from .croissant import croissant
from .datasheet import label_sheet, licence_of, task_sheet
from .feature_activations import FeatureActivations
from .feature_data import features_of
from .features import FeatureLabels
from .high_level_model import HighLevelModel
from .manifest import About, Identity, LabelsManifest, Manifest, file_records, sha256_of
from .model_config import ModelConfig
from .own_task import text_of
from .own_task_id import OwnTaskId
from .position_labels import PositionLabels, position_labels
from .record import Record
from .relevance import Relevance, relevance
from .relevance_record import RelevanceRecord
from .source_map_record import SourceMapRecord
from .subspace_labels import SubspaceLabels, subspace_labels
from .task import Task
from .task_data import TaskData
from .training_record import TrainingRecord
from .variables import Agreement, VariableLabels, measured_variables, variables


@dataclass(frozen=True, eq=False)
class AllLabels:
    """Every label of a task beside those of its edges.

    A trained model has no subspaces, positions, variables and features: nothing is known of its
    directions.

    Attributes:
        subspaces: single variables on the way to a reader.
        positions: edges at single positions.
        variables: where each variable lives, and what it does.
        features: the directions of the residual stream.
        relevance: what each input token matters for each answer.
        compression: how near a superposed model comes to its program; `None` of others.
        training: what was measured of a trained model; `None` of others.
    """

    relevance: Relevance
    subspaces: SubspaceLabels | None = None
    positions: PositionLabels | None = None
    variables: VariableLabels | None = None
    features: FeatureLabels | None = None
    compression: CompressionRecord | None = None
    training: TrainingRecord | None = None

    @classmethod
    def of(cls, task: Task, data: TaskData) -> "AllLabels":
        """Make and certify the labels of a task.

        Raises:
            CertificationError: program and weights differ.
        """
        compiled = task.compiled
        with one_thread():
            relevant = relevance(compiled.program, compiled.model.codec, data.tokens)
            if task.training is not None:
                return cls(relevant, training=TrainingRecord.of(task))
            known, agreement = variables_of(task)
            return cls(
                relevant,
                subspace_labels(task),
                position_labels(task),
                known,
                features_of(task),
                None if task.gate is None else CompressionRecord.of(task, agreement),
            )


def variables_of(task: Task) -> tuple[VariableLabels, tuple[Agreement, ...]]:
    """Return the variables, certified; of a superposed model measured, and how they agree."""
    domain, seed, name = task.domain, task.labels.seed, str(task.id)
    if task.gate is None:
        return variables(task.compiled, domain, seed, task=name), ()
    seen = model_seen_through(task.gate.original, task.gate.W)
    return measured_variables(seen, domain, seed, task=name, weights=task.labels.weights)


def bundle_files(task: Task) -> Mapping[str, bytes]:
    """Return the content of every file of the bundle of a task, by its path.

    Raises:
        CertificationError: some label cannot be certified.
    """
    data = TaskData.of(task.compiled, task.domain, seed=task.labels.seed)
    return files_of(task, data, AllLabels.of(task, data))


def files_of(task: Task, data: TaskData, labels: AllLabels) -> Mapping[str, bytes]:
    """Return the content of every file, given all that is in them."""
    public = _public_files(task, data)
    private = _private_files(task, data, labels)
    inner = LabelsManifest(task=str(task.id), files=file_records(private)).to_json().encode()
    outer = _manifest(task, public, sha256_of(inner)).sealed().to_json().encode()
    return public | private | {at.LABELS_MANIFEST: inner, at.MANIFEST: outer}


def _manifest(task: Task, public: Mapping[str, bytes], labels: str) -> Manifest:
    from .. import __version__

    spec, said = task.id.spec, Identity.of(task.id)
    return Manifest(
        id=said.id,
        description=spec.description,
        name=said.name,
        version=said.version,
        parameters=said.parameters,
        regimes=said.regimes,
        files=file_records(public),
        labels=labels,
        glassbench=__version__,
        licence=licence_of(task),
        citation=spec.citation,
    )


def _public_files(task: Task, data: TaskData) -> dict[str, bytes]:
    """Return what a tool may see."""
    config = ModelConfig.of(task.compiled)
    weights = dict(task.compiled.model.weights.arrays())
    files = {
        at.CONFIG: config.to_json().encode(),
        at.WEIGHTS: save_arrays({k: np.asarray(v, "<f8") for k, v in weights.items()}),
        at.INPUTS: save_arrays(data.arrays()),
        at.README: task_sheet(task, config, data).encode(),
    }
    about = About(str(task.id), task.id.spec.description, licence_of(task), task.id.spec.citation)
    return files | {at.CROISSANT: croissant(about, files).encode()}


def _private_files(task: Task, data: TaskData, labels: AllLabels) -> dict[str, bytes]:
    """Return the labels and the program."""
    compiled, relevant = task.compiled, labels.relevance
    records: dict[str, Record | None] = {
        at.SOURCE_MAP: SourceMapRecord.of(compiled.source_map),
        at.CIRCUIT: task.labels,
        at.SUBSPACES: labels.subspaces,
        at.POSITIONS: labels.positions,
        at.VARIABLES: labels.variables,
        at.RELEVANCE: RelevanceRecord.of(relevant),
        at.COMPRESSION: labels.compression,
        at.TRAINING: labels.training,
    }
    texts = {name: one.to_json() for name, one in records.items() if one is not None}
    texts[at.RASP], texts[at.PROGRAM] = _rasp_text(task), to_json(compiled.program)
    texts[at.SHEET] = label_sheet(
        task, relevant, labels.variables, labels.compression, labels.training
    )
    arrays: dict[str, Mapping[str, np.ndarray]] = {
        at.RELEVANCE_ARRAYS: RelevanceRecord.arrays(relevant)
    }
    if labels.variables is not None:
        values = HighLevelModel(compiled).values(data.tokens)
        named = [values[variable.name] for variable in labels.variables.variables]
        arrays[at.VARIABLE_VALUES] = {"values": np.stack(named, axis=-1).astype("<i2")}
    if labels.features is not None:
        texts[at.FEATURES] = labels.features.to_json()
        arrays[at.FEATURE_ARRAYS] = {
            **labels.features.to_arrays(),
            "activations": FeatureActivations(compiled).exact(data.tokens).astype("<f4"),
        }
    if task.gate is not None:
        arrays[at.COMPRESSION_ARRAYS] = {"W": steps_of(task.gate.W)}
    files = {name: text.encode() for name, text in texts.items() if text}
    return files | {name: save_arrays(each) for name, each in arrays.items()}


def _rasp_text(task: Task) -> str:
    """Return the program as text, as it was given where it was; empty where it has none."""
    if isinstance(task.id, OwnTaskId):
        return task.id.spec.text
    return text_of(task.id.spec.expression(task.id.vocab, task.id.length))
