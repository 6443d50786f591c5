"""What goes wrong on purpose is caught; and where a checker is weak, the table says so."""

import contextlib
import itertools
import random
import sys
import time

import pytest

from glassbench.errors import AnswerError, BundleError
from glassbench.evaluators import Result
from glassbench.ground_truth import read_bundle


@pytest.fixture(scope="module")
def script(performance_script):
    return performance_script


@pytest.fixture(scope="module")
def bundle(script):
    """The files of the bundle that is corrupted."""
    return script("faults_of_bundles").made()


def told(script, trials):
    """The table, and what is said to be missed."""
    reliability = script("reliability")
    return reliability.reliability_table(trials), reliability.missed_list(trials)


def first(trials, n=1):
    return list(itertools.islice(trials, n))


def test_a_refusal_is_an_error_of_the_package(script):
    trial = script("trial")

    def wrong(error):
        raise error

    assert trial.refused("a", lambda: wrong(BundleError("no"))) == trial.Attempt("a", True, "no")
    missed = trial.refused("a", lambda: wrong(KeyError("x")))
    assert missed == trial.Attempt("a", False, "KeyError: 'x'")
    assert trial.refused("a", lambda: 1) == trial.Attempt("a", False, "accepted, with 1")
    assert not trial.refused("a", lambda: wrong(BundleError("no")), said="why").is_caught
    assert trial.told("a", lambda: ["bad"]) == trial.Attempt("a", True, "bad")
    assert not trial.told("a", list).is_caught
    assert not trial.told("a", lambda: wrong(ValueError())).is_caught


def test_the_table_counts_and_names_what_is_missed(script):
    trial = script("trial")
    caught, missed = trial.Attempt("x", True, "a | b <c>"), trial.Attempt("y_z", False, "accepted")
    trials = [
        trial.Trial("bundles", "a bit flipped", (missed, caught, caught)),
        trial.Trial("programs", "noise", (caught,)),
    ]
    table, lines = told(script, trials)
    assert table.splitlines()[2:] == [
        r"| bundles | a bit flipped | 3 | **2, 1 missed** | a \| b &lt;c\> |",
        r"| programs | noise | 1 | 1 | a \| b &lt;c\> |",
    ]
    assert lines == "## Missed\n\n- bundles, a bit flipped: y\\_z: accepted"
    assert script("reliability").verdict(trials) == (
        "Of 4 faults 3 were caught or survived, and 1 missed."
    )
    assert "## Missed" not in script("reliability").page(trials[1:], "here")


def test_what_is_missed_is_an_exit_status(script, tmp_path, monkeypatch, capsys):
    trial, reliability = script("trial"), script("reliability")
    bad = trial.Trial("bundles", "a bit flipped", (trial.Attempt("x", False, "accepted"),))
    monkeypatch.setattr(reliability, "SOURCES", {"bundles": lambda *_: iter([bad])})
    with pytest.raises(SystemExit, match="1"):
        reliability.main(only="", seed=0, output=tmp_path / "page.md")
    assert "**0, 1 missed**" in (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "- bundles, a bit flipped: x: accepted" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="nothing is called bundle; there are bundles"):
        reliability.main(only="bundle", seed=0, output=tmp_path / "page.md")


def test_corrupted_bundles_are_caught_and_a_weak_reader_is_told(script, bundle, tmp_path):
    faults = script("faults_of_bundles")
    kinds = len(faults.RANDOM) + 4
    trials = list(faults.byte_trials(tmp_path, bundle, read_bundle, random.Random(0)))
    assert len(trials) == kinds
    assert not [one for trial in trials for one in trial.missed]
    assert len(trials[0].attempts) == faults.REPEATS * len(bundle)
    weak = list(faults.byte_trials(tmp_path, bundle, lambda _: "all well", random.Random(0)))
    table, lines = told(script, weak)
    assert table.count("**0, ") == kinds
    assert "a file deleted: manifest.json: accepted, with 'all well'" in lines


def test_a_reader_that_does_not_look_at_some_files_is_told(script, bundle, tmp_path):
    def negligent(place):
        try:
            return read_bundle(place)
        except BundleError as error:
            if "README.md" in str(error):
                return "it is but prose"
            raise

    faults = script("faults_of_bundles")
    (flipped,) = first(faults.byte_trials(tmp_path, bundle, negligent, random.Random(0)))
    assert {one.what.split(",")[0] for one in flipped.missed} == {
        name for name in bundle if name.endswith("README.md")
    }


def test_hostile_archives_are_caught_and_a_weak_reader_is_told(
    script, bundle, tmp_path, monkeypatch
):
    faults = script("faults_of_bundles")
    monkeypatch.setattr(faults, "BOMB", 2**22)
    trials = first(faults.archive_trials(tmp_path, bundle, read_bundle, random.Random(0)), 2)
    assert not [one for trial in trials for one in trial.missed]
    weak = list(faults.archive_trials(tmp_path, bundle, lambda _: "all well", random.Random(0)))
    assert all(not trial.n_caught for trial in weak)


def test_vouched_faults_are_given_to_the_verifier(script, bundle, tmp_path):
    """One that looks at nothing is told that it missed all; the same faults come each time."""
    faults = script("faults_of_bundles")

    def arrays():
        trials = faults.vouched_trials(tmp_path, bundle, lambda _: [], random.Random(0))
        return next(trials)

    trial = arrays()
    assert len(trial.missed) == len(trial.attempts) > 20
    assert all(one.said == "no problem was found" for one in trial.missed)
    assert trial == arrays()


def test_changed_weights_are_given_to_the_verifier(script, monkeypatch):
    faults = script("faults_of_models")
    monkeypatch.setattr(faults, "TASKS", faults.TASKS[:1])
    monkeypatch.setattr(faults, "REPEATS", 1)
    known, certified = faults.trials()
    assert not known.missed and not certified.missed
    blind, weak = faults.trials(verifier=lambda *_: [])
    assert blind.n_caught == 0
    assert weak.missed
    assert all("no problem was found, and" in one.said for one in weak.missed)


def test_bad_programs_are_caught_and_a_weak_compiler_is_told(script, monkeypatch):
    faults = script("faults_of_programs")
    monkeypatch.setattr(faults, "CHANGED", 10)
    trials = list(faults.trials())
    assert len(trials[0].attempts) > 50
    assert not [one for trial in trials for one in trial.missed]
    first_token = faults.compiled("tokens;")
    weak = list(faults.trials(compile_text=lambda _: first_token))
    assert weak[0].n_caught == weak[1].n_caught == 0
    crashing = first(faults.trials(compile_text=lambda _: {}["x"]))
    assert all(one.said == "KeyError: 'x'" for one in crashing[0].missed)
    assert not crashing[0].n_caught


def test_wrong_answers_are_caught_and_a_weak_scorer_is_told(script, monkeypatch):
    faults = script("faults_of_answers")
    monkeypatch.setattr(faults, "WRONG", {"circuit": faults.of_edges, "program": faults.of_text})
    for trial in faults.trials():
        assert not trial.missed
        assert len(trial.attempts) > 10
    for trial in faults.trials(scored=lambda method, task, track: 0.5):
        assert trial.n_caught == 0

    def strict(method, task, track):
        with contextlib.suppress(SystemExit):
            return judged(method(None))
        return 0.5

    def judged(answer):
        if not isinstance(answer, (dict, str)):
            raise AnswerError("it must be a dictionary or a text")
        return 0.5

    circuit, _ = faults.trials(scored=strict)
    assert "NaN for an edge" in {one.what for one in circuit.missed}


def test_rows_of_tools_are_compared_with_what_they_must_be(script):
    injection, faults = script("fault_injection"), script("faults_of_tools")
    fault = faults.Fault("ends", "", "failed", "exit code 3")

    class Row:
        status, error = "failed", "it ended with exit code 3"

    class Ok:
        status, error = "ok", None

    class Vague:
        status, error = "failed", "something"

    assert injection.wrong(fault, Row, 0) == ""
    assert injection.wrong(fault, Row, 2) == "2 of its processes still run"
    assert injection.wrong(fault, Ok, 0) == "the row must be failed, and is ok: None"
    assert "must say 'exit code 3', and says 'something'" in injection.wrong(fault, Vague, 0)


def test_submissions_are_caught_and_a_weak_validator_is_told(script, tmp_path, monkeypatch):
    faults = script("faults_of_submissions")
    kept = {"a higher score is claimed", "a picked seed", "a run twice"}
    monkeypatch.setattr(faults, "CLAIMS", {n: e for n, e in faults.CLAIMS.items() if n in kept})
    monkeypatch.setattr(faults, "FILES", dict(list(faults.FILES.items())[:2]))
    monkeypatch.setattr(faults, "RESULTS", dict(list(faults.RESULTS.items())[:2]))
    trials = list(faults.trials(tmp_path / "strong"))
    assert [len(one.attempts) for one in trials] == [3, 2, 2, 4]
    assert not [one for trial in trials for one in trial.missed]
    accepting = lambda *_: "accepted"  # noqa: E731
    weak = list(faults.trials(tmp_path / "weak", checked=accepting, results=accepting))
    assert [one.n_caught for one in weak] == [0, 0, 0, 4]


def test_hostile_names_are_caught_and_a_weak_site_is_told(script, tmp_path, monkeypatch):
    faults = script("faults_of_names")
    monkeypatch.setattr(faults, "NAMES", (*faults.NAMES[:3], faults.NAMES[7]))
    (trial,) = faults.trials(tmp_path / "strong")
    assert not trial.missed

    def weak(results, site):
        site.mkdir()
        names = [Result.read(f).tool for f in results.glob("*.json")]
        text = "".join(f"<p>{name}</p><a href='{name}'>x</a>" for name in names)
        (site / "index.html").write_text(f"<main><h1>x</h1>{text}<script></script></main>", "utf-8")
        (site.parent / "leaked.txt").write_text("x", "utf-8")

    (trial,) = faults.trials(tmp_path / "weak", write=weak)
    assert trial.n_caught == 0
    said = " ".join(one.said for one in trial.missed)
    assert "leaked.txt is outside the site" in said
    assert "'script': 2" in said
    assert "leads to ../../../etc/passwd" in said


# A sweep that is not one: it forgets what it wrote, and writes halves.
FORGETFUL = """
import pathlib, random, time
place = pathlib.Path("results")
place.mkdir(exist_ok=True)
for number in range(4):
    (place / f"{number}.json").write_text("{" * random.randrange(1, 10**6))
    time.sleep(0.4)
"""


def test_sweeps_that_lose_rows_are_told(script, tmp_path, monkeypatch):
    faults = script("faults_of_sweeps")
    monkeypatch.setattr(faults, "KILLS", 2)
    weak = (sys.executable, "-c", FORGETFUL)
    kills, again, shared, builds = faults.trials(tmp_path, sweep=weak, build=weak)
    assert kills.n_caught == again.n_caught == shared.n_caught == 0
    assert "0.json: " in kills.missed[0].said
    assert builds.missed[0].said == "no bundle was built"


def test_processes_that_do_not_end_are_told(script, tmp_path, monkeypatch):
    faults = script("faults_of_sweeps")
    monkeypatch.setattr(faults, "PATIENCE", 0.5)
    process = faults._started((sys.executable, "-c", "import time; time.sleep(600)"), tmp_path)
    started = time.perf_counter()
    assert faults._ended(process) == "it did not end in 0 s"
    assert time.perf_counter() - started < 300
    assert process.poll() is not None
