"""Score a circuit-discovery method that is written with TransformerLens.

The method is mean ablation of edges: what a writer contributes to the input of one reader is
replaced by its mean over other inputs, by a hook, and the logits are compared. The model of a
problem comes with all the usual hooks, so that code for other models runs on it as it is.

    pip install 'glassbench[torch]'
    python transformer_lens_method.py
    glassbench score transformer_lens_method:mean_ablation --suite quick
"""

import torch

import glassbench as gb


def mean_ablation(problem: gb.CircuitProblem) -> dict[str, float]:
    """Return how far the logits move when an edge carries its mean over the sources."""
    network = problem.model.to_transformer_lens(dtype=torch.float64)
    network.set_use_attn_result(True)
    network.set_use_split_qkv_input(True)
    network.set_use_hook_mlp_in(True)
    base, source = torch.tensor(problem.base), torch.tensor(problem.source)
    is_real = problem.model.codec.is_real  # false where a short input is padded
    real, known = torch.tensor(is_real(problem.base)), torch.tensor(is_real(problem.source))
    with torch.no_grad():
        logits, here = network.run_with_cache(base)
        _, there = network.run_with_cache(source)
        scores = {}
        for edge in problem.graph.edges:
            change = mean(written(edge.writer, there), known) - written(edge.writer, here)
            hook = added_for(edge.reader, change, network.cfg.n_layers)
            moved = network.run_with_hooks(base, fwd_hooks=[hook]) - logits
            scores[edge.name] = float(moved.norm(dim=-1)[real].mean())
    return scores


def mean(activation, known):
    """Return the mean over inputs at each position, over those that have a token there."""
    total = (activation * known[..., None]).sum(dim=0)
    return total / known.sum(dim=0).clamp(min=1)[:, None]


def written(writer, cache):
    """Return what a writer adds to the stream: [input, position, d_model]."""
    if writer.name in ("embed", "pos_embed"):
        return cache[f"hook_{writer.name}"]
    if writer.head < 0:
        return cache[f"blocks.{writer.layer}.hook_mlp_out"]
    return cache[f"blocks.{writer.layer}.attn.hook_result"][:, :, writer.head]


def added_for(reader, change, n_layers):
    """Return the hook that adds a change to what one reader reads, and to nothing else."""

    def to_all(stream, hook):  # noqa: ARG001 - hooks are given their place
        return stream + change

    def to_one_head(streams, hook):  # noqa: ARG001
        streams = streams.clone()
        streams[:, :, reader.head] += change
        return streams

    if reader.role == "logits":
        return f"blocks.{n_layers - 1}.hook_resid_post", to_all
    if reader.role == "mlp":
        return f"blocks.{reader.layer}.hook_mlp_in", to_all
    return f"blocks.{reader.layer}.hook_{reader.role}_input", to_one_head


def main(tasks=("histogram", "frac_prevs/scrambled", "sort/crowded[distractors=1]/scrambled")):
    """Score it beside built-in methods; return its results by task."""
    found = {}
    for task in tasks:
        for method in (mean_ablation, "interchange", "eap"):
            result = gb.score(method, task)
            print(f"{task:40}{result.tool:16}{result}")
            if method is mean_ablation:
                found[task] = result
    return found


if __name__ == "__main__":
    main()
