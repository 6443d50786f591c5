"""Compares compiling with Glassbench and with Tracr: answers, sizes, times.

    python performance/compile_vs_tracr.py -o compile_vs_tracr.md

`performance/README.md` says what is measured and how to read it.
"""

import bisect
import json
import math
import os
import platform
import subprocess
import sys
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
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

TARGET_COLD = 30.0
TARGET_WARM = 3.0

SIZES = ("layers", "heads", "d_model", "d_head", "d_mlp", "parameters")
THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


@dataclass(frozen=True)
class Plan:
    """How everything is measured; the same for both sides.

    Attributes:
        pythons: the interpreter of each side.
        bytecode: a folder in which both keep bytecode, so that imports take less of the run.
        threads: cores that a process may use.
        repetitions: processes per program, size and side.
        warm: further compilations in each process.
        inputs: the most inputs on which Glassbench is checked.
        shared_inputs: on how many of these Tracr is run.
    """

    pythons: dict[str, str]
    bytecode: str
    threads: int
    repetitions: int
    warm: int
    inputs: int
    shared_inputs: int


@dataclass
class Case:
    """One program in one size, and what was measured."""

    program: str
    vocab: int
    length: int
    main: bool
    times: dict[str, list[list[dict[str, list[float]]]]] = field(
        default_factory=lambda: {"glassbench": [], "tracr": []}
    )
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    check: dict[str, Any] = field(default_factory=dict)
    tracr_wrong: int = 0
    tracr_none: int = 0

    def __str__(self) -> str:
        return f"{self.program} {self.vocab}/{self.length}"

    def cold(self, side: str, stage: int = -1, clock: str = "wall") -> float:
        """Return the median over processes of the first compilation, in seconds."""
        return median(process[0][clock][stage] for process in self.times[side])

    def warm(self, side: str, stage: int = -1, clock: str = "wall") -> float:
        """Return the median of the later compilations of all processes, in seconds."""
        return median(
            repetition[clock][stage] for process in self.times[side] for repetition in process[1:]
        )

    def ratio(self, which: str, stage: int, clock: str = "wall") -> float:
        """Return how many times longer Tracr takes, `which` being `cold` or `warm`."""
        seconds = getattr(self, which)
        return seconds("tracr", clock=clock) / seconds("glassbench", stage, clock)


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
    middles = [(a + b) / 2 for a, b in zip(numbers, numbers[1:], strict=False)]

    def decoded(value: Any) -> Any:
        if not numbers:
            return value
        return math.nan if math.isnan(value) else numbers[bisect.bisect(middles, value)]

    for row, answers in zip(case.check["shared"], found, strict=True):
        pairs = list(zip(row["expected"], answers, strict=True))
        case.tracr_wrong += any(a is not None and a != decoded(b) for a, b in pairs)
        case.tracr_none += any(a is None for a, _ in pairs)


# -- the report ------------------------------------------------------------------


def table(heading: list[str], rows: list[list[str]]) -> str:
    """Return a Markdown table, the first column to the left and the others to the right."""
    rule = [":--", *["--:"] * (len(heading) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [heading, rule, *rows])


def sizes_table(measured: list[Case]) -> str:
    """Return answers and sizes, `Glassbench / Tracr` in each cell."""
    rows = []
    for case in measured:
        ours, theirs = case.sizes["glassbench"], case.sizes["tracr"]
        kind = "all" if case.check["exhaustive"] else "sample of"
        rows.append(
            [
                str(case),
                f"{kind} {case.check['inputs']:,}",
                f"{case.check['wrong']}",
                f"{case.tracr_wrong} of {len(case.check['shared'])}",
                f"{case.tracr_none}",
                *(f"{ours[size]:,} / {theirs[size]:,}" for size in SIZES),
            ]
        )
    heading = ["program", "inputs", "wrong", "Tracr wrong", "with None", *SIZES]
    return table(heading, rows)


def times_table(measured: list[Case]) -> str:
    """Return milliseconds and ratios, cold and warm."""
    rows = []
    for case in measured:
        row = [str(case)]
        for which in ("cold", "warm"):
            seconds = getattr(case, which)
            row += [
                f"{1000 * seconds('glassbench', 0):.1f}",
                f"{1000 * seconds('glassbench', 1):.1f}",
                f"{1000 * seconds('tracr'):,.0f}",
                f"**{case.ratio(which, 0):,.1f}**",
                f"{case.ratio(which, 1):,.1f}",
            ]
        rows.append(row)
    columns = ["ms", "ms with Haiku", "Tracr ms", "ratio", "ratio with Haiku"]
    return table(["program", *(f"{w} {c}" for w in ("cold", "warm") for c in columns)], rows)


def verdicts(measured: list[Case]) -> list[str]:
    """Return the medians, and whether each target is met, one text each."""
    main = [case for case in measured if case.main]
    found = []
    for which, target in (("cold", TARGET_COLD), ("warm", TARGET_WARM)):
        ratio, exported, cpu = (
            median(case.ratio(which, stage, clock) for case in main)
            for stage, clock in ((0, "wall"), (1, "wall"), (0, "cpu"))
        )
        slowest = min(main, key=lambda case: case.ratio(which, 0))
        found.append(
            f"{_met(ratio >= target)} {which}: median {ratio:,.1f} times faster "
            f"(target {target:g}); {exported:,.1f} with the Haiku export; {cpu:,.1f} by processor "
            f"time; least {slowest.ratio(which, 0):,.1f} ({slowest})"
        )
    for size, word in (("d_model", "wider"), ("layers", "deeper")):
        worse = [
            f"{case}: {case.sizes['glassbench'][size]} against {case.sizes['tracr'][size]}"
            for case in measured
            if case.sizes["glassbench"][size] > case.sizes["tracr"][size]
        ]
        found.append(f"{_met(not worse)} no program {word} ({size}): {'; '.join(worse) or 'none'}")
    wrong = sum(case.check["wrong"] for case in measured)
    found.append(f"{_met(not wrong)} inputs decoded wrongly by Glassbench: {wrong}")
    return found


def _met(holds: bool) -> str:
    return "holds:" if holds else "MISSED:"


def report(measured: list[Case], plan: Plan, versions: dict[str, dict[str, str]]) -> str:
    """Return the whole report as Markdown."""
    packages = "; ".join(
        f"{side}: {', '.join(f'{name} {v}' for name, v in found.items())}"
        for side, found in versions.items()
    )
    return "\n\n".join(
        [
            "# Compiling: Glassbench against Tracr",
            f"Python {platform.python_version()}, {platform.machine()}, {os.cpu_count()} cores, "
            f"{plan.threads} used by each process. {packages}.",
            "## Answers and sizes (Glassbench / Tracr)",
            sizes_table(measured),
            "Program sizes are tokens/greatest length. `Tracr wrong`: of that many of the inputs; "
            "`with None`: how many of these have positions without a value, which are not "
            "compared. Heads: the most in a layer. Parameters: without the unembedding, which "
            "Tracr keeps outside its parameters.",
            "## Times",
            times_table(measured),
            f"Medians of {plan.repetitions} processes (cold: the first compilation of each, "
            f"imports done; warm: {plan.warm} more in each). Ratios are Tracr's time by "
            "ours. Tracr's time ends with a Haiku model, as does ours with Haiku.",
            "## Targets (medians over the main sizes)",
            "\n".join(f"- {line}" for line in verdicts(measured)),
        ]
    )


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
