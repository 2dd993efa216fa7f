"""Small networks with the operators that matter, quick to quantize and to convert."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models import create_model, model_info
from edgemat.models.blocks.conv import conv_bn
from edgemat.models.deploy import DeployForm, to_deploy
from edgemat.models.network import MattingNetwork, MattingOutput
from edgemat.scoring.evaluate import EvaluationSet


class ToyMatting(MattingNetwork):
    """Convolutions, a concatenation of unlike ranges, a sigmoid, a difference, a resize."""

    def __init__(self) -> None:
        super().__init__()
        self.first = conv_bn(3, 8)
        self.wide = nn.Conv2d(8, 4, 1)
        self.narrow = nn.Conv2d(8, 4, 1)
        self.last = nn.Conv2d(8, 1, 3, padding=1)

    def forward(self, x: Tensor) -> MattingOutput:
        x = self.first(x)
        low = F.interpolate(
            F.max_pool2d(x, 2), scale_factor=2.0, mode="bilinear", align_corners=False
        )
        both = torch.cat([6 * self.wide(x), 2 * torch.sigmoid(self.narrow(x - low))], dim=1)
        return MattingOutput(self.last(both) + 0.5)


def toy_deploy() -> DeployForm:
    torch.manual_seed(0)
    return to_deploy(settled(ToyMatting(), 3))


def network_deploy(name: str, **config: object) -> DeployForm:
    """Return the deploy form of a network with settled batch statistics and a matte in 0..1."""
    torch.manual_seed(0)
    return to_deploy(settled(create_model(name, **config), model_info(name).in_channels))


def settled(network: nn.Module, channels: int) -> nn.Module:
    network.train()
    with torch.no_grad():
        for seed in range(4):
            network(picture(channels, 64, seed=seed, batch=2))
    return network.eval()


def picture(channels: int, size: int, *, seed: int, batch: int = 1) -> Tensor:
    """Return smooth random pixels, multiples of 1/255, with a trimap of three values behind."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(batch, channels, size // 8, size // 8, generator=generator)
    x = F.interpolate(coarse, size=(size, size), mode="bicubic", align_corners=False).clamp(0, 1)
    if channels == 4:
        x[:, 3] = (x[:, 3] * 3).floor().clamp(0, 2) / 2
    return torch.round(x * 255) / 255


def calibration(channels: int, size: int, count: int = 8) -> list[Tensor]:
    return [picture(channels, size, seed=100 + i) for i in range(count)]


def evaluation(channels: int, size: int, count: int = 4) -> EvaluationSet:
    pictures = torch.cat([picture(channels, size, seed=300 + i) for i in range(count)])
    pixels = torch.round(pictures * 255).to(torch.uint8).permute(0, 2, 3, 1).numpy()
    empty = np.zeros((count, size, size))
    return EvaluationSet(pixels, empty.astype(np.float32), empty.astype(np.uint8))
