"""Compiles programs in growing sizes with Glassbench and with Tracr.

    python performance/compile_scaling.py -o compile_scaling

The folder receives `compile_scaling.json`, which grows point by point, and
`compile_scaling.md`. A further run with the same folder measures what is missing.
`performance/README.md` says what is measured and how to read it.
"""

import json
import sys
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from expected_answers import Expected
from figures import FiguresFile, write_figures
from program_sizes import parsed
from scaling_report import SIDES, Plan, Point, figures, report
from side_processes import GB, Sides
from tracr_environment import tracr_environment

from glassbench.benchmark_programs import get_program

PROGRAMS = ("histogram", "sort", "reverse", "sort_by_frequency", "shuffle_dyck2")
SIZES = ("4/5", "8/8", "16/16", "32/32", "64/64")

LONG = 10.0
"""A point whose first compilation takes more seconds is measured in one process."""


def measure_point(point: Point, expected: Expected, plan: Plan, sides: Sides) -> None:
    """Run the processes of one point; the first also answers the inputs."""
    spec = get_program(point.program)
    side, level = SIDES[point.side]
    asked: dict[str, Any] = {
        "program": point.program,
        "vocab": point.vocab,
        "length": point.length,
        "warm": plan.warm,
        "answer_seconds": plan.seconds,
    }
    if side == "tracr":
        asked |= {"tokens": list(spec.vocabulary(point.vocab)), "causal": spec.causal}
    else:
        asked |= {"level": level}
    for process in range(plan.repetitions):
        sequences = expected.sequences if process == 0 else []
        found = sides.try_to_ask(side, f"{side}_side.py", {**asked, "sequences": sequences})
        if found["stopped"]:
            print(found["stopped"], found["errors"], sep="\n", file=sys.stderr, flush=True)
        point.versions = found.get("versions", {})
        if "times" not in found:
            point.stopped = found["stopped"]
            return
        point.times.processes.append(found["times"])
        point.sizes, point.memory = found["sizes"], found["memory"]
        if process == 0:
            point.later_stopped = found["stopped"]
            point.numbers = found.get("numbers")
            point.answers = found.get("found", [])
        if point.times.cold() > LONG:
            return


def judge(point: Point, expected: Expected, numbers: list[float] | None) -> None:
    """Count the wrong answers of a point and let go of the answers themselves."""
    point.answered = len(point.answers)
    if SIDES[point.side][0] == "tracr":
        point.wrong = expected.wrong_values(point.answers, numbers)
    else:
        point.wrong = expected.wrong(point.answers)
    point.answers = []


def measure(plan: Plan, sides: Sides, points: dict[str, Point], file: Path) -> None:
    """Measure every point that is missing, smaller sizes first, and save after each.

    Once a side is stopped at a size of a program, it is not tried at larger ones.
    """
    for vocab, length in plan.sizes:
        for program in plan.programs:
            expected = Expected.of(program, vocab, length, plan.inputs)
            numbers = None
            for side in SIDES:
                point = Point(program, vocab, length, side)
                if str(point) in points:
                    numbers = points[str(point)].numbers or numbers
                    continue
                if any(old.stopped for old in points.values() if old.is_smaller_than(point)):
                    continue
                print(point, file=sys.stderr, flush=True)
                is_tracr = SIDES[side][0] == "tracr"
                asked = expected.some(plan.tracr_inputs) if is_tracr else expected
                measure_point(point, asked, plan, sides)
                numbers = point.numbers or numbers
                judge(point, asked, numbers)
                points[str(point)] = point
                save(plan, points, file)


def save(plan: Plan, points: dict[str, Point], file: Path) -> None:
    """Write all points, replacing the file at once."""
    content = {"plan": asdict(plan), "points": [asdict(point) for point in points.values()]}
    new = file.with_suffix(".new")
    new.write_text(json.dumps(content, indent=1), encoding="utf-8")
    new.replace(file)


def load(plan: Plan, file: Path) -> dict[str, Point]:
    """Return the points that are already there.

    Raises:
        SystemExit: they were measured under other limits.
    """
    if not file.exists():
        return {}
    content = json.loads(file.read_text(encoding="utf-8"))
    other = [name for name in plan.fixed if content["plan"][name] != getattr(plan, name)]
    if other:
        raise SystemExit(
            f"all points of {file} must be measured alike, and it was begun with another "
            f"{', '.join(other)}: name another folder, or the same options as then."
        )
    points = [Point.of(row) for row in content["points"]]
    return {str(point): point for point in points}


def main(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the results.")],
    tracr_python: Annotated[
        Path | None, typer.Option(help="Python with tracr-pypi; made with uv where not given.")
    ] = None,
    programs: Annotated[str, typer.Option(help="Names, separated by commas.")] = ",".join(PROGRAMS),
    sizes: Annotated[str, typer.Option(help="Tokens/length, with commas.")] = ",".join(SIZES),
    repetitions: Annotated[int, typer.Option(min=1, help="Processes per point.")] = 3,
    warm: Annotated[int, typer.Option(min=1, help="Further compilations in each process.")] = 5,
    threads: Annotated[int, typer.Option(min=1, help="Cores that a process may use.")] = 1,
    seconds: Annotated[float, typer.Option(help="What a compilation may take.")] = 120,
    memory: Annotated[float, typer.Option(help="What a process may hold, in GB.")] = 12,
    inputs: Annotated[int, typer.Option(min=1, help="Most inputs to check ours on.")] = 2_000,
    tracr_inputs: Annotated[int, typer.Option(min=1, help="Inputs to run Tracr on.")] = 100,
    figures_file: FiguresFile = None,
) -> None:
    """Compile programs in growing sizes on both sides, and print what each size costs."""
    plan = Plan(
        programs=tuple(programs.split(",")),
        sizes=tuple(parsed(sizes)),
        repetitions=repetitions,
        warm=warm,
        threads=threads,
        seconds=seconds,
        memory=memory,
        inputs=inputs,
        tracr_inputs=tracr_inputs,
    )
    output.mkdir(parents=True, exist_ok=True)
    file = output / "compile_scaling.json"
    points = load(plan, file)
    python = tracr_python or tracr_environment(version("jax"))
    pythons = {"glassbench": sys.executable, "tracr": str(python)}
    with TemporaryDirectory() as bytecode:
        sides = Sides(pythons, bytecode, threads, seconds, int(memory * GB))
        measure(plan, sides, points, file)
    write_figures(figures(plan, points), figures_file)
    text = report(plan, points)
    print(text)
    file.with_suffix(".md").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
