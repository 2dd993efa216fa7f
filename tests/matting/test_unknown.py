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
