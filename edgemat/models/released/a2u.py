"""A2U matting as dongdong93/a2u_matting releases it: 6x6 kernels, biases, in-place normalisation.

Two things are stored otherwise there. In-place normalisation computes with the absolute value of
its scale and 1e-5, whatever the sign that was learned; and the kernels of upsampling lie by their
places, each with its four sub-pixels, where edgemat has them by sub-pixels.
"""

from __future__ import annotations

from collections.abc import Iterator

from torch import Tensor

from edgemat.models.pretrained.renaming import Renaming
from edgemat.models.released.family import Family, Member

SCALE_EPSILON = 1e-5  # of InPlaceABN, for which a scale of 0 could not be undone
SUB_PIXELS = 4


def positive(scale: Tensor) -> Tensor:
    """Return the scale that in-place normalisation computes with."""
    return scale.abs() + SCALE_EPSILON


def by_sub_pixels(rows: Tensor) -> Tensor:
    """Return rows by sub-pixels, then places, of rows by places, then sub-pixels."""
    by_place = rows.reshape(-1, SUB_PIXELS, *rows.shape[1:])
    return by_place.transpose(0, 1).flatten(0, 1)


_SCALE = {"weight": positive}
_ROWS = {"weight": by_sub_pixels, "bias": by_sub_pixels}


def _pair(theirs: tuple[str, str], ours: str) -> Iterator[Renaming]:
    """Give the rows of a convolution and of its normalisation."""
    yield Renaming(theirs[0], f"{ours}.0")
    yield Renaming(theirs[1], f"{ours}.1", _SCALE)


def _residual(theirs: str, ours: str) -> Iterator[Renaming]:
    """Give the rows of two convolutions."""
    yield from _pair((f"{theirs}.conv1", f"{theirs}.bn1"), f"{ours}.first")
    yield from _pair((f"{theirs}.conv2", f"{theirs}.bn2"), f"{ours}.second")


def _halving(stage: int) -> Iterator[Renaming]:
    """Give the rows of the first block of a stage, whose halves are two layers there."""
    theirs, ours = f"layer{stage + 1}_1", f"encoder.stages.{stage}.0"
    yield from _pair((f"{theirs}.layer1.conv1", f"{theirs}.layer1.bn1"), f"{ours}.first")
    yield from _pair((f"{theirs}.layer2.conv2", f"{theirs}.layer2.bn2"), f"{ours}.second")
    yield from _pair((f"{theirs}.proj_conv", f"{theirs}.proj_bn"), f"{ours}.shortcut")
    yield from _residual(f"layer{stage + 1}_2.block{{b}}.convs", f"encoder.stages.{stage}.{{b}}")


def _affinity(theirs: str, level: int) -> Iterator[Renaming]:
    ours = f"sampling.affinity.{level}"
    for view in ("u", "v"):
        yield Renaming(f"{theirs}.bconv_{view.upper()}.1", f"{ours}.{view}.0.0.generate")
        yield Renaming(f"{theirs}.bn{view}.0", f"{ours}.{view}.0.1.0")
    yield Renaming(f"{theirs}.bconv_UP.1", f"{ours}.up.conv", _ROWS)
    yield Renaming(f"{theirs}.bconv_DP.1", f"{ours}.down.conv")


def _context() -> Iterator[Renaming]:
    theirs = "dconv_pp"
    point = f"{theirs}.aspp1.atrous_conv"
    yield from _pair((f"{point}.0", f"{point}.1"), "context.point")
    atrous = f"{theirs}.aspp{{r+2}}.atrous_conv"
    yield from _pair((f"{atrous}.0", f"{atrous}.1"), "context.atrous.{r}")
    yield Renaming(f"{atrous}.2", "context.atrous.{r}.3")
    yield Renaming(f"{atrous}.3", "context.atrous.{r}.4", _SCALE)
    pool = f"{theirs}.global_avg_pool"
    yield from _pair((f"{pool}.1", f"{pool}.2"), "context.image")
    project = f"{theirs}.bottleneck_conv"
    yield from _pair((f"{project}.0", f"{project}.1"), "context.project")


def _decoder() -> Iterator[Renaming]:
    for block, name in enumerate(("dconv", "dconv1")):
        theirs, ours = f"decoder_layer{{k+1}}.{name}", f"decoder.{{k}}.{block}"
        yield from _residual(f"{theirs}.dep_sep_conv", ours)
        yield from _pair((f"{theirs}.proj_conv", f"{theirs}.proj_bn"), f"{ours}.shortcut")
    yield from _pair(("short{k}.0", "short{k}.1"), "shorts.{k}")
    yield from _pair(("pred.0.0", "pred.0.1"), "predict")
    yield Renaming("pred.1", "predict.3")


ROWS = (
    *_pair(("layer0.0", "layer0.1"), "encoder.stem"),
    *_residual("layer1.block{b+1}.convs", "encoder.stages.0.{b}"),
    *_halving(1),
    *_halving(2),
    *(
        row
        for level, name in enumerate(
            ("bilinear0", "bilinear1", "layer2_1.bilinear", "layer3_1.bilinear")
        )
        for row in _affinity(name, level)
    ),
    *_context(),
    *_decoder(),
)

A2U = Family(
    name="a2u",
    title="A2U matting (dongdong93/a2u_matting)",
    members=tuple(Member(architecture=f"a2u-released-{name}", rows=ROWS) for name in ("cs", "cw")),
    pixels=("encoder.stem", "shorts.0"),
    fit="pad",
)
