"""Use on photographs: fitting, the guided filter, trimaps of another size, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_mattes import (
    SIZE,
    ChannelPredictor,
    floats,
    noise,
    ramps,
    unknown,
)

from edgemat.errors import ImageError, UsageError
from edgemat.images import F32
from edgemat.matting.guided import GUIDE_EPSILON, GUIDE_RADIUS, guided_coefficients, guided_upsample
from edgemat.matting.matte import fit_trimap, matte
from edgemat.matting.tiling import Letterbox

SIDE = st.integers(32, 200)


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
