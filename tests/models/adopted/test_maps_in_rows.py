"""Maps that are written in rows and read as maps as well, and rows that become maps, in int8."""

from __future__ import annotations

from importlib.util import find_spec

import pytest
import torch
from strangers import Lines, randomised
from torch import Tensor, nn
from torch.nn import functional as F

import edgemat
from edgemat.artifacts.artifact import Artifact


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


NETWORKS = {"read in both": lambda: Lines(channels_seen_by_channels), "rows": RowsBecomeMaps}
APPLE = pytest.param(
    "coreai-w8a8",
    marks=pytest.mark.skipif(find_spec("coreai_torch") is None, reason="needs make coreai"),
)


@pytest.fixture(scope="module", params=NETWORKS.values(), ids=NETWORKS)
def quantized(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Artifact:
    between: nn.Module = request.param()
    layers = nn.Sequential(nn.Conv2d(3, 8, 3, 2, 1), nn.ReLU(), between, nn.Conv2d(8, 1, 1))
    made = edgemat.adopt(
        randomised(layers).eval(), size=(32, 32), logits=True, images=1, data="procedural",
        output=tmp_path_factory.mktemp("rows"),
    )  # fmt: skip
    return edgemat.quantize(made, calibration=2, images=1, data="procedural")


@pytest.mark.parametrize("target", ["tflite-int8", "coreml-w8a8", APPLE])
def test_what_is_read_in_rows_and_as_a_map_reaches_int8(quantized: Artifact, target: str) -> None:
    manifest = edgemat.convert(quantized, target, images=1, data="procedural").manifest
    proof = manifest.int8_proof
    assert proof is not None and proof.float_islands == ()
    assert proof.int8_convolutions == proof.convolutions
    assert proof.scales_exact == proof.scales
    assert manifest.agreements[0].mean_abs <= 1e-4
