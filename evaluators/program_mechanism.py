"""Mechanism: whether a program's variables are in the model, where interchanging them shows it.

A program can answer as the model does and compute it otherwise. So each variable that its
attention brings about is sought in the model: a subspace such that, when it is interchanged
between two inputs, the model answers as the program says when the variable is overridden
(interchange intervention accuracy of Geiger, Lu, Icard and Potts 2021, arXiv:2106.02997; Geiger
et al. 2024, arXiv:2303.02536). The search is ours, and goes over the subspaces of the model's own
variables at the place where each is written; variables that are one up to their names are
interchanged together. Every subspace stands for one variable at most: the best assignment is
that of the largest sum of accuracies.

A pair of inputs counts for a variable where the program says that some answer changes, and the
model must give every answer that the program says. So nothing is earned by a subspace that does
nothing, nor by one that brings the whole of the other input, unless the program says just that.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float

from ..compiler import program as ir
from ..compiler.component_graph import ComponentGraph
from ..compiler.compress import model_seen_through
from ..compiler.executor import run
from ..compiler.interpreter import interpret
from ..compiler.model import Codec
from ..compiler.one_thread import one_thread
from ..ground_truth import Pairs, Task
from ..ground_truth.subspace_patch import SubspacePatch, patched_logits
from ..ground_truth.variable_window import window
from .local_function import partition
from .program_behaviour import Answers, TokenIds, decoded
from .program_interventions import Predicted, predicted
from .program_normal_form import NormalForm

N_PAIRS = 256
"""On how many pairs every variable is interchanged: half at all positions, half at random ones."""


@dataclass(frozen=True, eq=False)
class Interchanges:
    """What a model answers when its variables are interchanged.

    Attributes:
        codec: of the model.
        bases: inputs.
        sources: as many others.
        where: at which positions, BOS left out.
        answers: the model's with each group of variables interchanged; none of a trained model,
            in which no directions are known.
    """

    codec: Codec
    bases: TokenIds
    sources: TokenIds
    where: Bool[np.ndarray, "pairs place"]
    answers: tuple[Answers, ...]


def interchanges(task: Task, form: NormalForm, seed: int) -> Interchanges:
    """Interchange every variable of a task's model that an output depends on.

    Args:
        task: the task.
        form: the normal form of its program.
        seed: draws pairs and positions.
    """
    compiled = task.compiled
    if task.gate is not None:
        compiled = model_seen_through(task.gate.original, task.gate.W)
    weights, codec, source_map = compiled.model.weights, compiled.model.codec, compiled.source_map
    graph = ComponentGraph.of(weights)
    rng = np.random.default_rng([seed, 9])
    pairs = Pairs.draw(task.domain, N_PAIRS, rng)
    here = rng.random(pairs.base.shape) < rng.uniform(0.3, 0.9, size=(N_PAIRS, 1))
    here[: N_PAIRS // 2] = True
    here &= codec.is_real(pairs.base) & codec.is_real(pairs.source)
    if task.training is not None:
        return Interchanges(codec, pairs.base, pairs.source, here[:, 1:], ())
    name_of = {one.node: one.name for one in source_map.variables if one.node >= 0}
    with one_thread():
        base, source = (run(weights, tokens, graph=graph) for tokens in (pairs.base, pairs.source))
        found = []
        for group in groups(compiled.program, form, pairs.base):
            patches = []
            for place in group:
                depth, _ = window(source_map, name_of[place], weights.n_layers)
                directions = source_map.by_name[name_of[place]].directions
                patches.append(SubspacePatch(depth, directions, source.streams[depth], here))
            found.append(decoded(codec, patched_logits(weights, graph, base, patches)))
    return Interchanges(codec, pairs.base, pairs.source, here[:, 1:], tuple(found))


def groups(program: ir.Program, form: NormalForm, tokens: TokenIds) -> list[tuple[int, ...]]:
    """Return the nodes that are interchanged together: those of each unit, and local variables.

    A local variable that is equal to one before it, up to the names of values, is left out.

    Args:
        program: of the model.
        form: its normal form.
        tokens: inputs, on which variables are compared.
    """
    carried = [places for places in form.holders.values() if places]
    known = {place for places in carried for place in places}
    needed = sorted(ir.ancestors(program, *program.outputs))
    local = [one for one in needed if one not in known and not program.nodes[one].is_selector]
    values = interpret(program, tokens, needed).values
    real = tokens[:, 1:] < len(program.vocabulary)
    found = {partition(values[places[0]][real]): places for places in carried}
    for place in local:
        found.setdefault(partition(values[place][real]), (place,))
    return [*carried, *(places for places in found.values() if places not in carried)]


def accuracies(
    done: Interchanges, program: ir.Program, form: NormalForm
) -> Float[np.ndarray, "variable group"]:
    """Return how often each variable of a program is each group of the model's variables.

    Args:
        done: on the model.
        program: whose variables are sought.
        form: its normal form.

    Returns:
        A row for each variable that attention brings about and whose interchange, as the
        program says, changes an answer on some pair.
    """
    rows = []

    def says_with(places: tuple[int, ...]) -> Predicted:
        return predicted(
            program, done.codec, done.bases, done.sources, places, done.where, form.seen
        )

    with_nothing = says_with(())
    for unit in form.inner:
        places = form.holders[unit]
        if not places:
            continue
        says = says_with(places)
        said = says.said & with_nothing.said
        changes = ((says.answers != with_nothing.answers).any(axis=0) & said).any(axis=1)
        if changes.any():
            rows.append(
                [
                    float(
                        (((given == says.answers).all(axis=0) | ~said).all(axis=1))[changes].mean()
                    )
                    for given in done.answers
                ]
            )
    return np.array(rows).reshape(len(rows), len(done.answers))


@dataclass(frozen=True, eq=False)
class Alignment:
    """The best assignment of a program's variables to those of a model.

    Attributes:
        total: the sum of accuracies.
        n_submitted: how many variables were sought.
        n_true: how many the model's own program has.
    """

    total: float
    n_submitted: int
    n_true: int

    @classmethod
    def of(cls, found: Float[np.ndarray, "variable group"], n_true: int) -> "Alignment":
        """Return the assignment with the largest sum, each group to one variable at most.

        No more variables are assigned than the model's own program has: the others are taken up
        by columns that are worth more than any group.
        """
        from scipy.optimize import linear_sum_assignment

        spare = max(0, len(found) - n_true)
        padded = np.pad(found, ((0, 0), (0, spare)), constant_values=2.0)
        rows, columns = linear_sum_assignment(padded, maximize=True)
        assigned = columns < found.shape[1]
        return cls(float(found[rows[assigned], columns[assigned]].sum()), len(found), n_true)

    def metrics(self) -> dict[str, float]:
        """Return the accuracy over the program's variables, over the model's, and over both."""
        return {
            "interchange_f1": _share(2 * self.total, self.n_submitted + self.n_true),
            "interchange_accuracy": _share(self.total, self.n_submitted),
            "interchange_coverage": _share(self.total, self.n_true),
        }


def _share(part: float, whole: int) -> float:
    return part / whole if whole else 0.0
