"""Bundle files: all that is written of a task, as bytes by path; see `bundle_layout`.

The same task gives the same bytes, on every machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from threadpoolctl import threadpool_limits

from ..benchmark_programs import TaskId
from ..benchmark_programs.task_id import SUPERPOSED
from ..compiler import to_json
from ..errors import TaskError
from . import bundle_layout as at
from .array_file import save_arrays
from .croissant import croissant
from .datasheet import label_sheet, licence_of, task_sheet
from .feature_activations import FeatureActivations
from .features import FeatureLabels, features
from .high_level_model import HighLevelModel
from .manifest import About, Identity, LabelsManifest, Manifest, file_records, sha256_of
from .model_config import ModelConfig
from .own_task import text_of
from .own_task_id import OwnTaskId
from .position_labels import PositionLabels, position_labels
from .relevance import Relevance, relevance
from .relevance_record import RelevanceRecord
from .source_map_record import SourceMapRecord
from .subspace_labels import SubspaceLabels, subspace_labels
from .task import Task
from .task_data import TaskData
from .variables import VariableLabels, variables


@dataclass(frozen=True, eq=False)
class AllLabels:
    """Every label of a task beside those of its edges.

    Attributes:
        subspaces: single variables on the way to a reader.
        positions: edges at single positions.
        variables: where each variable lives, and what it does.
        features: the directions of the residual stream.
        relevance: what each input token matters for each answer.
    """

    subspaces: SubspaceLabels
    positions: PositionLabels
    variables: VariableLabels
    features: FeatureLabels
    relevance: Relevance

    @classmethod
    def of(cls, task: Task, data: TaskData) -> "AllLabels":
        """Make and certify the labels of a task.

        Raises:
            CertificationError: program and weights differ.
        """
        compiled, domain, seed = task.compiled, task.domain, task.labels.seed
        with threadpool_limits(limits=1):
            return cls(
                subspace_labels(task),
                position_labels(task),
                variables(compiled, domain, seed, task=str(task.id)),
                features(compiled, domain),
                relevance(compiled.program, compiled.model.codec, data.tokens),
            )


def bundle_files(task: Task) -> Mapping[str, bytes]:
    """Return the content of every file of the bundle of a task, by its path.

    Raises:
        CertificationError: some label cannot be certified.
        TaskError: its model is superposed.
    """
    check_bundled(task.id)
    data = TaskData.of(task.compiled, task.domain, seed=task.labels.seed)
    return files_of(task, data, AllLabels.of(task, data))


def check_bundled(task: TaskId | OwnTaskId) -> None:
    """Refuse a task of which no bundle can be written.

    Raises:
        TaskError: its model is superposed: labels other than those of its edges are not
            measured yet on models that only come near their program.
    """
    if SUPERPOSED in dict(task.regimes):
        raise TaskError(
            f"A bundle must hold labels of every kind, and {task} has those of edges and features "
            "alone, since its model is superposed; leave that regime out"
        )


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
    compiled = task.compiled
    values = HighLevelModel(compiled).values(data.tokens)
    named = [values[variable.name] for variable in labels.variables.variables]
    relevant = labels.relevance
    texts = {
        at.RASP: _rasp_text(task),
        at.PROGRAM: to_json(compiled.program),
        at.SOURCE_MAP: SourceMapRecord.of(compiled.source_map).to_json(),
        at.CIRCUIT: task.labels.to_json(),
        at.SUBSPACES: labels.subspaces.to_json(),
        at.POSITIONS: labels.positions.to_json(),
        at.VARIABLES: labels.variables.to_json(),
        at.FEATURES: labels.features.to_json(),
        at.RELEVANCE: RelevanceRecord.of(relevant).to_json(),
        at.SHEET: label_sheet(task, relevant, labels.variables),
    }
    arrays = {
        at.VARIABLE_VALUES: {"values": np.stack(named, axis=-1).astype("<i2")},
        at.FEATURE_ARRAYS: {
            **labels.features.to_arrays(),
            "activations": FeatureActivations(compiled).exact(data.tokens).astype("<f4"),
        },
        at.RELEVANCE_ARRAYS: RelevanceRecord.arrays(relevant),
    }
    files = {name: text.encode() for name, text in texts.items() if text}
    return files | {name: save_arrays(each) for name, each in arrays.items()}


def _rasp_text(task: Task) -> str:
    """Return the program as text, as it was given where it was; empty where it has none."""
    if isinstance(task.id, OwnTaskId):
        return task.id.spec.text
    return text_of(task.id.spec.expression(task.id.vocab, task.id.length))
