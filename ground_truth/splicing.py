"""Splicing: one component of a trained model replaced by a block that was compiled.

Can what a trained model computes be replaced by hand? Here the block is the head or the MLP of the
compiled model that the component stands for. What it reads is decoded from the stream of the
trained model, by a linear classifier for each variable; what it writes is a value of each variable
that it computes, and goes back as the vector that the component writes for that value, by least
squares. Both are fitted on the inputs that the model was trained on; how much of the behaviour is
kept is measured on the others.

What is fitted can do much by itself: where a component does no more than give values other names,
so does whatever keeps them apart. So the same is done with other blocks: with those that compute
other variables, with random weights, and with none, where the component always writes its mean.
For each of these what is written is fitted anew. In one more control nothing is: the block writes
what it computes on some other input of the same length, by the vectors of its own.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from ..benchmark_programs.suggestion import unknown_name
from ..compiler import CompiledModel, Weights
from ..compiler.component_graph import ComponentGraph, Writer
from ..compiler.executor import Run, attention_output, mlp_output, normalised, resume, run
from ..errors import TaskError
from .interchange_pairs import TaskDomain
from .prediction import Predictor
from .task import Task
from .training_gate import HELD_OUT

if TYPE_CHECKING:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

_LEAST, _DIGITS = 1e-9, 9
_SHRINKAGE = 1e-6
RANDOM = "random weights"
RANDOM_DRAWS = 5
MEAN = "the mean"
OTHER_INPUTS = "other inputs"
_NO_BLOCKS = RANDOM, MEAN, OTHER_INPUTS

Stream = Float[np.ndarray, "inputs position width"]
Other = Float[np.ndarray, "inputs position other"]


@dataclass(frozen=True)
class Spliced:
    """How much of the behaviour of a trained model is kept with a compiled block in it.

    Attributes:
        task: the id of the task.
        component: of the trained model, that was replaced.
        block: of the compiled model, that took its place.
        variables: what the block computes.
        kept: on which share of held-out inputs all answers are those of the trained model.
        controls: the same by what else took the place: other blocks, `random weights`,
            `the mean`, and the block as it is on `other inputs` of the same length. Those of
            random weights and of other inputs are means over five draws of them.
        decoded: at which share of positions of held-out inputs everything that the block reads is
            decoded right.
        explained: of the variance of what the component writes there, the share that the block
            accounts for.
        n_inputs: held-out inputs.
    """

    task: str
    component: str
    block: str
    variables: tuple[str, ...]
    kept: float
    controls: Mapping[str, float]
    decoded: float
    explained: float
    n_inputs: int

    @property
    def best_other_block(self) -> float | None:
        """How much is kept by the other block that keeps most; `None` if there is no other."""
        others = [kept for name, kept in self.controls.items() if name not in _NO_BLOCKS]
        return max(others, default=None)


def splice(task: Task, component: str, block: str | None = None) -> Spliced:
    """Replace a component of a trained model by a compiled block that computes its variable.

    Args:
        task: a trained one.
        component: a head or an MLP of its model, such as `a0.h2`.
        block: a head or an MLP of the compiled model; `None` for the one that the component stands
            for.

    Raises:
        TaskError: the task is not a trained one, or there is no such component or block.
    """
    original, place, chosen = _checked(task, component, block)
    train, held_out = (
        _Part.of(task.compiled, original, part)
        for part in task.domain.split(HELD_OUT, task.labels.seed)
    )
    splicing = _Splicing(place, train, held_out)
    by_block = {one.name: splicing.with_block(one) for one in _writers(original)}
    own = by_block.pop(chosen.name)
    rng = np.random.default_rng([task.labels.seed, 41])
    orders = [held_out.shuffled(rng) for _ in range(RANDOM_DRAWS)]
    controls = {name: one.kept for name, one in by_block.items()}
    at_random = [_at_random(original, [task.labels.seed, 40, draw]) for draw in range(RANDOM_DRAWS)]
    kept_at_random = [splicing.with_block(chosen, weights).kept for weights in at_random]
    controls[RANDOM] = float(np.mean(kept_at_random))
    controls[MEAN] = splicing.with_mean()
    controls[OTHER_INPUTS] = splicing.with_other_inputs(chosen, orders)
    variables = original.source_map.variables
    return Spliced(
        task=str(task.id),
        component=component,
        block=chosen.name,
        variables=tuple(one.name for one in variables if one.writer == chosen.name),
        kept=own.kept,
        controls=controls,
        decoded=own.decoded,
        explained=own.explained,
        n_inputs=len(held_out.real),
    )


def _checked(task: Task, component: str, block: str | None) -> tuple[CompiledModel, Writer, Writer]:
    """Return the compiled model, the component, and the block that takes its place."""
    if task.training is None:
        raise TaskError(
            f"Blocks are spliced into trained models, and {task.id} has a compiled one; take "
            "its regime `trained`."
        )
    original, alignment = task.training.original, task.training.alignment
    places = {one.name: one for one in _writers(task.compiled)}
    blocks = {one.name: one for one in _writers(original)}
    if component not in places:
        raise TaskError(unknown_name("component", component, places))
    own = {alignment.name(name): name for name in blocks}
    if block is None and component not in own:
        raise TaskError(
            f"{component} of {task.id} stands for nothing in the program, so that the block must "
            f"be named: one of {', '.join(blocks)}."
        )
    chosen = own[component] if block is None else block
    if chosen not in blocks:
        raise TaskError(unknown_name("block", chosen, blocks))
    return original, places[component], blocks[chosen]


def _writers(compiled: CompiledModel) -> list[Writer]:
    """Return the heads and MLPs of a model."""
    return [one for one in ComponentGraph.of(compiled.model.weights).writers if one.layer >= 0]


def _at_random(original: CompiledModel, seed: list[int]) -> Weights:
    """Return the weights of a compiled model, every array drawn anew with its own mean square."""
    rng, weights = np.random.default_rng(seed), original.model.weights
    return weights.with_arrays(
        {
            name: rng.normal(size=array.shape) * np.sqrt(np.square(array).mean())
            for name, array in weights.arrays()
        }
    )


@dataclass(frozen=True, eq=False)
class _Part:
    """Some inputs, run by the trained model and by the program.

    Attributes:
        weights: of the trained model.
        original: the compiled model.
        run: of the trained model.
        answers: of the trained model.
        values: of the program's variables, as coefficients; rounded, so that equal ones are one.
        real: which positions hold a token.
    """

    weights: Weights
    original: CompiledModel
    run: Run
    answers: np.ndarray
    values: Mapping[str, np.ndarray]
    real: np.ndarray

    @classmethod
    def of(cls, trained: CompiledModel, original: CompiledModel, domain: TaskDomain) -> "_Part":
        weights, codec = trained.model.weights, trained.model.codec
        done = run(weights, domain.tokens)
        exact = Predictor(original).values(domain.tokens)
        values = {name: np.round(each, _DIGITS) for name, each in exact.items()}
        answers, real = codec.decode_ids(done.logits), codec.is_real(domain.tokens)
        return cls(weights, original, done, answers, values, real)

    def shuffled(self, rng: np.random.Generator) -> np.ndarray:
        """Return for each input another one of its length; itself where there is no other."""
        order = np.arange(len(self.real))
        for length in np.unique(lengths := self.real.sum(axis=1)):
            circle = rng.permutation(np.flatnonzero(lengths == length))
            order[circle] = np.roll(circle, 1)
        return order

    def read(self, depth: int) -> Stream:
        """Return what readers at a depth get."""
        return normalised(self.weights, self.run.streams[depth])

    def kept(self, place: Writer, written: Stream) -> Bool[np.ndarray, " inputs"]:
        """Return on which inputs all answers stay when a component writes this."""
        graph, depth = ComponentGraph.of(self.weights), place.depth + 1
        before = self.run.contributions[graph.writer_index[place.name]]
        stream = self.run.streams[depth] - before + written
        codec = self.original.model.codec
        given = codec.decode_ids(resume(self.weights, graph, stream, depth))
        return ((given == self.answers) | ~self.real).all(axis=1)

    def output(self, place: Writer) -> Stream:
        """Return what a component writes."""
        return self.run.contributions[ComponentGraph.of(self.weights).writer_index[place.name]]


@dataclass(frozen=True)
class _Outcome:
    """What came of one block."""

    kept: float
    decoded: float
    explained: float


@dataclass(frozen=True, eq=False)
class _Splicing:
    """One place in a trained model, and blocks that are put there."""

    place: Writer
    train: _Part
    held_out: _Part

    @cached_property
    def found(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """The values of each variable that some block reads, as decoded in the place, by part."""
        train, held_out = (part.read(self.place.depth) for part in (self.train, self.held_out))
        decoders = {
            name: _Decoder.fitted(train, self.train.values[name])
            for name in sorted({name for _, name in self.train.original.source_map.reads})
        }
        return (
            {name: decoder(train) for name, decoder in decoders.items()},
            {name: decoder(held_out) for name, decoder in decoders.items()},
        )

    def with_block(self, block: Writer, weights: Weights | None = None) -> _Outcome:
        """Put a block in the place, with weights of its own if it has any."""
        train, held_out = self._codes(block, weights or self.train.original.model.weights)
        right = self.held_out.real
        for name in self._read(block):
            right = right & (self.found[1][name] == self.held_out.values[name]).all(axis=-1)
        kept, explained = self._written(train, held_out)
        return _Outcome(kept, float(right.sum() / self.held_out.real.sum()), explained)

    def with_other_inputs(self, block: Writer, orders: Sequence[np.ndarray]) -> float:
        """Return how much is kept with what a block computes on other inputs: the mean of all.

        Args:
            block: which.
            orders: for each held-out input another one, of the same length.
        """
        train, held_out = self._codes(block, self.train.original.model.weights)
        back = _Linear.fitted(train, self.train.output(self.place))
        kept = [
            self.held_out.kept(self.place, back(held_out[order]))[order != np.arange(len(order))]
            for order in orders
        ]
        return float(np.concatenate(kept).mean())

    def _read(self, block: Writer) -> list[str]:
        """Return the variables that a block reads."""
        reads = self.train.original.source_map.reads
        return sorted({name for reader, name in reads if reader.partition("<")[0] == block.name})

    def _codes(self, block: Writer, weights: Weights) -> list[np.ndarray]:
        """Return what a block computes from what is decoded, on each of the parts."""
        codes: list[np.ndarray] = []
        for part, found in zip((self.train, self.held_out), self.found, strict=True):
            stream = np.zeros((*part.real.shape, weights.d_model))
            for name in self._read(block):
                stream += found[name] @ part.original.source_map.by_name[name].directions
            codes.append(self._code(part, block, _output(weights, block, stream)))
        return codes

    def with_mean(self) -> float:
        """Return how much is kept with the mean of what the component writes in its place."""
        return self._written(_places(self.train), _places(self.held_out))[0]

    def _written(self, train: np.ndarray, held_out: np.ndarray) -> tuple[float, float]:
        """Return what is kept and explained by codes, each written as a vector of its own."""
        back = _Linear.fitted(train, self.train.output(self.place))
        written, true = back(held_out), self.held_out.output(self.place)
        rows = true[self.held_out.real]
        lost = np.square(rows - written[self.held_out.real]).sum()
        spread = np.square(rows - rows.mean(axis=0)).sum()
        kept = float(self.held_out.kept(self.place, written).mean())
        return kept, 1 - float(lost / max(spread, _LEAST))

    def _code(self, part: _Part, block: Writer, output: Stream) -> Other:
        """Return 1 for the value of each variable that a block wrote, where there is a token."""
        found = [_places(part)]
        for variable in part.original.source_map.variables:
            if variable.writer == block.name:
                known = _known(self.train.values[variable.name])
                own = output @ np.linalg.pinv(variable.directions)
                distances = np.square(known).sum(axis=1) - 2 * own @ known.T
                chosen = distances.argmin(axis=-1)[..., None] == np.arange(len(known))
                found.append(chosen * part.real[..., None])
        return np.concatenate(found, axis=-1).astype(float)


def _places(part: _Part) -> Stream:
    """Return 1 for the kind of each position: BOS, a token, or padding."""
    is_bos = np.arange(part.real.shape[1]) == 0
    kinds = np.broadcast_to(is_bos, part.real.shape), part.real, ~(part.real | is_bos)
    return np.stack(kinds, axis=-1).astype(float)


def _known(values: Stream) -> Float[np.ndarray, "values width"]:
    """Return the different values of a variable."""
    return np.unique(values.reshape(-1, values.shape[-1]), axis=0)


@dataclass(frozen=True, eq=False)
class _Linear:
    """A linear map, fitted by least squares."""

    matrix: np.ndarray

    @classmethod
    def fitted(cls, given: Stream, wanted: Other) -> "_Linear":
        """Return the map that comes nearest to what is wanted, over all positions."""
        rows = given.reshape(-1, given.shape[-1])
        return cls(np.linalg.lstsq(rows, wanted.reshape(len(rows), -1), rcond=None)[0])

    def __call__(self, given: Stream) -> Other:
        return given @ self.matrix


@dataclass(frozen=True, eq=False)
class _Decoder:
    """A linear classifier: from a stream to the value of a variable.

    It is linear discriminant analysis, which also tells values apart that lie on a line.
    """

    known: np.ndarray
    classifier: "LinearDiscriminantAnalysis | None"

    @classmethod
    def fitted(cls, stream: Stream, values: Other) -> "_Decoder":
        """Return the classifier of the values."""
        from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

        flat = values.reshape(-1, values.shape[-1])
        known, classes = np.unique(flat, axis=0, return_inverse=True)
        if len(known) == 1:
            return cls(known, None)
        classifier = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=_SHRINKAGE)
        return cls(known, classifier.fit(stream.reshape(len(flat), -1), classes.reshape(-1)))

    def __call__(self, stream: Stream) -> Other:
        if self.classifier is None:
            return np.broadcast_to(self.known[0], (*stream.shape[:2], self.known.shape[1]))
        rows = stream.reshape(-1, stream.shape[-1])
        return self.known[self.classifier.predict(rows).reshape(stream.shape[:2])]


def _output(weights: Weights, block: Writer, stream: Stream) -> Stream:
    """Return what a block writes when it reads a stream."""
    if block.head < 0:
        return mlp_output(weights, block.layer, stream)
    return attention_output(weights, block.layer, [block.head], stream, stream, stream)
