"""Convolutions along rows: ECA-Net's attention on channels, in both forms that people write."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from strangers import Lines, example
from torch import Tensor, nn

import edgemat
from edgemat.errors import UnsupportedError
from edgemat.models.adopted.network import AdoptedNetwork
from edgemat.models.adopted.tracing import trace
from edgemat.models.deploy import to_deploy

C = 8


class Channels(nn.Module):
    """A network whose channels are weighed by what a convolution along them gives."""

    def __init__(self, weigh: Callable[[Tensor, nn.Module], Tensor], **options: object) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.last = nn.Conv2d(3, C, 3, padding=1), nn.Conv2d(C, 1, 1)
        self.along = nn.Conv1d(1, 1, **options)  # type: ignore[arg-type]
        self.weigh = weigh

    def forward(self, x: Tensor) -> Tensor:
        y = torch.relu(self.first(x))
        z: Tensor = self.last(y * self.weigh(y, self.along))
        return z


def as_published(y: Tensor, along: nn.Module) -> Tensor:
    """ECA-Net's own lines."""
    pooled = nn.functional.adaptive_avg_pool2d(y, 1)
    shares = along(pooled.squeeze(-1).transpose(-1, -2)).transpose(-1, -2).unsqueeze(-1)
    return torch.sigmoid(shares).expand_as(y)


def with_views(y: Tensor, along: nn.Module) -> Tensor:
    """The same as timm writes it."""
    shares: Tensor = along(y.mean((2, 3)).view(len(y), 1, -1)).sigmoid()
    return shares.view(len(y), -1, 1, 1).expand_as(y)


@pytest.mark.parametrize("weigh", [as_published, with_views])
@pytest.mark.parametrize(
    "options",
    [
        {"kernel_size": 3, "padding": 1, "bias": False},
        {"kernel_size": 5, "padding": "same"},
        {"kernel_size": 3, "padding": 2, "dilation": 2},
    ],
)
def test_a_convolution_along_channels_is_one_of_single_pixels(
    weigh: Callable[[Tensor, nn.Module], Tensor], options: dict[str, object]
) -> None:
    network = Channels(weigh, **options).eval()
    deploy = to_deploy(AdoptedNetwork(trace(network, (3, 16, 16))))
    x = example(16, 16)
    with torch.no_grad():
        assert torch.allclose(deploy(x), network(x).clamp(0, 1), atol=1e-6)
    layers = [m for m in deploy.modules() if isinstance(m, nn.Conv2d)]
    assert [tuple(layer.weight.shape) for layer in layers][1:] == [(C, C, 1, 1), (1, C, 1, 1)]
    assert not any(isinstance(module, nn.Linear) for module in deploy.modules())


def test_one_of_several_channels_is_refused_with_its_line() -> None:
    along = nn.Conv1d(3, 3, 3, padding=1)
    found = edgemat.check(Lines(lambda x: along(x.flatten(2)).view(x.shape)), size=(32, 32))
    assert "aten.conv1d at" in found.refusal and "rows of 3 channels" in found.refusal
    long = nn.Conv1d(1, 1, 3, padding=1)
    wide = Lines(lambda x: long(x[:, :1].flatten(2)).view(1, 1, 64, 64))
    network = AdoptedNetwork(trace(wide, (3, 64, 64)))
    with pytest.raises(UnsupportedError, match="along a row of 4,096 values"):
        to_deploy(network)


def test_a_transposition_of_single_values_moves_nothing() -> None:
    """It is a reshape, so that rows are found behind it; others stay what they are."""
    moving = Lines(lambda x: x.mean(1, keepdim=True).transpose(0, 1).permute(1, 0, 3, 2))
    body = to_deploy(AdoptedNetwork(trace(moving, (3, 16, 8))))
    x = example(16, 8)
    with torch.no_grad():
        assert torch.equal(body(x), moving(x))
