"""The trimap that a network estimates by itself, on photographs."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from safetensors.torch import save_file
from torch.nn import functional as F
from toy_artifacts import artifact

from edgemat.artifacts.artifact import Artifact, Feeding
from edgemat.artifacts.vocabulary import Fit
from edgemat.data.trimap import classes_from_trimap, fixed_trimap
from edgemat.images import F32, U8, to_uint8, write_image
from edgemat.matting.predict import load_predictor
from edgemat.matting.torch_predictor import TorchPredictor
from edgemat.models import create_matting
from edgemat.scoring import pictures
from edgemat.scoring.metrics import trimap_miou
from edgemat.scoring.own_trimap import Counts, mean_trimap_iou, trimap_counts
from edgemat.workflow.api.photographs import evaluate_photographs

SIDE = 64


def photograph(height: int, width: int) -> tuple[U8, F32]:
    """Return a disc on noise, and its matte."""
    y, x = np.mgrid[:height, :width]
    reach = min(height, width) / 3
    alpha = np.clip(reach - np.hypot(y - height / 2, x - width / 2), 0, 1).astype(np.float32)
    image = np.random.default_rng(0).integers(0, 60, (height, width, 3))
    image[..., 0] = 255 * alpha
    return image.astype(np.uint8), alpha


def portrait_feeding() -> Feeding:
    return Feeding(layout="NCHW", height=SIDE, width=SIDE, channels=3, stride=16)


class ByRed:
    """Estimates the trimap of its input's red channel, as it was told to make them."""

    def __init__(self, dilation: int) -> None:
        self.feeding, self.dilation = portrait_feeding(), dilation

    def estimate_trimap(self, x: F32) -> NDArray[np.int64] | None:
        return classes_from_trimap(fixed_trimap(x[0, ..., 0], dilation=self.dilation))


def miou(model: object, *sizes: tuple[int, int]) -> float | None:
    return mean_trimap_iou(trimap_counts(model, *photograph(*size)) for size in sizes)


def test_as_wide_as_in_training_is_best() -> None:
    """1/32 of 64 px is 2; a photograph of another shape has margins, which do not count."""
    widths = {dilation: miou(ByRed(dilation), (96, 160), (200, 120)) for dilation in (1, 2, 6)}
    assert widths[2] is not None and widths[1] is not None and widths[6] is not None
    assert widths[2] > 0.97 > widths[1] > widths[6]


def test_counts_of_pictures_are_added_before_the_mean() -> None:
    one, other = (((n, 0, 0), (1, 2, 0), (0, 0, 3)) for n in (1, 9))
    assert mean_trimap_iou([one]) == pytest.approx((1 / 2 + 2 / 3 + 1) / 3)
    assert mean_trimap_iou([one, other]) == pytest.approx((10 / 12 + 4 / 6 + 1) / 3)


@pytest.fixture
def network(tmp_path: Path) -> Artifact:
    torch.manual_seed(0)
    state = create_matting("pspm-b5", width=0.25).state_dict()
    made: Artifact = artifact(
        tmp_path,
        lambda inside: save_file(state, inside / "weights.safetensors"),
        kind="float",
        architecture="pspm-b5",
        config={"width": 0.25},
        task="portrait",
        feeding=portrait_feeding(),
        payload="weights.safetensors",
    )
    return made


def test_a_network_is_judged_by_its_own_logits(network: Artifact) -> None:
    image, alpha = photograph(SIDE, SIDE)
    torch.manual_seed(0)
    module = create_matting("pspm-b5", width=0.25).eval()
    x = torch.from_numpy(image.astype(np.float32).transpose(2, 0, 1)[None] / 255)
    with torch.no_grad():
        logits = module(x.contiguous()).trimap_logits
    assert logits is not None
    found = F.interpolate(logits, size=(SIDE, SIDE), mode="bilinear").argmax(1)[0].numpy()
    truth = classes_from_trimap(fixed_trimap(alpha, dilation=2))
    counts = trimap_counts(load_predictor(network), image, alpha)
    assert mean_trimap_iou([counts]) == pytest.approx(trimap_miou(found, truth))


def test_who_estimates_none_has_none() -> None:
    assert miou("closed-form", (96, 96)) is None
    given = ByRed(2)
    given.feeding = given.feeding.model_copy(update={"channels": 4})
    assert miou(given, (96, 96)) is None


@pytest.mark.parametrize("fit", ["resize", "pad", "tiles"])
def test_what_is_shown_in_no_letterbox_is_not_judged_in_one(fit: Fit) -> None:
    given = ByRed(2)
    given.feeding = given.feeding.model_copy(update={"fit": fit})
    assert miou(given, (96, 96)) is None


def test_an_adopted_network_is_not_run_for_it(
    network: Artifact, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = TorchPredictor(network)
    predictor.any_size = False  # as of one that was adopted
    monkeypatch.setattr(predictor, "_network", lambda x: pytest.fail("it is run"))
    assert miou(predictor, (96, 96)) is None


def test_it_is_judged_once_a_picture_and_as_an_app_shows_it(
    network: Artifact, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        image, alpha = photograph(SIDE, SIDE)
        write_image(tmp_path / "photos" / "image" / f"{name}.png", image)
        write_image(tmp_path / "photos" / "alpha" / f"{name}.png", to_uint8(alpha))
    judged: list[tuple[int, ...]] = []

    def noted(model: object, image: U8, truth: F32) -> Counts | None:
        judged.append(image.shape)
        return trimap_counts(model, image, truth)

    monkeypatch.setattr(pictures, "trimap_counts", noted)
    found = evaluate_photographs(
        str(network.path), tmp_path / "photos", dilations=[(1, 2), (5, 6)], everything=True
    )
    assert len(judged) == 2 and found[0].trimap_miou == found[1].trimap_miou is not None
    whole = evaluate_photographs(
        str(network.path), tmp_path / "photos", protocol="resize", everything=True
    )
    assert whole[0].trimap_miou is None
