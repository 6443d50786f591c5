"""The three-way differential test, and what it is made of.

A compiled model is compared with an oracle in plain Python where there is one, with
the RASP interpreter (`rasp.evaluate`), with the interpreter of traced programs
(`interpret`), in float64 by the executor and in float32 by `forward`, a second
implementation that shares no code with it.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from glassbench.compiler import (
    CompiledModel,
    Model,
    Weights,
    compile_program,
    interpret,
    rasp,
    scramble,
)
from glassbench.compiler.values import as_argument


def all_sequences(vocabulary: Sequence[Any], max_length: int) -> list[list[Any]]:
    """Return every sequence of length 1 to `max_length`."""
    return [
        list(sequence)
        for length in range(1, max_length + 1)
        for sequence in itertools.product(vocabulary, repeat=length)
    ]


def is_same(got: Any, expected: Any) -> bool:
    """Whether two values are equal; `None` equals only itself, also inside a tuple."""
    if isinstance(got, tuple) and isinstance(expected, tuple):
        return len(got) == len(expected) and all(map(is_same, got, expected))
    return (got is None) == (expected is None) and got == expected


def compare(what: str, inputs: list, got: list, expected: list) -> None:
    """Fail with the first input on which two lists of sequences of values differ."""
    assert len(got) == len(expected) == len(inputs), what
    for sequence, values, others in zip(inputs, got, expected, strict=True):
        same = len(values) == len(others) == len(sequence) and all(map(is_same, values, others))
        assert same, f"{what} on {sequence}: got {values}, expected {others}"


def forward(weights: Weights, tokens: np.ndarray, dtype: type = np.float32) -> np.ndarray:
    """Return the logits of the architecture as documented, one layer after the other."""
    w = {name: array.astype(dtype) for name, array in weights.arrays()}
    x = w["W_E"][tokens] + w["W_pos"][: tokens.shape[1]]
    hidden = np.triu(np.ones((x.shape[1],) * 2, dtype=bool), 1) & weights.causal
    for layer in range(weights.n_layers):
        written = np.zeros_like(x)
        for head in range(weights.n_heads):
            at = (layer, head)
            queries = x @ w["W_Q"][at] + w["b_Q"][at]
            scores = np.einsum("bqe,bke->bqk", queries, x @ w["W_K"][at])
            scores = np.where(hidden, dtype(-1e30), scores)
            pattern = np.exp(scores - scores.max(axis=2, keepdims=True))
            pattern /= pattern.sum(axis=2, keepdims=True)
            written += pattern @ (x @ w["W_V"][at] @ w["W_O"][at])
        x = x + written
        neurons = np.maximum(x @ w["W_in"][layer] + w["b_in"][layer], 0)
        x = x + neurons @ w["W_out"][layer] + w["b_out"][layer]
    logits = x @ w["W_U"]
    assert logits.dtype == dtype
    return logits


def by_weights(compiled: CompiledModel, inputs: list, dtype: type) -> list[list[Any]]:
    """Return the decoded outputs of `forward`."""
    codec = compiled.model.codec
    logits = forward(compiled.model.weights, codec.encode(inputs), dtype)
    return codec.decode(logits, [len(sequence) for sequence in inputs])


def by_program(compiled: CompiledModel, inputs: list) -> list[list[Any]]:
    """Return what the interpreter says the traced program gives."""
    program = compiled.program
    found = interpret(program, compiled.model.codec.encode(inputs)).values
    answers = []
    for place in program.outputs:
        values = (*map(as_argument, program.nodes[place].domain.values), None)
        answers.append([[values[index] for index in row] for row in found[place]])
    return [
        together([answer[row][: len(sequence)] for answer in answers])
        for row, sequence in enumerate(inputs)
    ]


def together(answers: Sequence[list[Any]]) -> list[Any]:
    """Return the answer of a program with these outputs: tuples if there are several."""
    return answers[0] if len(answers) == 1 else list(zip(*answers, strict=True))


def evaluated(
    expressions: rasp.SOp | Sequence[rasp.SOp], inputs: list, causal: bool
) -> list[list[Any]]:
    """Return what the RASP interpreter says on every input."""
    outputs = [expressions] if isinstance(expressions, rasp.SOp) else list(expressions)
    answers = (rasp.evaluate_every(outputs, sequence, causal) for sequence in inputs)
    return [together([found[output] for output in outputs]) for found in answers]


def check_exact(
    compiled: CompiledModel,
    expressions: rasp.SOp | Sequence[rasp.SOp],
    inputs: list,
    oracle: Callable[[list], list] | None = None,
) -> None:
    """Compare all that says what a program gives with the weights that compute it."""
    expected = evaluated(expressions, inputs, compiled.model.weights.causal)
    if oracle is not None:
        compare("evaluate", inputs, expected, [oracle(list(sequence)) for sequence in inputs])
    compare("interpret", inputs, by_program(compiled, inputs), expected)
    compare("the executor", inputs, compiled.apply(inputs), expected)
    compare("float32", inputs, by_weights(compiled, inputs, np.float32), expected)


def check_transformer_lens(compiled: CompiledModel, inputs: list, expected: list) -> None:
    """Compare with what TransformerLens computes in float32."""
    import torch

    codec = compiled.model.codec
    with torch.no_grad():
        logits = compiled.to_transformer_lens()(torch.as_tensor(codec.encode(inputs))).numpy()
    decoded = codec.decode(logits, [len(sequence) for sequence in inputs])
    compare("TransformerLens", inputs, decoded, expected)


def check_haiku(compiled: CompiledModel, inputs: list, expected: list) -> None:
    """Compare with what Haiku computes in float32; XLA takes a second for every new shape."""
    codec = compiled.model.codec
    apply, params = compiled.to_haiku()
    logits = np.asarray(apply(params, codec.encode(inputs)).logits)
    decoded = codec.decode(logits, [len(sequence) for sequence in inputs])
    compare("Haiku", inputs, decoded, expected)


# Sizes into which most small programs fit, so that one XLA computation serves all of them.
ROOF = Weights(
    W_E=np.zeros((8, 96)),
    W_pos=np.zeros((5, 96)),
    W_Q=np.zeros((5, 3, 96, 32)),
    b_Q=np.zeros((5, 3, 32)),
    W_K=np.zeros((5, 3, 96, 32)),
    W_V=np.zeros((5, 3, 96, 32)),
    W_O=np.zeros((5, 3, 32, 96)),
    W_in=np.zeros((5, 96, 96)),
    b_in=np.zeros((5, 96)),
    W_out=np.zeros((5, 96, 96)),
    b_out=np.zeros((5, 96)),
    W_U=np.zeros((96, 64)),
    causal=False,
)
ROWS = 128


@cache
def roofed_apply(causal: bool) -> Any:
    """Return the Haiku function of all models of the size of `ROOF`."""
    codec = compile_program(rasp.tokens, "a", 1).model.codec
    return Model(replace(ROOF, causal=causal), codec).to_haiku().apply


def check_haiku_in_one_size(compiled: CompiledModel, inputs: list, expected: list) -> bool:
    """Compare with what Haiku computes once the weights are padded with zeros; if they fit."""
    model, roof = compiled.model, dict(ROOF.arrays())
    padded = {}
    for name, array in model.weights.arrays():
        missing = [
            (0, most - size) for size, most in zip(array.shape, roof[name].shape, strict=True)
        ]
        if any(more < 0 for _, more in missing):
            return False
        padded[name] = np.pad(array, missing)
    codec, causal = model.codec, model.weights.causal
    params = Model(model.weights.with_arrays(padded), codec).to_haiku().params
    ids = codec.encode(inputs)
    ids = np.pad(ids, ((0, -len(ids) % ROWS), (0, len(ROOF.W_pos) - ids.shape[1])), mode="edge")
    ids[:, codec.max_length + 1 :] = codec.pad
    parts = [roofed_apply(causal)(params, part).logits for part in np.split(ids, len(ids) // ROWS)]
    logits = np.concatenate(parts)[: len(inputs), : codec.max_length + 1]
    logits = logits[..., : model.weights.d_out]
    decoded = codec.decode(logits, [len(sequence) for sequence in inputs])
    compare("Haiku", inputs, decoded, expected)
    return True


def check_every_form(
    expressions: rasp.SOp | Sequence[rasp.SOp],
    oracle: Callable[[list], list],
    *,
    vocab: Sequence[Any],
    max_length: int,
    causal: bool = False,
) -> CompiledModel:
    """Check a program on all inputs at both levels, on some scrambled and in TransformerLens."""
    sizes: dict[str, Any] = {"vocab": vocab, "max_length": max_length, "causal": causal}
    inputs = all_sequences(vocab, max_length)
    compiled = compile_program(expressions, **sizes)
    check_exact(compiled, expressions, inputs, oracle)
    check_exact(compile_program(expressions, **sizes, level=1), expressions, inputs, oracle)
    some = [*inputs[::7], inputs[-1]]
    answers = [oracle(sequence) for sequence in some]
    compare("scrambled", some, scramble(compiled, 0).apply(some), answers)
    check_transformer_lens(compiled, some, answers)
    return compiled


@pytest.fixture(scope="session")
def differential() -> SimpleNamespace:
    """The functions above."""
    return SimpleNamespace(
        all_sequences=all_sequences,
        check_every_form=check_every_form,
        check_exact=check_exact,
        check_haiku=check_haiku,
        check_haiku_in_one_size=check_haiku_in_one_size,
        check_transformer_lens=check_transformer_lens,
        compare=compare,
        evaluated=evaluated,
        forward=forward,
        is_same=is_same,
    )
