"""Checkpoints in the layouts of released networks, made of names, shapes and a seed.

Nothing here comes from edgemat's tables: what the tables say is compared with it.
"""

from __future__ import annotations

import zlib
from itertools import pairwise

import torch
from torch import Tensor

Shapes = dict[str, tuple[int, ...]]
State = dict[str, Tensor]
BN = ("weight", "bias", "running_mean", "running_var")


def conv(name: str, *shape: int, bias: bool = False) -> Shapes:
    """Return a convolution's tensors."""
    made: Shapes = {f"{name}.weight": shape}
    return made | {f"{name}.bias": shape[:1]} if bias else made


def norm(name: str, channels: int) -> Shapes:
    """Return the tensors of batch normalisation."""
    return {f"{name}.{leaf}": (channels,) for leaf in BN} | {f"{name}.num_batches_tracked": ()}


def pair(first: str, second: str, *shape: int, bias: bool = False) -> Shapes:
    """Return a convolution and its normalisation."""
    return conv(first, *shape, bias=bias) | norm(second, shape[0])


def numbered(name: str, first: int, *shape: int, bias: bool = False) -> Shapes:
    """Return a convolution and its normalisation at two places of a list."""
    return pair(f"{name}.{first}", f"{name}.{first + 1}", *shape, bias=bias)


def filled(shapes: Shapes, *, gain: float = 1.0, signed: bool = False) -> State:
    """Return tensors that depend on their names alone, with which signals neither fade nor grow.

    Parameters
    ----------
    gain:
        Of normalisations: below 1 where shortcuts add up.
    signed:
        Whether their scales have either sign.
    """
    return {name: _values(name, shape, gain=gain, signed=signed) for name, shape in shapes.items()}


def _values(name: str, shape: tuple[int, ...], *, gain: float, signed: bool) -> Tensor:
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    if not shape:
        return torch.tensor(7)
    if name.endswith("running_var"):
        return 0.5 + torch.rand(shape, generator=generator)
    if len(shape) == 1 and name.endswith("weight"):
        sign = torch.randn(shape, generator=generator).sign() if signed else 1.0
        return gain * (0.5 + torch.rand(shape, generator=generator)) * sign
    if len(shape) == 1:
        return 0.1 * torch.randn(shape, generator=generator)
    fan = shape[1] * shape[2] * shape[3]
    return torch.randn(shape, generator=generator) * (2 / fan) ** 0.5


# ---- IndexNet, as poppinace/indexnet_matting -----------------------------------------------------

WIDTHS = (32, 16, 24, 32, 64, 96, 160, 320)
BLOCKS = (1, 1, 2, 3, 4, 3, 3, 1)
LEVELS = (0, 2, 3, 4, 6)


def _mobilenet() -> Shapes:
    made = numbered("layer0", 0, 32, 4, 3, 3)
    for stage in range(1, 8):
        for block in range(BLOCKS[stage]):
            name = f"layer{stage}.{block}.conv"
            before = WIDTHS[stage - 1] if block == 0 else WIDTHS[stage]
            hidden, place = (before, 0) if stage == 1 else (6 * before, 3)
            if stage > 1:
                made |= numbered(name, 0, hidden, before, 1, 1)
            made |= numbered(name, place, hidden, 1, 3, 3)
            made |= numbered(name, place + 3, WIDTHS[stage], hidden, 1, 1)
    return made


def _index(level: int, kind: str, variant: str, mult: int) -> Shapes:
    c = WIDTHS[level]
    inputs = 1 if kind == "o2o" else c
    outputs = 4 if kind == "holistic" else c
    kernel = 4 if variant == "nlc" else 2
    columns = [""] if kind == "holistic" else ["1", "2", "3", "4"]
    made: Shapes = {}
    for column in columns:
        name = f"index{level}.indexnet{column}"
        if variant == "l":
            made |= conv(name if kind == "holistic" else f"{name}.0", outputs, inputs, 2, 2)
            continue
        made |= numbered(name, 0, mult * c, inputs, kernel, kernel)
        made |= conv(f"{name}.3", outputs, mult if kind == "o2o" else mult * c, 1, 1)
    return made


def _aspp(name: str, inputs: int, outputs: int) -> Shapes:
    made = numbered(f"{name}.aspp1.atrous_conv", 0, 256, inputs, 1, 1)
    for branch in (2, 3, 4):
        made |= numbered(f"{name}.aspp{branch}.atrous_conv", 0, inputs, 1, 3, 3)
        made |= numbered(f"{name}.aspp{branch}.atrous_conv", 3, 256, inputs, 1, 1)
    made |= numbered(f"{name}.global_avg_pool", 1, 256, inputs, 1, 1)
    return made | numbered(f"{name}.bottleneck_conv", 0, outputs, 1280, 1, 1)


def indexnet(kind: str = "m2o", variant: str = "nlc", mult: int = 1) -> Shapes:
    """Return IndexNet; `kind` "b10" or "b11" are the baselines with max-unpooling."""
    made = _mobilenet()
    if not kind.startswith("b"):
        for level in LEVELS:
            made |= _index(level, kind, variant, mult)
    made |= (
        numbered("dconv_pp", 0, 160, 320, 1, 1) if kind == "b10" else _aspp("dconv_pp", 320, 160)
    )
    for k in range(7):
        after = WIDTHS[max(k - 1, 0)]
        made |= numbered(f"decoder_layer{k}.dconv", 0, after, 2 * WIDTHS[k], 5, 5)
    return made | numbered("pred.0", 0, 1, 32, 5, 5) | conv("pred.1", 1, 1, 5, 5)


def deeplab() -> Shapes:
    """Return B1."""
    made = _mobilenet() | _aspp("dconv_pp", 320, 256)
    made |= numbered("decoder.first_dconv", 0, 48, 24, 1, 1)
    made |= numbered("decoder.last_dconv.0", 0, 256, 304, 5, 5)
    made |= numbered("decoder.last_dconv.1", 0, 256, 256, 5, 5)
    return made | numbered("pred", 0, 1, 256, 1, 1) | conv("pred.3", 1, 1, 1, 1)


def refinenet() -> Shapes:
    """Return B2."""
    made = _mobilenet()
    for stage in range(2, 8):
        made |= numbered(f"dconv{stage}", 0, 256, WIDTHS[stage], 1, 1)
    for chain in range(1, 5):
        for link in range(1, 5):
            made |= numbered(f"dconv_crp{chain}.0.{link}_outvar_dimred", 0, 256, 256, 1, 1)
    for k in (2, 3, 4):
        made |= numbered(f"dconv_adapt{k}", 0, 256, 256, 1, 1)
    return made | numbered("pred.0", 0, 1, 256, 5, 5) | conv("pred.1", 1, 1, 5, 5)


# ---- IndexNet, as MMagic: the same tensors by other names ----------------------------------------

_PAIR = {"0": "conv", "1": "bn"}
_SEPARABLE = {
    "0": "depthwise_conv.conv",
    "1": "depthwise_conv.bn",
    "3": "pointwise_conv.conv",
    "4": "pointwise_conv.bn",
}


def mmagic(state: State) -> State:
    """Return a checkpoint of :func:`indexnet` as MMagic names it."""
    linear = not any(name.startswith("index0.") and name.endswith("bias") for name in state)
    return {
        f"backbone.{_mmagic(name.split('.'), linear=linear)}": value
        for name, value in state.items()
    }


def _mmagic(name: list[str], *, linear: bool) -> str:
    head, *rest, leaf = name
    if head == "layer0":
        return f"encoder.layers.0.{_PAIR[rest[0]]}.{leaf}"
    if head == "layer1":
        return f"encoder.layers.1.{rest[0]}.conv.{_SEPARABLE[rest[2]]}.{leaf}"
    if head.startswith("layer"):
        inside, place = f"encoder.layers.{head[5:]}.{rest[0]}.conv", int(rest[2])
        if place < 2:
            return f"{inside}.0.{_PAIR[rest[2]]}.{leaf}"
        return f"{inside}.1.{_SEPARABLE[str(place - 3)]}.{leaf}"
    if head.startswith("index"):
        column = rest[0].removeprefix("indexnet")
        block = f"index_blocks.{int(column) - 1}" if column else "index_block"
        layer = f"encoder.index_layers.{LEVELS.index(int(head[5:]))}.{block}"
        if linear:
            return f"{layer}.conv.{leaf}"
        return f"{layer}.1.conv.{leaf}" if rest[1] == "3" else f"{layer}.0.{_PAIR[rest[1]]}.{leaf}"
    if head == "dconv_pp":
        return _mmagic_context(rest, leaf)
    if head.startswith("decoder_layer"):
        return f"decoder.decoder_layers.{6 - int(head[13:])}.conv.{_PAIR[rest[1]]}.{leaf}"
    return f"decoder.pred.0.{_PAIR[rest[1]]}.{leaf}" if len(rest) == 2 else f"decoder.pred.1.{leaf}"


def _mmagic_context(rest: list[str], leaf: str) -> str:
    part, *_, place = rest
    if part == "bottleneck_conv":
        return f"encoder.dconv.project.0.{_PAIR[place]}.{leaf}"
    if part == "global_avg_pool":
        return f"encoder.dconv.convs.4.1.{_PAIR[str(int(place) - 1)]}.{leaf}"
    if part == "aspp1":
        return f"encoder.dconv.convs.0.{_PAIR[place]}.{leaf}"
    return f"encoder.dconv.convs.{int(part[4:]) - 1}.{_SEPARABLE[place]}.{leaf}"


# ---- Deep Image Matting --------------------------------------------------------------------------


def dim(width: float = 1.0) -> Shapes:
    """Return DIM, its widths times `width`."""
    made: Shapes = {}
    before = 4
    widths = [int(c * width) for c in (64, 128, 256, 512, 512)]
    for stage, (c, layers) in enumerate(zip(widths, (2, 2, 3, 3, 3), strict=True), start=1):
        for layer in range(1, layers + 1):
            made |= pair(f"conv{stage}{layer}", f"bn{stage}{layer}", c, before, 3, 3, bias=True)
            before = c
    connected = int(4096 * width)
    made |= conv("conv6", connected, before, 7, 7, bias=True)
    made |= conv("dconv6", before, connected, 1, 1, bias=True)
    for k in range(5, 0, -1):
        made |= conv(f"dconv{k}", widths[max(k - 2, 0)], widths[k - 1], 5, 5, bias=True)
    return made | conv("alpha_pred", 1, widths[0], 5, 5, bias=True)


# ---- A2U -----------------------------------------------------------------------------------------


def _residual(name: str, inputs: int, c: int, *, split: bool = False) -> Shapes:
    one, two = (f"{name}.layer1", f"{name}.layer2") if split else (name, name)
    made = pair(f"{one}.conv1", f"{one}.bn1", c, inputs, 3, 3)
    return made | pair(f"{two}.conv2", f"{two}.bn2", c, c, 3, 3)


def _bilinear(name: str, c: int, *, shared: bool) -> Shapes:
    made: Shapes = {}
    for view in "uv":
        made |= conv(f"{name}.bconv_{view.upper()}.1", 1 if shared else c, c, 1, 1, bias=True)
        made |= {f"{name}.bn{view}.0.{leaf}": (c,) for leaf in ("weight", "bias")}
    made |= conv(f"{name}.bconv_UP.1", 36, c, 1, 1, bias=True)
    return made | conv(f"{name}.bconv_DP.1", 36, c, 1, 1, bias=True)


def a2u(*, shared: bool = True) -> Shapes:
    """Return A2U of adobe.yaml, or of adobe_unshare.yaml."""
    made = numbered("layer0", 0, 64, 4, 7, 7)
    for block in range(1, 4):
        made |= _residual(f"layer1.block{block}.convs", 64, 64)
    for stage, (before, c, blocks) in {2: (64, 128, 4), 3: (128, 256, 4)}.items():
        first = f"layer{stage}_1"
        made |= _residual(first, before, c, split=True)
        made |= pair(f"{first}.proj_conv", f"{first}.proj_bn", c, before, 1, 1)
        made |= _bilinear(f"{first}.bilinear", c, shared=shared)
        for block in range(1, blocks):
            made |= _residual(f"layer{stage}_2.block{block}.convs", c, c)
    made |= _bilinear("bilinear0", 64, shared=shared) | _bilinear("bilinear1", 64, shared=shared)
    made |= numbered("dconv_pp.aspp1.atrous_conv", 0, 256, 256, 1, 1)
    for branch in (2, 3, 4):
        name = f"dconv_pp.aspp{branch}.atrous_conv"
        made |= numbered(name, 0, 256, 1, 3, 3) | numbered(name, 2, 256, 256, 1, 1)
    made |= numbered("dconv_pp.global_avg_pool", 1, 256, 256, 1, 1)
    made |= numbered("dconv_pp.bottleneck_conv", 0, 256, 1280, 1, 1)
    levels = {1: (64, 32), 2: (64, 64), 3: (128, 64), 4: (256, 128)}
    for k, (before, c) in levels.items():
        for name, inputs in (("dconv", before), ("dconv1", c)):
            layer = f"decoder_layer{k}.{name}"
            made |= _residual(f"{layer}.dep_sep_conv", inputs, c)
            if inputs != c:
                made |= pair(f"{layer}.proj_conv", f"{layer}.proj_bn", c, inputs, 1, 1)
    for k, (inputs, c) in enumerate(((4, 64), (64, 64), (64, 128), (128, 256))):
        made |= numbered(f"short{k}", 0, c, inputs, 3, 3)
    return made | numbered("pred.0", 0, 1, 32, 3, 3) | conv("pred.1", 1, 1, 3, 3)


# ---- depth and denoising -------------------------------------------------------------------------


def fastdepth() -> Shapes:
    """Return FastDepth: MobileNet, then 5x5 depthwise and 1x1 convolutions."""
    made = numbered("mobilenet.0", 0, 32, 3, 3, 3)
    widths = (32, 64, 128, 128, 256, 256, *[512] * 6, 1024, 1024)
    for number, (before, c) in enumerate(pairwise(widths), start=1):
        made |= numbered(f"mobilenet.{number}", 0, before, 1, 3, 3)
        made |= numbered(f"mobilenet.{number}", 3, c, before, 1, 1)
    ends = (1024, 512, 256, 128, 64, 32)
    for number, (before, c) in enumerate(pairwise(ends), start=1):
        made |= numbered(f"decoder.conv{number}.0", 0, before, 1, 5, 5)
        made |= numbered(f"decoder.conv{number}.1", 0, c, before, 1, 1)
    return made | numbered("decoder.conv6", 0, 1, 32, 1, 1)


def _up_projection(name: str, inputs: int, c: int) -> Shapes:
    made = pair(f"{name}.conv1", f"{name}.bn1", c, inputs, 5, 5)
    made |= pair(f"{name}.conv1_2", f"{name}.bn1_2", c, c, 3, 3)
    return made | pair(f"{name}.conv2", f"{name}.bn2", c, inputs, 5, 5)


def hu_depth(divisor: int = 1) -> Shapes:
    """Return the depth network of Hu et al. on ResNet-50, its widths over `divisor`."""
    before = 64 // divisor
    made = pair("E.conv1", "E.bn1", before, 3, 7, 7)
    for stage, blocks in enumerate((3, 4, 6, 3), start=1):
        inner = 2 ** (stage + 5) // divisor
        for block in range(blocks):
            name = f"E.layer{stage}.{block}"
            made |= pair(f"{name}.conv1", f"{name}.bn1", inner, before, 1, 1)
            made |= pair(f"{name}.conv2", f"{name}.bn2", inner, inner, 3, 3)
            made |= pair(f"{name}.conv3", f"{name}.bn3", 4 * inner, inner, 1, 1)
            if block == 0:
                made |= numbered(f"{name}.downsample", 0, 4 * inner, before, 1, 1)
            before = 4 * inner
    made |= pair("D.conv", "D.bn", before // 2, before, 1, 1)
    branch = 16 // divisor
    for number in range(1, 5):
        made |= _up_projection(f"D.up{number}", before >> number, before >> (number + 1))
        made |= _up_projection(f"MFF.up{number}", before >> (4 - number), branch)
    made |= pair("MFF.conv", "MFF.bn", 4 * branch, 4 * branch, 5, 5)
    joined = (before >> 5) + 4 * branch
    for number in range(2):
        made |= pair(f"R.conv{number}", f"R.bn{number}", joined, joined, 5, 5)
    return made | conv("R.conv2", 1, joined, 5, 5, bias=True)


def dncnn() -> Shapes:
    """Return DnCNN of 17 layers."""
    made = conv("dncnn.0", 64, 1, 3, 3, bias=True)
    for layer in range(15):
        made |= numbered("dncnn", 2 + 3 * layer, 64, 64, 3, 3)
    return made | conv("dncnn.47", 1, 64, 3, 3)
