"""Estimate a trimap: what portrait matting without a prior shares with semantic segmentation."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.conv import conv_bn, scale_channels
from edgemat.models.blocks.deeplab import DeepLabDecoder
from edgemat.models.blocks.pyramid import PyramidPooling
from edgemat.models.encoders.mobilenetv2 import TO_4, MobileNetV2

TRIMAP_CLASSES = ("background", "unknown", "foreground")
Segmentation = Literal["deeplab", "pspnet"]


class SegmentationDecoder(DeepLabDecoder):
    """DeepLabV3+: ASPP at 1/16, a low-level feature at 1/4, three classes of a trimap at 1/4."""

    def __init__(
        self,
        low_channels: int,
        high_channels: int,
        *,
        channels: int,
        reduced: int,
        dropout: float = 0.5,
    ) -> None:
        super().__init__(
            low_channels, high_channels, channels=channels, reduced=reduced, dropout=dropout
        )
        self.classify = nn.Conv2d(channels, len(TRIMAP_CLASSES), 1)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        y: Tensor = self.classify(super().forward(low, high))
        return y


class PyramidDecoder(nn.Module):
    """PSPNet: pyramid pooling and one 3x3 convolution at 1/16, three classes, upsampled to 1/4.

    What makes it cheap beside DeepLabV3+ is that it has no convolution at 1/4 (section 6.5.6).

    Parameters
    ----------
    channels:
        Width of the decoder and of each branch of its pyramid: 256.
    """

    def __init__(self, high_channels: int, *, channels: int, dropout: float = 0.1) -> None:
        super().__init__()
        self.context = PyramidPooling(high_channels, channels)
        self.refine = conv_bn(self.context.out_channels, channels)
        self.dropout = nn.Dropout(dropout)
        self.classify = nn.Conv2d(channels, len(TRIMAP_CLASSES), 1)

    def forward(self, low: Tensor, high: Tensor) -> Tensor:
        """Return the scores at the size of `low`, of which nothing else is used."""
        logits = self.classify(self.dropout(self.refine(self.context(high))))
        return F.interpolate(logits, size=low.shape[-2:], mode="bilinear", align_corners=False)


def create_decoder(
    segmentation: Segmentation, encoder: MobileNetV2, *, width: float
) -> SegmentationDecoder | PyramidDecoder:
    """Build the decoder of a segmentation network for an encoder of output stride 16."""
    low, high = encoder.channels[TO_4], encoder.channels[-1]
    channels = scale_channels(256, width)
    if segmentation == "pspnet":
        return PyramidDecoder(high, channels=channels)
    return SegmentationDecoder(low, high, channels=channels, reduced=scale_channels(48, width))


class TrimapAttention(nn.Module):
    """M = F_p + U_p / 2 (eq. 6.1): the softmax over the classes as one map in 0..1.

    The expectation is a 1x1 convolution with fixed weights, so that it stays in the delegate.
    """

    weights: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("weights", torch.tensor([0.0, 0.5, 1.0]).reshape(1, 3, 1, 1))

    def forward(self, logits: Tensor) -> Tensor:
        return F.conv2d(torch.softmax(logits, dim=1), self.weights)

    def deploy(self) -> DeployTrimapAttention:
        return DeployTrimapAttention(self)


class DeployTrimapAttention(nn.Module):
    r""":class:`TrimapAttention`, if wanted without the softmax, which falls out of int8 delegates.

    With sigmoids alone, the choice among b, u and f is two choices between two:

    .. math:: M = P(\bar b) \; (1 + P(f | \bar b)) / 2, \quad P(f | \bar b) = \sigma(f - u),
              \quad P(\bar b) = \sigma(u - b + \log(1 + e^{f - u}))

    where :math:`u - b + \log(1 + e^{f - u}) = \max(u - b, f - b) - \log(1 - s)` with
    :math:`s = \sigma(-|f - u|)`, and on 0..1/2 a quadratic replaces :math:`-\log(1 - s)` within
    0.004 (minimax). Differences are cut at 6 and at CUT: together at most 0.003 in M, less than an
    int8 step.

    Attributes
    ----------
    by_sigmoids:
        Which of the two forms.
    """

    LOG = (0.92205942, 0.91218806)
    CUT = 8.0

    def __init__(self, softmax: TrimapAttention) -> None:
        super().__init__()
        self.softmax = softmax
        self.by_sigmoids = False

    def forward(self, logits: Tensor) -> Tensor:
        if not self.by_sigmoids:
            expected: Tensor = self.softmax(logits)
            return expected
        b, u, f = logits[:, 0:1], logits[:, 1:2], logits[:, 2:3]
        above, below = F.relu6(f - u), F.relu6(u - f)  # one of them is 0
        s = torch.sigmoid(-1.0 * (above + below))
        linear, square = self.LOG
        u_b, f_b = self._cut(u - b), self._cut(f - b)
        not_b = torch.sigmoid(u_b + F.relu(f_b - u_b) + s * (linear + square * s))
        return not_b * (0.5 + 0.5 * torch.sigmoid(above - below))

    def _cut(self, difference: Tensor) -> Tensor:
        return torch.clamp(difference, -self.CUT, self.CUT)
