"""Standings as text: cells for any table, Markdown and LaTeX.

Names of methods come from outside. Each writer escapes every character that its
format would read as markup.
"""

import math
import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

TITLES = {
    "edge_average_precision": "AP",
    "edge_auroc": "AUROC",
    "node_average_precision": "Node AP",
    "node_average_precision_without_embed": "Node AP, no embed",
    "sensitivity_average_precision": "AP",
    "sensitivity_auroc": "AUROC",
    "shapley_spearman": "Spearman",
    "shapley_mass_at_size": "Shapley mass",
    "matched_cosine": "Cosine",
    "mean_max_cosine": "Max cosine",
    "recovered_at_0.9": "Found at 0.9",
    "activation_f1": "F1",
    "activation_auroc": "AUROC",
    "duplicate_directions": "Duplicates",
    "dead_units": "Dead",
    "unexplained_variance": "Unexplained",
}
"""The metrics and reported numbers that tables show, in order, and their headings."""

NOTE = (
    "Score: mean over tasks of the normalised primary metric, 0 at the higher of the floors and "
    "1 at the oracle, with a 95% bootstrap interval over tasks. A run that failed, and a task "
    "that was not run, count as a random answer. Tasks: answered of all. random, prior and "
    "oracle are references and have no rank."
)

_MARKDOWN = re.compile(r"([\\`*_\[\]#|~!$@])")
_HTML = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_LATEX = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    '"': r"\char34{}",
    "`": r"\textasciigrave{}",
    **{character: f"\\{character}" for character in "&%$#_{}"},
}


def one_line(text: str) -> str:
    """Return `text` with control characters and runs of white space as single spaces."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())


def escape_markdown(text: str) -> str:
    r"""Return `text` so that Markdown, and HTML inside it, show it as it is.

    Example:
        >>> escape_markdown("a|b <i> my_tool")
        'a\\|b &lt;i&gt; my\\_tool'
    """
    # Entities keep a bare address from becoming a link in dialects that link it.
    text = "".join(_HTML.get(character, character) for character in one_line(text))
    return _MARKDOWN.sub(r"\\\1", text).replace("://", "&#58;//").replace("www.", "www&#46;")


def escape_latex(text: str) -> str:
    r"""Return `text` so that LaTeX typesets it as it is.

    Example:
        >>> escape_latex(r"100%_\x")
        '100\\%\\_\\textbackslash{}x'
    """
    escaped = "".join(_LATEX.get(character, character) for character in one_line(text))
    return re.sub("-(?=-)", "-{}", escaped)  # no en dash out of two hyphens


def cells(standings: "pd.DataFrame") -> tuple[list[str], list[list[str]]]:
    """Return the heading and the rows of the table, as plain unescaped text.

    Args:
        standings: from `standings`.
    """
    metrics = [name for name in TITLES if name in standings.columns]
    heading = ["Rank", "Method", "Score", "95% interval", *(TITLES[name] for name in metrics)]
    heading += ["Seconds", "Tasks", "Failed"]
    rows = []
    for _, row in standings.iterrows():
        is_method = row["role"] == "method"
        known = not math.isnan(row["low"])
        rows.append(
            [
                str(row["rank"]) if is_method else "",
                one_line(str(row["method"])),
                _number(row["normalised"]),
                f"[{_number(row['low'])}, {_number(row['high'])}]" if known else "",
                *(_number(row[name]) for name in metrics),
                f"{row['seconds']:.2f}" if is_method else "",
                f"{row['answered']}/{row['tasks']}" if is_method else "",
                str(row["failed"]) if is_method else "",
            ]
        )
    return heading, rows


def _number(value: float) -> str:
    """Return three decimals, without a sign on zero; nothing for a value not known."""
    return "" if math.isnan(value) else f"{round(value, 3) + 0.0:.3f}"


def markdown_table(standings: "pd.DataFrame", failures: "pd.DataFrame | None" = None) -> str:
    """Return the standings as a Markdown table, a note, and the runs that failed.

    Args:
        standings: from `standings`.
        failures: from `failures`; each is listed below the table.
    """
    heading, rows = cells(standings)
    lines = [
        _markdown_row(heading),
        _markdown_row(["---" if title == "Method" else "---:" for title in heading]),
        *(_markdown_row([escape_markdown(cell) for cell in row]) for row in rows),
        "",
        NOTE,
    ]
    if failures is not None and len(failures):
        lines += ["", "Runs without an answer:", ""]
        for _, run in failures.iterrows():
            reason = one_line(str(run["error"]))
            if len(reason) > 200:
                reason = f"{reason[:200]} ..."
            text = f"Method {run['method']} on {run['task']}, seed {run['seed']}, {run['status']}"
            lines.append(f"- {escape_markdown(f'{text}: {reason}')}")
    return "\n".join(lines) + "\n"


def _markdown_row(row: list[str]) -> str:
    return f"| {' | '.join(row)} |"


def latex_table(standings: "pd.DataFrame") -> str:
    r"""Return the standings as a LaTeX `tabular`; it needs `\usepackage{booktabs}`.

    Args:
        standings: from `standings`.
    """
    heading, rows = cells(standings)
    columns = "".join("l" if title == "Method" else "r" for title in heading)
    lines = [
        *(f"% {line}" for line in re.findall(r".{1,90}(?:\s|$)", NOTE)),
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        _latex_row(heading),
        r"\midrule",
        *(_latex_row(row) for row in rows),
        r"\bottomrule",
        r"\end{tabular}",
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _latex_row(row: list[str]) -> str:
    return " & ".join(_latex_cell(cell) for cell in row) + r" \\"


def _latex_cell(cell: str) -> str:
    """Return numbers and intervals in mathematics, for their minus signs; else as text."""
    number = r"-?\d+(\.\d+)?"
    if re.fullmatch(rf"{number}|\[{number}, {number}\]", cell):
        return f"${cell}$"
    if re.fullmatch(r"\d+-\d+", cell):
        return cell.replace("-", "--")
    return escape_latex(cell)
