"""Runs tools that fail, each in its own way, and prints what row each of them becomes.

    python performance/fault_injection.py -o faults.md

Every tool is a short script in Python, asked one small task under small limits. After each it is
counted which of its processes still run.
"""

import re
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import psutil
import typer
from faults_of_tools import FAULTS, PRELUDE, Fault

from glassbench.evaluators import CommandTool, Result, score_suite

TASK = "histogram[vocab=2,length=3]"
SHOWN = 80
"""How many characters of a long error the table shows, of its start and of its end."""


def tool(fault: Fault, folder: Path) -> CommandTool:
    """Return a tool that fails so; its script is written into a folder."""
    script = folder / f"{re.sub(r'[^a-z]+', '_', fault.name.lower())}.py"
    script.write_text(PRELUDE + fault.script, encoding="utf-8")
    script.chmod(0o755)
    own = f"{shlex.quote(sys.executable)} -S -E {shlex.quote(str(script))}"
    program = fault.command.format(tool=script) if fault.command else own
    return CommandTool(f"{program} {{problem}} {{answer}}", "tool", fault.limits)


def left_running(folder: Path) -> int:
    """Return how many processes run a script in a folder."""
    found = 0
    for process in psutil.process_iter(["cmdline", "status"]):
        words = process.info["cmdline"] or []
        if process.info["status"] != psutil.STATUS_ZOMBIE:
            found += any(word.startswith(str(folder)) for word in words)
    return found


def rows(faults: Sequence[Fault], folder: Path) -> list[tuple[Fault, Result, int]]:
    """Return the row that each fault becomes, and how many processes it left running."""
    found = []
    for fault in faults:
        (row,) = score_suite(tool(fault, folder), [TASK], fault.track, priors={})
        found.append((fault, row, left_running(folder)))
    return found


def wrong(fault: Fault, row: Result, left: int) -> str:
    """Return what a row is not that it must be, empty if it is all of it."""
    if row.status != fault.status:
        return f"the row must be {fault.status}, and is {row.status}: {row.error}"
    if bool(row.error) != bool(fault.error) or not re.search(fault.error, row.error or ""):
        return f"the row must say {fault.error!r}, and says {row.error!r}"
    return f"{left} of its processes still run" if left else ""


def report(found: Sequence[tuple[Fault, Result, int]], folder: Path) -> str:
    """Return a table in Markdown."""
    lines = [
        "| the tool | status | what the row says | seconds | MiB | left |",
        "| :-- | :-- | :-- | --: | --: | --: |",
    ]
    for fault, row, left in found:
        said = (row.error or "").replace(str(folder), "").replace("|", r"\|")
        said = re.sub(r"\s*\n\s*(- )?", " ", said)
        shown = said if len(said) <= 2 * SHOWN else f"{said[:SHOWN]} ... {said[-SHOWN:]}"
        memory = "" if row.peak_memory_mb is None else f"{row.peak_memory_mb:.0f}"
        cells = (fault.name, row.status, shown, f"{row.wall_seconds:.1f}", memory, str(left))
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def main(
    output: Annotated[
        Path | None, typer.Option("-o", "--output", help="Write the table there too.")
    ] = None,
) -> None:
    """Run every tool that fails, and print what row it becomes."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        text = report(rows(FAULTS, folder), folder)
    print(text)
    if output is not None:
        output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
