"""Interruption: how a command ends that was stopped from the keyboard."""

from pathlib import Path

import typer

from .console import console

STOPPED = 130
"""What shells say of such a command."""


def interrupted(told: str, checkpoint: Path | None) -> typer.Exit:
    """Tell what is done, and from where the same command goes on; return how it ends.

    Args:
        told: what is done.
        checkpoint: where training stands, if that is kept.
    """
    if checkpoint is not None and checkpoint.exists():
        told += f" The same command goes on from {checkpoint}."
    console(stderr=True).print(told, style="red", soft_wrap=True)
    return typer.Exit(STOPPED)
