"""The circuit of a task as a picture: components, and the variables that edges carry.

    from glassbench.ground_truth.circuit_picture import write_circuit

    write_circuit(gb.load("sort"), "sort.svg")

Components are boxes, in columns from the embeddings to the logits; a box that no
causal edge leaves is grey. Causal edges are bold and bear the names of the
program variables that they carry, positional edges are dashed, inert edges faint.
Unwired edges are not drawn.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..compiler.component_graph import LOGITS
from ..compiler.picture_file import FONT_INCHES, picture_style, write_drawing
from .circuit_labels import EdgeState
from .circuit_layout import Layout, Link, lay_out
from .task import Task

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's palette, which the colour-blind can tell apart; line styles say the same.
_COLOUR = {
    EdgeState.CAUSAL: "#0072B2",
    EdgeState.POSITIONAL: "#D55E00",
    EdgeState.INERT: "#BDBDBD",
}
_LINE: Mapping[EdgeState, dict[str, Any]] = {
    EdgeState.CAUSAL: {"linewidth": 1.8, "zorder": 4.0},
    EdgeState.POSITIONAL: {"linewidth": 1.4, "zorder": 3.0, "linestyle": (0, (4, 2.2))},
    EdgeState.INERT: {"linewidth": 0.8, "zorder": 2.0},
}
_FONT = FONT_INCHES * 72
_MARGIN, _HEADING, _LEGEND = 0.18, 0.5, 0.34


def draw_circuit(task: Task, *, inert: bool = True) -> "Figure":
    """Return the circuit of a task as a matplotlib figure.

    Args:
        task: a task with its labels.
        inert: whether inert edges are drawn, and components that have no others.
    """
    from matplotlib.figure import Figure

    shown = {EdgeState.CAUSAL, EdgeState.POSITIONAL} | ({EdgeState.INERT} if inert else set())
    layout = lay_out(task.graph, task.labels.edges, shown)
    text = str(task.id)
    width = max(layout.width, len(text) * FONT_INCHES * 0.75, 4.2) + 2 * _MARGIN
    height = layout.height + 2 * _MARGIN + _HEADING + _LEGEND
    with picture_style():
        figure = Figure(figsize=(width, height))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set_xlim(-_MARGIN, width - _MARGIN)
        axes.set_ylim(height - _MARGIN - _HEADING, -_MARGIN - _HEADING)
        counts = ", ".join(f"{count} {state}" for state, count in task.labels.counts.items())
        axes.text(0, -_HEADING, text, va="top", fontsize=_FONT + 1.5, weight="bold")
        axes.text(0, -_HEADING + 0.19, counts, va="top", color="#505050")
        _draw_links(axes, layout)
        _draw_boxes(axes, layout)
        _draw_legend(axes, layout.height + _LEGEND, shown)
    return figure


def write_circuit(task: Task, path: str | os.PathLike[str], *, inert: bool = True) -> Path:
    """Write the circuit of a task as SVG or PNG, the same bytes each time.

    Args:
        task: a task with its labels.
        path: where to; the ending chooses the kind. Folders are made.
        inert: whether inert edges are drawn, and components that have no others.

    Raises:
        GlassbenchError: `path` ends neither in `.svg` nor in `.png`.
    """
    return write_drawing(lambda: draw_circuit(task, inert=inert), path)


def _draw_links(axes: "Axes", layout: Layout) -> None:
    from matplotlib.patches import PathPatch
    from matplotlib.path import Path as Curve

    for link in layout.links:
        start, end = layout.columns[link.start.column], layout.columns[link.end.column]
        y0, y1 = layout.middle[link.start], _end_height(layout, link)
        x0, x1, x2 = start.right, end.curve_end, end.left
        if link.port is None:
            x2 = end.right
        middle = (x0 + x1) / 2
        points = [(x0, y0), (middle, y0), (middle, y1), (x1, y1), (x2, y1)]
        codes = [Curve.MOVETO, Curve.CURVE4, Curve.CURVE4, Curve.CURVE4, Curve.LINETO]
        colour, line = _COLOUR[link.state], _LINE[link.state]
        axes.add_patch(
            PathPatch(Curve(points, codes), fill=False, edgecolor=colour, capstyle="butt", **line)
        )
        if link.port is not None:
            _draw_arrow_head(axes, x2, y1, colour, line["zorder"])
            text = "\n".join(link.port.lines)
            place: dict[str, Any] = {"va": "bottom", "ha": "right", "linespacing": 1.05}
            axes.text(x2 - 0.09, y1 - 0.025, text, color=colour, zorder=6, **place)


def _end_height(layout: Layout, link: Link) -> float:
    """Return the height at which a link ends."""
    if link.port is None:
        return layout.middle[link.end]
    return layout.port_heights[link.port.label.edge]


def _draw_arrow_head(axes: "Axes", x: float, y: float, colour: str, zorder: float) -> None:
    from matplotlib.patches import Polygon

    corners = [(x, y), (x - 0.075, y - 0.036), (x - 0.075, y + 0.036)]
    axes.add_patch(Polygon(corners, closed=True, facecolor=colour, linewidth=0, zorder=zorder))


def _draw_boxes(axes: "Axes", layout: Layout) -> None:
    from matplotlib.patches import FancyBboxPatch

    live = {
        port.writer
        for item in layout.items
        for port in item.ports
        if port.label.state is EdgeState.CAUSAL
    }
    for item in layout.items:
        if item.is_lane:
            continue
        column = layout.columns[item.column]
        top = layout.middle[item] - item.height / 2
        is_live = item.name in live or item.name == LOGITS
        axes.add_patch(
            FancyBboxPatch(
                (column.left, top),
                column.right - column.left,
                item.height,
                boxstyle="round,pad=0,rounding_size=0.05",
                facecolor="#EAF3FA" if is_live else "#F7F7F7",
                edgecolor="#303030" if is_live else "#BDBDBD",
                linewidth=1.0,
                zorder=5,
            )
        )
        roles = any(port.role for port in item.ports)
        axes.text(
            (column.left + column.right) / 2 + (0.06 if roles else 0.0),
            layout.middle[item],
            item.name,
            ha="center",
            va="center_baseline",
            weight="bold" if is_live else "normal",
            color="black" if is_live else "#707070",
            zorder=6,
        )
        for role in ("q", "k", "v"):
            heights = [
                layout.port_heights[port.label.edge] for port in item.ports if port.role == role
            ]
            for height in heights:
                place: dict[str, Any] = {"ha": "left", "va": "center", "fontsize": _FONT - 1.5}
                axes.text(column.left + 0.04, height, role, color="#505050", zorder=6, **place)


def _draw_legend(axes: "Axes", y: float, shown: set[EdgeState]) -> None:
    x = 0.0
    for state in EdgeState:
        if state not in shown:
            continue
        axes.plot([x, x + 0.35], [y, y], color=_COLOUR[state], **_LINE[state])
        axes.text(x + 0.42, y, state.value, va="center", color="#303030")
        x += 0.42 + len(state.value) * FONT_INCHES * 0.6021 + 0.25
    hidden = "unwired" if EdgeState.INERT in shown else "inert and unwired"
    axes.text(x, y, f"({hidden} edges are not drawn)", va="center", color="#707070")
