"""What a configuration says of models as compiled and as trained, and readers without our code."""

import importlib.util
import json
import re
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from glassbench import BundleError, TaskError
from glassbench.compiler import run, scramble
from glassbench.compiler.compress import compress
from glassbench.compiler.model import Model
from glassbench.ground_truth import build_model
from glassbench.ground_truth.model_config import NamelessConfig, architecture
from glassbench.ground_truth.record import read_exact

EXAMPLES = Path(__file__).parents[2] / "examples"
KINDS = {
    "compiled": {},
    "GELU": {"activation": "gelu"},
    "LayerNorm": {"layer_norm": True},
    "both": {"activation": "gelu", "layer_norm": True, "causal": True},
}


@pytest.fixture(scope="module")
def compiled():
    return build_model("sort[vocab=2,length=3]")


@pytest.fixture(scope="module", params=KINDS)
def model(compiled, request):
    """A model with random weights."""
    rng = np.random.default_rng(0)
    weights = compiled.model.weights
    drawn = {name: rng.normal(size=array.shape) / 2 for name, array in weights.arrays()}
    return Model(replace(weights, **drawn, **KINDS[request.param]), compiled.model.codec)


@pytest.fixture
def folder(model, tmp_path):
    """The model as it is written."""
    (tmp_path / "model").mkdir()
    config = NamelessConfig.of_model(model).to_json()
    (tmp_path / "model/config.json").write_text(config, encoding="utf-8")
    save_file(dict(model.weights.arrays()), tmp_path / "model/weights.safetensors")
    return tmp_path


def example(name):
    """Return an example as a module."""
    spec = importlib.util.spec_from_file_location(Path(name).stem, EXAMPLES / name)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_configuration_is_read_as_it_was_written(model):
    weights, written = model.weights, NamelessConfig.of_model(model)
    found = read_exact(NamelessConfig, written.to_json().encode(), "config.json")
    assert found == written
    found.codec()
    assert (found.activation, found.layer_norm) == (weights.activation, weights.layer_norm)
    assert (found.architecture == architecture()) == weights.is_piecewise_linear


def test_of_a_compiled_model_no_more_is_written_than_before(model):
    fields = json.loads(NamelessConfig.of_model(model).to_json())
    assert ("activation" in fields) == (model.weights.activation == "gelu")
    assert ("layer_norm" in fields) == model.weights.layer_norm
    text = " ".join(fields["architecture"])
    assert ("gelu(" in text, "n(x)" in text) == ("activation" in fields, "layer_norm" in fields)
    assert ("relu(" in text) != ("gelu(" in text)


def test_formulae_of_another_model_are_refused(model):
    other = {"gelu": "relu", "relu": "gelu"}[model.weights.activation]
    changed = NamelessConfig.of_model(model).model_copy(update={"activation": other})
    with pytest.raises(BundleError, match=re.escape("architecture: must be ('tokens:")):
        changed.codec()


def test_readers_without_our_code_give_the_logits(model, folder, monkeypatch):
    import torch
    from safetensors.numpy import load_file

    monkeypatch.syspath_prepend(str(EXAMPLES / "tools"))
    tokens = model.codec.encode([[0, 1, 0], [1], [0, 1]])
    expected = run(model.weights, tokens).logits
    config = json.loads((folder / "model/config.json").read_text(encoding="utf-8"))
    weights = load_file(folder / "model/weights.safetensors")
    np.testing.assert_allclose(
        example("read_bundle.py").logits(config, weights, tokens), expected, atol=1e-9
    )
    with torch.no_grad():
        logits = example("read_bundle_torch.py").Transformer(folder)(torch.as_tensor(tokens))
    np.testing.assert_allclose(logits.numpy(), expected, atol=1e-9)
    logits, _ = example("tools/interchange.py").run(config, weights, tokens)
    sys.modules.pop("array_files", None)
    np.testing.assert_allclose(logits, expected, atol=1e-9)
    assert np.ptp(expected) > 0.1


def test_what_cannot_be_turned_is_refused(compiled, model):
    trained = replace(compiled, model=model)
    if model.weights.is_piecewise_linear:
        assert scramble(trained, 0).model.weights.d_model == model.weights.d_model
        return
    with pytest.raises(TaskError, match=r"must have ReLU neurons and no LayerNorm, .* got \w+ neu"):
        scramble(trained, 0)
    W = np.eye(model.weights.d_model)
    if model.weights.layer_norm:
        with pytest.raises(TaskError, match="this one has a LayerNorm, which a matrix does not"):
            compress(trained, W)
    else:
        assert compress(trained, W).model.weights.activation == "gelu"
