"""From a coarse matte to a trimap, and from that to a matte at full resolution."""

from __future__ import annotations

import numpy as np
import pytest

from edgemat.artifacts.artifact import Feeding
from edgemat.errors import ImageError
from edgemat.images import F32
from edgemat.matting.refine import fit_coarse, propose_trimap, refine

SIDE = 250  # of which the reach is two pixels


def disc(radius: float, soft: float) -> F32:
    """A disc whose edge falls from 1 to 0 over `soft` pixels inwards and outwards."""
    y, x = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(y - SIDE / 2, x - SIDE / 2)
    return ((radius + soft - distance) / (2 * soft)).clip(0, 1).astype(np.float32)


def band(alpha: F32) -> int:
    """Unknown pixels along the middle row."""
    return int((propose_trimap(alpha)[SIDE // 2] == 128).sum())


def test_a_sharp_edge_has_a_narrow_band() -> None:
    trimap = propose_trimap(disc(80, 0.01))
    assert trimap[SIDE // 2, SIDE // 2] == 255
    assert trimap[0, 0] == 0
    assert 8 <= band(disc(80, 0.01)) <= 12  # two edges, two pixels to each side


def test_what_is_soft_has_a_wider_band_than_its_softness() -> None:
    soft = int(((disc(80, 6) >= 0.05) & (disc(80, 6) <= 0.95))[SIDE // 2].sum())
    sharp = int(((disc(80, 1) >= 0.05) & (disc(80, 1) <= 0.95))[SIDE // 2].sum())
    assert band(disc(80, 1)) == sharp + 4 * 2
    assert band(disc(80, 6)) > soft + 4 * 2 - 1
    assert propose_trimap(disc(80, 20))[SIDE // 2, SIDE // 2] == 255


def test_the_band_grows_with_the_picture() -> None:
    large = np.repeat(np.repeat(disc(80, 0.01), 4, axis=0), 4, axis=1)
    assert (propose_trimap(large)[SIDE * 2] == 128).sum() >= 4 * (band(disc(80, 0.01)) - 4)


def test_the_frame_is_no_edge() -> None:
    whole = np.ones((SIDE, SIDE), np.float32)
    assert (propose_trimap(whole) == 255).all()
    below = np.zeros((SIDE, SIDE), np.float32)
    below[100:, 50:200] = 1  # a body that the frame cuts
    trimap = propose_trimap(below)
    assert (trimap[-1, 60:190] == 255).all()
    assert (trimap[-1, 47:53] == 128).any()


class Halves:
    """A trimap network that says one half, and keeps what it was given."""

    feeding = Feeding(layout="NHWC", height=64, width=64, channels=4, stride=1, trimap_channel=3)

    def __init__(self) -> None:
        self.tiles = 0

    def predict(self, x: F32) -> F32:
        self.tiles += 1
        return np.full((1, 64, 64, 1), 0.5, np.float32)


def test_only_the_band_is_looked_at_again() -> None:
    image, network = np.zeros((SIDE, SIDE, 3), np.uint8), Halves()
    coarse = disc(80, 2)
    alpha = refine(image, coarse, model=network)
    trimap = propose_trimap(coarse)
    assert (alpha[trimap == 255] == 1).all()
    assert (alpha[trimap == 0] == 0).all()
    assert np.allclose(alpha[trimap == 128], 0.5, atol=1e-6)
    assert 0 < network.tiles < 36


def test_nobody_in_the_picture_needs_no_network() -> None:
    network = Halves()
    nothing = np.zeros((20, 20), np.float32)
    assert not refine(np.zeros((SIDE, SIDE, 3), np.uint8), nothing, model=network).any()
    assert network.tiles == 0


def test_a_coarse_matte_of_another_resolution() -> None:
    assert fit_coarse(disc(80, 2)[::5, ::5], (SIDE, SIDE)).shape == (SIDE, SIDE)


@pytest.mark.parametrize(
    "coarse",
    [
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 1), np.float32),
        np.full((4, 4), 255, np.float32),
        np.full((4, 4), np.nan, np.float32),
    ],
)
def test_what_is_no_matte_is_refused(coarse: F32) -> None:
    with pytest.raises(ImageError, match="coarse matte"):
        fit_coarse(coarse, (SIDE, SIDE))
