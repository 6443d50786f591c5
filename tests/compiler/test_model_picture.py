"""Pictures of compiled models: every read and write is in them once, and bytes repeat."""

import pytest

from glassbench.benchmark_programs import programs
from glassbench.compiler import compile_program, rasp, scramble, write_picture
from glassbench.compiler.lanes import lanes_and_columns
from glassbench.compiler.model_picture import draw_model
from glassbench.errors import GlassbenchError


def build(name, level=0):
    spec = programs()[name]
    vocabulary = spec.vocabulary(spec.vocab)
    program = spec.build(vocabulary, spec.length)
    return compile_program(program, vocabulary, spec.length, causal=spec.causal, level=level)


MODELS = {
    "histogram": lambda: build("histogram"),
    "deep": lambda: build("shuffle_dyck2"),
    "level 1": lambda: build("shuffle_dyck2", 1),
    "scrambled": lambda: scramble(build("shuffle_dyck2", 1), 0),
    "outputs and distractors": lambda: compile_program(
        [rasp.tokens, rasp.length], "ab", 3, beside=[rasp.indices]
    ),
    "no layers": lambda: compile_program(rasp.tokens, "ab", 3),
    "long names": lambda: compile_program(rasp.Map(str, rasp.tokens).named("é$_" * 40), "ab", 3),
}
per_model = pytest.mark.parametrize("name", MODELS)


@per_model
def test_every_read_and_write_is_shown_once(name):
    compiled = MODELS[name]()
    source_map = compiled.source_map
    lanes, columns = lanes_and_columns(compiled)
    assert sorted(lane.name for lane in lanes) == sorted(source_map.by_name)
    assert sum(lane.width for lane in lanes) == compiled.model.weights.d_model
    shown, written = set(), {}
    for column in columns:
        for variable, roles in column.reads.items():
            at = {"logits": "logits", "mlp": f"m{column.layer}"}.get(column.kind)
            if at is None:
                shown |= {(f"a{column.layer}.{column.title}<{role}>", variable) for role in roles}
            else:
                shown.add((at, variable))
        for variable in column.writes:
            assert variable not in written
            written[variable] = column
    assert shown == set(source_map.reads)
    for variable in source_map.variables:
        column = written[variable.name]
        match column.kind:
            case "embed":
                assert column.title == variable.writer
            case "head":
                assert f"a{column.layer}.{column.title}" == variable.writer
            case _:
                assert f"m{column.layer}" == variable.writer
                assert int(column.title.replace(",", "")) == len(variable.neurons)


@per_model
def test_columns_stand_in_the_order_of_the_forward_pass(name):
    lanes, columns = lanes_and_columns(MODELS[name]())
    kinds = [column.kind for column in columns]
    n_embeddings = kinds.count("embed")
    assert set(kinds[:n_embeddings]) == {"embed"} and kinds[-1] == "logits"
    inner = [(column.layer, column.kind == "mlp") for column in columns[n_embeddings:-1]]
    assert inner == sorted(inner)
    first = [next(n for n, c in enumerate(columns) if lane.name in c.writes) for lane in lanes]
    read = {
        n: [k for k, c in enumerate(columns) if lanes[n].name in c.reads] for n in range(len(lanes))
    }
    assert all(min(later, default=99) > first[n] for n, later in read.items())
    assert first == sorted(first)


@per_model
def test_text_stays_on_the_page_and_overlaps_nothing(name):
    figure = draw_model(MODELS[name]())
    figure.draw_without_rendering()
    page = figure.bbox
    boxes = [
        (text.get_text(), text.get_window_extent())
        for text in figure.axes[0].texts
        if text.get_text()
    ]
    for text, box in boxes:
        assert page.x0 <= box.x0 and box.x1 <= page.x1, text
        assert page.y0 <= box.y0 and box.y1 <= page.y1, text
    for number, (text, box) in enumerate(boxes):
        for other, around in boxes[number + 1 :]:
            width = min(box.x1, around.x1) - max(box.x0, around.x0)
            height = min(box.y1, around.y1) - max(box.y0, around.y0)
            assert min(width, height) < 2.5, (text, other)


@pytest.mark.parametrize("suffix", ["svg", "png"])
def test_the_same_bytes_each_time(tmp_path, suffix):
    compiled = build("histogram")
    first = write_picture(compiled, tmp_path / "deep" / f"one.{suffix}")
    again = write_picture(build("histogram"), str(tmp_path / f"two.{suffix}"))
    assert first == tmp_path / "deep" / f"one.{suffix}"
    assert first.read_bytes() == again.read_bytes()
    assert b"Date" not in first.read_bytes()


def test_the_users_own_style_does_not_matter(tmp_path):
    import matplotlib

    compiled = build("histogram")
    usual = write_picture(compiled, tmp_path / "usual.svg").read_bytes()
    with matplotlib.rc_context({"font.size": 20, "svg.hashsalt": "other", "lines.marker": "x"}):
        assert write_picture(compiled, tmp_path / "other.svg").read_bytes() == usual


def test_other_endings_are_refused_before_anything_is_drawn(tmp_path):
    with pytest.raises(
        GlassbenchError, match=r"must be named like picture\.svg or picture\.png, got"
    ):
        write_picture(None, tmp_path / "model.pdf")
    assert not list(tmp_path.iterdir())
