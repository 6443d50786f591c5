"""`glassbench problems`, `submit` and `validate`: answers handed in, and measured anew."""

import datetime
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .asked_tasks import Arm, Jobs, Results, TrackOption, asked_track
from .console import console, print_table, progress
from .errors import BundleError, GlassbenchError, listing
from .plurals import counted
from .whole_file import check_new_folder, check_place, write_whole

if TYPE_CHECKING:
    from .evaluators.result import Result
    from .evaluators.submission_folder import Submission
    from .evaluators.validation import Validation
    from .ground_truth import Task, ToyTask
    from .leaderboard import RawResult

REPORT, REPORT_JSON, RESULTS = "report.md", "report.json", "results"
VALIDATED = Path("glassbench-results/validated")

Suite = Annotated[str, typer.Option(help="The suite.")]
Authors = Annotated[list[str], typer.Option("--author", help="May be given again.")]


def submit(
    results: Results,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="SUBMISSION", help="A new folder.")
    ],
    suite: Annotated[str, typer.Option(help="The suite; results on other tasks are left out.")],
    author: Authors,
    licence: Annotated[str, typer.Option(help="Of the answers, such as CC-BY-4.0.")],
    contact: Annotated[str, typer.Option(help="Where questions go.")],
    method: Annotated[
        str | None,
        typer.Option(help="Whose results, where the folder has several: as leaderboards show it."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(help="What tables call it; its name in the results by default.")
    ] = None,
    version: Annotated[str | None, typer.Option(help="Of the method.")] = None,
    code: Annotated[str | None, typer.Option(metavar="URL", help="Where the code is.")] = None,
    description: Annotated[str | None, typer.Option(help="What the method does.")] = None,
    date: Annotated[
        datetime.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Of the submission.")
    ] = None,
    jobs: Jobs = 1,
) -> None:
    """Pack the results of a method, and their answers, as a submission."""
    from .evaluators.submission_packing import pack
    from .leaderboard import on_suite, read_raw_results

    check_new_folder(output)
    there = read_raw_results(results)
    asked = on_suite(there, suite)
    found = _of_method(asked, there, method, f"On tasks of {suite!r}, {results}")
    given = {"name": name, "version": version, "code": code, "description": description}
    about: dict[str, Any] = {key: value for key, value in given.items() if value is not None}
    about |= {"authors": tuple(author), "licence": licence, "contact": contact, "suite": suite}
    if date is not None:
        about["date"] = date.date()
    tasks = _suite_tasks(suite, jobs)
    with progress("Packing", len(found)) as advance:
        submission = pack(found, results, output, about, tasks, advance=advance)
    say = console().print
    say(f"Written: {counted(len(submission.record.runs), 'run')} in {output}", soft_wrap=True)
    if len(asked) < len(there):
        left_out = counted(len(there) - len(asked), "result")
        say(f"Left out: {left_out} on tasks that are not of the suite {suite!r}", soft_wrap=True)
    say(f"Check it:  glassbench validate {output}", soft_wrap=True)


def validate(
    submissions: Annotated[
        list[Path], typer.Argument(metavar="SUBMISSION", help="The folder of a submission.")
    ],
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="Where results and report go.")
    ] = VALIDATED,
    tasks: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Bundles of the tasks of a hold-out, once revealed."),
    ] = None,
    seeds: Annotated[
        int | None,
        typer.Option(min=1, help="Accept seeds 0 to SEEDS-1 alone; an organiser should say so."),
    ] = None,
    beside: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Submissions whose names are taken, a folder each."),
    ] = None,
    jobs: Jobs = 1,
) -> None:
    """Measure every answer of submissions from its bytes; write results and a report.

    Results go to DIR/results, which `glassbench leaderboard` ranks, and those of a submission with
    any problem go nowhere. Whatever else came from submissions is then removed there; results of
    sweeps stay. What submissions hold is read as data: nothing of it is run.
    """
    from .evaluators.submission_names import names_in
    from .evaluators.submitted_results import SubmittedResults
    from .evaluators.validation_report import ValidationReport
    from .leaderboard import read_results

    check_place(output)
    results = output / RESULTS
    there = read_results(results) if any(results.glob("*.json")) else ()
    earlier = SubmittedResults.among(results, there)
    taken = {} if beside is None else names_in(beside)
    measuring = _Measuring(tasks, seeds, jobs)
    read = {place: _read(place) for place in submissions}
    found: dict[Path, Validation] = {}
    names: dict[str, str] = {}
    # Who had a name in an earlier validation keeps it: these come first.
    for place in sorted(read, key=lambda place: _sha256(read[place]) not in earlier.submissions):
        others = {folder: name for folder, name in taken.items() if folder != place.name}
        one = measuring.validation(read[place]).beside(there, others | names)
        if one.accepted and one.submission is not None:
            one.write(results)
            names[str(place)] = one.submission.record.name
        found[place] = one
    ordered = [found[place] for place in read]
    report = ValidationReport.of(ordered)
    write_whole(report.to_json().encode(), output / REPORT_JSON)
    write_whole(report.to_markdown().encode(), output / REPORT)
    kept = [run.scored for one in ordered if one.accepted for run in one.runs]
    removed = earlier.remove_all_but(scored for scored in kept if scored is not None)
    _tell(ordered, output, removed)


def problems(
    suite: Suite,
    output: Annotated[
        Path, typer.Option("-o", "--output", metavar="DIR", help="A new folder for the problems.")
    ],
    track: TrackOption = "circuit",
    arm: Arm = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many problems each task poses.")] = 1,
    jobs: Jobs = 1,
) -> None:
    """Write the problems of a suite, to be answered where Glassbench is not."""
    from .evaluators.problem_index import write_problems

    asked = asked_track(track, arm)
    check_new_folder(output)
    index = write_problems(asked, _suite_tasks(suite, jobs), output, seeds=seeds)
    count = counted(len(index.problems), "problem")
    console().print(f"Written: {count} in {output}", soft_wrap=True)


def _of_method(
    found: "Sequence[RawResult]", there: "Sequence[RawResult]", method: str | None, where: str
) -> "list[Result]":
    """Return the results of one method.

    Args:
        found: the results that can be taken.
        there: those of the whole folder: a method may be called otherwise among them.
        method: what leaderboards of either call it, or its tool; `None` where there is but one.
        where: what messages call the place of the results.

    Raises:
        BundleError: there are none, or they are of several methods.
    """
    from .leaderboard.entries import Entries

    names, everywhere = Entries.of(found).methods, Entries.of(there).methods
    taken = [
        one
        for one in found
        if method in (None, one.result.tool, names[one.name], everywhere[one.name])
    ]
    if not taken:
        shown = ", ".join(sorted({names[one.name] for one in found}))
        raise BundleError(f"{where} must hold results of {method!r}, and holds those of {shown}")
    several = sorted({names[one.name] for one in taken})
    if len(several) > 1:
        heading = (
            "A submission is of one method with one choice of settings; say which by --method:"
        )
        raise BundleError(listing(heading, several))
    return [one.result for one in taken]


@dataclass(frozen=True)
class _Measuring:
    """How submissions are measured.

    Attributes:
        tasks: where the bundles of a hold-out are.
        seeds: how many problems of each task may be answered.
        jobs: how many processes work.
        made: the tasks that are made so far, by suite or folder.
    """

    tasks: Path | None
    seeds: int | None
    jobs: int
    made: "dict[str, Sequence[Task | ToyTask]]" = field(default_factory=dict)

    def validation(self, read: "Submission | Validation") -> "Validation":
        """Return what becomes of a submission; what could not be read is refused already."""
        from .evaluators.validation import Validation, validated

        if isinstance(read, Validation):
            return read
        record = read.record
        try:
            asked = _asked_tasks(record.suite, self.tasks, self.made, self.jobs)
            with progress("Measuring", len(record.runs)) as advance:
                return validated(read, asked, seeds=self.seeds, jobs=self.jobs, advance=advance)
        except GlassbenchError as error:
            return Validation(read.folder.name, None, problems=(str(error),))


def _read(place: Path) -> "Submission | Validation":
    """Return a submission, or why it is refused before anything is measured."""
    from .evaluators.submission_folder import read_submission
    from .evaluators.validation import Validation

    try:
        return read_submission(place)
    except GlassbenchError as error:
        return Validation(place.name, None, problems=(str(error),))


def _sha256(read: "Submission | Validation") -> str | None:
    """Return the digest of the record of a submission; `None` where it could not be read."""
    return getattr(read, "sha256", None)


def _asked_tasks(
    suite: str | None,
    place: Path | None,
    made: "dict[str, Sequence[Task | ToyTask]]",
    jobs: int,
) -> "Sequence[Task | ToyTask]":
    """Return the tasks that a submission answers, made once for all submissions."""
    if suite is None and place is None:
        raise BundleError("It names no suite: give the tasks of its hold-out with --tasks")
    if suite is not None and place is not None:
        raise BundleError(f"It names the suite {suite!r}, and --tasks is for those that name none")
    key = suite or str(place)
    if key not in made and suite is not None:
        made[key] = _suite_tasks(suite, jobs)
    elif key not in made and place is not None:
        made[key] = _bundle_tasks(place, jobs)
    return made[key]


def _suite_tasks(suite: str, jobs: int) -> "list[Task | ToyTask]":
    """Return all tasks of a suite."""
    from .benchmark_programs import suite_members
    from .ground_truth import load

    return _in_parallel(load, suite_members(suite), jobs)


def _bundle_tasks(folder: Path, jobs: int) -> "list[Task | ToyTask]":
    """Return the tasks of all bundles in a folder."""
    from .ground_truth import load_bundle
    from .ground_truth.bundle_task import is_bundle

    places = sorted(filter(is_bundle, folder.glob("*")))
    if not places:
        raise BundleError(f"{folder} must hold bundles, and holds none; reveal the hold-out there")
    return _in_parallel(load_bundle, places, jobs)


def _in_parallel(
    make: "Callable[..., Task | ToyTask]", names: Sequence[Any], jobs: int
) -> "list[Task | ToyTask]":
    """Make tasks, in this process where one works alone, so that they are kept."""
    from joblib import Parallel, delayed

    found = []
    with progress("Compiling and certifying", len(names)) as advance:
        parallel = Parallel(n_jobs=jobs, return_as="generator", batch_size=1)
        for task in parallel(delayed(make)(name) for name in names):
            found.append(task)
            advance()
    return found


def _tell(found: "Sequence[Validation]", output: Path, removed: int) -> None:
    """Show what became of submissions.

    Raises:
        BundleError: one is refused.
    """
    print_table(["Name", "Runs", "Answered", "Problems", "Verdict"], [_row(one) for one in found])
    say = console().print
    say(f"\nWritten: {output / REPORT}", soft_wrap=True)
    if removed:
        gone = f"{counted(removed, 'result')} of submissions that are not accepted now"
        say(f"Removed: {gone}, in {output / RESULTS}", soft_wrap=True)
    if any(one.accepted for one in found):
        say(f"Rank them:  glassbench leaderboard {output / RESULTS}", soft_wrap=True)
    refused = [f"{one.place}: {text}" for one in found for text in one.problems]
    if refused:
        raise BundleError(listing("These submissions are refused:", refused))


def _row(one: "Validation") -> list[str]:
    """Return what is shown of a submission."""
    name = one.place if one.submission is None else one.submission.record.name
    answered = sum(result.status == "ok" for result in one.results)
    verdict = "accepted" if one.accepted else "refused"
    numbers = (len(one.runs), answered, len(one.problems))
    return [name, *(f"{number:,}" for number in numbers), verdict]
