"""Where the parts of a circuit picture go: a layered drawing, in inches.

Components stand in columns in the order of the forward pass. Every edge that is
drawn ends at a port of its own at the left side of its reader, so that labels
never meet. An edge that passes over columns runs through them in a lane; all
edges of one writer share its lanes. Columns are ordered by repeated averages over
neighbours (Sugiyama, Tagawa and Toda 1981), the order with the fewest crossings
wins, and heights are then pulled towards neighbours without changing the order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

import numpy as np

from ..compiler.component_graph import EMBED, LOGITS, POS_EMBED, ComponentGraph
from ..compiler.picture_file import CHARACTER, FONT_INCHES
from .circuit_labels import EdgeLabel, EdgeState

LINE = 1.25 * FONT_INCHES
_WIDE = 18
_PLAIN_PORT, _BOX_PAD, _GAP, _LANE = 0.125, 0.06, 0.16, 0.07
_CURVES, _LABEL_PAD = 0.42, 0.16
_SWEEPS, _PULLS = 12, 24
_STRENGTH = list(EdgeState)


@dataclass(frozen=True, eq=False)
class Port:
    """The end of one edge at its reader.

    Attributes:
        label: the edge.
        role: `q`, `k`, `v`, or nothing where a component has a single input.
        lines: the names written on the edge, line by line; none for inert edges.
    """

    label: EdgeLabel
    role: str
    lines: tuple[str, ...]

    @property
    def writer(self) -> str:
        """The component that the edge leaves."""
        return self.label.edge.split("->")[0]

    @property
    def height(self) -> float:
        """Inches from the port above to the port below."""
        return _PLAIN_PORT + LINE * len(self.lines)


@dataclass(frozen=True, eq=False)
class Item:
    """A box, or the lane of a writer through a column.

    Attributes:
        name: the component; for a lane, the writer whose edges run through it.
        column: its place from left to right.
        ports: the edges that end here; none for a lane.
        is_lane: whether it is a lane.
    """

    name: str
    column: int
    ports: tuple[Port, ...] = ()
    is_lane: bool = False

    @property
    def height(self) -> float:
        """Height in inches."""
        if self.is_lane:
            return _LANE
        return max(sum(port.height for port in self.ports) + 2 * _BOX_PAD, LINE + 2 * _BOX_PAD)


@dataclass(frozen=True, eq=False)
class Link:
    """A stretch of one or several edges of a writer, from one column to the next.

    Attributes:
        start: the item that it leaves.
        end: the item that it reaches.
        port: the port at which it ends, or `None` where it runs on in a lane.
        state: the strongest state of the edges that it holds.
    """

    start: Item
    end: Item
    port: Port | None
    state: EdgeState


@dataclass(frozen=True)
class Column:
    """The span of a column: labels from `curve_end` to `left`, boxes from `left` to `right`."""

    curve_end: float
    left: float
    right: float


@dataclass(frozen=True, eq=False)
class Layout:
    """Everything in its place; the origin is at the top left, heights grow downwards.

    Attributes:
        columns: from left to right.
        items: from left to right and top to bottom.
        links: every stretch.
        middle: the height of the middle of each item.
    """

    columns: tuple[Column, ...]
    items: tuple[Item, ...]
    links: tuple[Link, ...]
    middle: Mapping[Item, float]

    @property
    def width(self) -> float:
        """Width in inches."""
        return self.columns[-1].right

    @property
    def height(self) -> float:
        """Height in inches."""
        return max(middle + item.height / 2 for item, middle in self.middle.items())

    @cached_property
    def port_heights(self) -> Mapping[str, float]:
        """The height of each port, by the name of its edge."""
        heights = {}
        for item in self.items:
            at = self.middle[item] - sum(port.height for port in item.ports) / 2
            for port in item.ports:
                at += port.height
                # The line of the edge is low in its port: its label stands on it.
                heights[port.label.edge] = at - _PLAIN_PORT / 2
        return heights


def lay_out(graph: ComponentGraph, labels: Sequence[EdgeLabel], shown: set[EdgeState]) -> Layout:
    """Return the places of all components with a shown edge, and of those edges.

    Args:
        graph: the components.
        labels: the state of every edge.
        shown: the states that are drawn.
    """
    visible = [label for label in labels if label.state in shown]
    ends = {name.split("<")[0] for label in visible for name in label.edge.split("->")}
    names = {EMBED, POS_EMBED, LOGITS} | ends
    depths = {writer.name: writer.depth for writer in graph.writers if writer.name in names}
    depths[LOGITS] = max(reader.depth for reader in graph.readers)
    order = sorted(set(depths.values()))
    column = {name: order.index(depth) for name, depth in depths.items()}
    items, links = _items_and_links(visible, column)
    ordered = _fewest_crossings(items, links)
    middle = _heights(ordered, links)
    ordered = [[_sorted_ports(item, links, middle) for item in stack] for stack in ordered]
    now = {(item.name, item.column, item.is_lane): item for stack in ordered for item in stack}
    placed = {now[_key(item)]: height for item, height in middle.items()}
    moved = tuple(Link(now[_key(x.start)], now[_key(x.end)], x.port, x.state) for x in links)
    everything = tuple(item for stack in ordered for item in stack)
    return Layout(_columns(ordered), everything, moved, placed)


def _key(item: Item) -> tuple[str, int, bool]:
    return item.name, item.column, item.is_lane


def label_lines(variables: Sequence[str]) -> tuple[str, ...]:
    """Return the names on an edge, as many to a line as fit.

    Example:
        >>> label_lines(["tokens", "<bos>", "a_rather_long_name"])
        ('tokens, <bos>,', 'a_rather_long_name')
    """
    lines: list[str] = []
    for name in variables:
        if lines and len(f"{lines[-1]}, {name}") <= _WIDE:
            lines[-1] = f"{lines[-1]}, {name}"
        else:
            if lines:
                lines[-1] += ","
            lines.append(name)
    return tuple(lines)


def _items_and_links(
    visible: Sequence[EdgeLabel], column: Mapping[str, int]
) -> tuple[list[Item], list[Link]]:
    """Return boxes and lanes, and the stretches between neighbouring columns."""
    ports: dict[str, list[Port]] = {name: [] for name in column}
    leaving: dict[str, list[tuple[str, Port]]] = {name: [] for name in column}
    for label in visible:
        writer, reader = label.edge.split("->")
        component, _, role = reader.rstrip(">").partition("<")
        lines = () if label.state is EdgeState.INERT else label_lines(label.variables)
        port = Port(label, role, lines)
        ports[component].append(port)
        leaving[writer].append((component, port))
    boxes = {name: Item(name, place, tuple(ports[name])) for name, place in column.items()}
    items, links = list(boxes.values()), []
    for writer, edges in leaving.items():
        at = boxes[writer]
        last = max((column[component] for component, _ in edges), default=0)
        for place in range(column[writer] + 1, last + 1):
            for component, port in edges:
                if column[component] == place:
                    links.append(Link(at, boxes[component], port, port.label.state))
            states = [port.label.state for component, port in edges if column[component] > place]
            if states:
                lane = Item(writer, place, is_lane=True)
                items.append(lane)
                links.append(Link(at, lane, None, min(states, key=_STRENGTH.index)))
                at = lane
    return items, links


def _fewest_crossings(items: Sequence[Item], links: Sequence[Link]) -> list[list[Item]]:
    """Return the items of every column from top to bottom."""
    stacks = [
        [item for item in items if item.column == column]
        for column in range(1 + max(item.column for item in items))
    ]
    best, least = stacks, _crossings(stacks, links)
    for sweep in range(_SWEEPS):
        forward = sweep % 2 == 0
        stacks = [list(stack) for stack in stacks]
        inner = range(1, len(stacks)) if forward else range(len(stacks) - 2, -1, -1)
        for column in inner:
            beside = stacks[column - 1 if forward else column + 1]
            rank = {item: (place + 0.5) / len(beside) for place, item in enumerate(beside)}
            wanted = _neighbour_means(stacks[column], links, rank, forward)
            stacks[column].sort(key=lambda item: wanted[item])
        crossings = _crossings(stacks, links)
        if crossings < least:
            best, least = stacks, crossings
    return best


def _neighbour_means(
    stack: Sequence[Item], links: Sequence[Link], rank: Mapping[Item, float], forward: bool
) -> dict[Item, float]:
    """Return for each item the mean rank of its neighbours; its own place if it has none."""
    wanted = {item: (place + 0.5) / len(stack) for place, item in enumerate(stack)}
    for item in stack:
        ends = [
            rank[link.start if forward else link.end]
            for link in links
            if (link.end if forward else link.start) is item
        ]
        if ends:
            wanted[item] = float(np.mean(ends))
    return wanted


def _crossings(stacks: Sequence[Sequence[Item]], links: Sequence[Link]) -> int:
    """Return how many pairs of links cross."""
    place = {item: index for stack in stacks for index, item in enumerate(stack)}
    total = 0
    for column in range(len(stacks) - 1):
        here = [link for link in links if link.start.column == column]
        starts = np.array([place[link.start] for link in here])
        ends = np.array([place[link.end] for link in here])
        apart = (starts[:, None] - starts) * (ends[:, None] - ends)
        total += int((apart < 0).sum()) // 2
    return total


def _heights(stacks: Sequence[Sequence[Item]], links: Sequence[Link]) -> dict[Item, float]:
    """Return the height of the middle of each item, close to those of its neighbours.

    Each pull is an isotonic regression: the least squares fit to the wanted
    heights that keeps the order of a column and the gaps in it.
    """
    from scipy.optimize import isotonic_regression

    offsets = []
    for stack in stacks:
        steps = [0.0]
        for above, below in pairwise(stack):
            gap = _LANE if above.is_lane and below.is_lane else _GAP
            steps.append((above.height + below.height) / 2 + gap)
        offsets.append(np.cumsum(steps))
    middle = {
        item: float(offset - offsets[column].mean())
        for column, stack in enumerate(stacks)
        for item, offset in zip(stack, offsets[column], strict=True)
    }
    for pull in range(_PULLS):
        order = range(len(stacks)) if pull % 2 == 0 else range(len(stacks) - 1, -1, -1)
        for column in order:
            wanted = np.array([_pull(item, links, middle) for item in stacks[column]])
            fitted = isotonic_regression(wanted - offsets[column]).x + offsets[column]
            middle.update(zip(stacks[column], fitted.tolist(), strict=True))
    top = min(height - item.height / 2 for item, height in middle.items())
    return {item: round(height - top, 4) for item, height in middle.items()}


def _pull(item: Item, links: Sequence[Link], middle: Mapping[Item, float]) -> float:
    """Return the mean height of the neighbours; lanes count more, to keep them straight."""
    weighted = [
        (middle[link.end if link.start is item else link.start], 4.0 if link.port is None else 1.0)
        for link in links
        if item in (link.start, link.end)
    ]
    if not weighted:
        return middle[item]
    return sum(height * weight for height, weight in weighted) / sum(w for _, w in weighted)


def _sorted_ports(item: Item, links: Sequence[Link], middle: Mapping[Item, float]) -> Item:
    """Return the item with the ports of each role in the order of where their edges come from."""
    origin = {
        link.port.label.edge: middle[link.start]
        for link in links
        if link.port is not None and link.end is item
    }
    ports = sorted(item.ports, key=lambda port: ("qkv".find(port.role), origin[port.label.edge]))
    return Item(item.name, item.column, tuple(ports), item.is_lane)


def _columns(stacks: Sequence[Sequence[Item]]) -> tuple[Column, ...]:
    """Return the span of every column: room for curves, then for labels, then for boxes."""
    columns: list[Column] = []
    at = 0.0
    for stack in stacks:
        if columns:
            at += _CURVES + 0.03 * len(stack)
        curve_end = at
        lines = [line for item in stack for port in item.ports for line in port.lines]
        if lines:
            at += max(map(len, lines)) * CHARACTER + _LABEL_PAD
        elif columns:
            at += _LABEL_PAD
        roles = any(port.role for item in stack for port in item.ports)
        named = [len(item.name) for item in stack if not item.is_lane]
        width = max(named, default=4) * CHARACTER + (0.34 if roles else 0.22)
        columns.append(Column(curve_end, at, at + width))
        at += width
    return tuple(columns)
