"""Compares the widths at which programs break with those that are predicted before training.

python docs/superposition_breaks.py [docs/superposition_curves.csv]

A program breaks below the least width at which a model of it was found that passes the quality
gate. There are two predictions: the least width at which all that is read can be carried without
error, and the read rank, the number of directions in which readers must tell something apart.
Each was formed on some programs; how far it is off is measured on all others, beside the share
of the dimensions that fits the same programs best. For the second these are programs that
performance/superposition_held_out.py searched after it was fixed.
"""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import pandas as pd
import typer

FORMED_ON: Mapping[str, tuple[str, ...]] = {
    "read_error": ("histogram", "frac_prevs"),
    "read_rank": (
        "histogram", "occurs_once", "frac_prevs", "running_mean", "count_so_far", "length",
        "count", "mean_of_ones",
    ),
}  # fmt: skip
"""The programs on which each prediction was formed."""
MEANT: Mapping[str, str] = {
    "read_error": "all that is read is carried",
    "read_rank": "what readers tell apart has room",
}
"""What each prediction says of a width."""
NOTHING = 1e-3
"""The read error up to which readers are taken to lose nothing."""
CURVES = Path(__file__).parent / "superposition_curves.csv"
HELD_OUT = Path(__file__).parent / "superposition_held_out.csv"
METHODS = ("pca", "trained")


def read_curves(path: Path) -> pd.DataFrame:
    """Return the rows that a script of performance/ wrote."""
    return pd.read_csv(path)


def least_width(rows: pd.DataFrame, which: pd.Series) -> float:
    """Return the least width of the rows where something holds; NaN if nowhere."""
    return float(rows.d[which].min())


def breaks(curves: pd.DataFrame, held_out: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return a row for each program: the least widths found and predicted."""
    found = []
    for name, rows in curves.groupby("program", sort=False):
        one: dict[str, str | float] = {"program": str(name), "D": float(rows.D.iloc[0])}
        for method in METHODS:
            one[method] = least_width(rows, rows.passes & (rows.method == method))
        one["read_error"] = least_width(rows, rows.read_error <= NOTHING)
        # Widths are measured down to two: a program that reads nothing cannot break above.
        one["read_rank"] = float(max(rows.read_rank.iloc[0], rows.d.min()))
        found.append(one)
    least = pd.DataFrame(found)
    if held_out is not None:
        columns = ["program", "D", "trained", "read_rank"]
        least = pd.concat([least, held_out[columns]], ignore_index=True)
    return least


def off_by(least: pd.DataFrame, prediction: str) -> tuple[pd.Series, pd.Series]:
    """Return how far a prediction is off on programs held out, and how far a share of `D` is."""
    least = least.dropna(subset=[prediction, "trained"])
    formed = least.program.isin(FORMED_ON[prediction])
    share = (least.trained / least.D)[formed].mean()
    held_out = least[~formed]
    by_share = (share * held_out.D).round()
    return held_out[prediction] - held_out.trained, by_share - held_out.trained


def report(least: pd.DataFrame) -> str:
    """Return the table, and how far each prediction is off on programs held out."""
    titles = ["program", "D", "PCA", "trained", *MEANT.values()]
    lines = [
        f"| {' | '.join(titles)} |",
        f"| :-- |{' --: |' * (len(titles) - 1)}",
        *(f"| {row[0]} | {' | '.join(map(_shown, row[1:]))} |"
          for row in least.itertuples(index=False)),
        "",
    ]  # fmt: skip
    for prediction, meant in MEANT.items():
        for name, off in zip((meant, "a share of D"), off_by(least, prediction), strict=True):
            rank = (off + least.trained[off.index]).corr(
                least.trained[off.index], method="spearman"
            )
            lines.append(
                f"- {name}: formed on {len(FORMED_ON[prediction])} programs; on {len(off)} held "
                f"out off by {off.abs().mean():.2f} on average and at most {off.abs().max():.0f}, "
                f"exact on {(off == 0).sum()}, too low on {(off < 0).sum()}, rank correlation "
                f"{rank:.2f}"
            )
    return "\n".join(lines)


def _shown(width: float) -> str:
    return "" if pd.isna(width) else f"{width:.0f}"


def main(curves: Annotated[Path, typer.Argument(help="The CSV of the curves.")] = CURVES) -> None:
    """Print the table."""
    sys.stdout.write(report(breaks(read_curves(curves), read_curves(HELD_OUT))) + "\n")


if __name__ == "__main__":
    typer.run(main)
