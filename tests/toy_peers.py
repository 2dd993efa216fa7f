"""Stand-ins for other people's networks, and photographs with a red person to compare on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from edgemat.bench.peers.catalog import PEERS, Peer
from edgemat.data.trimap import fixed_trimap
from edgemat.images import F32, write_image

SIZE = (48, 64)
SELFIE, LANDSCAPE, MEET, SLIM, U2NETP = PEERS


def write_red_model(
    path: Path,
    size: tuple[int, int],
    *,
    channels: int = 3,
    out: int = 1,
    person: int = 0,
    shown: int = 0,
    logits: bool = False,
) -> Path:
    """Write a .tflite file whose output channel `person` is channel `shown` of the input, x.

    As logits it is 20 + 20 x beside 30 in the other channels: one that takes no softmax finds
    the person everywhere.
    """
    pytest.importorskip("ai_edge_litert")
    from tiny_tflite import TinyGraph, conv_options

    weight = np.zeros((out, 1, 1, channels), np.float32)
    weight[person, ..., shown] = 20 if logits else 1
    offset = np.full(out, 30 if logits else 0, np.float32)
    offset[person] -= 10 if logits else 0
    graph = TinyGraph()
    image = graph.tensor((1, *size, channels))
    kernel = graph.tensor(weight.shape, content=weight)
    bias = graph.tensor((out,), content=offset)
    alpha = graph.tensor((1, *size, out))
    graph.op("CONV_2D", [image, kernel, bias], [alpha], conv_options())
    return graph.write(path, inputs=[image], outputs=[alpha])


def write_peer(folder: Path, peer: Peer) -> Path:
    """Write a stand-in for a peer of litert, with its file name and shapes."""
    folder.mkdir(exist_ok=True)
    path = folder / peer.files[0]
    return write_red_model(
        path, peer.size, out=peer.channel + 1, person=peer.channel, logits=peer.softmax
    )


def person(left: int, right: int) -> F32:
    """Return a mask of SIZE that is 1 between two columns and rows 8..40."""
    mask = np.zeros(SIZE, np.float32)
    mask[8:40, left:right] = 1
    return mask


def write_photos(folder: Path, count: int, *, truth: str = "mask", trimap: str = "") -> Path:
    """Write photographs in which the person is red, with exact masks, and trimaps on request."""
    for name in ("image", truth, *([trimap] if trimap else [])):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number in range(count):
        mask = person(16, 32 + number % 10)
        image = np.zeros((*SIZE, 3), np.float32)
        image[..., 0], image[..., 2] = mask, 0.5
        write_image(folder / "image" / f"p{number:02}.png", image)
        write_image(folder / truth / f"p{number:02}.png", mask)
        if trimap:
            painted = fixed_trimap(mask, dilation=3)
            write_image(folder / trimap / f"p{number:02}.png", painted)
    return folder
