"""What has a grid by its nature and meets other tensors: sigmoids and cuts to 0..1, in maxima."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from strangers import randomised
from torch import Tensor, nn
from torch.nn import functional as F

import edgemat
from edgemat.quantize.fixed_grids import UNIT_SCALE, FixedGrids
from edgemat.quantize.spec import TensorQuant


class Meeting(nn.Module):
    """Two feature maps, rectified and not, and what is made of both."""

    def __init__(self, meet: Callable[[Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.second = nn.Conv2d(3, 8, 3, 1, 1), nn.Conv2d(8, 8, 3, 1, 1)
        self.last = nn.Conv2d(8, 1, 3, 1, 1)
        self.meet = meet

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.first(x))
        z: Tensor = self.last(self.meet(y, self.second(y)))
        return z


@pytest.mark.parametrize(
    "meet",
    [
        lambda y, z: torch.max(torch.maximum(torch.sigmoid(z), y), torch.sigmoid(y)),
        lambda y, z: torch.min(F.hardsigmoid(z).mT, y.mT),
        lambda y, z: torch.maximum(torch.maximum(z, y), y * y),
        lambda y, z: y * torch.sigmoid(z).clamp(0.1, 0.9),
    ],
    ids=[
        "sigmoids, of what others take as it is",
        "a cut",
        "a maximum in another",
        "a cut sigmoid",
    ],
)
def test_what_has_its_own_grid_meets_others_in_int8(
    meet: Callable[[Tensor, Tensor], Tensor], tmp_path: Path
) -> None:
    network = randomised(Meeting(meet)).eval()
    made = edgemat.adopt(
        network, size=(32, 32), logits=True, images=1, data="procedural", output=tmp_path
    )
    quantized = edgemat.quantize(made, calibration=4, images=1, data="procedural")
    manifest = edgemat.convert(quantized, "tflite-int8", images=1, data="procedural").manifest
    proof = manifest.int8_proof
    assert proof is not None and proof.float_islands == ()
    assert proof.scales_exact == proof.scales
    assert proof.int8_convolutions == proof.convolutions == 3
    assert manifest.agreements[0].mean_abs <= 1e-4


def test_runtimes_fix_what_a_sigmoid_gives_and_not_what_it_takes() -> None:
    def grid(when: str) -> TensorQuant:
        place = {"when": when, "operator": "network/sigmoid/0", "port": 0}
        numbers = {"scale": [3 / 255], "zero_point": [0], "low": 0, "high": 255}
        return TensorQuant.model_validate({"kind": "activation", "places": [place], **numbers})

    fixed = FixedGrids(nn.Identity())
    assert fixed.pin(grid("post")).scale == (UNIT_SCALE,)
    assert fixed.pin(grid("pre")) == grid("pre")
