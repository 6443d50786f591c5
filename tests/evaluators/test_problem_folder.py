"""Problem folders: all of a problem, for any language, and nothing else."""

import importlib.util
import json
import stat
import sys
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load as load_arrays

from glassbench.compiler.executor import run
from glassbench.errors import BundleError
from glassbench.evaluators import TRACKS, FeaturesTrack, find_track
from glassbench.evaluators.problem_content import AskedText, ProblemContent
from glassbench.evaluators.problem_folder import (
    PROBLEM,
    ProblemRecord,
    problem_files,
    problem_id,
    write_problem,
)
from glassbench.ground_truth import load, make_task
from glassbench.ground_truth.array_file import load_foreign, save_arrays
from glassbench.ground_truth.model_config import NamelessConfig

TASK = "sort[vocab=2,length=3]/crowded[distractors=2]/scrambled"
TEXT = "out = selector_width(select(tokens, tokens, ==));"
TOOLS = Path(__file__).parents[2] / "examples" / "tools"


def content_of(track, task=TASK, seed=0):
    track = find_track(track)
    return track.public(track.problem(load(task), seed))


@pytest.mark.parametrize("track", TRACKS)
def test_the_folder_holds_the_problem(track, tmp_path):
    content = content_of(track)
    identity = write_problem(track, content, tmp_path / "problem")
    record = ProblemRecord.model_validate_json((tmp_path / "problem" / PROBLEM).read_bytes())
    assert record.id == identity == problem_id(track, content)
    assert record.track == track
    assert record.answer == content.asked
    arrays = load_arrays((tmp_path / "problem" / record.data).read_bytes())
    assert set(arrays) == set(content.arrays) == set(record.arrays)
    for name, array in content.arrays.items():
        np.testing.assert_array_equal(arrays[name], array)
        assert record.arrays[name].shape == array.shape
    there = {
        path.relative_to(tmp_path / "problem").as_posix()
        for path in (tmp_path / "problem").rglob("*")
        if path.is_file()
    }
    assert there == {PROBLEM, record.config, record.weights, record.data}
    assert there == set(problem_files(track, content))


def test_a_folder_without_a_model(tmp_path):
    track = FeaturesTrack(arm="independent")
    content = track.public(track.problem(load(TASK), 0))
    write_problem("features", content, tmp_path / "problem")
    record = json.loads((tmp_path / "problem" / PROBLEM).read_text())
    assert record["config"] is record["weights"] is None
    assert not (tmp_path / "problem" / "model").exists()


def test_the_model_runs_from_the_folder(tmp_path):
    """A reader that has NumPy alone, from the examples, gets the logits of the executor."""
    write_problem("circuit", content_of("circuit"), tmp_path / "problem")
    sys.path.insert(0, str(TOOLS))
    try:
        spec = importlib.util.spec_from_file_location("interchange", TOOLS / "interchange.py")
        tool = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(tool)
        config = json.loads((tmp_path / "problem/model/config.json").read_text())
        weights = tool.load(tmp_path / "problem/model/weights.safetensors")
        inputs = tool.load(tmp_path / "problem/data/inputs.safetensors")["base"]
        logits, _ = tool.run(config, weights, inputs)
    finally:
        sys.path.remove(str(TOOLS))
        sys.modules.pop("array_files", None)
    problem = TRACKS["circuit"].problem(load(TASK), 0)
    np.testing.assert_allclose(logits, run(problem.model.weights, problem.base).logits, atol=1e-9)


def test_the_configuration_is_that_of_a_bundle_without_what_it_is_called():
    from glassbench.ground_truth.model_config import ModelConfig

    task = load(TASK)
    ours = json.loads(NamelessConfig.of_model(task.compiled.model).to_json())
    theirs = json.loads(ModelConfig.of(task.compiled).to_json())
    assert theirs.keys() - ours.keys() == {"name", "level", "margins"}
    assert ours == {key: theirs[key] for key in ours}


def test_the_same_problem_gives_the_same_bytes_whatever_its_task_is_called():
    own = make_task(TEXT, "ab", 3)
    library = load("histogram[vocab=2,length=3]")
    track = TRACKS["circuit"]
    problems = [track.problem(task, 0) for task in (own, library)]
    same = [np.array_equal(*(getattr(p, name) for p in problems)) for name in ("base", "source")]
    weights = [dict(p.model.weights.arrays()) for p in problems]
    same += [np.array_equal(weights[0][name], weights[1][name]) for name in weights[0]]
    assert all(same), "these two are no example of one model under two ids"
    one, two = (problem_files("circuit", track.public(problem)) for problem in problems)
    assert str(own.id) != str(library.id)
    assert one == two


def test_an_id_tells_problems_apart():
    one = content_of("circuit")
    other = content_of("circuit", seed=1)
    ids = {problem_id("circuit", one), problem_id("circuit", other), problem_id("features", one)}
    changed = ProblemContent(AskedText(language="RASP"), one.model, one.arrays)
    ids.add(problem_id("circuit", changed))
    facts = ProblemContent(one.asked, one.model, one.arrays, {"seed": 1})
    ids.add(problem_id("circuit", facts))
    assert len(ids) == 5


def test_files_are_read_only_and_never_written_over(tmp_path):
    folder = tmp_path / "problem"
    write_problem("circuit", content_of("circuit"), folder)
    for path in (folder, *folder.rglob("*")):
        assert not stat.S_IMODE(path.stat().st_mode) & 0o222, path
    with pytest.raises(BundleError, match="must be a new folder that can be written: File exists"):
        write_problem("circuit", content_of("circuit"), folder)


# -- arrays of others --------------------------------------------------------------


def test_arrays_that_another_program_wrote_are_read():
    """Not in the order of names, and with a remark in the header."""
    header = b'{"__metadata__":{"by":"me"},"b":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'
    content = len(header).to_bytes(8, "little") + header + np.float32(3).tobytes()
    assert load_foreign(content, "file", ("<f4",)) == {"b": np.float32([3])}
    with pytest.raises(BundleError, match=r"b: must be of dtype F64, got \{'data_offsets'"):
        load_foreign(content, "file", ("<f8",))


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "it must begin with the size of its header, and has 0 bytes"),
        ((2**60).to_bytes(8, "little"), "it must begin with the size of its header"),
        (b"\x02" + bytes(7) + b"[]", "its header must be a JSON object"),
        (save_arrays({"a": np.zeros(2)})[:-1], "incomplete metadata"),
        (save_arrays({"a": np.zeros(2)}) + b"0", "incomplete metadata"),
    ],
)
def test_files_that_hold_no_arrays(content, problem):
    with pytest.raises(BundleError, match=problem):
        load_foreign(content, "file", ("<f8",))
