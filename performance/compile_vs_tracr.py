"""Compares compiling with Glassbench and with Tracr: answers, sizes, times.

    python performance/compile_vs_tracr.py -o compile_vs_tracr.md

`performance/README.md` says what is measured and how to read it.
"""

import sys
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from compile_report import Case, Plan, figures, report
from expected_answers import Expected
from figures import FiguresFile, write_figures
from side_processes import Sides
from tracr_environment import tracr_environment

from glassbench.benchmark_programs import get_program

SHARED = (
    "histogram",
    "count",
    "length",
    "sort",
    "sort_unique",
    "sort_by_frequency",
    "reverse",
    "frac_prevs",
    "pair_balance",
    "shuffle_dyck1",
    "shuffle_dyck2",
    "detect_pattern",
)
"""The programs that Tracr's library has too."""

MAIN_LENGTH = 5
MAIN_VOCAB = 4
# Bracket programs: no tokens but the brackets.
OTHER_VOCAB = {"pair_balance": 2, "shuffle_dyck1": 2}


def cases(names: list[str]) -> list[Case]:
    """Return every program at the main size, and at its default size where that is another."""
    chosen = []
    for name in names:
        spec = get_program(name)
        main = (OTHER_VOCAB.get(name, MAIN_VOCAB), MAIN_LENGTH)
        chosen.append(Case(name, *main, main=True))
        if (spec.vocab, spec.length) != main:
            chosen.append(Case(name, spec.vocab, spec.length, main=False))
    return chosen


def measure_case(case: Case, plan: Plan, repetition: int) -> dict[str, dict[str, str]]:
    """Run both sides once; the first repetition also checks what was compiled.

    Returns:
        The versions of the packages of each side.
    """
    spec = get_program(case.program)
    asked = {
        "program": case.program,
        "vocab": case.vocab,
        "length": case.length,
        "warm": plan.warm,
        "answer_seconds": None,
        "sequences": [],
    }
    theirs = {**asked, "tokens": list(spec.vocabulary(case.vocab)), "causal": spec.causal}
    requests = {"glassbench": {**asked, "level": 0}, "tracr": theirs}
    first = repetition == 0
    if first:
        expected = Expected.of(case.program, case.vocab, case.length, plan.inputs)
        shared = expected.some(plan.shared_inputs)
        requests["glassbench"]["sequences"] = expected.sequences
        requests["tracr"]["sequences"] = shared.sequences
    answers: dict[str, dict[str, Any]] = {}
    # The order changes from one repetition to the next.
    for side in ("glassbench", "tracr") if repetition % 2 == 0 else ("tracr", "glassbench"):
        answers[side] = plan.sides.ask(side, f"{side}_side.py", requests[side])
        case.times[side].processes.append(answers[side]["times"])
        case.sizes[side] = answers[side]["sizes"]
    if first:
        ours, found = answers["glassbench"], answers["tracr"]["found"]
        case.inputs, case.exhaustive = len(expected.sequences), expected.exhaustive
        case.wrong = expected.wrong(ours["found"])
        case.shared, case.tracr_none = len(found), shared.n_with_none
        case.tracr_wrong = shared.wrong_values(found, ours["numbers"])
    return {side: answer["versions"] for side, answer in answers.items()}


def main(
    tracr_python: Annotated[
        Path | None, typer.Option(help="Python with tracr-pypi; made with uv where not given.")
    ] = None,
    programs: Annotated[str, typer.Option(help="Names, separated by commas.")] = ",".join(SHARED),
    repetitions: Annotated[int, typer.Option(min=1, help="Processes per program and side.")] = 3,
    warm: Annotated[int, typer.Option(min=1, help="Further compilations in each process.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Cores that a process may use.")] = 1,
    inputs: Annotated[int, typer.Option(min=1, help="Most inputs to check ours on.")] = 50_000,
    tracr_inputs: Annotated[int, typer.Option(min=1, help="Inputs to run Tracr on.")] = 100,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Compile the programs that Glassbench and Tracr share, and print what differs."""
    python = tracr_python or tracr_environment(version("jax"))
    pythons = {"glassbench": sys.executable, "tracr": str(python)}
    measured = cases(programs.split(","))
    versions: dict[str, dict[str, str]] = {}
    with TemporaryDirectory() as bytecode:
        sides = Sides(pythons, bytecode, threads)
        plan = Plan(sides, repetitions, warm, inputs, tracr_inputs)
        for repetition in range(repetitions):
            for case in measured:
                print(f"{repetition + 1}/{repetitions} {case}", file=sys.stderr, flush=True)
                versions = measure_case(case, plan, repetition)
    write_figures(figures(measured), figures_file)
    text = report(measured, plan, versions)
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
