"""What must be cited for results: who made what was run.

Tables say which works stand behind each built-in method, adapter and track; those of a program
are found by their titles in its citation. The works themselves are in `references.bib`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from ..benchmark_programs import ProgramSpec, is_toy, programs
from .reference import Reference, references
from .result import Result

Style = Literal["bibtex", "text"]

_OWN = "glassbench"
_SAE = ("bricken2023", "cunningham2023")

OF_METHODS: dict[str, tuple[str, ...]] = {
    "interchange": ("wang2023", "goldowskydill2023", "geiger2021"),
    "interchange-exact": ("geiger2021",),
    "attribution-patching": ("nanda2023", "syed2023"),
    "eap": ("syed2023",),
    "eap-ig": ("hanna2024",),
    "eap-ig-activations": ("mueller2025", "marks2024"),
    "acdc": ("conmy2023",),
    "edge-pruning": ("bhaskar2024", "cao2021", "louizos2018"),
    "subnetwork-probing": ("cao2021", "conmy2023", "louizos2018"),
    "path-norm": ("neyshabur2015",),
    "weight-norm": ("elhage2021",),
    "occlusion": ("zeiler2014", "li2016"),
    "gradient-x-input": ("simonyan2013", "shrikumar2016"),
    "integrated-gradients": ("sundararajan2017",),
    "sampled-shapley": ("castro2009", "strumbelj2010"),
    "attention-rollout": ("abnar2020",),
    "pca": ("pearson1901", "pedregosa2011"),
    "ica": ("hyvarinen2000", "pedregosa2011"),
    "nmf": ("lee1999", "pedregosa2011"),
    "dictionary-learning": ("mairal2009", "pedregosa2011"),
    "kmeans": ("lloyd1982", "arthur2007", "pedregosa2011"),
    "sae-l1": _SAE,
    "sae-topk": ("gao2024",),
    "sae-batch-topk": ("bussmann2024",),
    "random-directions": (),
    "neuron-basis": (),
    "das": ("geiger2024",),
    "das-probe": ("geiger2024", "alain2016"),
    "linear-probe": ("alain2016",),
    "difference-pca": ("zou2023", "mueller2025"),
    "synthesis": ("udupa2013", "albarghouthi2013"),
    "token-position-table": (),
}
"""The works behind each built-in method; none where it is a floor of ours."""

OF_ADAPTERS: dict[str, tuple[str, ...]] = {
    "transformer-lens-eap": ("nanda2022", "syed2023"),
    "transformer-lens-attribution-patching": ("nanda2022", "nanda2023"),
    "transformer-lens-activation-patching": ("nanda2022", "wang2023"),
    "transformer-lens-path-patching": ("nanda2022", "wang2023", "goldowskydill2023"),
    "nnsight-activation-patching": ("fiottokaufman2025", "wang2023"),
    "nnsight-attribution-patching": ("fiottokaufman2025", "nanda2023"),
    "captum-layer-conductance": ("kokhlikyan2020", "dhamdhere2019"),
    "captum-integrated-gradients": ("kokhlikyan2020", "sundararajan2017"),
    "captum-input-x-gradient": ("kokhlikyan2020", "shrikumar2016"),
    "captum-feature-ablation": ("kokhlikyan2020", "zeiler2014"),
    "captum-shapley-value-sampling": ("kokhlikyan2020", "castro2009", "strumbelj2010"),
    "pyvene-das": ("wu2024", "geiger2024"),
    "auto-circuit-eap": ("miller2024", "syed2023"),
    "auto-circuit-acdc": ("miller2024", "conmy2023"),
    "auto-circuit-edge-patching": ("miller2024", "wang2023"),
    "auto-circuit-subnetwork-probing": ("miller2024", "cao2021"),
    "sae-lens-standard": ("bloom2024", *_SAE),
    "sae-lens-topk": ("bloom2024", "gao2024"),
}
"""The package that each adapter calls, and the works behind what is asked of it."""

OF_TRACKS: dict[str, tuple[str, ...]] = {
    "circuit": ("geiger2021", "mcsherry2008"),
    "attribution": ("shapley1953", "lundberg2017", "mcsherry2008"),
    "features": ("kuhn1955", "mann1947"),
    "variables": ("geiger2021", "geiger2024", "mueller2025"),
    "program": ("geiger2021", "geiger2024"),
}
"""The works behind the labels and metrics of each track."""

OF_TOYS = ("elhage2022",)
OF_SUPERPOSITION = ("lindner2023",)


@dataclass(frozen=True)
class Citation:
    """A work, and what of it was run.

    Attributes:
        reference: the work.
        cited_for: names of methods, tracks and programs that it stands behind, in order; empty
            for Glassbench itself.
    """

    reference: Reference
    cited_for: tuple[str, ...] = ()


def citations(results: Iterable[Result]) -> tuple[Citation, ...]:
    """Return what must be cited for results: Glassbench first, the others by key.

    Args:
        results: with an answer or without.
    """
    results = tuple(results)
    reasons: dict[str, set[str]] = defaultdict(set)
    for key, reason in _reasons(results):
        reasons[key].add(reason)
    known = references()
    others = (Citation(known[key], tuple(sorted(reasons[key]))) for key in sorted(reasons))
    return (Citation(_glassbench(results)), *others)


def without_reference(results: Iterable[Result]) -> tuple[str, ...]:
    """Return the tools of which no reference is known, by name: those of users."""
    known = {*OF_METHODS, *OF_ADAPTERS}
    return tuple(sorted({result.tool for result in results} - known))


def works_named(citation: str) -> tuple[str, ...]:
    """Return the keys of the works whose titles stand in the citation of a program.

    Example:
        >>> works_named("Thinking Like Transformers. ICML 2021")
        ('weiss2021',)
    """
    return tuple(key for key, work in references().items() if work.title in citation)


def cite(results: Result | Iterable[Result], style: Style = "bibtex") -> str:
    """Return the references of exactly what was run.

    They are those of Glassbench, of the programs that come from a paper, of the built-in methods,
    of other people's tools, and of what each track measures by. Above each stands what it is cited
    for. Tools that are not of Glassbench are named at the end: their authors know what to cite.

    Args:
        results: one, or those of a folder, as `glassbench.leaderboard.read_results` reads them.
        style: `bibtex`, or `text` for one line each.

    Raises:
        ValueError: there is no such style.
    """
    if style not in ("bibtex", "text"):
        raise ValueError(f"style must be 'bibtex' or 'text', got {style!r}")
    results = (results,) if isinstance(results, Result) else tuple(results)
    is_bibtex = style == "bibtex"
    parts = []
    for one in citations(results):
        reasons = ", ".join(one.cited_for)
        if is_bibtex:
            parts.append((f"% for {reasons}\n" if reasons else "") + one.reference.bibtex)
        else:
            parts.append(one.reference.text + (f" [{reasons}]" if reasons else ""))
    if unknown := without_reference(results):
        mark = "% " if is_bibtex else ""
        parts.append(f"{mark}No reference is known of: {', '.join(unknown)}")
    return ("\n\n" if is_bibtex else "\n").join(parts) + "\n"


def _reasons(results: Iterable[Result]) -> Iterator[tuple[str, str]]:
    """Yield the key of each work with what it is cited for, some of them again."""
    for name, version in {(result.tool, result.tool_version) for result in results}:
        for key in OF_METHODS.get(name, ()):
            yield key, name
        for key in OF_ADAPTERS.get(name, ()):
            yield key, f"{name} {version}" if version else name
    for track in {result.track for result in results}:
        for key in OF_TRACKS[track]:
            yield key, f"the {track} track"
    library = programs()
    for task in {result.task for result in results}:
        yield from _of_task(task, library)


def _of_task(task: str, library: Mapping[str, ProgramSpec]) -> Iterator[tuple[str, str]]:
    """Yield the works behind a task: a toy, a program of the library, its superposition."""
    name = re.split(r"[\[/@]|-v\d", task)[0]
    if is_toy(task):
        yield from ((key, name) for key in OF_TOYS)
    elif "@" not in task and name in library:
        yield from ((key, name) for key in works_named(library[name].citation))
    if "/superposed" in task:
        yield from ((key, "superposed tasks") for key in OF_SUPERPOSITION)


def _glassbench(results: Iterable[Result]) -> Reference:
    """Return the reference of Glassbench, with the versions that made the results."""
    own = references()[_OWN]
    versions = sorted({result.environment.packages.get(_OWN, "") for result in results} - {""})
    more = {"version": ", ".join(versions)} if versions else {}
    return replace(own, fields={**own.fields, **more})
