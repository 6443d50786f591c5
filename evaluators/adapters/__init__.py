"""Adapters to other people's tools: names in, names out.

`ADAPTERS` holds them by name, and `glassbench score NAME` takes these names as it takes those of
built-in methods. Some are packages beside ours, each an optional extra; others need an
environment of their own, which `python -m glassbench.evaluators.adapters NAME` makes. What each
asks of its package is in `docs/external_tools.md`.
"""

from collections.abc import Callable
from typing import Any

from .adapter import Adapter, EnvironmentTool, PackageTool
from .environments import AUTO_CIRCUIT, ENVIRONMENTS, SAE_LENS
from .own_environment import OwnEnvironment


def _transformer_lens(name: str, function: str, what: str) -> PackageTool:
    return PackageTool(
        f"transformer-lens-{name}",
        "circuit",
        "transformer-lens",
        "transformer_lens",
        "torch",
        _later("transformer_lens_patching", function),
        what,
    )


def _beside(package: str, name: str, track: str, function: str, what: str) -> PackageTool:
    """Return a tool whose extra and module have the name of its package."""
    module = {
        "captum": "captum_attributions",
        "nnsight": "nnsight_patching",
        "pyvene": "pyvene_alignment",
    }[package]
    return PackageTool(
        f"{package}-{name}", track, package, package, package, _later(module, function), what
    )


def _auto_circuit(method: str, what: str, *, live: bool = True) -> EnvironmentTool:
    script = "auto_circuit_edges.py"
    return EnvironmentTool(
        f"auto-circuit-{method}", "circuit", AUTO_CIRCUIT, script, (method,), what, live
    )


def _sae_lens(method: str, what: str) -> EnvironmentTool:
    return EnvironmentTool(
        f"sae-lens-{method}", "features", SAE_LENS, "sae_lens_dictionary.py", (method,), what
    )


def _later(module: str, function: str) -> Callable[[Any], Any]:
    """Return a function of a module beside this one, which is imported when it is called."""

    def call(problem: Any) -> Any:
        from importlib import import_module

        return getattr(import_module(f".{module}", __package__), function)(problem)

    return call


ADAPTERS: dict[str, Adapter] = {
    adapter.name: adapter
    for adapter in (
        _transformer_lens(
            "eap", "edge_attribution", "`attribution_patch`, edges, magnitudes over pairs"
        ),
        _transformer_lens("attribution-patching", "node_attribution", "`attribution_patch`, nodes"),
        _transformer_lens(
            "activation-patching",
            "activation_patching",
            "`get_act_patch_attn_head_out_all_pos`, `generic_activation_patch`: nodes",
        ),
        _transformer_lens(
            "path-patching", "path_patching", "hooks at the input of each reader: edges"
        ),
        _beside(
            "nnsight", "activation-patching", "circuit", "activation_patching", "traces: nodes"
        ),
        _beside(
            "nnsight",
            "attribution-patching",
            "circuit",
            "attribution_patching",
            "traces and `backward`: nodes",
        ),
        _beside(
            "captum",
            "layer-conductance",
            "circuit",
            "layer_conductance",
            "`LayerConductance`: nodes",
        ),
        _beside(
            "captum",
            "integrated-gradients",
            "attribution",
            "integrated_gradients",
            "`IntegratedGradients` of embeddings",
        ),
        _beside(
            "captum",
            "input-x-gradient",
            "attribution",
            "input_x_gradient",
            "`InputXGradient` of embeddings",
        ),
        _beside(
            "captum",
            "feature-ablation",
            "attribution",
            "feature_ablation",
            "`FeatureAblation` of tokens, towards every other",
        ),
        _beside(
            "captum",
            "shapley-value-sampling",
            "attribution",
            "shapley_value_sampling",
            "`ShapleyValueSampling` of tokens, towards random ones",
        ),
        _beside(
            "pyvene",
            "das",
            "variables",
            "distributed_alignment_search",
            "`LowRankRotatedSpaceIntervention`, trained at the stream around each layer",
        ),
        _auto_circuit(
            "eap", "`mask_gradient_prune_scores` at masks of 0, summed over pairs", live=False
        ),
        _auto_circuit("acdc", "`acdc_prune_scores` with squared errors"),
        _auto_circuit("edge-patching", "`patch_mode`, one edge at a time"),
        _auto_circuit("subnetwork-probing", "`subnetwork_probing_prune_scores`"),
        _sae_lens("standard", "`StandardTrainingSAE`, trained by `SAETrainer` on the rows"),
        _sae_lens("topk", "`TopKTrainingSAE`, likewise"),
    )
}
"""The adapters by name."""

__all__ = [
    "ADAPTERS",
    "ENVIRONMENTS",
    "Adapter",
    "EnvironmentTool",
    "OwnEnvironment",
    "PackageTool",
]
