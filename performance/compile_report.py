"""What `compile_vs_tracr.py` measured of each program, as tables and verdicts."""

from dataclasses import dataclass, field
from statistics import median

import machine
from compile_times import CompileTimes
from markdown_table import table
from side_processes import Sides

TARGET_COLD = 30.0
TARGET_WARM = 3.0

SIZES = ("layers", "heads", "d_model", "d_head", "d_mlp", "parameters")


@dataclass(frozen=True)
class Plan:
    """How everything is measured; the same for both sides.

    Attributes:
        sides: how the processes are started.
        repetitions: processes per program, size and side.
        warm: further compilations in each process.
        inputs: the most inputs on which Glassbench is checked.
        shared_inputs: on how many of these Tracr is run.
    """

    sides: Sides
    repetitions: int
    warm: int
    inputs: int
    shared_inputs: int


@dataclass
class Case:
    """One program in one size, and what was measured.

    Attributes:
        main: whether this is the size that counts for the targets.
        times: of each side.
        sizes: of each side's model.
        inputs: the number of inputs that Glassbench was run on.
        exhaustive: whether these are all.
        wrong: on how many it differs from the oracle.
        shared: the number of inputs that Tracr was run on.
        tracr_wrong: on how many it differs where the oracle has a value.
        tracr_none: on how many the oracle has a position without a value.
    """

    program: str
    vocab: int
    length: int
    main: bool
    times: dict[str, CompileTimes] = field(
        default_factory=lambda: {"glassbench": CompileTimes(), "tracr": CompileTimes()}
    )
    sizes: dict[str, dict[str, int]] = field(default_factory=dict)
    inputs: int = 0
    exhaustive: bool = False
    wrong: int = 0
    shared: int = 0
    tracr_wrong: int = 0
    tracr_none: int = 0

    def __str__(self) -> str:
        return f"{self.program} {self.vocab}/{self.length}"

    def ratio(self, which: str, stage: int, clock: str = "wall") -> float:
        """Return how many times longer Tracr takes, `which` being `cold` or `warm`."""
        ours, theirs = (getattr(self.times[side], which) for side in ("glassbench", "tracr"))
        return theirs(clock=clock) / ours(stage, clock)


def sizes_table(measured: list[Case]) -> str:
    """Return answers and sizes, `Glassbench / Tracr` in each cell."""
    rows = []
    for case in measured:
        ours, theirs = case.sizes["glassbench"], case.sizes["tracr"]
        kind = "all" if case.exhaustive else "sample of"
        rows.append(
            [
                str(case),
                f"{kind} {case.inputs:,}",
                f"{case.wrong}",
                f"{case.tracr_wrong} of {case.shared}",
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
            ours, theirs = (getattr(case.times[side], which) for side in ("glassbench", "tracr"))
            row += [
                f"{1000 * ours(0):.1f}",
                f"{1000 * ours(1):.1f}",
                f"{1000 * theirs():,.0f}",
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
    wrong = sum(case.wrong for case in measured)
    found.append(f"{_met(not wrong)} inputs decoded wrongly by Glassbench: {wrong}")
    for size in SIZES:
        if size not in ("d_model", "layers") and (worse := _larger(measured, size)):
            found.append(f"no target, larger {size}: {'; '.join(worse)}")
    return found


def figures(measured: list[Case]) -> dict[str, float]:
    """Return the median ratios at the main sizes, and how many programs fall short elsewhere."""
    main = [case for case in measured if case.main]
    return {
        **{which: median(case.ratio(which, 0) for case in main) for which in ("cold", "warm")},
        "wider": len(_larger(measured, "d_model")),
        "deeper": len(_larger(measured, "layers")),
        "wrong": sum(case.wrong for case in measured),
    }


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
    return "\n\n".join(
        [
            "# Compiling: Glassbench against Tracr",
            machine.described(plan.sides.threads, versions),
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
