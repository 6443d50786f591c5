"""`glassbench compile`: a program of one's own to a model, and to a certified task on disk."""

import sys
from codecs import BOM_UTF8
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .asked_tasks import check_picture
from .console import console, progress
from .errors import InputError, ProgramError
from .token_lists import as_value, check_sequence, read_sequence, read_tokens

if TYPE_CHECKING:
    from .compiler import CompiledModel, Program, RaspSource

_STANDARD_INPUT = "-"
_LONGEST_EXAMPLE = 8


File = Annotated[
    str,
    typer.Argument(
        metavar="FILE",
        help="RASP text, or a program.json, in which vocab, length, causal and answer stand; "
        "- is standard input.",
    ),
]
Vocab = Annotated[
    str | None,
    typer.Option(
        metavar="TOKENS",
        help="a,b are texts, 1,2 numbers, true is a text and True a boolean; or a JSON list.",
    ),
]
Length = Annotated[int | None, typer.Option(min=1, help="Of the longest sequence.")]
Causal = Annotated[bool, typer.Option("--causal", help="Attend backwards only.")]
Answer = Annotated[
    list[str] | None,
    typer.Option(metavar="NAME", help="What to compute, if not the last; may be given again."),
]
Level = Annotated[
    int, typer.Option(min=0, max=1, help="0 keeps every expression; 1 merges and folds.")
]
RegimeChain = Annotated[str, typer.Option(help="As in task ids, such as crowded/scrambled.")]
Name = Annotated[str, typer.Option(help="Of the task; by default that of the file.")]
Try = Annotated[
    list[str] | None,
    typer.Option(
        "--try", metavar="SEQUENCE", help="Run it, such as abba or 1,2,1; may be given again."
    ),
]
Explain = Annotated[bool, typer.Option("--explain", help="Tell what each stage did.")]
Picture = Annotated[
    Path | None, typer.Option(metavar="FILE", help="Draw the model as .svg or .png.")
]
Output = Annotated[
    Path | None,
    typer.Option("-o", "--output", metavar="DIR", help="Certify, and write the task here."),
]
Force = Annotated[
    bool, typer.Option("--force", help="Write beside other files, or over another task.")
]


def compile_file(
    file: File,
    vocab: Vocab = None,
    length: Length = None,
    causal: Causal = False,
    answer: Answer = None,
    level: Level = 0,
    regimes: RegimeChain = "",
    name: Name = "",
    sequence: Try = None,
    explain: Explain = False,
    picture: Picture = None,
    output: Output = None,
    force: Force = False,
) -> None:
    """Compile a program of your own; with -o, certify it and write it as a task.

    Prints sizes, margins, and the answers to a few sequences.
    """
    from .benchmark_programs.task_id import SCRAMBLED
    from .compiler import write_picture
    from .ground_truth import certified, check_bundle_folder, compile_own, write_bundle
    from .ground_truth.own_task_id import name_like

    _check_places(picture, output, force)
    content, where = _content(file)
    is_text = not content.lstrip().startswith(b"{")
    _check_options(is_text, vocab=vocab, length=length, causal=causal, answer=answer)
    tokens = [] if vocab is None else _read_list(vocab)
    program = _read(content, where, answer or [])
    tried = _tried(sequence or [], program, tokens, length or 0)
    if is_text and file != _STANDARD_INPUT:
        name = name or name_like(Path(file).stem)
    with progress("Compiling"):
        task_id, compiled = compile_own(
            program, tokens, length or 0, name=name, causal=causal, level=level, regimes=regimes
        )
    if output is not None:
        check_bundle_folder(output, str(task_id), force=force)
    say = console().print
    say(str(task_id), style="bold", soft_wrap=True)
    is_scrambled = any(regime == SCRAMBLED for regime, _ in task_id.regimes)
    for line in _facts(compiled, is_scrambled):
        say(line, soft_wrap=True)
    for lines in _answers(compiled, tried or _examples(compiled)):
        say("\n" + "\n".join(lines), soft_wrap=True)
    if explain:
        say(f"\n{compiled.explain()}", soft_wrap=True)
    if picture is not None:
        say(f"\nWritten: {write_picture(compiled, picture)}", soft_wrap=True)
    if output is not None:
        with progress("Certifying"):
            task = certified(task_id, compiled)
        say(f"\n{task.edge_summary}", soft_wrap=True)
        say(f"Written: {write_bundle(task, output, force=force)}", soft_wrap=True)


def _check_places(picture: Path | None, output: Path | None, force: bool) -> None:
    """Refuse what could not be written, before long work begins."""
    from .ground_truth import check_bundle_folder

    check_picture(picture)
    if output is not None:
        check_bundle_folder(output, force=force)


def _content(file: str) -> tuple[bytes, str]:
    """Return what a file holds, and how errors call it."""
    is_stream = file == _STANDARD_INPUT
    content = sys.stdin.buffer.read() if is_stream else Path(file).read_bytes()
    return content.removeprefix(BOM_UTF8), "standard input" if is_stream else file


def _check_options(is_text: bool, **given: Any) -> None:
    """Refuse a size that is missing, and what a program.json says itself."""
    for name in ("vocab", "length"):
        if is_text and given[name] is None:
            raise typer.BadParameter("is needed to compile RASP text", param_hint=f"--{name}")
    for name, value in given.items():
        if not is_text and value:
            raise typer.BadParameter("stands in program.json already", param_hint=f"--{name}")


def _read(content: bytes, where: str, answers: list[str]) -> "RaspSource | Program":
    """Return the program that a file holds."""
    from .compiler import from_json, read_rasp

    try:
        if content.lstrip().startswith(b"{"):
            return from_json(content)
        return read_rasp(content.decode(), answers)
    except UnicodeDecodeError as error:
        raise ProgramError(
            f"{where}: must be UTF-8, got byte {content[error.start]:#04x} at {error.start}"
        ) from None
    except ProgramError as error:
        raise ProgramError(f"{where}: {error}") from None


def _read_list(vocab: str) -> list[Any]:
    try:
        return read_tokens(vocab)
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint="--vocab") from None


def _tried(
    texts: list[str], program: "RaspSource | Program", tokens: list[Any], length: int
) -> list[list[Any]]:
    """Return the sequences to run, which must be inputs of the program."""
    from .compiler import Program
    from .compiler.values import as_argument

    if isinstance(program, Program):
        tokens, length = list(map(as_argument, program.vocabulary.values)), program.max_length
    try:
        sequences = [read_sequence(text, tokens) for text in texts]
        for text, sequence in zip(texts, sequences, strict=True):
            check_sequence(text, sequence, tokens, length)
    except InputError as error:
        raise typer.BadParameter(str(error), param_hint="--try") from None
    return sequences


def _facts(compiled: "CompiledModel", is_scrambled: bool) -> list[str]:
    """Return what was compiled, and how far it can be trusted."""
    from .ground_truth.task import sizes_text

    program, checked, margins = compiled.program, compiled.checked, compiled.margins
    tokens = " ".join(map(_shown, _vocabulary(compiled)))
    kind = "causal" if program.causal else "bidirectional"
    basis = "margins before scrambling" if is_scrambled else "margins"
    n_inputs = f"{'all' if checked.exhaustive else 'a sample of'} {checked.n_inputs:,} inputs"
    return [
        f"tokens: {tokens}; up to {program.max_length} of them; {kind}",
        sizes_text(compiled.model.weights),
        f"well defined: {'checked on ' + n_inputs if checked.n_inputs else 'on every input'}",
        f"{basis}: {margins.float64:.2g} in float64, {margins.float32:.2g} in float32; 1 is needed",
        f"weakest decision: {margins.weakest}",
    ]


def _answers(compiled: "CompiledModel", sequences: list[list[Any]]) -> list[list[str]]:
    """Return the lines that show the answers to some sequences, position by position."""
    program = compiled.program
    names = [program.nodes[place].name for place in program.outputs]
    shown = []
    for sequence, answers in zip(sequences, compiled.apply(sequences), strict=True):
        columns = zip(*answers, strict=True) if len(names) > 1 else [answers]
        rows = [list(map(_shown, row)) for row in (sequence, *columns)]
        widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
        heading = max(map(len, ("tokens", *names)))
        shown.append(
            [
                f"{name:{heading}}  " + " ".join(map(str.rjust, row, widths))
                for name, row in zip(("tokens", *names), rows, strict=True)
            ]
        )
    return shown


def _vocabulary(compiled: "CompiledModel") -> list[Any]:
    """Return the tokens as one writes them."""
    from .compiler.values import as_argument

    return [as_argument(token) for token in compiled.model.codec.tokens.values]


def _examples(compiled: "CompiledModel") -> list[list[Any]]:
    """Return two sequences: every token in turn, and a few tokens that repeat."""
    import numpy as np

    tokens = _vocabulary(compiled)
    length = min(compiled.model.codec.max_length, _LONGEST_EXAMPLE)
    drawn = np.random.default_rng(0).integers(min(len(tokens), 3), size=length)
    places = [[place % len(tokens) for place in range(length)], drawn.tolist()]
    return [[tokens[place] for place in row] for row in places]


def _shown(value: Any) -> str:
    """Return a value in few characters: in quotes a text with spaces, or like a number."""
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, str) and (value.split() != [value] or as_value(value) != value):
        return repr(value)
    return str(value)
