"""Models are run on every picture of a set, one at a time and in order."""

from __future__ import annotations

import numpy as np
import pytest

from edgemat.scoring.evaluate import InputSet, predict_all


@pytest.mark.parametrize("title", [None, "running"])
def test_every_picture_is_run_in_order(title: str | None) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3, 4, 6, 3), dtype=np.uint8)
    seen = []

    def predict(x: np.ndarray) -> np.ndarray:
        seen.append(x)
        return x[..., :1]

    alphas = predict_all(predict, InputSet(pixels), title)
    assert alphas == pytest.approx(pixels[..., 0] / 255)
    assert alphas.dtype == np.float32
    assert [x.shape for x in seen] == [(1, 4, 6, 3)] * 3
