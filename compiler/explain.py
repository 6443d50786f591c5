"""Explain: the passes of the compiler over one program, told from what they gave.

Nothing is compiled again but `lower`, which is pure; what is said of places holds for
scrambled models too, since it comes from the source map.
"""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

import numpy as np

from . import program as ir
from .explanation import Explanation, Table, table_of
from .lower import lower
from .operation_text import operation_text
from .placed_blocks import PlacedBlock, placed_blocks
from .source_map import PlacedVariable
from .values import Value

if TYPE_CHECKING:
    from .compiled_model import CompiledModel

_FEW = 5


def explain(compiled: "CompiledModel") -> Explanation:
    """Return what each stage of the compiler made of a program."""
    source, level = compiled.source, compiled.level
    n_layers = compiled.model.weights.n_layers
    placed = placed_blocks(lower(compiled.program), compiled.source_map, n_layers)
    return Explanation(
        (
            _input(source, level),
            _program("Program", source),
            _check(compiled),
            *([_level(source, compiled.program)] if level else []),
            *([_program("Optimised program", compiled.program)] if level else []),
            _heads(placed),
            _neurons(placed),
            _layers(compiled, placed),
            _residual(compiled),
            _sizes(compiled, placed),
            _margins(compiled),
        )
    )


def values_text(values: Sequence[Value], *, few: int = _FEW) -> str:
    """Return the first few of some values.

    Example:
        >>> values_text([Fraction(1, 3), True, "a", (1, "b")])
        "1/3, True, 'a', (1, 'b')"
        >>> values_text(range(100))
        '0, 1, 2, 3, ... 99'
    """
    shown = [str(v) if isinstance(v, Fraction) else repr(v) for v in values]
    if len(shown) > few + 1:
        shown = [*shown[: few - 1], f"... {shown[-1]}"]
    return ", ".join(shown)


# -- the program ---------------------------------------------------------------------


def _input(program: ir.Program, level: int) -> Table:
    attention = "causal" if program.causal else "bidirectional"
    kept = "every expression is a variable" if level == 0 else "expressions are merged and folded"
    rows = [
        [
            "vocabulary",
            f"{len(program.vocabulary)} tokens: {values_text(program.vocabulary.values)}",
        ],
        ["longest sequence", str(program.max_length)],
        ["attention", attention],
        ["level", f"{level}: {kept}"],
        ["outputs", program.name],
    ]
    if program.beside:
        names = ", ".join(program.nodes[place].name for place in program.beside)
        rows.append(["beside them", names])
    return table_of("Input", ["What", "Value"], rows)


def _program(title: str, program: ir.Program) -> Table:
    rows = []
    for node in program.nodes:
        operation = operation_text(program, node)
        if node.is_selector:
            rows.append([node.name, operation, "selector", "", ""])
            continue
        values = values_text(node.domain.values) + (" or None" if node.optional else "")
        rows.append([node.name, operation, node.encoding.value, str(len(node.domain)), values])
    return table_of(title, ["Name", "Computes", "Encoding", "Values", "Which"], rows)


def _check(compiled: "CompiledModel") -> Table:
    checked = compiled.checked
    if not checked.n_inputs:
        note = "No aggregate can select different values, so that no run was needed."
    else:
        which = "all possible inputs" if checked.exhaustive else "a sample of the possible inputs"
        note = (
            f"Whether every categorical aggregate selects one value was checked on {which}: "
            f"{checked.n_inputs:,}."
        )
    return table_of("Check", [], [], note)


def _level(source: ir.Program, program: ir.Program) -> Table:
    """Return what became of each expression."""
    kept = {node.name: node for node in program.nodes}
    before, after = (
        Counter(type(node.operation).__name__ for node in one.nodes) for one in (source, program)
    )
    rows = []
    for node in source.nodes:
        old = operation_text(source, node)
        if node.name not in kept:
            rows.append([node.name, old, "removed"])
            continue
        new = operation_text(program, kept[node.name])
        if new != old:
            rows.append([node.name, old, new])
    counts = ", ".join(
        f"{kind} {before[kind]} -> {after[kind]}"
        for kind in before | after
        if before[kind] != after[kind]
    )
    note = f"{len(source.nodes)} nodes -> {len(program.nodes)}" + (
        f": {counts}." if counts else "."
    )
    return table_of("Level 1", ["Name", "Before", "After"], rows, note)


# -- blocks --------------------------------------------------------------------------


def _heads(placed: Sequence[PlacedBlock]) -> Table:
    rows = []
    for block in (one for one in placed if one.is_head):
        names = (block.outputs, *(block.reads[role] for role in ("q", "k", "v")))
        sizes = (str(block.inner), str(block.width))
        rows.append([block.component, *map(", ".join, names), *sizes])
    heading = ["Head", "Writes", "Query", "Key", "Value", "d_qk", "d_v"]
    return table_of("Heads", heading, rows, "" if rows else "There are none.")


def _neurons(placed: Sequence[PlacedBlock]) -> Table:
    rows = [
        [block.component, *block.outputs, ", ".join(block.reads["mlp"]), f"{block.inner:,}"]
        for block in placed
        if not block.is_head
    ]
    note = "" if rows else "There are none."
    return table_of("Neurons", ["MLP", "Writes", "Reads", "Neurons"], rows, note)


def _layers(compiled: "CompiledModel", placed: Sequence[PlacedBlock]) -> Table:
    rows = []
    for layer in range(compiled.model.weights.n_layers):
        own = [block for block in placed if block.layer == layer]
        heads, groups = (
            [_with_slack(b) for b in own if b.is_head is kind] for kind in (True, False)
        )
        rows.append([str(layer), ", ".join(heads), ", ".join(groups)])
    note = "In brackets: the layers it could be in as well, all others staying where they are."
    slack = any("[" in cell for row in rows for cell in row)
    return table_of("Layers", ["Layer", "Heads write", "MLP writes"], rows, note if slack else "")


def _with_slack(block: PlacedBlock) -> str:
    first, last = block.earliest // 2, block.latest // 2
    names = " + ".join(block.outputs)
    return names if first == last else f"{names} [{first}-{last}]"


# -- the model -----------------------------------------------------------------------


def _residual(compiled: "CompiledModel") -> Table:
    readers = _readers(compiled)
    variables = compiled.source_map.variables
    axes = all(map(_lies_on_axes, variables))
    rows = []
    for variable in variables:
        width = len(variable.directions)
        place = _range(variable.directions.argmax(axis=1)) if axes else str(width)
        who = ", ".join(readers.get(variable.name, []))
        values = values_text(variable.values, few=3)
        encoding = variable.encoding.value
        rows.append([place, variable.name, encoding, values, variable.writer, who])
    heading = ["Directions", "Variable", "Encoding", "Values", "Written by", "Read by"]
    note = "" if axes else "The residual stream is rotated: directions are given by their number."
    return table_of("Residual stream", heading, rows, note)


def _readers(compiled: "CompiledModel") -> dict[str, list[str]]:
    readers: dict[str, list[str]] = {}
    for reader, name in compiled.source_map.reads:
        readers.setdefault(name, []).append(reader)
    return readers


def _lies_on_axes(variable: PlacedVariable) -> bool:
    """Whether the directions of a variable are basis vectors."""
    ones = np.count_nonzero(variable.directions == 1.0, axis=1)
    return bool((np.count_nonzero(variable.directions, axis=1) == 1).all() and ones.all())


def _range(places: np.ndarray) -> str:
    return f"{places[0]}" if len(places) == 1 else f"{places[0]}-{places[-1]}"


def _sizes(compiled: "CompiledModel", placed: Sequence[PlacedBlock]) -> Table:
    weights = compiled.model.weights
    heads = sum(block.is_head for block in placed)
    neurons = sum(block.inner for block in placed if not block.is_head)
    nonzero = sum(int(np.count_nonzero(array)) for _, array in weights.arrays())
    rows = [
        ["layers", str(weights.n_layers), ""],
        [
            "heads in a layer",
            str(weights.n_heads),
            f"{heads} of {weights.n_layers * weights.n_heads} used",
        ],
        ["d_model", str(weights.d_model), ""],
        ["d_head", str(weights.d_head), ""],
        [
            "d_mlp",
            str(weights.d_mlp),
            f"{neurons} of {weights.n_layers * weights.d_mlp} neurons used",
        ],
        ["positions", str(weights.n_ctx), "BOS included"],
        ["token ids", str(weights.d_vocab), "BOS and padding included"],
        ["logits", str(weights.d_out), ""],
        ["parameters", f"{weights.n_parameters:,}", f"{nonzero:,} not zero"],
    ]
    return table_of("Sizes", ["What", "Number", "Of which"], rows)


def _margins(compiled: "CompiledModel") -> Table:
    margins = compiled.margins
    rows = []
    for precision in ("float64", "float32"):
        ratio = getattr(margins, precision)
        rows.append([precision, f"{ratio:.3g}", "exact" if ratio >= 1 else "not to be trusted"])
    note = (
        f"The weakest decision: {margins.weakest}. The bounds hold in the basis in which the model "
        "was compiled."
    )
    return table_of("Margins", ["Precision", "Slack / error", "Verdict"], rows, note)
