"""A picture of a compiled model: what lies in the residual stream, and who writes and reads it.

    from glassbench.compiler.model_picture import write_picture

    write_picture(compiled, "model.svg")

Every variable is a lane, from where it is written to where it is last read; a lane of one
direction per value is a band, that of a number a line. Every head and every group of
neurons is a column, in the order of the forward pass: a letter where a head reads with its
query, key or value, a dot where neurons read, and a filled square or diamond where they write.
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .lanes import Column, Lane, lanes_and_columns
from .picture_file import CHARACTER, FONT_INCHES, picture_style, write_drawing

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .compiled_model import CompiledModel

# Okabe and Ito's palette, which the colour-blind can tell apart; shapes say the same.
_HEAD, _MLP, _END = "#0072B2", "#C04A00", "#303030"
_GREY, _FADED, _SHADE = "#707070", "#E9ECEE", "#F4F6F8"
# The colour and the thickness of lanes.
_BAND, _NUMBER = ("#C9D3DA", 4.0), ("#7F8C94", 1.1)
_FONT = FONT_INCHES * 72
_SMALL = _FONT - 1.5
_LANE, _COLUMN, _GAP, _MARGIN = 0.24, 0.32, 0.16, 0.15
_HEADER, _LEGEND, _LEGEND_WIDTH = 1.2, 0.62, 5.2
_LONGEST_NAME = 32


def write_picture(compiled: "CompiledModel", path: str | os.PathLike[str]) -> Path:
    """Write a picture of a compiled model as SVG or PNG, the same bytes each time.

    Args:
        compiled: any compiled model, scrambled ones included.
        path: where to; the ending chooses the kind. Folders are made.

    Raises:
        GlassbenchError: `path` ends neither in `.svg` nor in `.png`.
    """
    return write_drawing(lambda: draw_model(compiled), path)


def draw_model(compiled: "CompiledModel") -> "Figure":
    """Return a picture of a compiled model as a matplotlib figure."""
    from matplotlib.figure import Figure

    lanes, columns = lanes_and_columns(compiled)
    places = _Places(lanes, columns)
    title, subtitle = _titles(compiled)
    text_width = CHARACTER * max(1.2 * len(title), len(subtitle))
    width, height = max(places.width, text_width, _LEGEND_WIDTH), places.height
    with picture_style():
        figure = Figure(figsize=(width + 2 * _MARGIN, height + 2 * _MARGIN))
        axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
        axes.set_axis_off()
        axes.set_xlim(-_MARGIN, width + _MARGIN)
        axes.set_ylim(height + _MARGIN, -_MARGIN)
        axes.text(0, 0, title, va="top", fontsize=_FONT + 1.5, weight="bold")
        axes.text(0, 0.19, subtitle, va="top", color="#505050")
        _draw_layers(axes, places)
        _draw_lanes(axes, places, compiled.source_map.outputs)
        for column in columns:
            _draw_column(axes, places, column)
        _draw_legend(axes, height - 0.08)
    return figure


def _titles(compiled: "CompiledModel") -> tuple[str, str]:
    program, weights = compiled.program, compiled.model.weights
    kind = "causal" if program.causal else "bidirectional"
    return program.name, (
        f"{len(program.vocabulary)} tokens, up to {program.max_length} of them, {kind}; "
        f"d_model {weights.d_model}, {weights.n_parameters:,} parameters"
    )


def _shortened(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…"


class _Places:
    """Where lanes and columns are, in inches from the top left; lives for one picture."""

    def __init__(self, lanes: Sequence[Lane], columns: Sequence[Column]) -> None:
        self.lanes, self.columns = lanes, columns
        longest = max(len(_shortened(lane.name)) for lane in lanes)
        self.left = CHARACTER * longest + 0.5
        self.x: dict[int, float] = {}
        at, before = self.left + _COLUMN / 2, columns[0]
        for column in columns:
            if (column.layer, column.kind) != (before.layer, before.kind):
                at += _GAP
            self.x[id(column)] = at
            at, before = at + _COLUMN, column
        self.width = at + 0.1
        self.top = _HEADER
        self.y = {lane.name: self.top + _LANE * (n + 0.5) for n, lane in enumerate(lanes)}
        self.bottom = self.top + _LANE * len(lanes)
        self.height = self.bottom + _LEGEND

    def at(self, column: Column) -> float:
        """Return the middle of a column."""
        return self.x[id(column)]


def _write(axes: "Axes", x: float, y: float, text: str, **style: Any) -> None:
    """Write small text, by its middle unless `style` says otherwise."""
    usual = {"ha": "center", "va": "center_baseline", "fontsize": _SMALL, "color": _GREY}
    axes.text(x, y, text, **{**usual, **style})


def _stroke(axes: "Axes", x: Sequence[float], y: Sequence[float], **style: Any) -> None:
    """Draw a straight line that ends where it ends."""
    axes.plot(x, y, solid_capstyle="butt", **style)


def _draw_layers(axes: "Axes", places: _Places) -> None:
    """Shade every second layer, and say above it what is what."""
    spans: dict[tuple[int, str], list[float]] = {}
    for column in places.columns:
        if column.layer >= 0:
            spans.setdefault((column.layer, column.kind), []).append(places.at(column))
    layers: dict[int, list[float]] = {}
    for (layer, kind), middles in spans.items():
        layers.setdefault(layer, []).extend(middles)
        colour, title = (_HEAD, "attn") if kind == "head" else (_MLP, "mlp")
        ends = [middles[0] - _COLUMN / 2 + 0.03, middles[-1] + _COLUMN / 2 - 0.03]
        _stroke(axes, ends, [places.top - 0.26] * 2, color=colour, linewidth=1.0)
        _write(axes, sum(ends) / 2, places.top - 0.29, title, va="bottom", color=colour)
    for layer, middles in layers.items():
        ends = [middles[0] - (_COLUMN + _GAP) / 2, middles[-1] + (_COLUMN + _GAP) / 2]
        if layer % 2 == 0:
            heights = (places.top - 0.64, places.bottom + 0.04)
            axes.fill_between(ends, *heights, color=_SHADE, linewidth=0, zorder=0)
        title = f"layer {layer}" if ends[1] - ends[0] > 0.75 else str(layer)
        style = {"va": "bottom", "weight": "bold", "fontsize": _FONT, "color": "black"}
        _write(axes, sum(ends) / 2, places.top - 0.46, title, **style)


def _draw_lanes(axes: "Axes", places: _Places, outputs: Sequence[str]) -> None:
    """Draw lanes from where they are written to where they are last read."""
    end = places.at(places.columns[-1])
    for lane in places.lanes:
        y = places.y[lane.name]
        weight = "bold" if lane.name in outputs else "normal"
        style = {"ha": "right", "weight": weight, "color": _GREY if lane.is_flag else "black"}
        _write(axes, places.left - 0.42, y, _shortened(lane.name), fontsize=_FONT, **style)
        size = "num" if lane.is_number else f"{lane.width}"
        _write(axes, places.left - 0.1, y, size, ha="right")
        start = next(places.at(c) for c in places.columns if lane.name in c.writes)
        last = max([start, *(places.at(c) for c in places.columns if lane.name in c.reads)])
        _stroke(axes, [last, end], [y, y], color=_FADED, linewidth=0.8, zorder=1)
        colour, thick = _NUMBER if lane.is_number else _BAND
        _stroke(axes, [start, last], [y, y], color=colour, linewidth=thick, zorder=2)


def _draw_column(axes: "Axes", places: _Places, column: Column) -> None:
    """Draw what a component reads and writes."""
    x = places.at(column)
    colour = {"head": _HEAD, "mlp": _MLP}.get(column.kind, _END)
    heights = [places.y[name] for name in (*column.reads, *column.writes)]
    if column.kind != "embed":
        ends = [min(heights), max(heights)]
        _stroke(axes, [x, x], ends, color=colour, linewidth=0.9, zorder=3, alpha=0.85)
    rotation = 90 if column.kind in ("embed", "logits") else 0
    style = {"va": "bottom", "rotation": rotation, "color": colour}
    _write(axes, x, places.top - 0.09, column.title, **style)
    for name, roles in column.reads.items():
        _draw_read(axes, x, places.y[name], roles, colour)
    for name in column.writes:
        _draw_writing(axes, x, places.y[name], column.kind, colour)


def _draw_read(axes: "Axes", x: float, y: float, roles: str, colour: str) -> None:
    """Draw a ring, or the letters of the inputs of a head."""
    from matplotlib.patches import FancyBboxPatch

    if not roles:
        ring: dict[str, Any] = {"markerfacecolor": "white", "markeredgewidth": 1.2}
        axes.plot([x], [y], "o", color=colour, markersize=5.2, zorder=5, **ring)
        return
    half = 0.062 + 0.028 * (len(roles) - 1)
    shape: dict[str, Any] = {"boxstyle": "round,pad=0,rounding_size=0.06", "facecolor": "white"}
    corner = (x - half, y - 0.068)
    frame = FancyBboxPatch(corner, 2 * half, 0.136, edgecolor=colour, lw=0.9, zorder=5, **shape)
    axes.add_patch(frame)
    _write(axes, x, y + 0.002, roles, fontsize=_SMALL - 0.3, color=colour, zorder=6)


def _draw_writing(axes: "Axes", x: float, y: float, kind: str, colour: str) -> None:
    """Draw a filled diamond for neurons, and a filled square for anything else."""
    marker, size = ("D", 4.6) if kind == "mlp" else ("s", 5.4)
    axes.plot([x], [y], marker, color=colour, markersize=size, zorder=5)


def _draw_legend(axes: "Axes", y: float) -> None:
    """Say what the marks mean, heads on one line and neurons on the next."""
    lines = (
        ("head", _HEAD, "qkv", "a head reads, by input", "and writes"),
        ("mlp", _MLP, "", "neurons (so many) read", "and write"),
    )
    lanes = ((*_BAND, "a direction for each value"), (*_NUMBER, "a number"))
    for number, (line, lane) in enumerate(zip(lines, lanes, strict=True)):
        (kind, colour, roles, reads, writes), (shade, thick, meaning) = line, lane
        height = y + 0.2 * (number - 1)
        _draw_read(axes, 0.12, height, roles, colour)
        _draw_writing(axes, 2.0, height, kind, colour)
        _stroke(axes, [3.0, 3.25], [height, height], color=shade, linewidth=thick)
        for x, text in ((0.32, reads), (2.12, writes), (3.33, meaning)):
            _write(axes, x, height, text, ha="left", color=_END)
