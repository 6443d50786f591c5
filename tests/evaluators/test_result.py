"""The result file: what goes in comes out, and nothing else gets in."""

import json
import math
import subprocess

import pytest
from pydantic import ValidationError

from glassbench.errors import BundleError
from glassbench.evaluators.environment import Environment
from glassbench.evaluators.intervals import Interval
from glassbench.evaluators.result import MetricValue, Result, result_file_name

ENVIRONMENT = Environment(
    python="3.11.7", platform="Linux", packages={"numpy": "2.0.0"}, git_commit=None, git_dirty=None
)
METRIC = MetricValue.of(0.83, random=0.21, prior=0.3, interval=Interval(0.79, 0.86))


def result(**changes: object) -> Result:
    fields = {
        "tool": "edge_patching",
        "settings": {"pairs": 100, "signed": False},
        "task": "histogram-v1[vocab=6]/scrambled[seed=0]",
        "task_digest": "0" * 64,
        "track": "circuit",
        "seed": 0,
        "primary": "edge_average_precision",
        "metrics": {"edge_average_precision": METRIC},
        "answer_sha256": "a" * 64,
        "wall_seconds": 1.5,
        "environment": ENVIRONMENT,
    }
    return Result(**{**fields, **changes})


FAILED = {"status": "failed", "error": "ToolError: it broke\ntwice", "answer_sha256": None}
NO_VALUE = MetricValue.of(None, random=0.21, prior=0.3)


def test_a_metric_knows_its_floor_and_place():
    assert METRIC.floor == 0.3
    assert METRIC.normalised == pytest.approx(0.53 / 0.7)
    assert MetricValue.of(0.5, random=0.2).floor == 0.2
    lower = MetricValue.of(1.0, random=4.0, prior=3.0, ceiling=0.0, direction="lower")
    assert lower.floor == 3.0
    assert lower.normalised == pytest.approx(2 / 3)
    assert NO_VALUE.normalised is None


def test_a_result_prints_as_one_line():
    assert str(result()) == "0.83 [0.79, 0.86]   random 0.21   prior 0.30   oracle 1.00"
    bare = {"edge_average_precision": MetricValue.of(0.5, random=0.25)}
    assert str(result(metrics=bare)) == "0.50   random 0.25   oracle 1.00"


def test_seconds_that_are_not_known_are_null_and_must_be_said_to_be(tmp_path):
    path = result(wall_seconds=None).write(tmp_path)
    assert json.loads(path.read_text())["wall_seconds"] is None
    assert Result.read(path).wall_seconds is None
    path.write_text(path.read_text().replace(',\n "wall_seconds": null', ""))
    with pytest.raises(BundleError, match="wall_seconds: Field required"):
        Result.read(path)


def test_a_failure_prints_its_status_and_first_line():
    failed = result(**FAILED, metrics={"edge_average_precision": NO_VALUE})
    assert str(failed) == ("failed: ToolError: it broke   random 0.21   prior 0.30   oracle 1.00")
    out = {**FAILED, "status": "out_of_memory", "error": "9 GiB"}
    assert str(result(**out, metrics={})) == "out of memory: 9 GiB"


def test_what_is_written_is_read(tmp_path):
    for one in (result(), result(**FAILED, metrics={}, seed=1)):
        path = one.write(tmp_path / "new" / "folder")
        assert Result.read(path) == one
        assert path.name == one.file_name
    assert len(list((tmp_path / "new" / "folder").iterdir())) == 2


def test_the_file_is_canonical_json(tmp_path):
    text = result(tool="näme").write(tmp_path).read_bytes().decode()
    content = json.loads(text)
    assert text == json.dumps(content, sort_keys=True, ensure_ascii=False, indent=1) + "\n"
    assert content["format_version"] == "1.0"


def test_what_is_empty_is_not_written(tmp_path):
    plain = json.loads(result().to_json())
    assert not {"question", "reported"} & set(plain)
    more = {"question": {"arm": "independent"}, "reported": {"dead_units": 3.0}}
    full = result(**more)
    assert {name: json.loads(full.to_json())[name] for name in more} == more
    assert Result.read(full.write(tmp_path)) == full


def test_the_name_is_a_hash_of_five_things():
    name = result().file_name
    assert name == result(wall_seconds=9.0, settings={"signed": False, "pairs": 100}).file_name
    for change in (
        {"tool": "eap"},
        {"settings": {}},
        {"task": "sort-v1"},
        {"track": "features"},
        {"seed": 1},
        {"question": {"arm": "independent"}},
    ):
        assert result(**change).file_name != name
    # Results that exist must be found again by every later version.
    assert result_file_name("eap", {"steps": 1}, "sort-v1", "circuit", 0) == (
        "17fb47aa8a352009f5f322de976c6afd.json"
    )


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path, monkeypatch):
    path = result().write(tmp_path)
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr("os.replace", full)
    with pytest.raises(BundleError, match="cannot be written: no space left"):
        result(wall_seconds=2.0).write(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"extra": 1}, "extra"),
        ({"task_digest": "0" * 63}, "task_digest"),
        ({"track": "circuits"}, "track"),
        ({"seed": "0"}, "seed"),
        ({"wall_seconds": -1.0}, "wall_seconds"),
        ({"wall_seconds": math.inf}, "wall_seconds"),
        ({"settings": {"x": math.nan}}, r"settings.*\n.*finite number"),
        ({"error": "none"}, "a result with status 'ok' has no error"),
        ({"answer_sha256": None}, "needs answer_sha256"),
        ({"metrics": {}}, "needs a value for every metric"),
        ({"metrics": {"edge_auroc": METRIC}}, "must hold the primary one"),
        ({**FAILED}, r"has no values, got \['edge_average_precision'\]"),
        ({**FAILED, "error": None, "metrics": {}}, "needs an error text"),
        ({**FAILED, "metrics": {}, "reported": {"dead": 1.0}}, r"has no values, got \['dead'\]"),
    ],
)
def test_a_result_that_breaks_a_rule_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        result(**changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"floor": 0.21}, "floor must be the better of floors, 0.3, got 0.21"),
        ({"normalised": 0.9}, "normalised must be 0.75"),
        ({"normalised": None}, "normalised must be 0.75"),
        ({"low": None}, "low and high go together"),
        ({"low": 0.9}, "low must not exceed high"),
        ({"value": math.nan}, "value"),
    ],
)
def test_a_metric_that_contradicts_itself_is_refused(changes, message):
    with pytest.raises(ValidationError, match=message):
        MetricValue.model_validate({**METRIC.model_dump(), **changes})


def written(tmp_path, **changes: object):
    """A result file with top-level keys changed behind the format's back."""
    content = json.loads(result().to_json())
    path = tmp_path / "result.json"
    path.write_text(json.dumps({**content, **changes}))
    return path


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        ({"format_version": "2.0"}, ["expected a result of format 1.0, found 2.0", "upgrade"]),
        ({"format_version": 1}, ["format_version: ", "found 1"]),
        ({"surprise": [1]}, ["surprise: Extra inputs are not permitted, found [1]"]),
        ({"seed": None, "tool": ""}, ["seed: ", "found None", "tool: "]),
        ({"metrics": {"x": {"value": 1}}}, ["metrics.x.floor: Field required"]),
        ({"wall_seconds": 10**400}, ["a number must be one that float64 has, got 1000"]),
        ({"status": "failed"}, ["the whole: ", "needs an error text"]),
        ({"wall_seconds": math.nan}, ["NaN is not JSON"]),
        ({"wall_seconds": math.inf}, ["Infinity is not JSON"]),
    ],
)
def test_a_file_that_breaks_the_format_is_refused_by_name(tmp_path, changes, messages):
    path = written(tmp_path, **changes)
    with pytest.raises(BundleError) as caught:
        Result.read(path)
    for message in [str(path), *messages]:
        assert message in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Expecting value"),
        (b"\xff", "can't decode"),
        (b"[]", "expected a result of format 1.0"),
        (b'{"tool": "a", "tool": "b"}', "the keys tool are there more than once"),
        (b"[" * 100_000, "expected"),
        (b'{"seed": 1', "found none: Expecting"),
    ],
)
def test_a_file_that_is_no_result_is_refused(tmp_path, content, message):
    path = tmp_path / "result.json"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=message):
        Result.read(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(BundleError, match=r"found none: .*No such file"):
        Result.read(tmp_path / "absent.json")


def test_the_environment_names_what_is_installed():
    here = Environment.here()
    assert {"numpy", "scipy", "jax"} <= set(here.packages)
    assert here.python.startswith("3.")
    assert (here.git_commit is None) == (here.git_dirty is None)


def test_without_git_the_commit_is_left_out(monkeypatch):
    from glassbench.evaluators import environment

    def missing(*_: object, **__: object) -> None:
        raise FileNotFoundError("git")

    monkeypatch.setattr(subprocess, "run", missing)
    environment._here.cache_clear()
    try:
        assert Environment.here().git_commit is None
    finally:
        environment._here.cache_clear()
