"""Table formats: a table as Markdown, as LaTeX for a paper, and as HTML."""

import re
from typing import TYPE_CHECKING

from .escapes import escape_html, escape_latex, escape_markdown, one_line
from .tables import Table

if TYPE_CHECKING:
    import pandas as pd

_LONGEST_ERROR = 200
_DECIMAL = r"-?\d+\.\d+"
_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
div { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
caption { caption-side: bottom; padding-top: 1rem; text-align: left; }
th, td { padding: 0.25rem 0.75rem; text-align: right; white-space: nowrap; }
th.text, td.text { text-align: left; }
thead th { border-bottom: 2px solid; border-top: 2px solid; }
tbody { border-bottom: 2px solid; }
"""


def markdown_table(table: Table, failures: "pd.DataFrame | None" = None) -> str:
    """Return a table as Markdown, with its note, and the runs that failed.

    Args:
        table: from one of the functions of `tables`.
        failures: from `failures`; each is listed below the table.
    """
    rule = [":---" if title in table.left else "---:" for title in table.heading]
    lines = [
        _markdown_row([escape_markdown(title) for title in table.heading]),
        _markdown_row(rule),
        *(_markdown_row([escape_markdown(cell) for cell in row]) for row in table.rows),
        "",
        escape_markdown(table.note),
    ]
    if failures is not None and len(failures):
        lines += ["", "Runs without an answer:", ""]
        lines += [f"- {escape_markdown(_failure(run))}" for run in failures.to_dict("records")]
    return "\n".join(lines) + "\n"


def _failure(run: dict) -> str:
    """Return a run without an answer, and why, in one line."""
    reason = one_line(str(run["error"]))
    if len(reason) > _LONGEST_ERROR:
        reason = f"{reason[:_LONGEST_ERROR]} ..."
    place = f"{run['task']}, seed {run['seed']}, {run['status']}"
    return f"Method {run['method']} on {place}: {reason}"


def _markdown_row(row: list[str]) -> str:
    return f"| {' | '.join(row)} |"


def latex_table(table: Table) -> str:
    r"""Return a table as a LaTeX `tabular`, to be read with `\input` in an environment `table`.

    It needs `\usepackage{booktabs}`, and says so in a comment above it. The note stands there too,
    for a caption. Type and columns are set small, so that names of some length have room.

    Args:
        table: from one of the functions of `tables`.
    """
    columns = "".join("l" if title in table.left else "r" for title in table.heading)
    lines = [
        r"% Needs \usepackage{booktabs}. For a caption:",
        *(f"% {line}" for line in re.findall(r".{1,90}(?:\s|$)", one_line(table.note))),
        r"{\small\setlength{\tabcolsep}{3pt}%",
        rf"\begin{{tabular}}{{@{{}}{columns}@{{}}}}",
        r"\toprule",
        _latex_row([_latex_cell(title) for title in table.heading]),
        r"\midrule",
        *(
            _latex_row([_latex_cell(cell, (n, place) in table.bold) for place, cell in cells])
            for n, cells in enumerate(map(enumerate, table.rows))
        ),
        r"\bottomrule",
        r"\end{tabular}}",
    ]
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _latex_row(row: list[str]) -> str:
    return " & ".join(row) + r" \\"


def _latex_cell(cell: str, is_bold: bool = False) -> str:
    """Return decimals and intervals in mathematics, for their minus signs; else as text."""
    if re.fullmatch(rf"<?{_DECIMAL}|\[{_DECIMAL}, {_DECIMAL}\]|{_DECIMAL} \(<?{_DECIMAL}\)", cell):
        number = cell.replace(" (", r"\ (")
        return rf"$\mathbf{{{number}}}$" if is_bold else f"${number}$"
    text = cell.replace("-", "--") if re.fullmatch(r"\d+-\d+", cell) else escape_latex(cell)
    return rf"\textbf{{{text}}}" if is_bold else text


def html_table(table: Table) -> str:
    """Return a table as an HTML `table` with a caption, whose rows are named by their first name.

    Args:
        table: from one of the functions of `tables`.
    """
    named = next((n for n, title in enumerate(table.heading) if title in table.left), 0)
    kinds = [' class="text"' if title in table.left else "" for title in table.heading]
    heading = "".join(
        f'<th scope="col"{kind}>{escape_html(title)}</th>'
        for title, kind in zip(table.heading, kinds, strict=True)
    )
    lines = [
        "<table>",
        f"<caption>{escape_html(table.note)}</caption>",
        f"<thead><tr>{heading}</tr></thead>",
        "<tbody>",
    ]
    for row in table.rows:
        tags = ['th scope="row"' if n == named else "td" for n in range(len(row))]
        written = "".join(
            f"<{tag}{kind}>{escape_html(cell)}</{tag[:2]}>"
            for tag, kind, cell in zip(tags, kinds, row, strict=True)
        )
        lines.append(f"<tr>{written}</tr>")
    return "\n".join([*lines, "</tbody>", "</table>"]) + "\n"


def html_page(table: Table, title: str) -> str:
    """Return a table as a page of its own, which asks nothing of any other place.

    Args:
        table: from one of the functions of `tables`.
        title: of the page.
    """
    shown = escape_html(title)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{shown}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n<h1>{shown}</h1>\n"
        f'<div tabindex="0">\n{html_table(table)}</div>\n</body>\n</html>\n'
    )
