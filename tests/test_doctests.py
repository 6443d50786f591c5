"""Every example in a docstring of the package is run."""

import ast
import doctest
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import glassbench

PARSER = doctest.DocTestParser()
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def module_names() -> list[str]:
    """Return the name of every module of the package but its command-line entry."""
    found = pkgutil.walk_packages(glassbench.__path__, "glassbench.")
    return ["glassbench", *sorted(m.name for m in found if not m.name.endswith("__main__"))]


def docstrings(node: ast.AST, path: str) -> Iterator[tuple[str, ast.Constant]]:
    """Yield each docstring below `node` with the dotted path of what it documents."""
    for child in ast.iter_child_nodes(node):
        below = path
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            below = f"{path}.{child.name}".lstrip(".")
        yield from docstrings(child, below)
    match node:
        case (
            ast.Module(body=[ast.Expr(value=ast.Constant(value=str()) as text), *_])
            | ast.ClassDef(body=[ast.Expr(value=ast.Constant(value=str()) as text), *_])
            | ast.FunctionDef(body=[ast.Expr(value=ast.Constant(value=str()) as text), *_])
            | ast.AsyncFunctionDef(body=[ast.Expr(value=ast.Constant(value=str()) as text), *_])
        ):
            yield path, text


@cache
def source(module: str) -> str:
    """Return the source text of `module`, which is not imported for it."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    return Path(spec.origin).read_text(encoding="utf-8")


def examples() -> list[tuple[str, str, int]]:
    """Return (module, dotted path, line) of each docstring with examples.

    They are read from the source: doctest's own finder passes over functions that are wrapped,
    as those checked at run time are.
    """
    return [
        (module, path, text.lineno)
        for module in module_names()
        for path, text in docstrings(ast.parse(source(module)), "")
        if PARSER.get_examples(text.value)
    ]


EXAMPLES = examples()


def test_examples_are_found():
    assert ("glassbench.errors", "listing") in {(module, path) for module, path, _ in EXAMPLES}


@pytest.mark.parametrize(
    ("module", "path", "line"), EXAMPLES, ids=[f"{m}:{p}" for m, p, _ in EXAMPLES]
)
def test_example(module, path, line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    texts = docstrings(ast.parse(source(module)), "")
    text = next(text.value for found, text in texts if (found, text.lineno) == (path, line))
    namespace = dict(vars(importlib.import_module(module)))
    test = PARSER.get_doctest(text, namespace, f"{module}:{path}", source_file(module), line - 1)
    report: list[str] = []
    results = doctest.DocTestRunner(optionflags=FLAGS).run(test, out=report.append)
    assert results.attempted > 0
    assert results.failed == 0, "".join(report)


def source_file(module: str) -> str:
    """Return the path of the file that holds `module`."""
    spec = importlib.util.find_spec(module)
    assert spec is not None and spec.origin is not None
    return spec.origin
