"""Tiny sets of mattes, each laid out as its authors hand theirs out."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from edgemat.data.layouts.table import MATTE_SETS
from edgemat.data.shard import write_shards
from edgemat.images import write_image

SIDE = 40
RNG = np.random.default_rng(0)


def photo(path: Path, side: int = SIDE) -> None:
    write_image(path, RNG.integers(0, 256, (side, side, 3), dtype=np.uint8))


def alpha(path: Path) -> None:
    """Half opaque, a quarter partial, a quarter transparent; no two alike."""
    values = np.zeros((SIDE, SIDE), np.uint8)
    values[: SIDE // 2], values[SIDE // 2 : 3 * SIDE // 4] = 255, 128
    values[SIDE // 2, :4] = RNG.integers(1, 255, 4)
    write_image(path, values)


def pairs(
    folder: Path, names: Iterable[str], colours: str, alphas: str, *, suffix: str = ""
) -> None:
    for name in names:
        photo(folder / colours / f"{name}.png")
        alpha(folder / alphas / f"{name}{suffix}.png")


def write_set(root: Path, layout: str) -> Path:
    """Write a set: a and b to train on, z to test; or z alone where all are for testing."""
    match layout:
        case "webdataset":
            folder = write_set(root / "folder", "own")
            write_shards(folder, root / "shards", megabytes=1)
            return root / "shards"
        case "own":
            pairs(root, "abz", "foreground", "alpha")
            (root / "held-out.txt").write_text("z\n")
        case "adobe":
            adobe = root / "Combined_Dataset"
            pairs(adobe / "Training_set" / "Adobe-licensed images", "a", "fg", "alpha")
            pairs(adobe / "Training_set" / "Other", "b", "fg", "alpha")
            pairs(adobe / "Test_set" / "Adobe-licensed images", "z", "fg", "alpha")
        case "distinctions-646":
            pairs(root / "Train", "ab", "FG", "GT")
            pairs(root / "Test", "z", "FG", "GT")
        case "simd":
            pairs(root / "train", "ab", "fg", "alpha")
            pairs(root / "test", "z", "fg", "alpha")
        case "aim-500":
            pairs(root, "z", "original", "mask")
        case "alphamatting":
            pairs(root, "z", "input_training_lowres", "gt_training_lowres")
        case "portrait-2k":
            pairs(root / "training", "ab", ".", ".", suffix="_matte")
            pairs(root / "testing", "z", ".", ".", suffix="_matte")
        case "p3m-10k":
            pairs(root / "train", "ab", "blurred_image", "mask")
            pairs(root / "validation" / "P3M-500-P", "y", "blurred_image", "mask")
            pairs(root / "validation" / "P3M-500-NP", "z", "original_image", "mask")
        case "ppm-100":
            pairs(root, "z", "image", "matte")
    return root


def write_whole_adobe(root: Path) -> Path:
    """Write as many foregrounds as Adobe's set has: `edgemat data check` misses none."""
    sizes = MATTE_SETS["adobe"].sizes
    for part, inside in (("train", "Training_set"), ("held-out", "Test_set")):
        names = [f"{part}{number}" for number in range(sizes[part])]
        pairs(root / "Combined_Dataset" / inside / "Adobe-licensed images", names, "fg", "alpha")
    return root
