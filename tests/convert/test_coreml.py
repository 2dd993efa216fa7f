"""Core ML files: the same matte, exact scales, the same bytes each time, clear refusals."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

coremltools = pytest.importorskip("coremltools")

from coremltools.converters.mil.mil import Program  # noqa: E402
from coremltools.converters.mil.mil.passes.pass_pipeline import (  # noqa: E402
    PassPipeline,
    PassPipelineManager,
)

from edgemat.convert.apple import validated_once  # noqa: E402
from edgemat.convert.coreml import convert_coreml  # noqa: E402
from edgemat.convert.int8_graph import Int8Count  # noqa: E402
from edgemat.convert.mil import load_program, run_program  # noqa: E402
from edgemat.convert.mil_proof import count_int8, scales  # noqa: E402
from edgemat.errors import ConversionError, MissingToolError  # noqa: E402
from edgemat.files import sha256_tree  # noqa: E402
from edgemat.images import PIXEL_SCALE  # noqa: E402

HEIGHT, WIDTH = 16, 24
ABOUT: dict[str, Any] = {
    "metadata": {"edgemat.manifest": json.dumps({"name": "tiny"}), "z": "1", "a": "2"},
    "licence": "Apache-2.0",
    "author": "edgemat",
    "description": "A tiny matting network.",
    "version": "3.1",
}


class FakeQuantize(nn.Module):
    def __init__(self, scale: float, zero_point: int, low: int = 0, high: int = 255) -> None:
        super().__init__()
        self.numbers = scale, zero_point, low, high

    def forward(self, x: Tensor) -> Tensor:
        return torch.fake_quantize_per_tensor_affine(x, *self.numbers)


class QuantizedConv(nn.Module):
    """A convolution with int8 weights per output channel."""

    def __init__(self, conv: nn.Conv2d | nn.ConvTranspose2d) -> None:
        super().__init__()
        self.conv = conv
        self.axis = 1 if conv.transposed else 0
        others = [i for i in range(4) if i != self.axis]
        self.scale = conv.weight.detach().abs().amax(others) / 127
        self.zero_point = torch.zeros_like(self.scale, dtype=torch.int32)

    def forward(self, x: Tensor) -> Tensor:
        weight = torch.fake_quantize_per_channel_affine(
            self.conv.weight, self.scale, self.zero_point, self.axis, -128, 127
        )
        conv = self.conv
        if isinstance(conv, nn.ConvTranspose2d):
            return functional.conv_transpose2d(x, weight, conv.bias, conv.stride)
        return functional.conv2d(
            x, weight, conv.bias, conv.stride, conv.padding, conv.dilation, conv.groups
        )


class TinyMatting(nn.Module):
    """Inverted residual with pooling, upsampling, a skip by concatenation, and a sigmoid."""

    def __init__(self, channels: int, *, quantized: bool) -> None:
        super().__init__()
        torch.manual_seed(5)
        convs: list[nn.Conv2d | nn.ConvTranspose2d] = [
            nn.Conv2d(channels, 8, 3, padding=1),
            nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8),
            nn.Conv2d(8, 8, 1),
            nn.ConvTranspose2d(8, 4, 2, stride=2),
            nn.Conv2d(12, 1, 3, padding=1),
        ]
        self.convs = nn.ModuleList([QuantizedConv(c) for c in convs] if quantized else convs)
        # Scale and zero-point of the input, of each result, of the sum and of the concatenation.
        numbers = [(1 / 255, 0), (0.0071, 0), (0.0093, 128), (0.0113, 131), (0.0087, 120)]
        numbers += [(0.0171, 77), (0.0153, 119), (0.0127, 101)]
        quantizers = [FakeQuantize(*pair) for pair in numbers]
        self.steps = nn.ModuleList(quantizers if quantized else [nn.Identity() for _ in numbers])

    def forward(self, x: Tensor) -> Tensor:
        first = self.steps[1](functional.relu6(self.convs[0](self.steps[0](x))))
        y = functional.max_pool2d(first, 2)
        z = self.steps[2](self.convs[1](y))
        y = self.steps[4](y + self.steps[3](self.convs[2](z)))
        y = self.steps[5](self.convs[3](y))
        y = self.steps[6](torch.cat([y, first], 1))
        return torch.sigmoid(self.steps[7](self.convs[4](y)))


def write(path: Path, model: nn.Module, **changes: Any) -> Path:
    settings = ABOUT | {
        "height": HEIGHT,
        "width": WIDTH,
        "channels": 3,
        "precision": "fp32",
        "quantized": False,
    }
    convert_coreml(model.eval(), path, **(settings | changes))
    return path


def is_wholly_int8(found: Int8Count) -> bool:
    """Whether every convolution is int8 x int8 and no float island lies inside."""
    every = found.convolutions > 0 and found.int8_convolutions == found.convolutions
    return every and all(island.place in ("entry", "exit") for island in found.islands)


def pixels(channels: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(9)
    levels = torch.randint(0, 256, (1, channels, HEIGHT, WIDTH), generator=generator)
    return levels.float()


def convs_of(model: TinyMatting) -> list[QuantizedConv]:
    return [conv for conv in model.convs if isinstance(conv, QuantizedConv)]


def alpha_of(path: Path, levels: Tensor) -> np.ndarray[Any, Any]:
    feeds = {"image": levels[:, :3]}
    if levels.shape[1] == 4:
        feeds["trimap"] = levels[:, 3:]
    return run_program(load_program(path), feeds)["alpha"]


def reference(model: nn.Module, levels: Tensor) -> np.ndarray[Any, Any]:
    with torch.no_grad():
        return model(levels * float(PIXEL_SCALE)).numpy()


@pytest.fixture(scope="module")
def int8_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    model = TinyMatting(3, quantized=True)
    path = tmp_path_factory.mktemp("int8") / "tiny.mlpackage"
    return write(path, model, quantized=True)


# ---- the same matte -------------------------------------------------------------------------


@pytest.mark.parametrize("channels", [3, 4])
def test_float32_file_agrees_with_torch(channels: int, tmp_path: Path) -> None:
    model = TinyMatting(channels, quantized=False)
    path = write(tmp_path / "tiny.mlpackage", model, channels=channels)
    levels = pixels(channels)
    alpha = alpha_of(path, levels)
    assert alpha.shape == (1, 1, HEIGHT, WIDTH)
    assert alpha.dtype == np.float32
    np.testing.assert_allclose(alpha, reference(model, levels), atol=1e-6, rtol=0)


def test_float16_file_stays_above_45_db(tmp_path: Path) -> None:
    model = TinyMatting(3, quantized=False)
    path = write(tmp_path / "tiny.mlpackage", model, precision="fp16")
    alpha = alpha_of(path, pixels())
    assert alpha.dtype == np.float16
    mse = np.square(alpha.astype(np.float32) - reference(model, pixels())).mean()
    assert -10 * np.log10(mse) >= 45


@pytest.mark.parametrize("minimum", ["iOS17", "iOS18"])
def test_int8_file_agrees_with_the_fake_quantized_network(minimum: str, tmp_path: Path) -> None:
    model = TinyMatting(3, quantized=True)
    path = write(tmp_path / "tiny.mlpackage", model, quantized=True, minimum=minimum)
    np.testing.assert_allclose(
        alpha_of(path, pixels()), reference(model, pixels()), atol=1e-4, rtol=0
    )
    assert is_wholly_int8(count_int8(load_program(path)))


def test_signed_symmetric_activations(tmp_path: Path) -> None:
    model = TinyMatting(3, quantized=True)
    model.steps[2] = FakeQuantize(0.0093, 0, -128, 127)
    path = write(tmp_path / "tiny.mlpackage", model, quantized=True)
    np.testing.assert_allclose(
        alpha_of(path, pixels()), reference(model, pixels()), atol=1e-4, rtol=0
    )


def test_division_keeps_small_divisors(tmp_path: Path) -> None:
    class Ratio(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return (0.01 / (x.amax(1, keepdim=True) + 0.01)).clamp(0, 1)

    path = write(tmp_path / "ratio.mlpackage", Ratio())
    levels = pixels() / 255
    found = alpha_of(path, levels)
    np.testing.assert_allclose(found, reference(Ratio(), levels), atol=1e-6, rtol=0)


# ---- what the file says of itself -----------------------------------------------------------


def test_scales_are_bit_exact(int8_file: Path) -> None:
    model = TinyMatting(3, quantized=True)
    found = scales(load_program(int8_file))
    activations = {(s.values, s.offsets) for s in found if s.kind == "activation"}
    numbers = [step.numbers for step in model.steps if isinstance(step, FakeQuantize)]
    wanted = {((float(np.float32(scale)),), (point,)) for scale, point, _, _ in numbers}
    assert activations == wanted
    weights = [s for s in found if s.kind == "weight"]
    assert [s.values for s in weights] == [tuple(conv.scale.tolist()) for conv in convs_of(model)]
    assert [s.axis for s in weights] == [0, 0, 0, 1, None]
    assert all(s.dtype == "int8" and set(s.zero_points) == {0} for s in weights)


def test_weights_are_the_integers_that_torch_rounds_to(int8_file: Path) -> None:
    model = TinyMatting(3, quantized=True)
    program = load_program(int8_file)
    stored = program.functions["main"].find_ops(op_type="constexpr_affine_dequantize")
    for op, conv in zip(stored, convs_of(model), strict=True):
        levels = torch.ops.aten.quantize_per_channel(
            conv.conv.weight, conv.scale, conv.zero_point, conv.axis, torch.qint8
        ).int_repr()
        np.testing.assert_array_equal(op.quantized_data.val, levels)


def test_proof_of_int8(int8_file: Path) -> None:
    proof = count_int8(load_program(int8_file))
    assert (proof.convolutions, proof.int8_weights, proof.int8_convolutions) == (5, 5, 5)
    assert proof.float_convolutions == ()
    assert is_wholly_int8(proof)
    assert [(i.place, len(i.operations)) for i in proof.islands] == [("entry", 1)]


def test_proof_finds_a_float_island(tmp_path: Path) -> None:
    model = TinyMatting(3, quantized=True)
    model.steps[2] = nn.Identity()  # conv -> conv without a quantizer between
    path = write(tmp_path / "tiny.mlpackage", model, quantized=True)
    proof = count_int8(load_program(path))
    assert not is_wholly_int8(proof)
    assert (proof.int8_weights, proof.int8_convolutions) == (5, 4)
    inside = [island for island in proof.islands if island.place == "inside"]
    assert [len(island.operations) for island in inside] == [1]
    assert inside[0].operations == proof.float_convolutions


def test_a_float_file_is_one_island(tmp_path: Path) -> None:
    path = write(tmp_path / "tiny.mlpackage", TinyMatting(3, quantized=False))
    proof = count_int8(load_program(path))
    assert (proof.convolutions, proof.int8_weights) == (5, 0)
    assert [island.place for island in proof.islands] == ["everywhere"]
    assert not is_wholly_int8(proof)


def test_pictures_and_metadata(tmp_path: Path) -> None:
    path = write(tmp_path / "tiny.mlpackage", TinyMatting(4, quantized=False), channels=4)
    description = coremltools.utils.load_spec(str(path)).description
    image, trimap = (feature.type.imageType for feature in description.input)
    assert [feature.name for feature in description.input] == ["image", "trimap"]
    assert (image.height, image.width) == (HEIGHT, WIDTH)
    assert image.ColorSpace.Name(image.colorSpace) == "RGB"
    assert trimap.ColorSpace.Name(trimap.colorSpace) == "GRAYSCALE"
    assert [feature.name for feature in description.output] == ["alpha"]
    assert list(description.output[0].type.multiArrayType.shape) == [1, 1, HEIGHT, WIDTH]
    about = description.metadata
    assert about.license == "Apache-2.0"
    assert about.author == "edgemat"
    assert about.versionString == "3.1"
    assert about.shortDescription == "A tiny matting network."
    assert json.loads(about.userDefined["edgemat.manifest"]) == {"name": "tiny"}


# ---- the same bytes -------------------------------------------------------------------------


def test_two_conversions_give_the_same_bytes(int8_file: Path, tmp_path: Path) -> None:
    again = write(tmp_path / "other.mlpackage", TinyMatting(3, quantized=True), quantized=True)
    names = [p.relative_to(again) for p in sorted(again.rglob("*")) if p.is_file()]
    assert [name.name for name in names] == ["model.mlmodel", "weight.bin", "Manifest.json"]
    for name in names:
        assert (again / name).read_bytes() == (int8_file / name).read_bytes(), name


def test_validated_once_or_behind_each_pass_the_bytes_are_the_same(
    int8_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edgemat.convert.coreml.validated_once", contextlib.nullcontext)
    again = write(tmp_path / "other.mlpackage", TinyMatting(3, quantized=True), quantized=True)
    assert sha256_tree(again) == sha256_tree(int8_file)


def test_what_passes_leave_is_validated(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(program: object) -> None:
        raise ValueError("spoiled")

    monkeypatch.setattr(Program, "validate", refuse)
    monkeypatch.setattr(PassPipelineManager, "apply_pipeline", staticmethod(lambda *_: None))
    with validated_once(), pytest.raises(ValueError, match="spoiled"):
        PassPipelineManager.apply_pipeline(Program(), PassPipeline())


@pytest.mark.slow
def test_another_process_gives_the_same_bytes(int8_file: Path, tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; import test_coreml as t; "
        "t.write(Path(sys.argv[1]), t.TinyMatting(3, quantized=True), quantized=True)"
    )
    other = tmp_path / "other.mlpackage"
    roots = ":".join(map(str, Path(__file__).parents[:3]))
    environment = {"PYTHONPATH": roots, "PYTHONHASHSEED": "77"}
    subprocess.run([sys.executable, "-c", code, str(other)], check=True, env=environment)
    assert sha256_tree(other) == sha256_tree(int8_file)


def test_reading_leaves_the_package_as_it_is(int8_file: Path) -> None:
    before = sha256_tree(int8_file)
    load_program(int8_file)
    coremltools.utils.load_spec(str(int8_file))  # writes the manifest anew
    assert sha256_tree(int8_file) == before


def test_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    write(tmp_path / "tiny.mlpackage", TinyMatting(3, quantized=False))
    assert capfd.readouterr() == ("", "")


# ---- refusals -------------------------------------------------------------------------------


def test_missing_coremltools_names_the_extra(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "coremltools", None)
    with pytest.raises(MissingToolError, match=r'pip install "edgemat\[deploy\]"'):
        write(tmp_path / "tiny.mlpackage", TinyMatting(3, quantized=False))


class Unpooling(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        top, indices = functional.max_pool2d(x[:, :1], 2, return_indices=True)
        return functional.max_unpool2d(top, indices, [2, 2])


class LogGamma(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.lgamma(x[:, :1])


@pytest.mark.parametrize(("model", "name"), [(Unpooling(), "max_unpool2d"), (LogGamma(), "lgamma")])
def test_unsupported_operation_is_named(model: nn.Module, name: str, tmp_path: Path) -> None:
    with pytest.raises(ConversionError, match=f"operation {name} cannot be converted"):
        write(tmp_path / "net.mlpackage", model)
    assert list(tmp_path.iterdir()) == []


def test_training_mode_is_refused(tmp_path: Path) -> None:
    model = TinyMatting(3, quantized=False).train()
    with pytest.raises(ConversionError, match="training mode"):
        convert_coreml(
            model,
            tmp_path / "tiny.mlpackage",
            height=HEIGHT,
            width=WIDTH,
            channels=3,
            precision="fp32",
            quantized=False,
            **ABOUT,
        )


@pytest.mark.parametrize("quantized", [False, True])
def test_quantized_must_be_said_rightly(quantized: bool, tmp_path: Path) -> None:
    model = TinyMatting(3, quantized=not quantized)
    with pytest.raises(ConversionError, match="fake-quantizers"):
        write(tmp_path / "tiny.mlpackage", model, quantized=quantized)


def test_half_range_activations_are_refused(tmp_path: Path) -> None:
    model = TinyMatting(3, quantized=True)
    model.steps[2] = FakeQuantize(0.0093, 64, 0, 127)
    with pytest.raises(ConversionError, match=r"levels 0\.\.127"):
        write(tmp_path / "tiny.mlpackage", model, quantized=True)


def test_an_existing_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "tiny.mlpackage").mkdir()
    with pytest.raises(ConversionError, match="exists already"):
        write(tmp_path / "tiny.mlpackage", TinyMatting(3, quantized=False))
