"""One picture cut out: a file or a pipe in, a file or a pipe out."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from edgemat.errors import PictureWarning
from edgemat.images import (
    F32,
    U8,
    PictureFile,
    encode_image,
    read_grey,
    read_rgba,
    read_trimap,
    write_image,
)
from edgemat.matting.cutting import Cutter, Frame, cut
from edgemat.matting.refine import trimap_of_coarse
from edgemat.matting.unknown import trimap_of_matte


@dataclass(frozen=True)
class PictureSink:
    """Writes one picture, and the trimap that its matte suggests.

    Attributes
    ----------
    target:
        A file's name; in a pipe, of the format alone.
    pipe:
        Where the encoded picture goes instead of into a file.
    """

    target: Path
    trimap_out: Path | None = None
    pipe: BinaryIO | None = None

    def add(self, frame: Frame, picture: U8, alpha: F32) -> None:
        """Write it."""
        if self.trimap_out is not None:
            write_image(self.trimap_out, trimap_of_matte(alpha))
        if self.pipe is None:
            write_image(self.target, picture)
        else:
            self.pipe.write(encode_image(picture, self.target))
            self.pipe.flush()


def cut_picture(
    source: PictureFile,
    sink: PictureSink,
    cutter: Cutter,
    *,
    trimap: Path | None = None,
    mask: Path | None = None,
    progress: Callable[[float], None] = lambda done: None,
) -> bool:
    """Cut a picture out, by its trimap or mask if one is given; return whether a model was asked.

    Raises
    ------
    ImageError
        It, or its trimap or mask, cannot be read.
    UsageError
        The trimap has another shape, or the model needs one.
    DiskError
        The result cannot be written.
    """
    image, opacity = read_rgba(source)
    if opacity is not None and not opacity.any():
        _say(f"{source} is wholly transparent already: nothing of it will be left.")
    frame = Frame(
        image,
        opacity,
        trimap=None if trimap is None else read_trimap(trimap),
        suggested=None if mask is None else trimap_of_coarse(_read_mask(mask), image.shape[:2]),
    )
    cut([frame], cutter, sink, progress=progress)
    return frame.asks_model


def _read_mask(path: Path) -> F32:
    mask = read_grey(path)
    if not mask.any():
        _say(f"{path} is empty: nothing of the picture will be left.")
    return mask


def _say(text: str) -> None:
    warnings.warn(text, PictureWarning, stacklevel=3)
