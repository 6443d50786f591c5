"""Measurements of claims: how one is made, and how those of earlier runs are kept as JSON."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import machine
from claim import TOOK, Claim

ROOT = Path(__file__).parent.parent
BUSY = 1.0
"""A load above this is other work."""
_SHOWN = 300
"""How many characters of an error are kept."""


class Outcome(StrEnum):
    """How a run of a command ended."""

    MEASURED = "measured"
    FAILED = "failed"
    NOT_RUN = "not run"


@dataclass(frozen=True)
class Measurement:
    """What one run of a claim's command came to.

    Attributes:
        outcome: how it ended.
        why: why there are no figures; empty where there are.
        figures: the numbers by the keys of the claim's figures.
        seconds: how long the command took, by the clock.
        quick: whether it was the reduced run.
        command: what was run.
        date: when, as `2026-11-29`.
        machine: where.
        load: the load of the machine when it began; `None` where that was not noted.
    """

    outcome: Outcome
    why: str = ""
    figures: Mapping[str, float] = field(default_factory=dict)
    seconds: float = 0.0
    quick: bool = False
    command: str = ""
    date: str = ""
    machine: str = ""
    load: float | None = None

    @property
    def is_busy(self) -> bool:
        """Whether the machine did other work when it began."""
        return self.load is not None and self.load > BUSY


def measure(claim: Claim, quick: bool, limit: float) -> Measurement:
    """Run the command of a claim in a process of its own, and return its figures.

    Args:
        quick: whether to take the reduced run, where there is one.
        limit: the seconds after which the command and all that it started is ended.
    """
    quick = quick and bool(claim.quick)
    load, started = machine.load(), time.perf_counter()
    with TemporaryDirectory(prefix="claim-") as folder:
        file = Path(folder, "figures.json")
        words = [sys.executable, *claim.words(folder, quick)]
        words += ["--figures", str(file)] if claim.writes_figures else []
        why = _run(words, limit)
        seconds = time.perf_counter() - started
        figures = {} if why else _figures(claim, file, seconds)
    if not why and not figures:
        why = "the command ended well and told no figure"
    return Measurement(
        Outcome.FAILED if why else Outcome.MEASURED,
        why,
        figures,
        seconds,
        quick,
        claim.shown(quick),
        datetime.now(UTC).date().isoformat(),
        machine.here(),
        load,
    )


def measured_before(claim: Claim, file: Path) -> Measurement:
    """Return the figures that an earlier run of a claim's command on this machine wrote.

    Raises:
        SystemExit: the file tells none of the claim's figures.
    """
    figures = _figures(claim, file, None)
    if not figures:
        raise SystemExit(
            f"{file} must be what `{claim.shown()}` writes with --figures, and tells no figure"
        )
    date = datetime.fromtimestamp(file.stat().st_mtime, UTC).date().isoformat()
    about = {"command": claim.shown(), "date": date, "machine": machine.here()}
    return Measurement(Outcome.MEASURED, figures=figures, **about)


def not_run(claim: Claim, why: str) -> Measurement:
    """Return that a claim was not measured, since something that it needs is missing."""
    return Measurement(Outcome.NOT_RUN, why, command=claim.shown())


def _run(words: list[str], limit: float) -> str:
    """Return why a command failed, empty where it did not."""
    with subprocess.Popen(
        words,
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            _, errors = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
            return f"ended after {limit:,.0f} s, the most that it may take"
        except BaseException:
            os.killpg(process.pid, signal.SIGKILL)
            raise
    if process.returncode:
        last = [line.strip("│╭╰─╮╯ ") for line in errors.splitlines() if line.strip("│╭╰─╮╯ ")]
        return f"exit status {process.returncode}: {' '.join(last[-2:])}"[:_SHOWN]
    return ""


def _figures(claim: Claim, file: Path, seconds: float | None) -> dict[str, float]:
    """Return the figures of a claim that its command wrote, and how long it took."""
    told = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    told |= {} if seconds is None else {TOOK: seconds}
    return {one.key: float(told[one.key]) for one in claim.figures if one.key in told}


def read_kept(file: Path) -> dict[str, Measurement]:
    """Return the measurements that a file keeps, by the names of their claims."""
    if not file.exists():
        return {}
    rows: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    return {
        name: Measurement(**row | {"outcome": Outcome(row["outcome"])})
        for name, row in rows.items()
    }


def keep(file: Path, kept: Mapping[str, Measurement]) -> None:
    """Write measurements by the names of their claims, replacing the file at once."""
    rows = {name: asdict(one) for name, one in sorted(kept.items())}
    new = file.with_suffix(".new")
    new.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    new.replace(file)


def newer(old: Measurement | None, new: Measurement) -> Measurement:
    """Return which of two measurements of one claim is to be kept.

    What could not be run here, or was run reduced, says nothing against what was measured in
    full; what failed does.
    """
    if old is None or old.outcome is not Outcome.MEASURED:
        return new
    if new.outcome is Outcome.NOT_RUN:
        return old
    is_less = new.outcome is Outcome.MEASURED and new.quick and not old.quick
    return old if is_less else new
