"""Nothing about speed: chooses where the programs of the suite `trained` lie in their models.

python performance/trained_alignments.py
python performance/trained_alignments.py running_mean sort count --layers 4 --spare 2 --seeds 32

A program is known by where it lies, if it lies there in every task. So each has as many spare
layers, up to `--spare`, as `--layers` leave room for, and the seeds that place it are chosen,
among so many for each program, by descent on how many circuits are equal, and then on what the
prior earns over the suite. It prints the ids. Programs that are named take the place of those of
the suite.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import numpy as np
import typer

from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.benchmark_programs.task_id import TRAINED
from glassbench.evaluators.floors import prior_above_random
from glassbench.evaluators.ranking_metrics import METRICS
from glassbench.ground_truth import Task, build_model, certified, edge_positives
from glassbench.ground_truth.digest import weights_digest
from glassbench.ground_truth.trained import alignment_of

METRIC = METRICS["average_precision"]

Key = dict[str, bool]


def placed(task: TaskId, spare: int, seed: int) -> TaskId:
    """Return the same task with its program somewhere else."""
    chosen = dict(task.regimes[0][1]) | {"spare_layers": spare, "seed": seed}
    return replace(task, regimes=((TRAINED, tuple(chosen.items())),))


def spare_layers(task: TaskId, layers: int, most: int) -> int:
    """Return how many layers a program has room for."""
    needs = build_model(placed(task, 0, 0)).model.weights.n_layers
    return max(0, min(most, layers - needs))


def asked(programs: Sequence[str]) -> list[TaskId]:
    """Return a task of each program: that of the suite, if it has one."""
    known = {task.name: task for task in get_suite(TRAINED)}
    new = (name for name in programs if name not in known)
    known |= {name: TaskId.parse(f"{name}/{TRAINED}[layer_norm=0]") for name in new}
    return [known[name] for name in programs or known]


def key(task: TaskId, originals: dict[str, Task]) -> Key:
    """Return which edges of a task have an effect, if it is trained."""
    compiled = build_model(task)
    digest = weights_digest(compiled.model.weights)
    if digest not in originals:
        originals[digest] = certified(replace(task, regimes=()), compiled)
    states = originals[digest].labels.states
    return edge_positives(alignment_of(task, compiled).states(states))


def main(
    programs: Annotated[
        list[str] | None, typer.Argument(help="Those of the suite if none.")
    ] = None,
    layers: Annotated[int, typer.Option(help="Of a model, at most.")] = 5,
    spare: Annotated[int, typer.Option(help="Layers that a program does not need, at most.")] = 3,
    seeds: Annotated[int, typer.Option(help="How many are tried for each program.")] = 12,
    sweeps: Annotated[int, typer.Option(help="How often all programs are gone through.")] = 3,
    start: Annotated[int, typer.Option(help="Draws where descent starts.")] = 0,
) -> None:
    originals: dict[str, Task] = {}
    keys = []
    for task in asked(programs or ()):
        room = spare_layers(task, layers, spare)
        places = [placed(task, room, seed) for seed in range(seeds)]
        keys.append({str(place): key(place, originals) for place in places})
    rng = np.random.default_rng(start)
    chosen = [str(rng.choice(list(each))) for each in keys]

    def given_away(names: list[str]) -> tuple[int, float]:
        own = {name: keys[place][name] for place, name in enumerate(names)}
        circuits = {
            frozenset(edge for edge, has_effect in k.items() if has_effect) for k in own.values()
        }
        return len(own) - len(circuits), prior_above_random(own, METRIC)

    _, drawn = given_away(chosen)
    for _ in range(sweeps):
        for place, each in enumerate(keys):
            tried = [[*chosen[:place], name, *chosen[place + 1 :]] for name in each]
            chosen = min([chosen, *tried], key=given_away)
    print("\n".join(chosen))
    equal, prior = given_away(chosen)
    print(f"The prior earns {prior:.3f}, and {drawn:.3f} where all seeds are drawn.")
    print(f"{equal} circuits are those of another task.")


if __name__ == "__main__":
    typer.run(main)
