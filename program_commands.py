"""`glassbench list` and `glassbench check`: what there is, and whether it keeps the rules."""

import json
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Annotated, Any, TypeGuard

import typer

from .console import console, print_table, progress
from .errors import GlassbenchError, TaskError
from .plurals import counted

if TYPE_CHECKING:
    from .benchmark_programs import Finding, ProgramSpec, TaskId
    from .benchmark_programs.feature_measures import FeatureMeasures
    from .benchmark_programs.relevance_measures import RelevanceMeasures

    Traits = tuple[str, ...]

CHECKED_REGIMES = ("", "/crowded/scrambled")


def list_everything(
    tag: Annotated[
        list[str] | None, typer.Option(help="Only with this tag or trait; may be given again.")
    ] = None,
    family: Annotated[str | None, typer.Option(help="Only of this family.")] = None,
    suite: Annotated[
        str | None, typer.Option(help="The tasks of a suite, and what was measured of them.")
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            help="tiny, small, medium or large. Every program has all four: this one is shown, "
            "else small, or all with --json. With --suite: only the tasks in this size."
        ),
    ] = None,
    tags: Annotated[
        bool, typer.Option("--tags", help="The tags and traits of what would be listed instead.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List programs by family, tag or suite; without filters the suites too."""
    if _is_of_toys(suite):
        _list_toys(suite, has_filters=bool(tag or family or size or tags), as_json=as_json)
        return
    _check_size(size, has_one_size=tags and suite is None)
    specs = _specs(family)
    tasks = [] if suite is None else _tasks(suite, size)
    if suite is not None:
        names = {task.name for task in tasks}
        specs = [spec for spec in specs if spec.name in names]
    if tag:
        specs = _having(specs, tag)
    if tags:
        _list_tags(specs, as_json=as_json)
    elif suite is not None:
        names = {spec.name for spec in specs}
        _list_tasks([task for task in tasks if task.name in names], suite, as_json=as_json)
    elif as_json:
        _print_json([_record(spec, seen, size) for spec, seen in _with_traits(specs)])
    else:
        _list_programs(specs, size or "small")
        if tag is None and family is None:
            _list_suites()


def _is_of_toys(suite: str | None) -> TypeGuard[str]:
    """Return whether a suite holds toy models."""
    from .benchmark_programs import TOY_SUITES

    return suite in TOY_SUITES


def _list_toys(suite: str, *, has_filters: bool, as_json: bool) -> None:
    """Print the toy models of a suite."""
    from dataclasses import asdict

    from .benchmark_programs import TOY_SUITES

    if has_filters:
        raise typer.BadParameter(
            "toy models have no tags, families and sizes; leave the other options out",
            param_hint="--suite",
        )
    toys = TOY_SUITES[suite].members
    if as_json:
        _print_json([{"task": str(toy), **asdict(toy)} for toy in toys])
        return
    rows = [[str(toy), str(toy.n), str(toy.d), f"{toy.sparsity} %"] for toy in toys]
    print_table(["Task", "Features", "Dimensions", "Sparsity"], rows)
    console().print(f"\n{counted(len(rows), 'toy model')}, for the features track")


def _check_size(size: str | None, *, has_one_size: bool) -> None:
    """Refuse a size that does not exist, or that would change nothing."""
    from .benchmark_programs import Sizes

    if size is None:
        return
    if size not in Sizes._fields:
        raise typer.BadParameter(f"must be one of {', '.join(Sizes._fields)}", param_hint="--size")
    if has_one_size:
        raise typer.BadParameter(
            "every program has every size, with the same tags; give --suite too, or leave it out",
            param_hint="--size",
        )


def _specs(family: str | None) -> "list[ProgramSpec]":
    """Return all programs, or those of one family."""
    from .benchmark_programs import programs, unknown_name

    specs = list(programs().values())
    families = {spec.family for spec in specs}
    if family is not None and family not in families:
        raise TaskError(unknown_name("family", family, families))
    return [spec for spec in specs if family in (None, spec.family)]


def _tasks(suite: str, size: str | None) -> "list[TaskId]":
    """Return the tasks of a suite, or those in the size that their programs call so."""
    from .benchmark_programs import get_suite

    return [
        task
        for task in get_suite(suite)
        if size is None or (task.vocab, task.length) == getattr(task.spec.sizes, size)
    ]


def _traits_or_error(spec: "ProgramSpec") -> "Traits | str":
    """Return the traits of a program, or in a line why its expression cannot be built."""
    from .benchmark_programs import traits

    try:
        return traits(spec)
    except Exception as error:  # noqa: BLE001 - whatever a program of others raises
        told = str(error) if isinstance(error, GlassbenchError) else repr(error)
        return " ".join(told.split())


def _with_traits(
    specs: "Iterable[ProgramSpec]", *, warn: bool = True
) -> "list[tuple[ProgramSpec, Traits]]":
    """Return programs with their traits; one that cannot be built is told and left out."""
    found = []
    for spec in specs:
        seen = _traits_or_error(spec)
        if not isinstance(seen, str):
            found.append((spec, seen))
        elif warn:
            console(stderr=True).print(
                f"{spec.id} is left out, since its expression cannot be built: {seen}; "
                f"see: glassbench check {spec.name}",
                style="yellow",
                soft_wrap=True,
            )
    return found


def _having(specs: "list[ProgramSpec]", wanted: list[str]) -> "list[ProgramSpec]":
    """Return the programs that have all of these tags and traits."""
    found = [spec for spec, seen in _with_traits(specs) if set(wanted) <= {*spec.tags, *seen}]
    if not found:
        _refuse_unknown(wanted)
    return found


def _refuse_unknown(wanted: list[str]) -> None:
    """Raise if no program at all has one of these tags and traits."""
    from .benchmark_programs import programs, unknown_name

    specs = programs().values()
    known = {tag for spec in specs for tag in spec.tags}
    known |= {trait for _, seen in _with_traits(specs, warn=False) for trait in seen}
    for name in wanted:
        if name not in known:
            raise TaskError(unknown_name("tag", name, known))


def _record(spec: "ProgramSpec", seen: "Traits", size: str | None) -> dict[str, Any]:
    """Return what is said of a program in one size or in all, as JSON holds it."""
    said = ("id", "family", "description", "why", "citation", "tags", "control", "licence")
    sizes = {
        name: {"vocab": vocab, "length": length}
        for name, (vocab, length) in spec.sizes._asdict().items()
        if size in (None, name)
    }
    return {name: getattr(spec, name) for name in said} | {"traits": seen, "sizes": sizes}


def said_of(spec: "ProgramSpec") -> list[str]:
    """Return what a program says of itself beside its description, one line each."""
    lines = [f"why: {spec.why}"]
    lines += [f"control: {spec.control}"] if spec.control else []
    lines += [f"from {spec.citation}"] if spec.citation else []
    seen = _traits_or_error(spec)
    traits = f"unknown: {seen}" if isinstance(seen, str) else ", ".join(seen) or "none"
    lines.append(f"family: {spec.family}; tags: {', '.join(spec.tags) or 'none'}; traits: {traits}")
    sizes = [f"{name} {vocab} x {n}" for name, (vocab, n) in spec.sizes._asdict().items()]
    lines.append(f"sizes, tokens x length: {', '.join(sizes)}")
    lines.append(f"licence: {spec.licence}")
    return lines


def _print_json(records: list[dict[str, Any]]) -> None:
    console().print(json.dumps(records, indent=1), soft_wrap=True)


def _list_programs(specs: "list[ProgramSpec]", size: str) -> None:
    """Print a row for each program, with one of its sizes."""
    rows = []
    for spec in specs:
        sizes = map(str, getattr(spec.sizes, size))
        rows.append([spec.family, spec.id, *sizes, spec.description])
    print_table(["Family", "Program", "Vocab", "Length", "What it computes"], rows)
    console().print(f"\n{counted(len(specs), 'program')}")


def _list_tags(specs: "list[ProgramSpec]", *, as_json: bool) -> None:
    """Print every tag and trait, with how many programs have it."""
    from collections import Counter

    from .benchmark_programs.traits import trait_meaning

    built = _with_traits(specs)
    tags = Counter(tag for spec, _ in built for tag in spec.tags)
    seen = Counter(trait for _, traits in built for trait in traits)
    found = [("tag", name, n, "") for name, n in sorted(tags.items())]
    found += [("trait", name, n, trait_meaning(name)) for name, n in sorted(seen.items())]
    if as_json:
        keys = ("kind", "name", "programs", "meaning")
        _print_json([dict(zip(keys, one, strict=True)) for one in found])
        return
    rows = [[name, str(n), meaning] for _, name, n, meaning in found]
    print_table(["Name", "Programs", "What it says"], rows)


def _list_suites() -> None:
    """Print the suites."""
    from .benchmark_programs import SUITES, TOY_SUITES, get_suite, is_ranked

    say = console().print
    say("")
    rows = []
    for name, suite in SUITES.items():
        ranked = "yes" if is_ranked(name) else "no"
        rows.append([name, str(len(get_suite(name))), ranked, suite.description])
    rows += [
        [name, str(len(toys.members)), "no", toys.description] for name, toys in TOY_SUITES.items()
    ]
    print_table(["Name", "Tasks", "Ranked", "What it says"], rows)
    say(
        "\nA task is a program in a size, its model taken through regimes, for instance\n"
        "  'histogram[vocab=6,length=4]/crowded[distractors=2,seed=0]/scrambled[seed=0]'\n"
        "  'sort[large]/scrambled'\n"
        "The features track has toy models of superposition too:\n"
        "  'toy_superposition[n=5,d=2]', 'toy_superposition[n=40,d=10]'"
    )


def _list_tasks(tasks: "list[TaskId]", suite: str, *, as_json: bool) -> None:
    """Print tasks, with what was measured of them; of tokens where the suite is about them."""
    from dataclasses import asdict

    from .benchmark_programs import SUITES
    from .benchmark_programs.feature_measures import measured_features
    from .benchmark_programs.relevance_measures import measured_relevance
    from .benchmark_programs.task_measures import measured_tasks

    names = [str(task) for task in tasks]
    circuits = [measured_tasks().get(name) for name in names]
    features = [measured_features().get(name) for name in names]
    about_tokens = SUITES[suite].track == "attribution"
    tokens = [measured_relevance().get(name) if about_tokens else None for name in names]
    if as_json:
        _print_json(
            [
                {"task": name, **(asdict(one) if one else {}), **_about_features(seen)}
                | _about_tokens(read)
                for name, one, seen, read in zip(names, circuits, features, tokens, strict=True)
            ]
        )
        return
    heading = ["Task", "Layers", "Heads", "d_model", "Causal", "Inert", "Unwired"]
    heading += ["Classes", "Blind"] if any(features) else []
    heading += ["Ranked", "Prior"] if about_tokens else []
    rows = []
    for name, one, seen, read in zip(names, circuits, features, tokens, strict=True):
        numbers: list[int] = []
        if one is not None:
            numbers = [one.layers, one.heads, one.d_model, one.causal, one.inert, one.unwired]
        row = [name, *(f"{number:,}" for number in numbers)] + [""] * (6 - len(numbers))
        row += [str(seen.classes), f"{seen.floor:.2f}"] if seen else []
        row += [f"{read.ranked} of {read.answers}", f"{read.prior:.2f}"] if read else []
        rows.append((row + [""] * len(heading))[: len(heading)])
    print_table(heading, rows)
    console().print(f"\n{counted(len(rows), 'task')}")
    if any(features):
        console().print(
            "Classes: of features before the logits. Blind: the matched cosine of directions "
            "that are\nchosen without a look at the rows, the floor of the features track."
        )
    if about_tokens:
        console().print(
            "Ranked: answers that depend on some tokens and not on others. Prior: what positions "
            "earn\non the attribution track, learned from the other tasks, from random (0) to "
            "oracle (1)."
        )


def _about_features(seen: "FeatureMeasures | None") -> dict[str, int | float]:
    """Return what was measured of the features of a task, as JSON holds it."""
    if seen is None:
        return {}
    names = ("classes", "directions", "random", "spread")
    return {name: getattr(seen, name) for name in names}


def _about_tokens(read: "RelevanceMeasures | None") -> dict[str, int | float]:
    """Return what was measured of the relevance of a task's tokens, as JSON holds it."""
    if read is None:
        return {}
    return {
        "answers": read.answers,
        "answers_ranked": read.ranked,
        "prior_of_positions": read.prior,
    }


def check(
    task: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TASK...]", help="Programs or tasks; all programs if none."),
    ] = None,
    broken: Annotated[
        bool, typer.Option("--broken", help="Show only rules that are not kept.")
    ] = False,
) -> None:
    """Check that programs and tasks keep every rule, those of your own packages too.

    A program is checked in all of its sizes and in two regimes; a task id with a size or
    regimes stands for itself alone.
    """
    from .benchmark_programs import programs

    names = task or list(programs())
    rows, n_broken = [], 0
    with progress("Checking", len(names)) as advance:
        for name in names:
            for subject, finding in _findings(name):
                n_broken += finding.required and not finding.holds
                if not (broken and finding.holds):
                    rows.append([subject, _verdict(finding), finding.rule, _detail(finding)])
            advance()
    print_table(["Program", "State", "Rule", "What it says"], rows)
    if n_broken:
        raise GlassbenchError(
            f"{counted(n_broken, 'rule')} {'is' if n_broken == 1 else 'are'} broken."
        )
    console().print("\nEvery rule that must hold is kept.")


def _findings(name: str) -> "Iterator[tuple[str, Finding]]":
    """Yield every rule that is checked of a program or task."""
    from .benchmark_programs import TaskId, check_program
    from .ground_truth import check_task

    asked = TaskId.parse(name)
    if any(mark in name for mark in "[/"):
        yield from ((name, finding) for finding in check_task(asked))
        return
    sound = True
    for finding in check_program(asked.spec):
        sound &= finding.holds or not finding.required
        yield name, finding
    for regimes in CHECKED_REGIMES if sound else ():
        yield from ((name, finding) for finding in check_task(TaskId.parse(name + regimes)))


def _verdict(finding: "Finding") -> str:
    """Return whether a rule holds, in a word."""
    if finding.holds:
        return "kept"
    return "broken" if finding.required else "unranked"


def _detail(finding: "Finding") -> str:
    """Return what was found, or on what it was checked."""
    return finding.problem or finding.note
