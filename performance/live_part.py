"""How much time auto-circuit takes for the live part of a model, and how its scores differ.

    python performance/live_part.py
    python performance/live_part.py edge-patching acdc --task count/crowded/scrambled

The same problem with the whole model and with its live part, in one run: seconds of the
processor, the model made before, and the largest difference of two scores of an edge.
"""

from dataclasses import replace
from typing import Annotated

import typer
from markdown_table import table

from glassbench.evaluators import TRACKS
from glassbench.evaluators.adapters import ADAPTERS, EnvironmentTool
from glassbench.evaluators.circuit_problem import CircuitProblem
from glassbench.ground_truth import load

METHODS = ("edge-patching", "acdc")
TASK = "histogram-v1/crowded[distractors=8,seed=400]/scrambled[seed=400]"


def answered(tool: EnvironmentTool, problem: CircuitProblem) -> tuple[dict[str, float], float]:
    """Return scores, and seconds of the processor."""
    reply = tool.ask(TRACKS["circuit"], problem)
    if reply.error is not None:
        raise reply.error
    return reply.answer, float(reply.told["settings"]["processor_seconds"])


def row(method: str, problem: CircuitProblem) -> list[str]:
    """Return a row of the table."""
    tool = ADAPTERS[f"auto-circuit-{method}"]
    assert isinstance(tool, EnvironmentTool)
    whole, slow = answered(replace(tool, live=False), problem)
    live, fast = answered(replace(tool, live=True), problem)
    largest = max(abs(whole[edge] - live[edge]) for edge in problem.edges)
    return [f"`{tool.name}`", f"{slow:.1f}", f"{fast:.1f}", f"{slow / fast:.1f}", f"{largest:.1g}"]


def main(
    methods: Annotated[list[str] | None, typer.Argument(help="Of auto-circuit.")] = None,
    task: Annotated[str, typer.Option(help="What is asked about.")] = TASK,
) -> None:
    problem = TRACKS["circuit"].problem(load(task), 0)
    heading = ["method", "whole, s", "live, s", "times faster", "largest difference"]
    print(table(heading, [row(method, problem) for method in methods or METHODS]))


if __name__ == "__main__":
    typer.run(main)
