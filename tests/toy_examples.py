"""A folder where toys have the names of what is shipped, so that examples take seconds.

A name is looked for in the current folder first: what an example calls "portrait" is here a narrow
network for 64 x 64 px.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import released_layouts
import torch
from PIL import Image
from safetensors.torch import save_file
from toy_artifacts import artifact, tflite_artifact

from edgemat.artifacts.artifact import GOLDEN, Cost, Feeding, MattingErrors
from edgemat.models import create_model
from edgemat.models.count import count, count_parameters

RECIPE = """
name = "quickstart"
[[models]]
name = "portrait-tuned"
architecture = "pspm-slim"
config = { width = 0.25 }
input_size = [64, 64]
targets = []
train = { start = "portrait", steps = 1, batch = 2, size = 64 }
[verify]
images = 1
"""


def write_toys(folder: Path) -> Path:
    """Write a float model, an int8 file, a released checkpoint, a photograph and a recipe."""
    torch.manual_seed(0)
    network = create_model("pspm-slim", width=0.25).train()
    with torch.no_grad():
        for _ in range(20):
            network(torch.rand(4, 3, 64, 64))

    def fill(inside: Path) -> None:
        save_file(network.state_dict(), inside / "weights.safetensors")
        pixels, alphas = np.zeros((1, 64, 64, 3), np.uint8), np.zeros((1, 64, 64), np.float32)
        np.savez(inside / GOLDEN, pixels=pixels, alphas=alphas, truths=alphas)

    artifact(
        folder,
        fill,
        name="portrait",
        kind="float",
        architecture="pspm-slim",
        config={"width": 0.25},
        feeding=Feeding(layout="NCHW", height=64, width=64, channels=3, stride=16),
        payload="weights.safetensors",
        cost=Cost(parameters=count_parameters(network), macs=count(network, (3, 64, 64))),
        scores={"unknown": MattingErrors(sad=1.0, mse=1.0, grad=1.0, conn=1.0)},
    )
    tflite_artifact(folder, name="portrait-tflite-int8")
    released = released_layouts.filled(released_layouts.indexnet("holistic", "l"))
    torch.save({"state_dict": released}, folder / "released.pth")
    Image.fromarray(np.full((48, 64, 3), 90, np.uint8)).save(folder / "photo.jpg")
    (folder / "recipes").mkdir()
    (folder / "recipes" / "quickstart.toml").write_text(RECIPE)
    return folder
