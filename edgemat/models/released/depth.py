"""Depth: FastDepth as dwofk/fast-depth has it, and the network of Hu et al. on ResNet-50."""

from __future__ import annotations

from collections.abc import Iterator

from edgemat.models.encoders.mobilenetv1 import STAGES
from edgemat.models.pretrained.renaming import Renaming
from edgemat.models.released.family import Family, Member


def _mobilenet() -> Iterator[Renaming]:
    """Give the rows of the encoder, whose layers are counted through all stages there."""
    yield Renaming("mobilenet.0.{i}", "encoder.0.{i}")
    number = 0
    for stage, widths in enumerate(STAGES, start=1):
        for place in range(len(widths)):
            number += 1
            for layer in (0, 1, 3, 4):
                yield Renaming(
                    f"mobilenet.{number}.{layer}", f"encoder.{stage}.{6 * place + layer}"
                )


FASTDEPTH = Family(
    name="fastdepth",
    title="FastDepth (dwofk/fast-depth, MobileNet with nearest-neighbour decoder)",
    members=(
        Member(
            architecture="fastdepth",
            rows=(
                *_mobilenet(),
                *(
                    Renaming(
                        f"decoder.conv{{5-k}}.{part}.{place}", f"decoder.{{k}}.{3 * part + place}"
                    )
                    for part in range(2)
                    for place in range(2)
                ),
                Renaming("decoder.conv6.{i}", "predict.{i}"),
            ),
        ),
    ),
    normalised=False,
    size=(224, 224),
)


def _layers(theirs: str, ours: str, names: tuple[str, ...]) -> Iterator[Renaming]:
    """Give the rows of convolutions and normalisations in turn, an activation after each pair."""
    for number, name in enumerate(names):
        pair, place = divmod(number, 2)
        yield Renaming(f"{theirs}.{name}", f"{ours}.{3 * pair + place}")


def _up_projection(theirs: str, ours: str) -> Iterator[Renaming]:
    yield from _layers(theirs, f"{ours}.layers", ("conv1", "bn1", "conv1_2", "bn1_2"))
    yield from _layers(theirs, f"{ours}.shortcut", ("conv2", "bn2"))


HU = Family(
    name="hu-depth",
    title="Hu et al., Revisiting Single Image Depth Estimation (ResNet-50)",
    members=(
        Member(
            architecture="hu-depth",
            rows=(
                *_layers("E", "encoder.0", ("conv1", "bn1")),
                *_layers(
                    "E.layer{s}.{b}",
                    "encoder.{s}.{b}.layers",
                    ("conv1", "bn1", "conv2", "bn2", "conv3", "bn3"),
                ),
                Renaming("E.layer{s}.{b}.downsample.{i}", "encoder.{s}.{b}.shortcut.{i}"),
                *_layers("D", "reduce", ("conv", "bn")),
                *_up_projection("D.up{4-k}", "decoder.{k}"),
                *_up_projection("MFF.up{k+1}", "branches.{k}"),
                *_layers("MFF", "fuse", ("conv", "bn")),
                *_layers("R", "refine", ("conv0", "bn0", "conv1", "bn1")),
                Renaming("R.conv2", "predict"),
            ),
        ),
    ),
    size=(224, 288),
)
