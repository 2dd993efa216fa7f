"""Small grey pictures: Fashion-MNIST or MNIST in its usual files, or a set that edgemat brings."""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edgemat.data.sections import PEOPLE
from edgemat.data.split import HOLD_OUT
from edgemat.errors import UsageError
from edgemat.images import U8, read_rgba, resize
from edgemat.npz import MAX_BYTES, NpzError, array_names, read_array

SIDE = 32  # the thesis enlarges 28 to 32
_IDX_MAGIC = b"\x00\x00\x08\x03"  # unsigned bytes in three dimensions
_FILES = {"train": "train-images-idx3-ubyte", "test": "t10k-images-idx3-ubyte"}
_ARRAYS = {"train": ("x_train", "train_images"), "test": ("x_test", "test_images")}


@dataclass(frozen=True)
class SmallPictures:
    """Pictures to learn from and others to be judged by: NxHxW uint8 each."""

    train: U8
    test: U8


def read_small_pictures(path: Path | None) -> SmallPictures:
    """Read Fashion-MNIST, or draw the built-in set.

    Parameters
    ----------
    path:
        A folder with train-images-idx3-ubyte and t10k-images-idx3-ubyte (or .gz), or an .npz with
        x_train and x_test (or train_images and test_images), or a folder with one such .npz and
        none of the others, or None for :func:`built_in`.

    Raises
    ------
    UsageError
        When a file is missing, damaged, or holds something else.
    """
    if path is None:
        return built_in()
    if not path.is_dir():
        return _read_npz(path)
    arrays = sorted(path.glob("*.npz"))
    if len(arrays) == 1 and not any(_idx_files(path, name) for name in _FILES.values()):
        return _read_npz(arrays[0])
    return SmallPictures(*(_read_idx(_find(path, name)) for name in _FILES.values()))


def built_in() -> SmallPictures:
    """Return 32x32 pictures of the rendered people that edgemat brings, on black.

    Like Fashion-MNIST's garments: bright silhouettes with folds. Each person gives a whole figure
    and quarters of it; every tenth person is for the test.
    """
    train: list[U8] = []
    test: list[U8] = []
    for number, file in enumerate(sorted(PEOPLE.glob("*.webp"))):
        colours, alpha = read_rgba(file)
        assert alpha is not None
        grey = (colours.mean(axis=2) * alpha).round().astype(np.uint8)
        height, width = (side // 2 for side in grey.shape)
        parts = [grey, *(grey[y:, x:][:height, :width] for y in (0, height) for x in (0, width))]
        small = [resize(part, (SIDE, SIDE), method="area") for part in parts if part.any()]
        (test if number % HOLD_OUT == HOLD_OUT - 1 else train).extend(small)
    return SmallPictures(np.stack(train), np.stack(test))


def _idx_files(folder: Path, name: str) -> list[Path]:
    return [file for file in (folder / name, folder / f"{name}.gz") if file.is_file()]


def _find(folder: Path, name: str) -> Path:
    found = _idx_files(folder, name)
    if not found:
        raise UsageError(
            f"{folder} has no {name} and no {name}.gz.",
            remedy="Name the folder with Fashion-MNIST's four idx files, or an .npz file.",
        )
    return found[0]


def _read_idx(path: Path) -> U8:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            content = file.read(MAX_BYTES)  # a few packed bytes may stand for gigabytes
    except (OSError, EOFError, zlib.error) as error:
        raise _damaged(path, str(error)) from error
    if content[:4] != _IDX_MAGIC or len(content) < 16:
        raise _damaged(path, "it is no idx file of pictures")
    count, height, width = np.frombuffer(content, ">u4", 3, offset=4).tolist()
    if len(content) != 16 + count * height * width:
        raise _damaged(path, f"{count} pictures of {width} x {height} px are not in it")
    return _checked(np.frombuffer(content, np.uint8, offset=16).reshape(count, height, width), path)


def _read_npz(path: Path) -> SmallPictures:
    try:
        found, arrays = [], array_names(path)
        for names in _ARRAYS.values():
            name = next((name for name in names if name in arrays), None)
            if name is None:
                raise UsageError(
                    f"{path} has no array {names[0]}.",
                    remedy="It must hold x_train and x_test, each N x 28 x 28 bytes.",
                )
            found.append(_checked(read_array(path, name), path))
    except FileNotFoundError as error:
        raise UsageError(
            f"There is no file or folder {path}.",
            remedy="Name Fashion-MNIST's folder of idx files or an .npz, or leave out --data.",
        ) from error
    except (OSError, NpzError) as error:
        raise _damaged(path, str(error)) from error
    return SmallPictures(*found)


def _checked(pictures: U8, path: Path) -> U8:
    if pictures.dtype != np.uint8 or pictures.ndim != 3 or min(pictures.shape[1:], default=0) < 8:
        raise UsageError(
            f"{path} holds {pictures.dtype} of shape {pictures.shape}.",
            remedy="Pictures are N x H x W bytes, 28 x 28 in Fashion-MNIST.",
        )
    if len(pictures) < 1:
        raise UsageError(f"{path} holds no pictures.", remedy="Fetch the data set again.")
    return pictures


def _damaged(path: Path, reason: str) -> UsageError:
    return UsageError(f"{path} cannot be read: {reason}.", remedy="Fetch the data set again.")
