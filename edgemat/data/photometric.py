"""Changes of colour and quality that leave the alpha matte as it is.

RMat (thesis, section 5.4) shows what keeps a network trained on composites from learning the
composites: foreground and background are changed each for themselves *before* they meet (AF and
AFB), which obeys the compositing equation. What a camera does to the finished picture follows here
as :func:`photograph`. All functions take and return HxWx3 float32 RGB in 0..1.
"""

from __future__ import annotations

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from edgemat.images import F32, to_float, to_uint8

Augmentation = Callable[[F32, np.random.Generator], F32]

# Shares of the kinds of augmentation in AF and AFB (thesis, appendix of chapter 5).
LINEAR_SHARE, NONLINEAR_SHARE = 0.8, 0.1


def augment_layers(
    foreground: F32, background: F32, rng: np.random.Generator, *, share: float = 0.25
) -> tuple[F32, F32]:
    """Change the layers of a composite before they meet: AF or AFB, each in `share` of all.

    AF changes the foreground alone, AFB foreground and background each by its own draw.
    """
    draw = rng.random()
    if draw < 2 * share:
        foreground = change(foreground, rng)
    if draw < share:
        background = change(background, rng)
    return foreground, background


def change(picture: F32, rng: np.random.Generator) -> F32:
    """Apply one random augmentation of RMat: linear (0.8), nonlinear (0.1) or by region (0.1)."""
    draw = rng.random()
    if draw < LINEAR_SHARE:
        kinds = _LINEAR
    elif draw < LINEAR_SHARE + NONLINEAR_SHARE:
        kinds = _NONLINEAR
    else:
        kinds = _REGION
    return _clip(kinds[int(rng.integers(len(kinds)))](picture, rng))


def match_brightness(foreground: F32, background: F32, rng: np.random.Generator) -> F32:
    """Move the foreground's mean colour part of the way to the background's, as one light would."""
    strength = rng.uniform(0.0, 0.7)
    ratio = (background.mean(axis=(0, 1)) + 0.05) / (foreground.mean(axis=(0, 1)) + 0.05)
    return _clip(foreground * np.clip(ratio, 0.4, 2.0) ** strength)


def photograph(picture: F32, rng: np.random.Generator) -> F32:
    """Take the finished picture with a random camera: light, white balance, focus, noise, JPEG."""
    gain = rng.uniform(0.75, 1.25) * rng.uniform(0.9, 1.1, size=3)
    shift = rng.uniform(-0.08, 0.08)
    picture = np.clip(picture * gain.astype(np.float32) + np.float32(shift), 0, 1)
    if rng.random() < 0.3:
        picture = _gamma(picture, rng)
    if rng.random() < 0.08:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.12:
        picture = _softer(picture, rng)
    if rng.random() < 0.3:
        picture = _noise(picture, rng)
    if rng.random() < 0.2:
        picture = _jpeg(picture, rng)
    return _clip(picture)


def _contrast(picture: F32, rng: np.random.Generator) -> F32:
    mean = picture.mean()
    stretched: F32 = (picture - mean) * np.float32(rng.uniform(0.6, 1.5)) + mean
    return stretched


def _brightness(picture: F32, rng: np.random.Generator) -> F32:
    return picture + np.float32(rng.uniform(-0.2, 0.2))


def _invert_channels(picture: F32, rng: np.random.Generator) -> F32:
    inverted = rng.random(3) < 0.5
    return np.where(inverted, 1 - picture, picture).astype(np.float32)


def _shuffle_channels(picture: F32, rng: np.random.Generator) -> F32:
    return picture[..., rng.permutation(3)]


def _multiply(picture: F32, rng: np.random.Generator) -> F32:
    return picture * rng.uniform(0.6, 1.4, size=3).astype(np.float32)


def _noise(picture: F32, rng: np.random.Generator) -> F32:
    noise = rng.standard_normal(picture.shape, np.float32)
    return picture + noise * np.float32(rng.uniform(0.005, 0.04))


def _dropout(picture: F32, rng: np.random.Generator) -> F32:
    kept = rng.random(picture.shape[:2]) >= rng.uniform(0.01, 0.05)
    return picture * kept[..., None].astype(np.float32)


def _gamma(picture: F32, rng: np.random.Generator) -> F32:
    exponent = np.float32(2.0 ** rng.uniform(-0.8, 0.8))
    return np.power(picture, exponent, dtype=np.float32)


def _hue_and_saturation(picture: F32, rng: np.random.Generator) -> F32:
    hsv = np.array(Image.fromarray(to_uint8(picture)).convert("HSV"))
    hsv[..., 0] += np.uint8(rng.integers(0, 40) - 20 & 255)
    hsv[..., 1] = np.clip(hsv[..., 1] * rng.uniform(0.5, 1.5), 0, 255)
    return to_float(np.array(Image.fromarray(hsv, "HSV").convert("RGB")))


def _equalise(picture: F32, rng: np.random.Generator) -> F32:
    from PIL import ImageOps

    return to_float(np.array(ImageOps.equalize(Image.fromarray(to_uint8(picture)))))


def _softer(picture: F32, rng: np.random.Generator) -> F32:
    """Halve the resolution and back: a lens out of focus, or a picture that was enlarged."""
    height, width = picture.shape[:2]
    factor = rng.uniform(1.3, 2.5)
    small = (max(1, round(width / factor)), max(1, round(height / factor)))
    image = Image.fromarray(to_uint8(picture)).resize(small, Image.Resampling.BILINEAR)
    return to_float(np.array(image.resize((width, height), Image.Resampling.BILINEAR)))


def _jpeg(picture: F32, rng: np.random.Generator) -> F32:
    buffer = io.BytesIO()
    Image.fromarray(to_uint8(picture)).save(buffer, "JPEG", quality=int(rng.integers(25, 85)))
    return to_float(np.array(Image.open(buffer)))


def _clip(picture: F32) -> F32:
    clipped: F32 = np.clip(picture, 0, 1).astype(np.float32, copy=False)
    return clipped


_LINEAR: tuple[Augmentation, ...] = (
    _contrast,
    _brightness,
    _invert_channels,
    _shuffle_channels,
    _multiply,
    _noise,
    _dropout,
)
_NONLINEAR: tuple[Augmentation, ...] = (_gamma, _hue_and_saturation, _equalise)
_REGION: tuple[Augmentation, ...] = (_softer, _jpeg)
