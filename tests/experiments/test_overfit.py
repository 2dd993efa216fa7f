"""Reconstruction and denoising learn: each overfits a batch of its own, and its judge sees it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from edgemat.data.sections import PEOPLE
from edgemat.data.small_pictures import SmallPictures
from edgemat.experiments.denoise import denoising_trial
from edgemat.experiments.fit import create_seeded
from edgemat.experiments.protocol import SeriesProtocol
from edgemat.experiments.reconstruct import reconstruction_trial
from edgemat.experiments.trial import Trial, run_trial
from edgemat.images import U8, read_rgba, resize, write_image

TINY = {"name": "tiny", "optimizer": "adam", "width": 0.25}
# Twice as long as 15 dB take: other processors round otherwise, and learn faster or slower.
RECONSTRUCTION = SeriesProtocol(
    epochs=4, falls=(3,), samples=480, batch=8, learning_rate=1e-2, **TINY
)
DENOISING = SeriesProtocol(epochs=2, samples=160, batch=2, learning_rate=1e-3, **TINY)


def on_one_batch(trial: Trial, protocol: SeriesProtocol) -> tuple[Trial, Tensor, Tensor]:
    """Return the trial with its first batch in the place of all, and that batch."""
    x, y = next(trial.epoch(1, 0, protocol))

    def epoch(seed: int, number: int, protocol: SeriesProtocol) -> Iterator[tuple[Tensor, Tensor]]:
        return iter(list(repeat((x, y), protocol.steps)))

    return replace(trial, epoch=epoch), x, y


@pytest.fixture(scope="module")
def few() -> U8:
    """Give eight pictures of people, 32 x 32 px."""
    found = []
    for file in sorted(PEOPLE.glob("*.webp"))[:8]:
        colours, alpha = read_rgba(file)
        assert alpha is not None
        grey = (colours.mean(axis=2) * alpha).round().astype(np.uint8)
        found.append(resize(grey, (32, 32), method="area"))
    return np.stack(found)


def test_reconstruction_overfits_its_own_batch(few: U8, tmp_path: Path) -> None:
    """Eight people, judged by themselves: what is learned by heart comes back, 15 dB better."""
    whole = reconstruction_trial(SmallPictures(few, few), data="people")
    trial, x, y = on_one_batch(whole, RECONSTRUCTION)
    assert torch.equal(x, y) and x.shape == (8, 1, 32, 32)
    model, state = "reconstruct-index-m2o", tmp_path / "state.pt"
    untrained = trial.judge(create_seeded(model, 1, width=RECONSTRUCTION.width).eval())
    figures, _ = run_trial(trial, model, 1, RECONSTRUCTION, state=state)
    assert figures["psnr"] > untrained["psnr"] + 15 and figures["ssim"] > 0.9


def test_denoising_overfits_its_own_batch(few: U8, tmp_path: Path) -> None:
    """Of the noise of two patches less than half is left: it was learned by heart."""
    learned, judged = tmp_path / "learned", tmp_path / "people"
    for number, picture in enumerate(few):
        folder = learned if number < 6 else judged
        write_image(folder / f"{number}.png", resize(picture, (64, 64)))
    trial, x, y = on_one_batch(denoising_trial(learned, [judged]), DENOISING)
    noise = float(F.mse_loss(x, y))
    assert noise == pytest.approx((25 / 255) ** 2, rel=0.1)
    figures, _ = run_trial(trial, "dncnn", 1, DENOISING, state=tmp_path / "state.pt")
    assert {"people psnr", "people ssim"} == set(figures)
    network = create_seeded("dncnn", 1, width=DENOISING.width)
    network.load_state_dict(torch.load(tmp_path / "state.pt", weights_only=True)["network"])
    with torch.no_grad():
        left = float(F.mse_loss(network.eval()(x), y))
    assert left < 0.5 * noise
