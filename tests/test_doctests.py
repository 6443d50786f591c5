"""Every example in a docstring of the package is run."""

import ast
import doctest
import importlib
import importlib.util
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import glassbench

PARSER = doctest.DocTestParser()
FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
DOCUMENTED = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def module_names() -> list[str]:
    """Return the name of every module of the package but the two that act when imported."""
    found = {module.name for module in pkgutil.walk_packages(glassbench.__path__, "glassbench.")}
    return ["glassbench", *sorted(found - {"glassbench.__main__", "glassbench.setup"})]


def source_file(module: str) -> Path:
    """Return the file that holds `module`."""
    spec = importlib.util.find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin)


def docstrings(node: DOCUMENTED, path: str = "") -> Iterator[tuple[str, int, str]]:
    """Yield (dotted path of what it documents, line, text) of each docstring in `node`."""
    if ast.get_docstring(node) is not None:
        yield path, node.body[0].lineno, ast.get_docstring(node, clean=False)
    for child in node.body:
        if isinstance(child, DOCUMENTED):
            yield from docstrings(child, f"{path}.{child.name}".lstrip("."))


def examples() -> Iterator[doctest.DocTest]:
    """Yield the examples of each docstring as one test, its names not yet filled in.

    They are read from the source: doctest's own finder passes over functions that are wrapped,
    as those checked at run time are.
    """
    for module in module_names():
        file = source_file(module)
        for path, line, text in docstrings(ast.parse(file.read_text(encoding="utf-8"))):
            if PARSER.get_examples(text):
                yield PARSER.get_doctest(text, {}, f"{module}:{path}", str(file), line - 1)


EXAMPLES = list(examples())


def test_examples_are_found():
    names = {example.name for example in EXAMPLES}
    assert "glassbench.errors:listing" in names
    assert "glassbench.benchmark_programs.program_spec:ProgramSpec.parameters" in names


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
def test_example(example, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    example.globs = dict(vars(importlib.import_module(example.name.partition(":")[0])))
    report: list[str] = []
    results = doctest.DocTestRunner(optionflags=FLAGS).run(example, out=report.append)
    assert results.attempted > 0
    assert results.failed == 0, "".join(report)
