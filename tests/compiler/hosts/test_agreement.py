"""Every host computes what the reference executor computes."""

import numpy as np
import torch

from glassbench.compiler.hosts.empty_axes import fill_empty_axes
from glassbench.compiler.hosts.torch import to_torch
from glassbench.compiler.hosts.transformer_lens import to_transformer_lens


def test_hosts_agree_with_the_executor(example, check_host):
    check_host(example.model, example.clean)


def test_hosts_agree_on_fewer_positions_than_the_context_holds(numerical_model, check_host):
    check_host(numerical_model, numerical_model.codec.encode(["abc", "a"])[:, :3])


def test_hosts_agree_where_the_output_is_numerical(numerical_model, check_host):
    check_host(numerical_model, numerical_model.codec.encode(["abc", "ca"]))


def test_hosts_agree_where_an_axis_is_empty(model_with_empty_axis, check_host):
    model = model_with_empty_axis
    check_host(model, model.codec.encode(["abc", "ca"]))


def test_filling_leaves_full_arrays_alone(example):
    weights = example.model.weights
    filled = dict(fill_empty_axes(weights).arrays())
    assert all(filled[name] is array for name, array in weights.arrays())


def test_filled_axes_are_zero(model_with_empty_axis):
    filled = fill_empty_axes(model_with_empty_axis.weights)
    was_empty = [name for name, array in model_with_empty_axis.weights.arrays() if array.size == 0]
    assert was_empty
    assert all(array.size for _, array in filled.arrays())
    assert not any(getattr(filled, name).any() for name in was_empty)


def test_exports_are_copies(example):
    before = {name: array.copy() for name, array in example.model.weights.arrays()}
    for export in (to_torch, to_transformer_lens):
        with torch.no_grad():
            for parameter in export(example.model, torch.float64).parameters():
                parameter.add_(1.0)
    for name, array in example.model.weights.arrays():
        np.testing.assert_array_equal(array, before[name])


def test_exporting_draws_no_random_numbers(example):
    state = torch.random.get_rng_state()
    to_torch(example.model)
    to_transformer_lens(example.model)
    assert torch.equal(torch.random.get_rng_state(), state)
