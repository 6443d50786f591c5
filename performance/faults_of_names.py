"""Faults of texts in results: names that are markup, code, paths, or turn a line around.

A site is built of good results and of one whose every text is hostile. The pages must hold the
name as text: no element and no handler more than without it, no address but of files of the site,
and no file outside its folder.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from trial import Trial, survived

from glassbench.benchmark_programs import suite_members
from glassbench.errors import GlassbenchError
from glassbench.evaluators.environment import Environment
from glassbench.evaluators.result import MetricValue, Result
from glassbench.leaderboard import write_site

KIND = "pages"
NAMES = (
    "<script>document.title='owned'</script>",
    "<img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "</title></head><body><h1>mine</h1>",
    "</table></main><iframe src=https://example.org></iframe>",
    "javascript:alert(1)",
    "[click](javascript:alert(1))",
    "../../../etc/passwd",
    "/etc/passwd",
    "..\\..\\evil",
    "CON",
    "{{ 7*7 }} {% raw %} ${7*7}",
    "a\nb\x00\x1b[31m",
    "\u202egnirts desrever",
    "x" * 5_000,
    "&lt;b&gt; &amp; %3Cscript%3E",
    "'; DROP TABLE results; --",
    "\\input{/etc/passwd} \\write18{ls}",
)
TASK = str(suite_members("core")[0])

Write = Callable[[Path, Path], object]


class _Page(HTMLParser):
    """What a page holds that could do something.

    Attributes:
        active: elements that run code, embed or redirect, handlers, and styles, counted.
        addresses: where it leads, and what it loads.
    """

    def __init__(self, text: str) -> None:
        super().__init__()
        self.active: Counter[str] = Counter()
        self.addresses: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note an element, as the parser asks."""
        if tag in ("script", "iframe", "object", "embed", "base", "form", "h1", "main"):
            self.active[tag] += 1
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.active[name] += 1
            if name in ("href", "src", "action"):
                self.addresses.append(value or "")


def written(results: Path, site: Path) -> object:
    """Build a site as the package does."""
    return write_site(results, site, tables=False)


def trials(folder: Path, write: Write = written) -> Iterator[Trial]:
    """Yield the trial of hostile texts.

    Args:
        folder: where sites are built.
        write: builds a site of a folder of results.
    """
    attempts = []
    for number, name in enumerate(NAMES):
        place = folder / str(number)
        for one in (_result("good", TASK), _hostile(name)):
            one.write(place / "results")
        outside = _outside(place)
        try:
            write(place / "results", place / "site")
        except GlassbenchError as error:
            attempts.append(survived(repr(name)[:60], "", str(error)))
            continue
        wrong = _flaws(place / "site")
        wrong += [f"{each} is outside the site" for each in _outside(place) - outside]
        seen = "every page holds it as text"
        attempts.append(survived(repr(name)[:60], "; ".join(wrong[:3]), seen))
    yield Trial(KIND, "every text of a result is hostile, on the pages of a site", tuple(attempts))


def _flaws(site: Path) -> list[str]:
    """Return what the pages of a site hold that they must not."""
    found = []
    pages = sorted(site.rglob("*.html"))
    for file in pages:
        page = _Page(file.read_text(encoding="utf-8"))
        expected = {"script": 1, "h1": 1, "main": 1}
        if page.active != expected:
            found.append(f"{file.name} holds {dict(page.active)}, and may hold {expected}")
        for address in page.addresses:
            parts = urlsplit(address)
            target = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            is_inside = target.is_relative_to(site.resolve()) and target.is_file()
            if parts.scheme or parts.netloc or not is_inside:
                found.append(f"{file.name} leads to {address[:80]}")
    return found if pages else ["no page was written"]


def _outside(place: Path) -> set[Path]:
    """Return the files that are in no site, two folders up from it."""
    return {path for path in place.parent.rglob("*") if "site" not in path.parts}


def _result(tool: str, task: str, **changes: object) -> Result:
    environment = Environment(python="3.11.7", platform="Linux", packages={"numpy": "2.0"})
    fields: dict[str, object] = {
        "tool": tool,
        "tool_version": "1.0",
        "task": task,
        "task_digest": "0" * 64,
        "track": "circuit",
        "seed": 0,
        "primary": "edge_average_precision",
        "metrics": {"edge_average_precision": MetricValue.of(0.5, random=0.1, prior=0.2)},
        "answer_sha256": "a" * 64,
        "wall_seconds": 2.0,
        "environment": environment,
    }
    return Result(**{**fields, **changes})  # type: ignore[arg-type]


def _hostile(name: str) -> Result:
    """Return a result in which whatever may be text is hostile."""
    return _result(
        name,
        TASK,
        tool_version=name,
        settings={name: name},
        told={name: [name]},
        environment=Environment(python=name, platform=name, packages={name: name}),
    )
