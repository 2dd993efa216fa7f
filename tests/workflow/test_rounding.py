"""A network whose maxima are as good as equal is as far from itself as from its file."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from toy_networks import evaluation

from edgemat.matting.torch_predictor import torch_predictor
from edgemat.scoring.bounds import Verdict
from edgemat.scoring.evaluate import predict_all
from edgemat.workflow.stages.converting import ROUNDING_DB, own_rounding
from edgemat.workflow.stages.judging import allow_rounding


class Smooth(nn.Module):
    def forward(self, x: Tensor) -> Tensor:
        return torch.sigmoid(x.mean(1, keepdim=True))


class Tied(nn.Module):
    """Takes the place of the greater of two features that are equal but for rounding."""

    def forward(self, x: Tensor) -> Tensor:
        one, other = x[:, :1] * 0.3 + x[:, 1:2] * 0.6, (x[:, :1] + 2 * x[:, 1:2]) * 0.3
        _, place = torch.stack([one, other]).max(0)
        return place.to(x.dtype) * 0.5


class InFloat32(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return (x.float().permute(0, 2, 3, 1) @ self.scale).permute(0, 3, 1, 2)[:, :1]


def rounding(network: nn.Module) -> float | None:
    validation = evaluation(3, 32)
    mattes = predict_all(torch_predictor(network), validation, "")
    return own_rounding(network, validation, mattes)


def test_rounding_is_small_but_where_it_decides() -> None:
    smooth, tied = rounding(Smooth()), rounding(Tied())
    assert smooth is not None and smooth > ROUNDING_DB
    assert tied is not None and tied < 30
    assert rounding(InFloat32()) is None


@pytest.mark.parametrize(
    ("measured", "own", "passed"),
    [
        *((78.0, 66.0, True), (78.0, 84.0, True), (78.0, 84.1, False), (78.0, None, False)),
        *((49.0, 20.0, True), (47.0, 20.0, False)),  # a step of 8 bits is 48.1 dB
    ],
)
def test_no_more_is_allowed_than_twice_its_own(
    measured: float, own: float | None, *, passed: bool
) -> None:
    verdict = allow_rounding(Verdict("psnr_db", measured, ">= 90", passed=False), own)
    assert verdict.passed is passed
    assert ("own rounding: 84" in verdict.note) == (own is not None and own > 80)


def test_other_bounds_are_as_before() -> None:
    for verdict in (
        Verdict("max_abs", 0.5, "<= 0.1", passed=False),
        Verdict("psnr_db", 95, ">= 90", passed=True),
    ):
        assert allow_rounding(verdict, 10.0) is verdict
