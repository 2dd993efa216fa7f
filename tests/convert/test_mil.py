"""The reference executor of ML Programs: whole programs against torch and known values."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

coremltools = pytest.importorskip("coremltools")

from coremltools.converters.mil import Builder  # noqa: E402

from edgemat.convert.apple import quietly  # noqa: E402
from edgemat.convert.mil import as_picture, load_program, run_coreml, run_program  # noqa: E402
from edgemat.errors import (  # noqa: E402
    ArtifactError,
    ConversionError,
    MissingToolError,
    UsageError,
)

SHAPE = (1, 4, 12, 16)


class Branches(nn.Module):
    """Many small functions of one input in one program."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        raise NotImplementedError


class Convolutions(Branches):
    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.layers = nn.ModuleList(
            [
                nn.Conv2d(4, 6, 3, padding=1),
                nn.Conv2d(4, 6, 1, bias=False),
                nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4),
                nn.Conv2d(4, 8, 3, padding=4, dilation=4, groups=2),
                nn.Conv2d(4, 5, (1, 5), stride=(1, 2), padding=(0, 2)),
                nn.Conv2d(4, 4, 4, stride=2, padding=1, bias=False),
                nn.Conv2d(4, 3, 3, padding="same", dilation=2),
                nn.ConvTranspose2d(4, 3, 4, stride=2, padding=1),
                nn.ConvTranspose2d(4, 3, 3, stride=2, padding=1, output_padding=1),
                nn.ConvTranspose2d(4, 6, 2, stride=2, groups=2, bias=False),
            ]
        )
        norm = nn.BatchNorm2d(4)  # behind a ReLU, where no convolution absorbs it
        self.layers.append(nn.Sequential(nn.ReLU(), norm))
        norm.running_mean = torch.linspace(-1, 1, 4)
        norm.running_var = torch.linspace(0.5, 2, 4)
        self.depthwise = torch.rand(4, 1, 3, 3)

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        shifted = functional.pad(x, (0, 1, 0, 1))  # asymmetric, as TensorFlow's MobileNet pads
        return (
            *(layer(x) for layer in self.layers),
            functional.conv2d(shifted, self.depthwise, stride=2, groups=4),
        )


class Pools(Branches):
    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        return (
            functional.max_pool2d(x, 2),
            functional.max_pool2d(x, 3, stride=2, padding=1),
            functional.max_pool2d(x, 3, stride=2, ceil_mode=True),
            functional.avg_pool2d(x, 2),
            functional.avg_pool2d(x, 3, stride=2, padding=1),
            functional.avg_pool2d(x, 3, stride=2, padding=1, count_include_pad=False),
            functional.adaptive_avg_pool2d(x, 1),
            x.mean((2, 3), keepdim=True),
            x.sum(1),
            x.amax((2, 3)),
        )


class Resizing(Branches):
    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        small = functional.adaptive_avg_pool2d(x, 1)
        sizes = ((24, 32), (6, 8), (30, 40), (7, 9))
        bilinear = [
            functional.interpolate(x, size=size, mode="bilinear", align_corners=aligned)
            for size in sizes
            for aligned in (False, True)
        ]
        return (
            *bilinear,
            functional.interpolate(x, scale_factor=4.0, mode="bilinear", align_corners=False),
            functional.interpolate(x, scale_factor=2.0, mode="nearest"),
            functional.interpolate(x, size=(36, 32), mode="nearest"),
            functional.interpolate(small, size=(12, 16), mode="bilinear", align_corners=False),
            functional.pixel_shuffle(x, 2),
            functional.pixel_unshuffle(x, 2),
        )


class Moves(Branches):
    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        first, rest = x.split([1, 3], dim=1)
        a, b = x.chunk(2, dim=1)
        return (
            torch.cat([x, -x], 1),
            torch.stack([a, b], 2),
            rest * first,
            x[:, 1:3, ::2, 1::3],
            x[:, -1],
            x[..., :-2],
            x.reshape(1, 2, 2, -1),
            x.permute(0, 2, 3, 1),
            x.unsqueeze(2).squeeze(0),
            functional.pad(x, (1, 2, 3, 4), value=0.5),
            functional.pad(x, (1, 2, 3, 4), mode="reflect"),
            functional.pad(x, (1, 2, 3, 4), mode="replicate"),
            x.repeat(1, 2, 1, 3),
            x.index_select(1, torch.tensor([3, 0, 0])),
            x.narrow(2, 3, 5),
        )


class Arithmetic(Branches):
    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        y = x.flip(1) * 0.5 + 0.25
        return (
            *(x + y, x - y, x * y, x / (y.abs() + 1), (x.abs() + 1).rsqrt()),
            *(torch.maximum(x, y), torch.minimum(x, y), (x.abs() + 0.1).pow(1.5), x.exp()),
            *(x.relu(), functional.relu6(4 * x), x.clamp(-0.3, 0.7), x.sigmoid(), x.tanh()),
            *(functional.leaky_relu(x), functional.leaky_relu(x, 0.2), functional.gelu(x)),
            functional.gelu(x, approximate="tanh"),
            functional.layer_norm(x, SHAPE[2:]),
            functional.layer_norm(
                x, SHAPE[3:], torch.tensor([0.5, 2.0] * 8), torch.tensor([0.0, 1.0] * 8), 1e-2
            ),
            *(functional.silu(x), x.softmax(1), x.softmax(-1), x.abs().sqrt()),
            torch.where(x > y, x, y * 2),
            torch.where((x >= 0) & ~(y < 0.2), x, -x),
            (x < 0).float() + (x == y).float(),
            x[0] @ x[0].transpose(1, 2),
        )


class Unpooling(Branches):
    """Max-pool and the max-unpool by a mask of its first maximum, in two forms."""

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        parts = [x[:, :, row::2, column::2] for row in (0, 1) for column in (0, 1)]
        top = torch.maximum(torch.maximum(parts[0], parts[1]), torch.maximum(parts[2], parts[3]))
        free, spread = torch.ones_like(top), []
        for part in parts:
            hit = (part == top).to(x.dtype) * free
            free = free - hit
            spread.append(top * hit)
        slices = functional.pixel_shuffle(torch.stack(spread, 2).flatten(1, 2), 2)

        quads = functional.pixel_unshuffle(x, 2).reshape(1, 4, 4, 6, 8)
        position = quads.argmax(2, keepdim=True)
        mask = (position == torch.arange(4).view(1, 1, 4, 1, 1)).to(x.dtype)
        unpooled = (quads.amax(2, keepdim=True) * mask).reshape(1, 16, 6, 8)
        return top, slices, functional.pixel_shuffle(unpooled, 2)


FAMILIES = [Convolutions, Pools, Resizing, Moves, Arithmetic, Unpooling]


def program_of(module: nn.Module, folder: Path, *, half: bool) -> Any:
    """Convert with coremltools alone, save, and read back."""
    precision = coremltools.precision.FLOAT16 if half else coremltools.precision.FLOAT32
    with quietly(), torch.no_grad():
        traced = torch.jit.trace(module.eval(), torch.zeros(SHAPE), check_trace=False)
        model = coremltools.convert(
            traced,
            inputs=[coremltools.TensorType("x", shape=SHAPE)],
            compute_precision=precision,
            minimum_deployment_target=coremltools.target.iOS17,
            skip_model_load=True,
        )
        model.save(str(folder / "net.mlpackage"))
    return load_program(folder / "net.mlpackage")


@pytest.fixture
def x() -> Tensor:
    generator = torch.Generator().manual_seed(3)
    # A coarse grid, so that the 2x2 maxima have ties.
    return torch.randint(-8, 9, SHAPE, generator=generator) / 8


@pytest.mark.parametrize("family", FAMILIES)
def test_float32_programs_agree_with_torch(
    family: type[Branches], x: Tensor, tmp_path: Path
) -> None:
    module = family()
    found = list(run_program(program_of(module, tmp_path, half=False), {"x": x}).values())
    with torch.no_grad():
        wanted = module(x)
    assert len(found) == len(wanted)
    for index, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        np.testing.assert_allclose(ours, theirs.numpy(), atol=1e-5, rtol=0, err_msg=str(index))


@pytest.mark.parametrize("family", [Convolutions, Resizing, Arithmetic])
def test_float16_programs_stay_above_45_db(
    family: type[Branches], x: Tensor, tmp_path: Path
) -> None:
    module = family()
    found = list(run_program(program_of(module, tmp_path, half=True), {"x": x}).values())
    with torch.no_grad():
        wanted = module(x)
    for index, (ours, theirs) in enumerate(zip(found, wanted, strict=True)):
        error = (ours - theirs.numpy()).std() + 1e-12
        decibels = 20 * np.log10(float(theirs.abs().max()) / error)
        assert decibels >= 45, f"output {index}: {decibels:.1f} dB"


def test_max_unpooling_by_mask_is_exact_with_ties(x: Tensor, tmp_path: Path) -> None:
    top, indices = functional.max_pool2d(x, 2, return_indices=True)
    wanted = functional.max_unpool2d(top, indices, [2, 2])
    found = list(run_program(program_of(Unpooling(), tmp_path, half=False), {"x": x}).values())
    np.testing.assert_array_equal(found[1], wanted)
    np.testing.assert_array_equal(found[2], wanted)


# ---- programs written by hand ---------------------------------------------------------------


def hand_written(body: Callable[[Any], Any], shape: tuple[int, ...] = (1, 2, 4, 4)) -> Any:
    with quietly():
        spec = [Builder.TensorSpec(shape=shape)]
        return Builder.program(input_specs=spec, opset_version=coremltools.target.iOS17)(
            lambda x: body(x)
        )


def test_unknown_operation_is_named() -> None:
    program = hand_written(lambda x: Builder.cumsum(x=Builder.relu(x=x), axis=1))
    with pytest.raises(ConversionError, match="cumsum"):
        run_program(program, {"x": np.zeros((1, 2, 4, 4), np.float32)})


def test_unknown_sampling_mode_is_named() -> None:
    program = hand_written(
        lambda x: Builder.resize_bilinear(
            x=x, target_size_height=8, target_size_width=8, sampling_mode="OFFSET_CORNERS"
        )
    )
    with pytest.raises(ConversionError, match="OFFSET_CORNERS"):
        run_program(program, {"x": np.zeros((1, 2, 4, 4), np.float32)})


def test_float16_rounds_at_every_operation() -> None:
    def body(x: Any) -> Any:
        half = Builder.cast(x=x, dtype="fp16")
        return Builder.sub(x=Builder.add(x=half, y=np.float16(2048)), y=np.float16(2048))

    result = run_program(hand_written(body, (1,)), {"x": np.array([1.0])})
    assert next(iter(result.values())) == 0  # 2049 does not exist in float16: half to even is 2048


def test_keep_returns_intermediate_values() -> None:
    program = hand_written(lambda x: Builder.exp(x=Builder.relu(x=x, name="middle"), name="end"))
    feeds = {"x": np.full((1, 2, 4, 4), 2.0)}
    assert set(run_program(program, feeds)) == {"end"}
    every = run_program(program, feeds, keep=True)
    assert set(every) == {"middle", "end"}
    assert every["middle"].max() == 2


@pytest.mark.parametrize(
    ("feeds", "message"),
    [
        ({"y": np.zeros((1, 2, 4, 4))}, "takes x"),
        ({"x": np.zeros((1, 2, 4, 5))}, r"\(1, 2, 4, 4\)"),
    ],
)
def test_wrong_feeds_are_refused(feeds: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        run_program(hand_written(lambda x: Builder.relu(x=x)), feeds)


def test_not_a_package(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="not a Core ML package"):
        load_program(tmp_path)


def test_damaged_package(tmp_path: Path) -> None:
    file = tmp_path / "Data" / "com.apple.CoreML" / "model.mlmodel"
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff" * 40)
    with pytest.raises(ArtifactError, match="damaged"):
        load_program(tmp_path)


# ---- Core ML itself -------------------------------------------------------------------------


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac has Core ML")
def test_core_ml_is_missing_elsewhere(tmp_path: Path) -> None:
    with pytest.raises(MissingToolError, match="macOS only"):
        run_coreml(tmp_path, {})


def test_pictures_for_core_ml() -> None:
    pixels = np.zeros((1, 3, 2, 5), np.float32)
    pixels[0, 1] = 254.6
    picture = as_picture(pixels)
    assert picture.mode == "RGB"
    assert picture.size == (5, 2)
    assert picture.getpixel((0, 0)) == (0, 255, 0)
    assert as_picture(torch.full((1, 1, 2, 2), 128.0)).mode == "L"
