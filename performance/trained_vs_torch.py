"""Our training of ordinary transformers beside a straightforward loop in PyTorch.

python performance/trained_vs_torch.py shift histogram frac_prevs --limit 300 -o trained_vs_torch.md

What is compared. For each task both sides train one transformer of the same architecture, from the
same first weights, on inputs of the same part of the domain, until it is good. The loop,
`siit_in_torch.py`, is good when it can do what it is trained on, on held-out inputs: answers;
answers under the interchange of each component that stands for one of the program, whole and
with no position permuted; and the program's answers while a component is interchanged that stands
for nothing. Of each share it is the exact upper bound that counts, and what it may be at most is
as in our gate. Our training is good when it passes the whole gate, which asks more: every edge
by itself, permuted positions, many quiet edges at once, joint sufficiency, and the state of every
edge. What our model does by the measures of the loop is told too; and so is, as information only,
what the whole gate says of the loop's best model.

Seconds are of the processor, with one thread on both sides. Ours are all that `train` takes:
drawing rows, compilation by jax, looking at the model, the gate. The loop's are of its steps alone.
It is looked at on held-out inputs after every 250 steps, which costs it nothing; ours is asked
there only once it passes on inputs of training. The loop has several learning rates and sizes of
batch, each for as many seconds as the limit says; the best counts, the fastest that is good, and
the time of the others does not. Its schedule halves the rate of Adam when the loss does not fall
any more, so that it need not know when it ends.

What this does not tell. Each setting runs once, with one seed. Our recipe is one for all tasks,
but was found on tasks of this suite; the loop has only the settings that are listed. It runs
eagerly, and is written by us: a faster one can be written. Where no setting is good within the
limit, the ratio is a lower bound for that limit.
"""

import os

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from statistics import median
from typing import Annotated

import numpy as np
import torch
import typer
from component_interchanges import (
    UNPERMUTED,
    ComponentGate,
    ComponentInterchanges,
    ComponentMeasure,
)
from figures import FiguresFile, write_figures
from machine import described, load
from markdown_table import table
from siit_in_torch import PlainLoop, Setting

from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.compiler import Weights
from glassbench.compiler.one_thread import one_thread
from glassbench.ground_truth import Task
from glassbench.ground_truth.task_building import original_of
from glassbench.ground_truth.trained import held_out, initial_weights
from glassbench.ground_truth.training import N_ROWS, Trained, train
from glassbench.ground_truth.training_gate import N_INTERCHANGES, HeldOut, TrainingGate
from glassbench.ground_truth.training_history import installed_versions

RATES, BATCHES = (1e-2, 3e-3, 1e-3), (64, 256)
"""With which the loop is tried."""
MORE_ROWS = 4
"""How many times as many rows of each component the loop has as our training has of each set."""
GLANCE, NEAR = 64, 0.95
"""How many rows of each are looked at after every chunk, and which share lets all be asked."""
LOOP = ["rate", "batch"]
SHARES = ["answers", "components", "strict components"]
SECONDS = ["task", "ours", "PyTorch", "ratio", *LOOP]
MEASURES = ["task", "side", "steps", *SHARES, "good"]
MEASURES += ["gate: interchanges", "strict", "sufficiency", "edges moved", "passes"]
RUNS = ["task", *LOOP, "steps", "seconds", *SHARES, "good"]


@dataclass(frozen=True, eq=False)
class LoopRun:
    """One training by the loop.

    Attributes:
        setting: how fast it learns.
        steps: how many were taken.
        seconds: how long they took.
        weights: of its model.
        gate: what that does.
    """

    setting: Setting
    steps: int
    seconds: float
    weights: Weights
    gate: ComponentGate

    @property
    def rank(self) -> tuple[bool, float]:
        """The best is least: the fastest that is good, or else the one nearest to it."""
        passed = self.gate.passed
        return not passed, self.seconds if passed else -min(self.gate.shares)

    @property
    def row(self) -> list[str]:
        """What a table says of it."""
        return [
            *self.setting.row,
            f"{self.steps:,}",
            f"{self.seconds:.0f}",
            *_percent(self.gate.shares),
            "yes" if self.gate.passed else "no",
        ]


@dataclass(frozen=True, eq=False)
class Comparison:
    """One task, trained by both sides.

    Attributes:
        name: of its program.
        ours: our model.
        seconds: how long it took.
        gate: what it does by the measures of the loop.
        best: the best run of the loop.
        whole: what our gate says of its model.
    """

    name: str
    ours: Trained
    seconds: float
    gate: ComponentGate
    best: LoopRun
    whole: TrainingGate

    @property
    def ratio(self) -> float:
        """How often ours fits into the best run of the loop; 0 where ours is not good."""
        return self.best.seconds / self.seconds if self.ours.passed else 0.0

    @property
    def row(self) -> list[str]:
        """The seconds of both sides."""
        best, ours = self.best, f"{self.seconds:.0f} s"
        more, least = ("", "") if best.gate.passed else ("more than ", "> ")
        ratio = f"{least}{self.ratio:.1f}"
        return [
            f"`{self.name}`",
            ours if self.ours.passed else f"not good after {ours}",
            f"{more}{best.seconds:.0f} s",
            ratio if self.ours.passed else "none",
            *best.setting.row,
        ]

    @property
    def measures(self) -> list[list[str]]:
        """What the model of each side does by the measures of the loop, and by our gate."""
        sides = (
            ("ours", self.ours.history.steps, self.gate, self.ours.gate),
            ("PyTorch", self.best.steps, self.best.gate, self.whole),
        )
        return [
            [
                f"`{self.name}`",
                side,
                f"{steps:,}",
                *_percent(gate.shares),
                "yes" if gate.passed else "no",
                *_percent(
                    1 - one.share for one in (whole.interchanged, whole.strict, whole.sufficiency)
                ),
                f"{len(whole.moved)} of {len(whole.labels.edges)}",
                "yes" if whole.passed else "no",
            ]
            for side, steps, gate, whole in sides
        ]


def _percent(shares: Iterable[float]) -> list[str]:
    return [f"{share:.2%}" for share in shares]


class LoopOfTask:
    """Trains one task by the loop, and measures its models.

    Args:
        task: its id.
        original: the same program compiled, and certified.
        measured_by: what is held out of training.
    """

    def __init__(self, task: TaskId, original: Task, measured_by: HeldOut) -> None:
        interchanges, held = ComponentInterchanges(measured_by), measured_by.domain
        rng = np.random.default_rng([measured_by.seed, 33])
        rows = interchanges.draw(measured_by.train, MORE_ROWS * N_ROWS, rng)
        self._loop = PlainLoop(original.compiled.model.codec, interchanges, rows)
        self._first = initial_weights(task, original.compiled)
        self._glance, self._measure = (
            ComponentMeasure(measured_by, tokens, interchanges, interchanges.draw(held, size, rng))
            for tokens, size in (
                (held.draw(GLANCE, rng), GLANCE),
                (held.tokens, round(N_INTERCHANGES * UNPERMUTED)),
            )
        )

    def gate(self, weights: Weights) -> ComponentGate:
        """Return what a model does by the measures of the loop."""
        return self._measure.gate(weights)

    def run(self, setting: Setting, limit: float) -> LoopRun:
        """Train until the model is good, or the limit is over."""
        for steps, seconds, weights in self._loop.training(self._first, setting):
            ends = seconds > limit
            if ends or min(self._glance.gate(weights).shares) >= NEAR:
                gate = self.gate(weights)
                if ends or gate.passed:
                    return LoopRun(setting, steps, seconds, weights, gate)
        raise AssertionError("the loop has no end of its own")


def compared(
    task: TaskId, limit: float, settings: Sequence[Setting]
) -> tuple[Comparison, list[LoopRun]]:
    """Train one task by both sides, and return all runs of the loop too."""
    original = original_of(task)
    started = time.process_time()
    (ours,) = train(task, original)
    seconds = time.process_time() - started
    measured_by = held_out(task, original)
    loop = LoopOfTask(task, original, measured_by)
    runs = []
    for setting in settings:
        runs.append(loop.run(setting, limit))
        print(task.name, *runs[-1].row, flush=True)
    best = min(runs, key=lambda one: one.rank)
    whole = measured_by.gate(best.weights, str(task))
    return Comparison(task.name, ours, seconds, loop.gate(ours.weights), best, whole), runs


def main(
    programs: list[str],
    limit: Annotated[float, typer.Option(help="Seconds after which each run ends.")] = 300.0,
    rate: Annotated[list[float] | None, typer.Option(help=f"{RATES} if none.")] = None,
    batch: Annotated[list[int] | None, typer.Option(help=f"{BATCHES} if none.")] = None,
    output: Annotated[Path | None, typer.Option("-o", help="A file for the tables.")] = None,
    figures_file: FiguresFile = None,
) -> None:
    known = {task.name: task for task in get_suite("trained")}
    unknown = sorted(set(programs) - set(known))
    if unknown:
        raise SystemExit(f"programs must be of the suite trained, got {', '.join(unknown)}")
    torch.set_num_threads(1)
    settings, busy = [Setting(*one) for one in product(rate or RATES, batch or BATCHES)], load()
    found, tried = [], []
    with one_thread():
        for name in programs:
            comparison, runs = compared(known[name], limit, settings)
            found.append(comparison)
            tried += [[f"`{name}`", *one.row] for one in runs]
            print(*comparison.row, flush=True)
    packages = {"packages": installed_versions() | {"torch": torch.__version__}}
    text = "\n\n".join(
        [
            table(SECONDS, [one.row for one in found]),
            "What the models do on held-out inputs: by the measures of the loop, and, of the "
            "loop's as information only, by the whole gate.",
            table(MEASURES, [row for one in found for row in one.measures]),
            f"All runs of the loop, which end after {limit:,.0f} s if nothing is good by then.",
            table(RUNS, tried),
            f"Seconds are of the processor. Load when it began: {busy:.1f}. "
            f"{described(1, packages)}",
        ]
    )
    print(text)
    ratios = [one.ratio for one in found]
    write_figures({"least ratio": min(ratios), "median ratio": median(ratios)}, figures_file)
    if output is not None:
        output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
