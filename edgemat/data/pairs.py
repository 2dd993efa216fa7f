"""Pictures with a class or a depth for every pixel: read, and varied for training.

They are those of the thesis' other tasks, segmentation (section 3.6.3) and depth (3.6.4), laid out
as :mod:`edgemat.data.layouts.pictures` says. torchvision moves a picture and its truth alike:
colours are interpolated, classes and depths are not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2
from torchvision.transforms.v2 import functional as move

from edgemat.data.layouts.pictures import NO_CLASS, PAIR_SETS, PairSet
from edgemat.errors import ImageError, UsageError
from edgemat.images import PIXEL_SCALE, read_image
from edgemat.images.decode import load
from edgemat.images.labels import VOID, numbers_of
from edgemat.models.info import Task

MILLIMETRES = 1000.0
SCALES = 0.5, 2.0
"""Of segmentation's random scaling; the thesis does not say which it took."""
CROP = 320
"""Side of segmentation's random crops, px (section 3.6.3)."""
# FastDepth's own: pictures of 250 px, turned and enlarged; their middle is brought to a square
_DEPTH_HEIGHT, _DEPTH_MIDDLE = 250, (228, 304)
DEPTH_SIDE = 224
"""Side of the squares that depth is told of, px."""
_TURN, _ENLARGED = 5.0, 1.5
_REMEDY = "Give a grey or palette PNG."


@dataclass(frozen=True)
class Pair:
    """A picture and its truth.

    Attributes
    ----------
    image:
        3,H,W float32 in 0..1.
    truth:
        H,W int64 classes from 0, :data:`~edgemat.data.layouts.pictures.NO_CLASS` where nothing is
        labelled; or H,W float32 metres, 0 where nothing was measured.
    """

    image: Tensor
    truth: Tensor


@dataclass(frozen=True)
class PairFiles:
    """Where the pictures of a set lie: train and test, pairs of a picture and its truth."""

    layout: PairSet
    train: tuple[tuple[Path, Path], ...]
    test: tuple[tuple[Path, Path], ...]


def find_pairs(task: Task, folder: Path) -> PairFiles:
    """Return the pictures of a folder in the layout of one of the sets for a task.

    Raises
    ------
    UsageError
        When it is laid out as none of them, or a picture has no partner.
    """
    sets = {name: one for name, one in PAIR_SETS.items() if one.task == task}
    for one in sets.values():
        inside, _ = one.parts["train"]
        if (folder / inside).is_dir():
            parts = {
                part: tuple((image, truth) for image, truth in pairs.values() if truth is not None)
                for part, pairs in one.find(folder).items()
            }
            return PairFiles(one, parts["train"], parts["test"])
    raise UsageError(
        f"{folder} is laid out as no set for {task} that edgemat knows.",
        remedy=f"See `edgemat data layouts`: {' or '.join(sets)}.",
    )


def read_classes(path: Path, count: int) -> Tensor:
    """Read a PNG of class numbers, 1 to `count`, 0 (or 255) for none, as H,W int64 from 0.

    Raises
    ------
    ImageError
        When it cannot be read, has colours, or has a number above `count`.
    """
    numbers = numbers_of(load(path), path, what="class numbers", remedy=_REMEDY).astype(np.int64)
    if count < VOID:
        numbers[numbers == VOID] = 0
    if numbers.max() > count:
        raise ImageError(
            f"{path} has the class {numbers.max()}; the set has {count}.",
            remedy="Give class numbers from 1, and 0 where nothing is labelled.",
        )
    return torch.from_numpy(np.where(numbers == 0, NO_CLASS, numbers - 1))


def read_depth(path: Path) -> Tensor:
    """Read a 16-bit PNG of millimetres, 0 for none, as H,W float32 in metres.

    Raises
    ------
    ImageError
        When it cannot be read, or is no 16-bit grey picture.
    """
    millimetres = numbers_of(load(path), path, what="depths", remedy=_REMEDY)
    if millimetres.dtype.itemsize == 1:
        raise ImageError(
            f"{path} has 8 bits; depths are millimetres in 16.", remedy="Save it as 16-bit PNG."
        )
    return torch.from_numpy(millimetres.astype(np.float32) / MILLIMETRES)


def read_pair(image: Path, truth: Path, read_truth: Callable[[Path], Tensor]) -> Pair:
    """Read a picture and its classes or depths.

    Raises
    ------
    ImageError
        When one cannot be read, or they differ in size.
    """
    pair = Pair(read_picture(image), read_truth(truth))
    if pair.image.shape[-2:] != pair.truth.shape:
        (height, width), (h, w) = pair.image.shape[-2:], pair.truth.shape
        raise ImageError(
            f"{image} has {width} x {height} px, {truth} {w} x {h}.",
            remedy="Give it a truth of its own size; `edgemat data check` finds all others.",
        )
    return pair


def read_picture(path: Path) -> Tensor:
    """Read a photograph as 3,H,W float32 in 0..1; raises as `edgemat.images.read_image` does."""
    pixels = torch.from_numpy(read_image(path)).permute(2, 0, 1)
    return pixels.contiguous().float() * float(PIXEL_SCALE)


def vary_classes(pair: Pair, *, seed: int, side: int = CROP) -> Pair:
    """Scale, crop and mirror a picture and its classes at random (section 3.6.3).

    Parameters
    ----------
    side:
        Of the square that is cut out, px; what is smaller is filled up, unlabelled.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        low, high = SCALES
        scale = low + (high - low) * float(torch.rand(()))
        height, width = (max(1, round(size * scale)) for size in pair.truth.shape)
        varied = v2.Compose(
            [
                v2.Resize((height, width), antialias=True),
                v2.RandomCrop(
                    side, pad_if_needed=True, fill={tv_tensors.Mask: NO_CLASS, "others": 0}
                ),
                v2.RandomHorizontalFlip(),
            ]
        )(tv_tensors.Image(pair.image), tv_tensors.Mask(pair.truth))
    return _plain(*varied)


def vary_depth(pair: Pair, *, seed: int, side: int = DEPTH_SIDE) -> Pair:
    """Turn, enlarge and mirror a picture and its depths at random, as FastDepth does.

    What is enlarged s times is s times as near.

    Parameters
    ----------
    side:
        Of the square that both become, px.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        turn, enlarge, mirror = torch.rand(3).tolist()
    scale = 1 + (_ENLARGED - 1) * enlarge
    image, truth = tv_tensors.Image(pair.image), tv_tensors.Mask(pair.truth / scale)
    moved = []
    for one in (image, truth):
        one = move.rotate(
            _shrunk(one), _TURN * (2 * turn - 1), interpolation=v2.InterpolationMode.BILINEAR
        )  # a mask's values are taken as they are, whatever is asked for
        one = move.resize(one, [round(length * scale) for length in one.shape[-2:]], antialias=True)
        one = move.horizontal_flip(one) if mirror < 0.5 else one
        moved.append(_middle(one, side))
    return _plain(*moved)


def frame_depth(pair: Pair, *, side: int = DEPTH_SIDE) -> Pair:
    """Return what depth is judged by: the middle of a picture, side x side."""
    image, truth = tv_tensors.Image(pair.image), tv_tensors.Mask(pair.truth)
    return _plain(_middle(_shrunk(image), side), _middle(_shrunk(truth), side))


def _shrunk(one: Tensor) -> Tensor:
    height, width = one.shape[-2:]
    wide = round(width * _DEPTH_HEIGHT / height)
    shrunk: Tensor = move.resize(one, [_DEPTH_HEIGHT, wide], antialias=True)
    return shrunk


def _middle(one: Tensor, side: int) -> Tensor:
    cut = move.center_crop(one, list(_DEPTH_MIDDLE))
    square: Tensor = move.resize(cut, [side, side], antialias=True)
    return square


def _plain(image: Tensor, truth: Tensor) -> Pair:
    """Return tensors that are no longer torchvision's own kinds."""
    return Pair(image.as_subclass(Tensor), truth.as_subclass(Tensor))
