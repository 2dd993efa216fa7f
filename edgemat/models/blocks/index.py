"""Index networks: learn where pooling looks and where upsampling writes (thesis, section 3.4).

An index network sees a feature before it is pooled and predicts, for each of the four positions of
every 2x2 window, a score. Normalised, the scores are two *index maps*: the encoder's weighs the
pooling, the decoder's the upsampling. Five families say what a score may see (figures 3.5, 3.6):

=============  ========  ===============================================================
family         index     a score sees
=============  ========  ===============================================================
``hin``        B,1,H,W   all channels; one index map serves every channel (holistic)
``m2o``        B,C,H,W   all channels; every channel has its own (many to one)
``unshared``   B,C,H,W   its own channel, by its own weights (one to one)
``shared``     B,C,H,W   its own channel, by weights shared among the channels of a level
``modelwise``  B,C,H,W   its own channel, by weights shared among all levels
=============  ========  ===============================================================
"""

from __future__ import annotations

from typing import Literal, cast, get_args

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.blocks.conv import conv_bn
from edgemat.models.blocks.pooling import DeployMaxPool, Interleave, Positions

IndexFamily = Literal["hin", "modelwise", "shared", "unshared", "m2o"]
FAMILIES: tuple[IndexFamily, ...] = get_args(IndexFamily)
# of the encoder's and of the decoder's index map, as in Table 3.5; the last is the thesis' choice
Normalisation = Literal[
    "sigmoid/sigmoid", "softmax/softmax", "softmax+sigmoid/softmax", "sigmoid+softmax/sigmoid"
]


class IndexBlock(nn.Module):
    """Predict the index maps of one level; its weights are Table 3.1's.

    A *column* gives the scores: 2x2 convolution of stride 2 (L); or that to the hidden width, BN,
    ReLU6 and a 1x1 convolution (NL); or the same with a 4x4 convolution (NL+C). Depthwise families
    have a column for each of the four positions (figure 3.7), the holistic one has one in all.

    Parameters
    ----------
    channels:
        C, of the feature.
    nonlinear, context:
        NL and C. Context (4x4) comes with a nonlinear block in chapter 3, and with a linear one in
        Table 4.1.
    hidden_mult:
        Hidden width in units of C: 2 in the thesis (Table 3.1), 1 in the authors' released weights.
    normalisation:
        Of the scores in a window, for the encoder's and the decoder's map (Table 3.5).
    """

    def __init__(
        self,
        channels: int,
        *,
        family: IndexFamily = "m2o",
        nonlinear: bool = True,
        context: bool = True,
        hidden_mult: int = 2,
        normalisation: Normalisation = "sigmoid+softmax/sigmoid",
    ) -> None:
        super().__init__()
        self.family = family
        self.normalisation = normalisation
        by_channel = family in ("shared", "modelwise")  # sees B*C pictures of one channel
        width = 1 if by_channel else channels

        def column(outputs: int) -> nn.Sequential:
            groups = channels if family == "unshared" else 1
            kernel, padding = (4, 1) if context else (2, 0)
            if not nonlinear:
                linear = nn.Conv2d(width, outputs, kernel, 2, padding, groups=groups, bias=False)
                return nn.Sequential(linear)
            hidden = hidden_mult * width
            return nn.Sequential(
                *conv_bn(width, hidden, kernel, stride=2, padding=padding, groups=groups),
                nn.Conv2d(hidden, outputs, 1, groups=groups, bias=False),
            )

        holistic = family == "hin"
        self.columns = nn.ModuleList([column(4)] if holistic else [column(width) for _ in range(4)])

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the index maps of the encoder and of the decoder: B,C,H,W (holistic: B,1,H,W)."""
        encoder, decoder = normalise_scores(self._scores(x), self.normalisation)
        return F.pixel_shuffle(encoder.flatten(1, 2), 2), F.pixel_shuffle(decoder.flatten(1, 2), 2)

    def _scores(self, x: Tensor) -> Tensor:
        """Return B,C,4,H/2,W/2 (holistic: B,1,4,H/2,W/2)."""
        if self.family == "hin":
            x = self.columns[0](x)
            return x.unsqueeze(1)
        if self.family in ("shared", "modelwise"):
            b, c, h, w = x.shape
            alone = x.reshape(b * c, 1, h, w)
            columns = [column(alone).reshape(b, c, h // 2, w // 2) for column in self.columns]
        else:
            columns = [column(x) for column in self.columns]
        return torch.stack(columns, dim=2)

    def deploy_for(self, channels: int) -> DeployIndexBlock:
        """Return the form for phones, for a feature of so many channels."""
        columns = self.columns
        if self.family in ("shared", "modelwise"):
            columns = nn.ModuleList(_repeat(cast(nn.Sequential, c), channels) for c in columns)
        return DeployIndexBlock(columns, self.normalisation)


class HolisticMaxIndex(nn.Module):
    """HMI, the baseline of holistic index networks: where the maximum over all channels lies.

    No parameters; both index maps are 1 at the maximum of every 2x2 window and 0 elsewhere.
    """

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Return the one index map, B,1,H,W, twice."""
        strongest = x.amax(dim=1, keepdim=True)
        pooled, switch = F.max_pool2d(strongest, 2, return_indices=True)
        index = F.max_unpool2d(torch.ones_like(pooled), switch, [2, 2])
        return index, index

    def deploy_for(self, channels: int) -> DeployHolisticMaxIndex:
        """Return the form for phones, whatever the channels."""
        return DeployHolisticMaxIndex()


LevelIndex = IndexBlock | HolisticMaxIndex
"""The predictor of the index maps of a level; it has a form for phones by the level's channels."""


def normalise_scores(scores: Tensor, normalisation: Normalisation) -> tuple[Tensor, Tensor]:
    """Return the maps of encoder and decoder of `scores`, B,C,4,h,w: one window along axis 2."""
    match normalisation:
        case "sigmoid/sigmoid":
            index = torch.sigmoid(scores)
            return index, index
        case "softmax/softmax":
            index = torch.softmax(scores, dim=2)
            return index, index
        case "softmax+sigmoid/softmax":
            index = torch.softmax(scores, dim=2)
            return torch.sigmoid(index), index
        case "sigmoid+softmax/sigmoid":
            index = torch.sigmoid(scores)
            return torch.softmax(index, dim=2), index


class IndexedUpsample(nn.Module):
    """Nearest-neighbour upsampling times the decoder's index map (eq. 3.2)."""

    def forward(self, x: Tensor, index: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2, mode="nearest") * index

    def deploy(self) -> DeployIndexedUpsample:
        return DeployIndexedUpsample()


class DeployIndexBlock(nn.Module):
    """:class:`IndexBlock` in operators that delegates run; the decoder's map in positions."""

    def __init__(self, columns: nn.ModuleList, normalisation: Normalisation) -> None:
        super().__init__()
        self.columns = columns
        self.normalisation = normalisation
        unit = normalisation == "sigmoid+softmax/sigmoid"
        self.softmax = UnitSoftmax() if unit else PositionSoftmax()
        self.interleave = Interleave()

    def forward(self, x: Tensor) -> tuple[Tensor, Positions]:
        if len(self.columns) == 1:
            scores = self.columns[0](x)
            positions = cast(Positions, tuple(scores[:, p : p + 1] for p in range(4)))
        else:
            positions = cast(Positions, tuple(column(x) for column in self.columns))
        encoder, decoder = self._normalise(positions)
        return self.interleave(encoder), decoder

    def _normalise(self, scores: Positions) -> tuple[Positions, Positions]:
        match self.normalisation:
            case "sigmoid/sigmoid":
                index = _sigmoids(scores)
                return index, index
            case "softmax/softmax":
                index = self.softmax(*scores)
                return index, index
            case "softmax+sigmoid/softmax":
                index = self.softmax(*scores)
                return _sigmoids(index), index
            case "sigmoid+softmax/sigmoid":
                index = _sigmoids(scores)
                return self.softmax(*index), index


class DeployHolisticMaxIndex(nn.Module):
    """:class:`HolisticMaxIndex` with the index map in positions."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = DeployMaxPool()
        self.interleave = Interleave()

    def forward(self, x: Tensor) -> tuple[Tensor, Positions]:
        _, index = self.pool(x.amax(dim=1, keepdim=True))
        return self.interleave(index), index


class PositionSoftmax(nn.Module):
    """Softmax over the four positions, of any scores."""

    def forward(self, a: Tensor, b: Tensor, c: Tensor, d: Tensor) -> Positions:
        top = torch.maximum(torch.maximum(a, b), torch.maximum(c, d))
        a, b, c, d = (torch.exp(score - top) for score in (a, b, c, d))
        total = a + b + c + d
        return a / total, b / total, c / total, d / total


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
        y: Tensor = self.interleave((x * tl, x * tr, x * bl, x * br))
        return y


def _sigmoids(maps: Positions) -> Positions:
    tl, tr, bl, br = (torch.sigmoid(m) for m in maps)
    return tl, tr, bl, br


def _repeat(column: nn.Sequential, channels: int) -> nn.Sequential:
    """Return the column that treats every channel by itself with the weights of `column`."""
    layers: list[nn.Module] = []
    for layer in column:
        if isinstance(layer, nn.Conv2d):
            conv = nn.Conv2d(
                layer.in_channels * channels,
                layer.out_channels * channels,
                cast(tuple[int, int], layer.kernel_size),
                cast(tuple[int, int], layer.stride),
                cast(tuple[int, int], layer.padding),
                groups=channels,
                bias=False,
            )
            conv.weight = nn.Parameter(layer.weight.detach().repeat(channels, 1, 1, 1))
            layers.append(conv)
        elif isinstance(layer, nn.BatchNorm2d):
            norm = nn.BatchNorm2d(layer.num_features * channels, eps=layer.eps)
            norm.load_state_dict(
                {k: v.repeat(channels) if v.ndim else v for k, v in layer.state_dict().items()}
            )
            layers.append(norm)
        else:
            layers.append(layer)
    return nn.Sequential(*layers).eval()
