"""Label rules: what the labels of a model must say to fit the model, the program and each other.

Names, order and ranges; which kind of certificate can show which state; sums that must come
out; and whatever the interpreter says of the data. Each rule yields what is wrong. That labels
are true of the weights is what `verify_bundle` tells.
"""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from ..compiler import CompiledModel
from ..compiler.component_graph import ComponentGraph
from ..compiler.executor import run
from .bounded_interpretation import slices_that_fit
from .bundle_layout import VARIABLES
from .circuit_labels import CircuitLabels, Counted, EdgeLabel, EdgeState, Sufficiency, Witness
from .compression_record import CompressionRecord
from .counted_interchanges import CONFIDENCE, TOLERANCE
from .feature_activations import FeatureActivations
from .feature_data import SUPERPOSED_BOUND
from .features import BOUND, FeatureLabels
from .high_level_model import HighLevelModel
from .json_values import plain
from .position_labels import PositionLabels, was_tried
from .relevance import Relevance
from .subspace_labels import SubspaceLabels
from .swap import variable_edge_name
from .training_gate import MOST_WRONG, MOST_WRONG_OF_A_SET
from .training_record import TrainingRecord
from .universes import later_readers
from .variable_window import window
from .variables import VariableLabels

_CLOSE = 1e-9
_CLOSE_IN_FLOAT32 = 1e-6
_ELEMENTS = 2**22


def circuit_problems(compiled: CompiledModel, labels: CircuitLabels) -> Iterator[str]:
    """Yield why labels are none of the edges of a model."""
    edges = ComponentGraph.of(compiled.model.weights).edge_names
    if tuple(label.edge for label in labels.edges) != edges:
        yield "must name every edge of the model once, in order"
        return
    carried = compiled.source_map.carried
    for label in labels.edges:
        if not label.fits:
            yield f"{label.edge}: a {label.certificate.kind} certificate is none of this state"
        if label.variables != tuple(carried.get(label.edge, ())):
            yield f"{label.edge}: must carry what the source map says"


def sufficiency_problems(found: Sufficiency, trained: bool) -> Iterator[str]:
    """Yield why a count of bases that change is none that a task can have."""
    if found.n_changed > found.n_bases or (trained and not found.n_bases):
        yield f"sufficiency: {found.n_changed} of {found.n_bases} bases cannot be"
    elif found.n_changed and not trained:
        yield f"sufficiency: none may change but in trained models, got {found.n_changed}"


def measured_problems(labels: Sequence[EdgeLabel]) -> Iterator[str]:
    """Yield the labels of a superposed model whose certificates are not of interchanges."""
    for label in labels:
        if not was_tried(label):
            yield (
                f"{label.edge}: must be shown by interchanges, since the model is superposed, got "
                f"a {label.certificate.kind} certificate"
            )


def counted_problems(labels: Sequence[EdgeLabel]) -> Iterator[str]:
    """Yield the labels of a trained model whose certificates are not of counted interchanges."""
    for label in labels:
        if not isinstance(label.certificate, Witness | Counted):
            yield (
                f"{label.edge}: must be shown by counted interchanges, since the model is trained, "
                f"got a {label.certificate.kind} certificate"
            )


def training_problems(
    compiled: CompiledModel, circuit: CircuitLabels, record: TrainingRecord
) -> Iterator[str]:
    """Yield why a record is none of what a trained model was measured to be."""
    graph = ComponentGraph.of(compiled.model.weights)
    for one in record.components:
        if one.trained not in graph.writer_index:
            yield f"{one.compiled}: must be stood for by a component, got {one.trained}"
    named = [(some.name, some.edges) for some in record.sets]
    named.append(("moved", tuple(one.edge for one in record.moved)))
    for name, edges in named:
        unknown = sorted(set(edges) - set(graph.edge_names))
        if unknown:
            yield f"{name}: must be edges of the model, got {', '.join(unknown)}"
    counts = {"answers": record.answers, "strict": record.strict}
    for name, count in (counts | {one.name: one.counted for one in record.sets}).items():
        if count.wrong > count.tried:
            yield f"{name}: {count.wrong} of {count.tried} cannot be wrong"
    alone = {one.edges[0] for one in record.sets if "->" in one.name}
    effects = {label.edge for label in circuit.edges if label.state.has_effect}
    for edge in sorted((alone ^ effects) - {one.edge for one in record.moved}):
        yield f"{edge}: must have an effect where it stands for an edge with one, or have moved"
    stated = record.most_wrong, record.most_wrong_of_a_set, record.tolerance, record.confidence
    if stated != (MOST_WRONG, MOST_WRONG_OF_A_SET, TOLERANCE, CONFIDENCE):
        yield "most_wrong, tolerance and confidence must be those of this version"


def subspace_problems(
    compiled: CompiledModel, labels: SubspaceLabels, superposed: bool
) -> Iterator[str]:
    """Yield why labels are none of what the readers of a model read."""
    source_map, given = compiled.source_map, [label.edge for label in labels.subspaces]
    if superposed:
        graph = ComponentGraph.of(compiled.model.weights)
        pairs = [(v, one.name) for v in source_map.variables for one in later_readers(graph, v)]
        if given != [variable_edge_name(*pair) for pair in pairs]:
            yield "must name every variable with every later reader, in order"
    else:
        pairs = [(source_map.by_name[name], reader) for reader, name in source_map.reads]
        if given != [variable_edge_name(*pair) for pair in pairs]:
            yield "must name every variable that a reader reads, in order"
    for label in labels.subspaces:
        if not label.fits or label.state is EdgeState.UNWIRED:
            yield f"{label.edge}: a {label.certificate.kind} certificate is none of this state"


def position_problems(circuit: CircuitLabels, labels: PositionLabels, n_ctx: int) -> Iterator[str]:
    """Yield why labels are none of the edges at single positions."""
    tried = [label.edge for label in circuit.edges if was_tried(label)]
    places = [(edge, position) for edge in tried for position in range(n_ctx)]
    if [(label.edge, label.position) for label in labels.positions] != places:
        yield "must name every edge that was tried at every position, in order"
    for label in labels.positions:
        if not label.fits or label.state is EdgeState.UNWIRED:
            yield (
                f"{label.edge} at {label.position}: a {label.certificate.kind} certificate is none "
                "of this state"
            )


def variable_problems(compiled: CompiledModel, labels: VariableLabels) -> Iterator[str]:
    """Yield why labels are none of the variables of a model."""
    source_map, n_layers = compiled.source_map, compiled.model.weights.n_layers
    placed = [one for one in source_map.variables if one.node >= 0]
    if [one.name for one in labels.variables] != [one.name for one in placed]:
        yield "must name the variables of the source map, in order"
        return
    for one, variable in zip(labels.variables, placed, strict=True):
        said = one.encoding, one.values, one.writer, one.neurons
        must = variable.encoding.value, plain(variable.values), variable.writer
        if said != (*must, tuple(map(int, variable.neurons))):
            yield f"{one.name}: must be what the source map says"
        if (one.first, one.last) != window(source_map, one.name, n_layers):
            yield f"{one.name}: must live between its writer and its last reader"


def value_problems(
    compiled: CompiledModel, tokens: np.ndarray, values: np.ndarray
) -> Iterator[str]:
    """Yield the variables whose values on inputs are not those of the program.

    Args:
        compiled: the model.
        tokens: the inputs.
        values: places in the domains, `[inputs, n_ctx, variables]`.
    """
    model, wrong = HighLevelModel(compiled), np.zeros(values.shape[2], dtype=bool)
    for some in slices_that_fit(compiled.program, *_sizes(tokens)):
        found = model.values(tokens[some])
        wrong |= [
            not np.array_equal(values[some, :, place], found[name])
            for place, name in enumerate(model.variables)
        ]
    for name, is_wrong in zip(model.variables, wrong, strict=True):
        if is_wrong:
            yield f"{name}: its values must be those of the program, or -1 for none"


def compression_problems(
    compiled: CompiledModel, record: CompressionRecord, variables: VariableLabels
) -> Iterator[str]:
    """Yield why a record is none of how a model was compressed."""
    if record.d_model < compiled.model.weights.d_model:
        yield "d_model: must be at least the width of the compressed model"
    writers = [writer.name for writer in ComponentGraph.of(compiled.model.weights).writers[2:]]
    named = [one.name for one in record.components]
    if named != [name for name in writers if name in named]:
        yield "components: must be heads and MLPs of the model, once each, in order"
    yield from (f"the quality gate: {problem}" for problem in record.quality.shortcomings)
    sets = [(one.name,) for one in variables.variables], [one.variables for one in variables.joint]
    if ([o.variables for o in record.variables], [o.variables for o in record.joint]) != sets:
        yield f"variables, joint: must be those of {VARIABLES}, in order"
        return
    most = [(one.whole.tried, one.partial.tried) for one in variables.variables]
    most += [(0, one.partial.tried) for one in variables.joint]
    for one, (whole, partial) in zip((*record.variables, *record.joint), most, strict=True):
        if not (0 <= one.whole <= whole and 0 <= one.partial <= partial):
            yield f"{', '.join(one.variables)}: at most the pairs that were tried can agree"


def feature_problems(
    compiled: CompiledModel, labels: FeatureLabels, superposed: bool
) -> Iterator[str]:
    """Yield why labels are none of the directions of the residual stream."""
    bound = SUPERPOSED_BOUND if superposed else BOUND
    if labels.record.bound != bound:
        yield f"bound: must be {bound:g}, got {labels.record.bound:g}"
    source_map, n_layers = compiled.source_map, compiled.model.weights.n_layers
    widths = {one.name: len(one.directions) for one in source_map.variables}
    names = [name for name, width in widths.items() for _ in range(width)]
    if [one.variable for one in labels.features] != names:
        yield "must name the variables of the source map, in order, once for each direction"
        return
    for one in labels.features:
        if (one.first, one.last) != window(source_map, one.variable, n_layers):
            yield f"{one.variable}: must live between its writer and its last reader"
    directions = labels.directions * labels.scale[:, None]
    placed = np.concatenate([one.directions for one in source_map.variables])
    if not (np.abs(directions - placed) <= _CLOSE).all():
        yield "must have the directions of the source map"
    classes = {one.class_id for one in labels.features} - {-1}
    if classes != set(range(len(classes))):
        yield "must number the classes from 0, and give features without any -1"


def feature_array_problems(n_rows: int, arrays: Mapping[str, np.ndarray]) -> Iterator[str]:
    """Yield why arrays are none of features, whatever the model.

    Args:
        n_rows: over how many positions the marginals are taken.
        arrays: as `FeatureLabels.to_arrays` gives them.
    """
    starts, counts = arrays["marginal_starts"], arrays["marginal_counts"].astype(np.int64)
    if not (np.abs(np.square(arrays["directions"]).sum(axis=1) - 1) <= _CLOSE).all():
        yield "directions: must have length 1"
    if (arrays["scale"] <= 0).any():
        yield "scale: must be positive"
    if (counts <= 0).any():
        yield "marginal_counts: must be positive"
    if starts[0] != 0 or starts[-1] != len(counts) or (np.diff(starts) <= 0).any():
        yield "marginal_starts: must ascend from 0 to the number of marginal values"
        return
    rises = np.diff(arrays["marginal_values"]) > 0
    if not np.delete(rises, starts[1:-1] - 1).all():
        yield "marginal_values: must ascend in each class"
    if len(starts) > 1 and (np.add.reduceat(counts, starts[:-1]) != n_rows).any():
        yield f"marginal_counts: must be of {n_rows} positions for each class"


def activation_problems(
    compiled: CompiledModel, labels: FeatureLabels, tokens: np.ndarray, activations: np.ndarray
) -> Iterator[str]:
    """Yield why activations are none of the features on inputs.

    Args:
        compiled: the model.
        labels: the features.
        tokens: the inputs.
        activations: float32 `[inputs, n_ctx, k]`.
    """
    source, real = FeatureActivations(compiled), compiled.model.codec.is_real(tokens)
    class_of, dead = labels.class_of, labels.class_of < 0
    leaders = np.array([np.argmax(class_of == one) for one in class_of], dtype=np.int64)
    as_the_program, by_factor = True, bool((labels.factor[leaders] == ~dead).all())
    by_factor &= not labels.factor[dead].any()
    for some in _some_rows(compiled, tokens, labels):
        found = source.at_tokens(tokens[some]).astype(np.float32)
        given = activations[some].astype(np.float64)
        as_the_program &= np.array_equal(given[real[some]], found[real[some]])
        off = np.abs(given[..., leaders] * labels.factor - given)
        by_factor &= bool((off <= _CLOSE_IN_FLOAT32 * (1 + np.abs(given))).all())
    if not as_the_program:
        yield "activations: must be those of the program at each token"
    if activations[:, 1:][~real[:, 1:]].any():
        yield "activations: must be 0 at padding"
    if not _are_at_bos(compiled, labels, tokens[:1], activations[:, 0]):
        yield "activations: must make up the stream at <bos>, the same on every input"
    if not by_factor:
        yield "factor: must turn the first feature of its class into each, and be 0 for none"


def _are_at_bos(
    compiled: CompiledModel, labels: FeatureLabels, tokens: np.ndarray, activations: np.ndarray
) -> bool:
    """Whether the stream of the weights at BOS is the sum of the features there."""
    at_bos = activations[:1].astype(np.float64)
    if (activations != activations[:1]).any():
        return False
    sizes = (np.abs(at_bos) * labels.scale) @ np.abs(labels.directions)
    streams = run(compiled.model.weights, tokens).streams
    off = [np.abs(one[:, 0] - labels.stream(at_bos, depth)) for depth, one in enumerate(streams)]
    return bool((np.array(off) <= labels.record.bound + _CLOSE_IN_FLOAT32 * (1 + sizes)).all())


def _some_rows(
    compiled: CompiledModel, tokens: np.ndarray, labels: FeatureLabels
) -> Iterator[slice]:
    """Yield slices of inputs of which values and activations take a bounded space."""
    step = max(1, _ELEMENTS // (tokens.shape[1] * max(len(labels.features), 1)))
    for some in slices_that_fit(compiled.program, *_sizes(tokens)):
        for start in range(some.start, some.stop, step):
            yield slice(start, min(start + step, some.stop))


def relevance_problems(found: Relevance) -> Iterator[str]:
    """Yield why numbers are none of the relevance of tokens."""
    padding = ~(found.real[:, :, None] & found.real[:, None, :])
    if found.sensitivity[padding].any():
        yield "sensitivity: must be 0 at padding"
    if found.shapley is not None and found.baseline is not None:
        off = np.abs(found.shapley.sum(axis=2) + found.baseline - 1)[found.real]
        if not (off <= _CLOSE).all() or found.shapley[padding].any():
            yield "shapley: must sum to 1 - baseline, and be 0 at padding"
        if found.baseline[~found.real].any():
            yield "baseline: must be 0 at padding"


def _sizes(tokens: np.ndarray) -> tuple[int, int]:
    """Return how many inputs there are, and the positions of each, BOS left out."""
    return len(tokens), tokens.shape[1] - 1
