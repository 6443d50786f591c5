"""Bundle folders: what stands in them, that anyone can run it, and what is overwritten."""

import errno
import json
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file

from glassbench.compiler import InputSpace, compile_program, from_json, rasp, read_rasp, scramble
from glassbench.errors import BundleError
from glassbench.ground_truth import CircuitLabels, load, make_task, verify, write_bundle
from glassbench.ground_truth import bundle_layout as at
from glassbench.ground_truth.bundle_files import bundle_files
from glassbench.ground_truth.bundle_folder import check_bundle_folder
from glassbench.ground_truth.digest import weights_digest
from glassbench.ground_truth.model_config import ModelConfig
from glassbench.ground_truth.regimes import SPARE_LAYERS
from glassbench.ground_truth.source_map_record import SourceMapRecord

FRACTION = """# The share of x so far.
frac = aggregate(select(indices, indices, <=), tokens == "x");
"""
MIXED = """
before = aggregate(select(indices, indices - 1, ==), tokens);
count = selector_width(select(tokens, tokens, ==));
[before, count, tokens == True];
"""


@pytest.fixture(scope="module")
def fraction():
    return make_task(FRACTION, "xy", 3)


TASKS = {
    "number": lambda: make_task(FRACTION, "xy", 3),
    "causal, folded, scrambled": lambda: make_task(
        FRACTION, "xyz", 4, causal=True, level=1, regimes="scrambled"
    ),
    "several outputs, None, all types": lambda: make_task(MIXED, [True, 0.5, "a", (1, "b")], 3),
    "crowded": lambda: make_task(FRACTION, "xy", 3, regimes="crowded[distractors=2]/scrambled"),
    "of the library": lambda: load("sort[vocab=2,length=3]/scrambled"),
}


def files(folder: Path) -> dict[str, bytes]:
    """Return everything in a folder."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


# A reader that knows the folder and nothing of the package: JSON, safetensors, NumPy.


def softmax(scores):
    powers = np.exp(scores - scores.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def logits(config, weights, ids):
    x = weights["W_E"][ids] + weights["W_pos"]
    later = np.triu(np.ones((config["n_ctx"],) * 2, dtype=bool), 1) & config["causal"]
    for layer in range(config["n_layers"]):
        added = np.zeros_like(x)
        for h in range(config["n_heads"]):
            queries = x @ weights["W_Q"][layer, h] + weights["b_Q"][layer, h]
            scores = queries @ (x @ weights["W_K"][layer, h]).T
            pattern = softmax(np.where(later, -np.inf, scores))
            added += pattern @ x @ weights["W_V"][layer, h] @ weights["W_O"][layer, h]
        x = x + added
        hidden = np.maximum(x @ weights["W_in"][layer] + weights["b_in"][layer], 0)
        x = x + hidden @ weights["W_out"][layer] + weights["b_out"][layer]
    return x @ weights["W_U"]


def decoded(config, readout, row):
    values = readout["values"]
    own = row[readout["first"] : readout["first"] + readout["width"]]
    if readout["encoding"] == "numerical":
        return values[int(np.abs(np.array(values) - own[0]).argmin())]
    if own.max() <= config["threshold"] + config["tie_tolerance"]:
        return None
    return values[int((own >= own.max() - config["tie_tolerance"]).argmax())]


def answers(folder, sequence):
    """Return the answer at every position, as JSON has it."""
    config = json.loads((folder / "model/config.json").read_text(encoding="utf-8"))
    weights = load_file(folder / "model/weights.safetensors")
    known = [json.dumps(token) for token in config["vocabulary"]]
    ids = [config["bos"], *(known.index(json.dumps(token)) for token in sequence)]
    ids += [config["pad"]] * (config["n_ctx"] - len(ids))
    rows = logits(config, weights, ids)[1 : len(sequence) + 1]
    made = [[decoded(config, one, row) for one in config["readouts"]] for row in rows]
    return [row if len(row) > 1 else row[0] for row in made]


@pytest.mark.parametrize("name", TASKS)
def test_anyone_can_run_the_model(name, tmp_path):
    task = TASKS[name]()
    folder = write_bundle(task, tmp_path / "task")
    assert folder == tmp_path / "task"
    codec = task.compiled.model.codec
    tokens = json.loads((folder / "model/config.json").read_text(encoding="utf-8"))["vocabulary"]
    rows = InputSpace(len(tokens), codec.max_length).everything()[::3]
    for row in rows:
        places = [place for place in row[1:] if place < len(tokens)]
        expected = task.compiled([codec.tokens.values[place] for place in places])
        found = answers(folder, [tokens[place] for place in places])
        assert json.dumps(found) == json.dumps(expected)


@pytest.mark.parametrize("name", TASKS)
def test_program_json_and_the_regimes_give_the_weights_again(name):
    task = TASKS[name]()
    seeds = {regime: dict(parameters)["seed"] for regime, parameters in task.id.regimes}
    program = from_json(bundle_files(task)["program.json"])
    spare = SPARE_LAYERS if "crowded" in seeds else 0
    again = compile_program(program, placement_seed=seeds.get("crowded"), spare_layers=spare)
    if "scrambled" in seeds:
        again = scramble(again, seeds["scrambled"])
    assert weights_digest(again.model.weights) == task.labels.weights


@pytest.mark.parametrize("name", TASKS)
def test_the_labels_hold_and_the_records_are_what_they_say(name, tmp_path):
    task = TASKS[name]()
    folder = write_bundle(task, tmp_path / "task")
    labels = CircuitLabels.read(folder / "labels" / "circuit.json")
    assert not verify(task.compiled, labels)
    for record, path in (
        (ModelConfig, "model/config.json"),
        (SourceMapRecord, "labels/source_map.json"),
    ):
        text = (folder / path).read_text(encoding="utf-8")
        assert record.model_validate_json(text).to_json() == text


def test_the_source_map_says_where_variables_live(tmp_path):
    task = make_task(FRACTION, "xy", 3, regimes="scrambled")
    record = json.loads(bundle_files(task)["labels/source_map.json"])
    nodes = json.loads(bundle_files(task)["program.json"])["nodes"]
    for variable, placed in zip(
        record["variables"], task.compiled.source_map.variables, strict=True
    ):
        directions = np.zeros_like(placed.directions)
        for row, pairs in enumerate(variable["directions"]):
            for axis, coefficient in pairs:
                directions[row, axis] = coefficient
        np.testing.assert_array_equal(directions, placed.directions)
        assert variable["writer"] == placed.writer
        assert variable["node"] < 0 or nodes[variable["node"]]["name"] == variable["name"]
    reads = [(read["reader"], read["variable"]) for read in record["reads"]]
    assert tuple(reads) == task.compiled.source_map.reads
    assert record["outputs"] == ["frac"]


def test_the_text_is_kept_as_it_was_given(fraction, tmp_path):
    folder = write_bundle(fraction, tmp_path / "task")
    assert (folder / "program.rasp").read_text(encoding="utf-8") == FRACTION


def test_the_text_of_expressions_is_written_where_they_have_one(tmp_path):
    same = rasp.Select(rasp.tokens, rasp.tokens, rasp.Comparison.EQ)
    made = bundle_files(make_task(rasp.SelectorWidth(same), "ab", 2))
    assert read_rasp(made["program.rasp"].decode()).outputs[0]("aab") == [2, 2, 1]
    shouted = rasp.Map(lambda token: token + "!", rasp.tokens)
    assert "program.rasp" not in bundle_files(make_task(shouted, "ab", 2))
    assert b"select" in bundle_files(load("histogram[vocab=2,length=3]"))["program.rasp"]


def test_every_text_ends_with_a_newline_and_has_sorted_keys(fraction):
    content = bundle_files(fraction)
    manifests = {at.MANIFEST, at.LABELS_MANIFEST}
    assert set(content) == (at.PUBLIC | at.PRIVATE | manifests) - at.OF_SUPERPOSED - at.OF_TRAINED
    for name, blob in content.items():
        if name.endswith(".json"):
            assert blob.endswith(b"}\n")
            assert b"\r" not in blob
            read = json.loads(blob)
            assert list(read) == sorted(read)


def test_the_same_task_gives_the_same_bytes(fraction, tmp_path):
    first = files(write_bundle(fraction, tmp_path / "a"))
    assert files(write_bundle(make_task(FRACTION, "xy", 3), tmp_path / "b")) == first


# What is overwritten.


def test_folders_above_are_made_and_nothing_is_left_behind(fraction, tmp_path):
    write_bundle(fraction, tmp_path / "a" / "b")
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["b"]


def test_an_earlier_task_and_an_empty_folder_are_replaced(fraction, tmp_path):
    folder = tmp_path / "task"
    folder.mkdir()
    write_bundle(fraction, folder)
    without_text = make_task(fraction.compiled.program)
    write_bundle(without_text, folder)
    assert files(folder) == bundle_files(without_text)
    assert "program.rasp" not in files(folder)
    assert [path.name for path in tmp_path.iterdir()] == ["task"]


def test_other_files_are_in_the_way_and_stay(fraction, tmp_path):
    (tmp_path / "notes.txt").write_text("mine")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "other.bin").write_text("mine too")
    with pytest.raises(BundleError, match="must be empty or hold a task") as caught:
        write_bundle(fraction, tmp_path)
    assert "  - model/other.bin\n  - notes.txt" in str(caught.value)
    write_bundle(fraction, tmp_path, force=True)
    others = {"notes.txt": b"mine", "model/other.bin": b"mine too"}
    assert files(tmp_path) == others | bundle_files(fraction)
    without_text = make_task(fraction.compiled.program)
    write_bundle(without_text, tmp_path, force=True)
    assert files(tmp_path) == others | bundle_files(without_text)


def test_a_file_is_in_the_way(fraction, tmp_path):
    (tmp_path / "task").write_text("mine")
    for force in (False, True):
        with pytest.raises(BundleError, match="must be a folder, got a file"):
            check_bundle_folder(tmp_path / "task", force=force)


def test_the_folder_that_one_is_in(fraction, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert write_bundle(fraction, ".") == Path()
    assert files(tmp_path) == bundle_files(fraction)
    assert Path.cwd() == tmp_path


def test_a_link_stays_a_link(fraction, tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    write_bundle(fraction, tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert files(tmp_path / "real") == bundle_files(fraction)


def test_what_the_configuration_says_of_exactness():
    config = json.loads(bundle_files(make_task(FRACTION, "xy", 3, level=1))["model/config.json"])
    assert config["level"] == 1
    assert config["margins"]["float64"] > config["margins"]["float32"] > 1
    config = ModelConfig.of(compile_program(rasp.tokens, "xy", 3))
    assert config.margins.float64 is None


def test_the_page_names_every_field(fraction):
    page = (Path(__file__).parents[2] / "docs" / "bundle.md").read_text(encoding="utf-8")
    contents = {
        name: text for name, text in bundle_files(fraction).items() if name.endswith("json")
    }

    def fields(value):
        if isinstance(value, dict):
            yield from value
        for item in value.values() if isinstance(value, dict) else value:
            if isinstance(item, dict | list):
                yield from fields(item)

    for name in set(contents) - {at.PROGRAM, at.CROISSANT}:
        for field in set(fields(json.loads(contents[name]))):
            assert f"`{field}`" in page or f'"{field}"' in page, (name, field)


def test_a_task_of_another_name_is_replaced_by_force_only(fraction, tmp_path):
    write_bundle(fraction, tmp_path / "task")
    other = make_task(FRACTION, "xy", 2, name="other")
    with pytest.raises(BundleError, match="hold an earlier other, got the task frac@"):
        write_bundle(other, tmp_path / "task")
    check_bundle_folder(tmp_path / "task")
    write_bundle(other, tmp_path / "task", force=True)
    assert files(tmp_path / "task")["labels/circuit.json"].count(b"other@") == 1


def test_a_place_that_cannot_be_written_is_refused_at_once(tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(BundleError, match="file/a must be where files can be written, got"):
        check_bundle_folder(tmp_path / "file" / "a" / "b")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_disk_that_is_full(fraction, tmp_path, monkeypatch):
    folder = write_bundle(fraction, tmp_path / "task")
    before = files(folder)

    def refuse(path, content):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    message = "task cannot be written: No space left on device; choose another place"
    with pytest.raises(BundleError, match=message):
        write_bundle(fraction, folder)
    assert files(folder) == before
    assert [path.name for path in tmp_path.iterdir()] == ["task"]
