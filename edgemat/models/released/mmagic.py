"""IndexNet matting as MMagic (before: MMEditing) has it: the same networks by other names."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from edgemat.models.pretrained.renaming import Renaming
from edgemat.models.released.family import Family, Member
from edgemat.models.released.indexnet import INDEX_FAMILIES, VARIANTS, width_of


def _modules(rows: Iterable[tuple[str, str]]) -> Iterator[Renaming]:
    """Give the rows of a convolution and its normalisation: theirs by name, edgemat's by place."""
    for theirs, ours in rows:
        path, _, first = ours.rpartition(".")
        yield Renaming(f"{theirs}.conv", ours)
        yield Renaming(f"{theirs}.bn", f"{path}.{int(first) + 1}")


_ENCODER = _modules(
    [
        ("encoder.layers.0", "encoder.0.0"),
        ("encoder.layers.1.{b}.conv.depthwise_conv", "encoder.1.{b}.layers.0"),
        ("encoder.layers.1.{b}.conv.pointwise_conv", "encoder.1.{b}.layers.3"),
        ("encoder.layers.{s}.{b}.conv.0", "encoder.{s}.{b}.layers.0"),
        ("encoder.layers.{s}.{b}.conv.1.depthwise_conv", "encoder.{s}.{b}.layers.3"),
        ("encoder.layers.{s}.{b}.conv.1.pointwise_conv", "encoder.{s}.{b}.layers.6"),
    ]
)
_REST = _modules(
    [
        ("encoder.dconv.convs.0", "context.point.0"),
        ("encoder.dconv.convs.{r+1}.depthwise_conv", "context.atrous.{r}.0"),
        ("encoder.dconv.convs.{r+1}.pointwise_conv", "context.atrous.{r}.3"),
        ("encoder.dconv.convs.4.1", "context.image.0"),
        ("encoder.dconv.project.0", "context.project.0"),
        ("decoder.decoder_layers.{6-k}.conv", "decoder.{k}.0"),
        ("decoder.pred.0", "predict.0"),
    ]
)
_COMMON = (*_ENCODER, *_REST, Renaming("decoder.pred.1", "predict.3"))
_LEVELS = (0, 2, 3, 4, 6)
"""Stages of the encoder that an index block follows; there, the blocks are counted."""


def _index(family: str, variant: str) -> Iterator[Renaming]:
    """Give the rows of the index blocks."""
    for number, stage in enumerate(_LEVELS):
        columns = (None,) if family == "hin" else range(4)
        for column in columns:
            block = "index_block" if column is None else f"index_blocks.{column}"
            theirs = f"encoder.index_layers.{number}.{block}"
            ours = f"sampling.index.{stage}.columns.{column or 0}"
            if variant == "l":
                yield Renaming(f"{theirs}.conv", f"{ours}.0")
            else:
                yield from _modules([(f"{theirs}.0", f"{ours}.0")])
                yield Renaming(f"{theirs}.1.conv", f"{ours}.3")


MMAGIC = Family(
    name="mmagic",
    title="IndexNet (MMagic)",
    members=tuple(
        Member(
            architecture=f"indexnet-{family}-{variant}",
            config=width_of(hidden_mult),
            rows=(*_COMMON, *_index(family, variant)),
        )
        for family in INDEX_FAMILIES
        for variant, hidden_mult in VARIANTS
    ),
    fit="resize",
)
