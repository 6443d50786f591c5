"""The site of the documents: it builds without a warning, asks no other host, and fits a phone."""

import importlib
import inspect
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

if not os.environ.get("GLASSBENCH_BROWSER"):
    pytest.importorskip("mkdocs", reason="the extra docs is not installed")

ROOT = Path(__file__).resolve().parent.parent
PHONE = {"width": 400, "height": 800, "deviceScaleFactor": 1, "mobile": False}


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder of the built site: the one that stands in GLASSBENCH_SITE, or a new one."""
    if there := os.environ.get("GLASSBENCH_SITE"):
        return Path(there)
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    quiet = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    run = subprocess.run(command, cwd=ROOT, env=quiet, capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert "WARNING" not in run.stderr
    return folder


@pytest.fixture(scope="module")
def pages(built):
    written = built / "leaderboard"  # by the command line, with tests of its own
    found = sorted(page for page in built.rglob("*.html") if written not in page.parents)
    assert {"index.html", "five_minutes.html", "reference/evaluators.html"} <= {
        str(page.relative_to(built)) for page in found
    }
    return found


def test_pages_ask_no_other_host(pages):
    for page in pages:
        text = page.read_text(encoding="utf-8")
        asked = re.findall(r"<(?:script|img|iframe)[^>]* src=\"?([^\s\">]+)", text)
        asked += re.findall(r"<link[^>]* rel=\"?(?:stylesheet|preconnect)[^>]*", text)
        assert asked
        assert not [one for one in asked if re.search(r"https?:|[\s\"=]//|^//", one)], page


def test_the_leaderboard_is_there_as_it_was_written(built):
    written = {path.relative_to(ROOT / "docs") for path in (ROOT / "docs/leaderboard").rglob("*.*")}
    assert {path.suffix for path in written} >= {".html", ".md", ".csv", ".json", ".svg"}
    for path in written:
        assert (built / path).read_bytes() == (ROOT / "docs" / path).read_bytes()


def test_what_is_linked_outside_docs_is_a_page(built):
    page = (built / "own_method.html").read_text(encoding="utf-8")
    assert "repository/examples/index.html" in page
    example = (built / "repository/examples/own_method.py.html").read_text(encoding="utf-8")
    assert "change_read" in example


@pytest.mark.parametrize(
    "name", ["benchmark_programs", "compiler", "evaluators", "ground_truth", "leaderboard"]
)
def test_every_public_function_and_class_is_in_the_reference(built, name):
    folder = importlib.import_module(f"glassbench.{name}")
    text = (built / f"reference/{name}.html").read_text(encoding="utf-8")
    public = {one: getattr(folder, one) for one in folder.__all__}
    ours = [
        one for one, what in public.items() if inspect.isfunction(what) or inspect.isclass(what)
    ]
    assert len(ours) > 10
    # A function that is named like its module is in the reference by its full path.
    missing = [
        one
        for one in ours
        if public[one].__module__.startswith("glassbench.")
        and not any(f'id="glassbench.{name}.{path}"' in text for path in (one, f"{one}.{one}"))
    ]
    assert not missing


def test_no_page_is_wider_than_a_phone(browser, built, pages):
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    alike = set((built / "catalogue").glob("[b-z]*.html")) - {built / "catalogue/index.html"}
    for page in sorted({*pages} - alike):
        browser.get(page.as_uri())
        wide = browser.execute_script("return document.documentElement.scrollWidth")
        assert wide <= PHONE["width"], page.relative_to(built)
