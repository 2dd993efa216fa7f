"""Networks that are not edgemat's, written as people write theirs."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F


class Lines(nn.Module):
    """A few lines of a forward pass."""

    def __init__(self, function: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        return self.function(x)


class UNet(nn.Module):
    """Transposed convolution, ReLU and PReLU, skips, bilinear upsampling; scores out."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.first = self._block(channels, 8)
        self.down = self._block(8, 16, step=2)
        self.deep = self._block(16, 16, step=2)
        self.up = nn.ConvTranspose2d(16, 16, 2, 2)
        self.mix = self._block(32, 8)
        self.last = nn.Conv2d(16, 1, 1)

    @staticmethod
    def _block(inputs: int, outputs: int, step: int = 1) -> nn.Sequential:
        return nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, step, 1, bias=False), nn.BatchNorm2d(outputs), nn.PReLU()
        )

    def forward(self, x: Tensor) -> Tensor:
        at1 = self.first(x)
        at2 = self.down(at1)
        up = F.relu(self.up(self.deep(at2)))
        up = self.mix(torch.cat([up, at2], dim=1))
        up = F.interpolate(up, scale_factor=2, mode="bilinear", align_corners=False)
        y: Tensor = self.last(torch.cat([up, at1], dim=1))
        return y


class OddUNet(nn.Module):
    """Reflected borders, instance norm, PReLU a channel, SiLU, GELU, pixel shuffle; scores out."""

    def __init__(self, channels: int = 3) -> None:
        super().__init__()
        self.first = self._block(channels, 8)
        self.down = self._block(8, 16, step=2)
        self.up, self.norm = nn.ConvTranspose2d(16, 8, 4, 2, 1), nn.BatchNorm2d(8)
        self.mix = nn.Conv2d(16, 4, 1)
        self.shuffle, self.last = nn.PixelShuffle(2), nn.Conv2d(1, 1, 3, 2, 1)

    @staticmethod
    def _block(inputs: int, outputs: int, step: int = 1) -> nn.Sequential:
        return nn.Sequential(
            nn.ReflectionPad2d(1),
            nn.Conv2d(inputs, outputs, 3, step),
            nn.InstanceNorm2d(outputs, affine=True),
            nn.PReLU(outputs),
        )

    def forward(self, x: Tensor) -> Tensor:
        at1 = self.first(x)
        up = F.silu(self.norm(self.up(self.down(at1))))
        y: Tensor = self.last(self.shuffle(F.gelu(self.mix(torch.cat([at1, up], dim=1)))))
        return y


class Attention(nn.Module):
    """Patches, two heads of attention, a perceptron, pixel shuffle; scores out."""

    def __init__(self, channels: int = 3, width: int = 8, patch: int = 4) -> None:
        super().__init__()
        self.patches = nn.Conv2d(channels, width, patch, patch)
        self.norm, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attend = nn.MultiheadAttention(width, 2, batch_first=True)
        self.perceptron = nn.Sequential(nn.Linear(width, 16), nn.GELU(), nn.Linear(16, width))
        self.last, self.shuffle = nn.Conv2d(width, patch**2, 1), nn.PixelShuffle(patch)

    def forward(self, x: Tensor) -> Tensor:
        patches = self.patches(x)
        tokens = patches.flatten(2).transpose(1, 2)
        normed = self.norm(tokens)
        tokens = tokens + self.attend(normed, normed, normed, need_weights=False)[0]
        tokens = tokens + self.perceptron(self.norm2(tokens))
        y: Tensor = self.shuffle(self.last(tokens.transpose(1, 2).reshape(patches.shape)))
        return y


def unet() -> UNet:
    """A factory, as `edgemat adopt strangers:unet` calls it; the same weights every time."""
    return randomised(UNet())


def randomised(network: nn.Module) -> nn.Module:
    """Give norms statistics as training leaves them, the same ones every time; in place."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, tensor in network.state_dict().items():
            if name.endswith("running_mean"):
                tensor.copy_(0.1 * torch.randn(tensor.shape, generator=generator))
            elif name.endswith("running_var"):
                tensor.copy_(0.5 + torch.rand(tensor.shape, generator=generator))
            elif tensor.is_floating_point() and tensor.ndim:
                spread = 0.5 if tensor.ndim == 1 else tensor[0].numel() ** -0.5
                drawn = torch.rand(tensor.shape, generator=generator)
                tensor.copy_(
                    0.2 + 0.5 * drawn if tensor.ndim == 1 else spread * (2 * drawn - 1) * 1.5
                )
    return network


def example(height: int, width: int) -> Tensor:
    return torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
