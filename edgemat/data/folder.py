"""A user's own mattes: folders of pictures whose files have the same names, or of cut-outs.

    FOLDER/alpha/        grey; required
           foreground/   (or fg/) colours of the foreground: composited over backgrounds, or
           image/        photographs, taken as they are
           trimap/       optional; made from alpha where it is missing
           background/   optional, with names of its own; procedural ones where it is missing

Files belong together by their stem: alpha/cat.png, foreground/cat.jpg, trimap/cat.png. Without
alpha/, the folder's own RGBA pictures (.png, .webp) are cut-outs: foreground and alpha in one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from edgemat.data.drawn.source import ProceduralSource
from edgemat.data.layouts.files import MatteFiles, StoredFile
from edgemat.data.layouts.table import DatasetLayout, find_mattes
from edgemat.data.listing import CUTOUT_SUFFIXES, pictures
from edgemat.data.sample import DatasetPart, Matte, Use
from edgemat.data.split import HELD_OUT_FILE, Split, split_names
from edgemat.errors import ImageError, UsageError
from edgemat.images import (
    U8,
    check_same_size,
    check_sizes,
    image_size,
    read_background,
    read_grey,
    read_rgba,
    read_trimap,
    to_uint8,
)

# Decoded pictures are kept up to this many bytes: decoding costs as much as augmentation.
CACHE_BYTES = 2 << 30
TRAIN: DatasetPart = "train"
HELD_OUT: DatasetPart = "held-out"


class FolderSource:
    """Mattes from a folder; see the module's text for its layout.

    Parameters
    ----------
    use:
        Which colours to take where the folder has both; "auto" prefers the foreground.
    part:
        "held-out" is a tenth of the mattes, "train" the others: see :mod:`edgemat.data.split`.
    ignore_below:
        Share of a view below which a part of a matte teaches nothing.
    layout:
        How the folder is laid out, if not as above: see :mod:`edgemat.data.layouts.table`.

    Raises
    ------
    UsageError
        When the folder or its alphas are missing, a picture has no partner, two pictures of
        one folder have the same stem, or its own split is wrong.
    ImageError
        When a file is no picture, or the sizes of the pictures of one matte differ.
    """

    def __init__(
        self,
        path: Path,
        *,
        seed: int,
        size: tuple[int, int],
        use: Use = "auto",
        part: DatasetPart = "all",
        ignore_below: float = 0.0,
        layout: DatasetLayout = "own",
    ) -> None:
        if not path.is_dir():
            raise UsageError(
                f"There is no data folder {path}.",
                remedy='Name a folder with alpha/ and foreground/ or image/, or "procedural".',
            )
        self.path, self.ignore_below = path, ignore_below
        files = find_mattes(path, layout=layout, use=use)
        self._alphas, self._colours, self._trimaps = files.alphas, files.colours, files.trimaps
        self._has_layers = files.has_layers
        self._stems = files_split(files, path).names(part)
        if not self._stems:
            raise UsageError(
                f"{path} has no mattes of the part {part!r}: {layout} holds all of its own out.",
                remedy='Write part = "held-out", or train on another set.',
            )
        _require_same_sizes(self._stems, files.alphas, files.colours, files.trimaps)
        self._backgrounds = files.backgrounds
        self._procedural = ProceduralSource(seed, size=size)
        self._cache: dict[int, Matte] = {}
        self._cached_bytes = 0
        self.count: int | None = len(self._stems)

    def __getitem__(self, index: int) -> Matte:
        """Return matte `index`, 0..count-1.

        Raises
        ------
        ImageError
            When a file is damaged, or a cut-out has no alpha channel.
        """
        if index in self._cache:
            return self._cache[index]
        matte = self._read(self._stems[index])
        size = sum(a.nbytes for a in (matte.alpha, matte.colours, matte.trimap) if a is not None)
        if self._cached_bytes + size <= CACHE_BYTES:
            self._cache[index] = matte
            self._cached_bytes += size
        return matte

    def name(self, index: int) -> str:
        """Return the name (the stem) of matte `index`."""
        return self._stems[index]

    def background(self, index: int) -> U8:
        """Return a background, HxWx3 uint8: the folder's own, else a procedural one.

        `index` may exceed the count of mattes: each further pass over them shifts the folder's
        backgrounds by one, so that every matte meets every background.
        """
        if not self._backgrounds:
            return self._procedural.background(index)
        turn, matte = divmod(index, len(self._stems))
        return read_background(self._backgrounds[(matte + turn) % len(self._backgrounds)])

    def _read(self, stem: str) -> Matte:
        alpha_file = self._alphas[stem]
        if not self._colours:
            colours, opacity = read_rgba(alpha_file)
            if opacity is None:
                raise ImageError(
                    f"{alpha_file} has no alpha channel.", remedy="A cut-out is an RGBA picture."
                )
            return Matte(to_uint8(opacity), foreground=colours)
        alpha = to_uint8(read_grey(alpha_file))
        if not alpha.any():
            raise ImageError(
                f"{alpha_file} is empty: no pixel is foreground.",
                remedy='Leave it out; for pictures without anyone, mix in source = "empty".',
            )
        colours, opacity = read_rgba(self._colours[stem])
        check_same_size(alpha, colours, names=(str(alpha_file), str(self._colours[stem])))
        if opacity is not None:  # what was erased already is no foreground
            alpha = np.minimum(alpha, to_uint8(opacity))
        trimap = None
        if stem in self._trimaps:
            trimap = read_trimap(self._trimaps[stem])
            check_same_size(alpha, trimap, names=(str(alpha_file), str(self._trimaps[stem])))
        if self._has_layers:
            return Matte(alpha, foreground=colours, trimap=trimap, ignore_below=self.ignore_below)
        return Matte(alpha, image=colours, trimap=trimap, ignore_below=self.ignore_below)


def folder_names(path: Path) -> list[str]:
    """Return the names of a folder's mattes, masks or photographs, without opening one."""
    inside = pictures(path / "alpha") or pictures(path / "mask")
    return list(inside or pictures(path, CUTOUT_SUFFIXES) or photographs_of(path))


def photographs_of(path: Path) -> dict[str, Path]:
    """Return the photographs of a folder without mattes by stem: of its image/, else its own."""
    return pictures(path / "image") or pictures(path)


def photographs_split(path: Path) -> Split:
    """Return how photographs without anyone are split: not at all but by a held-out.txt.

    A background is no foreground; only who keeps some back to judge by says so.
    """
    names = photographs_of(path)
    if (path / HELD_OUT_FILE).is_file():
        return split_names(names, path)
    return Split(tuple(sorted(names)), ())


def folder_split(path: Path, layout: DatasetLayout = "own") -> Split:
    """Return how the mattes of a folder are split, without opening one."""
    if layout == "own":
        return split_names(folder_names(path), path)
    return files_split(find_mattes(path, layout=layout), path)


def files_split(files: MatteFiles, path: Path) -> Split:
    """Return the set's own split, or edgemat's where it has none."""
    if files.held_out is None:
        return split_names(files.alphas, path)
    train = files.alphas.keys() - files.held_out
    return Split(tuple(sorted(train)), tuple(sorted(files.held_out)))


def _require_same_sizes(stems: Sequence[str], *folders: Mapping[str, StoredFile]) -> None:
    """Look at the headers now: a wrong size must not be found after an hour of training."""
    for stem in stems:
        files = [folder[stem] for folder in folders if stem in folder]
        sizes = [image_size(file) for file in files]
        for file, size in zip(files, sizes, strict=True):
            check_sizes(sizes[0], size, names=(str(files[0]), str(file)))
