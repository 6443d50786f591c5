"""`glassbench splice`: compiled blocks put into a trained model."""

from typing import Annotated

import typer

from .asked_tasks import TaskName, load_all
from .console import console, print_table, progress
from .errors import TaskError
from .plurals import counted


def splice(
    task: TaskName,
    component: Annotated[
        str | None,
        typer.Argument(help="A head or an MLP of its model; all that stand for one if none."),
    ] = None,
    block: Annotated[
        str | None, typer.Option(help="A head or an MLP of the compiled model.")
    ] = None,
) -> None:
    """Replace components of a trained model by compiled blocks; measure what is kept of it."""
    from .ground_truth import Task
    from .ground_truth import splice as spliced
    from .ground_truth.bundle_task import named_task
    from .ground_truth.splicing import MEAN, OTHER_INPUTS, RANDOM

    (loaded,) = load_all([named_task(task)])
    if not isinstance(loaded, Task):
        raise TaskError(f"{loaded.id} has no program; name a task of the regime `trained`")
    if component is None and loaded.training is not None:
        alignment = loaded.training.alignment
        places = [alignment.name(one.name) for one in alignment.compiled.writers if one.layer >= 0]
    else:
        places = [component or ""]
    found = []
    with progress("Splicing", len(places)) as advance:
        for place in places:
            found.append(spliced(loaded, place, block))
            advance()
    rows, kinds = [], (RANDOM, MEAN, OTHER_INPUTS)
    for one in found:
        best = one.best_other_block
        rows.append(
            [
                one.component,
                f"{one.block}: {', '.join(one.variables)}",
                f"{one.kept:.3f}",
                "" if best is None else f"{best:.3f}",
                *(f"{one.controls[name]:.3f}" for name in kinds),
                f"{one.decoded:.3f}",
                f"{one.explained:.3f}",
            ]
        )
    heading = ["Component", "Block", "Kept", "Best other block", "Random", "Mean", "Other inputs"]
    print_table([*heading, "Read right", "Explained"], rows)
    console().print(
        f"\nKept: share of {counted(found[0].n_inputs, 'held-out input')} on which every answer "
        "stays."
    )
