"""RMat's operations on colours, in the three categories of section 5.4.2 of the thesis.

An operation is drawn first and applied then, so that one draw can be applied to several pictures.
``linear`` ones act on each pixel as a I + b (or exchange its channels): drawn once, applied to the
foreground and to the background, they give the composite that they would make of the composite
(eq. 5.2); drawn for each apart, they still give a composite (eq. 5.3). ``nonlinear`` ones act on
each pixel, too, but not so; ``region`` ones mix pixels. Both break the equation on a composite.

Pictures are HxWx3 float32 RGB in 0..1; what is applied may leave that range, and is clipped by
whoever stores it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Literal

import numpy as np
from PIL import Image, ImageOps
from scipy.ndimage import gaussian_filter

from edgemat.images import F32, resize, to_float, to_uint8

Category = Literal["linear", "nonlinear", "region"]
PixelChange = Callable[[F32], F32]
Distortion = Callable[[F32, np.random.Generator], PixelChange]
"""Draws a change that suits a picture."""


def contrast(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Stretch around the picture's own mean."""
    mean, factor = picture.mean(), np.float32(rng.uniform(0.6, 1.5))
    return lambda x: (x - mean) * factor + mean


def brightness(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Add a constant."""
    shift = np.float32(rng.uniform(-0.2, 0.2))
    return lambda x: x + shift


def invert_channels(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Invert some channels."""
    inverted = rng.random(3) < 0.5
    return lambda x: np.where(inverted, 1 - x, x).astype(np.float32)


def shuffle_channels(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Let the channels change places."""
    order = rng.permutation(3)
    return lambda x: x[..., order]


def multiply(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Multiply each channel."""
    gain = rng.uniform(0.6, 1.4, size=3).astype(np.float32)
    return lambda x: x * gain


def noise(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Add Gaussian noise."""
    drawn = rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(0.005, 0.04))
    return lambda x: x + drawn


def dropout(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Let some pixels be black."""
    share = rng.random(picture.shape[:2]), rng.uniform(0.01, 0.05)
    kept = (share[0] >= share[1])[..., None].astype(np.float32)
    return lambda x: x * kept


def poisson(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Add the noise of counted light: its variance is the picture's brightness."""
    photons = rng.uniform(200, 2000)
    counted = rng.poisson(np.clip(picture, 0, 1) * photons) / photons
    drawn = (counted - np.clip(picture, 0, 1)).astype(np.float32)
    return lambda x: x + drawn


def salt_and_pepper(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Let some pixels be white and some black."""
    share, draw = rng.uniform(0.005, 0.03), rng.random(picture.shape[:2])
    kept = (draw >= share)[..., None].astype(np.float32)
    salt = (draw < share / 2)[..., None].astype(np.float32)
    return lambda x: x * kept + salt


def clouds(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Lay clouds before the picture: white, as thick as noise of four octaves says."""
    height, width = picture.shape[:2]
    field = np.zeros((height, width), np.float32)
    for octave in range(4):
        cells = 2 ** (octave + 1)
        coarse = rng.random((cells + 1, cells + 1), np.float32)
        field += resize(coarse, (height, width)) / 2**octave
    low, high = field.min(), field.max()
    thick = (field - low) / max(high - low, np.float32(1e-6)) * np.float32(rng.uniform(0.2, 0.6))
    return _before(thick)


def snow(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Lay flakes of snow before the picture."""
    drawn = rng.random(picture.shape[:2]) < rng.uniform(0.001, 0.01)
    flakes = gaussian_filter(drawn.astype(np.float32), rng.uniform(0.5, 1.5))
    thick = flakes / max(float(flakes.max()), 1e-6) * rng.uniform(0.5, 0.9)
    return _before(thick.astype(np.float32))


def gamma(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Raise to a power."""
    exponent = np.float32(2.0 ** rng.uniform(-0.8, 0.8))
    return lambda x: np.power(np.clip(x, 0, 1), exponent, dtype=np.float32)


def hue_and_saturation(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Turn the hue and scale the saturation."""
    turn, factor = np.uint8(rng.integers(0, 40) - 20 & 255), rng.uniform(0.5, 1.5)

    def changed(x: F32) -> F32:
        hsv = np.array(Image.fromarray(to_uint8(x)).convert("HSV"))
        hsv[..., 0] += turn
        hsv[..., 1] = np.clip(hsv[..., 1] * factor, 0, 255)
        return to_float(np.array(Image.fromarray(hsv, "HSV").convert("RGB")))

    return changed


def equalise(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Equalise the histogram of each channel."""
    return lambda x: to_float(np.array(ImageOps.equalize(Image.fromarray(to_uint8(x)))))


def soften(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Halve the resolution and back: a lens out of focus, or a picture that was enlarged."""
    height, width = picture.shape[:2]
    factor = rng.uniform(1.3, 2.5)
    small = (max(1, round(width / factor)), max(1, round(height / factor)))

    def changed(x: F32) -> F32:
        image = Image.fromarray(to_uint8(x)).resize(small, Image.Resampling.BILINEAR)
        return to_float(np.array(image.resize((width, height), Image.Resampling.BILINEAR)))

    return changed


def blur(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Blur by a Gaussian."""
    sigma = rng.uniform(0.5, 2.0)
    return lambda x: gaussian_filter(x, (sigma, sigma, 0), mode="nearest")


def jpeg(picture: F32, rng: np.random.Generator) -> PixelChange:
    """Write as JPEG and read again."""
    quality = int(rng.integers(25, 85))

    def changed(x: F32) -> F32:
        buffer = io.BytesIO()
        Image.fromarray(to_uint8(x)).save(buffer, "JPEG", quality=quality)
        return to_float(np.array(Image.open(buffer)))

    return changed


def _before(thick: F32) -> PixelChange:
    """Lay white before a picture, HxW thick in 0..1."""
    return lambda x: x * (1 - thick[..., None]) + thick[..., None]


OPERATIONS: Mapping[Category, tuple[Distortion, ...]] = MappingProxyType(
    {
        "linear": (
            contrast,
            brightness,
            invert_channels,
            shuffle_channels,
            multiply,
            noise,
            poisson,
            dropout,
            clouds,
            snow,
            salt_and_pepper,
        ),
        "nonlinear": (gamma, hue_and_saturation, equalise),
        "region": (blur, jpeg),
    }
)
"""All that section 5.4.2 and its figure list."""
