"""What `compile_vs_tracr.py` measured of each program, as tables and verdicts."""

import os
import platform
from dataclasses import dataclass, field
from statistics import median
from typing import Any

from markdown_table import table

TARGET_COLD = 30.0
TARGET_WARM = 3.0

SIZES = ("layers", "heads", "d_model", "d_head", "d_mlp", "parameters")


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
        worse = _larger(measured, size)
        found.append(f"{_met(not worse)} no program {word} ({size}): {'; '.join(worse) or 'none'}")
    wrong = sum(case.check["wrong"] for case in measured)
    found.append(f"{_met(not wrong)} inputs decoded wrongly by Glassbench: {wrong}")
    for size in SIZES:
        if size not in ("d_model", "layers") and (worse := _larger(measured, size)):
            found.append(f"no target, larger {size}: {'; '.join(worse)}")
    return found


def _larger(measured: list[Case], size: str) -> list[str]:
    """Return the programs that are larger than Tracr's in one size, one text each."""
    return [
        f"{case}: {case.sizes['glassbench'][size]} against {case.sizes['tracr'][size]}"
        for case in measured
        if case.sizes["glassbench"][size] > case.sizes["tracr"][size]
    ]


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
