"""A recipe's data are made small, and it trains on them as on the whole, by on_gpu.sh too."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from calling import Call

from edgemat.data.folder import FolderSource
from edgemat.data.mix import Photographs
from edgemat.data.pack import PackedPicture
from edgemat.data.sample import DatasetPart, Use
from edgemat.errors import UsageError
from edgemat.images import read_image, read_rgba, resize, write_image
from edgemat.recipe.load import read_recipe
from edgemat.workflow.packing import pack_recipe

HOUSE = Path(__file__).parents[2]
NAMES = tuple("abcdefgh")
RECIPE = """
name = "toy"
album = "data/album"

[[models]]
name = "toy"
architecture = "pspm-live"
config = { width = 0.25 }
input_size = [64, 64]

[models.data]
mix = [
  { source = "data/people", use = "image" },
  { source = "data/people", use = "foreground" },
  { source = "people" },
  { source = "empty" },
]
backgrounds = [
  { source = "data/nobody" },
  { source = "data/people", surroundings = true },
  { source = "procedural" },
]

[models.validation]
source = "data/people"
use = "image"
part = "held-out"

[models.train]
start = "runs/before/artifacts/toy"
steps = 2
batch = 2
size = 64
checkpoint_every = 1
workers = 0
"""


def photograph(seed: int, height: int, width: int) -> np.ndarray:
    """Return what compresses well, as photographs do: slow waves."""
    rows, columns = np.mgrid[:height, :width] / 40
    planes = [np.sin(rows * (1 + seed % 3) + plane) + np.cos(columns + seed) for plane in range(3)]
    return np.round(127.5 + 60 * np.dstack(planes)).astype(np.uint8)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in, with a recipe and all that it reads."""
    people = tmp_path / "data/people"
    for seed, name in enumerate(NAMES):
        alpha = np.zeros((120, 160), np.uint8)
        alpha[30:, 60:100] = 255
        alpha[30:, 58:60] = 90
        write_image(people / "alpha" / f"{name}.png", alpha)
        write_image(people / "image" / f"{name}.jpg", photograph(seed, 120, 160))
        write_image(people / "foreground" / f"{name}.jpg", photograph(seed + 9, 120, 160))
    (people / "held-out.txt").write_text("b\ng\n")
    for folder in ("nobody", "album"):
        for seed in range(3):
            path = tmp_path / "data" / folder / "image" / f"{seed}.png"
            write_image(path, photograph(seed, 200, 100))
    (tmp_path / "toy.toml").write_text(RECIPE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def start(place: Path, call: Call) -> Path:
    """The trained network that the recipe starts from: where it lies."""
    first = RECIPE.replace('start = "runs/before/artifacts/toy"\n', "").replace(
        "steps = 2", "steps = 1"
    )
    (place / "before.toml").write_text(first)
    assert call("train", "before.toml", "--output", "runs/before")[0] == 0
    (folder,) = (place / "runs/before/artifacts").iterdir()
    return folder


def opened(path: Path, use: Use, part: DatasetPart) -> FolderSource:
    return FolderSource(path, seed=1, size=(64, 64), use=use, part=part)


@pytest.mark.parametrize("use", ["image", "foreground"])
@pytest.mark.parametrize("part", ["train", "held-out"])
def test_what_is_packed_is_what_was_there_but_smaller(
    place: Path, start: Path, use: Use, part: DatasetPart
) -> None:
    count, size = pack_recipe(read_recipe(Path("toy.toml")), Path("packed"), side=80)
    files = [path for path in Path("packed").rglob("*") if path.is_file()]
    assert size == sum(path.stat().st_size for path in files)
    assert count == len(NAMES) * 3 + 3 + 3
    was, now = (opened(Path(root) / "data/people", use, part) for root in (".", "packed"))
    assert was.count == now.count == {"train": 6, "held-out": 2}[part]
    for index in range(now.count or 0):
        assert was.name(index) == now.name(index)
        before, after = was[index], now[index]
        assert after.alpha.shape == (60, 80)
        assert np.array_equal(after.alpha, resize(before.alpha, (60, 80), method="area"))
        colours = resize(before.colours, (60, 80), method="area").astype(int)
        assert np.abs(after.colours - colours).mean() < 3
    assert Photographs(Path("packed/data/nobody")).background(1).shape == (80, 40, 3)
    assert (Path("packed") / start.relative_to(place) / "manifest.json").is_file()


def test_photographs_of_people_are_an_album_too(place: Path) -> None:
    """Those whose mattes are learned with other colours; and no picture is written twice."""
    both = RECIPE.replace("data/album", "data/people").replace("runs/before/artifacts/toy", "live")
    layers = both.replace('  { source = "data/people", use = "image" },\n', "")
    layers = layers.replace('  { source = "data/people", surroundings = true },\n', "")
    layers = layers.replace('use = "image"', 'use = "foreground"')
    for name, recipe in (("both", both), ("layers", layers)):
        (place / "toy.toml").write_text(recipe)
        count, _ = pack_recipe(read_recipe(Path("toy.toml")), Path(name), side=80)
        assert count == len(NAMES) * 3 + 3
        assert len([*(place / name / "data/people/image").iterdir()]) == len(NAMES)


def test_a_small_picture_stays_as_large(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", photograph(1, 40, 50))
    packed = PackedPicture(tmp_path / "a.png", tmp_path / "b.webp")
    packed.target.write_bytes(packed.encoded(80))
    assert read_image(tmp_path / "b.webp").shape == (40, 50, 3)


def test_a_strip_stays_as_wide_as_can_be_read(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", photograph(1, 40, 400))
    packed = PackedPicture(tmp_path / "a.png", tmp_path / "b.webp")
    packed.target.write_bytes(packed.encoded(80))
    assert read_image(tmp_path / "b.webp").shape == (32, 320, 3)


def test_what_is_transparent_gives_a_cutout_no_colour(tmp_path: Path) -> None:
    """Black where nothing is: averaged with it, the edge would be dark."""
    cutout = np.zeros((80, 80, 4), np.uint8)
    cutout[:, 11:] = (200, 100, 50, 255)
    write_image(tmp_path / "a.png", cutout)
    packed = PackedPicture(tmp_path / "a.png", tmp_path / "b.png")
    packed.target.write_bytes(packed.encoded(40))
    colours, opacity = read_rgba(tmp_path / "b.png")
    assert opacity is not None
    assert opacity[0, 5] == pytest.approx(0.5, abs=0.01)
    assert np.array_equal(colours[0, 5], (200, 100, 50))


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('source = "data/nobody"', 'source = "../nobody"', "../nobody does not lie below"),
        ('"data/album"', '"/somewhere/album"', "/somewhere/album does not lie below"),
        (
            '{ source = "data/people", use = "image" }',
            '{ source = "data/people", layout = "ppm-100" }',
            "layout ppm-100",
        ),
        ('use = "foreground"', 'layout = "own", use = "foreground"', "no foreground/"),
    ],
)
def test_what_would_not_be_found_is_refused(place: Path, old: str, new: str, words: str) -> None:
    if "foreground/" in words:
        shutil.rmtree(place / "data/people/foreground")
    assert old in RECIPE
    changed = RECIPE.replace(old, new).replace("runs/before/artifacts/toy", "live")
    (place / "toy.toml").write_text(changed)
    with pytest.raises(UsageError, match=words):
        pack_recipe(read_recipe(Path("toy.toml")), Path("packed"), side=80)
    assert not [path for path in place.iterdir() if "packed" in path.name]


def test_nothing_is_written_over(place: Path) -> None:
    Path("packed").mkdir()
    with pytest.raises(UsageError, match="packed is there already"):
        pack_recipe(read_recipe(Path("toy.toml")), Path("packed"), side=80)


@pytest.mark.slow
def test_the_script_for_a_gpu_trains_on_what_was_packed(
    place: Path, start: Path, call: Call
) -> None:
    assert call("data", "pack", "toy.toml", "packed")[0] == 0
    for folder in ("data", "runs"):
        (place / folder).rename(place / f"away-{folder}")
    script = HOUSE / "recipes/weights/on_gpu.sh"
    command = ["sh", str(script), "packed", "results", "toy.toml", "--device", "cpu"]
    done = subprocess.run(
        command, capture_output=True, text=True, env=os.environ | {"PYTHON": sys.executable}
    )
    assert done.returncode == 0, done.stderr
    (trained,) = (place / "results/artifacts").glob("toy@*")
    assert '"total"' in (trained / "training.jsonl").read_text()


def test_the_script_says_what_it_needs() -> None:
    script = HOUSE / "recipes/weights/on_gpu.sh"
    done = subprocess.run(["sh", str(script), "packed"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "usage" in done.stderr
