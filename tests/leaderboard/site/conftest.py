"""A site of results that mean well and results that do not."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from glassbench.benchmark_programs import suite_members
from glassbench.evaluators.edge_outcomes import EdgeOutcomes
from glassbench.evaluators.environment import Environment
from glassbench.evaluators.result import MetricValue, Result
from glassbench.evaluators.submission import SubmissionRecord
from glassbench.evaluators.submitted_results import submission_name
from glassbench.leaderboard import CircuitView, write_site

AP = "edge_average_precision"
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=alert(1)>",
    '</script></table>"quo\'te" & `tick`\nnew line\x00\x1b[31m',
    "\u202egnirts desrever \u05e9\u05dc\u05d5\u05dd \u0645\u0631\u062d\u0628\u0627",
    "x" * 5_000,
    "{{ 7*7 }} {% raw %} javascript:alert(1)",
)
CODE = 'https://example.org/"><script>alert(4)</script>'
SUBMITTED = SubmissionRecord.model_validate(
    {
        "name": HOSTILE[0],
        "version": '1.0" onclick="alert(2)',
        "authors": ["<img src=x onerror=alert(3)>", "\u05e9\u05dc\u05d5\u05dd, A.", "y" * 200],
        "description": "</p></main><script>document.title='owned'</script>\n" + "z" * 3_900,
        "code": CODE,
        "licence": "<b>CC0</b>",
        "contact": '"><svg onload=alert(5)>',
        "runs": [{"task": "a-v1", "track": "circuit", "folder": "a"}],
    }
).to_json()
"""What a hostile submitter says of the first of these."""
SUBMISSION = hashlib.sha256(SUBMITTED.encode()).hexdigest()
TASKS = tuple(
    str(one)
    for suite in ("core", "full")
    for one in suite_members(suite)[: 10 if suite == "core" else 90]
)
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="90pt" height="30pt" viewBox="0 0 90 30">'
    b'<rect width="90" height="30" fill="none"/></svg>'
)


def result(tool: str, task: str, value: float | None, **changes: object) -> Result:
    """A result with random floor 0.1, prior 0.2 and ceiling 1; failed without a value."""
    track = str(changes.get("track", "circuit"))
    primary = AP if track == "circuit" else "matched_cosine"
    fields = {
        "tool": tool,
        "tool_version": "1.0",
        "task": task,
        "task_digest": "0" * 64,
        "track": track,
        "seed": 0,
        "primary": primary,
        "metrics": {primary: MetricValue.of(value, random=0.1, prior=0.2)},
        "answer_sha256": "a" * 64,
        "wall_seconds": 2.0,
        "environment": Environment(python="3.11.7", platform="Linux", packages={"numpy": "2.0"}),
    }
    if value is None:
        fields |= {"status": "timeout", "error": "it took too long", "answer_sha256": None}
    return Result(**{**fields, **changes})


def some_results() -> Iterator[Result]:
    """Three methods on many tasks, two of them on another question too, and hostile names."""
    for place, task in enumerate(TASKS):
        for seed in (0, 1):
            yield result("good", task, 0.9 - place / 1_000 - seed / 100, seed=seed)
        yield result("weak", task, 0.2 + place / 1_000, settings={"steps": 3})
        yield result("weak", task, None if place == 4 else 0.25, settings={"steps": 10})
    for tool in ("good", "sae"):
        for task in TASKS[:8]:
            given = {"track": "features", "question": {"arm": "independent"}}
            yield result(tool, task, 0.5 if tool == "sae" else 0.4, **given)
    for place, name in enumerate(HOSTILE):
        told = {"tool_version": name, "settings": {name: name}}
        told["told"] = {name: [name]} | ({} if place else {"submission": SUBMISSION})
        told["environment"] = Environment(python=name, platform=name, packages={name: name})
        yield result(name, TASKS[0], None, error=name, **told)
        yield result(name, name, 0.5, **told)
        yield result(name, TASKS[1], 0.3 + place / 100, **told)


def views(results: tuple[Result, ...]) -> dict[str, CircuitView]:
    """Circuits of two tasks, one without a picture."""
    states = {"embed->head": "causal", "head->mlp": "causal", "embed->mlp": "inert"}
    outcomes = EdgeOutcomes(("embed->head",), ("head->mlp",), ("embed->mlp",))
    return {
        task: CircuitView(
            picture,
            states,
            {
                one.file_name: outcomes
                for one in results
                if (one.task, one.tool, one.track) == (task, "good", "circuit")
            },
        )
        for task, picture in ((TASKS[2], SVG), (TASKS[3], None))
    }


@dataclass(frozen=True)
class BuiltSite:
    """A site, what it was made from, and where the code is of what was submitted to it."""

    folder: Path
    raw: Path
    results: tuple[Result, ...]
    code: str = CODE

    def one(self, pattern: str) -> str:
        """Return the name of the page that a pattern finds."""
        (found,) = self.folder.glob(pattern)
        return found.relative_to(self.folder).as_posix()

    @property
    def kinds(self) -> list[str]:
        """A page of each kind, and of each that is of use to someone with bad intentions."""
        pages = ["index.html", "reading.html", "methods.html", "tasks.html", "boards/circuit.html"]
        pages += [
            self.one("boards/features-arm-independent-??????????.html"),
            self.one("boards/circuit-tag-mean-*.html"),
        ]
        pages += [self.one("methods/good-*.html"), self.one("methods/weak-steps-10-*.html")]
        with_picture = next(path.stem for path in self.folder.glob("tasks/*.svg"))
        pages += [f"tasks/{with_picture}.html"]
        pages += sorted(
            path.relative_to(self.folder).as_posix()
            for start in ("script", "x", "gnirts")
            for path in self.folder.glob(f"methods/{start}*.html")
        )
        return pages

    @property
    def layouts(self) -> list[str]:
        """A page of each layout, and the first that bad intentions have to do with."""
        alike = ("methods.html", "boards/features", "methods/good")
        pages = [page for page in self.kinds if not page.startswith(alike)]
        return pages[: next(n for n, page in enumerate(pages) if page.startswith("tasks/")) + 2]


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> BuiltSite:
    """The site of all results."""
    folder = tmp_path_factory.mktemp("site")
    results = tuple(some_results())
    for one in results:
        one.write(folder / "results")
    (folder / "results" / "submissions").mkdir()
    record = folder / "results" / "submissions" / submission_name(SUBMISSION)
    record.write_text(SUBMITTED, encoding="utf-8")
    write_site(
        folder / "results",
        folder / "site",
        views=views(results),
        tables=False,
        verify=False,  # there are no answers
    )
    return BuiltSite(folder / "site", folder / "results", results)


@pytest.fixture(scope="session")
def site_with_tables(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a site of two methods on six tasks, one of them on another track too."""
    folder = tmp_path_factory.mktemp("tables")
    for number, task in enumerate(TASKS[:6]):
        result("good", task, 0.9 - number / 100).write(folder / "results")
        result("<b>weak</b>", task, 0.3 + number / 100).write(folder / "results")
    result("good", TASKS[0], 0.5, track="features").write(folder / "results")
    write_site(folder / "results", folder / "site")
    return folder / "site"
