"""Matting without a network, behind the same interface."""

from __future__ import annotations

import numpy as np
import pytest

from edgemat.errors import UsageError
from edgemat.images import U8, UNKNOWN
from edgemat.matting.classical import MAX_PIXELS, METHODS, solve_alpha
from edgemat.matting.matte import matte

SIZE = (48, 64)


def ramp() -> tuple[U8, np.ndarray, U8]:
    """Return red over blue with a soft edge, its alpha, and a trimap around the edge."""
    alpha = np.broadcast_to(np.clip((np.arange(SIZE[1]) - 24) / 16, 0, 1), SIZE)
    red, blue = np.array([220, 40, 30]), np.array([30, 60, 200])
    image = (alpha[..., None] * red + (1 - alpha[..., None]) * blue).round().astype(np.uint8)
    trimap = np.full(SIZE, UNKNOWN, np.uint8)
    trimap[:, :16], trimap[:, 48:] = 0, 255
    return image, alpha, trimap


@pytest.mark.slow
@pytest.mark.parametrize(
    ("method", "error"),
    # closed-form is exact where colours lie on a line; KNN sees neighbours alone
    [("closed-form", 0.001), ("knn", 0.05)],
)
def test_methods_find_the_ramp(
    method: str, error: float, capsys: pytest.CaptureFixture[str]
) -> None:
    assert method in METHODS
    image, truth, trimap = ramp()
    alpha = matte(image, trimap, model=method)
    assert alpha.dtype == np.float32 and alpha.shape == SIZE
    assert np.abs(alpha - truth).mean() < error
    assert np.array_equal(alpha[trimap != UNKNOWN] * 255, trimap[trimap != UNKNOWN])
    assert not capsys.readouterr().out, "PyMatting's warnings would break --json"


def test_what_cannot_be_solved_is_said() -> None:
    image, _, trimap = ramp()
    with pytest.raises(UsageError, match="needs a trimap and none was given"):
        matte(image, model="knn")
    with pytest.raises(UsageError, match="known foreground and background"):
        matte(image, np.where(trimap == 255, UNKNOWN, trimap).astype(np.uint8), model="closed-form")
    side = int(MAX_PIXELS**0.5) + 1
    large = np.full((side, side), UNKNOWN, np.uint8)
    large[0, 0], large[0, 1] = 0, 255
    with pytest.raises(UsageError, match="too many for closed-form"):
        solve_alpha(np.zeros((side, side, 3), np.uint8), large)
