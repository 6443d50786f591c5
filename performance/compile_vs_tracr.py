"""Compares compiling with Glassbench and with Tracr: answers, sizes, times.

    python performance/compile_vs_tracr.py -o compile_vs_tracr.md

`performance/README.md` says what is measured and how to read it.
"""

import bisect
import json
import math
import os
import subprocess
import sys
from importlib.metadata import version
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from compile_report import Case, Plan, report
from tracr_environment import tracr_environment

from glassbench.benchmark_programs import get_program

HERE = Path(__file__).parent

SHARED = (
    "histogram",
    "count",
    "length",
    "sort",
    "sort_unique",
    "most_frequent",
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

THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


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


def ask(side: str, plan: Plan, asked: dict[str, Any]) -> dict[str, Any]:
    """Start one process of a side and return its answer.

    Raises:
        RuntimeError: the process failed; the message holds the end of its errors.
    """
    dropped = {"PYTHONDONTWRITEBYTECODE", *(["PYTHONPATH"] if side == "tracr" else [])}
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in dropped and not name.startswith(("JAX_", "XLA_"))
    }
    limits = dict.fromkeys(THREAD_VARIABLES, str(plan.threads))
    fixed = {"JAX_PLATFORMS": "cpu", "PYTHONPYCACHEPREFIX": plan.bytecode}
    done = subprocess.run(
        [plan.pythons[side], str(HERE / f"{side}_side.py")],
        input=json.dumps({**asked, "threads": plan.threads, "warm": plan.warm}),
        capture_output=True,
        text=True,
        env={**kept, **limits, **fixed},
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{side} failed on {asked['program']}:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def measure_case(case: Case, plan: Plan, repetition: int) -> dict[str, dict[str, str]]:
    """Run both sides once; the first repetition also checks what was compiled.

    Returns:
        The versions of the packages of each side.
    """
    spec = get_program(case.program)
    first = repetition == 0
    asked = {"program": case.program, "vocab": case.vocab, "length": case.length}
    ours = {
        **asked,
        "check": first,
        "inputs": plan.inputs,
        "shared_inputs": plan.shared_inputs,
    }
    theirs = {
        **asked,
        "tokens": list(spec.vocabulary(case.vocab)),
        "causal": spec.causal,
        "sequences": [],
    }
    answers: dict[str, dict[str, Any]] = {}
    # The order changes from one repetition to the next; the first must make Tracr's inputs.
    for side in ("glassbench", "tracr") if repetition % 2 == 0 else ("tracr", "glassbench"):
        if side == "tracr" and first:
            theirs["sequences"] = [row["input"] for row in case.check["shared"]]
        answers[side] = ask(side, plan, ours if side == "glassbench" else theirs)
        case.times[side].append(answers[side]["times"])
        case.sizes[side] = answers[side]["sizes"]
        if first and side == "glassbench":
            case.check = answers[side]["check"]
    if first:
        compare(case, answers["tracr"]["found"])
    return {side: answer["versions"] for side, answer in answers.items()}


def compare(case: Case, found: list[list[Any]]) -> None:
    """Count the inputs on which Tracr differs from the oracle where the oracle has a value.

    Numbers count as right when the nearest value that the output can take is the right
    one. Positions without a value are left out, since Tracr decodes them to some token;
    how many inputs have such positions is counted too.
    """
    numbers = sorted(case.check["outputs"]) if case.check["numerical"] else []
    middles = [(a + b) / 2 for a, b in pairwise(numbers)]

    def decoded(value: Any) -> Any:
        if not numbers:
            return value
        return math.nan if math.isnan(value) else numbers[bisect.bisect(middles, value)]

    for row, answers in zip(case.check["shared"], found, strict=True):
        pairs = list(zip(row["expected"], answers, strict=True))
        case.tracr_wrong += any(a is not None and a != decoded(b) for a, b in pairs)
        case.tracr_none += any(a is None for a, _ in pairs)


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
) -> None:
    """Compile the programs that Glassbench and Tracr share, and print what differs."""
    python = tracr_python or tracr_environment(version("jax"))
    pythons = {"glassbench": sys.executable, "tracr": str(python)}
    measured = cases(programs.split(","))
    versions: dict[str, dict[str, str]] = {}
    with TemporaryDirectory() as bytecode:
        plan = Plan(pythons, bytecode, threads, repetitions, warm, inputs, tracr_inputs)
        for repetition in range(repetitions):
            for case in measured:
                print(f"{repetition + 1}/{repetitions} {case}", file=sys.stderr, flush=True)
                versions = measure_case(case, plan, repetition)
    text = report(measured, plan, versions)
    print(text)
    if output:
        output.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
