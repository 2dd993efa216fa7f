"""Models are run on every picture of a set, one at a time and in order."""

from __future__ import annotations

import numpy as np
import pytest

from edgemat.scoring.evaluate import EvaluationSet, InputSet, mean_sad, predict_all, score


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


def test_known_pixels_of_a_trimap_networks_matte_are_the_trimaps() -> None:
    trimaps = np.full((1, 8, 8), 128, np.uint8)
    trimaps[:, :2], trimaps[:, -2:] = 0, 255
    alphas = np.full((1, 8, 8), 0.5, np.float32)
    alphas[:, :2], alphas[:, -2:] = 0, 1
    wrong = 1 - alphas
    for channels, mistaken in ((4, 0.0), (3, 0.032)):  # 32 pixels that are known, in thousands
        pixels = np.zeros((1, 8, 8, channels), np.uint8)
        found = score(wrong, EvaluationSet(pixels, alphas, trimaps))
        assert found["whole"].sad == pytest.approx(mistaken)
        assert found["unknown"].sad == 0


@pytest.mark.parametrize("channels", [3, 4])
def test_the_mean_sad_is_that_of_all_errors(channels: int) -> None:
    draw = np.random.default_rng(2)
    trimaps = draw.choice(np.array([0, 128, 255], np.uint8), (3, 16, 24))
    alphas = draw.random((3, 16, 24), np.float32)
    found = draw.normal(0.5, 0.5, (3, 16, 24)).astype(np.float32)  # some beyond 0 and 1
    data = EvaluationSet(np.zeros((3, 16, 24, channels), np.uint8), alphas, trimaps)
    assert mean_sad(found, data) == pytest.approx(score(found, data)["whole"].sad, rel=1e-6)
