"""A second look: a coarse matte, whoever drew it, becomes a trimap, and the trimap network's matte.

Portrait networks see a photograph at 288 px or less. Where their matte is unsure, round hair and
edges, the trimap network looks again at full resolution; elsewhere the coarse matte is right.
"""

from __future__ import annotations

import numpy as np

from edgemat.callbacks import Progress
from edgemat.errors import ImageError
from edgemat.images import F32, FOREGROUND, U8, UNKNOWN, resize
from edgemat.matting.matte import ModelLike, matte, require_shape
from edgemat.matting.unknown import trimap_of_matte


def refine(
    image: U8,
    coarse: F32,
    *,
    model: ModelLike | None = None,
    progress: Progress | None = None,
) -> F32:
    """Return the matte of a photograph, from a coarse one of it.

    >>> import edgemat
    >>> from edgemat.images import read_image
    >>> from edgemat.matting.refine import refine
    >>> image = read_image("photo.jpg")
    >>> alpha = refine(image, edgemat.matte(image))
    >>> alpha.shape == image.shape[:2]
    True

    Parameters
    ----------
    image:
        HxWx3 uint8 RGB.
    coarse:
        A matte in 0..1, HxW float32 of the picture's aspect ratio, in any resolution: a portrait
        network's, ML Kit's, Vision's.
    model:
        A trimap network; by default the shipped one. See :func:`edgemat.matting.matte.matte`.
    progress:
        Called after every tile.

    Raises
    ------
    UsageError, ImageError, ArtifactError, MissingToolError
        As :func:`edgemat.matting.matte.matte`; also for a coarse matte that is none.
    """
    trimap = trimap_of_coarse(coarse, image.shape[:2])
    return look_again(image, trimap, model=model, progress=progress)


def look_again(
    image: U8, trimap: U8, *, model: ModelLike | None = None, progress: Progress | None = None
) -> F32:
    """Return the matte of a photograph by the trimap that a coarse one suggests.

    Parameters and errors as of :func:`refine`; `trimap` as :func:`trimap_of_coarse` gives it.
    """
    if not (trimap == UNKNOWN).any():  # nobody is in the picture, or nothing else
        sure: F32 = (trimap == FOREGROUND).astype(np.float32)
        return sure
    return matte(image, trimap, model=model, progress=progress)


def trimap_of_coarse(coarse: F32, size: tuple[int, ...]) -> U8:
    """Return what a coarse matte leaves open in its picture of `size` (height, width).

    Raises
    ------
    ImageError, UsageError
        As :func:`fit_coarse`.
    """
    return trimap_of_matte(fit_coarse(coarse, size))


def fit_coarse(coarse: F32, size: tuple[int, ...]) -> F32:
    """Return a coarse matte in the size (height, width) of its picture.

    Raises
    ------
    ImageError
        When it is no HxW array of numbers in 0..1.
    UsageError
        The aspect ratios differ by more than 2 %, as of one that was turned, cropped or stretched.
    """
    if coarse.ndim != 2 or coarse.dtype != np.float32 or coarse.size == 0:
        raise ImageError(
            f"A coarse matte is HxW float32, not {coarse.dtype} of shape {coarse.shape}.",
            remedy="Read it with edgemat.images.read_grey, or take a portrait model's.",
        )
    if not (np.isfinite(coarse).all() and coarse.min() >= 0 and coarse.max() <= 1):
        raise ImageError(
            "A coarse matte lies in 0..1, and this one does not.", remedy="Divide it by 255."
        )
    remedy = "Turn, crop or scale it as the picture is."
    require_shape(coarse.shape, size, name="mask", remedy=remedy)
    height, width = size
    fitted: F32 = resize(coarse, (height, width), method="bilinear")
    return fitted
