"""The command line: what the folders do, verb by verb.

Tables go to standard output; progress and errors go to standard error. An error
that a user can mend is told in words and ends with exit code 1, a wrong call of
the command with 2.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperGroup

from .asked_tasks import Arm, Seed, TaskName, asked_track, check_picture, load_all
from .bundle_commands import build, download, verify
from .cite_command import cite
from .compile_command import compile_file
from .compress_command import compress
from .console import console, print_table
from .errors import BundleError, GlassbenchError, TaskError, listing
from .faithfulness_command import faithfulness
from .holdout_command import app as holdout_app
from .holdout_command import sample
from .leaderboard_command import HOME, leaderboard, print_files, print_ranking, print_standings
from .problem_command import write_problem_of
from .program_commands import check, list_everything, said_of
from .rescore_command import rescore
from .score_command import (
    Address,
    Again,
    Answers,
    Backend,
    Command,
    MemoryLimit,
    RetryFailed,
    Seeds,
    SweepJobs,
    SweepOptions,
    TimeLimit,
    ToolName,
    Tracks,
    asked_methods,
    asked_tools,
    asked_tracks,
    check_some_posed,
    swept,
    where_written,
)
from .splice_command import splice
from .submission_commands import problems, submit, validate
from .train_command import train
from .whole_file import writable_folder

if TYPE_CHECKING:
    from .ground_truth import Task


class _PlainErrors(TyperGroup):
    """Tells errors that a user can mend in words, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except GlassbenchError as error:
            message = str(error)
        except OSError as error:
            if error.filename is None:
                raise
            message = f"{error.filename}: {error.strerror}"
        console(stderr=True).print(message, style="red", soft_wrap=True)
        raise typer.Exit(1)


app = typer.Typer(
    cls=_PlainErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Transformers whose insides are known, to score interpretability tools against.",
)


def _print_version(asked: bool) -> None:
    if asked:
        from . import __version__

        console().print(f"glassbench {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    pass


@app.command()
def quickstart(
    output: Annotated[Path, typer.Option("-o", "--output", help="Where everything goes.")] = HOME,
    suite: Annotated[str, typer.Option(help="The tasks.")] = "quick",
) -> None:
    """Compile and certify a suite, score the built-in methods, rank them, write it all."""
    from .benchmark_programs import get_suite, suite_measures
    from .evaluators import built_in
    from .ground_truth.task_tables import suite_table
    from .leaderboard import write_leaderboard

    folder = writable_folder(output / "results")
    started = time.perf_counter()
    tasks = load_all(get_suite(suite))
    track = asked_track("circuit", None)
    methods = list(built_in(track.name).values())
    _check_others(folder, tasks, [method.name for method in methods])
    certified = time.perf_counter()
    print_table(*suite_table(tasks))
    say = console().print
    say(f"\n{len(tasks)} tasks compiled and certified in {certified - started:.1f} s\n")
    options = SweepOptions(again=True)
    done = swept(methods, tasks, [track], options, folder=folder, suite=suite)
    board = write_leaderboard(folder, output)
    print_ranking(board.statistics.standings)
    for problem in suite_measures(suite).shortcomings:
        say(f"Do not rank methods on the suite {suite!r}: {problem}.", soft_wrap=True)
    seconds = time.perf_counter() - certified
    say(f"\n{len(done.results)} runs scored and ranked in {seconds:.1f} s. Written:")
    say(f"  {folder}{os.sep}", soft_wrap=True)
    print_files(board)
    say("\nA method of your own is a function from a problem to a number for each edge; score it,")
    say(
        f"then rank all:  glassbench score my_module:my_function -o {folder}  &&  "
        f"glassbench leaderboard {folder} -o {output}",
        soft_wrap=True,
    )
    done.check_answered()


def _check_others(folder: Path, tasks: "Sequence[Task]", methods: Sequence[str]) -> None:
    """Check that results that a run leaves in place can be ranked together with it."""
    from .evaluators.result import result_file_name
    from .leaderboard import read_results

    if not any(folder.glob("*.json")):
        return
    known = {(str(task.id), task.labels.weights) for task in tasks}
    replaced = {
        result_file_name(name, {}, str(task.id), "circuit", 0) for name in methods for task in tasks
    }
    problems = [
        f"{result.file_name}: {result.tool} on {result.task}"
        for result in read_results(folder)
        if result.track == "circuit"
        and result.file_name not in replaced
        and (result.task, result.task_digest) not in known
    ]
    if problems:
        raise BundleError(
            listing(
                f"{folder} holds results of other tasks or versions, which cannot be ranked with "
                "this suite; remove them, or choose another folder with -o:",
                problems,
            )
        )


@app.command()
def show(
    task: TaskName,
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the circuit as .svg or .png.")
    ] = None,
    inert: Annotated[bool, typer.Option(help="With inert edges.")] = True,
    explain: Annotated[
        bool, typer.Option(help="Tell what each stage of the compiler did.")
    ] = False,
) -> None:
    """Show a task: what its program says of itself, its model and circuit; and draw the circuit."""
    from .benchmark_programs import ProgramSpec
    from .ground_truth import ToyTask
    from .ground_truth.bundle_task import named_task
    from .ground_truth.circuit_picture import write_circuit
    from .ground_truth.task_tables import circuit_table, program_table
    from .ground_truth.toy_superposition_task import toy_table

    check_picture(picture)
    (loaded,) = load_all([named_task(task)])
    if isinstance(loaded, ToyTask):
        if picture is not None or explain:
            raise TaskError(f"{loaded.id} has no circuit to draw or explain; show it without both")
        console().print(f"{loaded}\n", soft_wrap=True)
        print_table(*toy_table(loaded))
        return
    codec = loaded.compiled.model.codec
    say = console().print
    say(str(loaded))
    tokens = " ".join(map(str, codec.tokens.values))
    say(f"tokens: {tokens}; up to {codec.max_length} of them")
    if isinstance(loaded.id.spec, ProgramSpec):
        for line in said_of(loaded.id.spec):
            say(line)
    say("\nProgram", style="bold underline")
    print_table(*program_table(loaded))
    say("\nCircuit", style="bold underline")
    print_table(*circuit_table(loaded, inert=inert))
    if explain:
        say(f"\n{loaded.compiled.explain()}", soft_wrap=True)
    if picture is not None:
        say(f"\nWritten: {write_circuit(loaded, picture, inert=inert)}", soft_wrap=True)


app.command("compile")(compile_file)
app.command()(compress)
app.command()(train)
app.command()(splice)
app.command("list")(list_everything)
app.command()(check)
app.command()(build)
app.command()(download)
app.command()(verify)
app.command()(rescore)
app.command()(cite)
app.command()(problems)
app.command()(submit)
app.command()(validate)
app.command()(faithfulness)
app.command("problem")(write_problem_of)
app.command()(sample)
app.add_typer(holdout_app, name="holdout")


@app.command()
def score(
    methods: Annotated[
        list[str] | None,
        typer.Argument(metavar="METHOD", help="Built-in names or module:function."),
    ] = None,
    suite: Annotated[str | None, typer.Option(help="All tasks of a suite (quick).")] = None,
    task: Annotated[
        list[str] | None, typer.Option(help="A task, or a bundle; may be given again.")
    ] = None,
    track: Tracks = None,
    arm: Arm = None,
    command: Command = None,
    answer: Answers = None,
    tool_name: ToolName = None,
    time_limit: TimeLimit = 600.0,
    memory_limit: MemoryLimit = 4096.0,
    seed: Seed = 0,
    seeds: Seeds = 1,
    jobs: SweepJobs = 1,
    backend: Backend = "local",
    address: Address = None,
    again: Again = False,
    retry_failed: RetryFailed = False,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="RESULTS", help="The folder of results."),
    ] = None,
) -> None:
    """Score methods, and tools in any language, on a suite, or on single tasks.

    On a suite, results go to glassbench-results/results unless told otherwise; on
    single tasks they are written only where -o says. Results that are there are
    kept, so that what was stopped goes on.
    """
    from .benchmark_programs import suite_members
    from .ground_truth.bundle_task import named_task

    if suite and task:
        raise typer.BadParameter("choose --suite or --task, not both", param_hint="--task")
    limits = {"time_limit": time_limit, "memory_limit": memory_limit}
    tools = asked_tools(command, answer, tool_name, tasks=task, **limits)
    found, tracks = asked_methods(methods or [], tools), asked_tracks(track, arm)
    asked = [*map(named_task, task)] if task else [*suite_members(suite or "quick")]
    check_some_posed(tracks, asked)
    folder = output if task or output else HOME / "results"
    options = SweepOptions(range(seed, seed + seeds), jobs, backend, address, again, retry_failed)
    learned = None if task else suite or "quick"
    done = swept(found, asked, tracks, options, folder=folder, suite=learned)
    for result in done.results if task else ():
        if result.status == "ok":
            console().print(f"{result.tool} on {result.task}:  {result}", soft_wrap=True)
    for asked_question in () if task else tracks:
        if any(asked_question.name == result.track for result in done.results):
            print_standings(done.results, asked_question)
    if folder is not None:
        console().print(where_written(done.report), soft_wrap=True)
    done.check_answered()


app.command()(leaderboard)
