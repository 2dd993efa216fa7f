"""An int8 softmax has 256 steps: among more values it shares out nothing."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.errors import UnsupportedError
from edgemat.models.adopted.replacements import WIDEST_INT8_SOFTMAX
from edgemat.quantize.fixed_grids import require_narrow_softmaxes
from edgemat.quantize.ptq import quantize_ptq


class Attending(nn.Module):
    """Every pixel looks at every other, in one of the ways to write it."""

    def __init__(self, way: str) -> None:
        super().__init__()
        self.way, self.last = way, nn.Conv2d(3, 1, 1)

    def forward(self, x: Tensor) -> Tensor:
        flat = x.flatten(2)
        scores = flat.transpose(1, 2) @ flat
        if self.way == "function":
            shares = F.softmax(scores, dim=-1)
        elif self.way == "torch":
            shares = torch.softmax(scores, -1)
        else:
            shares = scores.softmax(-1)
        y: Tensor = self.last((flat @ shares).reshape(x.shape)).sigmoid()
        return y


@pytest.mark.parametrize("way", ["function", "torch", "method"])
def test_attention_over_many_pixels_is_refused_before_work_begins(way: str) -> None:
    network = Attending(way).eval()
    require_narrow_softmaxes(network, torch.rand(1, 3, 16, 16))
    assert WIDEST_INT8_SOFTMAX == 16 * 16
    pictures = [torch.rand(1, 3, 16, 32)] * 8
    with pytest.raises(UnsupportedError, match="among 512 values") as raised:
        quantize_ptq(network, pictures)
    assert raised.value.exit_code == 3 and "fp16" in raised.value.remedy


def test_classes_of_pixels_are_few() -> None:
    network = nn.Sequential(nn.Conv2d(3, 300, 1), nn.Conv2d(300, 3, 1), nn.Softmax(dim=1)).eval()
    require_narrow_softmaxes(network, torch.rand(1, 3, 32, 32))
