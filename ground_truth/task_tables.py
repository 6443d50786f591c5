"""A task in tables of plain text: its program, its circuit, its certificates.

Each function returns a heading and rows, for any format to lay out.
"""

from collections import Counter

from ..compiler import program as ir
from ..compiler.operation_text import operation_text
from ..compiler.source_map import PlacedVariable
from .circuit_labels import (
    Certificate,
    CircuitLabels,
    Constant,
    Counted,
    EdgeState,
    Exhausted,
    Searched,
    Structural,
    Unreachable,
    Witness,
)
from .task import Task

Table = tuple[list[str], list[list[str]]]


def program_table(task: Task) -> Table:
    """Return a row per program node: what it computes, how it is written, and where.

    `Part` is `output` for what is read out, `circuit` for what the output depends
    on, and `beside` for programs that only share the model.
    """
    program = task.compiled.program
    needed = ir.ancestors(program, *program.outputs)
    places = _places(task)
    rows = []
    for place, node in enumerate(program.nodes):
        part = "circuit" if place in needed else "beside"
        rows.append(
            [
                node.name,
                operation_text(program, node),
                "selector" if node.is_selector else node.encoding.value,
                "" if node.is_selector else str(len(node.domain)),
                places.get(place, ""),
                "output" if place in program.outputs else part,
            ]
        )
    return ["Name", "Operation", "Encoding", "Values", "Held by", "Part"], rows


def _places(task: Task) -> dict[int, str]:
    """Return for each node the component that holds it; for selectors, the heads that use it."""
    source_map, program = task.compiled.source_map, task.compiled.program
    held = {v.node: _place(v) for v in source_map.variables if v.node >= 0}
    heads: dict[int, list[str]] = {}
    for place, node in enumerate(program.nodes):
        match node.operation:
            case ir.Aggregate(selector=selector) | ir.ReciprocalWidth(selector=selector):
                heads.setdefault(selector, []).append(held[place])
    return held | {selector: ", ".join(names) for selector, names in heads.items()}


def _place(variable: PlacedVariable) -> str:
    """Return the component, and the neurons where it is an MLP."""
    if not variable.neurons:
        return variable.writer
    neurons = sorted(variable.neurons)
    starts = [n for n in neurons if n - 1 not in variable.neurons]
    ends = [n for n in neurons if n + 1 not in variable.neurons]
    ranges = [str(a) if a == b else f"{a}-{b}" for a, b in zip(starts, ends, strict=True)]
    return f"{variable.writer} neuron{'s' if len(neurons) > 1 else ''} {', '.join(ranges)}"


def circuit_table(task: Task, *, inert: bool = True) -> Table:
    """Return a row per wired edge, the strongest state first.

    Args:
        task: a task with its labels.
        inert: whether inert edges have rows too.
    """
    shown = [EdgeState.CAUSAL, EdgeState.POSITIONAL, *([EdgeState.INERT] if inert else [])]
    rows = [
        [label.edge, state.value, ", ".join(label.variables), certificate_text(label.certificate)]
        for state in shown
        for label in task.labels.edges
        if label.state is state
    ]
    return ["Edge", "State", "Carries", "Certificate"], rows


def certificate_text(certificate: Certificate) -> str:
    """Return a certificate in a few words.

    Example:
        >>> certificate_text(Exhausted(n_bases=84, n_contributions=3))
        'exhausted: 84 bases, 3 contributions'
    """
    match certificate:
        case Witness(changed=changed, tried=tried):
            return f"witness: {changed} of {tried} pairs change"
        case Structural(bound=bound):
            return f"structural: product {_within(bound)}"
        case Unreachable(bound=bound):
            return f"unreachable: at the logits {_within(bound)}"
        case Constant(n_sources=sources, exhaustive=exhaustive):
            return f"constant: on {'all' if exhaustive else 'a sample of'} {sources:,} inputs"
        case Exhausted(n_bases=bases, n_contributions=contributions):
            return f"exhausted: {bases:,} bases, {contributions:,} contributions"
        case Searched(n_pairs=pairs):
            return f"searched: {pairs:,} pairs"
        case Counted(changed=changed, tried=tried, bound=bound):
            return f"counted: {changed} of {tried:,} pairs change, below {bound:.2%} of all"


def _within(bound: float) -> str:
    """Return a bound in words."""
    return f"at most {bound:.0e}" if bound else "zero"


def certificate_counts(labels: CircuitLabels) -> Table:
    """Return how many edges of each state have which kind of certificate."""
    counted = Counter((label.state, label.certificate.kind) for label in labels.edges)
    strength = list(EdgeState)
    rows = [
        [state.value, kind, str(count)]
        for (state, kind), count in sorted(
            counted.items(), key=lambda item: (strength.index(item[0][0]), item[0][1])
        )
    ]
    return ["State", "Certificate", "Edges"], rows


def suite_table(tasks: tuple[Task, ...]) -> Table:
    """Return a row per task: sizes, and how many edges are in each state."""
    rows = []
    for task in tasks:
        weights = task.compiled.model.weights
        sizes = (weights.n_layers, weights.n_heads, weights.d_model, weights.n_parameters)
        counts = task.labels.counts.values()
        rows.append([str(task.id), *(f"{number:,}" for number in (*sizes, *counts))])
    states = [state.value.capitalize() for state in EdgeState]
    return ["Task", "Layers", "Heads", "d_model", "Parameters", *states], rows
