"""What `compile_scaling.py` measured at each point, as tables."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import machine
import numpy as np
from compile_times import CompileTimes
from markdown_table import table

SIDES = {"level 0": ("glassbench", 0), "level 1": ("glassbench", 1), "Tracr": ("tracr", 0)}
"""The columns, each with the side that compiles and its level (Tracr has none)."""

OURS = ("level 0", "level 1")
TRACR = "Tracr"

SIZES = ("layers", "heads", "d_model", "d_mlp", "parameters")

MB = 10**6

NOTHING = "-"

# A ratio above this has no decimals: they would say more than was measured.
LARGE = 100


@dataclass(frozen=True)
class Plan:
    """What is measured and under which limits; the same for both sides.

    Attributes:
        programs: their names.
        sizes: (tokens, greatest length), smaller first.
        repetitions: processes per point.
        warm: further compilations in each process.
        threads: cores that a process may use.
        seconds: what a compilation may take, and answering the inputs too.
        memory: what a process may hold, in GB.
        inputs: the most inputs on which Glassbench is checked.
        tracr_inputs: on how many of these Tracr is run.
    """

    programs: tuple[str, ...]
    sizes: tuple[tuple[int, int], ...]
    repetitions: int
    warm: int
    threads: int
    seconds: float
    memory: float
    inputs: int
    tracr_inputs: int

    @property
    def fixed(self) -> list[str]:
        """The names of what must stay the same when a run is taken up again."""
        return [name for name in vars(self) if name not in ("programs", "sizes")]


@dataclass
class Point:
    """One program in one size, compiled by one side.

    Attributes:
        side: one of `SIDES`.
        times: stages are the compiled model and, for Glassbench, the Haiku export.
        sizes: of the model.
        memory: bytes held at the most, before and after the first compilation.
        stopped: why there is no model; empty where there is one.
        later_stopped: what ended the process after its first compilation.
        numbers: the values that a numerical output can take.
        answers: the answers to be judged.
        answered: the number of inputs that were answered.
        wrong: on how many of these the answer is wrong.
        versions: the packages of the side.
    """

    program: str
    vocab: int
    length: int
    side: str
    times: CompileTimes = field(default_factory=CompileTimes)
    sizes: dict[str, int] = field(default_factory=dict)
    memory: list[int] = field(default_factory=list)
    stopped: str = ""
    later_stopped: str = ""
    numbers: list[float] | None = None
    answers: list[list[Any]] = field(default_factory=list)
    answered: int = 0
    wrong: int = 0
    versions: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> "Point":
        """Return the point that was written as `row`."""
        return cls(**{**row, "times": CompileTimes(**row["times"])})

    def __str__(self) -> str:
        return f"{self.program} {self.vocab}/{self.length} {self.side}"

    def is_smaller_than(self, other: "Point") -> bool:
        """Whether this is the same program and side in a smaller size."""
        same = (self.program, self.side) == (other.program, other.side)
        return same and (self.vocab, self.length) < (other.vocab, other.length)


Row = Mapping[str, Point | None]
"""The points of one program in one size by side; `None` where it was not tried."""


def rows(plan: Plan, points: Mapping[str, Point]) -> dict[str, Row]:
    """Return the points of every program and size, by what the tables call it."""
    return {
        f"{program} {vocab}/{length}": {
            side: points.get(str(Point(program, vocab, length, side))) for side in SIDES
        }
        for program in plan.programs
        for vocab, length in plan.sizes
    }


def times_table(measured: Mapping[str, Row], which: str) -> str:
    """Return milliseconds and ratios, `which` being `cold` or `warm`."""
    heading = [f"{side}{kind} ms" for side in OURS for kind in ("", " with Haiku")]
    heading += ["Tracr ms", *(f"ratio {side}" for side in OURS)]
    lines = []
    for name, row in measured.items():
        cells = [_time(row[side], which, stage) for side in OURS for stage in (0, 1)]
        cells.append(_time(row[TRACR], which, -1))
        cells += [_ratio(row[TRACR], row[side], which) for side in OURS]
        lines.append([name, *cells])
    return table(["program", *heading], lines)


def _seconds(point: Point | None, which: str, stage: int = -1) -> float | None:
    """Return the median time of a point, `None` where there is none."""
    if point is None or not point.times.processes:
        return None
    if which == "warm" and not point.times.has_warm:
        return None
    return getattr(point.times, which)(stage)


def _time(point: Point | None, which: str, stage: int) -> str:
    """Return a time in milliseconds, or why there is none."""
    if point is None:
        return "not tried"
    seconds = _seconds(point, which, stage)
    if seconds is None:
        return (point.stopped or point.later_stopped).split(":")[0]
    return f"{1000 * seconds:,.{1 if seconds < LARGE / 1000 else 0}f}"


def _ratio_number(tracr: Point | None, ours: Point | None, which: str) -> float | None:
    """Return how many times longer Tracr takes to a Haiku model; a bound where it was stopped."""
    seconds, longer = _seconds(ours, which), _seconds(tracr, which)
    if seconds is None or tracr is None:
        return None
    if longer is None:
        if which == "warm" or not tracr.stopped.endswith(" s"):
            return None
        longer = float(tracr.stopped.split()[1])
    return longer / seconds


def _ratio(tracr: Point | None, ours: Point | None, which: str) -> str:
    """Return that ratio as text, with `>` before a bound."""
    ratio = _ratio_number(tracr, ours, which)
    if ratio is None:
        return ""
    least = "> " if _seconds(tracr, which) is None else ""
    return f"{least}{ratio:,.{1 if ratio < LARGE else 0}f}"


def sizes_table(measured: Mapping[str, Row]) -> str:
    """Return sizes and memory, one number for each of `SIDES` in a cell."""
    lines = []
    for name, row in measured.items():
        points = row.values()
        cells = [
            " / ".join(f"{p.sizes[size]:,}" if p and p.sizes else NOTHING for p in points)
            for size in SIZES
        ]
        cells.append(" / ".join(_raised(p) for p in points))
        lines.append([name, *cells])
    return table(["program", *SIZES, "peak MB above imports"], lines)


def _raised(point: Point | None) -> str:
    """Return by how many MB the first compilation raised the peak of its process."""
    if point is None or not point.memory:
        return NOTHING
    before, after = point.memory
    return f"{(after - before) / MB:,.0f}"


def answers_table(measured: Mapping[str, Row]) -> str:
    """Return on how many inputs each of `SIDES` is wrong."""
    lines = []
    for name, row in measured.items():
        cells = [
            f"{p.wrong:,} of {p.answered:,} ({p.wrong / p.answered:.0%})"
            if p and p.answered
            else NOTHING
            for p in row.values()
        ]
        lines.append([name, *cells])
    return table(["program", *(f"{side} wrong" for side in SIDES)], lines)


def stops(measured: Mapping[str, Row]) -> str:
    """Return why points have no model or not all of its figures, as a list."""
    lines = []
    for row in measured.values():
        for point in row.values():
            if point and point.stopped:
                lines.append(f"- {point}: {point.stopped}")
            elif point and point.later_stopped:
                lines.append(f"- {point}, after its first compilation: {point.later_stopped}")
    return "\n".join(lines) or "None."


FEW, MANY = "4/5", "32/32"
"""The sizes that have targets of their own for warm compilation."""

LARGE_PROGRAMS = ("sort", "sort_by_frequency", "shuffle_dyck2")
LARGEST = "64/64"
FITS = 4e9
"""Weights that take more bytes than this, as float64, are not asked of."""


def figures(plan: Plan, points: Mapping[str, Point]) -> dict[str, float]:
    """Return the least ratios to Tracr, seconds at the largest size, and wrong answers.

    The bounds that the clock gives where it stopped Tracr have a least of their own.
    """
    cold, bounds, few, many, seconds = [], [], [], [], []
    for row in rows(plan, points).values():
        ours, theirs = row["level 0"], row[TRACR]
        size = f"{ours.vocab}/{ours.length}" if ours else ""
        was_stopped = _seconds(theirs, "cold") is None
        (bounds if was_stopped else cold).append(_ratio_number(theirs, ours, "cold"))
        warm = _ratio_number(theirs, ours, "warm")
        few += [warm] if size == FEW else []
        many += [warm] if ours and size == MANY and ours.program in LARGE_PROGRAMS else []
        if ours and size == LARGEST and 8 * ours.sizes.get("parameters", np.inf) <= FITS:
            seconds.append(_seconds(ours, "cold", 0))
    wrong = sum(point.wrong for point in points.values() if point.side in OURS)
    least = {"cold": cold, "cold, stopped": bounds, f"warm {FEW}": few, f"warm {MANY}": many}
    known = {name: [one for one in each if one is not None] for name, each in least.items()}
    found: dict[str, float] = {name: min(each) for name, each in known.items() if each}
    longest = [one for one in seconds if one is not None]
    return found | ({f"seconds {LARGEST}": max(longest)} if longest else {}) | {"wrong": wrong}


def report(plan: Plan, points: Mapping[str, Point]) -> str:
    """Return the whole report as Markdown."""
    measured = rows(plan, points)
    known = [point for point in points.values() if point.versions]
    versions = {SIDES[point.side][0]: point.versions for point in known}
    return "\n\n".join(
        [
            "# Compiling in growing sizes: Glassbench against Tracr",
            machine.described(plan.threads, versions),
            f"Program sizes are tokens/greatest length. A compilation may take {plan.seconds:g} s "
            f"and its process {plan.memory:g} GB; a side that is stopped is not tried at larger "
            "sizes of the program. Levels are those of `compile_program`.",
            "## Cold: the first compilation of a process",
            times_table(measured, "cold"),
            "## Warm: the same compilation again",
            times_table(measured, "warm"),
            f"Medians of up to {plan.repetitions} processes, with up to {plan.warm} warm "
            "compilations in each. Ratios are Tracr's time by ours with Haiku, since both end "
            "with a Haiku model; `>` where Tracr was stopped by the clock.",
            "## Sizes (level 0 / level 1 / Tracr)",
            sizes_table(measured),
            "Heads: the most in a layer. Parameters: without the unembedding, which Tracr keeps "
            "outside its parameters. Peak: by how much the first compilation raised the most "
            "memory that the process has held.",
            "## Answers",
            answers_table(measured),
            "Against the plain-Python oracle, on all inputs or on random ones of every length; "
            "of those, as many as were answered in time.",
            "## Stopped",
            stops(measured),
        ]
    )
