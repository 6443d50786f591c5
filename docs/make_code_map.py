"""Writes the map of the code: every module under what it is for, in the words of its own docstring.

python docs/make_code_map.py

Groups are named here; what a module says of itself is read from it.
"""

import ast
from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "code_map.md"

Groups = Mapping[str, Sequence[str]]
"""Titles, each with the patterns of its modules; a module is in the first group that names it."""

FOLDERS: Mapping[str, Groups] = {
    ".": {
        "The face": ["__init__", "__main__"],
        "The command line": ["*_command", "*_commands", "cli", "asked_tasks", "token_lists"],
        "What all folders stand on": ["errors", "strict_record", "whole_file", "plurals"],
        "How a command speaks": ["console", "interruption"],
    },
    "compiler": {
        "The whole": ["compiled_model", "explain", "explanation", "text_table"],
        "RASP, as text": ["rasp_text/*"],
        "RASP, as expressions": ["rasp", "rasp_*", "values", "vocabulary", "operation_text"],
        "From expressions to a program of tables": [
            "trace", "traced_program", "tabulate", "domains", "effort", "check", "spans",
            "sum_check", "linear_forms", "rational_*", "known_functions", "quotients",
            "selector_*", "graph_builder", "input_space",
        ],
        "Programs as data": ["program", "program_*", "interpreter", "untrace"],
        "From a program to weights": [
            "optimise", "fold", "lower", "*_blocks", "blocks", "ridge", "residual_coding",
            "schedule", "assemble", "scramble", "margins", "lanes",
        ],
        "Models": ["weights", "model", "source_map", "executor", "component_graph", "derivatives"],
        "Models of frameworks": ["hosts/*"],
        "Compression to fewer dimensions": [
            "compress", "compression_*", "adam_recipe", "gauss_newton*", "interchanged_edges",
        ],
        "Training of ordinary transformers": [
            "ordinary_transformer", "interchange_training", "interchanged_forward", "least_one",
        ],
        "Pictures, threads": ["model_picture", "picture_file", "one_thread"],
    },
    "benchmark_programs": {
        "Names": ["task_id", "toy_id", "suggestion", "registry"],
        "Programs": [
            "program_spec", "families/*", "idioms", "vocabularies", "citations", "pairs",
            "distractors", "constructs", "traits", "behaviour", "conformance",
        ],
        "Fresh programs": ["fresh", "random_*"],
        "Suites, and what tasks of them were measured to be": [
            "suites", "suite_names", "*_measures", "measures_table", "toy_suites",
            "superposed_widths", "trained_tasks",
        ],
    },
    "ground_truth": {
        "Tasks": [
            "task", "task_building", "loading", "own_task", "own_task_id", "regimes", "measure",
            "liveness", "task_conformance", "task_tables", "circuit_picture", "circuit_layout",
            "digest",
        ],
        "Fresh tasks and hold-outs": ["task_sampling", "candidate_trial", "holdout"],
        "Certified edges": [
            "certify", "circuit_labels", "prediction", "wiring", "contributions", "seen", "swap",
            "interchange_*", "sufficiency", "domain_runs", "verify", "universes",
            "bounded_interpretation", "token_ids", "row_space",
        ],
        "Finer labels": [
            "subspace_*", "position_labels", "variables", "variable_window", "high_level_model",
            "features", "feature_*", "stream_deviation", "relevance", "shapley_counting",
        ],
        "The regime `superposed`": [
            "superposed", "quality_gate", "compression_*", "stored_compressions",
            "adam_checkpoint",
        ],
        "The regime `trained`": [
            "trained", "training", "training_*", "alignment", "*_interchanges",
            "stored_trainings", "verify_training", "splicing",
        ],
        "Checkpoints": ["checkpoint_file", "state_arrays"],
        "Toy models of superposition": ["toy_*"],
        "Bundles": [
            "bundle", "bundle_*", "manifest", "record", "*_record", "json_text", "json_values",
            "array_file", "model_config", "label_rules", "task_data", "datasheet", "croissant",
        ],
        "Download": ["registry", "downloading", "transfer", "cache"],
    },
    "evaluators": {
        "Scoring": [
            "scoring", "result", "method", "tool", "track", "tracks", "floors", "intervals",
            "real_numbers", "task_cache",
        ],
        "The track `circuit`": [
            "circuit_*", "ranking_metrics", "edge_*", "gated_model", "pair_runs", "live_model",
            "packed_model", "block_gradients", "faithfulness", "mib_format",
        ],
        "The track `attribution`": ["attribution_*", "measure_relevance"],
        "The track `features`": ["features_*", "measure_features", "spread_directions"],
        "The track `variables`": ["variables_*"],
        "The track `program`": ["program_*", "local_function", "seen_aggregates"],
        "Methods of our own": ["methods/*"],
        "Other people's tools": ["adapters/*"],
        "Tools in any language": [
            "command_tool", "problem_*", "answer_folder", "limits", "limited_run", "supervisor",
            "scratch_folder", "said_once", "answer_file",
        ],
        "Sweeps": ["sweep_*", "sweeping", "row_claim", "*_backend", "kept_*", "environment"],
        "Answers measured again, submissions": [
            "rescoring", "answers_check", "submission", "submission_*", "submitted_*",
            "validation", "validation_report",
        ],
        "References": ["citing", "reference"],
    },
    "leaderboard": {
        "Results": ["results_*", "entries", "submitters", "suite_choice", "paused_collection"],
        "Statistics": [
            "statistics", "aggregates", "bootstrap", "normalising", "owed_runs", "run_scores",
            "task_scores", "pairwise", "ranking", "standings", "profiles", "critical_difference",
            "difficulty", "rank_correlations", "agreement",
        ],
        "Tables and figures": [
            "publish", "tables", "paper_table", "table_formats", "escapes", "*_figure",
            "figure_style",
        ],
        "The site": [
            "site", "site_*", "board", "*_pages", "page_*", "run_index", "answer_counts",
            "circuit_view", "task_facts", "earned_cells", "alongside",
        ],
    },
}  # fmt: skip

SAID_FIRST = """\
# A map of the code

<!-- Generated by `python docs/make_code_map.py`: do not edit. -->

Every module of the package, under what it is for, in its own words. Of the folders each imports
those above it alone: [what goes where](../CONTRIBUTING.md#what-goes-where).
"""


def first_line(module: Path) -> str:
    """Return what a module says of itself in a line."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))
    assert text, f"{module} must have a docstring"
    return text.splitlines()[0]


def modules_of(folder: str) -> list[str]:
    """Return the modules of a folder and below, by their names in it."""
    place = ROOT / folder
    found = place.glob("*.py") if folder == "." else place.rglob("*.py")
    names = (path.relative_to(place).with_suffix("").as_posix() for path in found)
    others = {"setup"} if folder == "." else {"__init__"}
    return sorted(set(names) - others)


def grouped(folder: str) -> dict[str, list[str]]:
    """Return the modules of each group of a folder.

    Raises:
        ValueError: a module is in no group, or a pattern names none.
    """
    groups: dict[str, list[str]] = {title: [] for title in FOLDERS[folder]}
    patterns = [(title, one) for title, some in FOLDERS[folder].items() for one in some]
    unused = {pattern for _, pattern in patterns}
    for module in modules_of(folder):
        fits = [(title, one) for title, one in patterns if fnmatch(module, one)]
        if not fits:
            raise ValueError(f"{folder}/{module} must be in a group of {__file__}")
        exact = [(title, one) for title, one in fits if one == module]
        title, pattern = (exact or fits)[0]
        groups[title].append(module)
        unused.discard(pattern)
    if unused:
        raise ValueError(f"these patterns of {folder} name no module: {', '.join(sorted(unused))}")
    return groups


def page() -> str:
    """Return the page."""
    lines = [SAID_FIRST]
    for folder in FOLDERS:
        place = ROOT / folder
        name, init = ("glassbench", ROOT / "__init__.py") if folder == "." else (folder, None)
        lines += [f"## {name}", "", first_line(init or place / "__init__.py"), ""]
        for title, modules in grouped(folder).items():
            lines += [f"**{title}**", ""]
            lines += [f"- `{one}`: {first_line(place / f'{one}.py')}" for one in modules]
            lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
