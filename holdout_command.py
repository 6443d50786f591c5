"""`glassbench sample` and `glassbench holdout`: fresh tasks, and commitments to them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .asked_tasks import Arm, Jobs, TrackOption, asked_track
from .console import console, print_table, progress
from .errors import BundleError, CertificationError, GlassbenchError, listing
from .plurals import counted
from .whole_file import check_new_folder, check_place

if TYPE_CHECKING:
    from .ground_truth import Sample, Task

app = typer.Typer(
    no_args_is_help=True,
    help="Commit to fresh tasks that nobody has seen, and reveal them later.",
)

Number = Annotated[int, typer.Option("-n", "--n", min=1, help="How many tasks.")]
Level = Annotated[str, typer.Option(help="easy, medium or hard.")]
Regimes = Annotated[str, typer.Option(help="As in task ids; each task has seeds of its own.")]
Folder = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="DIR", help="Write the tasks here.")
]
REGIMES = "crowded/scrambled"


def sample(
    seed: Annotated[int, typer.Option(min=0, help="Draws the programs.")] = 0,
    n: Number = 10,
    difficulty: Level = "medium",
    regimes: Regimes = REGIMES,
    jobs: Jobs = 1,
    output: Folder = None,
) -> None:
    """Draw fresh tasks: random programs, compiled and certified; with -o, write them."""
    from .ground_truth import sample_tasks

    if output is not None:
        check_new_folder(output)
    with progress("Drawing and certifying", n) as advance:
        found = sample_tasks(seed, n, difficulty, regimes=regimes, jobs=jobs, advance=advance)
    _show(found, output)


@app.command()
def commit(
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="FILE", help="Where the secret goes.")
    ],
    commitment: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Where the commitment goes; by default beside it."),
    ] = None,
    n: Number = 100,
    difficulty: Level = "medium",
    regimes: Regimes = REGIMES,
    seed: Annotated[
        int | None, typer.Option(min=0, help="A seed of your own, 2**64 or more; drawn by default.")
    ] = None,
    jobs: Jobs = 1,
) -> None:
    """Draw a secret seed and its tasks; write it to a private file, and what to publish."""
    from .ground_truth import holdout

    if not output.name:
        raise typer.BadParameter(f"must be a file, got {output}", param_hint="--output")
    public = commitment or output.with_name(f"{output.stem}.commitment.json")
    _check_new(output, public)
    with progress("Drawing and certifying", n) as advance:
        secret = holdout.commit(
            n, difficulty, regimes=regimes, seed=seed, jobs=jobs, advance=advance
        )
    secret.write(output)
    try:
        secret.commitment.write(public)
    except GlassbenchError:
        output.unlink()  # a secret without its commitment is of no use
        raise
    say = console().print
    say(secret.commitment.commitment, soft_wrap=True)
    say(f"\nPublish: {public}", soft_wrap=True)
    say(f"Keep secret until the reveal: {output}", soft_wrap=True)


@app.command()
def problems(
    secret: Annotated[Path, typer.Argument(metavar="SECRET", help="The secret file.")],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="A new folder for the problems.")
    ],
    track: TrackOption = "circuit",
    arm: Arm = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many problems each task poses.")] = 1,
    jobs: Jobs = 1,
) -> None:
    """Write the problems of the tasks of a secret, to hand out before the reveal.

    Each is a folder that bears the problem's id, and nothing tells of its task.
    """
    from .evaluators.problem_index import write_problems
    from .ground_truth import holdout

    asked, kept = asked_track(track, arm), holdout.Secret.read(secret)
    check_new_folder(output)
    with progress("Drawing and certifying", kept.n) as advance:
        tasks = holdout.reveal(kept, kept.commitment, jobs=jobs, advance=advance).tasks
    index = write_problems(asked, tasks, output, seeds=seeds, names=False)
    say = console().print
    say(f"Written: {counted(len(index.problems), 'problem')} in {output}", soft_wrap=True)
    left = len(tasks) - len(index.problems) // seeds
    if left:
        say(f"The {asked.name} track cannot ask about {counted(left, 'task')}.", soft_wrap=True)


@app.command()
def reveal(
    secret: Annotated[Path, typer.Argument(metavar="SECRET", help="The secret file.")],
    commitment: Annotated[Path, typer.Option(metavar="FILE", help="What was published.")],
    jobs: Jobs = 1,
    output: Folder = None,
) -> None:
    """Check a secret against its commitment, and list its tasks; with -o, write them."""
    from .ground_truth import holdout

    kept, published = holdout.Secret.read(secret), holdout.Commitment.read(commitment)
    holdout.check_reveal(kept, published)
    if output is not None:
        check_new_folder(output)
    console().print(f"The secret is what was committed to: {published.commitment}", soft_wrap=True)
    with progress("Drawing and certifying", kept.n) as advance:
        found = holdout.reveal(kept, published, jobs=jobs, advance=advance)
    console().print("")
    _show(found, output)


def _check_new(*files: Path) -> None:
    """Refuse files that are there or cannot be written, before long work begins."""
    there = [f"{file}" for file in files if file.exists()]
    if len(set(files)) < len(files):
        raise typer.BadParameter("must not be the file of the secret", param_hint="--commitment")
    if there:
        raise BundleError(listing("These files are never written over; move them:", there))
    for file in files:
        check_place(file)


def _show(found: "Sample", output: Path | None) -> None:
    """Print the tasks, write them, and raise if some labels could not be certified."""
    rows = [_row(task) for task in found.tasks]
    print_table(["Task", "Weights", "Edges", "Causal", "Heads", "Layers"], rows)
    console().print(f"\n{looked_at(found)}", soft_wrap=True)
    if output is not None:
        from .ground_truth import write_bundle

        for task in found.tasks:
            write_bundle(task, output / task.id.name)
        console().print(f"Written: {output}", soft_wrap=True)
    if found.report.failures:
        heading = "Program and weights differ on these candidates, which is a bug:"
        raise CertificationError(listing(heading, found.report.failures))


def looked_at(found: "Sample") -> str:
    """Return how many candidates there were, and why others were not taken, the commonest first."""
    report = found.report
    lines = [f"{counted(len(found.tasks), 'task')} of {counted(report.draws, 'candidate')}"]
    reasons = sorted(report.rejected.items(), key=lambda pair: (-pair[1], pair[0]))
    lines += [f"{number:>6,}  {reason}" for reason, number in reasons]
    if report.joint:
        lines.append(f"Edges matter only together in: {', '.join(report.joint)}")
    return "\n".join(lines)


def _row(task: "Task") -> list[str]:
    """Return what is shown of a task."""
    from .ground_truth import measure

    measured = measure(task)
    numbers = (len(task.labels.edges), measured.causal, measured.circuit_heads, measured.layers)
    return [measured.task, measured.weights, *(f"{number:,}" for number in numbers)]
