"""Strangers' .tflite files: what their input and output mean, where nothing says it.

edgemat's own files take pixels in 0..1 and give alpha in 0..1. Others take 0..255, or pixels minus
a mean over a deviation, or bytes, and some give logits. A wrong guess makes a plausible but wrong
matte.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edgemat.errors import ArtifactError
from edgemat.images import F32, UNKNOWN
from edgemat.matting.runtime import TfliteModel

OUR_MARK = b"edgemat"
"""Name of the metadata that edgemat's files carry: they need no guess."""
STILL, MOVED = 0.02, 0.05
"""Deviations of an output: below, it does not react to a picture; above, it does."""
SLACK = 0.02
"""The distance that an alpha may lie outside of 0..1 by rounding."""


@dataclass(frozen=True)
class Convention:
    """The way to feed a file, ``(pixels * scale - mean) / std`` for pixels in 0..1, and its output.

    Attributes
    ----------
    scale:
        What white is before the mean is taken off: 1, or 255.
    mean, std:
        One number, or one for each of R, G and B, in units of `scale`.
    logits:
        The output is to go through a sigmoid.
    """

    scale: float = 1.0
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)
    logits: bool = False

    def feed(self, x: F32) -> F32:
        """Return what the file takes for `x`, 1,H,W,C float32 in 0..1; a trimap stays as it is."""
        mean, std = (np.array(values, np.float32) for values in (self.mean, self.std))
        colours = (x[..., :3] * np.float32(self.scale) - mean) / std
        fed: F32 = np.concatenate([colours, x[..., 3:]], axis=-1).astype(np.float32)
        return fed

    def read(self, y: F32) -> F32:
        """Return the alpha that the file's output means."""
        if not self.logits:
            return y
        return (1 / (1 + np.exp(-y.astype(np.float64)))).astype(np.float32)


def find_convention(model: TfliteModel) -> Convention:
    """Return how a .tflite file without a manifest is fed.

    An integer input says it by its quantization: its bytes are the picture's bytes. Of a float
    input it is seen whether 0..1 can be meant: a file made for 0..255 hardly reacts to it.

    Raises
    ------
    ArtifactError
        When it cannot be known; the remedy names the options to give.
    """
    span = model.input_span
    if span is not None:
        low, high = span
        return Convention(scale=high - low, mean=(-low,))
    if OUR_MARK in model.path.read_bytes():
        return Convention()
    picture = _picture(model.input_shape)
    answer, brighter = (_run(model, Convention(scale), picture) for scale in (1.0, 255.0))
    if answer.std() < STILL and brighter.std() > MOVED:
        raise ArtifactError(
            f"{model.path} hardly reacts to pixels in 0..1: it may take 0..255, or others.",
            remedy="Tell edgemat matte what it takes: --scale 255, or --mean and --std; insist by "
            "--scale 1.",
        )
    return Convention()


def require_alpha(model: TfliteModel, alpha: F32) -> None:
    """Refuse an output that is no alpha.

    Raises
    ------
    ArtifactError
        When it lies outside 0..1, or is not finite.
    """
    if not np.isfinite(alpha).all():
        raise ArtifactError(
            f"{model.path} gives values that are not finite.", remedy="Convert it again."
        )
    low, high = float(alpha.min()), float(alpha.max())
    if low < -SLACK or high > 1 + SLACK:
        raise ArtifactError(
            f"{model.path} gives values from {low:.3g} to {high:.3g}, not an alpha in 0..1.",
            remedy="If they are logits: edgemat matte --logits. Else its --scale, --mean and --std "
            "say what the file takes.",
        )


def _run(model: TfliteModel, convention: Convention, x: F32) -> F32:
    return model.run(np.ascontiguousarray(convention.feed(x)))


def _picture(shape: tuple[int, ...]) -> F32:
    """Return coarse random colours with a trimap that is unknown everywhere, always the same."""
    _, height, width, channels = shape
    coarse = np.random.default_rng(0).random((8, 8, 3), dtype=np.float32)
    tile = (-(-height // 8), -(-width // 8))
    colours = np.kron(coarse, np.ones((*tile, 1), np.float32))[:height, :width]
    trimap = np.full((height, width, channels - 3), np.float32(UNKNOWN / 255))
    picture: F32 = np.concatenate([colours, trimap], axis=-1)[None]
    return picture
