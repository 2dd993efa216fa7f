"""Pictures and their classes or depths are read as they are meant, and are moved alike."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from toy_pairs import CLASS_COLOURS, write_classes, write_depths

from edgemat.data.layouts.pictures import NO_CLASS
from edgemat.data.pairs import (
    Pair,
    find_pairs,
    frame_depth,
    read_classes,
    read_depth,
    read_pair,
    read_picture,
    vary_classes,
    vary_depth,
)
from edgemat.errors import ImageError, UsageError


def class_pair(root: Path) -> Pair:
    image, truth = find_pairs("segmentation", write_classes(root)).train[1]
    return Pair(read_picture(image), read_classes(truth, 37))


def depth_pair(root: Path) -> Pair:
    image, truth = find_pairs("depth", write_depths(root)).train[0]
    return Pair(read_picture(image), read_depth(truth))


def test_classes_count_from_0_and_nothing_is_no_class(tmp_path: Path) -> None:
    pair = class_pair(tmp_path)
    assert pair.image.shape == (3, 64, 64) and pair.truth.dtype == torch.int64
    assert pair.truth.unique().tolist() == [NO_CLASS, 0, 1]
    assert (pair.truth[:4] == NO_CLASS).all()


def test_depths_are_metres(tmp_path: Path) -> None:
    pair = depth_pair(tmp_path)
    assert pair.truth.dtype == torch.float32
    assert (pair.truth[0, 0], pair.truth[-1, 0], pair.truth[-1, -1]) == (0, 1, 3)


@pytest.mark.parametrize("seed", range(6))
def test_classes_stay_on_their_colours(seed: int, tmp_path: Path) -> None:
    """Away from edges, which are interpolated in the picture."""
    pair = class_pair(tmp_path)
    varied = vary_classes(pair, seed=seed, side=64)
    assert varied.image.shape == (3, 64, 64) and varied.truth.shape == (64, 64)
    assert type(varied.image) is torch.Tensor
    colours = torch.from_numpy(CLASS_COLOURS).float() / 255
    for number in (0, 1):
        inside = -torch.nn.functional.max_pool2d(
            -(varied.truth == number).float()[None], 5, stride=1, padding=2
        )
        shown = varied.image[:, inside[0] > 0]
        assert shown.numel()
        assert (shown - colours[number + 1][:, None]).abs().max() < 0.05
    assert torch.equal(vary_classes(pair, seed=seed, side=64).truth, varied.truth)


def test_small_pictures_are_filled_up_without_a_class(tmp_path: Path) -> None:
    found = [vary_classes(class_pair(tmp_path), seed=seed, side=160) for seed in range(8)]
    assert all((one.truth == NO_CLASS).float().mean() > 0.3 for one in found)
    assert len({tuple(one.truth.flatten().tolist()) for one in found}) > 1


@pytest.mark.parametrize("seed", range(6))
def test_depths_move_with_their_pictures_and_come_nearer(seed: int, tmp_path: Path) -> None:
    pair = depth_pair(tmp_path)
    varied = vary_depth(pair, seed=seed)
    assert varied.image.shape == (3, 224, 224) and varied.truth.shape == (224, 224)
    known = varied.truth > 0
    from_colour = 4 * (1 - varied.image[0][known])
    scale = (from_colour / varied.truth[known]).median()
    assert 1 <= scale <= 1.5
    share_alike = ((from_colour - scale * varied.truth[known]).abs() < 0.08).float().mean()
    assert share_alike > 0.95


def test_some_are_mirrored_and_some_are_not(tmp_path: Path) -> None:
    pair = depth_pair(tmp_path)
    truths = [vary_depth(pair, seed=seed).truth for seed in range(8)]
    assert {bool(truth[112, 20] < truth[112, 200]) for truth in truths} == {True, False}


def test_what_is_judged_is_as_it_was_measured(tmp_path: Path) -> None:
    framed = frame_depth(depth_pair(tmp_path))
    assert framed.truth.shape == (224, 224)
    assert framed.truth.max() <= 3 and framed.truth[framed.truth > 0].min() >= 1


def test_what_is_laid_out_otherwise_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no set for depth"):
        find_pairs("depth", tmp_path)
    write_classes(tmp_path)
    (tmp_path / "train/label/1.png").unlink()
    with pytest.raises(UsageError, match="no partner"):
        find_pairs("segmentation", tmp_path)


def test_truths_of_another_kind_are_refused(tmp_path: Path) -> None:
    write_classes(tmp_path)
    with pytest.raises(ImageError, match="class 2; the set has 1"):
        read_classes(tmp_path / "train/label/0.png", 1)
    with pytest.raises(ImageError, match="colours of mode RGB"):
        read_classes(tmp_path / "train/image/0.png", 37)
    with pytest.raises(ImageError, match="8 bits"):
        read_depth(tmp_path / "train/label/0.png")


def test_a_truth_of_another_size_is_refused_by_name(tmp_path: Path) -> None:
    image, _ = find_pairs("segmentation", write_classes(tmp_path)).train[0]
    small = tmp_path / "small.png"
    Image.fromarray(np.ones((40, 48), np.uint8)).save(small)
    with pytest.raises(ImageError, match=r"64 x 64 px, .*small\.png 48 x 40"):
        read_pair(image, small, partial(read_classes, count=37))


def test_the_void_of_few_classes_is_none(tmp_path: Path) -> None:
    path = tmp_path / "0.png"
    Image.fromarray(np.full((40, 40), 255, np.uint8)).save(path)
    assert (read_classes(path, 37) == NO_CLASS).all()
