"""`glassbench cite`: the references of exactly what was run."""

from enum import StrEnum
from typing import Annotated

import typer

from .asked_tasks import Results
from .console import console


class Style(StrEnum):
    """How references are written."""

    BIBTEX = "bibtex"
    TEXT = "text"


def cite(
    results: Results,
    style: Annotated[
        Style, typer.Option("--format", help="BibTeX, or a line of text for each.")
    ] = Style.BIBTEX,
) -> None:
    """Print the references of what results were made with: programs, methods, tools, tracks."""
    from .evaluators import cite as references_of
    from .leaderboard import read_results

    text = references_of(read_results(results), style.value)
    console().print(text, end="", soft_wrap=True)
