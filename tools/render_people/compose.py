"""From the two rendered passes to an un-premultiplied RGBA picture, in plain numpy."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from tools.render_people.assets import Array

SOLID = 0.30  # alpha from which a pixel's own colour is trusted fully
FAINT = 0.04  # alpha up to which the colour is taken from its neighbours


def finish(colour: Array, alpha: Array, exposure: float) -> NDArray[np.uint8]:
    """Return HxWx4 uint8 sRGB: foreground colour valid wherever alpha > 0.

    ``colour`` HxWx3 is linear and premultiplied, ``alpha`` HxW comes from its own noise-free pass.
    Colour is divided by alpha where alpha is large enough, and spread from there outwards.
    """
    alpha = np.clip(alpha, 0, 1)
    alpha = np.where(alpha < 1.5 / 255, 0.0, np.where(alpha > 1 - 1.5 / 255, 1.0, alpha))
    straight = np.clip(colour / np.maximum(alpha, 1e-3)[..., None], 0, 20)
    trust = np.clip((alpha - FAINT) / (SOLID - FAINT), 0, 1)
    spread = _spread(straight, trust)
    straight = trust[..., None] * straight + (1 - trust[..., None]) * spread
    straight = tone(straight * 2.0**exposure)
    straight[alpha == 0] = 0
    picture = np.concatenate([straight, alpha[..., None]], axis=2)
    return np.round(picture * 255).astype(np.uint8)


def tone(linear: Array) -> Array:
    """Map linear light to sRGB 0..1 with a soft shoulder above 0.7."""
    knee = 0.7
    over = np.maximum(linear - knee, 0)
    soft = np.where(linear > knee, knee + (1 - knee) * (1 - np.exp(-over / (1 - knee))), linear)
    curved: Array = np.where(
        soft <= 0.0031308, soft * 12.92, 1.055 * np.maximum(soft, 1e-9) ** (1 / 2.4) - 0.055
    )
    return np.clip(curved, 0, 1)


def _spread(colour: Array, weight: Array) -> Array:
    """Fill untrusted pixels from trusted ones: averages over ever larger blocks (pull, push)."""
    height, width = weight.shape
    if min(height, width) <= 1:
        return colour
    even = (height + height % 2, width + width % 2)
    pad = ((0, even[0] - height), (0, even[1] - width))
    weights = np.pad(weight, pad)
    colours = np.pad(colour, (*pad, (0, 0))) * weights[..., None]
    blocks = (even[0] // 2, 2, even[1] // 2, 2)
    total = weights.reshape(blocks).sum(axis=(1, 3))
    mean = colours.reshape(*blocks, 3).sum(axis=(1, 3)) / np.maximum(total, 1e-6)[..., None]
    coarse = _spread(mean, np.minimum(total, 1.0))
    share = np.minimum(total, 1.0)[..., None]
    filled = share * mean + (1 - share) * coarse
    wide = np.repeat(np.repeat(filled, 2, axis=0), 2, axis=1)
    return wide[:height, :width]
