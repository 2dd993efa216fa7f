"""From a coarse matte to a trimap, and from that to a matte at full resolution."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from calling import Call

from edgemat.artifacts.artifact import Feeding
from edgemat.errors import ImageError
from edgemat.images import F32, write_image
from edgemat.matting.cutting import Cutter, Frame
from edgemat.matting.finish import Finish
from edgemat.matting.refine import fit_coarse, refine
from edgemat.matting.unknown import trimap_of_matte

SIDE = 250  # of which the reach is two pixels


def disc(radius: float, soft: float) -> F32:
    """A disc whose edge falls from 1 to 0 over `soft` pixels inwards and outwards."""
    y, x = np.mgrid[:SIDE, :SIDE]
    distance = np.hypot(y - SIDE / 2, x - SIDE / 2)
    return ((radius + soft - distance) / (2 * soft)).clip(0, 1).astype(np.float32)


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
    trimap = trimap_of_matte(coarse)
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


class Coarse:
    """A portrait network that says a soft disc."""

    feeding = Feeding(layout="NHWC", height=SIDE, width=SIDE, channels=3, stride=1)

    def predict(self, x: F32) -> F32:
        return disc(80, 4)[None, ..., None]


def test_what_is_cut_out_is_looked_at_again() -> None:
    image, network = np.zeros((SIDE, SIDE, 3), np.uint8), Halves()
    once = Cutter(Coarse(), Finish()).alpha(Frame(image), None)
    twice = Cutter(Coarse(), Finish(), refiner=network).alpha(Frame(image), None)
    assert network.tiles > 0
    band = trimap_of_matte(once) == 128
    assert np.allclose(twice[band], 0.5, atol=1e-6)
    assert np.array_equal(twice[~band], (once > 0.5)[~band])


def test_with_a_trimap_there_is_nothing_to_refine(tmp_path: Path, call: Call) -> None:
    write_image(tmp_path / "photo.png", np.zeros((SIDE, SIDE, 3), np.uint8))
    words = ("matte", tmp_path / "photo.png", "-o", tmp_path / "cut.png")
    status, _, error = call(*words, "--refine", "--trimap", tmp_path / "photo.png")
    assert status == 2
    assert "nothing to refine" in error
