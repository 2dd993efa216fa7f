"""The affine before an encoder, in files: one more int8 convolution, and every grid NNCF's own."""

from __future__ import annotations

import numpy as np
import pytest
import torch

pytest.importorskip("litert_torch")
pytest.importorskip("coremltools")

from shared_networks import file_of, quantized
from toy_networks import ToyMatting, evaluation, settled, toy_deploy

from edgemat.convert.backends import find_backend, find_target
from edgemat.convert.pairing import run_both
from edgemat.convert.parity import compare
from edgemat.convert.proof import prove
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models.blocks.affine import PointAffine, normalise_input
from edgemat.models.deploy import DeployForm, to_deploy
from edgemat.quantize.frozen import freeze
from edgemat.quantize.kernels import fused_kernels
from edgemat.quantize.ptq import Quantized
from edgemat.quantize.qat import QuantizationAware

SHAPE = (3, 32, 32)
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


@pytest.fixture(scope="module")
def deploy() -> DeployForm:
    torch.manual_seed(0)
    network = ToyMatting()
    normalise_input(network, MEAN, STD)
    return to_deploy(settled(network, 3))


@pytest.fixture(scope="module")
def int8(deploy: DeployForm) -> Quantized:
    return quantized(deploy, channels=3, size=32)


@pytest.mark.parametrize("target", ["tflite-fp32", "coreml-fp16"])
def test_float_files_agree_with_torch(deploy: DeployForm, target: str) -> None:
    data = evaluation(3, 32)
    expected = torch_predictor(deploy)(data.inputs(0))
    path = file_of(deploy, target, shape=SHAPE)
    for runtime, predict in find_backend(find_target(target).runtime).predictors(path).items():
        found = predict(data.inputs(0))
        assert compare(found, expected, reference="float", runtime=runtime).psnr_db >= 90


@pytest.mark.parametrize("target", ["tflite-int8", "coreml-w8a8"])
def test_int8_files_carry_every_grid_and_no_float(int8: Quantized, target: str) -> None:
    frozen = freeze(int8.deploy, int8.spec)
    path = file_of(frozen, target, shape=SHAPE)
    backend = find_backend(find_target(target).runtime)
    data = evaluation(3, 32)
    proof = prove(path, backend, run_both(path, backend, frozen, data.inputs(0)))
    assert proof.convolutions == proof.int8_convolutions == 5
    assert proof.float_islands == ()
    assert proof.scales_exact == proof.scales == len(int8.spec.tensors)
    expected = torch_predictor(frozen)(data.inputs(0))
    for predict in backend.predictors(path).values():
        assert np.abs(predict(data.inputs(0)) - expected).max() <= 2.01 / 255


def test_the_affine_is_one_more_weight_and_one_more_feature(int8: Quantized) -> None:
    plain = quantized(toy_deploy(), channels=3, size=32).spec.tensors
    own = [
        quant.kind
        for quant in int8.spec.tensors
        if any("normalise" in place.operator for place in quant.places)
    ]
    assert "weight" in own
    assert len(int8.spec.tensors) == len(plain) + 2


def test_the_affine_in_int8_is_exact_up_to_the_step_of_its_grid(
    deploy: DeployForm, int8: Quantized
) -> None:
    """A weight a channel is the end of its channel's grid; the shift an int32."""
    (point,) = (m for m in int8.deploy.modules() if isinstance(m, PointAffine))
    torch.testing.assert_close(point.weight.flatten(), 1 / STD)
    (weights,) = (
        quant
        for quant in int8.spec.tensors
        if quant.kind == "weight" and any("normalise" in p.operator for p in quant.places)
    )
    torch.testing.assert_close(127 * torch.tensor(weights.scale), 1 / STD, rtol=1e-2, atol=0)


def test_quantization_aware_training_leaves_the_affine_alone(int8: Quantized) -> None:
    with fused_kernels():
        aware = QuantizationAware(int8, torch.zeros(1, *SHAPE))
    trained = {id(p) for group in aware.parameter_groups() for p in group.parameters}
    (point,) = (m for m in aware.model.modules() if isinstance(m, PointAffine))
    assert id(point.weight) not in trained and id(point.bias) not in trained
