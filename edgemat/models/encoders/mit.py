"""Mix Transformer, the encoder of RMat (thesis, section 5.3).

Each of four stages embeds overlapping patches by a convolution, that halves the size (the first one
quarters it), and goes on with transformer blocks: attention, then a perceptron with a depthwise
convolution in the middle. No position is embedded, so that any size will do. To be affordable at
1/4, attention looks at keys and values of a feature reduced by 8.

A *map* is B,C,H,W; its *tokens* are B,H*W,C.

Xie et al., "SegFormer: Simple and Efficient Design for Semantic Segmentation with Transformers",
NeurIPS 2021; without its decoder b1 has 13,154,560 parameters and b2 24,199,424, for four channels.
"""

from __future__ import annotations

import math
from itertools import accumulate
from typing import Literal, NamedTuple

import torch
from torch import Tensor, nn

from edgemat.models.blocks.conv import scale_channels
from edgemat.models.encoders.encoder import Encoder
from edgemat.models.narrowing import bias_of

HEAD_CHANNELS = 64
EPSILON = 1e-6  # of layer normalisation in blocks and after them; 1e-5 elsewhere


class MitStage(NamedTuple):
    """Patch and its stride; heads of attention, 64 channels each; reduction of keys and values."""

    patch: int
    stride: int
    heads: int
    reduction: int


STAGES = (MitStage(7, 4, 1, 8), MitStage(3, 2, 2, 4), MitStage(3, 2, 5, 2), MitStage(3, 2, 8, 1))
Variant = Literal["b1", "b2"]
# transformer blocks of each stage
DEPTHS: dict[Variant, tuple[int, ...]] = {"b1": (2, 2, 2, 2), "b2": (3, 4, 6, 3)}


def to_tokens(x: Tensor) -> Tensor:
    """Return B,H*W,C of a map B,C,H,W."""
    return x.flatten(2).transpose(1, 2)


def to_map(tokens: Tensor, size: torch.Size) -> Tensor:
    """Return B,C,H,W of B,H*W,C; `size` is H,W."""
    b, _, c = tokens.shape
    return tokens.transpose(1, 2).reshape(b, c, *size)


def attend(query: Tensor, key: Tensor, value: Tensor, *, heads: int = 1) -> Tensor:
    """Return the attention of B,N,C queries to B,M,C keys and values: B,N,C."""
    b, n, c = query.shape

    def split(tokens: Tensor) -> Tensor:
        return tokens.reshape(b, -1, heads, c // heads).transpose(1, 2)  # B,heads,N,C/heads

    scores = split(query) @ split(key).transpose(2, 3) * (c // heads) ** -0.5
    mixed = torch.softmax(scores, dim=3) @ split(value)
    return mixed.transpose(1, 2).reshape(b, n, c)


class Reduction(nn.Module):
    """Tokens of a map at 1/ratio of the size, by a convolution without overlap."""

    def __init__(self, channels: int, ratio: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, channels, ratio, ratio)
        self.norm = nn.LayerNorm(channels)

    def forward(self, tokens: Tensor, size: torch.Size) -> Tensor:
        y: Tensor = self.norm(to_tokens(self.conv(to_map(tokens, size))))
        return y


class SelfAttention(nn.Module):
    """Multi-head attention of a map's tokens to its own, reduced, tokens."""

    def __init__(self, channels: int, *, heads: int, reduction: int) -> None:
        super().__init__()
        self.heads = heads
        self.reduce = Reduction(channels, reduction) if reduction > 1 else None
        self.query = nn.Linear(channels, channels)
        self.key = nn.Linear(channels, channels)
        self.value = nn.Linear(channels, channels)
        self.project = nn.Linear(channels, channels)

    def forward(self, tokens: Tensor, size: torch.Size) -> Tensor:
        context = tokens if self.reduce is None else self.reduce(tokens, size)
        query, key, value = self.query(tokens), self.key(context), self.value(context)
        y: Tensor = self.project(attend(query, key, value, heads=self.heads))
        return y


class MixPerceptron(nn.Module):
    """Two linear layers with a 3x3 depthwise convolution and GELU between (Mix-FFN)."""

    def __init__(self, channels: int, *, ratio: int = 4) -> None:
        super().__init__()
        hidden = ratio * channels
        self.expand = nn.Linear(channels, hidden)
        self.depthwise = nn.Conv2d(hidden, hidden, 3, padding=1, groups=hidden)
        self.activation = nn.GELU()
        self.reduce = nn.Linear(hidden, channels)

    def forward(self, tokens: Tensor, size: torch.Size) -> Tensor:
        mixed = to_tokens(self.depthwise(to_map(self.expand(tokens), size)))
        y: Tensor = self.reduce(self.activation(mixed))
        return y


class DropPath(nn.Module):
    """Leave out a residual branch for some pictures of a batch, in training."""

    def __init__(self, probability: float) -> None:
        super().__init__()
        self.probability = probability

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.probability == 0:
            return x
        kept = torch.rand(x.shape[0], 1, 1, device=x.device) >= self.probability
        return x * kept / (1 - self.probability)


class TransformerBlock(nn.Module):
    """One transformer block, on tokens."""

    def __init__(self, channels: int, *, heads: int, reduction: int, drop_path: float) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(channels, eps=EPSILON)
        self.attention = SelfAttention(channels, heads=heads, reduction=reduction)
        self.norm2 = nn.LayerNorm(channels, eps=EPSILON)
        self.perceptron = MixPerceptron(channels)
        self.drop_path = DropPath(drop_path)

    def forward(self, tokens: Tensor, size: torch.Size) -> Tensor:
        tokens = tokens + self.drop_path(self.attention(self.norm1(tokens), size))
        y: Tensor = tokens + self.drop_path(self.perceptron(self.norm2(tokens), size))
        return y


class TransformerStage(nn.Module):
    """Patch embedding and transformer blocks; maps in and out."""

    def __init__(
        self, in_channels: int, channels: int, stage: MitStage, rates: list[float]
    ) -> None:
        super().__init__()
        padding = stage.patch // 2
        self.embed = nn.Conv2d(in_channels, channels, stage.patch, stage.stride, padding)
        self.embed_norm = nn.LayerNorm(channels)
        self.blocks = nn.ModuleList(
            TransformerBlock(channels, heads=stage.heads, reduction=stage.reduction, drop_path=rate)
            for rate in rates
        )
        self.norm = nn.LayerNorm(channels, eps=EPSILON)

    def forward(self, x: Tensor) -> Tensor:
        x = self.embed(x)
        size = x.shape[-2:]
        tokens = self.embed_norm(to_tokens(x))
        for block in self.blocks:
            tokens = block(tokens, size)
        return to_map(self.norm(tokens), size)


class MiT(Encoder):
    """The four stages of the encoder, at 1/4, 1/8, 1/16 and 1/32.

    Parameters
    ----------
    in_channels:
        3 for RGB, 4 for RGB and trimap.
    variant:
        "b1" or "b2".
    width:
        Multiplier of all channel counts.
    drop_path:
        Probability that the last block is left out in training; it grows from 0 at the first.
    """

    def __init__(
        self, in_channels: int, *, variant: Variant, width: float = 1.0, drop_path: float = 0.1
    ) -> None:
        head = scale_channels(HEAD_CHANNELS, width)
        widths = [stage.heads * head for stage in STAGES]
        depths = DEPTHS[variant]
        blocks = sum(depths)
        rates = [drop_path * block / (blocks - 1) for block in range(blocks)]
        ends = accumulate(depths)
        befores = (in_channels, *widths[:-1])
        super().__init__(
            (
                TransformerStage(before, after, stage, rates[end - depth : end])
                for before, after, stage, depth, end in zip(
                    befores, widths, STAGES, depths, ends, strict=True
                )
            ),
            channels=widths,
            own_strides=[stage.stride for stage in STAGES],
        )
        self.initialise()

    def initialise(self) -> None:
        """Draw weights as SegFormer does: linear layers N(0, 0.02 ** 2), cut off at two."""
        for module in self.modules():
            if isinstance(module, nn.Linear):
                nn.init.trunc_normal_(module.weight, std=0.02)
                nn.init.zeros_(module.bias)
            elif isinstance(module, nn.Conv2d):
                side = module.kernel_size[0]
                terms = side * side * module.out_channels // module.groups
                nn.init.normal_(module.weight, 0.0, math.sqrt(2.0 / terms))
                nn.init.zeros_(bias_of(module))
