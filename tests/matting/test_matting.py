"""Use on photographs: fitting, tiles, the guided filter, known pixels, colours, bad input."""

from __future__ import annotations

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_tflite import TinyGraph, conv_options

from edgemat.artifacts.artifact import Artifact, Cost, Feeding
from edgemat.artifacts.draft import Draft, write_artifact
from edgemat.errors import ArtifactError, ImageError, MissingToolError, UsageError
from edgemat.images import F32, U8, resize
from edgemat.matting.guided import GUIDE_EPSILON, GUIDE_RADIUS, guided_coefficients, guided_upsample
from edgemat.matting.matte import fit_trimap, matte
from edgemat.matting.predict import load_predictor
from edgemat.matting.predictor import Predictor
from edgemat.matting.tiling import Letterbox, bands, resized_rows, tile_axis

SIZE = (48, 64)
SIDE = st.integers(32, 200)


def feeding(channels: Any, size: tuple[int, int] = SIZE) -> Feeding:
    return Feeding(
        layout="NHWC",
        height=size[0],
        width=size[1],
        channels=channels,
        stride=16,
        trimap_channel=3 if channels == 4 else None,
    )


class ChannelPredictor:
    """Returns one channel of its input as alpha, counts its runs and keeps the last input."""

    def __init__(self, channels: int, *, channel: int = 0, size: tuple[int, int] = SIZE) -> None:
        self.feeding = feeding(channels, size)
        self.channel = channel
        self.runs = 0

    def predict(self, x: F32) -> F32:
        assert x.shape == (1, self.feeding.height, self.feeding.width, self.feeding.channels)
        assert x.dtype == np.float32
        self.runs += 1
        self.seen = x[0]
        return x[..., self.channel : self.channel + 1]


def write_channel_model(path: Path, *, channels: int, size: tuple[int, int] = SIZE) -> Path:
    """Write a .tflite file that returns the first channel."""
    weight = np.zeros((1, 1, 1, channels), np.float32)
    weight[..., 0] = 1
    graph = TinyGraph()
    image = graph.tensor((1, *size, channels))
    kernel = graph.tensor(weight.shape, content=weight)
    bias = graph.tensor((1,), content=np.zeros(1, np.float32))
    alpha = graph.tensor((1, *size, 1))
    graph.op("CONV_2D", [image, kernel, bias], [alpha], conv_options())
    return graph.write(path, inputs=[image], outputs=[alpha])


def artifact(folder: Path, fill: Callable[[Path], Any], *, payload: str, **fields: Any) -> Artifact:
    defaults: dict[str, Any] = {
        "name": "tiny",
        "kind": "tflite",
        "architecture": "pspm-b5",
        "config": {},
        "task": "portrait",
        "feeding": feeding(3),
        "parent": None,
        "cost": Cost(parameters=3, macs=0.0),
        "demonstration": True,
        "licence": "Apache-2.0",
        "data_notice": "none",
    }
    return write_artifact(folder, fill, Draft(payload=payload, **defaults | fields))


def floats(*shape: int) -> F32:
    return np.random.default_rng(1).random(shape, dtype=np.float32)


def noise(height: int, width: int) -> U8:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def ramps(height: int, width: int) -> U8:
    """Red rises from left to right, green from top to bottom, at pixel centres."""
    red = np.broadcast_to((np.arange(width) + 0.5) / width, (height, width))
    green = np.broadcast_to(((np.arange(height) + 0.5) / height)[:, None], (height, width))
    return np.dstack([red * 255, green * 255, np.full_like(red, 90)]).round().astype(np.uint8)


def unknown(height: int, width: int) -> U8:
    return np.full((height, width), 128, np.uint8)


# Fitting a whole picture


@given(height=st.integers(1, 3000), width=st.integers(1, 3000))
def test_letterbox_keeps_the_aspect_ratio_and_fills_one_axis(height: int, width: int) -> None:
    fit = Letterbox.fit((height, width), SIZE)
    assert fit.height == SIZE[0] or fit.width == SIZE[1]
    scale = min(SIZE[0] / height, SIZE[1] / width)
    assert abs(fit.height - height * scale) <= 0.5 or fit.height == 1
    assert abs(fit.width - width * scale) <= 0.5 or fit.width == 1
    small = floats(fit.height, fit.width, 3)
    frame = fit.pad(small)
    assert frame.shape == (*SIZE, 3)
    np.testing.assert_array_equal(fit.crop(frame[..., 0]), small[..., 0])
    np.testing.assert_array_equal(frame[0, 0], small[0, 0])
    np.testing.assert_array_equal(frame[-1, -1], small[-1, -1])


@settings(deadline=None, max_examples=60)
@given(height=SIDE, width=SIDE, channel=st.integers(0, 1))
def test_alpha_lies_where_the_picture_lies(height: int, width: int, channel: int) -> None:
    image = ramps(height, width)
    alpha = matte(image, model=ChannelPredictor(3, channel=channel))
    assert alpha.shape == (height, width)
    assert alpha.dtype == np.float32
    # one pixel of the model's size is at least 1/64 of the ramp
    np.testing.assert_allclose(alpha, image[..., channel] / 255, atol=0.01)


def test_a_picture_of_the_models_size_passes_unchanged() -> None:
    image = noise(*SIZE)
    alpha = matte(image, model=ChannelPredictor(3))
    np.testing.assert_allclose(alpha, image[..., 0] / 255, atol=1e-6)


@pytest.mark.parametrize("size", [(33, 1000), (1000, 33), (32, 12_000)])
def test_long_pictures_are_possible(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 51, np.uint8)
    np.testing.assert_allclose(matte(image, model=ChannelPredictor(3)), 0.2, atol=1e-5)


def test_strands_follow_the_picture() -> None:
    """A strand two pixels wide, a third of the model's pixel, comes back sharp."""
    image = np.full((288, 384, 3), 30, np.uint8)
    image[:, 200:202] = (230, 200, 60)
    truth = (image[..., 0].astype(np.float32) - 30) / 200

    class Truth(ChannelPredictor):
        def predict(self, x: F32) -> F32:
            return ((x[..., :1] - 30 / 255) * 255 / 200).astype(np.float32)

    alpha = matte(image, model=Truth(3))
    assert np.abs(alpha - truth).max() < 0.1


# Guided filter


def slow_guided_filter(guide: F32, target: F32, *, radius: int, epsilon: float) -> Any:
    """The definition, window by window (He et al. 2013, eq. 19 to 21)."""
    height, width = target.shape
    sums, counts = np.zeros((height, width, 4)), np.zeros((height, width, 1))
    for y in range(height):
        for x in range(width):
            rows = slice(max(0, y - radius), y + radius + 1)
            columns = slice(max(0, x - radius), x + radius + 1)
            colours = guide[rows, columns].reshape(-1, 3).astype(np.float64)
            values = target[rows, columns].reshape(-1).astype(np.float64)
            centred = colours - colours.mean(0)
            variance = centred.T @ centred / len(values)
            covariance = centred.T @ (values - values.mean()) / len(values)
            a = np.linalg.inv(variance + epsilon * np.eye(3)) @ covariance
            sums[rows, columns] += [*a, values.mean() - a @ colours.mean(0)]
            counts[rows, columns] += 1
    return sums / counts


@settings(deadline=None, max_examples=20)
@given(height=st.integers(2, 12), width=st.integers(2, 12), radius=st.integers(1, 4))
def test_guided_filter_is_its_definition(height: int, width: int, radius: int) -> None:
    guide = floats(height, width, 3)
    target = floats(height, width)
    fast = guided_coefficients(guide, target, radius=radius, epsilon=1e-3)
    slow = slow_guided_filter(guide, target, radius=radius, epsilon=1e-3)
    np.testing.assert_allclose(fast, slow, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("value", [0.0, 0.25, 1.0])
def test_guided_filter_keeps_constants_whatever_the_texture(value: float) -> None:
    small = floats(24, 30, 3)
    alpha = np.full((24, 30), value, np.float32)
    np.testing.assert_allclose(guided_upsample(alpha, small, noise(101, 97)), value, atol=1e-6)


def test_guided_upsample_at_the_same_size_is_the_filter() -> None:
    image = noise(40, 50)
    small = (image / 255).astype(np.float32)
    alpha = floats(40, 50)
    c = slow_guided_filter(small, alpha, radius=GUIDE_RADIUS, epsilon=GUIDE_EPSILON)
    expected = (c[..., :3] * small).sum(-1) + c[..., 3]
    np.testing.assert_allclose(guided_upsample(alpha, small, image), expected, atol=1e-5)


# Tiles and bands


@given(size=st.integers(1, 64), extra=st.integers(0, 400))
def test_tile_weights_add_up_to_one(size: int, extra: int) -> None:
    spans = tile_axis(size + extra, size)
    total = np.zeros(size + extra)
    for span in spans:
        assert span.weights.shape == (size,)
        assert span.start >= 0
        total[span.slice] += span.weights
    np.testing.assert_allclose(total, 1, atol=1e-6)
    overlaps = [a.start + size - b.start for a, b in pairwise(spans)]
    assert all(overlap >= size // 4 for overlap in overlaps)


@settings(deadline=None, max_examples=40)
@given(height=SIDE, width=SIDE)
def test_tiles_blend_to_the_identity(height: int, width: int) -> None:
    image = noise(height, width)
    alpha = matte(image, unknown(height, width), model=ChannelPredictor(4))
    np.testing.assert_allclose(alpha, image[..., 0] / 255, atol=1e-6)


def test_a_picture_smaller_than_a_tile_is_continued_by_its_edge() -> None:
    image, model = noise(40, 50), ChannelPredictor(4)
    trimap = unknown(40, 50)
    trimap[-1] = 255
    matte(image, trimap, model=model)
    inside = np.dstack([image, trimap]) / np.float32(255)
    np.testing.assert_allclose(model.seen[:40, :50], inside, atol=1e-6)
    np.testing.assert_array_equal(model.seen[40:, :50], np.tile(model.seen[39:40, :50], (8, 1, 1)))
    np.testing.assert_array_equal(model.seen[:, 50:], np.tile(model.seen[:, 49:50], (1, 14, 1)))


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("size", [(40, 40), (130, 170)])
def test_alpha_never_leaves_its_range(channels: int, size: tuple[int, int]) -> None:
    class Wild(ChannelPredictor):
        def predict(self, x: F32) -> F32:
            return 3 * x[..., :1] - 1

    trimap = unknown(*size) if channels == 4 else None
    alpha = matte(noise(*size), trimap, model=Wild(channels))
    assert alpha.min() == 0
    assert alpha.max() == 1


@pytest.mark.parametrize("size", [(33, 1000), (1000, 33), (48, 64), (32, 32)])
def test_tiles_of_extreme_pictures(size: tuple[int, int]) -> None:
    image = noise(*size)
    alpha = matte(image, unknown(*size), model=ChannelPredictor(4))
    np.testing.assert_allclose(alpha, image[..., 0] / 255, atol=1e-6)


def test_the_network_sees_the_trimap_as_the_training_does() -> None:
    trimap = unknown(*SIZE)
    trimap[:10], trimap[-10:] = 0, 255
    alpha = matte(noise(*SIZE), trimap, model=ChannelPredictor(4, channel=3))
    np.testing.assert_allclose(alpha[10:-10], 128 / 255, atol=1e-6)


def test_only_tiles_of_the_unknown_region_are_run() -> None:
    image, trimap = noise(300, 400), np.zeros((300, 400), np.uint8)
    trimap[5, 7] = 128
    trimap[100:, 100:] = 255
    model, seen = ChannelPredictor(4), []
    alpha = matte(image, trimap, model=model, progress=lambda done, of: seen.append((done, of)))
    assert model.runs == 1
    assert seen == [(1, 1)]
    assert alpha[5, 7] == pytest.approx(image[5, 7, 0] / 255, abs=1e-6)
    np.testing.assert_array_equal(alpha[100:, 100:], 1)
    np.testing.assert_array_equal(alpha[:5], 0)


@pytest.mark.parametrize("channels", [3, 4])
def test_known_pixels_come_from_the_trimap(channels: int) -> None:
    image, trimap = noise(100, 120), unknown(100, 120)
    trimap[:30], trimap[60:] = 0, 255
    before = trimap.copy()
    alpha = matte(image, trimap, model=ChannelPredictor(channels))
    np.testing.assert_array_equal(alpha[:30], 0)
    np.testing.assert_array_equal(alpha[60:], 1)
    assert 0.2 < alpha[30:60].mean() < 0.8
    np.testing.assert_array_equal(trimap, before)


def test_a_trimap_without_unknown_pixels_is_the_matte() -> None:
    trimap = np.zeros((50, 60), np.uint8)
    trimap[20:] = 255
    model = ChannelPredictor(4)
    np.testing.assert_array_equal(matte(noise(50, 60), trimap, model=model), trimap / 255)
    assert model.runs == 0


def test_bands_cover_every_row_once() -> None:
    parts = list(bands(5000, 3000))
    assert len(parts) > 1
    assert [row for part in parts for row in range(part.start, part.stop)] == list(range(5000))


@given(
    height=st.integers(1, 60),
    width=st.integers(1, 60),
    cut=st.floats(0, 1),
    rows=st.integers(1, 90),
)
def test_resized_rows_are_those_of_the_whole(
    height: int, width: int, cut: float, rows: int
) -> None:
    picture = floats(rows, 5, 2)
    whole = resize(picture, (height, width), method="bilinear")
    at = min(height - 1, int(cut * height))
    for part in (slice(0, at + 1), slice(at, height)):
        result = resized_rows(picture, (height, width), part)
        np.testing.assert_allclose(result, whole[part], atol=1e-5)


# Trimaps of another size, and bad input


def test_a_smaller_trimap_is_resized() -> None:
    trimap = np.zeros((50, 60), np.uint8)
    trimap[:, 30:], trimap[:, 29] = 255, 77
    fitted = fit_trimap(trimap, (100, 121))
    assert fitted.shape == (100, 121)
    assert set(np.unique(fitted)) == {0, 128, 255}
    alpha = matte(np.zeros((100, 121, 3), np.uint8), trimap, model=ChannelPredictor(4))
    np.testing.assert_array_equal(alpha[:, 62:], 1)


@pytest.mark.parametrize("size", [(60, 50), (50, 62), (52, 60)])
def test_a_trimap_of_another_shape_is_refused(size: tuple[int, int]) -> None:
    with pytest.raises(UsageError, match="another shape"):
        matte(noise(50, 60), unknown(*size), model=ChannelPredictor(4))


def test_a_trimap_model_asks_for_its_trimap() -> None:
    with pytest.raises(UsageError, match="--trimap"):
        matte(noise(50, 60), model=ChannelPredictor(4))


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((50, 60, 3), np.float32),
        np.zeros((50, 60), np.uint8),
        np.zeros((50, 60, 4), np.uint8),
        np.zeros((31, 60, 3), np.uint8),
        np.zeros((32, 12_001, 3), np.uint8),
    ],
)
def test_impossible_images_are_refused(image: Any) -> None:
    with pytest.raises(ImageError):
        matte(image, model=ChannelPredictor(3))


@pytest.mark.parametrize(
    "trimap", [np.full((50, 60), 0.5), np.zeros((50, 60, 3), np.uint8), np.zeros((0, 0), np.uint8)]
)
def test_impossible_trimaps_are_refused(trimap: Any) -> None:
    with pytest.raises(ImageError, match="trimap"):
        matte(noise(50, 60), trimap, model=ChannelPredictor(4))


# Artefacts and files


@pytest.mark.parametrize("channels", [3, 4])
def test_a_tflite_artifact_mattes_a_picture(tmp_path: Path, channels: int) -> None:
    made = artifact(
        tmp_path,
        lambda folder: write_channel_model(folder / "model.tflite", channels=channels),
        payload="model.tflite",
        feeding=feeding(channels),
    )
    image = ramps(90, 131)
    trimap = unknown(90, 131) if channels == 4 else None
    results = [
        matte(image, trimap, model=model)
        for model in (made, made.path, str(made.payload), load_predictor(made, threads=1))
    ]
    np.testing.assert_allclose(results[0], image[..., 0] / 255, atol=0.01)
    for other in results[1:]:
        np.testing.assert_array_equal(other, results[0])


def test_a_manifest_that_contradicts_its_file_is_refused(tmp_path: Path) -> None:
    made = artifact(
        tmp_path,
        lambda folder: write_channel_model(folder / "model.tflite", channels=3, size=(32, 32)),
        payload="model.tflite",
    )
    with pytest.raises(ArtifactError, match="manifest"):
        load_predictor(made)


def test_a_tflite_file_that_is_no_matting_model_is_refused(tmp_path: Path) -> None:
    path = write_channel_model(tmp_path / "grey.tflite", channels=1)
    with pytest.raises(ArtifactError, match=r"\(1, 48, 64, 1\)"):
        load_predictor(path)


def test_a_damaged_payload_is_refused(tmp_path: Path) -> None:
    made = artifact(
        tmp_path,
        lambda folder: write_channel_model(folder / "model.tflite", channels=3),
        payload="model.tflite",
    )
    made.payload.write_bytes(b"something else")
    with pytest.raises(ArtifactError, match="damaged"):
        matte(noise(40, 40), model=made.path)


def test_a_coreml_artifact_names_the_file_to_take_instead(tmp_path: Path) -> None:
    made = artifact(
        tmp_path,
        lambda folder: (folder / "model.mlpackage").write_bytes(b"x"),
        payload="model.mlpackage",
        kind="coreml",
    )
    with pytest.raises(ArtifactError, match=r"\.tflite"):
        load_predictor(made)


def test_a_float_artifact_is_run_through_torch(tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    from safetensors.torch import save_file

    from edgemat.models import create_model

    torch.manual_seed(0)
    network = create_model("pspm-b5", width=0.25).eval()
    made = artifact(
        tmp_path,
        lambda folder: save_file(network.state_dict(), folder / "weights.safetensors"),
        payload="weights.safetensors",
        kind="float",
        config={"width": 0.25},
        feeding=Feeding(layout="NCHW", height=48, width=64, channels=3, stride=16),
    )
    x = floats(1, 48, 64, 3)
    with torch.no_grad():
        # another memory layout rounds differently, and then near ties of max-pooling flip
        batch = torch.from_numpy(x).permute(0, 3, 1, 2).contiguous()
        expected = network(batch).alpha.clamp(0, 1)[0, 0]
    predictor: Predictor = load_predictor(made)
    np.testing.assert_allclose(predictor.predict(x)[0, ..., 0], expected.numpy(), atol=1e-6)
    assert matte(noise(70, 100), model=predictor).shape == (70, 100)


def test_float_weights_of_another_configuration_are_refused(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from safetensors.torch import save_file

    from edgemat.models import create_model

    weights = create_model("pspm-b5", width=0.25).state_dict()
    made = artifact(
        tmp_path,
        lambda folder: save_file(weights, folder / "weights.safetensors"),
        payload="weights.safetensors",
        kind="float",
        config={"width": 0.5},
    )
    with pytest.raises(ArtifactError, match="do not fit"):
        load_predictor(made)


def test_a_float_artifact_without_torch_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = artifact(
        tmp_path,
        lambda folder: (folder / "weights.safetensors").write_bytes(b"x"),
        payload="weights.safetensors",
        kind="float",
    )
    for loaded in ("edgemat.matting.torch_predictor", "edgemat.artifacts.weights"):
        monkeypatch.delitem(sys.modules, loaded, raising=False)
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(MissingToolError, match="pip install"):
        load_predictor(made)
