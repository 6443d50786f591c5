"""The shape of the package: who may import whom, what is documented, what is installed."""

import ast
import importlib
import importlib.metadata
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import pytest

import glassbench

INSTALLED = Path(glassbench.__path__[0])
ROOT = Path(__file__).resolve().parent.parent
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))

# Each folder may import those before it. What stands beside them at the root is either the
# foundation, which imports none of them, or the face and the command line, which import all.
FOLDERS = ("compiler", "benchmark_programs", "ground_truth", "evaluators", "leaderboard")
TOP = (
    "__init__",
    "__main__",
    "asked_tasks",
    "bundle_commands",
    "cite_command",
    "cli",
    "compile_command",
    "compress_command",
    "faithfulness_command",
    "holdout_command",
    "leaderboard_command",
    "problem_command",
    "program_commands",
    "rescore_command",
    "score_command",
    "site_command",
    "splice_command",
    "submission_commands",
    "train_command",
)
HEAVY = ("jax", "torch", "matplotlib", "pandas", "haiku", "sklearn", "transformer_lens", "lark")


def source_files(folder: Path) -> list[Path]:
    """Return every module of the package below `folder`, as paths relative to it."""
    at_root = [path for path in folder.glob("*.py") if path.name != "setup.py"]
    below = [path for name in FOLDERS for path in (folder / name).rglob("*.py")]
    return sorted(path.relative_to(folder) for path in (*at_root, *below))


MODULES = source_files(INSTALLED)
SYNTAX = {path: ast.parse((INSTALLED / path).read_text(encoding="utf-8")) for path in MODULES}


def broken(check: Callable[[Path], Iterable[str]]) -> dict[str, list[str]]:
    """Return what a check finds in each module that breaks it."""
    return {str(path): found for path in MODULES if (found := list(check(path)))}


def rank(path: Path) -> int:
    """Return the place of a module in the order of imports."""
    if len(path.parts) > 1:
        return 1 + FOLDERS.index(path.parts[0])
    return 1 + len(FOLDERS) if path.stem in TOP else 0


def imported(path: Path) -> Iterator[tuple[int, tuple[str, ...]]]:
    """Yield (line, parts of the name below the package) of each import of our own modules.

    The last part may be a name inside a module rather than a module.
    """
    package = path.parts[:-1]
    for node in ast.walk(SYNTAX[path]):
        if isinstance(node, ast.ImportFrom) and node.level:
            base = package[: len(package) + 1 - node.level]
            base += tuple(node.module.split(".")) if node.module else ()
            yield from ((node.lineno, (*base, alias.name)) for alias in node.names)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("errors.py", 0),
        ("compiler/model.py", 1),
        ("ground_truth/__init__.py", 3),
        ("cli.py", 6),
        ("compile_command.py", 6),
        ("console.py", 0),
    ],
)
def test_rank(path, place):
    assert rank(Path(path)) == place


def imports_of_later_folders(path: Path) -> Iterator[str]:
    for line, parts in imported(path):
        if rank(Path(*parts, "_") if parts[0] in FOLDERS else Path(parts[0])) > rank(path):
            yield f"line {line}: {'.'.join(parts)}"


def test_imports_run_one_way():
    assert not broken(imports_of_later_folders)


def test_imports_are_seen():
    seen = {parts[0] for _, parts in imported(Path("compiler/executor.py"))}
    assert "compiler" in seen


def absolute_imports(path: Path) -> Iterator[str]:
    for node in ast.walk(SYNTAX[path]):
        match node:
            case ast.Import(names=names):
                named = [one.name for one in names]
            case ast.ImportFrom(module=str(module), level=0):
                named = [module]
            case _:
                continue
        yield from (f"line {node.lineno}" for name in named if name.startswith("glassbench"))


def test_imports_inside_the_package_are_relative():
    assert not broken(absolute_imports)


def running_of_text(path: Path) -> list[str]:
    forbidden = {"cloudpickle", "dill", "marshal", "pickle", "shelve"}
    found = []
    for node in ast.walk(SYNTAX[path]):
        match node:
            case ast.Import(names=names):
                found += [a.name for a in names if a.name.split(".")[0] in forbidden]
            case ast.ImportFrom(module=str(module), level=0):
                found += [module] if module.split(".")[0] in forbidden else []
            case ast.Call(func=ast.Name(id="eval" | "exec" as name)):
                found.append(name)
            case ast.keyword(arg="allow_pickle", value=ast.Constant(value=True)):
                found.append("allow_pickle=True")
    return found


def test_nothing_runs_text_or_unpickles():
    """A bundle or an answer comes from strangers: reading it must run nothing."""
    assert not broken(running_of_text)


def undocumented(node: ast.AST, path: str) -> Iterator[str]:
    """Yield the dotted path of each public class, function or method without a docstring."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            decorators = {ast.unparse(decorator) for decorator in child.decorator_list}
            if child.name.startswith("_") or "overload" in decorators:
                continue
            name = f"{path}.{child.name}".lstrip(".")
            if ast.get_docstring(child) is None and f"{child.name}.setter" not in decorators:
                yield name
            if isinstance(child, ast.ClassDef):
                yield from undocumented(child, name)
        elif isinstance(child, ast.If | ast.Try):
            yield from undocumented(child, path)


def without_docstring(path: Path) -> Iterator[str]:
    if ast.get_docstring(SYNTAX[path]) is None:
        yield "the module itself"
    yield from undocumented(SYNTAX[path], "")


def test_everything_public_has_a_docstring():
    assert not broken(without_docstring)


def test_missing_docstrings_are_seen():
    tree = ast.parse("class A:\n  def f(self): ...\n  def _g(self): ...\ndef h():\n  '''Doc.'''")
    assert list(undocumented(tree, "")) == ["A", "A.f"]


def lines_too_many(path: Path) -> Iterator[str]:
    lines = (INSTALLED / path).read_text(encoding="utf-8").count("\n")
    if lines > 400:
        yield f"{lines} lines"


def test_no_file_is_too_long():
    assert not broken(lines_too_many), "find the second concept of each, and give it a file"


def long_functions(path: Path) -> Iterator[str]:
    for one in ast.walk(SYNTAX[path]):
        if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef):
            for first in one.body[1:2]:  # what is before is the docstring, or all
                if one.body[-1].end_lineno - first.lineno >= 60:
                    yield one.name


def test_no_function_is_too_long():
    assert not broken(long_functions), "give a part of each a name of its own"


@pytest.mark.parametrize(
    ("check", "text", "told"),
    [
        (imports_of_later_folders, "from ..leaderboard import a", ["line 1: leaderboard.a"]),
        (absolute_imports, "import glassbench.a\nfrom glassbench import b", ["line 1", "line 2"]),
        (running_of_text, "import pickle\neval('1')", ["pickle", "eval"]),
        (without_docstring, "'All.'\ndef f(): pass", ["f"]),
        (long_functions, "def f():\n  'F.'\n  1" + "\n" * 61 + "  2", ["f"]),
    ],
)
def test_what_breaks_a_rule_is_seen(monkeypatch, check, text, told):
    path = Path("compiler/executor.py")
    monkeypatch.setitem(SYNTAX, path, ast.parse(text))
    assert list(check(path)) == told


@pytest.mark.parametrize(
    "module", ["glassbench", "glassbench.compiler", "glassbench.ground_truth", "glassbench.cli"]
)
def test_importing_the_package_pulls_in_nothing_heavy(tmp_path, module):
    code = f"import {module}, json, sys; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=tmp_path, text=True
    )
    loaded = set(json.loads(done.stdout))
    assert "glassbench" in loaded
    assert not loaded & set(HEAVY)


def test_every_exported_name_is_there():
    names = [".".join(("glassbench", *path.with_suffix("").parts)) for path in MODULES]
    missing = []
    for name in names:
        if name.endswith("__main__"):
            continue
        module = importlib.import_module(name.removesuffix(".__init__"))
        exported = getattr(module, "__all__", [])
        missing += [f"{name}.{entry}" for entry in exported if not hasattr(module, entry)]
    assert not missing


@pytest.fixture
def distribution():
    """What the installer recorded about the package."""
    try:
        return importlib.metadata.distribution("glassbench")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip("the package is on the path without being installed")


def test_the_version_is_stated_once(distribution):
    stated = glassbench.__version__
    assert distribution.version == stated
    assert "version" not in PYPROJECT["project"]
    literal = re.compile(rf"""["']{re.escape(stated)}["']""")
    found = [str(p) for p in MODULES if literal.search((INSTALLED / p).read_text("utf-8"))]
    assert found == ["__init__.py"]


def test_every_folder_of_the_package_is_listed_for_the_build():
    on_disk = {"glassbench"}
    on_disk |= {
        ".".join(("glassbench", *path.parent.parts))
        for path in source_files(ROOT)
        if len(path.parts) > 1
    }
    assert set(PYPROJECT["tool"]["setuptools"]["packages"]) == on_disk


def test_a_change_of_any_module_makes_uv_build_anew():
    """It would otherwise run the package as it was at the build before."""
    keys = {key["file"] for key in PYPROJECT["tool"]["uv"]["cache-keys"] if "file" in key}
    at_root = {str(path) for path in source_files(ROOT) if len(path.parts) == 1}
    assert not at_root - keys
    assert not [name for name in FOLDERS if not any(k.startswith(f"{name}/**/*.") for k in keys)]


def test_every_folder_of_the_package_has_a_face():
    folders = {path.parent for path in source_files(ROOT)}
    assert not [str(folder) for folder in folders if not (ROOT / folder / "__init__.py").exists()]


def test_what_is_installed_is_what_is_here():
    """Modules and data files of the checkout, no more (a stale build) and no fewer."""
    assert source_files(ROOT) == MODULES
    data = [
        path.relative_to(ROOT)
        for name in FOLDERS
        for path in (ROOT / name).rglob("*")
        if path.is_file() and path.suffix not in {".py", ".pyc"}
    ]
    assert not [str(path) for path in (Path("py.typed"), *data) if not (INSTALLED / path).exists()]


def test_everything_is_installed_under_the_name_of_the_package(distribution):
    files = distribution.files or []
    first = {file.parts[0] for file in files if file.parts[0] != ".."}
    if "glassbench" not in first:
        pytest.skip("the package runs from its source folder: there is no wheel to look into")
    assert first == {"glassbench", f"glassbench-{distribution.version}.dist-info"}
    scripts = {file.name for file in files if file.parts[0] == ".."}
    assert scripts <= {"glassbench", "glassbench.exe"}
