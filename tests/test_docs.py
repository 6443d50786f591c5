"""The Python in the documents runs as it stands there, and prints what stands there."""

import ast
import contextlib
import doctest
import io
import re
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


BLOCK = re.compile(
    r"^```python\n(?P<code>.*?)^```$(?:\n\n```text\n(?P<output>.*?)^```$)?",
    flags=re.DOTALL | re.MULTILINE,
)
RUN = [
    "../README.md",
    "any_language.md",
    "attribution.md",
    "bundle.md",
    "circuit.md",
    "citation.md",
    "faithfulness.md",
    "features.md",
    "five_minutes.md",
    "labels.md",
    "own_method.md",
    "own_program.md",
    "program_track.md",
    "toy_superposition.md",
    "trained.md",
    "tutorials/attribution.md",
    "tutorials/circuit.md",
    "tutorials/features.md",
    "tutorials/program.md",
    "tutorials/variables.md",
    "variables.md",
]
NOT_RUN = {
    "fresh_tasks.md": "draws and certifies twenty tasks",
    "methods.md": "scores a whole suite",
    "superposition.md": "trains three models",
    "sweeps.md": "scores a whole suite five times",
}


def said_beside(statement, lines):
    """Return the comment behind a call of `print`, which says what it prints, if there is one."""
    match statement:
        case ast.Expr(value=ast.Call(func=ast.Name(id="print"))):
            line = lines[statement.end_lineno - 1].encode()[statement.end_col_offset :].decode()
            return line.partition("# ")[2]
    return ""


def prints_otherwise(page):
    """Run the Python of a page; return where it prints something else than the page says.

    A comment behind a `print` says what that prints, and a block of text right below a block of
    Python what the whole block prints; `...` stands for anything. Lines keep the numbers that they
    have on the page, so that a traceback leads there.
    """
    text, names, wrong = page.read_text(encoding="utf-8"), {"__name__": "__main__"}, []

    def compare(line, said, printed):
        if not doctest.OutputChecker().check_output(said, printed, doctest.ELLIPSIS):
            wrong.append(f"{page.name}, line {line}, says\n{said}and prints\n{printed}")

    for block in BLOCK.finditer(text):
        above, whole = text.count("\n", 0, block.start("code")), ""
        code = "\n" * above + block["code"]
        for statement in ast.parse(code).body:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                exec(compile(ast.Module([statement], []), page, "exec"), names)  # noqa: S102
            whole += printed.getvalue()
            if said := said_beside(statement, code.splitlines()):
                compare(statement.lineno, f"{said}\n", printed.getvalue())
        if block["output"] is not None:
            compare(above + 1, block["output"], whole)
    return wrong


@pytest.mark.parametrize("page", RUN)
def test_python_blocks_run_and_print_what_the_page_says(folder, monkeypatch, page):
    monkeypatch.chdir(folder)
    wrong = prints_otherwise(DOCS / page)
    assert not wrong, "\n".join(wrong)


def test_every_page_with_python_is_run_or_says_why_not():
    pages = [DOCS.parent / "README.md", *DOCS.rglob("*.md")]
    python = {page for page in pages if BLOCK.search(page.read_text(encoding="utf-8"))}
    assert python == {(DOCS / page).resolve() for page in (*RUN, *NOT_RUN)}


def test_what_is_printed_otherwise_is_found(tmp_path):
    page = tmp_path / "page.md"
    right = """
```python
print(1 + 1)  # 2
for one in "ab":
    print(one)  # each
print(
    "a long line"
)  # a ... line
```

```text
2
a
b
a long ...
```

```python
print(3)
```

```text
3
```
"""
    page.write_text(right, encoding="utf-8")
    assert not prints_otherwise(page)
    for said, other, line in (("# 2", "# 3", 3), ("\nb\n", "\n", 3), ("\n3\n", "\n4\n", 19)):
        page.write_text(right.replace(said, other), encoding="utf-8")
        (wrong,) = prints_otherwise(page)
        assert wrong.startswith(f"page.md, line {line}, says\n"), wrong


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
