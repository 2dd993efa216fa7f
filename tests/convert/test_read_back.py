"""What a quantized network was is read back from its int8 file, bit for bit."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from torch import nn

pytest.importorskip("litert_torch")

from shared_networks import quantized_toy, tflite_file
from toy_networks import evaluation, toy_deploy

from edgemat.convert.read_back import read_back
from edgemat.errors import ArtifactError
from edgemat.models.deploy import DeployForm
from edgemat.quantize.frozen import freeze
from edgemat.quantize.ptq import Quantized

X = torch.from_numpy(evaluation(3, 32).inputs(0)).permute(0, 3, 1, 2).contiguous()


@pytest.fixture(scope="module")
def quantized() -> Quantized:
    return quantized_toy()


@pytest.fixture(scope="module")
def file(quantized: Quantized) -> Path:
    frozen = freeze(quantized.deploy, quantized.spec)
    metadata = {"name": "toy", "licence": "Apache-2.0"}
    return tflite_file(frozen, "tflite-int8", shape=(3, 32, 32), metadata=metadata)


def test_weights_and_corrected_biases_are_the_files(quantized: Quantized, file: Path) -> None:
    """Whatever the float network's are now: what training moves is in the file, too."""
    moved = toy_deploy()
    with torch.no_grad():
        for layer in moved.modules():
            if isinstance(layer, nn.Conv2d):
                layer.weight.mul_(1.02)
                assert layer.bias is not None
                layer.bias.add_(0.3)
    again = read_back(moved, quantized.spec, file, X)
    own, found = quantized.deploy.state_dict(), again.deploy.state_dict()
    biases = [name for name in own if name.endswith("bias")]
    assert biases and all(torch.equal(own[name], found[name]) for name in biases)
    frozen, same = (freeze(made.deploy, made.spec) for made in (quantized, again))
    with torch.no_grad():
        assert torch.equal(frozen(X), same(X))


def test_the_file_of_another_network_is_refused(quantized: Quantized, file: Path) -> None:
    tensors = list(quantized.spec.tensors)
    (number, *_) = [n for n, quant in enumerate(tensors) if quant.kind == "weight"]
    scales = tuple(2 * scale for scale in tensors[number].scale)
    tensors[number] = tensors[number].model_copy(update={"scale": scales})
    spec = quantized.spec.model_copy(update={"tensors": tuple(tensors)})
    deploy: DeployForm = copy.deepcopy(toy_deploy())
    with pytest.raises(ArtifactError, match="does not hold the weights of") as raised:
        read_back(deploy, spec, file, X)
    assert "edgemat quantize" in raised.value.remedy
