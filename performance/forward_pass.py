"""Compares the sequences per second of every host with Tracr's.

    python performance/forward_pass.py -o forward_pass

The folder receives `forward_pass.json` and `forward_pass.md`.
`performance/README.md` says what is measured and how to read it.
"""

import json
import random
import sys
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import machine
import typer
from figures import FiguresFile, write_figures
from markdown_table import table
from program_sizes import parsed
from side_processes import GB, Sides
from tracr_environment import tracr_environment

from glassbench.benchmark_programs import get_program

PROGRAMS = ("histogram", "sort", "reverse", "shuffle_dyck2", "frac_prevs")
SIZES = ("4/5", "16/16")

RATIOS = (
    ("values, batch", "Tracr: apply, one by one"),
    ("values, one by one", "Tracr: apply, one by one"),
    ("Haiku", "Tracr: jitted"),
    ("Haiku, logits alone", "Tracr: jitted, output alone"),
    ("executor", "Tracr: jitted, output alone"),
    ("torch", "Tracr: jitted, output alone"),
    ("TransformerLens", "Tracr: jitted, output alone"),
    ("TransformerLens", "TransformerLens, Tracr's weights"),
    ("torch", "torch, Tracr's weights"),
    ("Haiku, logits alone", "TransformerLens"),
    ("torch", "TransformerLens"),
)
"""What is compared: how many times more sequences the first takes than the second."""


@dataclass
class Case:
    """One program in one size.

    Attributes:
        rates: sequences per second of every contestant, in each repetition.
        different: sequences that a host decodes otherwise than the executor, or than
            Tracr where it runs Tracr's weights.
        stopped: why there is no result of a side, by side.
    """

    program: str
    vocab: int
    length: int
    rates: dict[str, list[float]] = field(default_factory=dict)
    different: dict[str, int] = field(default_factory=dict)
    stopped: dict[str, str] = field(default_factory=dict)

    @property
    def size(self) -> str:
        """Tokens and greatest length, as the options name them."""
        return f"{self.vocab}/{self.length}"

    def rate(self, contestant: str) -> float | None:
        """Return the median of the sequences per second, `None` where there is none."""
        rates = self.rates.get(contestant)
        return median(rates) if rates else None


def measure_case(
    case: Case, asked: dict[str, Any], batch: int, sides: Sides, folder: Path
) -> dict[str, dict[str, str]]:
    """Run both sides on the same sequences, passing on Tracr's weights in a folder.

    Returns:
        The versions of the packages of each.
    """
    spec = get_program(case.program)
    tokens = spec.vocabulary(case.vocab)
    drawn = random.Random(0)
    request = {
        **asked,
        "weights": str(folder / f"{case.program}-{case.vocab}-{case.length}.npz"),
        "program": case.program,
        "vocab": case.vocab,
        "length": case.length,
        "tokens": list(tokens),
        "causal": spec.causal,
        "sequences": [drawn.choices(tokens, k=case.length) for _ in range(batch)],
    }
    versions = {}
    # Tracr goes first, since it saves its weights for our hosts.
    for side, prefix in (("tracr", "Tracr: "), ("glassbench", "")):
        found = sides.try_to_ask(side, f"{side}_forward_side.py", request)
        if "versions" in found:
            versions[side] = found["versions"]
        case.rates |= {prefix + name: rates for name, rates in found.get("rates", {}).items()}
        case.different |= found.get("different", {})
        if found["stopped"]:
            print(found["stopped"], found["errors"], sep="\n", file=sys.stderr, flush=True)
            case.stopped[side] = found["stopped"]
    return versions


def rates_table(measured: list[Case]) -> str:
    """Return sequences per second, a row for each contestant."""
    names = dict.fromkeys(name for case in measured for name in case.rates)
    rows = []
    for name in names:
        rates = [case.rate(name) for case in measured]
        rows.append([name, *("" if rate is None else f"{rate:,.0f}" for rate in rates)])
    return table(["sequences per second", *(case.program for case in measured)], rows)


def ratios_table(measured: list[Case]) -> str:
    """Return how many times more sequences one contestant takes than another."""
    rows = []
    for first, second in RATIOS:
        row = [f"{first} / {second}"]
        for case in measured:
            more, less = case.rate(first), case.rate(second)
            row.append("" if more is None or less is None else f"{more / less:,.1f}")
        rows.append(row)
    return table(["ratio", *(case.program for case in measured)], rows)


def figures(measured: list[Case]) -> dict[str, float]:
    """Return the least ratio to Tracr's `apply` of a size, and differences of answers."""
    found: dict[str, float] = {}
    for size in dict.fromkeys(case.size for case in measured):
        for contestant, than in RATIOS[:2]:
            rates = [(c.rate(contestant), c.rate(than)) for c in measured if c.size == size]
            known = [more / less for more, less in rates if more is not None and less is not None]
            if known:
                found[f"{contestant}, {size}"] = min(known)
    found["different"] = sum(
        count for case in measured for name, count in case.different.items() if "Tracr" not in name
    )
    return found


def report(measured: list[Case], plan: dict[str, Any], versions: dict[str, dict[str, str]]) -> str:
    """Return the whole report as Markdown."""
    parts = [
        "# Forward pass: the hosts of Glassbench against Tracr",
        machine.described(plan["threads"], versions),
        f"Batches of {plan['batch']} random sequences, each of the greatest length; medians of "
        f"{plan['repetitions']} repetitions of about {plan['window']:g} s, compiling and warming "
        f"up left out; level {plan['level']}. The executor computes in float64, all others in "
        "float32.",
    ]
    for size in dict.fromkeys(case.size for case in measured):
        alike = [case for case in measured if case.size == size]
        parts += [f"## Programs of size {size} (tokens/length)"]
        parts += [rates_table(alike), ratios_table(alike)]
    different = [
        f"{case.program} {case.size}: {name}: {count}"
        for case in measured
        for name, count in case.different.items()
        if count
    ]
    stopped = [
        f"{case.program} {case.size}: {side}: {limit}"
        for case in measured
        for side, limit in case.stopped.items()
    ]
    parts.append(
        "Sequences that a host decodes otherwise than the executor, or than Tracr where it runs "
        "Tracr's weights: "
        f"{'; '.join(different) or 'none'}. Stopped: {'; '.join(stopped) or 'none'}."
    )
    return "\n\n".join(parts)


def main(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the results.")],
    tracr_python: Annotated[
        Path | None, typer.Option(help="Python with tracr-pypi; made with uv where not given.")
    ] = None,
    programs: Annotated[str, typer.Option(help="Names, separated by commas.")] = ",".join(PROGRAMS),
    sizes: Annotated[str, typer.Option(help="Tokens/length, with commas.")] = ",".join(SIZES),
    batch: Annotated[int, typer.Option(min=1, help="Sequences in a batch.")] = 512,
    repetitions: Annotated[int, typer.Option(min=1, help="How often each is measured.")] = 5,
    window: Annotated[float, typer.Option(help="Seconds that a repetition takes.")] = 0.5,
    threads: Annotated[int, typer.Option(min=1, help="Cores that a process may use.")] = 1,
    level: Annotated[int, typer.Option(min=0, max=1, help="Level of compilation.")] = 0,
    seconds: Annotated[float, typer.Option(help="What a compilation may take.")] = 120,
    memory: Annotated[float, typer.Option(help="What a process may hold, in GB.")] = 12,
    figures_file: FiguresFile = None,
) -> None:
    """Run compiled programs in every host and in Tracr's, and print how fast each is."""
    asked = {"repetitions": repetitions, "window": window, "level": level}
    python = tracr_python or tracr_environment(version("jax"))
    pythons = {"glassbench": sys.executable, "tracr": str(python)}
    measured = [Case(name, *size) for size in parsed(sizes) for name in programs.split(",")]
    versions: dict[str, dict[str, str]] = {}
    with TemporaryDirectory() as bytecode, TemporaryDirectory() as weights:
        sides = Sides(pythons, bytecode, threads, seconds, int(memory * GB))
        for case in measured:
            print(f"{case.program} {case.size}", file=sys.stderr, flush=True)
            versions |= measure_case(case, asked, batch, sides, Path(weights))
    plan = {**asked, "batch": batch, "threads": threads}
    write_figures(figures(measured), figures_file)
    text = report(measured, plan, versions)
    print(text)
    output.mkdir(parents=True, exist_ok=True)
    (output / "forward_pass.md").write_text(text + "\n", encoding="utf-8")
    content = {"plan": plan, "versions": versions, "cases": [asdict(case) for case in measured]}
    (output / "forward_pass.json").write_text(json.dumps(content, indent=1), encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
