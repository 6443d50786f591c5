"""The torch host: parameters, saving, and what is said when torch is missing."""

import copy
import pickle
import sys

import pytest
import safetensors.torch
import torch

from glassbench.compiler.hosts.torch import to_torch
from glassbench.errors import MissingExtraError


def test_state_goes_through_safetensors(example, tmp_path):
    tokens = torch.as_tensor(example.clean)
    source, target = to_torch(example.model), to_torch(example.model)
    with torch.no_grad():
        for parameter in target.parameters():
            parameter.zero_()
    assert not torch.equal(source(tokens), target(tokens))
    safetensors.torch.save_file(source.state_dict(), tmp_path / "model.safetensors")
    target.load_state_dict(safetensors.torch.load_file(tmp_path / "model.safetensors"))
    assert torch.equal(source(tokens), target(tokens))


def test_parameters_have_the_documented_names(example):
    names = {name for name, _ in to_torch(example.model).named_parameters()}
    layer = ("attn.q.weight", "attn.q.bias", "attn.k.weight", "attn.v.weight", "attn.o.weight")
    layer += ("mlp.fc_in.weight", "mlp.fc_in.bias", "mlp.fc_out.weight", "mlp.fc_out.bias")
    expected = {f"blocks.{index}.{name}" for index in range(3) for name in layer}
    assert names == expected | {"embed.weight", "pos_embed.weight", "unembed.weight"}
    assert sum(p.numel() for p in to_torch(example.model).parameters()) == (
        example.model.weights.n_parameters
    )


def test_models_are_copied_and_pickled_whole(example):
    tokens = torch.as_tensor(example.clean)
    network = to_torch(example.model)
    for other in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):  # noqa: S301
        assert torch.equal(network(tokens), other(tokens))


def test_forward_hooks_on_blocks_see_the_stream(example):
    network = to_torch(example.model)
    seen = []
    for block in network.blocks:
        block.register_forward_hook(lambda module, inputs, output: seen.append(output))
    streams = network(torch.as_tensor(example.clean), return_streams=True).streams
    assert torch.equal(torch.stack(seen), streams[2::2])


@pytest.mark.parametrize(
    ("host", "package"),
    [("torch", "torch"), ("transformer_lens", "torch"), ("transformer_lens", "transformer_lens")],
)
def test_a_missing_package_is_named(example, host, package, monkeypatch):
    monkeypatch.delitem(sys.modules, f"glassbench.compiler.hosts.{host}")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(MissingExtraError) as error:
        getattr(example.model, f"to_{host}")()
    assert str(error.value) == (
        f"to_{host}() needs the package {package}, which is not installed: "
        "pip install 'glassbench[torch]'"
    )
