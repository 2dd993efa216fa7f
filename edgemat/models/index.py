"""Index networks: learn where pooling looks and where upsampling writes (thesis, section 3.4).

Here: the many-to-one depthwise index network with nonlinearity and context ("M2O NL+C", the best
of Table 3.4). An index network sees the feature before it is pooled and predicts, for each of the
four positions of every 2x2 window, a weight; sigmoid gives the decoder's index map, a softmax over
the window on top of it the encoder's.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.layers import conv_bn
from edgemat.models.pooling import Interleave, Positions


class IndexBlock(nn.Module):
    """M2O depthwise index network with nonlinearity and weak context (figure 3.7).

    Four columns, one a position: 4x4 convolution of stride 2, BN, ReLU6, 1x1 convolution.

    Parameters
    ----------
    channels:
        C, of the feature and of both index maps.
    hidden_mult:
        Hidden width in units of C: 2 in the thesis (Table 3.1), 1 in the authors' released weights.
    """

    def __init__(self, channels: int, *, hidden_mult: int = 2) -> None:
        super().__init__()
        hidden = hidden_mult * channels
        self.columns = nn.ModuleList(
            nn.Sequential(
                *conv_bn(channels, hidden, 4, stride=2, padding=1),
                nn.Conv2d(hidden, channels, 1, bias=False),
            )
            for _ in range(4)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the index maps of the encoder and of the decoder, both B,C,H,W like `x`."""
        scores = torch.stack([column(x) for column in self.columns], dim=2)  # B,C,4,H/2,W/2
        decoder = torch.sigmoid(scores)
        encoder = torch.softmax(decoder, dim=2)
        return F.pixel_shuffle(encoder.flatten(1, 2), 2), F.pixel_shuffle(decoder.flatten(1, 2), 2)

    def deploy(self) -> DeployIndexBlock:
        return DeployIndexBlock(self.columns)


class IndexedUpsample(nn.Module):
    """Nearest-neighbour upsampling times the decoder's index map (eq. 3.2)."""

    def forward(self, x: Tensor, index: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="nearest") * index

    def deploy(self) -> DeployIndexedUpsample:
        return DeployIndexedUpsample()


class DeployIndexBlock(nn.Module):
    """:class:`IndexBlock` in operators that int8 delegates run; the decoder's map in positions."""

    def __init__(self, columns: nn.ModuleList) -> None:
        super().__init__()
        self.columns = columns
        self.softmax = UnitSoftmax()
        self.interleave = Interleave()

    def forward(self, x: Tensor) -> tuple[Tensor, Positions]:
        tl, tr, bl, br = (torch.sigmoid(column(x)) for column in self.columns)
        return self.interleave(self.softmax(tl, tr, bl, br)), (tl, tr, bl, br)


class UnitSoftmax(nn.Module):
    r"""Softmax over four maps whose values lie in 0..1, without exp and without division.

    Both fall out of int8 delegates. A softmax over four is a tree of two-way choices, each a
    sigmoid:

    .. math:: z_1 = \sigma\left(L(y_1, y_2) - L(y_3, y_4)\right) \; \sigma(y_1 - y_2)

    with the log-sum-exp of a pair, :math:`L(a, b) = (a + b)/2 + \log 2 + g\left((a - b)^2\right)`
    and :math:`g(u) = \log\cosh(\sqrt u / 2)`. As :math:`u` is at most 1, a cubic replaces
    :math:`g` within 2e-7 (minimax on 0..1; the constant cancels in the difference).

    Attributes
    ----------
    coefficients:
        Of u, u^2, ... in the polynomial. :data:`CUBIC` equals the softmax in float32;
        :data:`LINEAR` is within 0.1 of an int8 step and saves eight operators.
    """

    CUBIC = (1.24994732e-01, -5.18033177e-03, 3.00106083e-04)
    LINEAR = (1.20114507e-01,)

    def __init__(self) -> None:
        super().__init__()
        self.coefficients: tuple[float, ...] = self.CUBIC

    def forward(self, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Positions:
        first, second = a - b, c - d
        lead = ((a + b) - (c + d)) * 0.5
        upper = torch.sigmoid(lead + (self._bend(first * first) - self._bend(second * second)))
        lower = 1.0 - upper
        z_a = upper * torch.sigmoid(first)
        z_c = lower * torch.sigmoid(second)
        return z_a, upper - z_a, z_c, lower - z_c

    def _bend(self, u: Tensor) -> Tensor:
        """Return g(u) up to a constant, by Horner's rule."""
        *others, last = self.coefficients
        value = u * last
        for coefficient in reversed(others):
            value = (value + coefficient) * u
        return value


class DeployIndexedUpsample(nn.Module):
    """:class:`IndexedUpsample` with the index map in its four positions."""

    def __init__(self) -> None:
        super().__init__()
        self.interleave = Interleave()

    def forward(self, x: Tensor, index: Positions) -> Tensor:
        tl, tr, bl, br = index
        return self.interleave((x * tl, x * tr, x * bl, x * br))
