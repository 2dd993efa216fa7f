"""IndexNet matting and its baselines B1, B2, B10 and B11, as poppinace/indexnet_matting has them.

The thesis' index blocks are twice as wide as the feature; most of the released ones are as wide.
Both are known by their shapes.
"""

from __future__ import annotations

from edgemat.models.pretrained.renaming import Renaming
from edgemat.models.released.family import Family, Member

_ENCODER = (
    Renaming("layer0.{i}", "encoder.0.{i}"),
    Renaming("layer{s}.{b}.conv.{i}", "encoder.{s}.{b}.layers.{i}"),
)


def context(theirs: str, ours: str) -> tuple[Renaming, ...]:
    """Return the rows of atrous spatial pyramid pooling."""
    return (
        Renaming(f"{theirs}.aspp1.atrous_conv.{{i}}", f"{ours}.point.{{i}}"),
        Renaming(f"{theirs}.aspp{{r+2}}.atrous_conv.{{i}}", f"{ours}.atrous.{{r}}.{{i}}"),
        Renaming(f"{theirs}.global_avg_pool.{{i+1}}", f"{ours}.image.{{i}}"),
        Renaming(f"{theirs}.bottleneck_conv.{{i}}", f"{ours}.project.{{i}}"),
    )


_DECODER = (
    Renaming("decoder_layer{k}.dconv.{i}", "decoder.{k}.{i}"),
    Renaming("pred.1", "predict.3"),
    Renaming("pred.0.{i}", "predict.{i}"),
)
_COLUMNS = Renaming("index{s}.indexnet{c+1}.{i}", "sampling.index.{s}.columns.{c}.{i}")
_HOLISTIC = Renaming("index{s}.indexnet.{i}", "sampling.index.{s}.columns.0.{i}")
_HOLISTIC_LINEAR = Renaming("index{s}.indexnet", "sampling.index.{s}.columns.0.0")

INDEX_FAMILIES = ("m2o", "unshared", "hin")
VARIANTS = (("nlc", 1), ("nlc", 2), ("nl", 1), ("nl", 2), ("l", None))
"""Of the index blocks, and how many times a feature's width their hidden one has; None: linear."""


def width_of(hidden_mult: int | None) -> dict[str, int]:
    """Return the argument of a network that has this hidden width."""
    return {} if hidden_mult is None else {"hidden_mult": hidden_mult}


def _indexed(family: str, variant: str, hidden_mult: int | None) -> Member:
    index = _COLUMNS
    if family == "hin":
        index = _HOLISTIC_LINEAR if variant == "l" else _HOLISTIC
    return Member(
        architecture=f"indexnet-{family}-{variant}",
        config=width_of(hidden_mult),
        rows=(*_ENCODER, index, *context("dconv_pp", "context"), *_DECODER),
    )


INDEXNET = Family(
    name="indexnet",
    title="IndexNet (poppinace/indexnet_matting)",
    members=(
        *(
            _indexed(family, variant, hidden_mult)
            for family in INDEX_FAMILIES
            for variant, hidden_mult in VARIANTS
        ),
        *(
            Member(architecture=name, rows=(*_ENCODER, *context("dconv_pp", "context"), *_DECODER))
            for name in ("matting-b11", "matting-b11-1.4")
        ),
        Member(
            architecture="matting-b10",
            rows=(*_ENCODER, Renaming("dconv_pp.{i}", "context.{i}"), *_DECODER),
        ),
        Member(
            architecture="matting-b1",
            rows=(
                *_ENCODER,
                *context("dconv_pp", "decode.context"),
                Renaming("decoder.first_dconv.{i}", "decode.reduce.{i}"),
                Renaming("decoder.last_dconv.1.0", "decode.refine.3"),
                Renaming("decoder.last_dconv.1.1", "decode.refine.4"),
                Renaming("decoder.last_dconv.0.{i}", "decode.refine.{i}"),
                Renaming("pred.{i}", "predict.{i}"),
            ),
        ),
        Member(
            architecture="matting-b2",
            rows=(
                *_ENCODER,
                Renaming("dconv{s}.{i}", "lateral.{s}.{i}"),
                Renaming("dconv_crp{4-k}.0.{l+1}_outvar_dimred.{i}", "refine.{k}.links.{l}.{i}"),
                Renaming("dconv_adapt{4-k}.{i}", "adapt.{k}.{i}"),
                *_DECODER[1:],
            ),
        ),
    ),
    fit="resize",
)
