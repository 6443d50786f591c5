"""pyvene: distributed alignment search with its `LowRankRotatedSpaceIntervention`.

At the stream before the first layer and after every layer an orthonormal basis is learned by
Adam, so that swapping its span between base and source gives the logits that the answers ask
for; the place is chosen on pairs that are held back. Between attention and MLP no module of the
torch host has the whole stream at its output, and pyvene patches what modules take or return.
What is run is the model without heads and neurons that bear on no logit.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...compiler.model import Model
from ..methods.subspace_choice import best_of, each_variable
from ..packed_model import packed
from ..variables_metrics import InterchangeRuns
from ..variables_problem import Subspace, VariableQuestion, VariablesProblem

STEPS = 100
LEARNING_RATE = 0.05
BATCH = 32
HELD_BACK = 0.25
"""Which share of the training pairs chooses the place."""


def distributed_alignment_search(problem: VariablesProblem) -> dict[str, Subspace]:
    """Return a learned subspace for each variable, of as many dimensions as are allowed."""
    return each_variable(problem, _search)


def _search(
    problem: VariablesProblem,
    question: VariableQuestion,
    runs: InterchangeRuns,  # noqa: ARG001 - pyvene runs the model itself
) -> Subspace:
    """Return the best of what is learned at each place."""
    n_learn = len(question.train) - int(HELD_BACK * len(question.train))
    held_back = question.train.take(slice(n_learn, None))
    choosing = InterchangeRuns.of(problem.model, held_back if len(held_back) else question.train)
    found = [
        Subspace(hook, _learned(problem, question, component, n_learn))
        for hook, component in _places(problem)
    ]
    return best_of(choosing, found)


def _places(problem: VariablesProblem) -> Iterator[tuple[str, str]]:
    """Yield the hooks that a module has, with pyvene's names for them."""
    for hook in problem.hooks:
        _, layer, stage = hook.split(".")
        if stage == "hook_resid_pre":
            yield hook, f"blocks[{layer}].input"
        elif stage == "hook_resid_post":
            yield hook, f"blocks[{layer}].output"


def _learned(
    problem: VariablesProblem, question: VariableQuestion, component: str, n_learn: int
) -> np.ndarray:
    """Return the directions that are learned at one place, as rows."""
    import torch

    train = question.train.take(slice(0, n_learn))
    base, source = (torch.as_tensor(np.array(each)) for each in (train.base, train.source))
    codec = problem.model.codec
    goal = torch.as_tensor(codec.answer_logits(codec.ids_of(train.answers)))
    real = torch.as_tensor(codec.is_real(train.base))
    positions = _positions(train.where)
    rng = np.random.default_rng(problem.seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(problem.seed)
        intervention, patched = _patched(problem, question.max_directions, component, positions)
    adam = torch.optim.Adam(intervention.parameters(), lr=LEARNING_RATE)
    for _ in range(STEPS):
        rows = rng.integers(len(base), size=min(BATCH, len(base)))
        logits = patched(base[rows], source[rows], positions[rows])
        loss = (logits - goal[rows]).square().sum(dim=-1)[real[rows]].mean()
        adam.zero_grad()
        loss.backward()
        adam.step()
    return np.asarray(intervention.rotate_layer.weight.detach().numpy().T)


def _positions(where: np.ndarray) -> np.ndarray:
    """Return where each pair is interchanged, as many positions for all `[pairs, most]`.

    Pairs with fewer repeat their last: to swap a subspace twice is to swap it once.
    """
    most = int(where.sum(axis=1).max())
    order = np.argsort(~where, axis=1, kind="stable")[:, :most]
    last = where.sum(axis=1, keepdims=True) - 1
    return np.take_along_axis(order, np.minimum(np.arange(most), last), axis=1)


def _patched(
    problem: VariablesProblem, size: int, component: str, positions: np.ndarray
) -> tuple[Any, Any]:
    """Return an intervention, and what runs the model with it.

    All positions are one unit, so that each input is run once; the intervention keeps their
    vectors apart.
    """
    import pyvene
    import torch
    from transformers import PretrainedConfig

    class EachPositionOnce(pyvene.LowRankRotatedSpaceIntervention):
        """Gives no gradient to a position that is a repetition of the one before it.

        The writes of repetitions are the same, and the gradient of each would be counted.
        """

        def forward(self, base: Any, source: Any, subspaces: Any = None, **options: Any) -> Any:
            swapped = super().forward(base, source, subspaces, **options)
            return torch.where(self.is_first, swapped, swapped.detach())

    model = Model(packed(problem.model.weights), problem.model.codec)
    network = model.to_torch(dtype=torch.float64).requires_grad_(False)
    width = model.weights.d_model
    # It asks these of a model, as those of transformers have them.
    network.config, network.device = PretrainedConfig(hidden_size=width), torch.device("cpu")
    intervention = EachPositionOnce(
        embed_dim=width, low_rank_dimension=min(size, width), keep_last_dim=True
    ).double()
    unit = {
        "component": component,
        "unit": "pos",
        "max_number_of_units": positions.shape[1],
        "low_rank_dimension": min(size, width),
        "intervention": intervention,
    }
    intervenable = pyvene.IntervenableModel(pyvene.IntervenableConfig([unit]), network)

    def run(base: Any, source: Any, positions: np.ndarray) -> Any:
        is_first = np.diff(positions, axis=1, prepend=-1) != 0
        intervention.is_first = torch.as_tensor(is_first[..., None])
        at = [positions.tolist()]
        return intervenable({"tokens": base}, [{"tokens": source}], {"sources->base": (at, at)})[1]

    return intervention, run
