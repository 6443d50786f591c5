"""Questions of the variables track."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from glassbench.compiler.model import Codec, Model, Readout
from glassbench.compiler.values import Domain, Encoding
from glassbench.compiler.weights import Weights
from glassbench.evaluators import TRACKS, MetricValue, Subspace
from glassbench.evaluators.variables_floors import DRAWS, marks
from glassbench.evaluators.variables_metrics import InterchangeRuns
from glassbench.evaluators.variables_pairs import VariablePairs
from glassbench.evaluators.variables_pose import VariableKey, posed
from glassbench.evaluators.variables_problem import place_of
from glassbench.ground_truth import Task
from glassbench.ground_truth.row_space import row_space

from .question import Claim, Question, RandomFloor, Rng


@dataclass(frozen=True, eq=False)
class VariablesQuestion(Question):
    """Where variables are: a subspace for each."""

    model: Model
    keys: Mapping[str, VariableKey]
    track = "variables"

    @classmethod
    def made_up(cls, rng: Rng) -> "VariablesQuestion":
        """Draw a model that answers v + 2u, and pairs between which v is interchanged.

        Tokens p, q, r and s have (v, u) = (0, 0), (1, 0), (0, 1) and (1, 1), in dimensions drawn
        at random, and something else in a third that nothing reads.
        """
        d_model = int(rng.integers(4, 7))
        basis, _ = np.linalg.qr(rng.normal(size=(d_model, d_model)))
        meant = np.array([[0, 0], [1, 0], [0, 1], [1, 1], [0, 0], [0, 0]], float)
        embedded = meant @ basis[:2] + rng.normal(size=(6, 1)) * basis[2]
        shapes = {
            **dict.fromkeys(("W_Q", "W_K", "W_V"), (1, 1, d_model, 1)),
            "b_Q": (1, 1, 1),
            "W_O": (1, 1, 1, d_model),
            "W_in": (1, d_model, 1),
            "b_in": (1, 1),
            "W_out": (1, 1, d_model),
            "b_out": (1, d_model),
            "W_pos": (2, d_model),
        }
        weights = Weights(
            W_E=embedded,
            W_U=(basis[:2].T @ [1.0, 2.0])[:, None],
            causal=False,
            **{name: np.zeros(shape) for name, shape in shapes.items()},
        )
        answers = Readout(Domain((0, 1, 2, 3)), Encoding.NUMERICAL)
        model = Model(weights, Codec(Domain(tuple("pqrs")), 1, (answers,)))
        base, source = np.insert(rng.integers(0, 4, (2, 24, 1)), 0, model.codec.bos, axis=2)
        right = np.zeros_like(base)
        right[:, 1] = meant[source[:, 1], 0] + 2 * meant[base[:, 1], 1]
        v = np.array([0, 1, 0, 1, -1, -1])
        where = np.tile([False, True], (len(base), 1))
        pairs = VariablePairs(base, source, v[base], v[source], where, right)
        true = Subspace("blocks.0.hook_resid_pre", basis[:1])
        measured = marks(InterchangeRuns.of(model, pairs), true, 0, 1, seed=0)
        kinds = np.zeros(len(base), np.int64)
        return cls(model, {"v0": VariableKey(pairs, kinds, true, (0, 2), measured)})

    @classmethod
    def of(cls, task: Task) -> "VariablesQuestion":
        pose = posed(task, 0)
        return cls(pose.problem.model, pose.keys)

    @cached_property
    def runs(self) -> Mapping[str, InterchangeRuns]:
        return {v: InterchangeRuns.of(self.model, key.held_out) for v, key in self.keys.items()}

    @property
    def name(self) -> str:
        """The name of the metric."""
        return TRACKS["variables"].primary

    def measured(self, answer: Mapping[str, Subspace]) -> Mapping[str, MetricValue]:
        hits = [
            self.runs[v].hits(place_of(one.hook), [one.factors]).mean() for v, one in answer.items()
        ]
        each = [key.marks for key in self.keys.values()]
        return {
            self.name: MetricValue.of(
                float(np.mean(hits)),
                random=float(np.mean([one.floor for one in each])),
                ceiling=float(np.mean([one.ceiling for one in each])),
            )
        }

    def oracles(self) -> list[Claim]:
        true = {v: key.true for v, key in self.keys.items()}
        return [Claim([true], frozenset({self.name}))]

    def random_floors(self) -> list[RandomFloor]:
        mean = float(np.mean([key.marks.random for key in self.keys.values()]))
        return [RandomFloor({self.name: mean}, DRAWS, self.drawn)]

    def drawn(self, rng: Rng) -> dict[str, Subspace]:
        return {
            v: Subspace(key.true.hook, rng.normal(size=row_space(key.true.directions).shape))
            for v, key in self.keys.items()
        }

    def empty(self) -> list[dict[str, Subspace]]:
        """Subspaces at the last hook of which the unembedding sees nothing."""
        W_U = self.model.weights.W_U
        seen = row_space(W_U.T)
        unseen = row_space(np.eye(len(W_U)) - seen.T @ seen)[:1]
        last = f"blocks.{self.model.weights.n_layers - 1}.hook_resid_post"
        return [{v: Subspace(last, unseen) for v in self.keys}]

    def reordered(
        self, answer: Mapping[str, Subspace], rng: Rng
    ) -> tuple["VariablesQuestion", dict[str, Subspace]]:
        keys = {
            v: replace(key, held_out=key.held_out.take(rng.permutation(len(key.held_out))))
            for v, key in self.keys.items()
        }
        return VariablesQuestion(self.model, keys), dict(reversed(answer.items()))

    def restated(self, answer: Mapping[str, Subspace], rng: Rng) -> list[Claim]:
        """Other rows with the same span, and more of them."""

        def mixed(rows: np.ndarray | None) -> np.ndarray | None:
            return None if rows is None else rng.normal(size=(len(rows) + 2, len(rows))) @ rows

        same = {
            v: Subspace(one.hook, mixed(one.directions), mixed(one.read))
            for v, one in answer.items()
        }
        return [Claim([same], frozenset({self.name}))]

    def spoilt(self, rng: Rng) -> list[Claim]:
        (nothing,) = self.empty()
        wrong = rng.choice(list(self.keys))
        answer = {v: nothing[v] if v == wrong else key.true for v, key in self.keys.items()}
        return [Claim([answer], frozenset({self.name}))]
