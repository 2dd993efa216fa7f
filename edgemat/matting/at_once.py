"""The whole picture through a network at once, as the papers of released networks have it.

``resize``: the picture is resized to a size that the network takes, and the alpha back; cubic both
ways, the trimap by its nearest pixels. ``pad``: it keeps its resolution and is continued by its own
reflection to the right and below.

A network in torch takes any size that is a multiple of its stride: the next larger one is made. A
file takes one size: pictures are resized to that, or padded to that if they are no larger.
"""

from __future__ import annotations

import numpy as np

from edgemat.artifacts.feeding import Feeding
from edgemat.errors import UsageError
from edgemat.images import F32, U8, resize
from edgemat.matting.predictor import AnySizePredictor, Predictor

MAX_PIXELS = 1 << 22
"""Of what a network in torch is given at once: released ones take up to 2 KB of memory a pixel."""


def next_size(size: tuple[int, int], predictor: Predictor) -> tuple[int, int]:
    """Return the (height, width) that a picture of `size` is brought to.

    Raises
    ------
    UsageError
        When it has more pixels than a network can be given at once.
    """
    feeding = predictor.feeding
    if not (isinstance(predictor, AnySizePredictor) and predictor.any_size):
        return feeding.height, feeding.width
    height, width = (-(-side // feeding.stride) * feeding.stride for side in size)
    if height * width > MAX_PIXELS:
        raise UsageError(
            f"The picture is {size[1]} x {size[0]} px, and this network sees all of it at once: at "
            f"most {MAX_PIXELS / 1e6:.0f} million pixels.",
            remedy="Scale it down first, or import the network with --fit tiles.",
        )
    return height, width


def matte_resized(image: U8, trimap: U8 | None, predictor: Predictor) -> F32:
    """Return the alpha of a picture that is resized to what the network takes.

    Parameters
    ----------
    trimap:
        HxW, for a network with four channels; else None.
    """
    height, width = image.shape[:2]
    wanted = next_size((height, width), predictor)
    small = resize(image, wanted, method="bicubic")
    known = None if trimap is None else resize(trimap, wanted, method="nearest")
    alpha = predictor.predict(_input(small, known, predictor.feeding))[0, ..., 0]
    return resize(alpha, (height, width), method="bicubic")


def can_pad(size: tuple[int, int], predictor: Predictor) -> bool:
    """Return whether a picture of (height, width) is no larger than what the model takes."""
    wanted = next_size(size, predictor)
    return size[0] <= wanted[0] and size[1] <= wanted[1]


def matte_padded(image: U8, trimap: U8 | None, predictor: Predictor) -> F32:
    """Return the alpha of a picture that is continued to what the network takes.

    Parameters
    ----------
    image:
        HxWx3, of which :func:`can_pad` holds.
    trimap:
        As for :func:`matte_resized`.
    """
    height, width = image.shape[:2]
    wanted = next_size((height, width), predictor)
    after = ((0, wanted[0] - height), (0, wanted[1] - width))
    whole = np.pad(image, (*after, (0, 0)), mode="reflect")
    known = None if trimap is None else np.pad(trimap, after, mode="reflect")
    alpha = predictor.predict(_input(whole, known, predictor.feeding))[0, ..., 0]
    return alpha[:height, :width].copy()


def _input(image: U8, trimap: U8 | None, feeding: Feeding) -> F32:
    planes = image if trimap is None else np.dstack([image, trimap])
    x: F32 = planes[None].astype(np.float32) * np.float32(feeding.scale)
    return x
