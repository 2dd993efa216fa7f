"""Mattes of photographs of any size, from a finished artefact or by a classical method.

The light install is enough for .tflite files; a float artefact is run through torch.
"""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import ArtifactLike, default_model
from edgemat.callbacks import Progress
from edgemat.errors import ArtifactError, ImageError, PictureWarning, UsageError
from edgemat.images import (
    BACKGROUND,
    F32,
    FOREGROUND,
    MAX_SIDE,
    MIN_SIDE,
    U8,
    UNKNOWN,
    resize,
    to_float,
)
from edgemat.matting.at_once import can_pad, matte_padded, matte_resized
from edgemat.matting.classical import METHODS, solve_alpha
from edgemat.matting.guided import guided_upsample
from edgemat.matting.predict import load_predictor
from edgemat.matting.predictor import Predictor
from edgemat.matting.tiling import Letterbox, tile_axis

ASPECT_TOLERANCE = 0.02
"""The largest difference of a trimap's aspect ratio from the picture's, relative."""

ModelLike = ArtifactLike | Predictor


def matte(
    image: U8,
    trimap: U8 | None = None,
    *,
    model: ModelLike | None = None,
    progress: Progress | None = None,
) -> F32:
    """Return the alpha matte of a photograph of any size.

    >>> import edgemat
    >>> from edgemat.images import read_image
    >>> image = read_image("photo.jpg")
    >>> alpha = edgemat.matte(image)
    >>> alpha.shape == image.shape[:2], alpha.dtype
    (True, dtype('float32'))

    A portrait model sees the whole picture at once, fitted into the model's size with its
    aspect ratio kept and its edges repeated. A guided filter takes the alpha back to full size,
    so that strands follow the picture. A trimap, if given, overwrites the known pixels.

    A trimap model sees the picture at its own resolution, in overlapping tiles of the model's
    size that are blended smoothly. Only tiles that touch the unknown region are run; known
    pixels are taken from the trimap. A picture smaller than a tile is continued by its edge.

    An imported network is fed as its paper does, which its manifest calls `fit`: the whole picture,
    resized or padded by reflection; see :mod:`edgemat.matting.at_once`.

    A classical method solves the whole picture, see :mod:`edgemat.matting.classical`.

    Parameters
    ----------
    image:
        HxWx3 uint8 RGB, 32 to 12,000 px on each side.
    trimap:
        uint8: 0 background, 255 foreground, anything between unknown. One of another size is
        resized (nearest) where its aspect ratio agrees with the picture's within 2 %.
    model:
        An artefact, its folder, a .tflite file, the result of :func:`load_predictor`, the name of a
        shipped model, or of a classical method, "closed-form" or "knn". By default the shipped
        int8 file for a photograph with a trimap, or without one.
    progress:
        Called after every run of the model.

    Returns
    -------
    numpy.ndarray
        HxW float32 in 0..1.

    Raises
    ------
    UsageError
        A trimap model without a trimap, a trimap of another shape than the picture, or one that
        a classical method cannot use.
    ImageError
        The image or the trimap has an impossible shape, data type or size.
    ArtifactError
        The model cannot be loaded or run.
    MissingToolError
        A package that the model needs is not installed.
    """
    _check_image(image)
    if trimap is not None:
        trimap = fit_trimap(trimap, image.shape[:2])
        _say_what_is_odd(trimap)
        if not (trimap == UNKNOWN).any():
            return to_float(trimap)
    if isinstance(model, str) and model in METHODS:
        return solve_alpha(image, _given(trimap), method=model)
    if model is None:
        model = default_model(needs_trimap=trimap is not None)
    predictor = load_predictor(model) if isinstance(model, Artifact | Path | str) else model
    alpha = matte_as_fed(image, trimap, predictor, progress)
    if not np.isfinite(alpha).all():
        raise ArtifactError(
            "The model gives values that are not finite.",
            remedy="Its weights or its conversion are broken: make the file anew.",
        )
    np.clip(alpha, 0, 1, out=alpha)
    if trimap is not None:
        alpha[trimap == BACKGROUND] = 0
        alpha[trimap == FOREGROUND] = 1
    return alpha


def _say_what_is_odd(trimap: U8) -> None:
    """Warn of a trimap that leaves nothing, or everything, to be found."""
    unknown = trimap == UNKNOWN
    if (trimap == BACKGROUND).all():
        text = "The trimap is all background: nothing of the picture will be left."
    elif not unknown.any():
        text = "The trimap has no unknown pixels, so that no model is asked: it is the matte."
    elif unknown.all():
        text = "The trimap is unknown everywhere: the model has nothing to go by."
    elif not (trimap == FOREGROUND).any():
        text = "The trimap has no foreground: the matte may be empty."
    else:
        return
    warnings.warn(text, PictureWarning, stacklevel=3)


def fit_trimap(trimap: U8, size: tuple[int, ...]) -> U8:
    """Return a trimap of `size` = (height, width) in {0, 128, 255}; see :func:`matte`.

    Raises
    ------
    ImageError
        Not an HxW uint8 array.
    UsageError
        The aspect ratios differ by more than 2 %.
    """
    if trimap.ndim != 2 or trimap.dtype != np.uint8 or trimap.size == 0:
        raise ImageError(
            f"A trimap is HxW uint8, not {trimap.dtype} of shape {trimap.shape}.",
            remedy="Read it with edgemat.images.read_trimap.",
        )
    remedy = "Draw the trimap on the picture itself, and crop or turn both alike."
    require_shape(trimap.shape, size, name="trimap", remedy=remedy)
    height, width = size
    trimap = resize(trimap, (height, width), method="nearest")
    trimap[(trimap != BACKGROUND) & (trimap != FOREGROUND)] = UNKNOWN
    return trimap


def require_shape(own: tuple[int, ...], size: tuple[int, ...], *, name: str, remedy: str) -> None:
    """Check that what is called `name` has a picture's aspect ratio, within 2 %.

    Parameters
    ----------
    own, size:
        (height, width) of it, and of the picture.

    Raises
    ------
    UsageError
        Otherwise: it was turned, cropped or stretched.
    """
    (own_height, own_width), (height, width) = own, size
    stretch = (own_width / own_height) / (width / height)
    if abs(stretch - 1) > ASPECT_TOLERANCE:
        raise UsageError(
            f"The {name} is {own_width} x {own_height} px but the picture {width} x {height} px: "
            "another shape.",
            remedy=remedy,
        )


def _given(trimap: U8 | None) -> U8:
    if trimap is None:
        raise UsageError(
            "This model needs a trimap and none was given.",
            remedy="Give one with trimap=... or --trimap T.png (black background, grey unknown, "
            "white foreground), or take a portrait model.",
        )
    return trimap


def matte_as_fed(
    image: U8, trimap: U8 | None, predictor: Predictor, progress: Progress | None = None
) -> F32:
    """Bring the picture to the model's input in the way that its feeding names, the alpha back.

    Parameters
    ----------
    image, trimap:
        HxWx3, and HxW in {0, 128, 255}.

    Returns
    -------
    numpy.ndarray
        HxW float32 as the model gives it: :func:`matte` clips it, and knows what the trimap knows.

    Raises
    ------
    UsageError
        A trimap model without a trimap, or a picture too large to be seen at once.
    """
    feeding = predictor.feeding
    seen = _given(trimap) if feeding.channels == 4 else None
    match feeding.fitting:
        case "letterbox":
            alpha = _matte_whole(image, predictor)
        case "resize":
            alpha = matte_resized(image, seen, predictor)
        case "pad" if can_pad((image.shape[0], image.shape[1]), predictor):
            alpha = matte_padded(image, seen, predictor)
        case _:
            return _matte_tiles(image, seen, predictor, progress)
    if progress is not None:
        progress(1, 1)
    return alpha


def _matte_whole(image: U8, predictor: Predictor) -> F32:
    """Run a portrait model on the whole picture at once."""
    size = image.shape[0], image.shape[1]
    fit = Letterbox.fit(size, (predictor.feeding.height, predictor.feeding.width))
    small = fit.scale(image).astype(np.float32) * np.float32(predictor.feeding.scale)
    alpha = fit.crop(predictor.predict(fit.pad(small)[None])[0, ..., 0])
    if fit.enlarges:
        return resize(alpha, size, method="bilinear")
    return guided_upsample(alpha, small, image)


def _matte_tiles(
    image: U8, trimap: U8 | None, predictor: Predictor, progress: Progress | None = None
) -> F32:
    """Run a model on the tiles that touch the unknown region, or on all, and blend them.

    The weights of all tiles over a pixel add up to 1, and every tile over an unknown pixel
    touches the unknown region, so that unknown pixels need no normalisation.
    """
    feeding = predictor.feeding
    height, width = image.shape[:2]
    short = ((0, max(0, feeding.height - height)), (0, max(0, feeding.width - width)))
    if any(after for _, after in short):
        image = np.pad(image, (*short, (0, 0)), mode="edge")
        trimap = None if trimap is None else np.pad(trimap, short, mode="edge")
    tiles = [
        (down, across)
        for down in tile_axis(image.shape[0], feeding.height)
        for across in tile_axis(image.shape[1], feeding.width)
        if trimap is None or (trimap[down.slice, across.slice] == UNKNOWN).any()
    ]
    alpha = np.zeros(image.shape[:2], np.float32)
    for done, (down, across) in enumerate(tiles, start=1):
        place = down.slice, across.slice
        planes = image[place] if trimap is None else np.dstack([image[place], trimap[place]])
        x = planes.astype(np.float32) * np.float32(feeding.scale)
        weights = down.weights[:, None] * across.weights
        alpha[place] += weights * predictor.predict(x[None])[0, ..., 0]
        if progress is not None:
            progress(done, len(tiles))
    return alpha[:height, :width]


def _check_image(image: U8) -> None:
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 3:
        raise ImageError(
            f"An image is HxWx3 uint8, not {image.dtype} of shape {image.shape}.",
            remedy="Read it with edgemat.images.read_image.",
        )
    if min(image.shape[:2]) < MIN_SIDE or max(image.shape[:2]) > MAX_SIDE:
        raise ImageError(
            f"The image is {image.shape[1]} x {image.shape[0]} px; each side must have "
            f"{MIN_SIDE} to {MAX_SIDE:,} px.",
            remedy="Take a larger picture, or scale it down first.",
        )
