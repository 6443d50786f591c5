"""What MkDocs must know of this repository: where links lead, and where the package is.

Documents are written to be read in the repository, so that they link to examples, scripts and
the changelog by their place in it. Files outside `docs/` that are linked to become pages under
`repository/`, code as a block of code, and each link is rewritten from its place in the
repository to its place in the site. The reference is that of this folder, installed or not.

Tables of the leaderboard that are Markdown are files of its own site, and no pages of this one.

MkDocs calls `on_config`, `on_files`, `on_page_markdown` and `on_post_build`.
"""

import posixpath
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files, InclusionLevel

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = "repository"
LINK = re.compile(r"(?<=\]\()(?![a-z]+:|#|/)([^()\s#]+)((?:#[^()\s]*)?)(?=\))")
FENCED = re.compile(r"^( *)(```+).*?^\1\2 *$", flags=re.DOTALL | re.MULTILINE)
PACKAGES = tempfile.TemporaryDirectory()
"""A folder in which the package has its name, whatever that of this folder is."""
LANGUAGES = {".py": "python", ".sh": "sh", ".toml": "toml", ".yml": "yaml"}


@event_priority(100)  # before mkdocstrings reads it
def on_config(config: Any) -> Any:
    """Let the reference be read from this folder."""
    place = Path(PACKAGES.name) / "glassbench"
    if not place.exists():
        place.symlink_to(ROOT, target_is_directory=True)
    python = config.plugins["mkdocstrings"].config.handlers.setdefault("python", {})
    python["paths"] = [PACKAGES.name]
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add what pages link to outside `docs/`, and what these link to in turn."""
    found = {f"docs/{file.src_uri}" for file in files.documentation_pages()}
    waiting = sorted(found)
    while waiting:
        place = waiting.pop()
        if not place.endswith(".md"):
            continue
        for link, _ in LINK.findall(FENCED.sub("", (ROOT / place).read_text(encoding="utf-8"))):
            target = _in_repository(link, place)
            if target and not target.startswith("docs/") and target not in found:
                found.add(target)
                waiting.append(target)
                files.append(_as_page(target, config))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Rewrite links from places in the repository to places in the site."""
    here = page.file.src_uri
    place = _place_of(here)

    def rewritten(match: re.Match[str]) -> str:
        target = _in_repository(match[1], place)
        if target is None:
            return match[0]
        return posixpath.relpath(_in_site(target), posixpath.dirname(here)) + match[2]

    fences = [match.span() for match in FENCED.finditer(markdown)]
    parts, end = [], 0
    for start, stop in fences:
        parts += [LINK.sub(rewritten, markdown[end:start]), markdown[start:stop]]
        end = stop
    return "".join([*parts, LINK.sub(rewritten, markdown[end:])])


def on_post_build(config: Any) -> None:
    """Put the tables that are left out as pages where the leaderboard's pages link to them."""
    docs, site = Path(config.docs_dir), Path(config.site_dir)
    for table in (docs / "leaderboard").rglob("*.md"):
        shutil.copyfile(table, site / table.relative_to(docs))


def _in_repository(link: str, place: str) -> str | None:
    """Return the file that a page links to, by its path in the repository, if it is there."""
    target = posixpath.normpath(posixpath.join(posixpath.dirname(place), link))
    if (ROOT / target).is_dir():
        target = f"{target}/README.md"
    return target if (ROOT / target).is_file() else None


def _in_site(target: str) -> str:
    """Return the source of a file in the site."""
    if target.startswith("docs/"):
        return target.removeprefix("docs/")
    return f"{OUTSIDE}/{target}" + ("" if target.endswith(".md") else ".md")


def _place_of(source: str) -> str:
    """Return the path in the repository of a source of the site."""
    if not source.startswith(f"{OUTSIDE}/"):
        return f"docs/{source}"
    return source.removeprefix(f"{OUTSIDE}/")


def _as_page(target: str, config: Any) -> File:
    """Return the page of a file outside `docs/`."""
    text = (ROOT / target).read_text(encoding="utf-8")
    if not target.endswith(".md"):
        language = LANGUAGES.get(Path(target).suffix, "text")
        text = f"# {target}\n\n````{language}\n{text.rstrip()}\n````\n"
    return File.generated(
        config, _in_site(target), content=text, inclusion=InclusionLevel.NOT_IN_NAV
    )
