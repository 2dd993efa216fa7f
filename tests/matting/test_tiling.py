"""Tiles and bands of large pictures: they blend to the whole, and known pixels stay known."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toy_mattes import (
    SIZE,
    ChannelPredictor,
    floats,
    noise,
    unknown,
)

from edgemat.images import F32, resize
from edgemat.matting.matte import matte
from edgemat.matting.tiling import bands, resized_rows, tile_axis

SIDE = st.integers(32, 200)


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
