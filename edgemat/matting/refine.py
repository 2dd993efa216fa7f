"""A second look: a coarse matte, whoever drew it, becomes a trimap, and the trimap network's matte.

Portrait networks see a photograph at 288 px or less. Where their matte is unsure, round hair and
edges, the trimap network looks again at full resolution; elsewhere the coarse matte is right.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt

from edgemat.errors import ImageError
from edgemat.images import BACKGROUND, F32, FOREGROUND, U8, UNKNOWN, resize
from edgemat.matting.matte import Model, Progress, matte

SURE_BELOW, SURE_ABOVE = 0.05, 0.95
REACH = 0.008
"""How far the unknown region goes beyond unsure pixels, of the picture's longer side."""
SOFT_REACH = 2
"""Times as far round what is soft over more than that reach: hair, fur, blur."""


def refine(
    image: U8,
    coarse: F32,
    *,
    model: Model | None = None,
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
        A matte in 0..1, HxW float32 of the same shape, in any resolution: a portrait network's, ML
        Kit's, Vision's.
    model:
        A trimap network; by default the shipped one. See :func:`edgemat.matting.matte.matte`.
    progress:
        Called after every tile.

    Raises
    ------
    UsageError, ImageError, ArtifactError, MissingToolError
        As :func:`edgemat.matting.matte.matte`; also for a coarse matte that is none.
    """
    trimap = propose_trimap(fit_coarse(coarse, image.shape[:2]))
    if not (trimap == UNKNOWN).any():  # nobody is in the picture, or nothing else
        sure: F32 = (trimap == FOREGROUND).astype(np.float32)
        return sure
    return matte(image, trimap, model=model, progress=progress)


def propose_trimap(alpha: F32) -> U8:
    """Return the trimap of a matte by its own uncertainty: HxW uint8 in {0, 128, 255}.

    Unknown is what lies within a reach of unsure pixels, of 5 to 95 %, and within twice that reach
    of pixels which are that far away from sure ones. The reach grows with the picture. Where a
    matte is hard, the edge lies between its two values; the frame's edge is none.
    """
    reach = max(1, round(REACH * max(alpha.shape)))
    trimap = np.where(alpha > SURE_ABOVE, FOREGROUND, BACKGROUND).astype(np.uint8)
    unsure = (alpha >= SURE_BELOW) & (alpha <= SURE_ABOVE)
    if not unsure.any():
        unsure = _steps(trimap)
    if not unsure.any():
        return trimap
    unknown = distance_transform_edt(~unsure) <= reach
    soft = unsure if unsure.all() else distance_transform_edt(unsure) > reach
    if soft.any():
        unknown |= distance_transform_edt(~soft) <= SOFT_REACH * reach
    trimap[unknown] = UNKNOWN
    return trimap


def fit_coarse(coarse: F32, size: tuple[int, ...]) -> F32:
    """Return a coarse matte in the size (height, width) of its picture.

    Raises
    ------
    ImageError
        When it is no HxW array of numbers in 0..1.
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
    height, width = size
    fitted: F32 = resize(coarse, (height, width), method="bilinear")
    return fitted


def _steps(trimap: U8) -> NDArray[np.bool_]:
    """Return the pixels that differ from one beside, above or below them."""
    steps: NDArray[np.bool_] = np.zeros(trimap.shape, bool)
    for axis in (0, 1):
        differs = np.diff(trimap, axis=axis) != 0
        before = [slice(None), slice(None)]
        after = [slice(None), slice(None)]
        before[axis], after[axis] = slice(None, -1), slice(1, None)
        steps[tuple(before)] |= differs
        steps[tuple(after)] |= differs
    return steps
