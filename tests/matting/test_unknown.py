"""The trimap that a matte suggests."""

from __future__ import annotations

import numpy as np
import pytest

from edgemat.matting.unknown import _near, _near_at_once, trimap_of_matte

SHAPES = [(1, 1), (1, 90), (90, 1), (2, 300), (57, 83), (120, 200)]


def test_unknown_is_what_is_near_an_edge_or_half_opaque() -> None:
    alpha = np.zeros((40, 60), np.float32)
    alpha[:, 30:] = 1
    alpha[20, 5] = 0.5
    trimap = trimap_of_matte(alpha, reach=3)
    np.testing.assert_array_equal(np.unique(trimap), [0, 128, 255])
    np.testing.assert_array_equal(trimap[0, 26:34], [0, 128, 128, 128, 128, 128, 128, 255])
    assert (trimap[17:24, 5] == 128).all() and (trimap[20, [1, 9]] == 0).all()


def test_a_networks_nearly_certain_values_are_certain() -> None:
    assert (trimap_of_matte(np.full((40, 40), 0.02, np.float32)) == 0).all()
    assert (trimap_of_matte(np.full((40, 40), 0.97, np.float32)) == 255).all()
    assert (trimap_of_matte(np.full((40, 40), 0.5, np.float32)) == 128).all()


def edge(soft: int) -> np.ndarray:
    """A matte that rises over `soft` columns."""
    rise = np.clip((np.arange(200) - 100) / max(soft, 1e-3) + 0.5, 0, 1)
    return np.tile(rise.astype(np.float32), (200, 1))


def test_the_band_grows_with_what_is_soft() -> None:
    def band(soft: int) -> int:
        return int((trimap_of_matte(edge(soft), reach=3)[100] == 128).sum())

    def unsure(soft: int) -> int:
        return int(((edge(soft) > 0.05) & (edge(soft) < 0.95))[100].sum())

    assert band(4) == unsure(4) + 2 * 3
    assert band(40) == unsure(40) + 2 * 6


def test_the_frame_is_no_edge() -> None:
    below = np.zeros((200, 200), np.float32)
    below[100:, 50:150] = 1  # a body that the frame cuts
    trimap = trimap_of_matte(below)
    assert (trimap[-1, 60:140] == 255).all()
    assert (trimap[-1, [49, 50]] == 128).all()


def masks(shape: tuple[int, int]) -> list[np.ndarray]:
    """Empty, full, noise of all densities, a lone pixel in each corner, and the frame."""
    random = np.random.default_rng(0)
    found = [np.zeros(shape, bool), np.ones(shape, bool)]
    found += [random.random(shape) < share for share in (0.0005, 0.01, 0.3, 0.9)]
    for corner in ((0, 0), (0, -1), (-1, 0), (-1, -1)):
        lone = np.zeros(shape, bool)
        lone[corner] = True
        found.append(lone)
    frame = np.ones(shape, bool)
    frame[1:-1, 1:-1] = False
    return [*found, frame]


@pytest.mark.parametrize("reach", [0, 1, 2, 7, 30, 100, 254, 255, 400])
@pytest.mark.parametrize("shape", SHAPES)
def test_near_is_what_scipy_finds_within_that_distance(shape: tuple[int, int], reach: int) -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    for mask in masks(shape):
        # of an empty mask scipy measures the distance to somewhere outside
        expected = ndimage.distance_transform_edt(~mask) <= reach if mask.any() else mask
        np.testing.assert_array_equal(_near(mask, reach), expected)


def test_near_is_what_scipy_finds_across_bands_of_rows() -> None:
    ndimage = pytest.importorskip("scipy.ndimage")
    mask = np.random.default_rng(1).random((2200, 1100)) < 1e-4
    np.testing.assert_array_equal(_near(mask, 22), ndimage.distance_transform_edt(~mask) <= 22)


def test_boxes_join_without_a_seam() -> None:
    """Each box sees as far beyond its border as is asked for."""
    rng = np.random.default_rng(3)
    coarse = rng.random((14, 30)) < 0.1
    coarse[:, :13] = True  # boxes of one value are not searched
    coarse[:, 20:] = False
    mask = coarse.repeat(50, axis=0).repeat(45, axis=1)[:690, :1337]
    for reach in (1, 17, 40):
        assert (_near(mask, reach) == _near_at_once(mask, reach)).all()
