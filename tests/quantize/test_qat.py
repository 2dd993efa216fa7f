"""Quantization-aware training: the same grids, gradients by the book, resume, faithful files."""

from __future__ import annotations

import copy
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

pytest.importorskip("nncf")

from shared_networks import content_of, quantized_network, stored, tflite_file
from toy_networks import calibration, network_deploy, picture
from toy_training import Fatal, Killed, data

from edgemat.convert.backends import find_backend, find_target
from edgemat.convert.pairing import run_both
from edgemat.convert.parity import compare
from edgemat.convert.proof import prove
from edgemat.matting.runtime import TfliteModel
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models.blocks.pooling import Ones
from edgemat.quantize.frozen import freeze
from edgemat.quantize.kernels import FusedQuantizedFunctions, fused_kernels
from edgemat.quantize.ptq import Quantized
from edgemat.quantize.qat import QuantizationAware
from edgemat.training.loop import train
from edgemat.training.optimizers import ScaledAdam
from edgemat.training.schedule import ParameterGroup, Schedule

SIZE = 64
NETWORKS = {
    "portrait": ("pspm-slim", {"width": 0.5}, 3),
    "trimap": ("indexnet-slim", {"width": 0.5}, 4),
}


@pytest.fixture(scope="module", params=["portrait", pytest.param("trimap", marks=pytest.mark.long)])
def task(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def quantized(task: str) -> Quantized:
    name, config, channels = NETWORKS[task]
    return quantized_network(name, channels, **config)


@pytest.fixture(scope="module")
def finished(
    quantized: Quantized, task: str, tmp_path_factory: pytest.TempPathFactory
) -> Quantized:
    """The network after six steps."""

    def make() -> Quantized:
        model = aware(quantized, task)
        trained(model, task, tmp_path_factory.mktemp("whole"))
        return model.finish()

    ingredients = (content_of(quantized.deploy), quantized.spec, task)
    return stored("trained", ingredients, copy.deepcopy(quantized.deploy), make)


def aware(quantized: Quantized, task: str) -> QuantizationAware:
    return QuantizationAware(quantized, calibration(NETWORKS[task][2], SIZE)[0])


def trained(model: QuantizationAware, task: str, folder: Path, source: object = None) -> None:
    with fused_kernels():
        train(
            model.model,
            source or data(),  # type: ignore[arg-type]
            task=task,  # type: ignore[arg-type]
            groups=model.parameter_groups(),
            schedule=Schedule(
                steps=6, batch=2, warmup=1, learning_rate=1e-3, checkpoint_every=2, workers=0
            ),
            folder=folder,
            device="cpu",
        )


# ---- starting from post-training quantization -----------------------------------------------


def test_before_the_first_step_it_is_the_frozen_model(quantized: Quantized, task: str) -> None:
    x = picture(NETWORKS[task][2], SIZE, seed=3)
    with fused_kernels(), torch.no_grad():
        live = aware(quantized, task).model(x).alpha
        frozen = freeze(quantized.deploy, quantized.spec)(x)
    assert frozen.std() > 1e-2
    # scales go through NNCF's parameters and come back within a unit in the last place, which
    # turns a rounding around here and there
    assert (live - frozen).abs().mean() < 1e-3


def test_untrained_it_ends_in_the_grids_it_started_from(quantized: Quantized, task: str) -> None:
    finished = aware(quantized, task).finish()
    for found, expected in zip(finished.spec.tensors, quantized.spec.tensors, strict=True):
        assert found.places == expected.places
        assert found.zero_point == expected.zero_point
        assert found.scale == pytest.approx(expected.scale, rel=3e-7)


def test_what_has_no_choice_is_not_trained(quantized: Quantized, task: str) -> None:
    model = aware(quantized, task)
    trained_here = {p for group in model.parameter_groups() for p in group.parameters}
    for module in model.model.modules():
        if isinstance(module, Ones):
            assert module.weight not in trained_here
    known = [q for q, t in zip(model.quantizers, quantized.spec.tensors, strict=True)
             if any(p.function in ("", "sigmoid") for p in t.places)]  # fmt: skip
    assert known
    for quantizer in known:
        assert trained_here.isdisjoint(quantizer.parameters())


# ---- training -------------------------------------------------------------------------------


def test_training_moves_weights_and_ranges_and_keeps_tied_grids_together(
    quantized: Quantized, finished: Quantized, task: str
) -> None:
    before, after = quantized.deploy.state_dict(), finished.deploy.state_dict()
    assert before.keys() == after.keys()
    moved = [key for key in before if not torch.equal(before[key], after[key])]
    assert len(moved) > len(before) / 2
    pairs = list(zip(quantized.spec.tensors, finished.spec.tensors, strict=True))
    assert sum(old.scale != new.scale for old, new in pairs) > len(pairs) / 2
    groups: dict[int, set[tuple[object, object]]] = {}
    quantizers = aware(quantized, task).quantizers
    for quantizer, (_, new) in zip(quantizers, pairs, strict=True):
        groups.setdefault(id(quantizer), set()).add((new.scale, new.zero_point))
    assert all(len(grids) == 1 for grids in groups.values())
    assert len(groups) < len(pairs), "nothing is tied in this network"


@pytest.mark.long
def test_a_killed_training_ends_in_the_same_bits(
    quantized: Quantized, finished: Quantized, task: str, tmp_path: Path
) -> None:
    with pytest.raises(Killed):
        trained(aware(quantized, task), task, tmp_path / "cut", Fatal(data(), at=2 * 5))
    again = aware(quantized, task)
    trained(again, task, tmp_path / "cut")
    second = again.finish()
    assert finished.spec == second.spec
    for key, value in finished.deploy.state_dict().items():
        assert torch.equal(value, second.deploy.state_dict()[key]), key


@pytest.mark.long
def test_the_file_has_the_trained_grids_and_computes_the_same(
    finished: Quantized, task: str
) -> None:
    pytest.importorskip("litert_torch")
    channels = NETWORKS[task][2]
    frozen, target = freeze(finished.deploy, finished.spec), find_target("tflite-int8")
    path = tflite_file(frozen, target.name, shape=(channels, SIZE, SIZE))
    pixels = picture(channels, SIZE, seed=5).permute(0, 2, 3, 1).contiguous().numpy()
    backend = find_backend(target.runtime)
    proof = prove(path, backend, run_both(path, backend, frozen, pixels))
    assert proof.int8_convolutions == proof.convolutions > 50
    assert proof.float_islands == ()
    assert proof.scales_exact == proof.scales == len(finished.spec.tensors)
    model_file = TfliteModel(path)
    assert model_file.delegate_coverage().partitions == 1
    assert "TRANSPOSE" not in model_file.operators()
    expected = torch_predictor(frozen)(pixels)
    found = find_backend(target.runtime).predictors(path)["LiteRT, XNNPACK"](pixels)
    assert compare(found, expected, reference="frozen", runtime="").mean_abs < 0.01


@pytest.mark.long
def test_a_teacher_pulls_towards_itself(tmp_path: Path) -> None:
    """Two steps with nothing but distillation bring the student nearer."""
    torch.manual_seed(0)
    teacher, student = (network_deploy("pspm-slim", width=0.25).network for _ in range(2))
    with torch.no_grad():
        for parameter in student.parameters():
            parameter.mul_(1 + 0.05 * torch.randn_like(parameter))
    x = data()[0]["image"][None]

    def distance() -> float:
        with torch.no_grad():
            return float((student.eval()(x).alpha - teacher(x).alpha).abs().mean())

    before = distance()
    parameters = [p.requires_grad_() for p in student.parameters()]
    schedule = Schedule(
        steps=20, batch=2, warmup=1, workers=0, distillation_weight=1e4, learning_rate=1e-3
    )
    train(
        student,
        data(),
        task="portrait",
        schedule=schedule,
        folder=tmp_path,
        groups=[ParameterGroup(parameters, 1.0)],
        teacher=teacher,
        device="cpu",
    )
    assert distance() < 0.7 * before


# ---- the kernels, against the definition ----------------------------------------------------


@settings(max_examples=40, deadline=None)
@given(below=st.floats(0, 1), width=st.floats(0.5, 8), seed=st.integers(0, 1000))
def test_fused_kernels_are_the_definition(below: float, width: float, seed: int) -> None:
    """Values and gradients against autograd through rounding's straight-through estimator."""
    levels = 256
    scale = width / (levels - 1)
    low = -round(below * (levels - 1)) * scale  # zero lies on the grid
    generator = torch.Generator().manual_seed(seed)
    x = (torch.rand(200, generator=generator) * 12 - 6).double()
    gradient = torch.randn(200, generator=generator).double()
    bounds = torch.tensor([low], dtype=torch.float64), torch.tensor([width], dtype=torch.float64)
    inside = (x > low + scale) & (x < low + width - scale)
    outside = (x < low - scale) | (x > low + width + scale)
    keep = inside | outside  # at the very ends the two may differ by their rounding
    x, gradient = x[keep], gradient[keep]

    leaf, low_leaf, width_leaf = (t.clone().requires_grad_() for t in (x, *bounds))
    expected = definition(leaf, low_leaf, width_leaf, levels)
    expected.backward(gradient)
    arguments = [t.float() for t in (x, *bounds)]
    found = FusedQuantizedFunctions.Quantize_forward(*arguments, levels)
    # a value half-way between two levels may round either way in float32
    assert ((found - expected).abs() < 1e-4).float().mean() > 0.97
    of_x, of_low, of_width = FusedQuantizedFunctions.Quantize_backward(
        gradient.float(), *arguments, levels, 0, levels - 1, True
    )
    assert leaf.grad is not None and low_leaf.grad is not None and width_leaf.grad is not None
    assert torch.allclose(of_x, leaf.grad.float(), atol=1e-5)
    assert torch.allclose(of_low, low_leaf.grad.float(), atol=1e-2)
    assert torch.allclose(of_width, width_leaf.grad.float(), atol=5e-2)


def definition(x: Tensor, low: Tensor, width: Tensor, levels: int) -> Tensor:
    """Round to `levels` values of low..low+width; rounding passes its gradient straight through."""
    scale = width / (levels - 1)
    cut = torch.minimum(torch.maximum(x, low), low + width)
    steps = (cut - low) / scale
    rounded = steps + (steps.round() - steps).detach()
    return rounded * scale + low


def test_relative_steps_are_shares_of_the_size() -> None:
    """Adam's first step is the learning rate, whatever the gradient; here times the size."""
    weight = nn.Parameter(torch.tensor([[100.0], [0.01]]))
    size = weight.detach().abs()
    optimizer = ScaledAdam([ParameterGroup([weight], 0.5, [size])], learning_rate=1e-2)
    optimizer.param_groups[0]["lr"] = optimizer.param_groups[0]["full_rate"]
    weight.sum().backward()
    optimizer.step()
    share = (size - weight.detach()) / size
    assert torch.allclose(share, torch.full_like(share, 5e-3), rtol=1e-3)
