"""Bundle labels: every label that a bundle holds, read and held to the model and the program.

They are held to what `label_rules` says. That labels are true of the weights is what
`verify_bundle` tells.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..benchmark_programs.task_id import SUPERPOSED, TRAINED
from ..compiler import CompiledModel, ComponentGraph, from_json, to_json
from ..compiler.check import Checked
from ..compiler.margins import Margins
from ..compiler.model import Codec, Model, Readout
from ..errors import BundleError, ProgramError, listing
from . import bundle_layout as at
from . import label_rules as rules
from .array_file import load_arrays, row_count
from .circuit_labels import CircuitLabels
from .compression_grid import Matrix, matrix_of
from .compression_record import CompressionRecord
from .digest import weights_digest
from .features import FeatureLabels, FeaturesRecord
from .json_text import check_text, read_json
from .manifest import Manifest
from .model_config import ModelConfig
from .position_labels import PositionLabels
from .record import AnyRecord, Record, read_exact
from .relevance import Relevance
from .relevance_record import RelevanceRecord
from .source_map_record import SourceMapRecord
from .subspace_labels import SubspaceLabels
from .training_record import TrainingRecord
from .variables import VariableLabels

LABEL_RECORDS: Mapping[str, type[Record]] = {
    at.CIRCUIT: CircuitLabels,
    at.SUBSPACES: SubspaceLabels,
    at.POSITIONS: PositionLabels,
    at.VARIABLES: VariableLabels,
    at.FEATURES: FeaturesRecord,
    at.RELEVANCE: RelevanceRecord,
    at.COMPRESSION: CompressionRecord,
    at.TRAINING: TrainingRecord,
}
"""What each file of labels is read as."""


@dataclass(frozen=True, eq=False)
class BundleCompression:
    """What a bundle says of how its model was compressed.

    Attributes:
        record: how near it comes to the model before.
        W: the matrix that compresses.
    """

    record: CompressionRecord
    W: Matrix


@dataclass(frozen=True, eq=False)
class BundleLabels:
    """All that a bundle says of a model beside the public part.

    A trained model has no subspaces, positions, variables and features.

    Attributes:
        compiled: the model with its program and the map between the two.
        circuit: the state of every edge.
        relevance: what each input token matters for each answer.
        subspaces: single variables on the way to a reader.
        positions: edges at single positions.
        variables: where each variable lives, and what it does.
        values: what each variable is, `[inputs, n_ctx, variables]`, as places in its domain;
            -1 for none.
        features: the directions of the residual stream.
        activations: of each feature, `[inputs, n_ctx, k]`; zero at padding.
        compression: of a superposed model; `None` of others.
        training: what was measured of a trained model; `None` of others.
    """

    compiled: CompiledModel
    circuit: CircuitLabels
    relevance: Relevance
    subspaces: SubspaceLabels | None = None
    positions: PositionLabels | None = None
    variables: VariableLabels | None = None
    values: np.ndarray | None = None
    features: FeatureLabels | None = None
    activations: np.ndarray | None = None
    compression: BundleCompression | None = None
    training: TrainingRecord | None = None


def read_labels(
    place: Path,
    contents: Mapping[str, bytes],
    config: ModelConfig,
    model: Model,
    data: Mapping[str, np.ndarray],
    manifest: Manifest,
) -> BundleLabels:
    """Return the labels of a bundle whose public part is known to be whole.

    Raises:
        BundleError: some file does not fit the model, the program or the others.
    """
    regimes = frozenset(regime.name for regime in manifest.regimes)
    return _Reading(place, contents, config, model, data, manifest.id, regimes).labels()


@dataclass(frozen=True, eq=False)
class _Reading:
    """One reading: see `read_labels`."""

    place: Path
    contents: Mapping[str, bytes]
    config: ModelConfig
    model: Model
    data: Mapping[str, np.ndarray]
    task: str
    regimes: frozenset[str]

    @property
    def superposed(self) -> bool:
        """Whether the model is a compressed one."""
        return SUPERPOSED in self.regimes

    @property
    def trained(self) -> bool:
        """Whether the model is an ordinary one."""
        return TRAINED in self.regimes

    def labels(self) -> BundleLabels:
        """Read everything, then compare."""
        self._check_files()
        compiled = self._compiled()
        circuit = self._record(at.CIRCUIT, CircuitLabels)
        self._stop(at.CIRCUIT, rules.sufficiency_problems(circuit.sufficiency, self.trained))
        if self.trained:
            training = self._record(at.TRAINING, TrainingRecord)
            self._stop(at.CIRCUIT, rules.circuit_problems(compiled, circuit))
            self._stop(at.CIRCUIT, rules.counted_problems(circuit.edges))
            self._stop(at.TRAINING, rules.training_problems(compiled, circuit, training))
            return BundleLabels(compiled, circuit, self._relevance(), training=training)
        subspaces = self._record(at.SUBSPACES, SubspaceLabels)
        positions = self._record(at.POSITIONS, PositionLabels)
        variables = self._record(at.VARIABLES, VariableLabels)
        features, activations = self._features()
        values, tokens = self._values(variables), self.data["tokens"]
        compression = self._compression() if self.superposed else None
        if compression is not None:
            self._check_measured(compiled, compression.record, circuit, subspaces, variables)
        for name, problems in (
            (at.CIRCUIT, rules.circuit_problems(compiled, circuit)),
            (at.SUBSPACES, rules.subspace_problems(compiled, subspaces, self.superposed)),
            (at.POSITIONS, rules.position_problems(circuit, positions, self.config.n_ctx)),
            (at.VARIABLES, rules.variable_problems(compiled, variables)),
            (at.VARIABLE_VALUES, rules.value_problems(compiled, tokens, values)),
            (at.FEATURES, rules.feature_problems(compiled, features, self.superposed)),
            (
                at.FEATURE_ARRAYS,
                rules.activation_problems(compiled, features, tokens, activations),
            ),
        ):
            self._stop(name, problems)
        return BundleLabels(
            compiled=compiled,
            circuit=circuit,
            subspaces=subspaces,
            positions=positions,
            variables=variables,
            values=values,
            features=features,
            activations=activations,
            relevance=self._relevance(),
            compression=compression,
        )

    def _check_measured(
        self,
        compiled: CompiledModel,
        record: CompressionRecord,
        circuit: CircuitLabels,
        subspaces: SubspaceLabels,
        variables: VariableLabels,
    ) -> None:
        """Raise unless labels can be those of a superposed model."""
        self._stop(at.CIRCUIT, rules.measured_problems(circuit.edges))
        self._stop(at.SUBSPACES, rules.measured_problems(subspaces.subspaces))
        self._stop(at.COMPRESSION, rules.compression_problems(compiled, record, variables))

    # -- files -----------------------------------------------------------------------------

    def _check_files(self) -> None:
        """Raise unless those files are there that a task of these regimes has."""
        for names, of, wanted in (
            (at.OF_SUPERPOSED, SUPERPOSED, self.superposed),
            (at.OF_TRAINED, TRAINED, self.trained),
            (at.OF_DIRECTIONS, TRAINED, not self.trained),
        ):
            is_so = f"is {'' if of in self.regimes else 'not '}{of}"
            for name in sorted(names):
                if (name in self.contents) != wanted:
                    raise BundleError(
                        f"{self._where(name)} must {'' if wanted else 'not '}be there, since "
                        f"{self.task} {is_so}"
                    )

    def _compiled(self) -> CompiledModel:
        """Return the compiled model: weights, program, and the map between the two."""
        read_json(self.contents[at.PROGRAM], self._where(at.PROGRAM), "a program")
        try:
            program = from_json(self.contents[at.PROGRAM])
        except ProgramError as error:
            raise BundleError(f"{self._where(at.PROGRAM)}: {error}") from None
        check_text(to_json(program), self.contents[at.PROGRAM], self._where(at.PROGRAM))
        record = read_exact(
            SourceMapRecord, self.contents[at.SOURCE_MAP], self._where(at.SOURCE_MAP)
        )
        graph = ComponentGraph.of(self.model.weights)
        readers = {reader.name for reader in graph.readers}
        unknown = {one.writer for one in record.variables} - set(graph.writer_index)
        unknown |= {read.reader for read in record.reads} - readers
        self._stop(at.SOURCE_MAP, (f"{name}: is no component" for name in sorted(unknown)))
        source_map = record.source_map(
            program, self.config.d_model, self._where(at.SOURCE_MAP), directed=not self.trained
        )
        outputs = [program.nodes[place] for place in program.outputs]
        readouts = tuple(Readout(node.domain, node.encoding) for node in outputs)
        margins = self.config.margins
        compiled = CompiledModel(
            model=Model(
                self.model.weights, Codec(program.vocabulary, program.max_length, readouts)
            ),
            program=program,
            source_map=source_map,
            checked=Checked((), 0, True),
            margins=Margins(_or_infinity(margins.float64), _or_infinity(margins.float32), ""),
            source=program,
            level=self.config.level,
        )
        if ModelConfig.of(compiled) != self.config:
            raise BundleError(
                f"{self._where(at.PROGRAM)} must be the program of {at.CONFIG}, and is another one"
            )
        return compiled

    def _record(self, name: str, kind: type[AnyRecord]) -> AnyRecord:
        """Return a record, which must be of these weights and this task."""
        record = read_exact(kind, self.contents[name], self._where(name))
        weights = weights_digest(self.model.weights)
        problems = []
        if getattr(record, "weights", weights) != weights:
            problems.append("must be made for these weights")
        if getattr(record, "task", self.task) != self.task:
            problems.append(f"must be of {self.task}")
        self._stop(name, problems)
        return record

    def _values(self, variables: VariableLabels) -> np.ndarray:
        """Return the values of the variables on the data."""
        name, shape = at.VARIABLE_VALUES, (*self._shape, len(variables.variables))
        values = load_arrays(self.contents[name], self._where(name), {"values": ("<i2", shape)})
        return values["values"]

    def _features(self) -> tuple[FeatureLabels, np.ndarray]:
        """Return the features, and their activations on the data."""
        name, record = at.FEATURE_ARRAYS, self._record(at.FEATURES, FeaturesRecord)
        k = len(record.features)
        n_classes = 1 + max((one.class_id for one in record.features), default=-1)
        n_marginals = row_count(self.contents[name], "marginal_values")
        shapes = {
            "activations": ("<f4", (*self._shape, k)),
            "directions": ("<f8", (k, self.config.d_model)),
            "scale": ("<f8", (k,)),
            "factor": ("<f8", (k,)),
            "marginal_values": ("<f8", (n_marginals,)),
            "marginal_counts": ("<i4", (n_marginals,)),
            "marginal_starts": ("<i4", (n_classes + 1,)),
        }
        arrays = load_arrays(self.contents[name], self._where(name), shapes)
        self._stop(name, rules.feature_array_problems(record.n_rows, arrays))
        return FeatureLabels.of_arrays(record, arrays), arrays["activations"]

    def _compression(self) -> BundleCompression:
        """Return how the model was compressed."""
        record, name = self._record(at.COMPRESSION, CompressionRecord), at.COMPRESSION_ARRAYS
        shapes = {"W": ("<i4", (self.config.d_model, record.d_model))}
        arrays = load_arrays(self.contents[name], self._where(name), shapes)
        return BundleCompression(record, matrix_of(arrays["W"]))

    def _relevance(self) -> Relevance:
        """Return the token relevance, whose numbers must add up."""
        record = self._record(at.RELEVANCE, RelevanceRecord)
        name, (n_rows, n_ctx) = at.RELEVANCE_ARRAYS, self._shape
        shape = (n_rows, n_ctx - 1, n_ctx - 1)
        shapes: dict[str, tuple[str, tuple[int, ...]]] = {"sensitivity": ("|u1", shape)}
        if not record.omitted:
            shapes |= {"shapley": ("<f8", shape), "baseline": ("<f8", shape[:2])}
        arrays = load_arrays(self.contents[name], self._where(name), shapes)
        found = Relevance(
            lengths=self.data["lengths"].astype(np.int64),
            sensitivity=arrays["sensitivity"] != 0,
            shapley=arrays.get("shapley"),
            baseline=arrays.get("baseline"),
            omitted=record.omitted,
        )
        if (arrays["sensitivity"] > 1).any():
            self._stop(name, ["sensitivity: must be 0 or 1"])
        self._stop(name, rules.relevance_problems(found))
        if (found.n_rankable, found.n_excluded) != (record.n_rankable, record.n_excluded):
            self._stop(at.RELEVANCE, ["must count the answers that can be ranked, and the others"])
        return found

    # -- messages --------------------------------------------------------------------------

    @property
    def _shape(self) -> tuple[int, int]:
        n_rows, n_ctx = self.data["tokens"].shape
        return n_rows, n_ctx

    def _where(self, name: str) -> str:
        return f"{self.place}: {name}"

    def _stop(self, name: str, problems: Iterable[str]) -> None:
        found = list(problems)
        if found:
            raise BundleError(listing(f"{self._where(name)} does not fit the model:", found))


def _or_infinity(margin: float | None) -> float:
    return math.inf if margin is None else margin
