"""Encoders: what they say of their stages is what their stages give."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch.nn import functional as F

from edgemat.models.encoders.encoder import Encoder
from edgemat.models.encoders.mit import MiT
from edgemat.models.encoders.mobilenetv1 import MobileNetV1
from edgemat.models.encoders.mobilenetv2 import TO_2, TO_4, TO_8, TO_16, TO_32, MobileNetV2
from edgemat.models.encoders.resnet34 import ResNet34
from edgemat.models.encoders.resnet50 import ResNet50
from edgemat.models.encoders.vgg import VGG16

WIDTH = 0.25
ENCODERS: dict[str, Callable[[], Encoder]] = {
    "mit": lambda: MiT(3, variant="b1", width=WIDTH),
    "mobilenetv1": lambda: MobileNetV1(3, width=WIDTH),
    "mobilenetv1-strided": lambda: MobileNetV1(3, width=WIDTH, strided=True),
    "mobilenetv2": lambda: MobileNetV2(3, width=WIDTH),
    "mobilenetv2-16": lambda: MobileNetV2(3, width=WIDTH, output_stride=16),
    "mobilenetv2-slim": lambda: MobileNetV2(3, width=WIDTH, strided=(TO_2,)),
    "mobilenetv2-strided": lambda: MobileNetV2(3, width=WIDTH, strided=(TO_2, TO_4, TO_8, TO_16)),
    "resnet50": lambda: ResNet50(3, width=WIDTH),
    "resnet50-strided": lambda: ResNet50(3, width=WIDTH, strided=True),
    "vgg": lambda: VGG16(3, width=WIDTH),
}
SIZE = 64


@pytest.mark.parametrize("name", ENCODERS)
def test_stages_have_the_channels_and_strides_that_are_said(name: str) -> None:
    encoder = ENCODERS[name]().eval()
    assert len(encoder) == len(encoder.channels) == len(encoder.strides)
    x = torch.rand(1, 3, SIZE, SIZE)
    with torch.no_grad():
        for number, stage in enumerate(encoder):
            x = stage(x)
            found = (x.shape[1], SIZE // x.shape[2], SIZE // x.shape[3])
            stride = encoder.strides[number]
            assert found == (encoder.channels[number], stride, stride), number
            if number in encoder.pooled:
                x = F.max_pool2d(x, 2)


def test_resnet34_gives_what_it_says() -> None:
    encoder = ResNet34(3, width=WIDTH).eval()
    x = encoder.stem(torch.rand(1, 3, SIZE, SIZE))
    found = [(x.shape[1], SIZE // x.shape[2])]
    x = F.max_pool2d(x, 3, stride=2, padding=1)
    for stage in encoder.stages:
        x = stage(x)
        found.append((x.shape[1], SIZE // x.shape[2]))
    assert found == list(zip(encoder.channels, encoder.strides, strict=True))


def test_stages_of_mobilenetv2_are_named_by_what_they_halve_to() -> None:
    for strided in ((), (TO_2,), (TO_2, TO_4, TO_8, TO_16, TO_32)):
        encoder = MobileNetV2(3, width=WIDTH, strided=strided)
        for part, number in ((2, TO_2), (4, TO_4), (8, TO_8), (16, TO_16), (32, TO_32)):
            pools = 2 if number in encoder.pooled else 1
            assert encoder.strides[number] * pools == part
