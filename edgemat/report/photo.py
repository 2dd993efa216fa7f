"""The real photograph at the end of a run: cut out, on a new background, with depth of field."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from edgemat.artifacts.artifact import Artifact
from edgemat.data.listing import pictures
from edgemat.errors import MissingToolError, UsageError
from edgemat.files import explain_os_errors
from edgemat.images import U8, read_image, resize, write_image
from edgemat.matting.foreground import blur_background, cut_out, replace_background
from edgemat.matting.matte import matte
from edgemat.progress import track

PHOTO, ALPHA, CUTOUT = "photo.png", "alpha.png", "cutout.png"
BACKGROUND, BLUR = "background.png", "blur.png"
PICTURES = (PHOTO, ALPHA, CUTOUT, BACKGROUND, BLUR)
BLUR_RADIUS = 12.0
ALBUM = "album.jpg"
ALBUM_WIDTH, ALBUM_COLUMNS, ALBUM_GAP = 2000, 4, 6  # px; photographs in a row; px between them
PAPER = (70, 120, 90)


def make_pictures(photo: str | Path, model: Artifact, folder: Path) -> None:
    """Write the photograph and what `model` makes of it into `folder`.

    Parameters
    ----------
    photo:
        "astronaut", which scikit-image brings (NASA, public domain), or a file.
    """
    image = load_photo(photo)
    alpha = matte(image, model=model)
    with explain_os_errors(folder):
        write_image(folder / PHOTO, image)
        write_image(folder / ALPHA, alpha)
        write_image(folder / CUTOUT, cut_out(image, alpha))
        write_image(folder / BACKGROUND, replace_background(image, alpha, _sky(image.shape[:2])))
        write_image(folder / BLUR, blur_background(image, alpha, BLUR_RADIUS))


def make_album(photographs: Path, model: Artifact, folder: Path) -> None:
    """Write a sheet of all photographs of a folder beside their cut-outs to FOLDER/album.jpg.

    Raises
    ------
    UsageError
        When there are none.
    """
    files = list(pictures(photographs).values())
    if not files:
        raise UsageError(f"{photographs} has no pictures.", remedy="Name a folder of photographs.")
    pairs = []
    for file in track(files, "album", len(files)):
        image = read_image(file)
        paper = np.broadcast_to(np.array(PAPER, np.uint8), image.shape)
        pairs.append(
            np.hstack([image, replace_background(image, matte(image, model=model), paper)])
        )
    rows = [_row(row) for row in _level(pairs, rows=math.ceil(len(pairs) / ALBUM_COLUMNS))]
    write_image(folder / ALBUM, np.vstack(rows))


def _level(pictures: list[U8], *, rows: int) -> list[list[U8]]:
    """Deal pictures into rows that are about equally wide at the same height."""
    dealt: list[list[U8]] = [[] for _ in range(rows)]
    for picture in sorted(pictures, key=_aspect, reverse=True):
        min(dealt, key=lambda row: sum(map(_aspect, row))).append(picture)
    return dealt


def _row(pictures: list[U8]) -> U8:
    """Return pictures side by side, as high as makes them ALBUM_WIDTH wide."""
    height = round(ALBUM_WIDTH / sum(map(_aspect, pictures)))
    small = [resize(one, (height, max(1, round(height * _aspect(one))))) for one in pictures]
    row = resize(np.hstack(small), (height, ALBUM_WIDTH))  # widths were rounded
    return np.pad(row, ((0, ALBUM_GAP), (0, 0), (0, 0)), constant_values=255)


def _aspect(picture: U8) -> float:
    height, width = picture.shape[:2]
    return float(width / height)


def load_photo(photo: str | Path) -> U8:
    """Return "astronaut" or a file as HxWx3 uint8."""
    if photo != "astronaut":
        return read_image(Path(photo))
    try:
        from skimage import data
    except ImportError as error:
        raise MissingToolError(
            "The photograph of the astronaut comes with scikit-image, which is not installed.",
            remedy='Run: pip install "edgemat[report]", or name a file as `photo` in the recipe.',
        ) from error
    image: U8 = data.astronaut()
    return image


def _sky(size: tuple[int, ...]) -> U8:
    """Return a vertical gradient from blue to a warm horizon."""
    ramp = np.linspace(0, 1, size[0], dtype=np.float32)[:, None, None]
    top, bottom = np.array([70, 110, 170], np.float32), np.array([245, 205, 170], np.float32)
    rows = top * (1 - ramp) + bottom * ramp
    return np.broadcast_to(rows, (size[0], size[1], 3)).astype(np.uint8)
