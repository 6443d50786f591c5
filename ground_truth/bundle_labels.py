"""Bundle labels: every label that a bundle holds, read and held to the model and the program.

What can be told from the files themselves is checked: names, order, ranges, which kind of
certificate can show which state, sums that must come out. That labels are true of the
weights is what `verify_bundle` tells.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..compiler import CompiledModel, ComponentGraph, from_json, to_json
from ..compiler.check import Checked
from ..compiler.margins import Margins
from ..compiler.model import Codec, Model, Readout
from ..errors import BundleError, ProgramError, listing
from . import bundle_layout as at
from .array_file import load_arrays, row_count
from .circuit_labels import CircuitLabels, EdgeState, Witness
from .digest import weights_digest
from .features import FeatureLabels, FeaturesRecord
from .model_config import ModelConfig
from .position_labels import PositionLabels, was_tried
from .record import AnyRecord, Record, check_text, plain, read_exact
from .relevance import Relevance
from .relevance_record import RelevanceRecord
from .source_map_record import SourceMapRecord
from .subspace_labels import SubspaceLabels
from .swap import variable_edge_name
from .variable_window import window
from .variables import VariableLabels

LABEL_RECORDS: Mapping[str, type[Record]] = {
    at.CIRCUIT: CircuitLabels,
    at.SUBSPACES: SubspaceLabels,
    at.POSITIONS: PositionLabels,
    at.VARIABLES: VariableLabels,
    at.FEATURES: FeaturesRecord,
    at.RELEVANCE: RelevanceRecord,
}
"""What each file of labels is read as."""

_CLOSE = 1e-9


@dataclass(frozen=True, eq=False)
class BundleLabels:
    """All that a bundle says of a model beside the public part.

    Attributes:
        compiled: the model with its program and the map between the two.
        circuit: the state of every edge.
        subspaces: single variables on the way to a reader.
        positions: edges at single positions.
        variables: where each variable lives, and what it does.
        values: what each variable is, `[inputs, n_ctx, variables]`, as places in its domain;
            -1 for none.
        features: the directions of the residual stream.
        activations: of each feature, `[inputs, n_ctx, k]`; zero at padding.
        relevance: what each input token matters for each answer.
    """

    compiled: CompiledModel
    circuit: CircuitLabels
    subspaces: SubspaceLabels
    positions: PositionLabels
    variables: VariableLabels
    values: np.ndarray
    features: FeatureLabels
    activations: np.ndarray
    relevance: Relevance


def read_labels(
    place: Path,
    contents: Mapping[str, bytes],
    config: ModelConfig,
    model: Model,
    data: Mapping[str, np.ndarray],
    task: str,
) -> BundleLabels:
    """Return the labels of a bundle whose public part is known to be whole.

    Raises:
        BundleError: some file does not fit the model, the program or the others.
    """
    return _Reading(place, contents, config, model, data, task).labels()


@dataclass(frozen=True, eq=False)
class _Reading:
    """One reading: see `read_labels`."""

    place: Path
    contents: Mapping[str, bytes]
    config: ModelConfig
    model: Model
    data: Mapping[str, np.ndarray]
    task: str

    def labels(self) -> BundleLabels:
        """Read everything, then compare."""
        compiled = self._compiled()
        circuit = self._record(at.CIRCUIT, CircuitLabels)
        subspaces = self._record(at.SUBSPACES, SubspaceLabels)
        positions = self._record(at.POSITIONS, PositionLabels)
        variables = self._record(at.VARIABLES, VariableLabels)
        features, activations = self._features()
        values = self._values(variables)
        self._stop(at.CIRCUIT, self._circuit_problems(compiled, circuit))
        self._stop(at.SUBSPACES, self._subspace_problems(compiled, subspaces))
        self._stop(at.POSITIONS, self._position_problems(circuit, positions))
        self._stop(at.VARIABLES, self._variable_problems(compiled, variables))
        self._stop(at.FEATURES, self._feature_problems(compiled, features))
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
        )

    # -- files -----------------------------------------------------------------------------

    def _compiled(self) -> CompiledModel:
        """Return the compiled model: weights, program, and the map between the two."""
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
        source_map = record.source_map(program, self.config.d_model, self._where(at.SOURCE_MAP))
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
        sizes = [len(one.values) for one in variables.variables]
        if ((values["values"] < -1) | (values["values"] >= sizes)).any():
            self._stop(name, ["values: must be places in the domains of the variables, or -1"])
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
        lengths = np.square(arrays["directions"]).sum(axis=1)
        starts = arrays["marginal_starts"]
        problems = []
        if np.abs(lengths - 1).max(initial=0.0) > _CLOSE:
            problems.append("directions: must have length 1")
        if (arrays["scale"] <= 0).any():
            problems.append("scale: must be positive")
        if starts[0] != 0 or starts[-1] != n_marginals or (np.diff(starts) <= 0).any():
            problems.append("marginal_starts: must ascend from 0 to the number of marginal values")
        if (arrays["marginal_counts"] <= 0).any():
            problems.append("marginal_counts: must be positive")
        self._stop(name, problems)
        return FeatureLabels.of_arrays(record, arrays), arrays["activations"]

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
        problems = []
        padding = ~(found.real[:, :, None] & found.real[:, None, :])
        if (arrays["sensitivity"] > 1).any() or found.sensitivity[padding].any():
            problems.append("sensitivity: must be 0 or 1, and 0 at padding")
        if found.shapley is not None and found.baseline is not None:
            off = np.abs(found.shapley.sum(axis=2) + found.baseline - 1)[found.real]
            if off.max(initial=0.0) > _CLOSE or found.shapley[padding].any():
                problems.append("shapley: must sum to 1 - baseline, and be 0 at padding")
        self._stop(name, problems)
        if (found.n_rankable, found.n_excluded) != (record.n_rankable, record.n_excluded):
            self._stop(at.RELEVANCE, ["must count the answers that can be ranked, and the others"])
        return found

    # -- what each must say ----------------------------------------------------------------

    def _circuit_problems(self, compiled: CompiledModel, labels: CircuitLabels) -> Iterator[str]:
        edges = ComponentGraph.of(self.model.weights).edge_names
        if tuple(label.edge for label in labels.edges) != edges:
            yield "must name every edge of the model once, in order"
            return
        carried = compiled.source_map.carried
        for label in labels.edges:
            if not label.fits:
                yield f"{label.edge}: a {label.certificate.kind} certificate is none of this state"
            if label.variables != tuple(carried.get(label.edge, ())):
                yield f"{label.edge}: must carry what the source map says"

    def _subspace_problems(self, compiled: CompiledModel, labels: SubspaceLabels) -> Iterator[str]:
        source_map = compiled.source_map
        names = [
            variable_edge_name(source_map.by_name[name], reader)
            for reader, name in source_map.reads
        ]
        if [label.edge for label in labels.subspaces] != names:
            yield "must name every variable that a reader reads, in order"
        for label in labels.subspaces:
            if not label.fits or label.state is EdgeState.UNWIRED:
                yield f"{label.edge}: a {label.certificate.kind} certificate is none of this state"

    def _position_problems(self, circuit: CircuitLabels, labels: PositionLabels) -> Iterator[str]:
        places = [
            (label.edge, position)
            for label in circuit.edges
            if was_tried(label)
            for position in range(self.config.n_ctx)
        ]
        if [(label.edge, label.position) for label in labels.positions] != places:
            yield "must name every edge that was tried at every position, in order"
        for label in labels.positions:
            of_state = (
                EdgeState.CAUSAL if isinstance(label.certificate, Witness) else EdgeState.INERT
            )
            if label.state is not of_state:
                yield f"{label.edge} at {label.position}: the certificate is none of this state"

    def _variable_problems(self, compiled: CompiledModel, labels: VariableLabels) -> Iterator[str]:
        source_map = compiled.source_map
        placed = [one for one in source_map.variables if one.node >= 0]
        if [one.name for one in labels.variables] != [one.name for one in placed]:
            yield "must name the variables of the source map, in order"
            return
        for one, variable in zip(labels.variables, placed, strict=True):
            said = one.encoding, one.values, one.writer, one.neurons
            must = variable.encoding.value, plain(variable.values), variable.writer
            if said != (*must, tuple(map(int, variable.neurons))):
                yield f"{one.name}: must be what the source map says"
            if (one.first, one.last) != window(source_map, one.name, self.config.n_layers):
                yield f"{one.name}: must live between its writer and its last reader"

    def _feature_problems(self, compiled: CompiledModel, labels: FeatureLabels) -> Iterator[str]:
        source_map = compiled.source_map
        widths = {one.name: len(one.directions) for one in source_map.variables}
        names = [name for name, width in widths.items() for _ in range(width)]
        if [one.variable for one in labels.features] != names:
            yield "must name the variables of the source map, in order, once for each direction"
            return
        for one in labels.features:
            if (one.first, one.last) != window(source_map, one.variable, self.config.n_layers):
                yield f"{one.variable}: must live between its writer and its last reader"
        directions = labels.directions * labels.scale[:, None]
        placed = np.concatenate([one.directions for one in source_map.variables])
        if np.abs(directions - placed).max(initial=0.0) > _CLOSE:
            yield "must have the directions of the source map"
        classes = {one.class_id for one in labels.features} - {-1}
        if classes != set(range(len(classes))):
            yield "must number the classes from 0, and give features without any -1"

    # -- messages --------------------------------------------------------------------------

    @property
    def _shape(self) -> tuple[int, int]:
        n_rows, n_ctx = self.data["tokens"].shape
        return n_rows, n_ctx

    def _where(self, name: str) -> str:
        return f"{self.place}: {name}"

    def _stop(self, name: str, problems: "Iterator[str] | list[str]") -> None:
        found = list(problems)
        if found:
            raise BundleError(listing(f"{self._where(name)} does not fit the model:", found))


def _or_infinity(margin: float | None) -> float:
    return math.inf if margin is None else margin
