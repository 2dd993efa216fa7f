"""Folders in which the commands of a page run: what each takes for granted, and tiny."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import released_layouts
import torch
from page_commands import ROOT, text_of
from toy_artifacts import tflite_artifact
from toy_examples import write_toys
from toy_onnx import write_teacher
from toy_pairs import write_classes, write_depths
from toy_peers import SELFIE, write_peer
from toy_results import toy_result
from toy_sets import photo, write_set, write_whole_adobe
from toy_videos import write_clip

from edgemat.bench.devices.browser.litert_js import find_litert
from edgemat.bench.store import RunStore, default_history
from edgemat.data.teacher import MEMORIES
from edgemat.errors import MissingToolError
from edgemat.images import write_image

BARS = """
[[sets]]
name = "discs"
folder = "FOLDER"

[[bars]]
model = "portrait"
set = "discs"
figure = "iou"
"""


SMALL_RECIPE = """
name = "mine"
[[models]]
name = "mine"
architecture = "pspm-live"
input_size = [64, 64]
data = { source = "people", backgrounds = [{ source = "data/backgrounds" }] }
train = { steps = 1 }
"""


def portrait(side: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a bright disc on noise, and its matte."""
    random = np.random.default_rng(side)
    y, x = np.mgrid[:side, :side]
    alpha = np.clip(side / 4 - np.hypot(y - side / 2, x - side / 2), 0, 1)[..., None]
    pixels = 255 * alpha + (1 - alpha) * random.uniform(0, 90, (side, side, 3))
    return pixels.astype(np.uint8), (255 * alpha[..., 0]).astype(np.uint8)


def cut_out(folder: Path) -> None:
    for number, name in enumerate(("photo", "beach", "photos/a", "photos/b")):
        write_image(folder / f"{name}.jpg", portrait(96 + number)[0])
    trimap = np.full((96, 96), 128, np.uint8)
    trimap[:16], trimap[40:56, 40:56] = 0, 255
    write_image(folder / "trimap.png", trimap)
    write_image(folder / "mask.png", portrait(96)[1])
    pytest.importorskip("av")
    write_clip(folder / "clip.mp4", count=3)


def photographs(folder: Path, count: int = 2) -> None:
    for number in range(count):
        photo(folder / f"{number}.png", side=96)


def masks(folder: Path, count: int) -> None:
    for number in range(count):
        pixels, alpha = portrait(90 + number)
        write_image(folder / f"image/{number}.png", pixels)
        write_image(folder / f"mask/{number}.png", 255 * (alpha > 99).astype(np.uint8))


def teachers(folder: Path) -> None:
    """Write networks that see someone where a picture is red: RVM, and one fed as IS-Net is."""
    pytest.importorskip("onnxruntime")
    channels = dict(zip(MEMORIES, (16, 20, 40, 64), strict=True))
    for name in ("rvm", "NETWORK"):
        write_teacher(folder / f"{name}.onnx", memories=channels)
    write_teacher(folder / "isnet.onnx", weights=(1.004, 0, 0), bias=0.502, name="input")


def own_data(folder: Path) -> None:
    write_toys(folder)
    teachers(folder)
    masks(folder / "masks", 12)
    for number in range(2):
        write_image(folder / f"photos/{number}.png", portrait(90 + number)[0])
    for number in range(12):
        pixels, alpha = portrait(90 + number)
        for name, picture in (("image", pixels), ("alpha", alpha)):
            write_image(folder / f"path/to/mattes/{name}/{number}.png", picture)
        write_image(folder / f"path/to/photographs/{number}.png", pixels[:, ::-1])
    (recipe,) = re.findall(r"^```toml\n(.*?)^```", text_of("docs/tasks/own-data.md"), re.M | re.S)
    (folder / "my.toml").write_text(recipe)


def profile(folder: Path) -> None:
    store = RunStore(default_history())
    for _ in range(7):
        store.append(toy_result())
    (folder / "result.json").write_text(toy_result().model_dump_json())
    for target in ("tflite-int8", "tflite-fp32"):
        made = folder / "runs/quickstart/artifacts"
        tflite_artifact(made, name=f"portrait-{target}", target=target)


def ship(folder: Path) -> None:
    write_toys(folder)
    for demo in ("android_demo", "ios_demo"):
        ignored = shutil.ignore_patterns("build", ".gradle")
        shutil.copytree(ROOT / demo, folder / demo, ignore=ignored)


def smaller(folder: Path) -> None:
    write_toys(folder)
    for name in ("portrait-tflite-int8", "portrait-tflite-fp32"):
        target = name.removeprefix("portrait-")
        tflite_artifact(folder / "runs/toy/artifacts", name=name, target=target)


def quality(folder: Path) -> None:
    write_toys(folder)
    write_peer(folder / "peers", SELFIE)
    (folder / "recipes/weights").mkdir()
    (folder / "recipes/weights/bars.toml").write_text(BARS)
    write_set(folder / "FOLDER", "p3m-10k")  # one's own beside it
    for number in range(2):
        pixels, alpha = portrait(144 + number)  # beside 30 px of unknown something is known
        for name, picture in (("image", pixels), ("alpha", alpha)):
            write_image(folder / f"FOLDER/{name}/{number}.png", picture)


def small_sets(folder: Path) -> None:
    """Write the sets of chapter 3's experiments."""
    for name in ("PHOTOGRAPHS", "BSD68", "Set12"):
        photographs(folder / name, 10)
    write_classes(folder / "SUNRGBD")
    write_depths(folder / "NYUDv2")
    drawn = np.random.default_rng(0).integers(0, 256, (10, 28, 28)).astype(np.uint8)
    np.savez(folder / "fashion_mnist.npz", x_train=drawn[:8], x_test=drawn[8:])


def reproduce(folder: Path) -> None:
    small_sets(folder)
    write_whole_adobe(folder / "data/adobe")
    for name in ("coco", "voc"):
        photographs(folder / "data" / name)
    shutil.copytree(ROOT / "recipes/thesis", folder / "recipes/thesis")


def data(folder: Path) -> None:
    teachers(folder)
    for name, count in (("portraits_eg1800", 12), ("fullbody_ccp", 12), ("coco_people", 2)):
        masks(folder / "data" / name, count)
    masks(folder / "people", 2)
    shutil.copytree(folder / "people/image", folder / "photos")
    photographs(folder / "data/backgrounds")
    write_set(folder / "data/p3m", "p3m-10k")
    (folder / "my.toml").write_text(SMALL_RECIPE)


def released(folder: Path) -> None:
    tensors = released_layouts.filled(released_layouts.indexnet("m2o", "nlc"))
    torch.save({"state_dict": tensors}, folder / "indexnet_matting.pth.tar")
    cut_out(folder)


def web(folder: Path) -> None:
    try:
        find_litert()
    except MissingToolError as error:
        pytest.skip(str(error))
    write_toys(folder / "runs/mine/artifacts")
    (made,) = folder.glob("runs/mine/artifacts/portrait@*")
    shutil.copytree(made, folder / "portrait-clean")


def android(folder: Path) -> None:
    ship(folder)
    (made,) = folder.glob("portrait@*")
    shutil.copytree(made, folder / "my-artefact")


WORLDS: dict[str, Callable[[Path], object]] = {
    "docs/tasks/cut-out.md": cut_out,
    "docs/tasks/own-data.md": own_data,
    "docs/tasks/profile.md": profile,
    "docs/tasks/ship.md": ship,
    "docs/tasks/smaller.md": smaller,
    "docs/tasks/quality.md": quality,
    "docs/tasks/reproduce.md": reproduce,
    "docs/data.md": data,
    "docs/experiments.md": small_sets,
    "docs/import.md": released,
    "docs/web.md": web,
    "android_demo/README.md": android,
}
"""A page to what fills its folder."""
