"""What is built, and that it works where nothing else is installed."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from functools import partial
from pathlib import Path

import pytest

from glassbench.evaluators import built_in, scored_suite
from glassbench.ground_truth import load_suite
from glassbench.leaderboard import results_frame, standings
from glassbench.leaderboard.table_formats import markdown_table
from glassbench.leaderboard.tables import standings_table

ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOLDERS = ("benchmark_programs", "compiler", "evaluators", "ground_truth", "leaderboard")
BUILD_FILES = {"LICENSE", "MANIFEST.in", "README.md", "pyproject.toml", "setup.py"}
METADATA = {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE", "top_level.txt"}
DROPPINGS = (
    "build/lib/glassbench/stale.py",
    "compiler/__pycache__/rasp.cpython-311.pyc",
    "docs/page.md",
    "evaluators/notes.txt",
    "performance/measure.py",
    "tests/conftest.py",
    "tests/test_one.py",
)
TINY = "histogram[vocab=2,length=3]"


def uv(*arguments: object, place: Path) -> None:
    done = subprocess.run(
        ["uv", *map(str, arguments)], cwd=place, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


def sources() -> set[str]:
    """Return what a wheel should hold of the package, by its place in the checkout."""
    found = [path for path in (*ROOT.glob("*.py"), ROOT / "py.typed") if path.name != "setup.py"]
    for folder in FOLDERS:
        found += [path for path in (ROOT / folder).rglob("*") if path.is_file()]
    return {path.relative_to(ROOT).as_posix() for path in found if "__pycache__" not in path.parts}


IMPORTED_AS = {"dm-haiku": "haiku", "scikit-learn": "sklearn"}
NEVER_IMPORTED = {"pyarrow"}  # pandas writes Parquet with it
COME_ALONG = {"markupsafe", "pydantic_core", "transformers"}  # with jinja2, pydantic, pyvene
ELSEWHERE = {"auto_circuit", "sae_lens"}  # in environments of their own


def imported_packages() -> set[str]:
    """Return what the package imports that is neither its own nor of Python."""
    found = set()
    for name in sources():
        if name.endswith(".py"):
            for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
                if isinstance(node, ast.Import):
                    found |= {alias.name.partition(".")[0] for alias in node.names}
                elif isinstance(node, ast.ImportFrom) and not node.level:
                    found.add((node.module or "").partition(".")[0])
    return found - set(sys.stdlib_module_names)


def named(requirements: list[str]) -> set[str]:
    """Return the modules of requirements, without extras of our own."""
    names = {re.split(r"[><=\[]", one)[0] for one in requirements} - {"glassbench"}
    return {IMPORTED_AS.get(name, name.replace("-", "_")) for name in names}


def test_what_is_imported_is_asked_for_and_what_is_asked_for_is_imported():
    extras = PYPROJECT["project"]["optional-dependencies"]
    always = named(PYPROJECT["project"]["dependencies"])
    optional = {
        one
        for extra in extras
        if extra not in {"dev", "docs", "test"}
        for one in named(extras[extra])
    }
    assert imported_packages() - COME_ALONG - ELSEWHERE == (always | optional) - NEVER_IMPORTED


@pytest.fixture(scope="module")
def checkout(tmp_path_factory):
    """A copy of what the build reads, with much beside it that must not come along."""
    if shutil.which("uv") is None:
        pytest.skip("uv builds it: pip install uv")
    place = tmp_path_factory.mktemp("checkout")
    for name in sorted({*sources(), *BUILD_FILES}):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, place / name)
    for name in DROPPINGS:
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_text("wrong = 1\n", encoding="utf-8")
    return place


@pytest.fixture(scope="module")
def wheel(checkout):
    uv("build", "--quiet", "--wheel", "--out-dir", checkout / "dist", place=checkout)
    (built,) = (checkout / "dist").glob("*.whl")
    return built


def contents(wheel: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(wheel) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    version = wheel.name.split("-")[1]
    expected = {f"glassbench/{name}" for name in sources()}
    expected |= {f"glassbench-{version}.dist-info/{name}" for name in METADATA}
    assert set(contents(wheel)) == expected
    suffixes = {Path(name).suffix for name in expected if name.startswith("glassbench/")}
    assert {".bib", ".csv", ".html", ".lark", ".safetensors", ".typed"} <= suffixes


def test_the_source_distribution_holds_what_a_wheel_is_built_from(checkout, wheel, tmp_path):
    uv("build", "--quiet", "--out-dir", tmp_path, place=checkout)
    (packed,), (built,) = tmp_path.glob("*.tar.gz"), tmp_path.glob("*.whl")
    with tarfile.open(packed) as archive:
        names = {one.name.partition("/")[2] for one in archive if one.isfile()}
    ours = {name for name in names if "egg-info/" not in name} - {"PKG-INFO", "setup.cfg"}
    assert ours == sources() | BUILD_FILES
    # The wheel that uv builds beside it is made from it, and not from the checkout.
    assert contents(built) == contents(wheel)


class Installed:
    """An environment in which the wheel is installed with what it asks for, and a folder."""

    def __init__(self, wheel: Path, place: Path) -> None:
        self.place = place
        scripts = place / "environment" / ("Scripts" if sys.platform == "win32" else "bin")
        self.python = scripts / "python"
        uv("venv", "--quiet", "--python", sys.executable, "environment", place=place)
        install = ("pip", "install", "--quiet", "--python", self.python, "--constraint")
        uv(*install, ROOT / "constraints.txt", wheel, place=place)

    def run(self, *arguments: str) -> str:
        """Run its Python where neither the checkout nor this environment is in reach."""
        kept = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
        done = subprocess.run(
            [str(self.python), *arguments],
            cwd=self.place,
            env=kept,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def command(self, *arguments: str) -> str:
        return self.run("-m", "glassbench", *arguments)


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    return Installed(wheel, tmp_path_factory.mktemp("installed"))


COMMANDS = """
import sys
from glassbench.cli import app

for line in sys.argv[1:]:
    app(line.split(), standalone_mode=False)
"""


def test_it_works_in_an_environment_of_its_own(installed):
    where = installed.run("-c", "import glassbench; print(glassbench.__file__)")
    assert "site-packages" in where
    assert "quickstart" in installed.command("--help")
    told = installed.run(
        "-c",
        COMMANDS,
        "list",
        f"build {TINY} -o bundles",
        "score eap weight-norm --task bundles -o results",
        "leaderboard results -o site",
        "cite results",
    )
    assert "sort-v1" in told
    assert "@software" in told
    assert len(list((installed.place / "bundles").glob("*.zip"))) == 1
    assert (installed.place / "site" / "index.html").is_file()


def numbers_of(page: str) -> dict[str, tuple[str, list[float]]]:
    """Return rank and numbers, but for the seconds, of each method in the first table of a page."""
    (table, *_) = re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE)
    heading, _, *lines = (
        [re.sub(r"[`\\\[\]]", "", cell).strip() for cell in line.split("|")[1:-1]]
        for line in table.lower().splitlines()
    )
    rows = [dict(zip(heading, line, strict=True)) for line in lines]
    numbers = ("score", "95% interval", "ap", "auroc")
    return {
        row["method"]: (
            row["rank"],
            [float(one) for name in numbers for one in row[name].split(",")],
        )
        for row in rows
    }


# Rounding depends on the processor, and orders edges whose scores differ by nothing else.
AS_TOLD = partial(pytest.approx, abs=0.03)


@pytest.mark.slow
def test_the_quickstart_comes_out_as_the_first_page_says(installed):
    assert "interchange" in installed.command("quickstart", "-o", "board")
    told = numbers_of((ROOT / "README.md").read_text(encoding="utf-8"))
    measured = numbers_of((installed.place / "board" / "leaderboard.md").read_text("utf-8"))
    assert told.keys() == measured.keys()
    for method, (rank, numbers) in measured.items():
        assert told[method] == (rank, AS_TOLD(numbers)), method
    assert (installed.place / "board" / "leaderboard.html").is_file()


LEARNED = {"edge-pruning", "subnetwork-probing"}
"""Methods that descend, which takes most of a quickstart."""


def test_rows_of_the_first_page_are_measured():
    """On the tasks of the quickstart, which tell no two methods apart, however many these are."""
    told = numbers_of((ROOT / "README.md").read_text(encoding="utf-8"))
    methods = [name for name in built_in("circuit") if name not in LEARNED]
    assert told.keys() == {*methods, *LEARNED, "oracle", "prior", "random"}
    results = [one.result for one in scored_suite(methods, load_suite("quick"), "circuit")]
    page = markdown_table(standings_table(standings(results_frame(results))))
    ranks = ("1-9", "1-11")
    for method, (rank, numbers) in numbers_of(page).items():
        assert told[method][1] == AS_TOLD(numbers), method
        assert (rank, told[method][0]) == (ranks if method in methods else ("", "")), method


STORED = """
import glassbench as gb
from glassbench.ground_truth import load

for name in ("frac_prevs/superposed[d=7]", "shift/trained[spare_layers=3,layer_norm=1]"):
    print(load(name))
"""


def test_what_was_trained_comes_along(installed):
    told = installed.run("-c", STORED)
    assert "frac_prevs-v1/superposed[d=7,seed=0]" in told
    assert "shift-v1/trained" in told


EXTRAS = """
import json
import glassbench as gb
from glassbench.evaluators.adapters import ADAPTERS, PackageTool

task = gb.load("histogram[vocab=2,length=3]")

def told(call):
    try:
        call()
    except gb.GlassbenchError as error:
        return str(error)

found = {"torch": told(task.compiled.to_torch)}
found["transformer_lens"] = told(task.compiled.to_transformer_lens)
for backend, package in (("ray", "ray"), ("dask", "distributed")):
    found[package] = told(lambda: gb.sweep("eap", [task], "swept", backend=backend))
for name, tool in ADAPTERS.items():
    if isinstance(tool, PackageTool):
        found[f"{tool.module} {name}"] = told(lambda: gb.score(name, task, tool.track))
print(json.dumps(found))
"""


def packages_of(extra: str) -> set[str]:
    """Return the packages that an extra installs, those of extras that it names too."""
    requirements = PYPROJECT["project"]["optional-dependencies"][extra]
    others = [name for one in requirements for name in re.findall(r"^glassbench\[(.*)\]", one)]
    return named(requirements).union(
        *(packages_of(one) for own in others for one in own.split(","))
    )


def test_what_needs_an_extra_says_which(installed):
    told = json.loads(installed.run("-c", EXTRAS))
    assert len(told) > 12
    for entry, message in told.items():
        (extra,) = re.findall(r"pip install 'glassbench\[(\w+)\]'", message or "nothing")
        (missing,) = re.findall(r"needs the package (\S+), which is not installed", message)
        assert {missing.replace("-", "_"), entry.split()[0]} <= packages_of(extra), message
