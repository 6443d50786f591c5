"""Compares the widths at which programs break with those that are predicted before training.

python docs/superposition_breaks.py [docs/superposition_curves.csv]

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

FORMED_ON = ("histogram", "frac_prevs")
"""The programs on which the predictions were formed."""
NOTHING = 1e-3
"""The read error up to which readers are taken to lose nothing."""
CURVES = Path(__file__).parent / "superposition_curves.csv"
METHODS = ("pca", "trained")
PREDICTIONS = ("read_error", "centred_read_error")
"""What predicts a break; see `read_moments`."""


def read_curves(path: Path) -> pd.DataFrame:
    """Return the rows that performance/superposition_curves.py wrote."""
    return pd.read_csv(path)


def least_width(rows: pd.DataFrame, which: pd.Series) -> float:
    """Return the least width of the rows where something holds; NaN if nowhere."""
    return float(rows.d[which].min())


def breaks(curves: pd.DataFrame) -> pd.DataFrame:
    """Return a row for each program: the least widths measured and predicted."""
    found = []
    for name, rows in curves.groupby("program", sort=False):
        one: dict[str, str | float] = {"program": str(name), "D": float(rows.D.iloc[0])}
        for method in METHODS:
            one[method] = least_width(rows, rows.passes & (rows.method == method))
        for error in PREDICTIONS:
            one[error] = least_width(rows, rows[error] <= NOTHING)
        found.append(one)
    return pd.DataFrame(found)


def fitted_bound(curves: pd.DataFrame) -> float:
    """Return the bound on the read error in the middle of those that fit what it is formed on.

    The geometric mean of two errors: the largest at the last width that passes, and the least at
    the first that does not.
    """
    passing, failing = [], []
    for name in FORMED_ON:
        rows = curves[curves.program == name]
        last = least_width(rows, (rows.method == "trained") & rows.passes)
        passing.append(rows.read_error[rows.d == last].max())
        failing.append(rows.read_error[rows.d == last - 1].min())
    return float(np.sqrt(max(passing) * min(failing)))


def report(curves: pd.DataFrame) -> str:
    """Return the table, and how far each prediction is off on programs held out."""
    bound = fitted_bound(curves)
    within = {
        name: least_width(rows, rows.read_error <= bound)
        for name, rows in curves.groupby("program")
    }
    found = breaks(curves)
    found[f"error {bound:.2f}"] = found.program.map(within)
    names = {"pca": "PCA", "read_error": "all read", "centred_read_error": "means free"}
    found = found.rename(columns=names)
    formed = found.program.isin(FORMED_ON)
    held_out, share = found[~formed], (found.trained / found.D)[formed].mean()
    lines = [
        f"| {' | '.join(found.columns)} |",
        f"| :-- |{' --: |' * (len(found.columns) - 1)}",
        *(f"| {' | '.join(f'{x:.0f}' if x != row[0] else x for x in row)} |"
          for row in found.itertuples(index=False)),
        "",
    ]  # fmt: skip
    guesses = {name: held_out[name] for name in found.columns[4:]}
    guesses[f"{share:.2f} of D"] = (share * held_out.D).round()
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
    sys.stdout.write(report(read_curves(curves)) + "\n")


if __name__ == "__main__":
    typer.run(main)
