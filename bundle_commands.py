"""`glassbench build`, `verify` and `download`: tasks as bundles, and whether labels hold."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from .asked_tasks import Jobs, TaskName
from .console import byte_progress, console, print_table, progress
from .errors import BundleError, CertificationError, TaskError, listing
from .plurals import counted
from .whole_file import check_file, write_whole

if TYPE_CHECKING:
    from .benchmark_programs import TaskId
    from .compiler import CompiledModel
    from .ground_truth import Bundle, CircuitLabels


def build(
    task: Annotated[list[str] | None, typer.Argument(metavar="[TASK...]", help="Tasks.")] = None,
    suite: Annotated[str | None, typer.Option(help="All tasks of a suite.")] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="DIR", help="Where the bundles go: else glassbench-bundles."
        ),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="Without labels and program: what a tool may see.")
    ] = False,
    folders: Annotated[
        bool, typer.Option("--folders", help="As folders instead of zip files.")
    ] = False,
    registry: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where they go with a registry.json, to be served."),
    ] = None,
    jobs: Jobs = 1,
) -> None:
    """Compile tasks, make and certify all their labels, and write them as bundles.

    A bundle that is there already is made again, and replaced if it differs. With --registry
    any server of files can serve the folder, and `glassbench download` takes it from there.
    """
    from .ground_truth.bundle_building import build_bundles, registered, write_registry

    if registry and folders:
        raise typer.BadParameter("bundles are served as zips", param_hint="--folders")
    if registry and output:
        raise typer.BadParameter("the bundles go to --registry, or to -o", param_hint="--output")
    place = registry or output or Path("glassbench-bundles")
    tasks = _asked_for(task or [], suite)
    if registry:
        registered(registry)  # a file that is no registry is told of before long work begins
    made = []
    with progress("Building", len(tasks)) as advance:
        for built in build_bundles(tasks, place, public=public, folders=folders, jobs=jobs):
            made.append(built)
            advance()
    rows = [[one.id, f"{one.size:,}", one.digest, one.path.name] for one in made]
    print_table(["Task", "Bytes", "Digest", "File"], rows)
    say = console().print
    say(f"\n{counted(len(rows), 'bundle')} in {place}", soft_wrap=True)
    if registry:
        say(f"Registry: {write_registry(made, place)}", soft_wrap=True)


def download(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TASK...]", help="Tasks; all of the registry if none."),
    ] = None,
    *,
    source: Annotated[
        str, typer.Option("--from", metavar="URL", help="The registry: a URL, a file or a folder.")
    ],
    suite: Annotated[str | None, typer.Option(help="All tasks of a suite.")] = None,
    offline: Annotated[
        bool, typer.Option("--offline", help="Only from the cache; nothing is fetched.")
    ] = False,
    retries: Annotated[int, typer.Option(min=0, help="Of each interrupted transfer.")] = 3,
    jobs: Annotated[int, typer.Option(min=1, help="How many files at once.")] = 4,
) -> None:
    """Fetch bundles of a registry into the cache, each checked by size and sha256."""
    from .ground_truth import download as fetch
    from .ground_truth import read_bundle

    with byte_progress("Downloading") as advance:
        paths = fetch(
            source, _ids(names, suite), offline=offline, retries=retries, jobs=jobs, advance=advance
        )
    if not paths:
        raise BundleError(f"{source} holds no bundles; name another registry with --from")
    bundles = [read_bundle(path) for path in paths]
    rows = [[one.manifest.id, f"{one.place.stat().st_size:,}", one.digest] for one in bundles]
    print_table(["Task", "Bytes", "Digest"], rows)
    say = console().print
    say(f"\n{counted(len(rows), 'bundle')}, each whole:")
    for bundle in bundles:
        say(f"  {bundle.place}  {bundle.manifest.id}", soft_wrap=True)


def _ids(names: list[str] | None, suite: str | None) -> list[str] | None:
    """Return the ids of tasks that are asked for; `None` for all."""
    from .benchmark_programs import TaskId, get_suite

    if not names and suite is None:
        return None
    ids = [name if "@" in name else str(TaskId.parse(name)) for name in names or ()]
    return ids + [str(task) for task in get_suite(suite)] if suite is not None else ids


def _asked_for(names: list[str], suite: str | None) -> "list[TaskId]":
    """Return the tasks that are named, each once."""
    from .benchmark_programs import TaskId, get_suite

    tasks = [TaskId.parse(name) for name in names]
    if suite is not None:
        tasks += get_suite(suite)
    if not tasks:
        raise TaskError("There must be a task to build: name some, or a suite with --suite.")
    return list(dict.fromkeys(tasks))


def verify(
    task: TaskName,
    labels: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Labels to verify, instead of new ones.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="Write the verified labels here, as JSON."
        ),
    ] = None,
) -> None:
    """Replay every certificate of a task on its weights; make all of a bundle again."""
    from .ground_truth.bundle_task import task_or_bundle

    if output is not None:
        check_file(output)
    asked = task_or_bundle(task)
    if labels is not None:
        given = _given_labels(asked, labels)
    elif isinstance(asked, Path):
        given = _verified_bundle(asked)
    else:
        given = _new_labels(asked)
    from .ground_truth.task_tables import certificate_counts

    print_table(*certificate_counts(given))
    say = console().print
    say(f"\n{given.task}: all {len(given.edges)} certificates hold on these weights.")
    bases = given.sufficiency.n_bases
    changed = given.sufficiency.n_changed or "none"
    say(f"All edges but the causal ones interchanged at once change {changed} of {bases} bases.")
    if output is not None:
        say(f"Written: {write_whole(given.to_json().encode(), output)}", soft_wrap=True)


def _verified_bundle(place: Path) -> "CircuitLabels":
    """Return the labels of a bundle of which everything is as it should be."""
    from .ground_truth import read_bundle, verify, verify_bundle

    bundle = read_bundle(place)
    labels = bundle.labels
    console().print(f"{bundle.manifest.id}\ndigest {bundle.digest}", soft_wrap=True)
    with progress("Making everything again"):
        problems = verify_bundle(bundle) or verify(bundle.compiled, labels, _last_regime(bundle))
    if problems:
        raise BundleError(listing(f"{place} is not what its program gives:", problems))
    training = bundle.all_labels.training
    but = "" if training is None else ", but for how its model came about, which none can check"
    say = f"Each of its {len(bundle.contents)} files is made again, byte for byte{but}."
    console().print(f"{say}\n", soft_wrap=True)
    return labels


def _new_labels(task: "TaskId") -> "CircuitLabels":
    """Return labels that hold for a task, made here."""
    from .benchmark_programs.task_id import last_regime
    from .ground_truth import load
    from .ground_truth.verify_training import verify_training

    with progress(f"Certifying {task}"):
        loaded = load(task)
        problems = [] if loaded.training is None else verify_training(loaded)
    if problems:
        raise CertificationError(listing(f"The measures do not hold for {task}:", problems))
    return _replayed(loaded.compiled, loaded.labels, str(task), last_regime(task.regimes))


def _given_labels(asked: "TaskId | Path", file: Path) -> "CircuitLabels":
    """Return the labels of a file, which hold for a task or for the model of a bundle."""
    from .benchmark_programs.task_id import SUPERPOSED, TRAINED, last_regime
    from .ground_truth import CircuitLabels, build_model, load, load_bundle

    given = CircuitLabels.read(file)
    if isinstance(asked, Path):
        task = load_bundle(asked)
        return _replayed(task.compiled, given, str(asked), last_regime(task.id.regimes))
    last = last_regime(asked.regimes)
    compiled = load(asked).compiled if last in (SUPERPOSED, TRAINED) else build_model(asked)
    return _replayed(compiled, given, str(asked), last)


def _last_regime(bundle: "Bundle") -> str:
    """Return the last regime that the model of a bundle went through."""
    from .benchmark_programs.task_id import EXACT

    regimes = bundle.manifest.regimes
    return regimes[-1].name if regimes else EXACT


def _replayed(
    compiled: "CompiledModel", labels: "CircuitLabels", name: str, regime: str
) -> "CircuitLabels":
    """Return labels of which every certificate holds for a model."""
    from .ground_truth import verify

    with progress("Replaying every certificate"):
        problems = verify(compiled, labels, regime)
    if problems:
        raise CertificationError(listing(f"The labels do not hold for {name}:", problems))
    return labels
