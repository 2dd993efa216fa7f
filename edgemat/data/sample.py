"""Matting samples, the protocol of their sources, and the seeds of their randomness.

Networks take RGB in 0..1 as it is, without mean and standard deviation (the ImageNet statistics
are folded into the first convolution), and the trimap as trimap / 255 (0, 0.50196, 1).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from edgemat.images import F32, U8

Use = Literal["auto", "image", "foreground"]
"""The colours of a folder to take; "auto" prefers the foreground."""
DatasetPart = Literal["all", "train", "held-out"]
"""The mattes of a folder to take: "held-out" is a tenth, never trained on, "train" the others."""


@dataclass(frozen=True)
class Matte:
    """An alpha matte with the colours that belong to it, as stored: 8 bit, before compositing.

    Exactly one of `foreground` and `image` is given.

    Attributes
    ----------
    alpha:
        HxW uint8, 255 opaque.
    foreground:
        HxWx3 uint8 RGB, defined also where alpha is 0.
    image:
        HxWx3 uint8 RGB: a photograph whose foreground and background are not known.
    trimap:
        HxW uint8 in {0, 128, 255} drawn by a person, or None to make one from alpha.
    ignore_below:
        Share of a view, 0..1, below which a part of the matte teaches nothing.
    """

    alpha: U8
    foreground: U8 | None = None
    image: U8 | None = None
    trimap: U8 | None = None
    ignore_below: float = 0.0

    @property
    def colours(self) -> U8:
        """The foreground where it is known, else the photograph."""
        colours = self.image if self.foreground is None else self.foreground
        if colours is None:
            raise ValueError("a Matte needs a foreground or an image")
        return colours


@dataclass(frozen=True)
class Sample:
    """One training or test sample: I = alpha F + (1 - alpha) B (thesis eq. 1.1).

    Attributes
    ----------
    image, foreground, background:
        HxWx3 float32 RGB in 0..1. Foreground and background are None for a photograph whose
        layers are not known; the composition loss is then left out.
    alpha:
        HxW float32 in 0..1.
    trimap:
        HxW uint8 in {0, 128, 255}.
    ignored:
        HxW bool, where nothing is learned; None where all is.
    pseudo:
        Whether the picture was changed so that nobody knows its matte; None where none ever is.
    """

    image: F32
    alpha: F32
    trimap: U8
    foreground: F32 | None
    background: F32 | None
    ignored: NDArray[np.bool_] | None = None
    pseudo: bool | None = None


class MatteSource(Protocol):
    """A place mattes come from. Every method is a pure function of the index."""

    @property
    def count(self) -> int | None:
        """The number of mattes; None for endlessly many."""

    def __getitem__(self, index: int) -> Matte: ...

    def background(self, index: int) -> U8:
        """Return an HxWx3 uint8 RGB background of any size."""


def rng_for(seed: int, *key: int) -> np.random.Generator:
    """Return the generator that belongs to `seed` and `key`, independent of all other keys.

    No generator is shared, so nothing depends on the order of calls or on the worker.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
