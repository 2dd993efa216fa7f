"""Samplings: how a network halves its features, and doubles them again with what was kept.

This is what chapters 3 and 4 of the thesis vary while the rest of a network stays. A sampling
serves all levels of one network. ``down`` halves a level's feature and keeps a *guide*; ``up``
doubles the decoder's feature of the same level with it. Upsampling that needs no guide is blind.

>>> import torch
>>> from edgemat.models.blocks.sampling import create_sampling
>>> sampling = create_sampling("m2o-nlc", {0: 32, 2: 24})
>>> feature, pooled, guide = sampling.down(0, torch.rand(2, 32, 16, 16))
>>> pooled.shape, sampling.up(0, pooled, guide).shape
(torch.Size([2, 32, 8, 8]), torch.Size([2, 32, 16, 16]))
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Literal, NamedTuple, Self, cast, get_args

from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.errors import UsageError, nearest
from edgemat.models.blocks.a2u import A2U, FORMS
from edgemat.models.blocks.carafe import Carafe, reassemble
from edgemat.models.blocks.index import (
    FAMILIES,
    DeployIndexedUpsample,
    HolisticMaxIndex,
    IndexBlock,
    IndexedUpsample,
    IndexFamily,
    LevelIndex,
    Normalisation,
)
from edgemat.models.blocks.pooling import LevelPool, MaxPool, MaxUnpool, PlainMaxPool, SumPool

Widths = Mapping[int, int]
Downsampler = Literal["max", "avg", "conv"]
Upsampler = Literal["nearest", "bilinear", "deconv", "carafe", "carafe1"]


class Halved(NamedTuple):
    """The result of ``down``.

    Attributes
    ----------
    feature:
        B,C,H,W, for skip connections: the input, or the input weighted by its index map.
    pooled:
        The feature at half the size; B,C,H/2,W/2 for all but space-to-depth (B,4C,H/2,W/2).
    guide:
        What ``up`` needs to know; None where upsampling is blind.
    """

    feature: Tensor
    pooled: Tensor
    guide: Any


class Sampling(nn.Module):
    """Base of all samplings; a level is the number of the encoder's stage that it follows.

    Attributes
    ----------
    factor:
        How many times as many channels ``down`` gives, and ``up`` takes away.
    """

    factor = 1

    @abstractmethod
    def down(self, level: int, x: Tensor) -> Halved:
        """Halve `x`, B,C,H,W with even H and W."""

    @abstractmethod
    def up(self, level: int, x: Tensor, guide: Any) -> Tensor:
        """Double `x`, with the guide of the same level."""

    def guide(self, level: int, x: Tensor) -> Any:
        """Return the guide alone of `x`, where something else has halved it."""
        return self.down(level, x).guide


class MaxSampling(Sampling):
    """Max-pooling and unpooling to where the maxima were (SegNet)."""

    def __init__(self) -> None:
        super().__init__()
        self.pool, self.unpool = MaxPool(), MaxUnpool()

    def down(self, level: int, x: Tensor) -> Halved:
        pooled, switch = self.pool(x)
        return Halved(x, pooled, switch)

    def up(self, level: int, x: Tensor, guide: Any) -> Tensor:
        y: Tensor = self.unpool(x, guide)
        return y


class IndexSampling(Sampling):
    """Indexed pooling and indexed upsampling (equations 3.1 and 3.2); the guide is an index map.

    Parameters
    ----------
    widths:
        C of every level.
    blocks:
        The index block of every level; or one alone, which all levels share (modelwise).
    """

    pool_type: type[LevelPool] = SumPool

    def __init__(self, widths: Widths, blocks: Mapping[int, nn.Module]) -> None:
        super().__init__()
        self.index = nn.ModuleDict({str(level): block for level, block in blocks.items()})
        self.pool = nn.ModuleDict({str(level): self.pool_type(c) for level, c in widths.items()})
        self.upsample: nn.Module = IndexedUpsample()

    def block(self, level: int) -> nn.Module:
        """Return the index block of a level."""
        first, *others = self.index.values()
        return self.index[str(level)] if others else first

    def down(self, level: int, x: Tensor) -> Halved:
        encoder_index, decoder_index = self.block(level)(x)
        x = x * encoder_index
        return Halved(x, self.pool[str(level)](x), decoder_index)

    def up(self, level: int, x: Tensor, guide: Any) -> Tensor:
        y: Tensor = self.upsample(x, guide)
        return y

    def guide(self, level: int, x: Tensor) -> Any:
        return self.block(level)(x)[1]

    def deploy(self) -> Self:
        """Return the same of the blocks' deploy forms, each made for its level's channels."""
        pools = {int(level): cast(LevelPool, pool) for level, pool in self.pool.items()}
        widths = {level: pool.channels for level, pool in pools.items()}  # fewer after pruning
        blocks = {k: cast(LevelIndex, self.block(k)).deploy_for(c) for k, c in widths.items()}
        sampling = type(self)(widths, blocks)
        sampling.pool = nn.ModuleDict({str(k): pool.deploy() for k, pool in pools.items()})
        sampling.upsample = DeployIndexedUpsample()
        return sampling


class MaxIndexSampling(IndexSampling):
    """Max-pooling and indexed upsampling: the index networks of Table 4.1."""

    pool_type = PlainMaxPool

    def down(self, level: int, x: Tensor) -> Halved:
        return Halved(x, self.pool[str(level)](x), self.guide(level, x))


class AffinitySampling(Sampling):
    """Affinity-aware upsampling (section 4.4); the guide are the kernels, B,s*s,H,W.

    Pooling is max-pooling, or weighted by kernels of the same affinity where blocks are paired.

    Parameters
    ----------
    blocks:
        Of every level.
    """

    def __init__(self, blocks: Mapping[int, A2U]) -> None:
        super().__init__()
        self.affinity = nn.ModuleDict({str(level): block for level, block in blocks.items()})
        self.pool = nn.MaxPool2d(2)

    def block(self, level: int) -> A2U:
        """Return the block of a level."""
        return cast(A2U, self.affinity[str(level)])

    def down(self, level: int, x: Tensor) -> Halved:
        block = self.block(level)
        kernels, down_kernels = block(x)
        if down_kernels is None:
            return Halved(x, self.pool(x), kernels)
        return Halved(x, reassemble(x, down_kernels, side=2 * block.side, stride=2), kernels)

    def up(self, level: int, x: Tensor, guide: Any) -> Tensor:
        # windows of the small feature, from where their neighbours are two pixels apart
        x = F.interpolate(x, scale_factor=2, mode="nearest")
        return reassemble(x, guide, side=self.block(level).side, spacing=2)

    def guide(self, level: int, x: Tensor) -> Any:
        return self.block(level)(x)[0]


class BlindSampling(Sampling):
    """Downsampling and upsampling that know nothing of each other.

    Parameters
    ----------
    downsample:
        "max", "avg": pooling; "conv": 3x3 convolution of stride 2.
    upsample:
        "nearest", "bilinear"; "deconv": 4x4 transposed convolution of stride 2; "carafe", or
        "carafe1" of a window of one pixel, as in Table 4.1: its weights, a softmax over one, are 1.
    """

    def __init__(
        self,
        widths: Widths,
        *,
        downsample: Downsampler,
        upsample: Upsampler,
    ) -> None:
        super().__init__()

        def halve(c: int) -> nn.Module:
            match downsample:
                case "max":
                    return nn.MaxPool2d(2)
                case "avg":
                    return nn.AvgPool2d(2)
                case "conv":
                    return nn.Conv2d(c, c, 3, stride=2, padding=1)

        def double(c: int) -> nn.Module:
            match upsample:
                case "nearest" | "bilinear":
                    return Resize(upsample)
                case "deconv":
                    return nn.ConvTranspose2d(c, c, 4, stride=2, padding=1)
                case "carafe":
                    return Carafe(c)
                case "carafe1":
                    return Carafe(c, kernel=1)

        self.downsample = nn.ModuleDict({str(level): halve(c) for level, c in widths.items()})
        self.upsample = nn.ModuleDict({str(level): double(c) for level, c in widths.items()})

    def down(self, level: int, x: Tensor) -> Halved:
        return Halved(x, self.downsample[str(level)](x), None)

    def up(self, level: int, x: Tensor, guide: Any) -> Tensor:
        y: Tensor = self.upsample[str(level)](x)
        return y

    def guide(self, level: int, x: Tensor) -> None:
        return None


class SpaceDepthSampling(Sampling):
    """Space-to-depth and depth-to-space: nothing is lost, the channels are four times as many."""

    factor = 4

    def down(self, level: int, x: Tensor) -> Halved:
        return Halved(x, F.pixel_unshuffle(x, 2), None)

    def up(self, level: int, x: Tensor, guide: Any) -> Tensor:
        return F.pixel_shuffle(x, 2)


class Resize(nn.Module):
    """Interpolation to twice the size."""

    def __init__(self, mode: Literal["nearest", "bilinear"]) -> None:
        super().__init__()
        self.mode = mode

    def forward(self, x: Tensor) -> Tensor:
        corners = False if self.mode == "bilinear" else None
        return F.interpolate(x, scale_factor=2, mode=self.mode, align_corners=corners)


# name of an index sampling: family and how much a score sees
VARIANTS = {"l": (False, False), "nl": (True, False), "nlc": (True, True)}
LINEAR_CONTEXT = {"lc": (False, True)}  # of Table 4.1 alone, which pools by maxima
INDEX_SAMPLINGS = (
    *(f"{family}-{variant}" for family in FAMILIES for variant in VARIANTS),
    *(f"max-{family}-{variant}" for family in FAMILIES for variant in LINEAR_CONTEXT),
)
BLIND_SAMPLINGS = tuple(
    f"{down}-{up}" for down in get_args(Downsampler) for up in get_args(Upsampler)
)
AFFINITY_SAMPLINGS = tuple(f"a2u-{form}" for form in FORMS)
SAMPLINGS = (
    "max-unpool",
    "s2d-d2s",
    "hmi",
    *BLIND_SAMPLINGS,
    *INDEX_SAMPLINGS,
    *AFFINITY_SAMPLINGS,
)


def create_sampling(
    name: str,
    widths: Widths,
    *,
    hidden_mult: int = 2,
    normalisation: Normalisation = "sigmoid+softmax/sigmoid",
    affinity: Mapping[str, Any] = MappingProxyType({}),
) -> Sampling:
    """Build a sampling by name.

    >>> from edgemat.models.blocks.sampling import create_sampling
    >>> create_sampling("conv-carafe", {0: 8}).factor
    1

    Parameters
    ----------
    name:
        One of :data:`SAMPLINGS`: "max-unpool", "conv-carafe", "m2o-nlc", "max-hin-lc", ...
    widths:
        Channels of every level's feature, by level.
    hidden_mult, normalisation:
        For index networks; see :class:`IndexBlock`.
    affinity:
        For A2U; see :class:`edgemat.models.blocks.a2u.A2U`.

    Raises
    ------
    UsageError
        For an unknown name.
    """
    if name not in SAMPLINGS:
        raise UsageError(f"There is no sampling {name!r}.", remedy=nearest(name, SAMPLINGS))
    if name == "max-unpool":
        return MaxSampling()
    if name == "s2d-d2s":
        return SpaceDepthSampling()
    if name == "hmi":
        return IndexSampling(widths, {level: HolisticMaxIndex() for level in widths})
    if name in BLIND_SAMPLINGS:
        downsample, upsample = name.split("-")
        return BlindSampling(
            widths,
            downsample=cast(Downsampler, downsample),
            upsample=cast(Upsampler, upsample),
        )
    if name in AFFINITY_SAMPLINGS:
        form = FORMS[name.removeprefix("a2u-")]
        return AffinitySampling({k: A2U(c, **{**form, **affinity}) for k, c in widths.items()})
    *pooled, family, variant = name.split("-")
    nonlinear, context = (VARIANTS | LINEAR_CONTEXT)[variant]
    # one block serves all levels of a modelwise network
    owners = list(widths)[:1] if family == "modelwise" else widths
    blocks = {
        level: IndexBlock(
            widths[level],
            family=cast(IndexFamily, family),
            nonlinear=nonlinear,
            context=context,
            hidden_mult=hidden_mult,
            normalisation=normalisation,
        )
        for level in owners
    }
    return MaxIndexSampling(widths, blocks) if pooled else IndexSampling(widths, blocks)
