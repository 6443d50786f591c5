"""Writes the catalogue of programs: a page a family, from the same data as the library.

python docs/make_catalogue.py [--jobs 2]

A page holds, for each program, what it says of itself, its text, its sizes, and the circuit
of the model as compiled in its small size: as a picture, and in numbers.
"""

from itertools import groupby
from pathlib import Path
from typing import Annotated

import typer
from joblib import Parallel, delayed

from glassbench.benchmark_programs import (
    SUITES,
    TOY_SUITES,
    ProgramSpec,
    get_suite,
    is_ranked,
    library,
    traits,
)
from glassbench.benchmark_programs.pairs import PAIRS
from glassbench.benchmark_programs.task_measures import measured_tasks
from glassbench.ground_truth import load
from glassbench.ground_truth.circuit_picture import write_circuit
from glassbench.ground_truth.own_task import text_of
from glassbench.ground_truth.task_tables import program_table
from glassbench.plurals import counted

FOLDER = Path(__file__).parent / "catalogue"
PICTURES = "pictures"


def page_name(family: str) -> str:
    """Return the file of a family."""
    return f"{family.replace(' ', '_')}.md"


def said(spec: ProgramSpec) -> str:
    """Return what a program says of itself, as Markdown; nothing is compiled."""
    lines = [f"## {spec.id}", "", spec.description, "", f"*Why:* {spec.why}", ""]
    if spec.control:
        lines += [f"*Control:* {spec.control}", ""]
    if spec.citation:
        lines += [f"*From:* {spec.citation}", ""]
    lines += [f"*Tags:* {', '.join(spec.tags)}. *Traits:* {', '.join(traits(spec)) or 'none'}.", ""]
    lines += [
        "| size | tokens | length |",
        "| :-- | --: | --: |",
        *(f"| {name} | {v} | {n} |" for name, (v, n) in spec.sizes._asdict().items()),
        "",
    ]
    return "\n".join(lines)


def program_text(spec: ProgramSpec) -> str:
    """Return the program as RASP, or as a table of its operations where it has no text."""
    text = text_of(spec.expression())
    if text:
        return f"```\n{text.strip()}\n```\n"
    heading, rows = program_table(load(spec.id))
    name, operation, values = (heading.index(one) for one in ("Name", "Operation", "Values"))
    lines = ["| name | operation | values |", "| :-- | :-- | --: |"]
    for row in rows:
        lines.append(f"| `{row[name]}` | `{_cell(row[operation])}` | {row[values]} |")
    return "\n".join(lines) + "\n"


def _cell(text: str) -> str:
    """Return text that cannot end a cell of a table."""
    return text.replace("|", "\\|")


def numbers(spec: ProgramSpec) -> str:
    """Return the sizes and edge counts of a program's model as compiled in a sentence."""
    measures = measured_tasks()[spec.id]
    inputs = f"{'all' if measures.exhaustive else 'a sample of'} {measures.inputs:,} inputs"
    return (
        f"{counted(measures.layers, 'layer')}, {counted(measures.heads, 'head')}, "
        f"d_model {measures.d_model}, {measures.parameters:,} parameters. "
        f"Edges: {measures.causal} causal, {measures.positional} positional, "
        f"{measures.inert} inert, {measures.unwired} unwired; certified on {inputs}."
    )


def suites_of(spec: ProgramSpec) -> str:
    """Return which suites have a task of a program, in a sentence."""
    suites = [name for name in SUITES if spec.name in {task.name for task in get_suite(name)}]
    return f"In the suites {', '.join(suites)}." if suites else "In no suite."


def section(spec: ProgramSpec) -> str:
    """Return the section of a program, and draw its circuit."""
    picture = write_circuit(load(spec.id), FOLDER / PICTURES / f"{spec.name}.svg")
    return "\n".join(
        [
            said(spec),
            program_text(spec),
            f"![The circuit of {spec.name}]({PICTURES}/{picture.name})",
            "",
            numbers(spec),
            "",
            suites_of(spec),
            "",
        ]
    )


def index(specs: tuple[ProgramSpec, ...]) -> str:
    """Return the first page: families, pairs and suites."""
    lines = [
        "# Catalogue",
        "",
        f"{len(specs)} programs. The pages are written by `python docs/make_catalogue.py` from the "
        "library itself; `glassbench show NAME` prints the certificate of every edge too.",
        "",
    ]
    for family, members in groupby(specs, key=lambda spec: spec.family):
        lines += [f"## [{family.capitalize()}]({page_name(family)})", ""]
        for spec in members:
            anchor = f"{page_name(family)}#{spec.id}"
            lines.append(f"- [{spec.name}]({anchor}): {spec.description}")
        lines.append("")
    lines += ["## Pairs", "", "| same | one | other | difference |", "| :-- | :-- | :-- | :-- |"]
    lines += [f"| {p.same} | {p.left} | {p.right} | {p.difference} |" for p in PAIRS]
    lines += ["", "## Suites", "", "| suite | tasks | ranked | what it holds |"]
    lines += ["| :-- | --: | :-- | :-- |"]
    for name, suite in SUITES.items():
        ranked = "yes" if is_ranked(name) else "no"
        lines.append(f"| {name} | {len(get_suite(name))} | {ranked} | {suite.description} |")
    for name, toys in TOY_SUITES.items():
        lines.append(f"| {name} | {len(toys.members)} | no | {toys.description} |")
    return "\n".join([*lines, ""])


def main(jobs: Annotated[int, typer.Option(min=1, help="Processes.")] = 2) -> None:
    """Write all pages and pictures."""
    specs = library()
    sections = Parallel(n_jobs=jobs)(delayed(section)(spec) for spec in specs)
    pages: dict[str, list[str]] = {}
    for spec, text in zip(specs, sections, strict=True):
        pages.setdefault(spec.family, [f"# {spec.family.capitalize()}", ""]).append(text)
    for family, texts in pages.items():
        (FOLDER / page_name(family)).write_text("\n".join(texts), encoding="utf-8", newline="\n")
    (FOLDER / "README.md").write_text(index(specs), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    typer.run(main)
