"""Faults of programs: texts that are no RASP, noise, and examples with characters exchanged.

The texts with known messages are those of the tests; others are made from the examples of the
language by leaving out, doubling and exchanging characters. Whatever is read must be refused by an
error that is the package's own, or compile to a model that gives the program's answers.
"""

import ast
import itertools
import random
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from trial import Attempt, Trial, refused, survived

from glassbench.compiler import compile_program, read_rasp
from glassbench.errors import GlassbenchError

ROOT = Path(__file__).parent.parent
MESSAGES = ROOT / "tests" / "compiler" / "rasp_text" / "test_errors.py"
EXAMPLES = ROOT / "examples"
KIND = "programs"
TOKENS, LENGTH = ("a", "(", ")"), 3
CHANGED = 150
ROUNDING = 1e-6

Compile = Callable[[str], Callable]


def compiled(text: str) -> Callable:
    """Compile a text at a small size."""
    return compile_program(text, TOKENS, LENGTH)


def trials(compile_text: Compile = compiled, seed: int = 0) -> Iterator[Trial]:
    """Yield all trials of programs.

    Args:
        compile_text: what must refuse a text, or make the model of it.
        seed: draws how texts are changed.
    """
    draw = random.Random(seed)
    known = [refused(text, lambda text=text: compile_text(text)) for text in known_texts()]
    yield Trial(KIND, "a text that is not RASP, of the tests' collection", tuple(known))
    noise = [draw.randbytes(draw.randrange(1, 200)).decode("latin-1") for _ in range(CHANGED)]
    yield Trial(
        KIND,
        "random characters",
        tuple(refused(repr(text)[:60], lambda text=text: compile_text(text)) for text in noise),
    )
    texts = [path.read_text(encoding="utf-8") for path in sorted(EXAMPLES.glob("**/*.rasp"))]
    changed = [_changed(draw.choice(texts), draw) for _ in range(CHANGED)]
    yield Trial(
        KIND,
        "an example with characters left out, doubled or exchanged: refused, or right",
        tuple(_refused_or_right(text, compile_text) for text in changed),
    )


def known_texts() -> list[str]:
    """Return the texts whose messages the tests hold, but for those that they put together."""
    for node in ast.parse(MESSAGES.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "MESSAGES":
            assert isinstance(node.value, ast.Dict)
            return [key.value for key in node.value.keys if isinstance(key, ast.Constant)]
    raise ValueError(f"{MESSAGES} must hold MESSAGES, and does not")


def _changed(text: str, draw: random.Random) -> str:
    place, width = draw.randrange(len(text)), draw.randrange(1, 4)
    part = text[place : place + width]
    new = draw.choice(("", part * 2, "".join(draw.sample(text, width))))
    return text[:place] + new + text[place + width :]


def _refused_or_right(text: str, compile_text: Compile) -> Attempt:
    """Return whether a text is refused, or gives its own answers on all inputs."""
    what = " ".join(text.split())[:60]
    try:
        model = compile_text(text)
    except GlassbenchError as error:
        return Attempt(what, True, str(error))
    except (Exception, SystemExit) as error:  # noqa: BLE001 - any other is a defect
        return Attempt(what, False, f"{type(error).__name__}: {error}")
    try:
        other = _otherwise(text, model)
    except GlassbenchError as error:
        other = f"compiled, and is no program: {error}"
    return survived(what, other, "compiled, and right on all inputs")


def _otherwise(text: str, model: Callable) -> str:
    """Return an input on which a model does not answer as its text means, empty if none is."""
    outputs = read_rasp(text).outputs
    for length in range(1, LENGTH + 1):
        for tokens in itertools.product(TOKENS, repeat=length):
            answers = [output(tokens) for output in outputs]
            expected = answers[0] if len(answers) == 1 else list(zip(*answers, strict=True))
            found = model(tokens)
            if not _same(expected, found):
                return f"{tokens} gives {found}, and means {expected}"
    return ""


def _same(expected: Sequence[object], found: Sequence[object]) -> bool:
    """Whether answers agree, numbers to within rounding."""
    if isinstance(expected, (list, tuple)) and isinstance(found, (list, tuple)):
        return len(expected) == len(found) and all(map(_same, expected, found))
    numbers = isinstance(expected, (int, float)) and isinstance(found, (int, float))
    return abs(expected - found) < ROUNDING if numbers else expected == found
