"""Trimaps cover every partial alpha, and grow by exactly the distance that is asked."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from edgemat.data.trimap import (
    classes_from_trimap,
    fixed_trimap,
    loose_trimap,
    trimap_from_alpha,
)
from edgemat.images import U8

ALPHAS = hnp.arrays(
    np.float32,
    st.tuples(st.integers(4, 24), st.integers(4, 24)),
    elements=st.sampled_from([np.float32(v / 255) for v in (0, 0, 0, 1, 128, 254, 255, 255, 255)]),
)


@given(ALPHAS, st.integers(0, 2**32 - 1), st.sampled_from([trimap_from_alpha, loose_trimap]))
def test_known_regions_are_right_and_partial_alphas_unknown(
    alpha: np.ndarray, seed: int, make: Callable[..., U8]
) -> None:
    trimap = make(alpha, rng=np.random.default_rng(seed))
    assert trimap.dtype == np.uint8 and set(np.unique(trimap)) <= {0, 128, 255}
    assert (trimap[(alpha > 0) & (alpha < 1)] == 128).all()
    assert (alpha[trimap == 255] == 1).all()
    assert (alpha[trimap == 0] == 0).all()


@given(ALPHAS, st.integers(0, 8))
def test_dilation_is_the_euclidean_distance(alpha: np.ndarray, dilation: int) -> None:
    partial = np.argwhere((alpha > 0) & (alpha < 1))
    if not len(partial):
        return
    grid = np.indices(alpha.shape).reshape(2, -1).T
    nearest_squared = ((grid[:, None] - partial[None]) ** 2).sum(axis=2).min(axis=1)
    expected = (nearest_squared <= dilation**2).reshape(alpha.shape)
    np.testing.assert_array_equal(fixed_trimap(alpha, dilation=dilation) == 128, expected)


@pytest.mark.parametrize(("dilation", "pixels"), [(0, 1), (1, 5), (2, 13), (3, 29), (5, 81)])
def test_one_partial_pixel_grows_to_a_disc(dilation: int, pixels: int) -> None:
    """Lattice points in a circle of radius 0, 1, 2, 3, 5 (OEIS A000328)."""
    alpha = np.zeros((21, 21), np.float32)
    alpha[10, 10] = 0.5
    assert (fixed_trimap(alpha, dilation=dilation) == 128).sum() == pixels


def test_random_dilation_takes_every_distance_of_the_range() -> None:
    alpha = np.zeros((1, 61), np.float32)
    alpha[0, 30] = 0.5
    rng = np.random.default_rng(0)
    reaches = {int((trimap_from_alpha(alpha, rng=rng) == 128).sum()) // 2 for _ in range(600)}
    assert reaches == set(range(1, 20))


def test_a_binary_mask_is_unknown_along_its_step() -> None:
    alpha = np.zeros((3, 20), np.float32)
    alpha[:, 10:] = 1
    unknown_columns = np.flatnonzero((fixed_trimap(alpha, dilation=2) == 128).all(axis=0))
    assert unknown_columns.tolist() == [7, 8, 9, 10, 11, 12]


@pytest.mark.parametrize(("value", "expected"), [(0.0, 0), (1.0, 255)])
def test_a_uniform_matte_has_no_unknown_region(value: float, expected: int) -> None:
    assert (fixed_trimap(np.full((8, 8), value, np.float32), dilation=9) == expected).all()


def test_classes_are_background_unknown_foreground() -> None:
    trimap = np.array([[0, 128, 255]], np.uint8)
    assert classes_from_trimap(trimap).tolist() == [[0, 1, 2]]


def test_loose_trimaps_reach_into_both_sides() -> None:
    """Each side by a distance of its own, up to 45 px."""
    alpha = np.zeros((128, 128), np.float32)
    alpha[:, 64:] = 1
    inside, outside = [], []
    for seed in range(200):
        trimap = loose_trimap(alpha, rng=np.random.default_rng(seed))
        inside.append(int((trimap[0, 64:] == 128).sum()))
        outside.append(int((trimap[0, :64] == 128).sum()))
    for reaches in (inside, outside):
        assert min(reaches) <= 3 and 40 < max(reaches) <= 46
    assert abs(np.corrcoef(inside, outside)[0, 1]) < 0.2
