"""Changes of colour and quality that leave the alpha matte as it is.

RMat (thesis, section 5.4) shows what keeps a network trained on composites from learning the
composites: foreground and background are changed each for themselves *before* they meet (AF and
AFB), which obeys the compositing equation. What a camera does to the finished picture follows here
as :func:`photograph`. All functions take and return HxWx3 float32 RGB in 0..1.
"""

from __future__ import annotations

import numpy as np

from edgemat.data.operations import (
    Distortion,
    brightness,
    contrast,
    dropout,
    equalise,
    gamma,
    hue_and_saturation,
    invert_channels,
    jpeg,
    multiply,
    noise,
    shuffle_channels,
    soften,
)
from edgemat.images import F32

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
    return _clip(kinds[int(rng.integers(len(kinds)))](picture, rng)(picture))


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
        picture = gamma(picture, rng)(picture)
    if rng.random() < 0.08:
        picture = np.repeat(picture.mean(axis=2, keepdims=True), 3, axis=2)
    if rng.random() < 0.12:
        picture = soften(picture, rng)(picture)
    if rng.random() < 0.3:
        picture = noise(picture, rng)(picture)
    if rng.random() < 0.2:
        picture = jpeg(picture, rng)(picture)
    return _clip(picture)


def _clip(picture: F32) -> F32:
    clipped: F32 = np.clip(picture, 0, 1).astype(np.float32, copy=False)
    return clipped


# Those that the views of trimaps and people have; `edgemat.data.strong` has all.
_LINEAR: tuple[Distortion, ...] = (
    contrast,
    brightness,
    invert_channels,
    shuffle_channels,
    multiply,
    noise,
    dropout,
)
_NONLINEAR: tuple[Distortion, ...] = (gamma, hue_and_saturation, equalise)
_REGION: tuple[Distortion, ...] = (soften, jpeg)
