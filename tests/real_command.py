"""The command in a process of its own, and a folder with what it is given, good and bad."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from tiny_tflite import write_matte_model
from toy_artifacts import tflite_artifact, write_portrait_model

COMMAND = [sys.executable, "-m", "edgemat.cli"]
ROOT = Path(__file__).parents[1]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT)}
RECIPE = """
name = "tiny"
[[models]]
name = "hair"
architecture = "pspm-b5"
config = { width = 0.35 }
input_size = [64, 64]
targets = []
train = { steps = STEPS, batch = 2, size = 64, checkpoint_every = 1 }
"""


def edgemat(*arguments: object, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run the real command in a process of its own."""
    command = [*COMMAND, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, cwd=cwd, env=ENVIRONMENT)


def write_folder(folder: Path) -> Path:
    """Write photographs good and bad, two models, a damaged artefact and two recipes."""
    ramp = np.linspace(0, 255, 64, dtype=np.uint8)
    pixels = np.dstack([np.tile(ramp, (48, 1)), *[np.full((48, 64), 90, np.uint8)] * 2])
    Image.fromarray(pixels).save(folder / "photo.png")
    Image.fromarray(pixels).resize((20, 20)).save(folder / "small.png")
    Image.fromarray(np.full((48, 64), 128, np.uint8)).save(folder / "trimap.png")
    Image.fromarray(np.full((64, 48), 128, np.uint8)).save(folder / "upright.png")
    whole = (folder / "photo.png").read_bytes()
    (folder / "truncated.png").write_bytes(whole[: len(whole) // 2])
    (folder / "text.png").write_text("no picture at all")
    for name in ("unmatted/image", "texts"):
        (folder / name).mkdir(parents=True)
    Image.fromarray(pixels).save(folder / "unmatted" / "image" / "a.png")
    (folder / "texts" / "a.png").write_text("no picture at all")
    write_portrait_model(folder / "portrait.tflite")
    write_matte_model(folder / "trimap.tflite", size=32)
    damaged = tflite_artifact(folder)
    damaged.payload.write_bytes(damaged.payload.read_bytes()[:-1] + b"?")
    damaged.path.rename(folder / "damaged")
    (folder / "tiny.toml").write_text(RECIPE.replace("STEPS", "2"))
    (folder / "typo.toml").write_text(RECIPE.replace("batch", "bacth").replace("STEPS", "2"))
    return folder
