"""Maps that are written in rows and read as maps as well, and rows that become maps, in int8."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from strangers import Lines, randomised
from torch import Tensor, nn
from torch.nn import functional as F

import edgemat


def channels_seen_by_channels(x: Tensor) -> Tensor:
    """Give each channel a mean of all, as DANet does: the same map is read in rows and as a map."""
    rows = x.flatten(2)
    shares = torch.softmax(rows @ rows.transpose(1, 2) / 64, dim=-1)
    return (shares @ rows).view(x.shape) + x


class RowsBecomeMaps(nn.Module):
    """A perceptron as SegFormer's: a layer on rows, whose map two operators read."""

    def __init__(self) -> None:
        super().__init__()
        self.expand, self.near = nn.Linear(8, 8), nn.Conv2d(8, 8, 3, padding=1, groups=8)

    def forward(self, x: Tensor) -> Tensor:
        rows = self.expand(x.flatten(2).transpose(1, 2))
        y = F.relu(rows.transpose(1, 2).view(x.shape))
        near: Tensor = self.near(y)
        return near + y


@pytest.mark.parametrize("make", [lambda: Lines(channels_seen_by_channels), RowsBecomeMaps])
def test_what_is_read_in_rows_and_as_a_map_reaches_int8(
    make: Callable[[], nn.Module], tmp_path: Path
) -> None:
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), make(), nn.Conv2d(8, 1, 1))
    made = edgemat.adopt(
        randomised(layers).eval(), size=(32, 32), logits=True, images=1, data="procedural",
        output=tmp_path,
    )  # fmt: skip
    quantized = edgemat.quantize(made, calibration=2, images=1, data="procedural")
    manifest = edgemat.convert(quantized, "tflite-int8", images=1, data="procedural").manifest
    proof = manifest.int8_proof
    assert proof is not None and proof.float_islands == ()
    assert proof.int8_convolutions == proof.convolutions
    assert proof.scales_exact == proof.scales
    assert manifest.agreements[0].mean_abs <= 1e-4
