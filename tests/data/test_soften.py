"""Masks become soft mattes; pairs that cannot be used are named, with a count."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from calling import Call

from edgemat.data.folder import FolderSource, folder_split
from edgemat.data.soften import Softening, soften, soften_folder, trimap_around_mask
from edgemat.data.split import write_held_out
from edgemat.errors import UsageError
from edgemat.images import read_grey, write_image

SIZE = (64, 80)


def disc(radius: float = 20.0) -> np.ndarray:
    y, x = np.indices(SIZE)
    return (np.hypot(y - 32, x - 40) <= radius).astype(np.float32)


def photograph() -> np.ndarray:
    """A red disc of radius 22 with a soft edge on blue; the mask of radius 20 is a little small."""
    y, x = np.indices(SIZE)
    alpha = np.clip((24 - np.hypot(y - 32, x - 40)) / 4, 0, 1)[..., None]
    return np.round(alpha * [220, 30, 30] + (1 - alpha) * [30, 30, 200]).astype(np.uint8)


def write_pair(folder: Path, name: str) -> None:
    for part, picture in (("image", photograph()), ("mask", disc())):
        (folder / part).mkdir(parents=True, exist_ok=True)
        write_image(folder / part / f"{name}.png", picture)


def test_the_unknown_region_lies_on_both_sides_of_the_edge() -> None:
    trimap = trimap_around_mask(disc(), inside=3, outside=5)
    y, x = np.indices(SIZE)
    distance = np.hypot(y - 32, x - 40)
    assert (trimap[distance <= 16] == 255).all() and (trimap[distance >= 26] == 0).all()
    assert (trimap[(distance > 18) & (distance < 24)] == 128).all()


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_a_mask_without_an_edge_stays_as_it_is(value: float) -> None:
    mask = np.full(SIZE, value, np.float32)
    assert (soften(photograph(), mask) == value).all()


def test_softening_finds_the_true_edge() -> None:
    alpha = soften(photograph(), disc(), Softening(inside=60, outside=80))  # px at a side of 640
    y, x = np.indices(SIZE)
    truth = np.clip((24 - np.hypot(y - 32, x - 40)) / 4, 0, 1)
    assert np.abs(alpha - truth).mean() < 0.25 * np.abs(disc() - truth).mean()
    assert np.abs(alpha - truth).max() < 0.3


def test_knn_is_another_way_to_a_softer_edge() -> None:
    """KNN matting sees few colours in between here, and is nearer than the mask all the same."""
    alpha, other = (
        soften(photograph(), disc(), Softening(method, 60, 80)) for method in ("knn", "closed-form")
    )
    y, x = np.indices(SIZE)
    truth = np.clip((24 - np.hypot(y - 32, x - 40)) / 4, 0, 1)
    assert np.abs(alpha - truth).mean() < 0.6 * np.abs(disc() - truth).mean()
    assert np.abs(alpha - other).max() > 0.1


def test_a_folder_never_holds_mattes_of_two_kinds(tmp_path: Path, call: Call) -> None:
    write_pair(tmp_path / "in", "anna")
    words = ("data", "soften", tmp_path / "in", tmp_path / "out")
    assert call(*words, "--method", "knn")[0] == 0
    status, _, error = call(*words)
    assert (status, "were made otherwise" in error) == (2, True)
    assert call(*words, "--method", "knn")[0] == 0
    (tmp_path / "out" / "soften.json").unlink()  # as versions before left it
    assert call(*words, "--method", "knn")[0] == 2
    assert call(*words, "--labels", "255")[0] == 2
    assert call(*words)[0] == 0
    status, _, error = call(*words, "--method", "kn")
    assert (status, "knn" in error) == (2, True)


def test_a_folder_becomes_a_data_set_and_is_gone_on_with(tmp_path: Path) -> None:
    for name in ("anna", "ben"):
        write_pair(tmp_path / "in", name)
    first = soften_folder(tmp_path / "in", tmp_path / "out")
    assert (first.made, first.kept, first.skipped) == (2, 0, ())
    (tmp_path / "out" / "alpha" / "ben.png").unlink()  # as after a kill
    again = soften_folder(tmp_path / "in", tmp_path / "out")
    assert (again.made, again.kept) == (1, 1)
    for use in ("image", "foreground"):
        source = FolderSource(tmp_path / "out", seed=0, size=SIZE, use=use)  # type: ignore[arg-type]
        assert source.count == 2
    assert (read_grey(tmp_path / "out" / "alpha" / "anna.png") > 0).any()


def test_unusable_pairs_are_named_and_skipped(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    for name in ("anna", "lost", "small", "torn"):
        write_pair(folder, name)
    (folder / "mask" / "lost.png").unlink()
    write_image(folder / "mask" / "extra.png", disc())
    write_image(folder / "mask" / "small.png", disc()[:50])
    torn = folder / "image" / "torn.png"
    torn.write_bytes(torn.read_bytes()[:200])
    done = soften_folder(folder, tmp_path / "out")
    assert done.made == 1
    assert {name for name, _ in done.skipped} == {"lost", "extra", "small", "torn"}
    reasons = dict(done.skipped)
    assert "no mask" in reasons["lost"] and "no photograph" in reasons["extra"]
    assert "80 x 50" in reasons["small"] and "truncated" in reasons["torn"]
    assert [p.name for p in (tmp_path / "out" / "alpha").iterdir()] == ["anna.png"]


def test_folders_without_photographs_or_masks_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no pictures in image/"):
        soften_folder(tmp_path, tmp_path / "out")
    write_pair(tmp_path / "in", "anna")
    (tmp_path / "in" / "mask" / "anna.png").unlink()
    with pytest.raises(UsageError, match="no pictures in mask/"):
        soften_folder(tmp_path / "in", tmp_path / "out")
    write_image(tmp_path / "in" / "mask" / "ben.png", disc())
    with pytest.raises(UsageError, match="mask of its name"):
        soften_folder(tmp_path / "in", tmp_path / "out")


def test_the_command_says_how_many_were_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from edgemat.cli import data as command

    write_pair(tmp_path / "in", "anna")
    write_image(tmp_path / "in" / "mask" / "extra.png", disc())
    command.soften(tmp_path / "in", tmp_path / "out", as_json=True)
    said = json.loads(capsys.readouterr().out)
    assert said["made"] == 1
    assert said["skipped"] == [{"name": "extra", "reason": "has no photograph"}]
    command.soften(tmp_path / "in", tmp_path / "out")
    text = capsys.readouterr().out
    assert "0 mattes made, 1 kept" in text and "1 skipped" in text and "extra" in text


def test_what_is_held_out_stays_held_out(tmp_path: Path) -> None:
    for name in ("anna", "ben", "carla"):
        write_pair(tmp_path / "in", name)
    (tmp_path / "in" / "image" / "ben.png").write_bytes(b"damaged")
    write_held_out(tmp_path / "in", ["ben", "carla"])
    soften_folder(tmp_path / "in", tmp_path / "out")
    assert folder_split(tmp_path / "out").held_out == ("carla",)
