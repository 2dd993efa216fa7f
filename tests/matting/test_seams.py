"""Tiles leave no seam: at their borders a matte changes no more than anywhere else."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from edgemat.artifacts.shipped import SHIPPED_TARGET, find_artifact
from edgemat.data.sections import PEOPLE
from edgemat.images import BACKGROUND, F32, FOREGROUND, U8, UNKNOWN, read_rgba
from edgemat.matting import matte as module
from edgemat.matting.matte import matte
from edgemat.matting.predict import load_predictor
from edgemat.matting.predictor import Predictor
from edgemat.matting.tiling import Span, tile_axis

SIDE = 1.6
"""Of the picture, in tiles: two rows and two columns of them."""
BESIDE = 12
"""Columns to each side that a border is compared with, px."""


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    """The shipped file: the padding inside it makes tiles that see the same place disagree."""
    return load_predictor(find_artifact("trimap", target=SHIPPED_TARGET), threads=1)


def borders(size: int, tile: int) -> list[int]:
    """Return the places along an axis where tiles begin and end."""
    spans = [span.slice for span in tile_axis(size, tile)]
    return sorted({place for one in spans for place in (one.start, one.stop)} - {0, size})


def changes(alpha: F32, places: list[int], axis: int) -> tuple[F32, F32]:
    """Return how much a matte changes across borders, and across the lines beside them.

    Each is a mean absolute difference of neighbours over a whole row or column of the picture.
    """
    steps: NDArray[np.float32] = np.abs(np.diff(alpha, axis=axis)).mean(axis=1 - axis)
    beside = [
        np.delete(steps[p - 1 - BESIDE : p + BESIDE], BESIDE).mean(dtype=np.float32) for p in places
    ]
    return steps[[p - 1 for p in places]], np.array(beside, np.float32)


def hair(side: int) -> U8:
    """Return a rendered head over texture: something to matte at every border."""
    colours, alpha = read_rgba(sorted(PEOPLE.glob("*.webp"))[0])
    assert alpha is not None
    random = np.random.default_rng(1)
    texture = random.integers(60, 200, (*alpha.shape, 3)).astype(np.float32)
    mixed = colours * alpha[..., None] + texture * (1 - alpha[..., None])
    wide = np.tile(mixed, (-(-side // alpha.shape[0]), -(-side // alpha.shape[1]), 1))
    return wide[:side, :side].round().astype(np.uint8)


def cut(length: int, size: int) -> list[Span]:
    """Cover an axis with tiles of the same places, each pixel from the first tile that has it."""
    spans, done = [], 0
    for span in tile_axis(length, size):
        weights = np.zeros(size, np.float32)
        weights[done - span.start :] = 1
        spans.append(Span(span.start, weights))
        done = span.start + size
    return spans


def test_tiles_leave_no_seam(predictor: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    tile = predictor.feeding.height
    side = round(SIDE * tile)
    image, trimap = hair(side), np.full((side, side), UNKNOWN, np.uint8)
    trimap[:4, :4], trimap[:4, 4:8] = FOREGROUND, BACKGROUND  # something to go by
    places = borders(side, tile)
    assert len(places) == 2
    blended = matte(image, trimap, model=predictor)
    for axis in (0, 1):
        across, beside = changes(blended, places, axis)
        assert (across < 1.25 * beside).all(), (axis, across, beside)

    monkeypatch.setattr(module, "tile_axis", cut)
    seams = matte(image, trimap, model=predictor)
    for axis in (0, 1):  # the same tiles side by side do show
        across, beside = changes(seams, places[1:], axis)
        assert (across > 1.5 * beside).all(), (axis, across, beside)
