"""Compares the widths at which programs break with those that are predicted before training.

python performance/superposition_breaks.py [docs/superposition_curves.csv]

A program breaks below the least width at which a model of it was found that passes the quality
gate. Predicted is the least width at which what readers read can be carried with an error of at
most a bound: nothing, nothing when means are free, or the bound that fits the two programs that
the hypothesis was formed on. All others are held out.
"""

import sys
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from markdown_table import table

FORMED_ON = ("histogram", "frac_prevs")
NOTHING = 1e-3
CURVES = Path(__file__).parent.parent / "docs" / "superposition_curves.csv"


def least(rows: pd.DataFrame, which: pd.Series) -> int:
    """Return the least width of the rows where something holds."""
    return int(rows.d[which].min())


def fitted_bound(curves: pd.DataFrame) -> float:
    """Return the bound on the read error in the middle of those that fit what it is formed on.

    The logarithms of the errors at the last width that passes and at the first that does not are
    averaged, over the two programs the tightest of either.
    """
    passing, failing = [], []
    for name in FORMED_ON:
        rows = curves[curves.program == name]
        last = least(rows, (rows.method == "trained") & rows.passes)
        passing.append(rows.read_error[rows.d == last].max())
        failing.append(rows.read_error[rows.d == last - 1].min())
    return float(np.sqrt(max(passing) * min(failing)))


def breaks(curves: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each program: where it breaks, and where that was predicted."""
    bound = fitted_bound(curves)
    found = []
    for name, rows in curves.groupby("program", sort=False):
        trained, pca = (rows.passes & (rows.method == each) for each in ("trained", "pca"))
        found.append(
            {
                "program": name,
                "D": int(rows.D.iloc[0]),
                "PCA": least(rows, pca),
                "trained": least(rows, trained),
                "all read": least(rows, rows.read_error <= NOTHING),
                "means free": least(rows, rows.centred_read_error <= NOTHING),
                f"error {bound:.2f}": least(rows, rows.read_error <= bound),
            }
        )
    return pd.DataFrame(found)


def report(curves: pd.DataFrame) -> str:
    """Return the table, and how far each prediction is off on programs held out."""
    found = breaks(curves)
    held_out = found[~found.program.isin(FORMED_ON)]
    lines = [table(list(found.columns), found.astype(str).to_numpy().tolist()), ""]
    share = (found.trained / found.D)[found.program.isin(FORMED_ON)].mean()
    guesses = {name: held_out[name] for name in found.columns[4:]}
    guesses[f"{share:.2f} of D"] = (share * held_out.D).round().astype(int)
    for name, guess in guesses.items():
        off = (guess - held_out.trained).abs()
        lines.append(
            f"- {name}: off by {off.mean():.2f} on average over {len(off)} programs held out, "
            f"exact on {(off == 0).sum()}, rank correlation "
            f"{guess.corr(held_out.trained, method='spearman'):.2f}"
        )
    return "\n".join(lines)


def main(curves: Annotated[Path, typer.Argument(help="The CSV of the curves.")] = CURVES) -> None:
    """Print the table."""
    sys.stdout.write(report(pd.read_csv(curves)) + "\n")


if __name__ == "__main__":
    typer.run(main)
