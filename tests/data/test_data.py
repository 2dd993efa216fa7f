"""Mattes are exact, endless and repeatable; folders of a user's are read or clearly refused."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch.utils.data import DataLoader

from edgemat.data.augment import augment, cover, fit
from edgemat.data.dataset import VALIDATION_DILATION, MattingDataset, Views
from edgemat.data.drawn.source import ALL_KINDS, PORTRAIT_KINDS, ProceduralSource
from edgemat.data.folder import FolderSource
from edgemat.data.open import open_data
from edgemat.data.sample import Matte, rng_for
from edgemat.data.sections import DataSection
from edgemat.data.trimap import fixed_trimap
from edgemat.errors import ImageError, UsageError
from edgemat.images import U8, to_float, write_image

SIZE = (64, 80)


# --- the procedural generator ----------------------------------------------------------------


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_every_kind_is_exact_and_has_partial_alphas(kind: str) -> None:
    source = ProceduralSource(1, size=(96, 128), kinds=(kind,))
    partial = 0
    for index in range(6):
        matte = source[index]
        assert matte.alpha.shape == (96, 128) and matte.alpha.dtype == np.uint8
        assert matte.foreground is not None and matte.foreground.shape == (96, 128, 3)
        assert matte.foreground.dtype == np.uint8
        assert matte.alpha.max() > 12 and matte.alpha.min() < 255
        partial += int(((matte.alpha > 0) & (matte.alpha < 255)).sum())
    assert partial > 6 * 40


@pytest.mark.parametrize("kind", ALL_KINDS)
def test_a_matte_depends_on_seed_and_index_alone(kind: str) -> None:
    first = ProceduralSource(7, size=SIZE, kinds=(kind,))
    second = ProceduralSource(7, size=SIZE, kinds=(kind,))
    second[0], second.background(5)  # what was drawn before must not matter
    np.testing.assert_array_equal(first[3].alpha, second[3].alpha)
    np.testing.assert_array_equal(first[3].colours, second[3].colours)
    np.testing.assert_array_equal(first.background(3), second.background(3))
    other = ProceduralSource(8, size=SIZE, kinds=(kind,))
    for matte in (first[4], other[3]):
        assert not np.array_equal(first[3].alpha, matte.alpha)
        assert not np.array_equal(first[3].colours, matte.colours)
    for background in (first.background(4), other.background(3)):
        assert not np.array_equal(first.background(3), background)


def test_all_kinds_take_turns_without_end() -> None:
    source = ProceduralSource(0, size=(32, 32))
    assert [source.kind(k) for k in range(len(ALL_KINDS))] == list(ALL_KINDS)
    assert source[10**9].alpha.shape == (32, 32)
    assert source.background(10**9).shape == (32, 32, 3)


def test_a_portrait_stands_on_the_lower_edge() -> None:
    source = ProceduralSource(2, size=(96, 96), kinds=PORTRAIT_KINDS)
    for index in range(12):
        alpha = to_float(source[index].alpha)
        assert alpha[-1].max() == 1, "the shoulders reach the lower edge"
        assert 0.08 < alpha.mean() < 0.85
        assert alpha[0].mean() < 0.5


@pytest.mark.parametrize("size", [(32, 200), (200, 32), (33, 47)])
def test_odd_and_narrow_sizes_can_be_drawn(size: tuple[int, int]) -> None:
    source = ProceduralSource(3, size=size)
    for index in range(2 * len(ALL_KINDS)):
        assert source[index].alpha.shape == size
        assert source.background(index).shape == (*size, 3)


def test_wrong_kinds_and_sizes_are_named() -> None:
    with pytest.raises(UsageError, match=r"'hare'.*'hair'"):
        ProceduralSource(0, kinds=("hare",))
    with pytest.raises(UsageError, match="No kind"):
        ProceduralSource(0, kinds=())
    with pytest.raises(UsageError, match="too small"):
        ProceduralSource(0, size=(31, 64))


# --- compositing -----------------------------------------------------------------------------


@pytest.mark.parametrize("views", ["edges", "none"])
def test_every_sample_obeys_the_compositing_equation(views: Views) -> None:
    data = MattingDataset(
        ProceduralSource(4, size=(96, 96)), size=SIZE, seed=5, length=18, views=views
    )
    for index in range(len(data)):
        item = {name: plane.double() for name, plane in data[index].items()}
        expected = item["alpha"] * item["foreground"] + (1 - item["alpha"]) * item["background"]
        assert (item["image"] - expected).abs().max() <= 1e-6
        assert item["image"].min() >= 0 and item["image"].max() <= 1 + 1e-6


# --- augmentation ----------------------------------------------------------------------------


def test_crops_lie_around_partial_alphas() -> None:
    alpha = np.zeros((400, 500), np.uint8)
    alpha[350:, 430:] = 255
    alpha[350, 430:] = 128
    matte = Matte(alpha, foreground=np.zeros((400, 500, 3), np.uint8))
    for seed in range(20):
        view = augment(matte, size=SIZE, rng=np.random.default_rng(seed))
        assert view.alpha.shape == SIZE
        assert ((view.alpha > 0) & (view.alpha < 255)).any()


def test_a_small_picture_is_enlarged() -> None:
    matte = ProceduralSource(0, size=(40, 36))[0]
    view = augment(matte, size=(96, 96), rng=np.random.default_rng(0))
    assert view.alpha.shape == (96, 96) and view.colours.shape == (96, 96, 3)


SIDES = st.tuples(st.integers(32, 120), st.integers(32, 120))


@given(SIDES, SIDES, st.integers(0, 2**32 - 1))
def test_a_view_keeps_its_planes_together(
    shape: tuple[int, int], size: tuple[int, int], seed: int
) -> None:
    """Larger and smaller pictures than the crop: one crop, one flip, one scale for all planes."""
    y, x = np.indices(shape, dtype=np.float32)
    share = 0.1 + 0.8 * (x / shape[1]) * (y / shape[0])
    alpha = np.round(255 * share).astype(np.uint8)
    colours = np.repeat(np.round(255 * (0.3 + 0.4 * share)).astype(np.uint8)[..., None], 3, axis=2)
    trimap = np.where(share > 0.4, np.uint8(255), np.uint8(0))
    planes = {"image" if seed % 2 else "foreground": colours}
    rng = np.random.default_rng(seed)
    view = augment(Matte(alpha, trimap=trimap, **planes), size=size, rng=rng)
    expected = 255 * 0.3 + 0.4 * view.alpha.astype(np.float32)
    # Roundings of 0.5 (colours) and 0.4 x 0.5 (alpha) before, between and after the two passes of
    # the filter, whose weights add up to 1.25 in magnitude: 0.7 x (1.25**2 + 1.25 + 1).
    np.testing.assert_allclose(view.colours[..., 1], expected, atol=2.7)
    assert view.alpha.shape == size and view.colours.shape == (*size, 3)
    assert view.trimap is not None and view.trimap.shape == size
    # Nearest-neighbour scaling moves the step by up to a pixel, where alpha is near 0.4.
    slope = 255 * (0.8 * (1 / shape[0] + 1 / shape[1])) + 1
    assert (view.alpha[view.trimap == 255] > 255 * 0.4 - slope).all()
    assert (view.alpha[view.trimap == 0] < 255 * 0.4 + slope).all()


def test_half_of_the_views_are_mirrored() -> None:
    alpha = np.tile(np.linspace(25, 230, 64).astype(np.uint8), (64, 1))
    matte = Matte(alpha, foreground=np.zeros((64, 64, 3), np.uint8))
    views = [augment(matte, size=(64, 64), rng=np.random.default_rng(k)) for k in range(200)]
    mirrored = sum(bool(view.alpha[0, 0] > view.alpha[0, -1]) for view in views)
    assert 70 <= mirrored <= 130  # 100 expected; four standard deviations are 28


@pytest.mark.parametrize("shape", [(30, 300), (300, 30), (64, 80), (65, 81)])
def test_a_background_covers_without_stretching(shape: tuple[int, int]) -> None:
    # Equal squares before must be equal squares after: the slopes along x and y agree.
    y, x = np.indices(shape) * 255 // 300
    picture: U8 = np.stack([x, y, x], axis=2).astype(np.uint8)
    covered = cover(picture, size=SIZE).astype(np.float32)
    assert covered.shape == (*SIZE, 3)
    slope_x = np.polyfit(range(40), covered[32, 20:60, 0], 1)[0]
    slope_y = np.polyfit(range(32), covered[16:48, 40, 1], 1)[0]
    assert slope_x == pytest.approx(slope_y, rel=0.04)


# --- the torch data set ----------------------------------------------------------------------


def _data(*, seed: int = 11, views: Views = "edges") -> MattingDataset:
    return MattingDataset(
        ProceduralSource(9, size=SIZE), size=SIZE, seed=seed, length=12, views=views
    )


def test_items_have_the_promised_shapes_and_ranges() -> None:
    item = _data()[0]
    shapes = {name: tuple(plane.shape) for name, plane in item.items()}
    three, one = (3, *SIZE), (1, *SIZE)
    assert shapes == {
        "image": three, "foreground": three, "background": three, "alpha": one, "trimap": one,
    }  # fmt: skip
    assert all(plane.dtype == torch.float32 for plane in item.values())
    levels = torch.tensor([0, 128 / 255, 1])
    assert torch.isin(item["trimap"], levels).all()


def test_workers_change_nothing() -> None:
    alone = list(DataLoader(_data(), batch_size=4, num_workers=0))
    shared = list(DataLoader(_data(), batch_size=4, num_workers=2))
    assert len(alone) == len(shared) == 3
    for one, other in zip(alone, shared, strict=True):
        assert one.keys() == other.keys()
        for name in one:
            assert torch.equal(one[name], other[name])


def test_a_stream_resumes_in_the_middle() -> None:
    whole = list(DataLoader(_data(), batch_size=4))
    rest = list(DataLoader(_data(), batch_size=4, sampler=range(8, 12)))
    assert torch.equal(whole[2]["image"], rest[0]["image"])
    assert torch.equal(whole[2]["trimap"], rest[0]["trimap"])


def test_the_seed_changes_training_and_not_validation() -> None:
    assert not torch.equal(_data(seed=1)[0]["image"], _data(seed=2)[0]["image"])
    source = ProceduralSource(9, size=(96, 96))  # of another ratio, so that backgrounds are cut
    first, second = (
        MattingDataset(source, size=SIZE, seed=seed, length=1, views="none")[0] for seed in (1, 2)
    )
    assert all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("size", [SIZE, (40, 48)])
def test_validation_items_are_whole_and_unaltered(size: tuple[int, int]) -> None:
    source = ProceduralSource(9, size=SIZE)
    data = MattingDataset(source, size=size, seed=1, length=20, views="none")
    for index in (0, 7, 19):
        sample, whole = data.sample(index), fit(source[index], size)
        np.testing.assert_array_equal(sample.alpha, to_float(whole.alpha))
        assert sample.foreground is not None and sample.background is not None
        np.testing.assert_array_equal(sample.foreground, to_float(whole.colours))
        expected = to_float(cover(source.background(index), size=size))
        np.testing.assert_array_equal(sample.background, expected)
    if size == SIZE:
        np.testing.assert_array_equal(data.sample(7).alpha, to_float(source[7].alpha))


def test_validation_trimaps_have_the_fixed_dilation() -> None:
    sample = _data(views="none").sample(2)
    np.testing.assert_array_equal(
        sample.trimap, fixed_trimap(sample.alpha, dilation=VALIDATION_DILATION)
    )


def test_random_streams_of_different_keys_differ() -> None:
    draws = {rng_for(*key).random() for key in [(0, 0), (0, 1), (1, 0), (0, 0, 0), (0, 0, 1)]}
    assert len(draws) == 5
    assert rng_for(3, 4).random() == rng_for(3, 4).random()


# --- a user's folder -------------------------------------------------------------------------


def _write(folder: Path, *names: str, size: tuple[int, int] = (48, 56), channels: int = 1) -> None:
    for k, name in enumerate(names):
        shape = size if channels == 1 else (*size, channels)
        picture = np.random.default_rng(k).integers(0, 256, shape, np.uint8)
        folder.mkdir(parents=True, exist_ok=True)
        write_image(folder / name, picture)


def _folder(path: Path, *, colours: str = "foreground") -> Path:
    _write(path / "alpha", "cat.png", "dog.png")
    _write(path / colours, "cat.png", "dog.png", channels=3)
    return path


def _open(path: Path) -> FolderSource:
    return FolderSource(path, seed=0, size=(64, 64))


@pytest.mark.parametrize("name", ["foreground", "fg"])
def test_foregrounds_are_composited(tmp_path: Path, name: str) -> None:
    source = _open(_folder(tmp_path, colours=name))
    assert source.count == 2 and source[0].foreground is not None
    item = MattingDataset(source, size=SIZE, seed=0, length=5)[4]
    expected = item["alpha"] * item["foreground"] + (1 - item["alpha"]) * item["background"]
    assert (item["image"] - expected).abs().max() <= 1e-6


def test_photographs_are_taken_as_they_are(tmp_path: Path) -> None:
    source = _open(_folder(tmp_path, colours="image"))
    data = MattingDataset(source, size=(48, 56), seed=0, length=2, views="none")
    assert data[0].keys() == {"image", "alpha", "trimap"}
    image = source[0].image
    assert image is not None
    np.testing.assert_array_equal(data[0]["image"].numpy(), to_float(image).transpose(2, 0, 1))
    assert data.sample(0).foreground is None


def test_a_drawn_trimap_is_used(tmp_path: Path) -> None:
    _folder(tmp_path)
    (tmp_path / "trimap").mkdir()
    drawn = np.zeros((48, 56), np.uint8)
    drawn[:, 20:30], drawn[:, 30:] = 128, 255
    write_image(tmp_path / "trimap" / "dog.png", drawn)
    data = MattingDataset(_open(tmp_path), size=(48, 56), seed=0, length=2, views="none")
    np.testing.assert_array_equal(data.sample(1).trimap, drawn)


def test_own_backgrounds_meet_every_matte(tmp_path: Path) -> None:
    _folder(tmp_path)
    _write(tmp_path / "background", "beach.png", "street.png", channels=3)
    source = _open(tmp_path)
    pairs = {(k % 2, source.background(k).tobytes()) for k in range(8)}
    assert len(pairs) == 4


def test_missing_parts_of_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no data folder"):
        _open(tmp_path / "absent")
    with pytest.raises(UsageError, match="alpha/"):
        _open(tmp_path)
    _write(tmp_path / "alpha", "cat.png")
    with pytest.raises(UsageError, match="neither foreground/ nor image/"):
        _open(tmp_path)


def test_files_without_partner_are_named(tmp_path: Path) -> None:
    _folder(tmp_path)
    _write(tmp_path / "alpha", "owl.png")
    _write(tmp_path / "trimap", "fox.png")
    with pytest.raises(UsageError, match="fox, owl"):
        _open(tmp_path)


def test_hidden_files_are_no_pictures(tmp_path: Path) -> None:
    (_folder(tmp_path) / "alpha" / "._cat.png").write_bytes(b"left by a Mac")
    assert _open(tmp_path).count == 2


def test_a_second_pass_over_a_folder_brings_new_views(tmp_path: Path) -> None:
    data = MattingDataset(_open(_folder(tmp_path)), size=(32, 32), seed=0, length=4)
    assert not torch.equal(data[0]["alpha"], data[2]["alpha"])
    assert torch.equal(data[2]["alpha"], data[2]["alpha"])


def test_two_files_of_one_stem_are_refused(tmp_path: Path) -> None:
    _folder(tmp_path)
    _write(tmp_path / "foreground", "cat.jpg", channels=3)
    with pytest.raises(UsageError, match=r"both cat\.jpg and cat\.png"):
        _open(tmp_path)


@pytest.mark.parametrize("part", ["foreground", "trimap"])
def test_sizes_that_differ_are_refused_by_name(tmp_path: Path, part: str) -> None:
    _folder(tmp_path)
    _write(tmp_path / part, "cat.png", size=(48, 57), channels=3)
    with pytest.raises(ImageError, match=rf"{part}.*cat\.png is 57 x 48 px but .*56 x 48 px"):
        _open(tmp_path)


def test_a_source_is_opened_by_name(tmp_path: Path) -> None:
    portraits = open_data(DataSection(kinds="portrait"), seed=0, size=SIZE)
    assert isinstance(portraits, ProceduralSource) and portraits.kinds == PORTRAIT_KINDS
    folder = str(_folder(tmp_path))
    assert open_data(DataSection(source=folder), seed=0, size=SIZE).count == 2
