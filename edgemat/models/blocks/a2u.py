"""A2U: learn affinity-aware kernels for upsampling, and for pooling (thesis, section 4.4).

    feature --+-- U, k x k, stride 2 --+
              |                        x -- sum over channels: affinity -- P -- s x s kernels
              +-- V, k x k, stride 2 --+

An index network scores a window by a linear model of the feature; A2U by a bilinear one, of rank
one: how alike two views of the window are, U x and V x, over all channels (equation 4.4, d = 1).
What may vary:

==================  ============================================================================
``static``          U, V and P are learned
``hybrid``          P is predicted from the means of the feature
``dynamic``         U and V, too, from means over k x k regions
``cw``, ``cs``      every channel has its own U and V, or all share theirs
``pw``              the four positions of a 2x2 window have their own U and V, and share P; else
                    their own P, and share U and V
paired              the same affinity also gives kernels for pooling, by a P of its own ("-d")
==================  ============================================================================

Dai, Lu and Shen, "Learning Affinity-Aware Upsampling for Deep Image Matting", CVPR 2021.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.errors import UsageError
from edgemat.models.blocks.carafe import shifts
from edgemat.models.blocks.norm import GroupNorm
from edgemat.models.blocks.pooling import Interleave, Positions
from edgemat.models.blocks.pyramid import RegionMeans

Generation = Literal["static", "hybrid", "dynamic"]
Nonlinearity = Literal["none", "sigmoid", "norm"]
KernelNormalisation = Literal["softmax", "sigmoid+softmax"]

# the forms of Tables 4.2 and 4.8, and that of section 4.5
FORMS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "static-pw-cw": {"generation": "static", "shared": False, "pointwise": True},
        "static-cw": {"generation": "static", "shared": False},
        "static-cs": {"generation": "static", "shared": True},
        "hybrid-cw": {"generation": "hybrid", "shared": False},
        "hybrid-cs": {"generation": "hybrid", "shared": True},
        "dynamic-cw": {"generation": "dynamic", "shared": False},
        "dynamic-cs": {"generation": "dynamic", "shared": True},
        "reconstruct": {
            "generation": "static",
            "shared": False,
            "pointwise": True,
            "kernel": 4,
            "up_kernel": 1,
            "nonlinearity": "sigmoid",
        },
    }
)


class A2U(nn.Module):
    """Predict the kernels of one level, from the feature at the size that upsampling restores.

    The affinity is divided by the square root of C, as in the authors' code; P could absorb it.

    Parameters
    ----------
    channels:
        C, of the feature.
    generation, shared, pointwise, paired:
        See the table above; `shared` is "cs".
    kernel:
        k, side of U and V: 5 in the thesis, 6 in the authors' released weights.
    up_kernel:
        s, side of the upsampling kernels; those for pooling are 2s wide.
    normalisation:
        Of an upsampling kernel (Table 4.4). One weight alone (s = 1) takes a sigmoid. Kernels for
        pooling take a softmax.
    nonlinearity:
        After U and V: "norm" is group normalisation and leaky ReLU (the dagger of Table 4.2);
        "sigmoid" comes after U alone (section 4.5).
    bias:
        Of all convolutions: none in the thesis' figures, some in the authors' code.
    """

    def __init__(
        self,
        channels: int,
        *,
        generation: Generation = "dynamic",
        shared: bool = True,
        pointwise: bool = False,
        paired: bool = False,
        kernel: int = 5,
        up_kernel: int = 3,
        normalisation: KernelNormalisation = "sigmoid+softmax",
        nonlinearity: Nonlinearity = "none",
        bias: bool = False,
    ) -> None:
        super().__init__()
        if pointwise and paired:
            raise UsageError(
                "A2U has no pointwise form with paired downsampling.",
                remedy="Leave out one of `pointwise` and `paired`.",
            )
        self.side = up_kernel
        self.scale = channels**-0.5
        self.normalisation = normalisation

        def view(after: nn.Module) -> nn.Sequential:
            encoding = DynamicEncoding if generation == "dynamic" else StaticEncoding
            return nn.Sequential(encoding(channels, kernel, shared=shared, bias=bias), after)

        def projection(outputs: int) -> Projection:
            return Projection(channels, outputs, dynamic=generation != "static", bias=bias)

        def after(first: bool) -> nn.Module:
            if nonlinearity == "norm":
                norm = GroupNorm(math.gcd(32, channels), channels)
                return nn.Sequential(norm, nn.LeakyReLU())
            return nn.Sigmoid() if nonlinearity == "sigmoid" and first else nn.Identity()

        views = 4 if pointwise else 1
        self.u = nn.ModuleList(view(after(True)) for _ in range(views))
        self.v = nn.ModuleList(view(after(False)) for _ in range(views))
        self.up = projection(up_kernel**2 * (4 // views))
        self.down = projection((2 * up_kernel) ** 2) if paired else None
        self.interleave = Interleave()

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the kernels of `x`, B,C,H,W with even H and W.

        For upsampling B,s*s,H,W; for pooling B,4*s*s,H/2,W/2, or None where it is not paired.
        """
        affinities = [
            (u(x) * v(x)).sum(dim=1, keepdim=True) * self.scale  # B,1,H/2,W/2
            for u, v in zip(self.u, self.v, strict=True)
        ]
        scores = torch.cat([self.up(affinity, x) for affinity in affinities], dim=1)
        kernels = self._normalise(self.interleave(cast(Positions, scores.chunk(4, dim=1))))
        if self.down is None:
            return kernels, None
        return kernels, torch.softmax(self.down(affinities[0], x), dim=1)

    def _normalise(self, scores: Tensor) -> Tensor:
        if scores.shape[1] == 1:
            return torch.sigmoid(scores)
        if self.normalisation == "sigmoid+softmax":
            scores = torch.sigmoid(scores)
        return torch.softmax(scores, dim=1)


class StaticEncoding(nn.Module):
    """U or V as a learned k x k depthwise convolution of stride 2."""

    def __init__(self, channels: int, kernel: int, *, shared: bool, bias: bool) -> None:
        super().__init__()
        self.channels = channels
        width = 1 if shared else channels  # a shared one sees B*C pictures of one channel
        self.conv = _depthwise(width, kernel, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        x = self.conv(x.reshape(-1, self.conv.in_channels, h, w))
        return x.reshape(b, c, h // 2, w // 2)

    def deploy(self) -> nn.Conv2d:
        conv = _depthwise(self.channels, self.conv.kernel_size[0], bias=self.conv.bias is not None)
        times = self.channels // self.conv.in_channels
        state = self.conv.state_dict().items()
        conv.load_state_dict({k: v.repeat(times, *[1] * (v.ndim - 1)) for k, v in state})
        return conv


class DynamicEncoding(nn.Module):
    """U or V as a k x k depthwise convolution of stride 2 that every picture predicts itself.

    From the means of its feature over k x k regions, by a 1x1 convolution.
    """

    def __init__(self, channels: int, kernel: int, *, shared: bool, bias: bool) -> None:
        super().__init__()
        self.means = RegionMeans(kernel)
        self.generate = nn.Conv2d(channels, 1 if shared else channels, 1, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        b, c, h, w = x.shape
        kernels = self.generate(self.means(x))  # B,C,k,k or B,1,k,k
        kernel = kernels.shape[-1]
        kernels = kernels.expand(b, c, kernel, kernel).reshape(b * c, 1, kernel, kernel)
        # every channel of every picture has its own kernel: one convolution with B*C groups
        alone = x.reshape(1, b * c, h, w)
        y = F.conv2d(alone, kernels, stride=2, padding=(kernel - 1) // 2, groups=b * c)
        return y.reshape(b, c, h // 2, w // 2)

    def deploy(self) -> DeployDynamicEncoding:
        return DeployDynamicEncoding(self.means.deploy(), self.generate, side=self.means.bins)


class DeployDynamicEncoding(nn.Module):
    """:class:`DynamicEncoding` as a sum of products: delegates take constant kernels alone."""

    def __init__(self, means: nn.Module, generate: nn.Conv2d, *, side: int) -> None:
        super().__init__()
        self.side = side
        self.means = means
        self.generate = generate

    def forward(self, x: Tensor) -> Tensor:
        kernels = self.generate(self.means(x))  # B,C,k,k or B,1,k,k
        total = torch.zeros_like(x[:, :, ::2, ::2])
        for place, shifted in enumerate(shifts(x, side=self.side, stride=2)):
            row, column = divmod(place, self.side)
            total = total + shifted * kernels[:, :, row : row + 1, column : column + 1]
        return total


class Projection(nn.Module):
    """P: from the affinity, B,1,h,w, to a score for every weight of the kernels."""

    def __init__(self, channels: int, outputs: int, *, dynamic: bool, bias: bool) -> None:
        super().__init__()
        self.dynamic = dynamic
        self.conv = nn.Conv2d(channels if dynamic else 1, outputs, 1, bias=bias)

    def forward(self, affinity: Tensor, x: Tensor) -> Tensor:
        if self.dynamic:
            affinity = affinity * self.conv(F.adaptive_avg_pool2d(x, 1))  # every picture's own P
        else:
            affinity = self.conv(affinity)
        return affinity


def initialise_affinity(network: nn.Module) -> None:
    """Let what dynamic blocks predict start small: by large kernels, softmax would saturate."""
    for module in network.modules():
        if isinstance(module, DynamicEncoding):
            deviation = module.generate.in_channels**-0.5 / module.means.bins
            nn.init.normal_(module.generate.weight, 0.0, deviation)
        elif isinstance(module, Projection) and module.dynamic:
            nn.init.normal_(module.conv.weight, 0.0, module.conv.in_channels**-0.5)


def _depthwise(channels: int, kernel: int, *, bias: bool) -> nn.Conv2d:
    padding = (kernel - 1) // 2
    return nn.Conv2d(channels, channels, kernel, 2, padding, groups=channels, bias=bias)
