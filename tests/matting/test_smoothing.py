"""Mattes over time: an exponential mean that a cut ends."""

from __future__ import annotations

import numpy as np
import pytest

from edgemat.errors import UsageError
from edgemat.matting.smoothing import Smoother

SCENE = np.tile(np.linspace(0, 255, 60).astype(np.uint8)[None, :, None], (40, 1, 3))


def matte(value: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.full((40, 60), value, np.float32)


def test_it_is_the_exponential_mean() -> None:
    smooth = Smoother(0.6)
    values = [float(smooth(SCENE, matte(value))[3, 3]) for value in (1, 0, 0, 1)]
    assert values == pytest.approx([1, 0.6, 0.36, 0.36 * 0.6 + 0.4], abs=1e-6)


def test_flicker_becomes_less() -> None:
    rng = np.random.default_rng(0)
    smooth = Smoother(0.5)
    given = [matte(0.5 + 0.2 * rng.standard_normal()) for _ in range(60)]
    found = [smooth(SCENE, alpha) for alpha in given]
    before, after = (np.diff(np.stack(mattes)[:, 0, 0]).std() for mattes in (given, found))
    assert after < before / 2


def test_at_a_cut_nothing_of_before_is_left() -> None:
    smooth = Smoother(0.9)
    smooth(SCENE, matte(1))
    assert smooth(255 - SCENE, matte(0)).max() == 0
    smooth(255 - SCENE, matte(1))
    larger = np.zeros((50, 60, 3), np.uint8)
    assert smooth(larger, np.zeros((50, 60), np.float32)).shape == (50, 60)


def test_a_person_who_moves_is_no_cut() -> None:
    smooth = Smoother(0.5)
    moved = SCENE.copy()
    moved[10:25, 20:35] = 255 - moved[10:25, 20:35]
    smooth(SCENE, matte(1))
    assert smooth(moved, matte(0))[0, 0] == pytest.approx(0.5)


def test_a_share_of_nothing_changes_nothing() -> None:
    smooth = Smoother(0)
    smooth(SCENE, matte(1))
    assert smooth(SCENE, matte(0.25))[0, 0] == 0.25


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan"), float("inf")])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="impossible"):
        Smoother(share)
