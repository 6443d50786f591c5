"""Faults of what others hand in: submissions that claim what is not so, edited results, secrets.

A submission is packed from results that were measured here. Whatever is then changed must be
refused when it is validated, as must results that are not those of their answers, and a hold-out's
secret that is not the one that was committed to.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from trial import Trial, refused

from glassbench.evaluators import scored_suite
from glassbench.evaluators.answers_check import check_answers
from glassbench.evaluators.submission_folder import read_submission
from glassbench.evaluators.submission_packing import pack
from glassbench.evaluators.validation import validated
from glassbench.ground_truth import Task, load
from glassbench.ground_truth.holdout import check_reveal, commit
from glassbench.leaderboard import read_results

TASKS = ("sort[vocab=2,length=3]", "frac_prevs[vocab=2,length=3]")
KIND = "submissions"
ABOUT = {
    "name": "Mine",
    "suite": "quick",
    "authors": ("A. Author",),
    "licence": "CC-BY-4.0",
    "contact": "a@example.org",
}

Edit = Callable[[Path], object]
Validate = Callable[[Path, Sequence[Task]], object]


def lengths(problem: Any) -> dict[str, float]:
    """Answer the circuit track by something that no built-in method is."""
    return {edge: float(len(edge)) for edge in problem.edges}


def validate(folder: Path, tasks: Sequence[Task]) -> object:
    """Read and measure a submission, and refuse it if anything is wrong with it."""
    return validated(read_submission(folder), tasks).check()


def check(folder: Path, _: Sequence[Task]) -> object:
    """Measure the kept answers of results again."""
    return check_answers(folder, read_results(folder), verify=True)


def record(**fields: Any) -> Edit:
    """Return what changes fields of a record."""

    def edit(folder: Path) -> None:
        file = folder / "submission.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | fields))

    return edit


def run(**fields: Any) -> Edit:
    """Return what changes fields of the first run."""

    def edit(folder: Path) -> None:
        file = folder / "submission.json"
        content = json.loads(file.read_text())
        content["runs"][0] |= fields
        file.write_text(json.dumps(content))

    return edit


def answer(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Edit:
    """Return what changes the answer of the first run."""

    def edit(folder: Path) -> None:
        file = _answer_of(folder)
        file.write_text(json.dumps(change(json.loads(file.read_text()))))

    return edit


def as_link(folder: Path) -> None:
    """Make the answer a link."""
    file = _answer_of(folder)
    file.unlink()
    file.symlink_to("/etc/passwd")


def doubled(folder: Path) -> None:
    """Answer the same run twice."""
    file = folder / "submission.json"
    content = json.loads(file.read_text())
    first = content["runs"][0]
    shutil.copytree(folder / "answers" / first["folder"], folder / "answers" / "again")
    file.write_text(json.dumps(content | {"runs": [*content["runs"], first | {"folder": "again"}]}))


CLAIMS: Mapping[str, Edit] = {
    "a higher score is claimed": run(claimed=0.99),
    "a perfect score is claimed": run(claimed=1.0),
    "the digest of another task": run(task_digest="0" * 64),
    "the digest of another answer": run(answer_sha256="0" * 64),
    "another task": run(task="histogram"),
    "a task that does not exist": run(task="historgam"),
    "another problem": run(problem="0" * 32),
    "a picked seed": run(seed=3),
    "a run that failed, with an answer": run(status="failed"),
    "the name of a built-in method": record(name="EAP"),
    "the name of a reference, in wide letters": record(name="\uff4fracle"),
    "no author": record(authors=[]),
    "an unknown field": record(score=1.0),
    "code by a script": record(code="javascript:alert(1)"),
    "a run twice": doubled,
}
FILES: Mapping[str, Edit] = {
    "all scores 1, the digest of before": answer(
        lambda one: one | {"scores": dict.fromkeys(one["scores"], 1.0)}
    ),
    "an edge is missing": answer(
        lambda one: one | {"scores": dict(list(one["scores"].items())[1:])}
    ),
    "a score that is not a number": lambda folder: _answer_of(folder).write_text(
        _answer_of(folder).read_text().replace(": ", ": NaN, ", 1)
    ),
    "no answer": lambda folder: _answer_of(folder).unlink(),
    "an answer that is a link": as_link,
    "a folder above": run(folder=".."),
    "a path": run(folder="a/b"),
    "a pickle beside it": lambda folder: (_answer_of(folder).parent / "model.pt").write_bytes(
        b"\x80"
    ),
    "code beside it": lambda folder: (folder / "setup.py").write_text("raise SystemExit"),
    "a pipe for a page": lambda folder: os.mkfifo(folder / "README.md"),
    "an answer of 64 MiB and more": lambda folder: os.truncate(_answer_of(folder), 2**26 + 1),
    "a record that is no JSON": lambda folder: (folder / "submission.json").write_text(
        "[" * 10_000
    ),
}


def result(change: Callable[[dict[str, Any]], dict[str, Any]]) -> Edit:
    """Return what changes the first result that has an answer."""

    def edit(folder: Path) -> None:
        file = min(folder.glob("*.json"))
        file.write_text(json.dumps(change(json.loads(file.read_text()))))

    return edit


def better(content: dict[str, Any]) -> dict[str, Any]:
    """Return a result whose metrics are all perfect."""
    metrics = {
        name: metric | {"value": 1.0, "normalised": 1.0}
        for name, metric in content["metrics"].items()
    }
    return content | {"metrics": metrics}


RESULTS: Mapping[str, Edit] = {
    "perfect metrics": result(better),
    "another seed": result(lambda one: one | {"seed": 1}),
    "another digest of the answer": result(lambda one: one | {"answer_sha256": "0" * 64}),
    "another digest of the task": result(lambda one: one | {"task_digest": "0" * 64}),
    "no answer is kept": lambda folder: min((folder / "answers").glob("*.json")).unlink(),
    "an answer of all ones": lambda folder: _ones(min((folder / "answers").glob("*.json"))),
    "half a result": lambda folder: os.truncate(min(folder.glob("*.json")), 500),
}


def trials(
    folder: Path, checked: Validate = validate, results: Validate = check
) -> Iterator[Trial]:
    """Yield all trials of what is handed in.

    Args:
        folder: where it is written.
        checked: what must refuse a submission.
        results: what must refuse a folder of results.
    """
    tasks = [load(name) for name in TASKS]
    measured = list(scored_suite([lengths], tasks))
    for one in measured:
        one.write(folder / "results")
    made = [one.result for one in measured]
    good = pack(made, folder / "results", folder / "good", ABOUT, tasks).folder
    validate(good, tasks)
    for what, edits, origin, judge in (
        ("a submission whose record claims what is not so", CLAIMS, good, checked),
        ("a submission with other answers, or with files that do not belong", FILES, good, checked),
        ("results that are not those of their answers", RESULTS, folder / "results", results),
    ):
        cases = []
        for name, edit in edits.items():
            place = folder / "changed"
            shutil.copytree(origin, place)
            edit(place)
            cases.append(refused(name, lambda: judge(place, tasks)))  # noqa: B023
            shutil.rmtree(place)
        yield Trial(KIND, what, tuple(cases))
    yield secrets()


def secrets() -> Trial:
    """Return what becomes of secrets that are not what was committed to."""
    secret = commit(n=1, difficulty="easy", seed=2**64 + 7)
    commitment = secret.commitment
    changes: Mapping[str, dict[str, Any]] = {
        "another seed": {"seed": str(int(secret.seed) + 1)},
        "more tasks": {"n": secret.n + 1},
        "another difficulty": {"difficulty": "hard"},
        "other tasks": {"tasks": f"sha256:{'0' * 64}"},
    }
    return Trial(
        KIND,
        "a secret of a hold-out that is not the one committed to",
        tuple(
            refused(
                what,
                lambda update=update: check_reveal(secret.model_copy(update=update), commitment),
            )
            for what, update in changes.items()
        ),
    )


def _ones(file: Path) -> None:
    content = json.loads(file.read_text())
    file.write_text(json.dumps(content | {"scores": dict.fromkeys(content["scores"], 1.0)}))


def _answer_of(folder: Path) -> Path:
    (first, *_) = json.loads((folder / "submission.json").read_text())["runs"]
    return folder / "answers" / first["folder"] / "answer.json"
