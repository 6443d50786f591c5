"""Scores edges by auto-circuit: `python auto_circuit_edges.py METHOD PROBLEM ANSWER`.

auto-circuit (Miller, Chughtai and Saunders 2024, arXiv:2407.08734) patches the edges of a
`HookedTransformer` through a mask for each. What is compared are squared distances of logits at
the tokens of the base, since its KL divergence says nothing of numerical outputs. Its first node
is the sum of both embeddings. Interchanging it is interchanging `embed`: what `pos_embed` writes
is the same on every input, so that edges leaving `pos_embed` score 0.

Runs in an environment with auto-circuit, torch and safetensors, and without this package.
"""

import json
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

ACDC_EXPONENTS, ACDC_FACTOR = tuple(range(-6, 1)), 0.7
"""Thresholds of ACDC are shares of what interchanging every edge does: powers of ten times a
factor, since what edges do are often shares such as 1 or 1/2, and rounding would decide."""
EPOCHS = 100


def hooked_transformer(config: dict[str, Any], arrays: dict[str, Any]) -> Any:
    """Return the model of a problem as a `HookedTransformer` in float64, edges split."""
    import torch
    from transformer_lens import HookedTransformer, HookedTransformerConfig

    sizes = ("n_layers", "n_heads", "d_model", "d_head", "d_mlp", "d_vocab", "n_ctx")
    network = HookedTransformer(
        HookedTransformerConfig(
            **{name: max(config[name], 1) for name in sizes},
            d_vocab_out=config["d_out"],
            act_fn="gelu_new" if config.get("activation") == "gelu" else "relu",
            normalization_type="LNPre" if config.get("layer_norm") else None,
            eps=1e-5,
            attention_dir="causal" if config["causal"] else "bidirectional",
            use_attn_scale=False,
            use_attn_result=True,
            use_split_qkv_input=True,
            use_hook_mlp_in=True,
            default_prepend_bos=False,
            init_weights=False,
            device="cpu",
            dtype=torch.float64,
        )
    )
    found = {"embed.W_E": "W_E", "pos_embed.W_pos": "W_pos", "unembed.W_U": "W_U"}
    state = {name: torch.zeros_like(value) for name, value in network.state_dict().items()}
    for name, value in network.state_dict().items():
        if name.endswith(("mask", "IGNORE")):
            state[name] = value
    for name, own in found.items():
        state[name] = arrays[own]
    for layer in range(config["n_layers"]):
        for place, names in (("attn", "W_Q b_Q W_K W_V W_O"), ("mlp", "W_in b_in W_out b_out")):
            for name in names.split():
                # Where a model has no head or no neuron, the host has one of zeros.
                if arrays[name].numel() or name == "b_out":
                    state[f"blocks.{layer}.{place}.{name}"] = arrays[name][layer]
    network.load_state_dict(state)
    return network.eval()


def own_name(name: str) -> str:
    """Return the name of an edge, such as `a0.h1->m0`, for auto-circuit's `A0.1->MLP 0`."""
    writer, reader = name.split("->")
    return f"{_component(writer)}->{_component(reader)}"


def _component(name: str) -> str:
    if name.startswith("Resid"):
        return "embed" if name == "Resid Start" else "logits"
    if name.startswith("MLP"):
        return f"m{name.split()[1]}"
    layer, head, *role = name[1:].split(".")
    return f"a{layer}.h{head}" + "".join(f"<{one.lower()}>" for one in role)


class Asked:
    """A problem as auto-circuit takes it.

    Args:
        config: what the problem says of its model.
        arrays: the weights.
        data: the pairs.
        names: the edges, in our order.
    """

    def __init__(
        self, config: dict[str, Any], arrays: dict[str, Any], data: dict[str, Any], names: list[str]
    ) -> None:
        import torch
        from auto_circuit.data import PromptDataLoader, PromptDataset
        from auto_circuit.utils.graph_utils import patchable_model

        network = hooked_transformer(config, arrays)
        base, source = data["base"].long(), data["source"].long()
        self.real = base < config["bos"]
        with torch.inference_mode():
            self.base_logits, self.source_logits = network(base), network(source)
        self.model: Any = patchable_model(network, factorized=True, separate_qkv=True)
        place = {name: number for number, name in enumerate(names)}
        known = [edge for edge in self.model.edges if own_name(edge.name) in place]
        # Its own are sets. ACDC depends on the order of edges, and what subnetwork probing draws
        # on that of masks.
        self.edges = sorted(known, key=lambda edge: -place[own_name(edge.name)])
        self.model.edges = self.edges
        self.model.dest_wrappers = sorted(
            self.model.dest_wrappers, key=lambda wrapper: wrapper.module_name
        )

        def loader(answers: Any) -> Any:
            dataset = PromptDataset(base, source, list(answers), list(answers))
            return PromptDataLoader(
                dataset, seq_len=None, diverge_idx=0, batch_size=len(base), shuffle=False
            )

        self.loader = loader

    def scores(self, found: Any) -> dict[str, float]:
        """Return its scores of edges under our names."""
        return {own_name(edge.name): float(edge.prune_score(found)) for edge in self.edges}


def edge_attribution(asked: Asked) -> dict[str, float]:
    """Return its mask gradients at masks of 0, which it shows to be EAP: summed over pairs.

    The loss is the squared distance to the logits of the sources at real positions. Elsewhere
    what is asked for is what there is already, and has no gradient.
    """
    import torch
    from auto_circuit.prune_algos.mask_gradient import mask_gradient_prune_scores

    answers = torch.where(asked.real[..., None], asked.source_logits, asked.base_logits)
    found = mask_gradient_prune_scores(
        asked.model,
        asked.loader(answers),
        None,
        grad_function="logit",
        answer_function="mse",
        mask_val=0.0,
    )
    # From the mean over all entries to minus half the sum.
    return {name: -score * answers.numel() / 2 for name, score in asked.scores(found).items()}


def acdc(asked: Asked) -> dict[str, float]:
    """Return the least threshold at which each edge is pruned; 10 where it never is."""
    import torch
    from auto_circuit.prune_algos.ACDC import acdc_prune_scores

    asked.model.out_slice = torch.nonzero(asked.real, as_tuple=True)
    whole = float((asked.source_logits - asked.base_logits)[asked.real].square().mean()) or 1.0
    found = acdc_prune_scores(
        asked.model,
        asked.loader(asked.base_logits),
        None,
        tao_exps=list(ACDC_EXPONENTS),
        tao_bases=[ACDC_FACTOR * whole],
        faithfulness_target="mse",
    )
    return {name: min(score / whole, 10.0) for name, score in asked.scores(found).items()}


def edge_patching(asked: Asked) -> dict[str, float]:
    """Return how far the logits move when each edge alone is patched."""
    import torch
    from auto_circuit.utils.ablation_activations import src_ablations
    from auto_circuit.utils.graph_utils import patch_mode

    (batch,) = asked.loader(asked.base_logits)
    sources = src_ablations(asked.model, batch.corrupt)
    scores = {}
    for edge in asked.edges:
        with patch_mode(asked.model, sources, edges=[edge]), torch.inference_mode():
            moved = asked.model(batch.clean) - asked.base_logits
        scores[own_name(edge.name)] = float(moved.norm(dim=-1)[asked.real].mean())
    return scores


def subnetwork_probing(asked: Asked) -> dict[str, float]:
    """Return its learned masks: higher where an edge is less willingly ablated."""
    import torch
    import torch.optim.adam
    from auto_circuit.prune_algos.subnetwork_probing import subnetwork_probing_prune_scores

    # Newer versions of torch delete this name, by which it is called.
    torch.optim.adam = sys.modules["torch.optim.adam"]
    torch.manual_seed(0)
    found = subnetwork_probing_prune_scores(
        asked.model,
        asked.loader(asked.base_logits),
        None,
        epochs=EPOCHS,
        regularize_lambda=1.0,
        tree_optimisation=True,
        faithfulness_target="mse",
    )
    return asked.scores(found)


METHODS = {
    "eap": edge_attribution,
    "acdc": acdc,
    "edge-patching": edge_patching,
    "subnetwork-probing": subnetwork_probing,
}


def main(method: str, problem: Path, answer: Path) -> None:
    """Answer the problem in one folder into another."""
    import torch
    from safetensors.torch import load_file

    torch.set_num_threads(1)
    said = json.loads((problem / "problem.json").read_text(encoding="utf-8"))
    config = json.loads((problem / said["config"]).read_text(encoding="utf-8"))
    weights, data = (load_file(problem / said[name]) for name in ("weights", "data"))
    names = said["answer"]["names"]
    asked = Asked(config, weights, data, names)
    started = time.process_time()
    found = METHODS[method](asked)
    seconds = time.process_time() - started
    told = {
        "format_version": "1.0",
        "problem": said["id"],
        "scores": {name: found.get(name, 0.0) for name in names},
        "tool": "auto-circuit",
        "tool_version": version("auto-circuit"),
        "settings": {"method": method, "processor_seconds": seconds},
    }
    (answer / "answer.json").write_text(json.dumps(told), encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
