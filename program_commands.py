"""`glassbench list` and `glassbench check`: what there is, and whether it keeps the rules."""

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .console import console, print_table, progress
from .errors import GlassbenchError, TaskError

if TYPE_CHECKING:
    from .benchmark_programs import Finding, ProgramSpec

CHECKED_REGIMES = ("", "/crowded/scrambled")


def list_everything(
    tag: Annotated[
        list[str] | None, typer.Option(help="Only with this tag or trait; may be given again.")
    ] = None,
    family: Annotated[str | None, typer.Option(help="Only of this family.")] = None,
    suite: Annotated[
        str | None, typer.Option(help="The tasks of a suite, and their sizes.")
    ] = None,
    size: Annotated[
        str, typer.Option(help="The size that is shown: tiny, small, medium or large.")
    ] = "small",
    tags: Annotated[bool, typer.Option("--tags", help="All tags and traits instead.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """List programs by family, tag or suite; without filters the suites too."""
    from .benchmark_programs import Sizes

    if size not in Sizes._fields:
        raise typer.BadParameter(f"must be one of {', '.join(Sizes._fields)}", param_hint="--size")
    if suite is not None:
        _list_suite(suite, tag or [], family, as_json=as_json)
        return
    found = [spec for spec in _specs(family) if _has(spec, tag or [])]
    if tag and not found:
        _refuse_unknown(tag)
    if tags:
        _list_tags(found)
        return
    if as_json:
        console().print(json.dumps([_record(spec) for spec in found], indent=1), soft_wrap=True)
        return
    rows = []
    for spec in found:
        sizes = map(str, getattr(spec.sizes, size))
        rows.append([spec.family, spec.id, *sizes, spec.description])
    print_table(["Family", "Program", "Vocab", "Length", "What it computes"], rows)
    say = console().print
    say(f"\n{len(found)} programs")
    if tag is None and family is None:
        _list_suites()


def _specs(family: str | None) -> "list[ProgramSpec]":
    """Return all programs, or those of one family."""
    from .benchmark_programs import programs, unknown_name

    specs = list(programs().values())
    families = {spec.family for spec in specs}
    if family is not None and family not in families:
        raise TaskError(unknown_name("family", family, families))
    return [spec for spec in specs if family in (None, spec.family)]


def _has(spec: "ProgramSpec", wanted: list[str]) -> bool:
    """Whether a program has all of these tags and traits."""
    from .benchmark_programs import traits

    return not wanted or set(wanted) <= {*spec.tags, *traits(spec)}


def _refuse_unknown(wanted: list[str]) -> None:
    """Raise if no program at all has one of these tags and traits."""
    from .benchmark_programs import programs, traits, unknown_name

    known = {name for spec in programs().values() for name in (*spec.tags, *traits(spec))}
    for name in wanted:
        if name not in known:
            raise TaskError(unknown_name("tag", name, known))


def _record(spec: "ProgramSpec") -> dict[str, Any]:
    """Return what is said of a program, as JSON holds it."""
    from .benchmark_programs import traits

    said = ("id", "family", "description", "why", "citation", "tags", "control", "licence")
    sizes = {name: {"vocab": v, "length": n} for name, (v, n) in spec.sizes._asdict().items()}
    return {name: getattr(spec, name) for name in said} | {"traits": traits(spec), "sizes": sizes}


def _list_tags(specs: "list[ProgramSpec]") -> None:
    """Print every tag and trait, with how many programs have it."""
    from collections import Counter

    from .benchmark_programs import TRAITS, traits

    counted = Counter(tag for spec in specs for tag in spec.tags)
    seen = Counter(trait for spec in specs for trait in traits(spec))
    says = dict(TRAITS)
    rows = [[tag, str(n), ""] for tag, n in sorted(counted.items())]
    for trait, n in sorted(seen.items()):
        known = says.get(trait) or says["hops-N"].replace("N", trait.removeprefix("hops-"))
        rows.append([trait, str(n), known])
    print_table(["Name", "Programs", "What it says"], rows)


def _list_suites() -> None:
    """Print the suites."""
    from .benchmark_programs import SUITES, get_suite, suite_measures

    say = console().print
    say("")
    rows = []
    for name, suite in SUITES.items():
        ranked = "no" if suite_measures(name).shortcomings else "yes"
        rows.append([name, str(len(get_suite(name))), ranked, suite.description])
    print_table(["Name", "Tasks", "Ranked", "What it says"], rows)
    say(
        "\nA task is a program in a size, its model taken through regimes, for instance\n"
        "  'histogram[vocab=6,length=4]/crowded[distractors=2,seed=0]/scrambled[seed=0]'\n"
        "  'sort[large]/scrambled'"
    )


def _list_suite(suite: str, tags: list[str], family: str | None, *, as_json: bool) -> None:
    """Print the tasks of a suite, with what was measured of them."""
    from dataclasses import asdict

    from .benchmark_programs import get_suite
    from .benchmark_programs.task_measures import measured_tasks

    kept = {spec.name for spec in _specs(family) if _has(spec, tags)}
    tasks = [task for task in get_suite(suite) if task.name in kept]
    known = [(str(task), measured_tasks().get(str(task))) for task in tasks]
    if as_json:
        records = [asdict(one) if one else {"task": task} for task, one in known]
        console().print(json.dumps(records, indent=1), soft_wrap=True)
        return
    rows = []
    for task, one in known:
        numbers: list[int] = []
        if one is not None:
            numbers = [one.layers, one.heads, one.d_model, one.causal, one.inert, one.unwired]
        rows.append([task, *(f"{number:,}" for number in numbers)] + [""] * (6 - len(numbers)))
    print_table(["Task", "Layers", "Heads", "d_model", "Causal", "Inert", "Unwired"], rows)
    console().print(f"\n{len(rows)} tasks")


def check(
    task: Annotated[
        list[str] | None,
        typer.Argument(metavar="[TASK...]", help="Programs or tasks; all programs if none."),
    ] = None,
    broken: Annotated[bool, typer.Option("--broken", help="Show broken rules only.")] = False,
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
        raise GlassbenchError(f"{n_broken} rules are broken.")
    console().print("\nEvery rule is kept.")


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
