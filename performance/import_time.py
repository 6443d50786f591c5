"""Times `import glassbench`, and what it imports that is heavy, each time in a fresh process.

python performance/import_time.py --repetitions 20

Seconds are of the clock, of the import statement alone, with bytecode there.
"""

import subprocess
import sys
from pathlib import Path
from statistics import median
from typing import Annotated

import machine
import typer
from figures import FiguresFile, write_figures
from markdown_table import table

HEAVY = ("numpy", "jax", "torch", "matplotlib", "pandas", "scipy")

CODE = """
import sys, time
started = time.perf_counter()
import glassbench
print(time.perf_counter() - started, *(name for name in {heavy!r} if name in sys.modules))
"""


def measured() -> tuple[float, list[str]]:
    """Return the seconds of one import, and the heavy packages that it brought."""
    told = subprocess.run(
        [sys.executable, "-c", CODE.format(heavy=HEAVY)], check=True, capture_output=True, text=True
    )
    seconds, *brought = told.stdout.split()
    return float(seconds), brought


def figures(runs: list[tuple[float, list[str]]]) -> dict[str, float]:
    """Return the median of the seconds, and how many heavy packages any run brought."""
    brought = {name for _, names in runs for name in names}
    return {"seconds": median(seconds for seconds, _ in runs), "heavy": len(brought)}


def main(
    repetitions: Annotated[int, typer.Option(min=1, help="How many processes.")] = 20,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Also write the report here.")
    ] = None,
    figures_file: FiguresFile = None,
) -> None:
    """Import the package again and again, and print how long it takes."""
    measured()  # writes bytecode where there is none
    found = figures([measured() for _ in range(repetitions)])
    write_figures(found, figures_file)
    row = [str(repetitions), f"{1000 * found['seconds']:.1f}", f"{found['heavy']:.0f}"]
    heading = ["processes", "median, ms", f"of {', '.join(HEAVY)} imported"]
    text = f"{table(heading, [row])}\n\n{machine.described(1, {})}"
    print(text)
    if output is not None:
        output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
