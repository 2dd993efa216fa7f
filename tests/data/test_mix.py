"""Mixes of sources and backgrounds, views of people, changes of colour, and composites as files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edgemat.data.compose import compose_folder
from edgemat.data.composite import composite, merge
from edgemat.data.dataset import MattingDataset
from edgemat.data.drawn.source import ProceduralSource
from edgemat.data.folder import FolderSource
from edgemat.data.mix import Mix, MixedBackgrounds, Photographs, Surroundings
from edgemat.data.open import open_data
from edgemat.data.photometric import augment_layers, change, match_brightness, photograph
from edgemat.data.sample import Matte
from edgemat.data.sections import BackgroundSection, DataSection, SourceSection
from edgemat.data.split import write_held_out
from edgemat.data.views import place_cutout, view_photograph
from edgemat.errors import ImageError, UsageError
from edgemat.images import read_grey, read_image, to_float, write_image

SIZE = (64, 64)
SIZES = st.tuples(st.integers(32, 90), st.integers(32, 90))
SEEDS = st.integers(0, 2**32 - 1)


def person(shape: tuple[int, int], *, cut: bool) -> Matte:
    """A red block on green, in the middle or (cut) down to the lower edge."""
    alpha = np.zeros(shape, np.uint8)
    bottom = shape[0] if cut else shape[0] * 3 // 4
    alpha[shape[0] // 4 : bottom, shape[1] // 3 : shape[1] * 2 // 3] = 255
    colours = np.where(alpha[..., None] > 0, [250, 10, 10], [10, 250, 10]).astype(np.uint8)
    return Matte(alpha, foreground=colours)


def write_people(folder: Path, count: int = 20) -> Path:
    """Photographs of the person on green, with alpha, foreground and image."""
    for number in range(count):
        matte = person((60, 80), cut=number % 2 == 0)
        red = np.full((60, 80, 3), (250, 10, 10), np.uint8)
        parts = {"image": matte.colours, "alpha": matte.alpha, "foreground": red}
        for name, picture in parts.items():
            (folder / name).mkdir(parents=True, exist_ok=True)
            write_image(folder / name / f"p{number:02d}.png", picture)
    return folder


# --- views ------------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(SIZES, SEEDS, st.booleans())
def test_views_of_photographs_keep_colours_and_alpha_together(
    shape: tuple[int, int], seed: int, cut: bool
) -> None:
    matte = person(shape, cut=cut)
    photo = Matte(matte.alpha, image=matte.colours)
    view = view_photograph(photo, SIZE, np.random.default_rng(seed))
    assert view.colours.shape == (*SIZE, 3) and view.alpha.shape == SIZE
    # red where opaque, green where clear, black in the corners that turning leaves
    red, green = view.colours[..., 0], view.colours[..., 1]
    assert (red[view.alpha == 255] > 200).all() or (view.alpha == 255).sum() == 0
    clear = (view.alpha == 0) & (view.colours.max(axis=2) > 200)
    assert (green[clear] > 200).all()


@settings(max_examples=60, deadline=None)
@given(SIZES, SEEDS)
def test_a_body_that_is_cut_off_stays_at_its_side(shape: tuple[int, int], seed: int) -> None:
    view = place_cutout(person(shape, cut=True), SIZE, np.random.default_rng(seed))
    if view.alpha.any():
        assert view.alpha[-1].any(), "nobody ends in the air"


def test_cutouts_are_placed_near_and_far() -> None:
    shares = [
        (place_cutout(person(SIZE, cut=False), SIZE, np.random.default_rng(s)).alpha > 127).mean()
        for s in range(200)
    ]
    assert min(shares) < 0.05 and max(shares) > 0.3


def test_an_empty_cutout_is_an_empty_view() -> None:
    matte = Matte(np.zeros(SIZE, np.uint8), foreground=np.zeros((*SIZE, 3), np.uint8))
    assert not place_cutout(matte, (48, 32), np.random.default_rng(0)).alpha.any()


# --- colours ----------------------------------------------------------------------------------


@settings(max_examples=60, deadline=None)
@given(SEEDS)
def test_changes_of_colour_stay_in_range_and_are_repeatable(seed: int) -> None:
    picture = np.random.default_rng(1).random((24, 40, 3), np.float32)
    for make in (change, photograph):
        once = make(picture, np.random.default_rng(seed))
        assert once.shape == picture.shape and once.dtype == np.float32
        assert np.isfinite(once).all() and once.min() >= 0 and once.max() <= 1
        np.testing.assert_array_equal(once, make(picture, np.random.default_rng(seed)))


def test_layers_change_one_by_one_in_the_shares_of_the_thesis() -> None:
    grey = np.full((4, 4, 3), 0.4, np.float32)
    grey[0, 0] = 0.7
    changed = np.array(
        [
            [not np.array_equal(layer, grey) for layer in augment_layers(grey, grey, rng)]
            for rng in map(np.random.default_rng, range(600))
        ]
    )
    front, both = changed[:, 0].mean(), changed[:, 1].mean()
    # AF and AFB in a quarter each; some changes (a shuffle of grey, say) leave grey as it is
    assert 0.33 < front < 0.52 and 0.15 < both < 0.27
    assert not (changed[:, 1] & ~changed[:, 0]).sum() > 600 * 0.06


def test_brightness_moves_towards_the_background() -> None:
    dark, bright = np.full((4, 4, 3), 0.2, np.float32), np.full((4, 4, 3), 0.8, np.float32)
    moved = match_brightness(dark, bright, np.random.default_rng(3)).mean()
    assert 0.2 <= moved <= 0.4  # at most twice as bright


# --- compositing ------------------------------------------------------------------------------


@given(st.integers(0, 1000))
def test_merging_is_compositing_twice(seed: int) -> None:
    rng = np.random.default_rng(seed)
    colours1, colours2, background = rng.random((3, 5, 6, 3), np.float32)
    alpha1, alpha2 = rng.choice(np.array([0, 0.25, 0.5, 1], np.float32), (2, 5, 6))
    colours, alpha = merge((colours1, alpha1), (colours2, alpha2))
    behind = composite(colours2, background, alpha=alpha2)
    twice = composite(colours1, behind, alpha=alpha1)
    np.testing.assert_allclose(composite(colours, background, alpha=alpha), twice, atol=1e-5)


# --- mixes ------------------------------------------------------------------------------------


def test_a_mix_draws_its_sources_by_their_shares(tmp_path: Path) -> None:
    folder = str(write_people(tmp_path))
    data = DataSection(
        mix=(
            SourceSection(source=folder, use="image", weight=3),
            SourceSection(source=folder, use="foreground", weight=1),
            SourceSection(source="empty", weight=1),
        ),
        backgrounds=(BackgroundSection(source=str(tmp_path / "image")),),
    )
    source = open_data(data, seed=1, size=SIZE)
    mattes = [source[k] for k in range(400)]
    empty = sum(not m.alpha.any() for m in mattes) / 400
    layered = sum(m.foreground is not None for m in mattes) / 400
    assert 0.13 < empty < 0.27 and 0.13 < layered < 0.27
    again = open_data(data, seed=1, size=SIZE)
    assert all(np.array_equal(again[k].alpha, mattes[k].alpha) for k in (3, 99))
    assert source.background(5).shape == (60, 80, 3)


def test_empty_pictures_need_backgrounds() -> None:
    with pytest.raises(UsageError, match="none are given") as caught:
        open_data(DataSection(source="empty"), seed=1, size=SIZE)
    assert "backgrounds = " in caught.value.remedy
    drawn = (BackgroundSection(source="procedural"),)
    matte = open_data(DataSection(source="empty", backgrounds=drawn), seed=1, size=SIZE)[0]
    assert not matte.alpha.any() and matte.colours.shape == (*SIZE, 3)


def test_surroundings_hold_no_person(tmp_path: Path) -> None:
    source = FolderSource(write_people(tmp_path), seed=0, size=SIZE, use="image")
    with pytest.raises(UsageError, match="room beside"):
        Surroundings(source).background(0)  # strips of these small pictures are too narrow
    wide = tmp_path / "wide"
    matte = person((120, 400), cut=True)
    for name, picture in (("image", matte.colours), ("alpha", matte.alpha)):
        (wide / name).mkdir(parents=True)
        write_image(wide / name / "a.png", picture)
    free = Surroundings(FolderSource(wide, seed=0, size=SIZE)).background(7)
    assert (free == [10, 250, 10]).all() and free.size > 0


def test_backgrounds_are_read_once_and_not_too_large(tmp_path: Path) -> None:
    write_image(tmp_path / "wide.jpg", np.zeros((100, 2000, 3), np.uint8))
    photographs = Photographs(tmp_path)
    assert photographs.background(3).shape == (40, 800, 3)
    assert photographs.background(0) is photographs.background(1)
    with pytest.raises(UsageError, match="no pictures for backgrounds"):
        Photographs(tmp_path / "absent")


def test_backgrounds_that_judge_are_never_trained_on(tmp_path: Path) -> None:
    for name, grey in (("a", 10), ("b", 200)):
        write_image(tmp_path / "image" / f"{name}.png", np.full((32, 32, 3), grey, np.uint8))
    assert {Photographs(tmp_path, part="train").background(i).mean() for i in range(4)} == {10, 200}
    write_held_out(tmp_path, ["b"])
    for part, seen in (("train", {10}), ("held-out", {200}), ("all", {10, 200})):
        photographs = Photographs(tmp_path, part=part)
        assert {photographs.background(i).mean() for i in range(4)} == seen
    write_image(tmp_path / "people" / "image" / "a.png", np.full((32, 32, 3), 9, np.uint8))
    write_image(tmp_path / "people" / "mask" / "a.png", np.ones((32, 32), np.float32))
    with pytest.raises(UsageError, match="has people in its pictures, which are to be backgrounds"):
        Photographs(tmp_path / "people")
    section = BackgroundSection(source=str(tmp_path))
    opened = open_data(DataSection(source="empty", backgrounds=(section,)), seed=1, size=(16, 16))
    assert {opened.background(i).mean() for i in range(20)} == {10}


def test_cutouts_alone_are_a_source(tmp_path: Path) -> None:
    matte = person((60, 80), cut=True)
    write_image(tmp_path / "a.webp", np.dstack([matte.colours, matte.alpha]))
    write_image(tmp_path / "b.png", matte.colours)
    source = FolderSource(tmp_path, seed=0, size=SIZE)
    np.testing.assert_array_equal(source[0].alpha, matte.alpha)
    assert source[0].foreground is not None
    with pytest.raises(ImageError, match="no alpha channel"):
        source[1]


def test_people_and_empty_pictures_become_samples(tmp_path: Path) -> None:
    folder = write_people(tmp_path)
    mix = Mix(
        [(FolderSource(folder, seed=0, size=SIZE), 1.0)],
        MixedBackgrounds([(ProceduralSource(0, size=SIZE), 1.0)], seed=4),
        seed=4,
    )
    data = MattingDataset(mix, size=SIZE, seed=1, length=40, views="people")
    for index in range(12):
        item = data[index]
        assert item.keys() == {"image", "alpha", "trimap", "ignored"}
        assert item["image"].shape == (3, *SIZE) and item["image"].min() >= 0
        assert item["image"].max() <= 1
    assert data.sample(3).trimap.dtype == np.uint8


# --- composites as files ----------------------------------------------------------------------


def test_composites_are_written_with_their_truth(tmp_path: Path) -> None:
    folder = write_people(tmp_path / "in")
    backs = tmp_path / "backs"
    backs.mkdir()
    write_image(backs / "blue.png", np.full((70, 70, 3), (0, 0, 255), np.uint8))
    compose_folder(
        str(folder), tmp_path / "out", backgrounds=backs, count=3, size=64, part="held-out"
    )
    assert sorted(p.name for p in (tmp_path / "out" / "image").iterdir()) == [
        "0000.png", "0001.png", "0002.png",
    ]  # fmt: skip
    image = to_float(read_image(tmp_path / "out" / "image" / "0001.png"))
    alpha = read_grey(tmp_path / "out" / "alpha" / "0001.png")
    red, blue = np.array([[250, 10, 10], [0, 0, 255]], np.float32) / 255
    expected = alpha[..., None] * red + (1 - alpha[..., None]) * blue
    np.testing.assert_allclose(image, expected, atol=1.5 / 255)
    assert alpha.max() == 1 and alpha.min() == 0
