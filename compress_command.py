"""`glassbench compress`: a task's model in fewer dimensions, once per width and seed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from textwrap import shorten
from typing import TYPE_CHECKING, Annotated

import typer

from .asked_tasks import TaskName
from .console import console, print_table, progress, told_progress
from .errors import BundleError, TaskError, listing
from .interruption import interrupted
from .plurals import counted
from .whole_file import check_place

if TYPE_CHECKING:
    from .benchmark_programs import TaskId
    from .ground_truth import OwnTaskId, Task
    from .ground_truth.superposed import Superposed

_SHOWN, _LINE = 3, 160
_JSON = ".json"

Widths = Annotated[
    str, typer.Option("--d", metavar="D[,D...]", help="How many dimensions; several are tried.")
]
Seeds = Annotated[int, typer.Option(min=1, help="How many seeds of each, from 0 on.")]
RecipeName = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="gauss-newton, inputs, adam or talk; by default gauss-newton where the matrix is "
        "small, else adam. `inputs` is trained without interchanges.",
    ),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Of Adam: where it stands is kept here, and it goes on from here."
    ),
]
Reports = Annotated[
    Path | None,
    typer.Option(
        "-o",
        "--output",
        metavar="REPORT",
        help="A report of each run: a folder, or a .json file if there is one run.",
    ),
]


def compress(
    task: TaskName,
    d: Widths,
    seeds: Seeds = 1,
    recipe: RecipeName = None,
    checkpoint: Checkpoint = None,
    output: Reports = None,
) -> None:
    """Compress a task's model to fewer dimensions, and measure whether its labels still hold.

    Interrupted, it tells what is done; training by Adam goes on from its checkpoint.
    """
    from .benchmark_programs import TaskId
    from .ground_truth import build_model, certified, load_bundle
    from .ground_truth.bundle_task import task_or_bundle

    widths = _widths(d)
    _check_checkpoint(checkpoint, widths)
    asked = task_or_bundle(task)
    _check_recipe(recipe)
    if isinstance(asked, TaskId):
        _check_uncompressed(asked)
        with progress("Compiling"):
            compiled = build_model(asked)
        plan = _Plan(asked, widths, seeds, recipe, checkpoint, output)
        plan.check(compiled.model.weights.d_model)
        with progress("Certifying"):
            original = certified(asked, compiled)
    else:
        original = load_bundle(asked)
        plan = _Plan(original.id, widths, seeds, recipe, checkpoint, output)
        plan.check(original.compiled.model.weights.d_model)
    console().print(str(original), soft_wrap=True)
    _run(plan, original, task if isinstance(asked, TaskId) else None)


@dataclass(frozen=True)
class _Plan:
    """What is to be tried, and where it goes."""

    task: "TaskId | OwnTaskId"
    widths: tuple[int, ...]
    n_seeds: int
    recipe: str | None
    checkpoint: Path | None
    output: Path | None

    def recipe_of(self, d: int, d_model: int) -> str:
        """Return the name of the recipe by which a width is trained."""
        from .ground_truth.superposed import default_recipe

        return self.recipe or default_recipe(d, d_model)

    def check(self, d_model: int) -> None:
        """Check all that would else be told after long work."""
        problems = [
            f"{d}: must be at least 1 and at most the width of the model, {d_model}"
            for d in self.widths
            if not 1 <= d <= d_model
        ]
        if problems:
            raise TaskError(listing(f"{self.task} cannot be compressed to these widths:", problems))
        names = {self.recipe_of(d, d_model) for d in self.widths}
        if self.checkpoint is not None and not _trains_by_adam(*names):
            raise TaskError(
                f"A checkpoint is kept by the recipes of Adam, and {' and '.join(names)} keeps "
                "none, since it takes seconds; leave --checkpoint out, or choose --recipe adam"
            )
        if self.checkpoint is not None:
            check_place(self.checkpoint.parent)
        self._check_output(d_model)

    @property
    def is_one_file(self) -> bool:
        """Whether there is one report, and `output` is its file."""
        place = self.output
        return place is not None and place.suffix == _JSON and not place.is_dir()

    def file_of(self, d: int, seed: int, recipe: str) -> Path:
        """Return where the report of a run goes."""
        from .ground_truth.compression_report import report_file_name

        assert self.output is not None
        if self.is_one_file:
            return self.output
        return self.output / report_file_name(f"{self.task}", d, seed, recipe)

    def _check_output(self, d_model: int) -> None:
        """Refuse places that cannot be written, or that hold anything but a report of the run."""
        if self.output is None:
            return
        if self.output.is_file() and not self.is_one_file:
            raise typer.BadParameter(
                f"must be a folder or a .json file, got the file {self.output}",
                param_hint="--output",
            )
        runs = [
            (d, seed, self.recipe_of(d, d_model))
            for d in self.widths
            for seed in range(self.n_seeds)
        ]
        if self.is_one_file and len(runs) > 1:
            raise typer.BadParameter(
                f"must be a folder, since there are {len(runs)} reports", param_hint="--output"
            )
        problems = [
            problem
            for run in runs
            for problem in _in_the_way(self.file_of(*run), (f"{self.task}", *run))
        ]
        if problems:
            heading = "Only reports of the same run are written over; move these files:"
            raise BundleError(listing(heading, problems))
        check_place(self.output.parent if self.is_one_file else self.output)


def _in_the_way(file: Path, run: tuple[str, int, int, str]) -> Iterator[str]:
    """Yield why a file must not be written over, if it is there and is no report of this run."""
    from .ground_truth.compression_report import CompressionReport

    if not file.exists():
        return
    try:
        there = CompressionReport.read(file)
    except BundleError as error:
        yield f"{error}".splitlines()[0].rstrip(":")
        return
    if there.run != run:
        yield f"{file}: {there.task}, d={there.d}, seed={there.seed}, recipe {there.recipe}"


def _widths(text: str) -> tuple[int, ...]:
    """Return the numbers of dimensions that an option names, each once."""
    try:
        return tuple(dict.fromkeys(int(one) for one in text.split(",")))
    except ValueError:
        raise typer.BadParameter(
            f"must be numbers such as 8 or 8,9, got {text!r}", param_hint="--d"
        ) from None


def _check_checkpoint(checkpoint: Path | None, widths: Sequence[int]) -> None:
    """Refuse a checkpoint that cannot be one."""
    if checkpoint is None:
        return
    if len(widths) > 1:
        raise typer.BadParameter(
            "is of one training: give one --d, or leave it out", param_hint="--checkpoint"
        )
    if checkpoint.is_dir():
        raise typer.BadParameter("must be a file, got a folder", param_hint="--checkpoint")


def _check_recipe(recipe: str | None) -> None:
    """Refuse a recipe that there is not."""
    from .benchmark_programs import unknown_name
    from .ground_truth.superposed import RECIPES

    if recipe is not None and recipe not in RECIPES:
        raise TaskError(unknown_name("recipe", recipe, RECIPES))


def _check_uncompressed(task: "TaskId") -> None:
    """Refuse a task whose model is compressed already."""
    from .benchmark_programs.task_id import SUPERPOSED

    if SUPERPOSED in dict(task.regimes):
        raise TaskError(f"{task} is compressed already; name the task without the last regime")


def _trains_by_adam(*recipes: str) -> bool:
    """Return whether all of these recipes train by Adam, all seeds side by side."""
    from .compiler.adam_recipe import AdamRecipe
    from .ground_truth.superposed import RECIPES

    return all(isinstance(RECIPES[name], AdamRecipe) for name in recipes)


def _run(plan: _Plan, original: "Task", name: str | None) -> None:
    """Compress, and tell what it came to, also where it is interrupted.

    Args:
        plan: what is tried.
        original: the task.
        name: as the user calls it; `None` where `load` knows it by no name.
    """
    made: list[Superposed] = []
    n_runs = len(plan.widths) * plan.n_seeds
    whole = False
    try:
        for one in _compressed(plan, original):
            made.append(one)
        whole = True
    except KeyboardInterrupt:
        pass  # what is done is told all the same
    say = console().print
    if made:
        _print_made(made)
        _print_ids(made, name)
    if made and plan.output is not None:
        say(f"\nWritten: {counted(len(made), 'report')} in {plan.output}", soft_wrap=True)
    if not whole:
        told = f"Interrupted: {len(made)} of {counted(n_runs, 'run')} done."
        raise interrupted(told, plan.checkpoint)


def _compressed(plan: _Plan, original: "Task") -> "Iterator[Superposed]":
    """Yield every run, its report written; the seeds of one width come together."""
    from .ground_truth.compression_report import CompressionReport
    from .ground_truth.superposed import superpose

    d_model = original.compiled.model.weights.d_model
    seeds = range(plan.n_seeds)
    with told_progress(len(plan.widths) * plan.n_seeds) as (advance, say):
        for d in plan.widths:
            recipe = plan.recipe_of(d, d_model)
            say(f"d={d}: {recipe}")
            together = superpose(
                original,
                d,
                seeds,
                recipe=recipe,
                checkpoint=plan.checkpoint,
                progress=partial(_tell, say, d, "step" if _trains_by_adam(recipe) else "attempt"),
            )
            for one in together:
                if plan.output is not None:
                    file = plan.file_of(d, one.seed, recipe)
                    CompressionReport.of(original, one).write(file)
                yield one
                advance()


def _tell(say: Callable[[str], None], d: int, unit: str, seed: int, number: int, text: str) -> None:
    """Say how an attempt ended."""
    say(f"d={d}, seed {seed}, {unit} {number:,}: {text}")


def _print_made(made: "Sequence[Superposed]") -> None:
    """Print a row for each run, and the reasons of those that do not pass."""
    heading = ["d", "Seed", "Passes", "Accuracy", "Least cosine", "Largest error", "Edges moved"]
    say = console().print
    say("")
    print_table([*heading, "Attempts", "Seconds"], list(map(_row, made)))
    for one in made:
        if not one.gate.passed:
            reasons = [shorten(reason, _LINE) for reason in one.gate.shortcomings]
            title = f"\nd={one.d}, seed={one.seed} does not pass:"
            say(listing(title, reasons, limit=_SHOWN), soft_wrap=True)


def _row(one: "Superposed") -> list[str]:
    """Return what is shown of a run."""
    gate = one.gate
    return [
        str(one.d),
        str(one.seed),
        "yes" if gate.passed else "no",
        f"{gate.quality.accuracy:.2%}",
        f"{gate.quality.cosine:.3f}",
        f"{gate.quality.error:.3f}",
        "" if gate.labels is None else str(len(gate.moved)),
        f"{one.attempts:,}",
        f"{one.seconds:.1f}",
    ]


def _print_ids(made: "Sequence[Superposed]", name: str | None) -> None:
    """Print by which ids the models that pass can be loaded, if they can."""
    say = console().print
    passed = [one for one in made if one.gate.passed]
    say(f"\n{len(passed)} of {counted(len(made), 'model')} can be tasks: their labels hold.")
    if not passed or name is None:
        return
    from .ground_truth.superposed import default_recipe

    loaded = [one for one in passed if one.recipe == default_recipe(*one.W.shape)]
    if loaded:
        say("These can be loaded:")
    for one in loaded:
        task = f"{name}/superposed[d={one.d},seed={one.seed}]"
        note = "  # stored, with another matrix" if _is_stored_otherwise(task, one) else ""
        say(f'  gb.load("{task}"){note}', soft_wrap=True)
    if len(loaded) < len(passed):
        d, d_model = passed[0].W.shape
        say(
            f"An id trains by the recipe {default_recipe(d, d_model)}, and not by "
            f"{passed[0].recipe}, so that it may stand for another model.",
            soft_wrap=True,
        )


def _is_stored_otherwise(task: str, one: "Superposed") -> bool:
    """Return whether an id stands for a matrix that is stored, and is not what was trained."""
    import numpy as np

    from .benchmark_programs import TaskId
    from .ground_truth.stored_compressions import stored_compression

    stored = stored_compression(str(TaskId.parse(task)))
    return stored is not None and not np.array_equal(stored, one.W)
