"""The figures of a script, as JSON: numbers by name, which the harness reads."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

FiguresFile = Annotated[
    Path | None, typer.Option("--figures", help="Also write the figures here, as JSON.")
]
"""The option that every script with figures has."""


def write_figures(figures: Mapping[str, float], file: Path | None) -> None:
    """Write figures into a file, if there is one."""
    if file is not None:
        numbers = {name: float(number) for name, number in figures.items()}
        file.write_text(json.dumps(numbers, indent=1) + "\n", encoding="utf-8")
