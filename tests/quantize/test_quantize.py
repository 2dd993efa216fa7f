"""Quantization: the fill, the pinned grids, unified grids, and the frozen model."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

pytest.importorskip("nncf")

import nncf
from nncf.torch.quantization.layers import BaseQuantizer
from shared_networks import quantized_network, quantized_toy
from toy_networks import calibration, network_deploy, picture, toy_deploy

from edgemat.errors import ArtifactError, ConversionError
from edgemat.images import PIXEL_SCALE
from edgemat.models.blocks.segmentation import DeployTrimapAttention
from edgemat.models.deploy import DeployForm, to_deploy
from edgemat.models.network import MattingNetwork, MattingOutput
from edgemat.quantize.align import unify_grids
from edgemat.quantize.fixed_grids import UNIT_SCALE
from edgemat.quantize.frozen import FrozenFakeQuantize, freeze
from edgemat.quantize.ptq import Quantized, distinct, prepare_for_int8, quantize_ptq
from edgemat.quantize.spec import QuantSpec, TensorQuant


@pytest.fixture(scope="module")
def toy() -> Quantized:
    return quantized_toy()


@pytest.fixture(scope="module")
def indexnet() -> Quantized:
    return quantized_network("indexnet-m2o-nlc", 4, width=0.25, hidden_mult=1)


@pytest.fixture(scope="module")
def pspm_slim() -> Quantized:
    return quantized_network("pspm-slim", 3, width=0.25)


def grid_of(spec: QuantSpec, ending: str) -> TensorQuant:
    """Return the grid of the operator whose name ends so."""
    found = [q for q in spec.tensors for p in q.places if p.operator.endswith(ending)]
    assert len(found) == 1, ending
    return found[0]


def test_weights_are_per_channel_symmetric_and_activations_per_tensor(indexnet: Quantized) -> None:
    for quant in indexnet.spec.tensors:
        assert quant.bits == 8
        if quant.kind == "weight":
            assert quant.axis == 0 and set(quant.zero_point) == {0}
            assert (quant.low, quant.high) == (-128, 127)
        else:
            assert quant.axis is None and len(quant.scale) == 1
            assert quant.high - quant.low == 255


def test_every_convolution_has_quantized_weights(indexnet: Quantized) -> None:
    convolutions = [m for m in indexnet.deploy.modules() if isinstance(m, nn.Conv2d)]
    weights = [q for q in indexnet.spec.tensors if q.kind == "weight"]
    assert len(weights) == len(convolutions)


def test_the_fill_quantizes_what_nncf_leaves_in_float(toy: Quantized) -> None:
    operators = {place.function for q in toy.spec.tensors for place in q.places}
    assert {"sub", "sigmoid", "interpolate", "mul"} <= operators
    # the convolution before a sigmoid has a grid of its own
    outputs = {p.operator for q in toy.spec.tensors for p in q.places if p.when == "post"}
    assert any(name.endswith("narrow/conv2d/0") for name in outputs)


def test_known_ranges_are_pinned(toy: Quantized) -> None:
    inputs = grid_of(toy.spec, "x")
    assert inputs.scale[0] == pytest.approx(PIXEL_SCALE, rel=1e-7) and inputs.zero_point == (0,)
    output = grid_of(toy.spec, "/clamp/0")
    assert output.scale[0] == pytest.approx(PIXEL_SCALE, rel=1e-7)
    pixels = picture(3, 32, seed=5)
    quantizer = FrozenFakeQuantize(inputs)
    assert (quantizer(pixels) - pixels).abs().max() < 1e-6  # 8-bit pixels pass without loss


def test_sigmoids_are_on_the_grid_that_tflite_fixes(indexnet: Quantized) -> None:
    for quant in indexnet.spec.tensors:
        if any(place.function in ("sigmoid", "softmax") for place in quant.places):
            assert quant.scale == (UNIT_SCALE,) and quant.zero_point == (0,)


def test_differences_that_are_cut_have_a_grid_that_cuts(pspm_slim: Quantized) -> None:
    """So the converter drops the cut, which would fall out of int8 delegates."""
    cuts = [
        quant
        for quant in pspm_slim.spec.tensors
        if any("/attention/clamp/" in p.operator and p.when == "post" for p in quant.places)
    ]
    assert len(cuts) == 2
    for quant in cuts:
        (scale,), (zero,) = quant.scale, quant.zero_point
        ends = (scale * (quant.low - zero), scale * (quant.high - zero))
        assert ends == (-DeployTrimapAttention.CUT, DeployTrimapAttention.CUT - scale)


def test_concatenated_tensors_share_one_grid_that_covers_all(toy: Quantized) -> None:
    class Concatenation(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return torch.cat([x * 3.0, x - 1.0], dim=1)

    # grids as NNCF might choose them, unlike for the two inputs of the concatenation
    def quant(operator: str, scale: float, zero_point: int) -> TensorQuant:
        places = [{"when": "post", "operator": operator, "port": 0}]
        return TensorQuant.model_validate(
            {
                "kind": "activation",
                "places": places,
                "scale": [scale],
                "zero_point": [zero_point],
                "low": 0,
                "high": 255,
            }
        )

    spec = QuantSpec(
        tensors=(quant("/mul/0", 3 / 255, 0), quant("/sub/0", 1 / 255, 255)),
    )
    unified = unify_grids(Concatenation(), spec, torch.rand(1, 2, 4, 4))
    first, second = unified.tensors
    assert first.scale == second.scale and first.zero_point == second.zero_point
    low = first.scale[0] * (0 - first.zero_point[0])
    high = first.scale[0] * (255 - first.zero_point[0])
    assert low == pytest.approx(-1, abs=first.scale[0])
    assert high == pytest.approx(3, abs=first.scale[0])


def test_a_picture_that_comes_again_is_counted_once() -> None:
    """Sixteen times the same is one picture, and its ranges are those of one."""
    one = calibration(3, 32)[:1]
    assert distinct(one * 16) == 1 and distinct(calibration(3, 32)) == 8
    with pytest.warns(UserWarning, match="1 calibration images are too few"):
        quantize_ptq(toy_deploy(), one * 16)


def test_a_fixed_grid_in_a_concatenation_is_refused() -> None:
    class SigmoidConcatenation(MattingNetwork):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)

        def forward(self, x: torch.Tensor) -> MattingOutput:
            y = self.conv(x)
            return MattingOutput(torch.cat([torch.sigmoid(y), y * 5.0], dim=1) - 0.5)

    with pytest.raises(ConversionError, match="sigmoid"):
        quantize_ptq(to_deploy(SigmoidConcatenation()), calibration(3, 32))


def test_each_grid_says_what_nncf_chose(monkeypatch: pytest.MonkeyPatch) -> None:
    """And who put another in its place; read off NNCF's own quantizers."""
    made: list[nn.Module] = []
    own = nncf.quantize

    def quantize(*given: Any, **settings: Any) -> nn.Module:
        made.append(own(*given, **settings))
        return made[0]

    monkeypatch.setattr(nncf, "quantize", quantize)
    spec = quantize_ptq(toy_deploy(), calibration(3, 32)).spec
    chosen = []
    for quantizer in made[0].modules():
        if isinstance(quantizer, BaseQuantizer):
            low, high, scale, zero = quantizer.get_parameters_for_torch_fq()
            chosen.append((scale.flatten().tolist(), zero.flatten().tolist(), int(low), int(high)))
    told = []
    for quant in spec.tensors:
        assert (quant.origin == "nncf") == (quant.replaced is None)
        one = quant.replaced
        if one is None:
            told.append((list(quant.scale), list(quant.zero_point), quant.low, quant.high))
        else:
            told.append(([one.scale], [one.zero_point], one.low, one.high))
    assert sorted(told) == sorted(chosen)
    names = {
        origin: [q.places[0].operator for q in spec.tensors if q.origin == origin]
        for origin in ("nature", "rule")
    }
    assert names == {
        "nature": ["x", "network/sigmoid/0", "/clamp/0"],
        "rule": [f"network/{one}/0" for one in ("first/1/hardtanh", "interpolate", "mul")]
        + ["network/mul/1"],
    }


def test_a_resized_tensor_keeps_the_grid_of_its_input(toy: Quantized) -> None:
    resized = grid_of(toy.spec, "interpolate/0")
    source = grid_of(toy.spec, "hardtanh/0")
    assert resized.scale == source.scale and resized.zero_point == source.zero_point


def test_biases_lie_on_the_accumulators_grid(toy: Quantized) -> None:
    """bias = integer * input scale * weight scale, for the first convolution."""
    weight, pixels = grid_of(toy.spec, "first/0/conv2d/0"), grid_of(toy.spec, "x")
    bias = toy.deploy.get_parameter("network.first.0.bias").detach().double()
    steps = bias / (torch.tensor(weight.scale, dtype=torch.float64) * pixels.scale[0])
    assert bias.abs().max() > 0
    assert (steps - steps.round()).abs().max() < 1e-2  # a float32 holds thousands of steps


def test_the_frozen_model_is_close_to_the_float_model(toy: Quantized) -> None:
    x = picture(3, 32, seed=77)
    with torch.no_grad():
        exact, frozen = toy_deploy()(x), freeze(toy.deploy, toy.spec)(x)
    assert exact.std() > 0.02
    assert (exact - frozen).abs().mean() < 0.01
    assert not torch.equal(exact, frozen)


def test_a_frozen_model_is_restored_from_weights_and_spec_alone(
    indexnet: Quantized, tmp_path: Path
) -> None:
    indexnet.spec.save(tmp_path / "quant.json")
    fresh = prepare_for_int8(network_deploy("indexnet-m2o-nlc", width=0.25, hidden_mult=1))
    fresh.load_state_dict(indexnet.deploy.state_dict())
    x = picture(4, 64, seed=9)
    with torch.no_grad():
        expected = freeze(indexnet.deploy, indexnet.spec)(x)
        restored = freeze(fresh, QuantSpec.load(tmp_path / "quant.json"))(x)
    assert torch.equal(expected, restored)


def test_quantization_is_deterministic(toy: Quantized) -> None:
    again = quantize_ptq(toy_deploy(), calibration(3, 32))
    assert again.spec == toy.spec
    for name, value in again.deploy.state_dict().items():
        assert torch.equal(value, toy.deploy.state_dict()[name]), name


def test_nncf_is_left_as_it_was(toy: Quantized) -> None:
    from nncf.quantization.algorithms.min_max import torch_backend
    from nncf.torch.hardware.fused_patterns import PT_HW_FUSED_PATTERNS

    assert torch_backend.PTMinMaxAlgoBackend.__name__ == "PTMinMaxAlgoBackend"
    assert len(PT_HW_FUSED_PATTERNS.registry_dict) > 2


def test_few_calibration_images_warn_loudly(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.warns(UserWarning, match="3 calibration images are too few"):
        quantize_ptq(toy_deploy(), calibration(3, 32, count=3))
    shown = capsys.readouterr()
    assert shown.out == "", (
        "standard output is the caller's: `edgemat quantize --json` prints there"
    )
    assert "Statistics collection" in shown.err


def test_the_same_picture_again_is_no_other_picture() -> None:
    three = calibration(3, 32, count=3)
    with pytest.warns(UserWarning, match="3 calibration images are too few"):
        quantize_ptq(toy_deploy(), [three[i % 3].clone() for i in range(12)])


def test_enough_calibration_images_do_not_warn() -> None:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        quantize_ptq(toy_deploy(), calibration(3, 32, count=8))
    assert not [w for w in caught if "calibration" in str(w.message)]


def test_prepared_form_is_the_same_function_within_a_tenth_of_a_step() -> None:
    deploy = network_deploy("indexnet-m2o-nlc", width=0.25, hidden_mult=1)
    x = picture(4, 64, seed=4)
    with torch.no_grad():
        assert (deploy(x) - prepare_for_int8(deploy)(x)).abs().max() < 1 / 255


@pytest.mark.parametrize("content", ["", "{}", '{"tensors": [{"kind": "odd"}]}', "\x00\x01"])
def test_an_unreadable_specification_is_named(tmp_path: Path, content: str) -> None:
    path = tmp_path / "quant.json"
    path.write_text(content)
    with pytest.raises(ArtifactError, match="not a readable quantization specification"):
        QuantSpec.load(path)
    with pytest.raises(ArtifactError):
        QuantSpec.load(tmp_path / "missing.json")


def test_calibration_leaves_the_given_network_alone() -> None:
    deploy: DeployForm = toy_deploy()
    before = {k: v.clone() for k, v in deploy.state_dict().items()}
    quantize_ptq(deploy, calibration(3, 32))
    assert all(torch.equal(v, before[k]) for k, v in deploy.state_dict().items())
