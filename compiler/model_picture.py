"""A picture of a compiled model: what lies in the residual stream, and who writes and reads it.

    from glassbench.compiler.model_picture import write_picture

    write_picture(compiled, "model.svg")

Every variable is a lane, from where it is written to where it is last read; a lane of one
direction per value is a band, that of a number a line. Every head and every group of
neurons is a column, in the order of the forward pass: a letter where a head reads with its
query, key or value, a dot where neurons read, and a filled square or diamond where they write.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .blocks import BOS, PAD
from .component_graph import EMBED, LOGITS, POS_EMBED
from .lower import lower
from .picture_file import CHARACTER, FONT_INCHES, picture_style, write_figure
from .placed_blocks import PlacedBlock, placed_blocks
from .values import Encoding

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from .compiled_model import CompiledModel

# Okabe and Ito's palette, which the colour-blind can tell apart; shapes say the same.
_HEAD, _MLP, _END = "#0072B2", "#C04A00", "#303030"
_BAND, _LINE, _FADED = "#C9D3DA", "#7F8C94", "#E9ECEE"
_FONT = FONT_INCHES * 72
_SMALL = _FONT - 1.5
_LANE, _COLUMN, _GAP, _MARGIN = 0.24, 0.32, 0.16, 0.15
_HEADER, _LEGEND = 1.2, 0.62
_LONGEST_NAME = 32


@dataclass(frozen=True)
class Lane:
    """A variable of the residual stream.

    Attributes:
        name: the variable.
        width: the number of its directions.
        is_number: whether it is written as a number.
    """

    name: str
    width: int
    is_number: bool

    @property
    def is_flag(self) -> bool:
        """Whether it marks BOS or padding."""
        return self.name in (BOS, PAD)


@dataclass(frozen=True)
class Column:
    """A component: the embeddings, a head, the neurons of one variable, or the logits.

    Attributes:
        kind: `embed`, `head`, `mlp` or `logits`.
        title: what stands above it.
        layer: its layer; -1 for the embeddings and for the logits.
        reads: the role in which it reads each lane, such as `qk`; empty for neurons.
        writes: the lanes that it writes.
    """

    kind: str
    title: str
    layer: int
    reads: Mapping[str, str]
    writes: tuple[str, ...]


def lanes_and_columns(compiled: "CompiledModel") -> tuple[tuple[Lane, ...], tuple[Column, ...]]:
    """Return what a picture of a model shows, in the order in which it is shown."""
    source_map = compiled.source_map
    n_layers = compiled.model.weights.n_layers
    placed = placed_blocks(lower(compiled.program), source_map, n_layers)
    order = {name: number for number, block in enumerate(placed) for name in block.outputs}
    lanes = sorted(source_map.variables, key=lambda variable: order.get(variable.name, -1))
    columns = [
        Column("embed", name, -1, {}, tuple(v.name for v in lanes if v.writer == name))
        for name in (EMBED, POS_EMBED)
    ]
    columns += [_column(block) for block in placed]
    columns.append(Column("logits", LOGITS, -1, dict.fromkeys(source_map.outputs, ""), ()))
    shown = [column for column in columns if column.reads or column.writes]
    made = [Lane(v.name, len(v.directions), v.encoding is Encoding.NUMERICAL) for v in lanes]
    return tuple(made), tuple(shown)


def _column(block: PlacedBlock) -> Column:
    reads: dict[str, str] = {}
    for role, names in block.reads.items():
        for name in names:
            reads[name] = reads.get(name, "") + (role if block.is_head else "")
    if block.is_head:
        title = block.component.partition(".")[2]
        return Column("head", title, block.layer, reads, block.outputs)
    return Column("mlp", f"{block.inner:,}", block.layer, reads, block.outputs)


def write_picture(compiled: "CompiledModel", path: str | os.PathLike[str]) -> Path:
    """Write a picture of a compiled model as SVG or PNG, the same bytes each time.

    Args:
        compiled: any compiled model, scrambled ones included.
        path: where to; the ending chooses the kind. Folders are made.

    Raises:
        GlassbenchError: `path` ends neither in `.svg` nor in `.png`.
    """
    return write_figure(lambda: draw_model(compiled), path)


def draw_model(compiled: "CompiledModel") -> "Figure":
    """Return a picture of a compiled model as a matplotlib figure."""
    from matplotlib.figure import Figure

    lanes, columns = lanes_and_columns(compiled)
    places = _Places(lanes, columns)
    title, subtitle = _titles(compiled)
    width = max(places.width, CHARACTER * 1.2 * max(len(title), len(subtitle) * 0.85))
    width = max(width, _LEGEND_WIDTH)
    height = places.height
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


def _draw_layers(axes: "Axes", places: _Places) -> None:
    """Shade every second layer, and say above it what is what."""
    groups: dict[tuple[int, str], list[float]] = {}
    for column in places.columns:
        groups.setdefault((column.layer, column.kind), []).append(places.at(column))
    layers: dict[int, list[float]] = {}
    for (layer, kind), middles in groups.items():
        if layer >= 0:
            layers.setdefault(layer, []).extend(middles)
            colour = _HEAD if kind == "head" else _MLP
            span = [min(middles) - _COLUMN / 2 + 0.03, max(middles) + _COLUMN / 2 - 0.03]
            axes.plot(span, [places.top - 0.26] * 2, color=colour, linewidth=1.0)
            label = {"va": "bottom", "ha": "center", "fontsize": _SMALL, "color": colour}
            axes.text(
                sum(span) / 2, places.top - 0.29, "attn" if kind == "head" else "mlp", **label
            )
    for layer, middles in layers.items():
        left, right = min(middles) - _COLUMN / 2 - _GAP / 2, max(middles) + _COLUMN / 2 + _GAP / 2
        if layer % 2 == 0:
            box = (places.top - 0.64, places.bottom + 0.04)
            axes.fill_between([left, right], *box, color="#F4F6F8", linewidth=0, zorder=0)
        where: dict[str, Any] = {"va": "bottom", "ha": "center", "weight": "bold"}
        text = f"layer {layer}" if right - left > 0.75 else str(layer)
        axes.text((left + right) / 2, places.top - 0.46, text, **where)


def _draw_lanes(axes: "Axes", places: _Places, outputs: Sequence[str]) -> None:
    """Draw lanes from where they are written to where they are last read."""
    end = places.at(places.columns[-1])
    for lane in places.lanes:
        y = places.y[lane.name]
        weight = "bold" if lane.name in outputs else "normal"
        colour = "#707070" if lane.is_flag else "black"
        text = {"va": "center_baseline", "ha": "right", "weight": weight, "color": colour}
        axes.text(places.left - 0.42, y, _shortened(lane.name), **text)
        size = "num" if lane.is_number else f"{lane.width}"
        small = {"va": "center_baseline", "ha": "right", "fontsize": _SMALL, "color": "#707070"}
        axes.text(places.left - 0.1, y, size, **small)
        start = next(places.at(c) for c in places.columns if lane.name in c.writes)
        read = [places.at(c) for c in places.columns if lane.name in c.reads]
        last = max([start, *read])
        thick = 1.1 if lane.is_number else 4.0
        axes.plot([last, end], [y, y], color=_FADED, linewidth=0.8, zorder=1, solid_capstyle="butt")
        shown = _LINE if lane.is_number else _BAND
        axes.plot(
            [start, last], [y, y], color=shown, linewidth=thick, zorder=2, solid_capstyle="butt"
        )


def _draw_column(axes: "Axes", places: _Places, column: Column) -> None:
    """Draw what a component reads and writes."""
    x = places.at(column)
    colour = {"head": _HEAD, "mlp": _MLP}.get(column.kind, _END)
    heights = [places.y[name] for name in (*column.reads, *column.writes)]
    if column.kind != "embed":
        ends = [min(heights), max(heights)]
        axes.plot([x, x], ends, color=colour, linewidth=0.9, zorder=3, alpha=0.85)
    rotated = column.kind in ("embed", "logits")
    label: dict[str, Any] = {"va": "bottom", "ha": "center", "fontsize": _SMALL, "color": colour}
    label["rotation"] = 90 if rotated else 0
    axes.text(x, places.top - 0.09, column.title, **label)
    for name, roles in column.reads.items():
        _draw_read(axes, x, places.y[name], roles, colour)
    for name in column.writes:
        marker = {"mlp": "D"}.get(column.kind, "s")
        size = 4.6 if marker == "D" else 5.4
        axes.plot([x], [places.y[name]], marker=marker, markersize=size, color=colour, zorder=5)


def _draw_read(axes: "Axes", x: float, y: float, roles: str, colour: str) -> None:
    """Draw a dot, or the letters of the inputs of a head."""
    from matplotlib.patches import FancyBboxPatch

    if not roles:
        edge = {"markerfacecolor": "white", "markeredgecolor": colour, "markeredgewidth": 1.2}
        axes.plot([x], [y], marker="o", markersize=5.2, zorder=5, **edge)
        return
    half = 0.062 + 0.028 * (len(roles) - 1)
    shape = "round,pad=0,rounding_size=0.06"
    box = FancyBboxPatch(
        (x - half, y - 0.068),
        2 * half,
        0.136,
        boxstyle=shape,
        facecolor="white",
        zorder=5,
        edgecolor=colour,
        linewidth=0.9,
    )
    axes.add_patch(box)
    text: dict[str, Any] = {"va": "center_baseline", "ha": "center", "color": colour}
    axes.text(x, y + 0.002, roles, fontsize=_SMALL - 0.3, zorder=6, **text)


_LEGEND_WIDTH = 5.2
_SPACING = 0.82 * CHARACTER


def _draw_legend(axes: "Axes", y: float) -> None:
    """Say what the marks mean, heads on one line and neurons on the next."""
    text: dict[str, Any] = {"va": "center_baseline", "fontsize": _SMALL, "color": "#303030"}
    numbers = (
        (y - 0.2, "qkv", "s", _HEAD, "a head reads, by input", "and writes"),
        (y, "", "D", _MLP, "neurons (so many) read", "and write"),
    )
    lanes = ((4.0, _BAND, "a direction for each value"), (1.1, _LINE, "a number"))
    for (height, roles, marker, colour, reads, writes), lane in zip(numbers, lanes, strict=True):
        _draw_read(axes, 0.12, height, roles, colour)
        axes.text(0.32, height, reads, **text)
        at = 0.32 + 22 * _SPACING + 0.2
        axes.plot([at], [height], marker=marker, markersize=5, color=colour)
        axes.text(at + 0.12, height, writes, **text)
        at += 0.12 + 10 * _SPACING + 0.25
        thick, colour, label = lane
        axes.plot([at, at + 0.25], [height] * 2, color=colour, lw=thick, solid_capstyle="butt")
        axes.text(at + 0.33, height, label, **text)
