"""Quality bars: figures of float and int8 files on photographs with truth, and shipped names."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from toy_artifacts import portrait_shelf

from edgemat.artifacts.shipped import default_model, find_artifact, open_artifact, shipped_models
from edgemat.bench.quality import Bars, load_bars, measure_quality
from edgemat.data.folder import folder_split
from edgemat.data.split import write_held_out
from edgemat.errors import ArtifactError, UsageError
from edgemat.images import write_image

BARS = """
[[sets]]
name = "discs"
folder = "FOLDER"

[[sets]]
name = "elsewhere"
folder = "nowhere"

[[bars]]
model = "portrait"
set = "discs"
figure = "iou"
bound = ">=0.99"

[[bars]]
model = "portrait"
set = "discs"
figure = "mad"
bound = "<=0.001"

[[bars]]
model = "portrait"
set = "elsewhere"
figure = "iou"
bound = ">=0.5"
"""


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Shipped models: an untrained float network, and an int8 file whose alpha is red."""
    shelf = portrait_shelf(tmp_path)
    monkeypatch.setattr("edgemat.artifacts.shipped.SHELF", shelf)
    return shelf


def write_discs(folder: Path) -> Path:
    """Red discs on blue, with their masks: the int8 stand-in is right about them."""
    y, x = np.indices((32, 32))
    for number in range(3):
        disc = np.hypot(y - 16, x - 12 - number) < 9
        picture = np.where(disc[..., None], [255, 0, 0], [0, 0, 255]).astype(np.uint8)
        for name, plane in (("image", picture), ("mask", disc.astype(np.float32))):
            (folder / name).mkdir(parents=True, exist_ok=True)
            write_image(folder / name / f"{number}.png", plane)
    return folder


def read(tmp_path: Path, text: str) -> Bars:
    path = tmp_path / "bars.toml"
    path.write_text(text.replace("FOLDER", str(tmp_path / "discs")))
    return load_bars(path)


def test_bars_are_judged_by_the_int8_file(shelf: Path, tmp_path: Path) -> None:
    write_discs(tmp_path / "discs")
    said: list[str] = []
    rows = measure_quality(read(tmp_path, BARS), progress=said.append)
    iou, mad, absent = rows
    assert iou.photos == 3 and iou.verdict is not None and iou.verdict.passed
    assert iou.figures["int8"] == 1 and mad.figures["int8"] == pytest.approx(0, abs=1e-6)
    assert iou.figures["float"] < 0.9, "an untrained network finds nothing"
    assert absent.verdict is None and absent.figures == {} and absent.photos == 0
    assert len(said) == 1, "one set of one model is measured once"
    assert iou.to_json()["verdict"]["passed"] is True


def test_the_files_that_were_measured_are_named(shelf: Path, tmp_path: Path) -> None:
    write_discs(tmp_path / "discs")
    iou, *_ = measure_quality(read(tmp_path, BARS))
    names = {path.name for path in shelf.iterdir()}
    assert set(iou.to_json()["artefacts"]) == {"float", "int8"}
    assert set(iou.to_json()["artefacts"].values()) == names


def test_a_folder_that_is_split_otherwise_is_refused(shelf: Path, tmp_path: Path) -> None:
    """What is held out now may have been trained on."""
    folder = write_discs(tmp_path / "discs")
    split = folder_split(folder).sha256
    bars = read(
        tmp_path, BARS.replace('folder = "FOLDER"', f'folder = "FOLDER"\nsplit = "{split}"')
    )
    assert measure_quality(bars)[0].photos == 3
    (folder / "held-out.txt").write_text("1\n")
    with pytest.raises(UsageError, match="not split as it was") as caught:
        measure_quality(bars)
    assert "edgemat data hold-out" in str(caught.value.remedy)


def test_what_has_no_bound_is_measured_and_not_judged(shelf: Path, tmp_path: Path) -> None:
    write_discs(tmp_path / "discs")
    iou = measure_quality(read(tmp_path, BARS.replace('bound = ">=0.99"', "")), limit=1)[0]
    assert iou.figures["int8"] == 1 and iou.verdict is None and iou.bar.bound is None


def test_a_flawless_edge_scores_nought(shelf: Path, tmp_path: Path) -> None:
    write_discs(tmp_path / "discs")
    bars = read(tmp_path, BARS.replace('"mad"', '"sad_band"').replace("<=0.001", "<=0"))
    flawless = measure_quality(bars, limit=1)[1]
    assert flawless.figures["int8"] == 0
    assert flawless.verdict is not None and flawless.verdict.passed


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('set = "discs"', 'set = "disks"', "no set 'disks'"),
        ('figure = "iou"', 'figure = "uoi"', "figure"),
        ('bound = ">=0.99"', 'bound = "fine"', "fine"),
        ('figure = "iou"', 'figuer = "iou"', r"no key 'bars\.0\.figuer'.*'figure'"),
        ('folder = "FOLDER"', 'foldr = "FOLDER"', r"no key 'sets\.0\.foldr'.*'folder'"),
        ("[[sets]]", "[[sets", "TOML"),
    ],
)
def test_wrong_bars_are_named(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        read(tmp_path, BARS.replace(old, new))


def test_shipped_models_are_found_by_name(shelf: Path, tmp_path: Path) -> None:
    assert shipped_models() == ["portrait"]
    assert find_artifact("portrait").name.startswith("portrait@")
    file = default_model(needs_trimap=False)
    assert file.name.startswith("portrait-tflite-int8@")
    assert find_artifact(file) == file, "a path stays what it is"
    with pytest.raises(UsageError, match="no artefact portait") as caught:
        find_artifact("portait")
    assert "'portrait'" in caught.value.remedy


def test_a_damaged_shipped_file_is_refused(shelf: Path) -> None:
    payload = open_artifact("portrait").payload
    payload.write_bytes(payload.read_bytes()[:-1] + b"x")
    with pytest.raises(ArtifactError, match="damaged: its SHA-256"):
        open_artifact("portrait")


EMPTY = """
[[sets]]
name = "nobody"
folder = "FOLDER"
part = "held-out"
empty = true

[[bars]]
model = "portrait"
set = "nobody"
figure = "seen"
bound = "<=0.15"
"""


def test_in_how_many_pictures_without_anyone_someone_is_seen(shelf: Path, tmp_path: Path) -> None:
    """The int8 stand-in takes red for people: 2 % of a picture are not yet anyone."""
    folder = tmp_path / "discs"
    for name, columns in (("none", 0), ("few", 1), ("some", 4), ("trained", 32)):
        picture = np.zeros((64, 64, 3), np.uint8)
        picture[:, :columns, 0] = 255
        (folder / "image").mkdir(parents=True, exist_ok=True)
        write_image(folder / "image" / f"{name}.png", picture)
    with pytest.raises(UsageError, match=r"has no held-out\.txt: all of it may be trained on"):
        measure_quality(read(tmp_path, EMPTY))
    write_held_out(folder, ["none", "few", "some"])
    (row,) = measure_quality(read(tmp_path, EMPTY))
    assert row.photos == 3
    assert row.figures["int8"] == pytest.approx(1 / 3)
    assert row.verdict is not None and not row.verdict.passed
    for wrong in (EMPTY.replace('"seen"', '"iou"'), BARS.replace('"iou"', '"seen"')):
        with pytest.raises(UsageError, match="is not measured on"):
            read(tmp_path, wrong)
    with pytest.raises(UsageError, match=r"have nobody to ignore\. Leave ignore_below out"):
        read(tmp_path, EMPTY.replace("empty = true", "empty = true\nignore_below = 0.1"))


def test_who_is_small_does_not_count(shelf: Path, tmp_path: Path) -> None:
    folder = write_discs(tmp_path / "discs")
    mask = np.zeros((32, 32), np.float32)
    mask[12:22, 4:30] = 1
    mask[0:3, 0:3] = 1
    picture = np.where(mask[..., None] > 0, [255, 0, 0], [0, 0, 255]).astype(np.uint8)
    picture[0:3, 0:3] = [0, 0, 255]  # nobody's red: the stand-in misses the small one
    write_image(folder / "image" / "3.png", picture)
    write_image(folder / "mask" / "3.png", mask)
    text = BARS.replace('folder = "FOLDER"', 'folder = "FOLDER"\nignore_below = 0.04')
    with_small = measure_quality(read(tmp_path, BARS))[0].figures["int8"]
    without = measure_quality(read(tmp_path, text))[0].figures["int8"]
    assert without > with_small + 0.005
    for impossible in ("4", "-1", "nan"):
        with pytest.raises(UsageError, match="ignore_below"):
            read(tmp_path, text.replace("0.04", impossible))
    with pytest.raises(UsageError, match="nobody covers 90% of a picture"):
        measure_quality(read(tmp_path, text.replace("0.04", "0.9")))
