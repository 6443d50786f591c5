"""The harness that measures what the project claims, on claims that are made up."""

import json
import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

SCRIPT = """
import json, pathlib, sys
place = sys.argv.index("--figures")
speed = 2.0 if "--small" in sys.argv else 40.0
pathlib.Path(sys.argv[place + 1]).write_text(json.dumps({"speed": speed, "wrong": 0}))
"""


@pytest.fixture(autouse=True)
def idle(performance_script, monkeypatch):
    """A machine without other work, whatever runs beside the tests."""
    monkeypatch.setattr(performance_script("machine"), "load", lambda: 0.0)


@pytest.fixture(scope="module")
def parts(performance_script):
    """The modules of the harness by name."""
    return {
        name: performance_script(name)
        for name in ("claim", "claims", "claims_page", "harness", "measurement")
    }


@pytest.fixture
def fast(parts, tmp_path):
    """A claim whose script takes a moment: one target that it meets, one that it misses."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT, encoding="utf-8")
    figure = parts["claim"].Figure
    return parts["claim"].Claim(
        "fast",
        f"{script} --all",
        (
            figure("speed", "how fast", "at least 30 times faster", claimed="35"),
            figure("wrong", "how wrong", "at least 1"),
            figure("took", "how long", unit="s"),
        ),
        quick="--small",
    )


def broken(parts, tmp_path, text, name="broken"):
    script = tmp_path / f"{name}.py"
    script.write_text(text, encoding="utf-8")
    figure = parts["claim"].Figure("speed", "how fast", "at least 30 times")
    return parts["claim"].Claim(name, str(script), (figure,))


@pytest.mark.parametrize(
    ("text", "bound", "number", "unit"),
    [
        ("at least 30 times faster", "at least", 30.0, "times faster"),
        ("at most 0.3 s", "at most", 0.3, "s"),
        ("at most 1,200 MB", "at most", 1200.0, "MB"),
        ("exactly 0", "exactly", 0.0, ""),
        ("at least -1", "at least", -1.0, ""),
    ],
)
def test_targets_are_read(parts, text, bound, number, unit):
    target = parts["claim"].Target.parse(text)
    assert (target.bound, target.number, target.unit) == (bound, number, unit)
    assert parts["claim"].Target.parse(str(target)) == target


@pytest.mark.parametrize("text", ["30", "at least", "at least many", "below 3 s", "at most 3s"])
def test_what_is_no_target_is_refused(parts, text):
    with pytest.raises(ValueError, match=f"a target must be one of .*, and is '{text}'"):
        parts["claim"].Target.parse(text)


@pytest.mark.parametrize(
    ("text", "met", "missed"),
    [
        ("at least 30", (30, 31), (29.9, float("nan"))),
        ("at most 30", (30, 0), (30.1, float("nan"), float("inf"))),
        ("exactly 0", (0,), (1, -1, float("nan"))),
    ],
)
def test_targets_are_met_or_missed(parts, text, met, missed):
    target = parts["claim"].Target.parse(text)
    assert all(target.is_met(number) for number in met)
    assert not any(target.is_met(number) for number in missed)


def test_a_claim_is_measured_and_told(parts, fast):
    found = parts["measurement"].measure(fast, quick=False, limit=60)
    assert found.outcome == "measured"
    assert (found.figures["speed"], found.figures["wrong"]) == (40, 0)
    assert found.figures["took"] == found.seconds > 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", found.date)
    assert found.machine
    lines = parts["claims_page"].claims_table([fast], {"fast": found}, [found.machine]).splitlines()
    assert "how fast | at least 30 times faster | 40 times faster | met | 35 |" in lines[2]
    assert f"{found.date}, A, load" in lines[2]
    assert fast.shown() in lines[2]
    assert "how wrong | at least 1 | 0 | **missed** |" in lines[3]
    assert "how long | none |" in lines[4]


def test_a_reduced_run_says_so_and_replaces_no_full_one(parts, fast):
    measure, newer = parts["measurement"].measure, parts["measurement"].newer
    full, quick = measure(fast, quick=False, limit=60), measure(fast, quick=True, limit=60)
    assert (quick.quick, quick.figures["speed"]) == (True, 2)
    assert "2 times faster, quick | **missed**" in parts["claims_page"].claims_table(
        [fast], {"fast": quick}, [quick.machine]
    )
    assert newer(full, quick) is full
    assert newer(quick, full) is full
    assert newer(None, quick) is quick


def test_a_claim_without_a_reduced_run_is_run_in_full(parts, tmp_path):
    claim = broken(parts, tmp_path, SCRIPT)
    found = parts["measurement"].measure(claim, quick=True, limit=60)
    assert (found.quick, found.figures) == (False, {"speed": 40})


def test_a_failing_claim_is_told_and_the_rest_goes_on(parts, fast, tmp_path):
    claims = [
        broken(parts, tmp_path, "raise SystemExit('it has no heart')", "heartless"),
        broken(parts, tmp_path, "pass", "silent"),
        fast,
    ]
    told = []
    found = parts["harness"].run(claims, False, 60, lambda claim, _: told.append(claim.name))
    assert told == ["heartless", "silent", "fast"]
    assert [one.outcome for one in found.values()] == ["failed", "failed", "measured"]
    assert found["heartless"].why == "exit status 1: it has no heart"
    assert found["silent"].why == "the command ended well and told no figure"
    text = parts["claims_page"].page(claims, found)
    assert "failed: exit status 1: it has no heart" in text
    assert "Targets: 4. Met: 1; missed: 1; not measured: 2." in text


def test_a_claim_that_takes_too_long_is_ended(parts, tmp_path):
    claim = broken(parts, tmp_path, "import time; time.sleep(600)")
    found = parts["measurement"].measure(claim, quick=False, limit=1)
    assert (found.outcome, found.figures) == ("failed", {})
    assert found.why == "ended after 1 s, the most that it may take"


def test_what_failed_replaces_what_was_measured(parts, fast, tmp_path):
    measure, newer = parts["measurement"].measure, parts["measurement"].newer
    old = measure(fast, quick=False, limit=60)
    new = measure(broken(parts, tmp_path, "raise SystemExit(3)"), quick=False, limit=60)
    assert newer(old, new) is new


def test_a_missing_tool_is_told_and_leaves_what_was_measured(parts, fast):
    claim = parts["claim"].Claim("fast", fast.command, fast.figures, needs=("anvil",))
    needed = {"anvil": lambda: "there is no anvil"}
    found = parts["harness"].run([claim], False, 60, lambda *_: None, needed)["fast"]
    assert (found.outcome, found.why) == ("not run", "there is no anvil")
    text = parts["claims_page"].claims_table([claim], {"fast": found}, [])
    assert text.count("not run: there is no anvil") == len(claim.figures)
    old = parts["measurement"].measure(fast, quick=False, limit=60)
    assert parts["measurement"].newer(old, found) is old


def test_earlier_rows_stay(parts, fast, tmp_path, monkeypatch, capsys):
    other = broken(parts, tmp_path, SCRIPT, "other")
    monkeypatch.setattr(parts["harness"], "CLAIMS", (fast, other))
    asked = {"quick": False, "listed": False, "minutes": 1.0, "output": tmp_path / "page.md"}
    asked["written"] = None
    parts["harness"].main(only="fast", **asked)
    first = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
    assert list(first) == ["fast"]
    assert "how fast | at least 30 times | not run yet" in asked["output"].read_text("utf-8")
    parts["harness"].main(only="other", **asked)
    both = json.loads((tmp_path / "page.json").read_text(encoding="utf-8"))
    assert both["fast"] == first["fast"]
    assert list(both) == ["fast", "other"]
    page = asked["output"].read_text("utf-8")
    assert "not run yet" not in page
    assert "how fast | at least 30 times | 40 times | met" in page
    assert capsys.readouterr().out.count("how long") == 1  # each run prints its own claims alone


def test_a_failed_claim_is_an_exit_status(parts, fast, tmp_path, monkeypatch):
    bad = broken(parts, tmp_path, "raise SystemExit(3)")
    monkeypatch.setattr(parts["harness"], "CLAIMS", (bad, fast))
    asked = {"only": "", "quick": False, "listed": False, "written": None, "minutes": 1.0}
    with pytest.raises(SystemExit, match="1"):
        parts["harness"].main(**asked, output=tmp_path / "page.md")
    page = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "failed: exit status 3" in page
    assert "40 times faster" in page


def test_unknown_names_are_refused(parts, fast):
    with pytest.raises(SystemExit, match="no claim is called slow; they are fast"):
        parts["harness"].chosen([fast], ["slow"])


def test_figures_of_an_earlier_run_are_taken(parts, tmp_path):
    claim = parts["claim"].Claim(
        "report", "report.py", (parts["claim"].Figure("most", "the most", "at most 30 s"),)
    )
    earlier = tmp_path / "figures.json"
    earlier.write_text('{"most": 12, "other": 1}', encoding="utf-8")
    before = parts["measurement"].measured_before(claim, earlier)
    assert (before.outcome, before.figures, before.load) == ("measured", {"most": 12.0}, None)
    earlier.write_text("{}", encoding="utf-8")
    with pytest.raises(SystemExit, match=r"figures.json must be what `python report.py` writes"):
        parts["measurement"].measured_before(claim, earlier)


def test_a_busy_machine_is_told(parts, fast, monkeypatch):
    busy = {}
    for load in (0.5, 3.0):
        monkeypatch.setattr(parts["measurement"].machine, "load", lambda load=load: load)
        found = parts["measurement"].measure(fast, quick=False, limit=60)
        busy[load] = parts["claims_page"].claims_table([fast], {"fast": found}, [found.machine])
    assert "| 40 times faster | met" in busy[0.5]
    assert "| 40 times faster, busy | met" in busy[3.0]


def test_the_claims_of_the_project_are_well_formed(parts):
    claims = parts["claims"].CLAIMS
    names = [claim.name for claim in claims]
    assert len(set(names)) == len(names)
    for claim in claims:
        assert set(claim.needs) <= set(parts["harness"].NEEDED)
        keys = [figure.key for figure in claim.figures]
        assert len(set(keys)) == len(keys)
        for figure in claim.figures:
            assert figure.bound is None or not figure.unit  # the target tells the unit
        script = shlex.split(claim.command)[0]
        if script != "-m":
            text = (ROOT / script).read_text(encoding="utf-8")
            assert claim.writes_figures == ("figures_file: FiguresFile" in text)
        assert not any("{" in word for word in claim.words("folder"))


def test_the_page_is_that_of_the_rows_beside_it(parts):
    kept = parts["measurement"].read_kept(ROOT / "docs" / "performance.json")
    text = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert text == parts["claims_page"].page(parts["claims"].CLAIMS, kept)
