"""Every procedural kind stays in range, is repeatable, and has the statistics of its kind."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgemat.data.drawn.canvas import Canvas
from edgemat.data.drawn.source import _OBJECTS, OBJECT_KINDS, ProceduralSource
from edgemat.data.drawn.textures import SETTINGS, background_texture, random_colour
from edgemat.data.sample import rng_for

SIZE = (128, 128)
# Kinds that need not have any opaque pixel.
TRANSPARENT = {"translucent", "smoke", "blurred", "threads", "grass", "twigs"}
# Least and most of the mean share of partial pixels (12 pictures of 128 x 128).
PARTIAL = {
    "hair": (0.08, 0.60), "fur": (0.04, 0.50), "net": (0.10, 0.75), "leaves": (0.03, 0.35),
    "translucent": (0.20, 0.80), "blurred": (0.15, 0.80), "grass": (0.08, 0.65),
    "yarn": (0.04, 0.40), "cutout": (0.01, 0.20), "feather": (0.08, 0.50), "lace": (0.06, 0.50),
    "twigs": (0.03, 0.40), "smoke": (0.35, 0.95), "flowers": (0.02, 0.35), "threads": (0.05, 0.60),
}  # fmt: skip


@given(st.sampled_from(OBJECT_KINDS), st.integers(0, 2**32 - 1), st.integers(32, 110))
@settings(max_examples=40, deadline=None)
def test_drawings_stay_in_range(kind: str, seed: int, side: int) -> None:
    size = (side, 140 - side)
    foreground, alpha = _OBJECTS[kind](rng_for(seed, 0), size)
    assert alpha.shape == size and foreground.shape == (*size, 3)
    assert alpha.dtype == foreground.dtype == np.float32
    assert np.isfinite(foreground).all() and np.isfinite(alpha).all()
    assert alpha.min() >= 0 and alpha.max() <= 1 + 1e-6
    assert foreground.min() >= -1e-6 and foreground.max() <= 1 + 1e-6


@pytest.mark.parametrize("kind", OBJECT_KINDS)
def test_each_kind_has_its_share_of_partial_alphas(kind: str) -> None:
    source = ProceduralSource(5, size=SIZE, kinds=(kind,))
    alphas = np.stack([source[k].alpha for k in range(12)])
    low, high = PARTIAL[kind]
    assert low < ((alphas > 4) & (alphas < 251)).mean() < high
    assert (alphas == 0).any()
    assert alphas.max() > 200
    if kind not in TRANSPARENT:
        assert (alphas == 255).mean() > 0.02


@pytest.mark.parametrize("kind", OBJECT_KINDS)
def test_the_order_of_calls_does_not_matter(kind: str) -> None:
    alone = ProceduralSource(3, size=(48, 64), kinds=(kind,))
    busy = ProceduralSource(3, size=(48, 64), kinds=(kind,))
    other = ProceduralSource(3, size=(64, 48), kinds=(kind,))
    for k in (4, 2):
        busy[k], other[k], busy.background(k)
    np.testing.assert_array_equal(alone[1].alpha, busy[1].alpha)
    np.testing.assert_array_equal(alone[1].colours, busy[1].colours)


@pytest.mark.parametrize("kind", sorted(set(OBJECT_KINDS) - {"smoke", "translucent", "blurred"}))
def test_foregrounds_are_not_flat(kind: str) -> None:
    source = ProceduralSource(6, size=SIZE, kinds=(kind,))
    spreads = []
    for k in range(6):
        matte = source[k]
        spreads.append(matte.colours[matte.alpha > 127].astype(float).std(axis=0).mean())
    assert np.median(spreads) > 8


def test_colours_reach_beyond_the_coverage() -> None:
    texture = np.zeros((40, 40, 3), np.float32)
    canvas = Canvas(texture)
    corners = np.array([[10.0, 10.0], [30.0, 10.0], [30.0, 30.0], [10.0, 30.0]])
    canvas.fill(corners, np.ones(3, np.float32))
    line = np.array([[[2.0, 35.0], [38.0, 36.5]]])
    canvas.strokes(line, np.array([1.0]), np.ones((1, 3)))
    foreground, alpha = canvas.finish(np.random.default_rng(0), focus=False)
    assert alpha.sum() == pytest.approx(20 * 20 + 36, rel=0.08)
    assert foreground[alpha > 0.25].min() > 0.6, "no dark fringe"


def test_no_stroke_at_all_is_drawn_as_well() -> None:
    """Once in 400 strings of yarn, no fibre stands out."""
    canvas = Canvas(np.full((40, 40, 3), 0.5, np.float32))
    canvas.strokes(np.zeros((0, 4, 2), np.float32), np.zeros(0), np.zeros((0, 3)))
    assert canvas.finish(np.random.default_rng(0), focus=False)[1].max() == 0


def test_streaks_cover_nothing() -> None:
    canvas = Canvas(np.zeros((40, 40, 3), np.float32))
    line = np.array([[[2.0, 20.0], [38.0, 20.0]]])
    canvas.strokes(line, np.array([2.0]), np.ones((1, 3)), cover=False)
    foreground, alpha = canvas.finish(np.random.default_rng(0), focus=False)
    assert alpha.max() == 0 and foreground.max() > 0.9


@pytest.mark.parametrize("setting", SETTINGS, ids=lambda s: s.__name__)
def test_settings_fill_the_picture(setting) -> None:  # type: ignore[no-untyped-def]
    for seed in range(3):
        rng = rng_for(seed, 1)
        texture = setting(rng, (40, 90), [random_colour(rng) for _ in range(3)])
        assert texture.shape == (40, 90, 3) and np.isfinite(texture).all()
        assert texture.min() >= -1e-6 and texture.max() <= 1 + 1e-6
        assert texture.std() > 0


def test_backgrounds_differ_from_each_other() -> None:
    means = [background_texture(rng_for(k, 1), (32, 32)).mean() for k in range(12)]
    assert np.std(means) > 0.05
