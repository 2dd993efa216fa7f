"""All readers of what may come from elsewhere. A new one belongs here: see `READERS` at the end."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from tools.fuzz import heavy_readers, page_readers, seeds
from tools.fuzz.reader import Reader

RECIPE = """
name = "fuzz"
seed = 3
[[models]]
name = "portrait"
architecture = "pspm-slim"
config = { width = 0.25 }
input_size = [64, 64]
targets = ["tflite-int8"]
train = { steps = 8, batch = 2, size = 64, before = [{ steps = 1, batch = 2, size = 64 }] }
quantize = { mode = "qat", calibration = 3, keep_float = ["segment"] }
parity = { tflite-int8 = { mean_abs = "<=0.005" } }
[models.data]
mix = [{ source = "people", weight = 2.0 }, { source = "procedural", kinds = "portrait" }]
backgrounds = [{ source = "procedural", weight = 1.0 }]
[verify]
images = 4
[gate]
sad = "+5%"
[bench]
devices = ["host"]
runs = 20
seconds = 1.5
threads = [1, 2]
"""
BARS = Path(__file__).parents[2] / "recipes" / "weights" / "bars.toml"


def _write_pictures(folder: Path) -> None:
    from PIL import Image

    draw = np.random.default_rng(0)
    colours = Image.fromarray(draw.integers(0, 256, (40, 48, 3), np.uint8))
    colours.getexif()[0x0112] = 6
    exif = colours.getexif()
    exif[0x0112] = 6  # turned
    for suffix in ("png", "jpg", "webp", "tif", "bmp", "gif", "ppm", "tga"):
        extra: dict[str, Any] = {"exif": exif} if suffix in ("jpg", "png", "webp", "tif") else {}
        colours.save(folder / f"colours.{suffix}", **extra)
    frames = [Image.fromarray(draw.integers(0, 256, (40, 48), np.uint8)) for _ in range(4)]
    for suffix in ("gif", "webp", "tif"):
        frames[0].save(folder / f"moving.{suffix}", save_all=True, append_images=frames[1:])
    colours.save(folder / "colours.avif")
    clear = Image.fromarray(draw.integers(0, 256, (40, 48, 4), np.uint8))
    for suffix in ("png", "webp", "tif"):
        clear.save(folder / f"clear.{suffix}")
    grey = draw.choice([0, 128, 255], (40, 48)).astype(np.uint8)
    Image.fromarray(grey).save(folder / "trimap.png")
    Image.fromarray(grey.astype(np.uint16) * 257).save(folder / "deep.png")
    Image.fromarray(grey).convert("P").save(folder / "labels.gif")


def _read_picture(file: Path) -> None:
    from edgemat.errors import EdgematError
    from edgemat.images import (
        image_size,
        read_background,
        read_grey,
        read_image,
        read_rgba,
        read_trimap,
    )

    ways = (image_size, read_image, read_rgba, read_trimap, read_grey, read_background)
    refusals = []
    for read in ways:
        try:
            read(file)
        except EdgematError as error:  # such as colours for a mask
            refusals.append(error)
    for refusal in refusals:
        if len(refusals) == len(ways) or not refusal.remedy:
            raise refusal


def _write_mobile(folder: Path) -> None:
    seeds.write_artifact_of(
        folder, "tflite", "model.tflite", lambda at: seeds.write_tflite(at / "model.tflite")
    )


def _open_artifact(file: Path) -> None:
    from edgemat.artifacts.artifact import Artifact

    Artifact(file.parent)


def _read_golden(file: Path) -> None:
    from edgemat.artifacts.artifact import Artifact
    from edgemat.artifacts.golden import read_mattes, read_pixels, read_truths

    artifact = Artifact(file.parent, check=False)
    read_pixels(artifact)
    read_truths(artifact)
    read_mattes(artifact)


def _read_recipe(file: Path) -> None:
    from edgemat.recipe.load import load_recipe

    _ = load_recipe(file).sha256


def _write_result(folder: Path) -> None:
    one = seeds.make_result().to_json()
    (folder / "one.json").write_text(json.dumps(one))
    (folder / "two.json").write_text(json.dumps([one, one]))


def _read_results(file: Path) -> None:
    from edgemat.bench.result import read_results

    read_results(file)


def _write_history(folder: Path) -> None:
    from edgemat.bench.store import RunStore

    store = RunStore(folder / "history.sqlite")
    for _ in range(4):
        store.append(seeds.make_result())


def _read_history(file: Path) -> None:
    from edgemat.bench.store import RunStore

    store = RunStore(file)
    store.history()
    store.get(1)
    store.append(seeds.make_result())


def _write_bars(folder: Path) -> None:
    shutil.copyfile(BARS, folder / "bars.toml")


def _read_bars(file: Path) -> None:
    from edgemat.bench.quality import load_bars

    load_bars(file)


def _write_frontier(folder: Path) -> None:
    from edgemat.bench.frontier import DATA, PLOT, Candidate

    row = Candidate("a", "PTQ", (32, 32), 1.0, 2.0, 3.0, True, 4.0, 5.0).to_json()
    (folder / DATA).write_text(json.dumps([row, row]))
    (folder / PLOT).write_text("<svg/>")


def _read_frontier(file: Path) -> None:
    from edgemat.bench.frontier import read_frontier

    read_frontier(file.parent)


def _write_spec(folder: Path) -> None:
    shelf = Path(__file__).parents[2] / "edgemat" / "weights"
    whole = json.loads(next(shelf.glob("*/quant.json")).read_text())
    (folder / "quant.json").write_text(json.dumps(whole | {"tensors": whole["tensors"][:6]}))


def _read_spec(file: Path) -> None:
    from edgemat.quantize.spec import QuantSpec

    QuantSpec.load(file)


READERS = (
    Reader("picture", _write_pictures, _read_picture, 2000),
    Reader("manifest", _write_mobile, _open_artifact, 1000, ("manifest.json",)),
    Reader("sealed", _write_mobile, _open_artifact, 600, ("manifest.json",), seeds.seal_anew),
    Reader("golden", _write_mobile, _read_golden, 1000, ("*.npz",)),
    Reader("recipe", lambda at: (at / "a.toml").write_text(RECIPE), _read_recipe, 700),
    Reader("result", _write_result, _read_results, 800),
    Reader("history", _write_history, _read_history, 300),
    Reader("bars", _write_bars, _read_bars, 200),
    Reader("frontier", _write_frontier, _read_frontier, 100, ("*.json",)),
    Reader("spec", _write_spec, _read_spec, 300),
    *page_readers.READERS,
    *heavy_readers.READERS,
)
