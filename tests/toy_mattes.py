"""A model whose matte is one channel of the picture, as object and as file; pictures for it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tiny_tflite import TinyGraph, conv_options

from edgemat.artifacts.artifact import Feeding
from edgemat.images import F32, U8

SIZE = (48, 64)


def feeding(channels: Any, size: tuple[int, int] = SIZE) -> Feeding:
    return Feeding(
        layout="NHWC",
        height=size[0],
        width=size[1],
        channels=channels,
        stride=16,
        trimap_channel=3 if channels == 4 else None,
    )


class ChannelPredictor:
    """Returns one channel of its input as alpha, counts its runs and keeps the last input."""

    def __init__(self, channels: int, *, channel: int = 0, size: tuple[int, int] = SIZE) -> None:
        self.feeding = feeding(channels, size)
        self.channel = channel
        self.runs = 0

    def predict(self, x: F32) -> F32:
        assert x.shape == (1, self.feeding.height, self.feeding.width, self.feeding.channels)
        assert x.dtype == np.float32
        self.runs += 1
        self.seen = x[0]
        return x[..., self.channel : self.channel + 1]


def write_channel_model(path: Path, *, channels: int, size: tuple[int, int] = SIZE) -> Path:
    """Write a .tflite file that returns the first channel."""
    weight = np.zeros((1, 1, 1, channels), np.float32)
    weight[..., 0] = 1
    graph = TinyGraph()
    image = graph.tensor((1, *size, channels))
    kernel = graph.tensor(weight.shape, content=weight)
    bias = graph.tensor((1,), content=np.zeros(1, np.float32))
    alpha = graph.tensor((1, *size, 1))
    graph.op("CONV_2D", [image, kernel, bias], [alpha], conv_options())
    return graph.write(path, inputs=[image], outputs=[alpha])


def floats(*shape: int) -> F32:
    return np.random.default_rng(1).random(shape, dtype=np.float32)


def noise(height: int, width: int) -> U8:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)


def ramps(height: int, width: int) -> U8:
    """Red rises from left to right, green from top to bottom, at pixel centres."""
    red = np.broadcast_to((np.arange(width) + 0.5) / width, (height, width))
    green = np.broadcast_to(((np.arange(height) + 0.5) / height)[:, None], (height, width))
    return np.dstack([red * 255, green * 255, np.full_like(red, 90)]).round().astype(np.uint8)


def unknown(height: int, width: int) -> U8:
    return np.full((height, width), 128, np.uint8)
