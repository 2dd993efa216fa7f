"""The trimap that a matte suggests."""

from __future__ import annotations

import numpy as np

from edgemat.matting.unknown import trimap_of_matte


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
