"""Pictures of circuits: every edge is in them once, nothing overlaps, bytes repeat."""

from itertools import combinations, pairwise

import pytest

from glassbench.errors import GlassbenchError
from glassbench.ground_truth import EdgeState, load
from glassbench.ground_truth.circuit_layout import CHARACTER, LINE, label_lines, lay_out
from glassbench.ground_truth.circuit_picture import draw_circuit, write_circuit

WIRED = {EdgeState.CAUSAL, EdgeState.POSITIONAL, EdgeState.INERT}
TASKS = [
    "histogram[vocab=2,length=3]",
    "shuffle_dyck1[vocab=2,length=3]",
    "sort[vocab=2,length=3]/crowded[distractors=3,seed=1]",
]


@pytest.fixture(params=TASKS)
def task(request):
    return load(request.param)


def layout_of(task, shown=WIRED):
    return lay_out(task.graph, task.labels.edges, shown)


@pytest.mark.parametrize("shown", [WIRED, WIRED - {EdgeState.INERT}], ids=["all", "no inert"])
def test_every_shown_edge_ends_at_one_port(task, shown):
    layout = layout_of(task, shown)
    ends = [port.label.edge for item in layout.items for port in item.ports]
    expected = [label.edge for label in task.labels.edges if label.state in shown]
    assert sorted(ends) == sorted(expected)
    assert sorted(link.port.label.edge for link in layout.links if link.port) == sorted(expected)


def test_every_edge_can_be_followed_back_to_its_writer(task):
    layout = layout_of(task)
    into = {link.end: link for link in layout.links if link.port is None}
    for link in layout.links:
        start = link.start
        while start.is_lane:
            assert start.column == into[start].start.column + 1
            start = into[start].start
        assert start.name == (link.port.writer if link.port else link.end.name)


def test_items_of_a_column_do_not_overlap(task):
    layout = layout_of(task)
    for column in range(len(layout.columns)):
        stack = sorted(
            (item for item in layout.items if item.column == column), key=layout.middle.__getitem__
        )
        for above, below in pairwise(stack):
            distance = layout.middle[below] - layout.middle[above]
            assert distance >= (above.height + below.height) / 2


def test_ports_lie_inside_their_box(task):
    layout = layout_of(task)
    for item in layout.items:
        for port in item.ports:
            away = abs(layout.port_heights[port.label.edge] - layout.middle[item])
            assert away < item.height / 2


def test_labels_overlap_nothing(task):
    """Neither each other nor a lane, and they fit between the columns."""
    layout = layout_of(task)
    labels = []
    for item in layout.items:
        column = layout.columns[item.column]
        for port in item.ports:
            bottom = layout.port_heights[port.label.edge]
            labels.append((item.column, bottom - len(port.lines) * LINE, bottom))
            width = max(map(len, port.lines), default=0) * CHARACTER
            assert width < column.left - column.curve_end
    for (one, top, bottom), (other, upper, lower) in combinations(labels, 2):
        assert one != other or bottom <= upper + 1e-9 or lower <= top + 1e-9
    lanes = [(item.column, layout.middle[item]) for item in layout.items if item.is_lane]
    assert not [
        lane
        for lane in lanes
        for column, top, bottom in labels
        if column == lane[0] and top < lane[1] < bottom
    ]


def test_the_figure_names_what_edges_carry():
    figure = draw_circuit(load(TASKS[0]))
    texts = {text.get_text() for text in figure.axes[0].texts}
    assert {"embed", "a0.h0", "m0", "logits", "q", "k", "v"} <= texts
    assert {"tokens", "tokens, <bos>", "histogram.reciprocal", "histogram"} <= texts
    assert "histogram-v1[vocab=2,length=3]" in texts


def test_inert_components_can_be_left_out():
    task = load(TASKS[2])
    whole, bare = (len(draw_circuit(task, inert=inert).axes[0].texts) for inert in (True, False))
    assert bare < whole


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_task_gives_the_same_bytes(tmp_path, suffix):
    task = load(TASKS[0])
    first = write_circuit(task, tmp_path / "new" / f"first.{suffix}")
    second = write_circuit(task, tmp_path / f"second.{suffix}")
    assert first.read_bytes() == second.read_bytes()


def test_other_kinds_of_file_are_refused(tmp_path):
    with pytest.raises(GlassbenchError, match=r"picture\.svg or picture\.png, got '.*x\.gif'"):
        write_circuit(load(TASKS[0]), tmp_path / "x.gif")


def test_long_lists_of_names_are_broken_into_lines():
    assert label_lines([]) == ()
    assert label_lines(["a", "b"]) == ("a, b",)
    assert label_lines(["ends_at_zero", "never_below"]) == ("ends_at_zero,", "never_below")
