"""Write artefacts for tests in milliseconds: a .tflite file that does next to nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from tiny_tflite import TinyGraph, conv_options

from edgemat.artifacts.artifact import Artifact, Cost, Feeding
from edgemat.artifacts.draft import Draft, write_artifact


def write_portrait_model(path: Path, side: int = 32) -> Path:
    """Write a .tflite file whose alpha is the red channel."""
    graph = TinyGraph()
    image = graph.tensor((1, side, side, 3))
    kernel = graph.tensor((1, 1, 1, 3), content=np.array([1, 0, 0], np.float32))
    bias = graph.tensor((1,), content=np.zeros(1, np.float32))
    alpha = graph.tensor((1, side, side, 1))
    graph.op("CONV_2D", [image, kernel, bias], [alpha], conv_options())
    return graph.write(path, inputs=[image], outputs=[alpha])


def artifact(shelf: Path, fill: Callable[[Path], Any], **fields: Any) -> Artifact:
    """Write an artefact whose manifest says little, but for `fields`."""
    defaults: dict[str, Any] = {
        "name": "hair",
        "architecture": "pspm-b5",
        "config": {"width": 0.35},
        "task": "portrait",
        "parent": None,
        "cost": Cost(parameters=3, macs=0.0),
        "demonstration": True,
        "licence": "Apache-2.0",
        "data_notice": "none",
    }
    return write_artifact(shelf, fill, Draft(**defaults | fields))


def tflite_artifact(shelf: Path, **fields: Any) -> Artifact:
    """Write an artefact of :func:`write_portrait_model`."""
    defaults = {
        "name": "hair-tflite-int8",
        "kind": "tflite",
        "target": "tflite-int8",
        "feeding": Feeding(layout="NHWC", height=32, width=32, channels=3, stride=16),
        "payload": "model.tflite",
    }
    return artifact(
        shelf, lambda folder: write_portrait_model(folder / "model.tflite"), **defaults | fields
    )


def portrait_shelf(folder: Path) -> Path:
    """Write what ships: an untrained float network, and an int8 file whose alpha is red."""
    from safetensors.torch import save_file

    from edgemat.models import create_model

    shelf = folder / "weights"
    state = create_model("pspm-slim", width=0.25).state_dict()
    artifact(
        shelf,
        lambda folder: save_file(state, folder / "weights.safetensors"),
        name="portrait",
        architecture="pspm-slim",
        config={"width": 0.25},
        kind="float",
        feeding=Feeding(layout="NCHW", height=32, width=32, channels=3, stride=16),
        payload="weights.safetensors",
    )
    tflite_artifact(shelf, name="portrait-tflite-int8")
    return shelf
