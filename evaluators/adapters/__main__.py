"""Makes the environments of tools: `python -m glassbench.evaluators.adapters auto-circuit`."""

from typing import Annotated

import typer

from ...benchmark_programs import unknown_name
from ...console import console
from ...errors import GlassbenchError
from .environments import ENVIRONMENTS


def main(
    names: Annotated[
        list[str] | None, typer.Argument(help="Environments to make; without any, what there is.")
    ] = None,
) -> None:
    """Make environments of their own for tools that cannot stand beside Glassbench."""
    for name in names or ():
        if name not in ENVIRONMENTS:
            raise typer.BadParameter(unknown_name("environment", name, ENVIRONMENTS))
    for name in names or ():
        try:
            ENVIRONMENTS[name].make()
        except GlassbenchError as error:
            console().print(str(error), style="red", markup=False)
            raise typer.Exit(1) from None
    for name, environment in ENVIRONMENTS.items():
        state = str(environment.folder) if environment.is_there else "not made"
        console().print(f"{name}: {state}", soft_wrap=True, markup=False)


if __name__ == "__main__":
    typer.run(main)
