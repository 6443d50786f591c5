"""Draws the pictures of docs/concepts.md.

python docs/make_concept_pictures.py

What stands in them is replayed from a certificate of the task that they show.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from glassbench.compiler import interchange, run, write_picture
from glassbench.compiler.picture_file import write_drawing
from glassbench.ground_truth import Task, load

FOLDER = Path(__file__).parent / "pictures"
SHOWN, EDGE = "sort", "m1->a2.h0<k>"
MODEL = "frac_prevs"

# Okabe and Ito's palette, which the colour-blind can tell apart; texts say the same.
BASE, SOURCE, GREY = "#0072B2", "#C04A00", "#707070"
CELL, HEIGHT, BOX = 0.3, 0.3, 0.9
WIDTH = 5.4


@dataclass(frozen=True)
class Swap:
    """An interchange of one edge, token by token.

    Attributes:
        writer: the name of the component that writes.
        reader: the name of the input that reads.
        base: the tokens of the base.
        source: those of the source.
        before: the answers on the base.
        after: the answers when the edge carries what it carries on the source.
    """

    writer: str
    reader: str
    base: list[str]
    source: list[str]
    before: list[str]
    after: list[str]


def swapped(task: Task, name: str) -> Swap:
    """Replay the witness of an edge."""
    (witness,) = [label.certificate for label in task.labels.edges if label.edge == name]
    model, graph = task.compiled.model, task.graph
    edge = graph.edges[graph.edge_names.index(name)]
    ids = [np.array([tokens]) for tokens in (witness.base, witness.source)]
    base, source = [run(model.weights, one, graph=graph) for one in ids]
    place = graph.writer_index[edge.writer.name]
    delta = source.contributions[place] - base.contributions[place]
    patched = interchange(model.weights, graph, base, edge.reader, delta)
    tokens = [
        [str(model.codec.tokens.values[i]) for i in one[model.codec.is_real(one)]] for one in ids
    ]
    length = [len(tokens[0])]
    answers = [
        ["-" if one is None else str(one) for one in model.codec.decode(logits, length)[0]]
        for logits in (base.logits, patched)
    ]
    return Swap(edge.writer.name, edge.reader.name, *tokens, *answers)


def draw_interchange(swap: Swap) -> Figure:
    """Draw the runs of base and source, and what the base answers when the edge is swapped."""
    cells = max(map(len, (swap.base, swap.source, swap.before)))
    figure = Figure(figsize=(WIDTH, 3.3))
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(0, 3.3))
    axes.axis("off")
    left, writer, reader = 0.15, 0.45 + cells * CELL, 2.0 + cells * CELL
    for y, tokens, colour, name in (
        (2.4, swap.base, BASE, "base"),
        (1.2, swap.source, SOURCE, "source"),
    ):
        _row(axes, (left, y), tokens, [colour] * len(tokens), name)
        _box(axes, (writer, y), swap.writer, colour)
        _arrow(axes, (left + len(tokens) * CELL, y + HEIGHT / 2), (writer, y + HEIGHT / 2), colour)
    _box(axes, (reader, 2.4), swap.reader, BASE)
    _arrow(axes, (writer + BOX, 2.55), (reader, 2.55), GREY, dashed=True)
    axes.text((writer + BOX + reader) / 2, 2.55, "x", ha="center", va="center", fontsize=14)
    _arrow(axes, (writer + BOX, 1.35), (reader + BOX / 2, 2.4), SOURCE)
    axes.text(reader + BOX / 2 + 0.05, 1.75, f"what {swap.writer}\nwrites there", color=SOURCE)
    _row(axes, (left, 0.15), swap.before, [BASE] * len(swap.before), "answers of the base")
    changed = [SOURCE if a != b else BASE for a, b in zip(swap.before, swap.after, strict=True)]
    _row(axes, (reader, 0.15), swap.after, changed, "with the edge swapped")
    return figure


def _row(
    axes: Axes, corner: tuple[float, float], texts: list[str], colours: list[str], title: str
) -> None:
    """Draw a box for each text, and a title above."""
    x, y = corner
    axes.text(x, y + HEIGHT + 0.08, title, color=GREY)
    for place, (text, colour) in enumerate(zip(texts, colours, strict=True)):
        start = x + place * CELL
        axes.add_patch(Rectangle((start, y), CELL * 0.88, HEIGHT, fc="white", ec=colour, lw=1.4))
        axes.text(start + CELL * 0.44, y + HEIGHT / 2, text, ha="center", va="center", color=colour)


def _box(axes: Axes, corner: tuple[float, float], text: str, colour: str) -> None:
    """Draw a component."""
    x, y = corner
    axes.add_patch(Rectangle(corner, BOX, HEIGHT, fc="#F4F6F8", ec=colour, lw=1.4))
    axes.text(x + BOX / 2, y + HEIGHT / 2, text, ha="center", va="center")


def _arrow(
    axes: Axes,
    start: tuple[float, float],
    end: tuple[float, float],
    colour: str,
    *,
    dashed: bool = False,
) -> None:
    """Draw an arrow."""
    style = {"arrowstyle": "->", "color": colour, "lw": 1.4, "ls": "--" if dashed else "-"}
    axes.annotate("", xy=end, xytext=start, arrowprops=style)


if __name__ == "__main__":
    task = load(SHOWN)
    write_drawing(lambda: draw_interchange(swapped(task, EDGE)), FOLDER / "interchange.svg")
    write_picture(load(MODEL).compiled, FOLDER / "model.svg")
