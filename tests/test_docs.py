"""The Python in the documents runs as it stands there."""

import re
import runpy
from pathlib import Path

import pytest

from glassbench.benchmark_programs import TaskId
from glassbench.ground_truth.bundle_building import build_bundles

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder in which the shell lines above the Python have been run."""
    made = tmp_path_factory.mktemp("docs")
    assert len(list(build_bundles([TaskId.parse("sort")], made / "bundles"))) == 1
    return made


@pytest.mark.parametrize(
    "page",
    [
        "any_language.md",
        "bundle.md",
        "citation.md",
        "faithfulness.md",
        "five_minutes.md",
        "labels.md",
        "own_method.md",
        "own_program.md",
        "program_track.md",
        "toy_superposition.md",
        "tutorials/attribution.md",
        "tutorials/circuit.md",
        "tutorials/features.md",
        "tutorials/program.md",
        "tutorials/variables.md",
        "variables.md",
    ],
)
def test_python_blocks_run(folder, monkeypatch, page):
    monkeypatch.chdir(folder)
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    assert blocks
    script = folder / page.replace("/", "_").replace(".md", ".py")
    script.write_text("\n".join(blocks), encoding="utf-8")
    runpy.run_path(str(script))


def test_what_the_first_lines_say_comes_out(folder):
    import glassbench as gb

    (place,) = (folder / "bundles").glob("sort-*.zip")
    assert gb.ground_truth.read_bundle(place).model([2, 0, 1]) == [0, 1, 2]
