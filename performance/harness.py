"""Measures what the project claims of itself, and writes docs/performance.md.

python performance/harness.py --quick
python performance/harness.py --only import-time,certification

Each claim is a command with a target for each of its figures; `claims.py` lists them. The command
runs in a process of its own. One that fails is told as such, and the others go on. What earlier
runs measured is kept in docs/performance.json, so that a claim can be measured alone.
"""

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated

import machine
import typer
from claim import Claim
from claims import CLAIMS
from claims_page import claims_table, page, verdict
from measurement import (
    ROOT,
    Measurement,
    Outcome,
    keep,
    measure,
    measured_before,
    newer,
    not_run,
    read_kept,
)
from needed_tools import NEEDED

PAGE = ROOT / "docs" / "performance.md"


def chosen(claims: Sequence[Claim], names: Sequence[str]) -> list[Claim]:
    """Return the claims of some names, in their own order; all of them for no name.

    Raises:
        SystemExit: a name is none of theirs.
    """
    known = [claim.name for claim in claims]
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no claim is called {', '.join(unknown)}; they are {', '.join(known)}")
    return [claim for claim in claims if not names or claim.name in names]


def run(
    claims: Sequence[Claim],
    quick: bool,
    limit: float,
    each: Callable[[Claim, Measurement], None],
    needed: Mapping[str, Callable[[], str]] = NEEDED,
) -> dict[str, Measurement]:
    """Measure claims one after the other.

    Args:
        quick: whether to take reduced runs, where there are some.
        limit: the seconds that a command may take.
        each: called with each claim and what came of it, at once.
        needed: for each tool that claims need, what tells why it is missing.
    """
    found = {}
    for claim in claims:
        missing = [why for why in (needed[name]() for name in claim.needs) if why]
        one = not_run(claim, "; ".join(missing)) if missing else measure(claim, quick, limit)
        found[claim.name] = one
        each(claim, one)
    return found


def main(
    only: Annotated[str, typer.Option(help="Claims by name, separated by commas.")] = "",
    quick: Annotated[
        bool, typer.Option("--quick", help="Reduced runs; the table says so.")
    ] = False,
    listed: Annotated[bool, typer.Option("--list", help="Name the claims and end.")] = False,
    written: Annotated[
        Path | None,
        typer.Option(
            "--figures", help="What the command of one claim wrote with --figures here before."
        ),
    ] = None,
    minutes: Annotated[float, typer.Option(help="The most that a command may take.")] = 120.0,
    output: Annotated[Path, typer.Option("-o", help="The page; JSON is beside it.")] = PAGE,
) -> None:
    """Measure claims, print one table, and write the page."""
    if listed:
        for claim in CLAIMS:
            print(f"{claim.name:24} {claim.shown()}")
        return
    kept_in = output.with_suffix(".json")

    def each(claim: Claim, found: Measurement) -> None:
        told = f": {found.why}" if found.why else ""
        print(f"{claim.name}: {found.outcome}, {found.seconds:.0f} s{told}", file=sys.stderr)
        kept = read_kept(kept_in)
        kept[claim.name] = newer(kept.get(claim.name), found)
        keep(kept_in, kept)
        output.write_text(page(CLAIMS, kept), encoding="utf-8")

    claims = chosen(CLAIMS, only.split(",") if only else [])
    if written is None:
        found = run(claims, quick, 60 * minutes, each)
    elif len(claims) == 1:
        found = {claims[0].name: measured_before(claims[0], written)}
        each(claims[0], found[claims[0].name])
    else:
        raise SystemExit("--figures is of one claim: name it with --only")
    print(claims_table(claims, found, [machine.here()]))
    print(f"\n{verdict(claims, found)}\nMachine A: {machine.here()}.")
    if any(one.outcome is Outcome.FAILED for one in found.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    typer.run(main)
