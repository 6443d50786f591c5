"""The Python in the documents runs as it stands there."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
from typer.main import get_command

from glassbench.benchmark_programs import TaskId
from glassbench.cli import app
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


def test_the_readme_prints_what_it_says(tmp_path, capsys):
    text = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"^```python\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE)
    said = re.findall(r"^print\(gb\.score\(.*\)  # (.*)$", block, flags=re.MULTILINE)
    script = tmp_path / "readme.py"
    script.write_text(block, encoding="utf-8")
    runpy.run_path(str(script))
    assert capsys.readouterr().out.splitlines()[-2:] == said


PAGES = {"README": DOCS.parent / "README.md", "commands": DOCS / "commands.md"}


@pytest.mark.parametrize("page", PAGES)
def test_commands_of_the_shell_are_there_with_their_options(page):
    text = PAGES[page].read_text(encoding="utf-8")
    blocks = "".join(re.findall(r"^```sh\n(.*?)^```", text, flags=re.DOTALL | re.MULTILINE))
    lines = re.sub(r"\\\n|&&", lambda found: " " if found[0] != "&&" else "\n", blocks)
    asked = [shlex.split(line, comments=True) for line in lines.splitlines()]
    asked = [words[words.index("glassbench") + 1 :] for words in asked if "glassbench" in words]
    offered = get_command(app).commands
    for name, *words in asked:
        options = {one for parameter in offered[name].params for one in parameter.opts}
        assert {word for word in words if word.startswith("-")} <= options | {"--help"}, name
    if page == "commands":
        assert {name for name, *_ in asked} == set(offered)


def test_what_the_first_lines_say_comes_out(folder):
    import glassbench as gb

    (place,) = (folder / "bundles").glob("sort-*.zip")
    assert gb.ground_truth.read_bundle(place).model([2, 0, 1]) == [0, 1, 2]
