"""Our training of ordinary transformers beside a straightforward loop in PyTorch.

python performance/trained_vs_torch.py histogram frac_prevs --limit 300 -o trained_vs_torch.md

Both start from the same weights, on the same task, and are measured by the same gate on
held-out inputs. Seconds are of the processor, of one thread, with compilation and without what
measuring takes. The loop, `siit_in_torch.py`, is given its best case: it is done as soon as
answers and interchanges pass, whatever the states of edges; and how many of these are then other
than they must be is told. It ends after a limit.
"""

import os

os.environ.setdefault(
    "XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
)

import time
from pathlib import Path
from typing import Annotated

import torch
import typer
from machine import described
from markdown_table import table
from siit_in_torch import training
from trained_suite import versions

from glassbench.benchmark_programs import TaskId, get_suite
from glassbench.ground_truth.trained import held_out, initial_weights, original_of, train
from glassbench.ground_truth.training_gate import MOST_WRONG

HEADING = ["task", "ours", "PyTorch", "ratio", "steps", "answers", "interchanges", "edges moved"]


def compared(task: TaskId, limit: float, batch: int) -> list[str]:
    """Train one task in both ways, and return a row."""
    original = original_of(task)
    started = time.process_time()
    (ours,) = train(task, original)
    own = time.process_time() - started
    if not ours.gate.passed:
        raise SystemExit(f"{task}: ours does not pass: {ours.gate.shortcomings[0]}")
    measured_by = held_out(task, original)
    first = initial_weights(task, original.compiled)
    for done in training(measured_by, first, batch=batch, every=500):
        steps, seconds, weights = done
        right, _ = measured_by.right(weights, measured_by.rows)
        is_good = 1 - right[measured_by.rows.chosen > 0].mean() <= MOST_WRONG
        if is_good or seconds > limit:
            break
    gate = measured_by.gate(weights, str(task))
    return [
        f"`{task.name}`",
        f"{own:.0f} s",
        f"{seconds:.0f} s" if is_good else f"more than {seconds:.0f} s",
        f"{seconds / own:.1f}" if is_good else f"> {seconds / own:.1f}",
        f"{steps:,}",
        f"{1 - gate.answers.share:.1%}",
        f"{1 - gate.interchanged.share:.1%}",
        f"{len(gate.moved)} of {len(gate.labels.edges)}",
    ]


def main(
    programs: list[str],
    limit: Annotated[float, typer.Option(help="Seconds after which the loop ends.")] = 300.0,
    batch: Annotated[int, typer.Option(help="Rows in each batch of the loop.")] = 256,
    output: Annotated[Path | None, typer.Option("-o", help="A file for the table.")] = None,
) -> None:
    torch.set_num_threads(1)
    known = {task.name: task for task in get_suite("trained")}
    rows = []
    for name in programs:
        rows.append(compared(known[name], limit, batch))
        print(" ".join(rows[-1]), flush=True)
    found = {"packages": versions() | {"torch": torch.__version__}}
    text = f"{table(HEADING, rows)}\n\nBatches of {batch} in the loop. {described(1, found)}"
    print(text)
    if output is not None:
        output.write_text(f"{text}\n", encoding="utf-8")


if __name__ == "__main__":
    typer.run(main)
