"""Datasheets: what a task is, and how its labels were made, as Markdown.

The one tells nothing of the labels and lies at the top of a bundle; the other lies with
the labels. Their questions are those of Gebru et al., "Datasheets for datasets", 2018,
arXiv:1803.09010, as far as they make sense for data that no person gave.
"""

from collections import Counter
from collections.abc import Sequence

from ..benchmark_programs.task_id import CROWDED, SCRAMBLED, SUPERPOSED, TRAINED
from .bundle_layout import CONFIG, INPUTS, WEIGHTS
from .circuit_labels import EdgeState, Sufficiency
from .compression_record import CompressionRecord
from .model_config import ModelConfig
from .relevance import Relevance
from .task import Task
from .task_data import TaskData
from .training_record import TrainingRecord
from .variables import VariableLabels

_FILES = {
    CONFIG: "sizes, formulae, vocabulary, and what the logits mean",
    WEIGHTS: "the weights, float64",
    INPUTS: "inputs with their answers, and pairs to interchange",
}
_REGIMES = {
    CROWDED: "distractor programs share the model and its layers; none of them is read out",
    SCRAMBLED: "the residual stream, the bases of heads, neurons and heads are drawn at random",
    SUPERPOSED: "one trained matrix stands between the residual stream and all that reads it and "
    "writes to it, so that features share dimensions",
    TRAINED: "an ordinary transformer, with random weights at first, was trained until "
    "interchanges in it do what interchanges of variables do in the program",
}
_EXACT = "It agrees with the program on every input."
_NEAR = "It comes near the program, and gives its answers on every input that labels were made on."
_CERTIFIED = (
    "Every label was predicted from the program and measured on the weights; where the two differ, "
    "no bundle is built."
)
_ORDINARY = (
    "A transformer that was trained to run a program, inside as well as outside, so that what "
    "happens there is known as far as it was measured."
)
_UNFINISHED = (
    "A transformer that was trained to run a program, and does not run it inside: it is no task, "
    "and what happens inside is not known. The labels hold why."
)
_COMPILED = "A transformer that was compiled from a program, so that what happens inside is known."
_COUNTED = (
    "States of edges were counted on pairs of inputs that no model was trained on: an edge has no "
    "effect where it changes an answer on at most a stated share of all pairs, by an exact bound. "
    "Where an edge is in another state than in the program, there is no task. Token relevance is "
    "that of the program."
)
_MEASURED = (
    "States of edges, subspaces and positions, and what variables do, were measured on the "
    "compressed weights. Where an edge is in another state than in the model that was compressed, "
    "no bundle is built. Values, activations and token relevance are those of the program."
)


def task_sheet(task: Task, config: ModelConfig, data: TaskData) -> str:
    """Return what may be known of a task by whoever is asked for its labels."""
    regimes = [f"- `{name}`: {_REGIMES[name]}." for name, _ in task.id.regimes]
    domain = task.domain
    whole = "all of them" if domain.exhaustive else "a sample, even over lengths and answers"
    return "\n".join(
        [
            f"# {task.id}",
            "",
            task.id.spec.description,
            "",
            _what_it_is(task),
            "",
            "## The model",
            "",
            *_table(["", ""], _model_rows(config)),
            "",
            "What was done to it:" if regimes else "It is as it was compiled.",
            *([""] if regimes else []),
            *regimes,
            "",
            *_compression(task),
            *_training(task),
            "## The data",
            "",
            f"Inputs are sequences of 1 to {config.max_length} of {len(config.vocabulary)} tokens. "
            f"`{INPUTS}` holds {len(data.tokens)} of them and {len(data.base)} pairs; labels were "
            f"made on {len(domain.tokens):,} inputs, {whole}. Nobody's data are in here: inputs "
            "are enumerated, or drawn from a seed.",
            "",
            "## Files",
            "",
            *_table(["file", "what it holds"], [[f"`{k}`", v] for k, v in _FILES.items()]),
            "",
            "`manifest.json` has the sha256 of each. The labels and the program, if they are here, "
            "are in `labels/` and `program.*`; a tool must not see them.",
            "",
            "## Use",
            "",
            "```python",
            "import json",
            "from safetensors.numpy import load_file",
            "",
            f'config = json.load(open("{CONFIG}"))  # config["architecture"] are the formulae',
            f'weights = load_file("{WEIGHTS}")',
            f'data = load_file("{INPUTS}")  # tokens, lengths, answers, base, source',
            "```",
            "",
            f"Source: {task.id.spec.citation or 'Glassbench'}. Licence: {licence_of(task)}.",
            "",
        ]
    )


def _compression(task: Task) -> list[str]:
    """Return how a superposed model compares with the one that was compressed, in a paragraph."""
    if task.gate is None:
        return []
    quality, original = task.gate.quality, task.gate.original.model.weights
    return [
        f"Its residual stream was compressed from {original.d_model} dimensions to "
        f"{task.compiled.model.weights.d_model}. On {quality.n_inputs:,} inputs "
        f"{quality.accuracy:.2%} of its answers are those of the model before; what a head or an "
        f"MLP writes has a cosine of at least {quality.cosine:.4f} with what it wrote there, and a "
        f"relative error of at most {quality.error:.4f}.",
        "",
    ]


def _what_it_is(task: Task) -> str:
    """Return how a model came about, and how far it does what its program does, in a line."""
    if task.training is not None:
        return _ORDINARY if task.training.passed else _UNFINISHED
    return f"{_COMPILED} {_EXACT if task.gate is None else _NEAR}"


def _training(task: Task) -> list[str]:
    """Return what was measured of a trained model, in a paragraph."""
    if task.training is None:
        return []
    answers, interchanged = task.training.answers, task.training.interchanged
    return [
        f"On {1 - answers.share:.2%} of {answers.tried:,} inputs that it was not trained on all "
        f"answers are those of the program; on {1 - interchanged.share:.2%} of "
        f"{interchanged.tried:,} pairs of them they are when parts of it are interchanged.",
        "",
    ]


def label_sheet(
    task: Task,
    relevance: Relevance,
    variables: VariableLabels | None = None,
    compression: CompressionRecord | None = None,
    training: TrainingRecord | None = None,
) -> str:
    """Return what the labels of a task are, how they were made, and the circuit."""
    labels = task.labels
    counts = Counter((label.state, label.certificate.kind) for label in labels.edges)
    rows = [
        [f"`{state}`", f"`{kind}`", f"{count:,}"]
        for (state, kind), count in sorted(counts.items(), key=lambda item: _order(*item[0]))
    ]
    causal = [label for label in labels.edges if label.state is EdgeState.CAUSAL]
    shapley = relevance.omitted or "with exact Shapley values"
    return "\n".join(
        [
            f"# Labels of {task.id}",
            "",
            *_shortcomings(task),
            _COUNTED if training else _MEASURED if compression else _CERTIFIED,
            "",
            "## Edges",
            "",
            *_table(["state", "certificate", "edges"], rows),
            "",
            f"All other edges interchanged at once, the causal ones suffice on "
            f"{_suffices(labels.sufficiency)} bases.",
            "",
            "```mermaid",
            "flowchart LR",
            *_mermaid([label.edge for label in causal]),
            "```",
            "",
            *_interchanges(training),
            *_variables(variables),
            *_nearness(variables, compression),
            "## Token relevance",
            "",
            f"{len(relevance.lengths)} inputs, {shapley}. {relevance.n_rankable:,} answers depend "
            f"on some tokens and not on others; {relevance.n_excluded:,} on all or on none, and "
            "are left out of rankings.",
            "",
        ]
    )


def _shortcomings(task: Task) -> list[str]:
    """Return why a trained model is no task, as a list; nothing if it is."""
    if task.training is None or task.training.passed:
        return []
    reasons = [f"- {reason}" for reason in task.training.shortcomings]
    said = "This is no task: what is inside the model is not what the program says."
    return [said, "", *reasons, ""]


def _suffices(sufficiency: Sufficiency) -> str:
    """Return on how many bases causal edges suffice, and of how many where not of all."""
    n_bases, n_changed = sufficiency.n_bases, sufficiency.n_changed
    return f"{n_bases - n_changed:,} of {n_bases:,}" if n_changed else f"{n_bases:,}"


def _interchanges(training: TrainingRecord | None) -> list[str]:
    """Return what stands for what in a trained model, and how its interchanges came out."""
    if training is None:
        return []
    aligned = [[f"`{one.compiled}`", f"`{one.trained}`"] for one in training.components]
    strict = training.strict.count
    rows = [
        [f"`{one.name}`", f"{one.counted.wrong}", f"{one.counted.tried:,}"] for one in training.sets
    ]
    return [
        "## Alignment",
        "",
        *_table(["in the program", "in the model"], aligned),
        "",
        "## Interchanges",
        "",
        *_table(["of", "pairs with a wrong answer", "pairs"], rows),
        "",
        f"With other edges interchanged as well, an answer is wrong on {strict.found:,} of "
        f"{strict.tried:,} pairs.",
        "",
    ]


def _variables(variables: VariableLabels | None) -> list[str]:
    """Return which variables there are."""
    if variables is None:
        return []
    relevant = [variable for variable in variables.variables if variable.relevant]
    return [
        "## Variables",
        "",
        f"{len(variables.variables)}, of which outputs depend on {len(relevant)}: "
        f"{', '.join(f'`{variable.name}`' for variable in relevant)}.",
        "",
    ]


def _nearness(variables: VariableLabels | None, compression: CompressionRecord | None) -> list[str]:
    """Return how near a superposed model comes to its program, by variable and by component."""
    if compression is None or variables is None:
        return []
    tried = [each for one in variables.variables for each in (one.whole, one.partial)]
    tried += [one.partial for one in variables.joint]
    agreeing = sum(one.whole + one.partial for one in (*compression.variables, *compression.joint))
    rows = [
        [f"`{one.name}`", f"{one.cosine:.4f}", f"{one.error:.4f}"] for one in compression.components
    ]
    return [
        f"Interchanged, they change answers as the program does on {agreeing:,} of "
        f"{sum(one.tried for one in tried):,} pairs.",
        "",
        "## Compression",
        "",
        *_table(["component", "cosine", "relative error"], rows),
        "",
    ]


def licence_of(task: Task) -> str:
    """Return the licence of a task, as SPDX has it."""
    return str(getattr(task.id.spec, "licence", "Apache-2.0"))


def _model_rows(config: ModelConfig) -> list[list[str]]:
    kind = "causal" if config.causal else "bidirectional"
    return [
        ["layers", f"{config.n_layers}"],
        ["heads in each", f"{config.n_heads} of width {config.d_head}, {kind}"],
        ["residual stream", f"{config.d_model}"],
        ["neurons in each", f"{config.d_mlp}"],
        ["layer norm", "before whatever reads the stream" if config.layer_norm else "none"],
    ]


def _mermaid(edges: Sequence[str]) -> list[str]:
    """Return edges as Mermaid has them, nodes named by their components."""
    lines = []
    for edge in edges:
        writer, reader = edge.split("->")
        component, _, role = reader.rstrip(">").partition("<")
        label = f'|"{role}"|' if role else ""
        lines.append(f"  {_box(writer)} -->{label} {_box(component)}")
    return lines


def _box(component: str) -> str:
    return f'{component.replace(".", "_")}["{component}"]'


def _order(state: EdgeState, kind: str) -> tuple[int, str]:
    return list(EdgeState).index(state), kind


def _table(heading: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a table in Markdown."""
    lines = [heading, [":--"] * len(heading), *rows]
    return [f"| {' | '.join(line)} |" for line in lines]
