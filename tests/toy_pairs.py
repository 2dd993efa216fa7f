"""Tiny sets of pictures with classes and with depths, in the layouts of SUN RGB-D and NYUDv2."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from edgemat.images import U8

CLASS_COLOURS = np.array([[0, 0, 0], [220, 40, 40], [40, 60, 230]], np.uint8)
"""Of unlabelled pixels and of classes 1 and 2."""


def write_classes(root: Path, *, count: int = 2, side: int = 64) -> Path:
    """Write pictures of two coloured classes, the same for training and for the test."""
    for part in ("train", "test"):
        for number in range(count):
            classes = np.ones((side, side), np.uint8)
            classes[side // 4 :, side // 2 - 8 * number :] = 2
            classes[:4] = 0
            _save(root / part / "image" / f"{number}.png", CLASS_COLOURS[classes])
            _save(root / part / "label" / f"{number}.png", classes)
    return root


def write_depths(root: Path, *, count: int = 2, height: int = 60, width: int = 80) -> Path:
    """Write pictures that are the brighter the nearer: 1 to 3 m; a corner was not measured."""
    for part in ("train", "test"):
        for number in range(count):
            metres = np.linspace(1, 3, width)[None] * np.ones((height, 1))
            metres = metres[:, ::-1] if number % 2 else metres
            grey = np.round(255 * (1 - metres / 4)).astype(np.uint8)
            _save(root / part / "image" / f"{number}.png", np.stack([grey] * 3, axis=2))
            millimetres = np.round(metres * 1000).astype(np.uint16)
            millimetres[:4, :4] = 0
            _save(root / part / "depth" / f"{number}.png", millimetres)
    return root


def _save(path: Path, values: U8 | np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(values).save(path)
