"""Cut-outs, background substitution, depth of field: known composites, no bleeding, bad input."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter, zoom

import edgemat.matting.foreground as module
from edgemat.errors import ImageError, UsageError
from edgemat.images import F32, U8
from edgemat.matting.foreground import (
    blur_background,
    cut_out,
    estimate_foreground,
    replace_background,
)

RED, BLUE, GREEN = (np.array(c, np.uint8) for c in ((220, 20, 10), (10, 30, 200), (20, 180, 40)))


@pytest.mark.parametrize("size", [(1, 1), (1, 90), (40, 3), (97, 131), (300, 200)])
@pytest.mark.parametrize("reach", [0, 1, 7, 19])
def test_sums_over_a_disc_are_scipys(size: tuple[int, int], reach: int) -> None:
    """As float32 rounds them, whether the disc or the plane is the larger."""
    random = np.random.default_rng(0)
    plane = random.integers(0, 256, size).astype(np.float32)
    disc = random.random((2 * reach + 1, 2 * reach + 1), dtype=np.float32)
    disc /= disc.sum()
    expected = convolve(plane.astype(np.float64), disc, mode="constant")
    np.testing.assert_allclose(module._convolve(plane, disc), expected, atol=255 * 1e-7)


def test_a_transform_has_a_size_that_it_is_quick_at() -> None:
    sizes = {least: module._quick_size(least) for least in (1, 7, 13, 121, 1019, 12019)}
    assert sizes == {1: 1, 7: 8, 13: 15, 121: 125, 1019: 1024, 12019: 12150}


def soft_disc(height: int = 90, width: int = 120, *, edge: float = 8.0) -> F32:
    """A disc with a soft rim: 1 inside, 0 outside, `edge` pixels between."""
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(y - height / 2, x - width / 2)
    return np.clip((height / 3 - distance) / edge + 0.5, 0, 1).astype(np.float32)


def mix(foreground: Any, background: Any, alpha: F32) -> U8:
    a = alpha[..., None]
    return (a * foreground + (1 - a) * background).round().astype(np.uint8)


def smooth_colours(seed: int, height: int = 90, width: int = 120) -> F32:
    """Colours between 40 and 215 that change over about 30 pixels."""
    coarse = np.random.default_rng(seed).uniform(40, 215, (4, 5, 3))
    fine = zoom(coarse, (height / 4, width / 5, 1), order=1, mode="nearest")
    return gaussian_filter(fine, (5, 5, 0)).astype(np.float32)


def test_flat_colours_are_recovered() -> None:
    alpha = soft_disc()
    foreground = estimate_foreground(mix(RED, BLUE, alpha), alpha)
    shows = alpha > 0.05
    np.testing.assert_allclose(foreground[shows].astype(int) - RED, 0, atol=6)
    opaque = foreground[alpha > 0.5].astype(int) - RED
    np.testing.assert_allclose(opaque, 0, atol=2)


def test_varying_colours_are_recovered() -> None:
    alpha, true = soft_disc(), smooth_colours(1)
    image = mix(true, smooth_colours(2), alpha)
    rgba = cut_out(image, alpha)
    partial = (alpha > 0.1) & (alpha < 1)
    error = np.abs(rgba[partial][:, :3] - true[partial]).mean()
    assert error < 6
    # a plain cut-out would keep the picture's own colours
    assert error < np.abs(image[partial] - true[partial]).mean() / 2
    np.testing.assert_array_equal(rgba[..., 3], np.round(alpha * 255))


@pytest.mark.parametrize("limit", [1_000_000, 2_000])
def test_opaque_pixels_keep_their_exact_colour(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ESTIMATE_PIXELS", limit)
    alpha = soft_disc()
    image = np.random.default_rng(0).integers(0, 256, (*alpha.shape, 3), dtype=np.uint8)
    foreground = estimate_foreground(image, alpha)
    np.testing.assert_array_equal(foreground[alpha == 1], image[alpha == 1])


def test_a_large_picture_is_estimated_small_and_refined(monkeypatch: pytest.MonkeyPatch) -> None:
    alpha = soft_disc(edge=12)
    image = mix(smooth_colours(1), smooth_colours(2), alpha)
    whole = estimate_foreground(image, alpha).astype(int)
    monkeypatch.setattr(module, "ESTIMATE_PIXELS", alpha.size // 9)
    reduced = estimate_foreground(image, alpha).astype(int)
    assert np.abs(whole - reduced)[alpha > 0.1].mean() < 4


def test_before_its_own_background_the_picture_is_unchanged() -> None:
    alpha = soft_disc()
    background = smooth_colours(2).round().astype(np.uint8)
    image = mix(smooth_colours(1), background, alpha)
    result = replace_background(image, alpha, background)
    assert np.abs(result.astype(int) - image).max() <= 8
    np.testing.assert_array_equal(result[alpha == 0], background[alpha == 0])


@pytest.mark.parametrize(("height", "width"), [(180, 400), (400, 240), (45, 60), (1, 1)])
def test_a_new_background_covers_and_is_centred(height: int, width: int) -> None:
    alpha = soft_disc()
    background = np.tile(GREEN, (height, width, 1))
    if width > 2 * height:  # stripes at the far sides lie outside the crop
        background[:, : (width - 240) // 2], background[:, -((width - 240) // 2) :] = 255, 255
    before = background.copy()
    result = replace_background(mix(RED, BLUE, alpha), alpha, background)
    assert result.shape == (*alpha.shape, 3)
    np.testing.assert_array_equal(result[alpha == 0] - GREEN, 0)
    np.testing.assert_array_equal(result[alpha == 1] - RED, 0)
    np.testing.assert_array_equal(background, before)


@pytest.mark.parametrize("radius", [0.5, 3, 12, 40, 200])
def test_blur_does_not_bleed_the_foreground(radius: float) -> None:
    alpha = soft_disc()
    result = blur_background(mix(RED, BLUE, alpha), alpha, radius).astype(int)
    np.testing.assert_allclose(result[alpha == 0] - BLUE, 0, atol=3)
    np.testing.assert_array_equal(result[alpha == 1] - RED, 0)
    np.testing.assert_allclose(result, mix(RED, BLUE, alpha), atol=4)


@pytest.mark.parametrize("radius", [4, 12])
def test_blur_is_a_mean_over_a_disc(radius: int) -> None:
    """A white point far from the foreground becomes a disc of the same light."""
    alpha = np.zeros((160, 160), np.float32)
    alpha[:8, :8] = 1
    image = np.zeros((160, 160, 3), np.uint8)
    image[92:108, 92:108] = 255
    result = blur_background(image, alpha, radius).astype(float)[..., 0]
    assert result.sum() == pytest.approx(255 * 256, rel=0.02)
    row = np.flatnonzero(result[100] > 1)
    assert row[0] == pytest.approx(92 - radius, abs=1.5)
    assert row[-1] == pytest.approx(107 + radius, abs=1.5)


def test_blur_is_the_same_in_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    alpha = soft_disc()
    image = np.random.default_rng(0).integers(0, 256, (*alpha.shape, 3), dtype=np.uint8)
    whole = blur_background(image, alpha, 5)
    monkeypatch.setattr("edgemat.matting.tiling._BAND_PIXELS", 1000)
    assert np.abs(blur_background(image, alpha, 5).astype(int) - whole).max() <= 1


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_matte_that_is_all_the_same(value: float) -> None:
    alpha = np.full((64, 70), value, np.float32)
    image = np.tile(BLUE, (64, 70, 1))
    np.testing.assert_array_equal(blur_background(image, alpha, 6), image)
    np.testing.assert_array_equal(cut_out(image, alpha)[..., 3], round(255 * value))
    replaced = replace_background(image, alpha, np.tile(GREEN, (9, 9, 1)))
    np.testing.assert_array_equal(replaced - (BLUE if value else GREEN), 0)


@pytest.mark.parametrize("radius", [0, -3, 501, float("nan"), float("inf")])
def test_an_impossible_radius_is_refused(radius: float) -> None:
    with pytest.raises(UsageError, match="impossible"):
        blur_background(np.zeros((40, 40, 3), np.uint8), np.ones((40, 40), np.float32), radius)


@pytest.mark.parametrize(
    ("image", "alpha"),
    [
        (np.zeros((40, 40, 3), np.uint8), np.ones((40, 41), np.float32)),
        (np.zeros((40, 40, 3), np.uint8), np.full((40, 40), 1.01, np.float32)),
        (np.zeros((40, 40, 3), np.uint8), np.full((40, 40), np.nan, np.float32)),
        (np.zeros((40, 40, 3), np.uint8), np.zeros((40, 40), np.uint8)),
        (np.zeros((40, 40, 3), np.float32), np.ones((40, 40), np.float32)),
    ],
)
def test_impossible_input_is_refused(image: Any, alpha: Any) -> None:
    for function in (estimate_foreground, cut_out):
        with pytest.raises(ImageError):
            function(image, alpha)


def test_a_grey_background_is_refused() -> None:
    with pytest.raises(ImageError, match="background"):
        replace_background(
            np.zeros((40, 40, 3), np.uint8),
            np.ones((40, 40), np.float32),
            np.zeros((40, 40), np.uint8),
        )
