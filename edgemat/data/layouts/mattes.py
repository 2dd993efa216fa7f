"""The published sets of mattes, laid out as their authors hand them out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from edgemat.data.layouts.files import MatteFiles
from edgemat.data.listing import pictures
from edgemat.errors import UsageError

ADOBE = """
    Training_set/Adobe-licensed images/fg, alpha
    Training_set/Other/fg, alpha
    Test_set/Adobe-licensed images/fg, alpha, trimaps (NAME_0.png to NAME_19.png)
    Test_set/test_bg_names.txt               20 names of Pascal VOC a foreground, in order
    (with or without Combined_Dataset/ above)"""
DISTINCTIONS = """
    Train/FG, GT
    Test/FG, GT"""
SIMD = """
    train/fg, alpha
    test/fg, alpha"""
AIM500 = """
    original/   photographs
    mask/       alpha mattes
    trimap/     drawn by people"""
ALPHAMATTING = """
    input_training_lowres/    27 photographs
    gt_training_lowres/       their alpha mattes
    trimap_training_lowres/Trimap1, Trimap2"""
PORTRAIT2K = """
    training/NAME.png, NAME_matte.png
    testing/NAME.png, NAME_matte.png"""
P3M10K = """
    train/blurred_image, mask
    validation/P3M-500-P/blurred_image, mask, trimap
    validation/P3M-500-NP/original_image, mask, trimap"""
PPM100 = """
    image/ (or val/fg, fg)       photographs
    matte/ (or val/matte)        alpha mattes"""

Files = dict[str, Path]


def adobe(path: Path) -> MatteFiles:
    """Return Adobe Image Matting: 431 foregrounds, and the 50 of Composition-1k held out."""
    root = path / "Combined_Dataset" if (path / "Combined_Dataset").is_dir() else path
    training = [root / "Training_set" / name for name in ("Adobe-licensed images", "Other")]
    test = root / "Test_set" / "Adobe-licensed images"
    return _foregrounds(path, training, [test], fg="fg", alpha="alpha")


def distinctions(path: Path) -> MatteFiles:
    """Return Distinctions-646: 596 foregrounds, 50 of them for testing beside."""
    return _foregrounds(path, [path / "Train"], [path / "Test"], fg="FG", alpha="GT")


def simd(path: Path) -> MatteFiles:
    """Return SIMD, semantic image matting: foregrounds to train on and others to test."""
    return _foregrounds(path, [path / "train"], [path / "test"], fg="fg", alpha="alpha")


def aim500(path: Path) -> MatteFiles:
    """Return AIM-500: 500 photographs, all of them for testing."""
    alphas = pictures(path / "mask")
    return MatteFiles(
        _needed(alphas, path / "mask"),
        pictures(path / "original"),
        has_layers=False,
        trimaps=pictures(path / "trimap"),
        held_out=frozenset(alphas),
    )


def alphamatting(path: Path) -> MatteFiles:
    """Return the 27 training photographs of alphamatting.com; those of its test have no truth."""
    return MatteFiles(
        _needed(pictures(path / "gt_training_lowres"), path / "gt_training_lowres"),
        pictures(path / "input_training_lowres"),
        has_layers=False,
        trimaps=pictures(path / "trimap_training_lowres" / "Trimap1"),
        held_out=frozenset(pictures(path / "gt_training_lowres")),
    )


def portrait2k(path: Path) -> MatteFiles:
    """Return Portrait-2k: 1,700 photographs, and 300 for testing."""
    alphas: Files = {}
    colours: Files = {}
    held_out: set[str] = set()
    for part in ("training", "testing"):
        found = pictures(path / part)
        mattes = {n.removesuffix("_matte"): f for n, f in found.items() if n.endswith("_matte")}
        photos = {
            n: f for n, f in found.items() if not n.endswith("_matte") and not n.endswith("_trimap")
        }
        _join(alphas, mattes, path)
        _join(colours, photos, path)
        held_out |= mattes.keys() if part == "testing" else set()
    return MatteFiles(
        _needed(alphas, path / "training"), colours, has_layers=False, held_out=frozenset(held_out)
    )


def p3m10k(path: Path) -> MatteFiles:
    """Return P3M-10k: 9,421 photographs with blurred faces; P3M-500-P and -NP held out."""
    tests = path / "validation"
    parts = (
        (path / "train", "blurred_image"),
        (tests / "P3M-500-P", "blurred_image"),
        (tests / "P3M-500-NP", "original_image"),
    )
    alphas: Files = {}
    colours: Files = {}
    trimaps: Files = {}
    held_out: set[str] = set()
    for folder, photos in parts:
        found = pictures(folder / "mask")
        _join(alphas, found, path)
        _join(colours, pictures(folder / photos), path)
        _join(trimaps, pictures(folder / "trimap"), path)
        held_out |= found.keys() if folder.parent == tests else set()
    alphas = _needed(alphas, path / "train" / "mask")
    return MatteFiles(alphas, colours, False, trimaps, held_out=frozenset(held_out))


def ppm100(path: Path) -> MatteFiles:
    """Return PPM-100: 100 photographs, all of them for testing."""
    alphas, colours = (
        next((found for name in names if (found := pictures(path / name))), {})
        for names in (("matte", "val/matte"), ("image", "fg", "val/fg", "val/image"))
    )
    return MatteFiles(
        _needed(alphas, path / "matte"), colours, has_layers=False, held_out=frozenset(alphas)
    )


def _foregrounds(
    path: Path, training: Iterable[Path], tests: Iterable[Path], *, fg: str, alpha: str
) -> MatteFiles:
    alphas: Files = {}
    colours: Files = {}
    held_out: set[str] = set()
    for folders, is_test in ((training, False), (tests, True)):
        for folder in folders:
            found = pictures(folder / alpha)
            _join(alphas, found, path)
            _join(colours, pictures(folder / fg), path)
            held_out |= found.keys() if is_test else set()
    return MatteFiles(
        _needed(alphas, next(iter(training)) / alpha), colours, held_out=frozenset(held_out)
    )


def _join(into: Files, more: Mapping[str, Path], path: Path) -> None:
    twice = sorted(into.keys() & more.keys())
    if twice:
        raise UsageError(
            f"In {path} two parts have a picture {twice[0]}: {into[twice[0]]} and "
            f"{more[twice[0]]}.",
            remedy="A foreground is in one part alone; take it out of the training.",
        )
    into.update(more)


def _needed(found: Files, where: Path) -> Files:
    if not found:
        raise UsageError(
            f"There are no alpha mattes in {where}.",
            remedy="`edgemat data layouts` shows how each set is laid out.",
        )
    return found
