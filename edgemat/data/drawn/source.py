"""A source of endless mattes that needs no file: objects and portraits, drawn by seed and index."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from edgemat.data.drawn import hair as hairs
from edgemat.data.drawn import meshes as meshes
from edgemat.data.drawn import plants as plants
from edgemat.data.drawn import soft as soft
from edgemat.data.drawn.portrait import STYLES, portrait, random_palette
from edgemat.data.drawn.textures import background_texture
from edgemat.data.sample import Matte, rng_for
from edgemat.errors import UsageError, nearest
from edgemat.images import F32, MIN_SIDE, U8, to_uint8

_OBJECTS: dict[str, Callable[[np.random.Generator, tuple[int, int]], tuple[F32, F32]]] = {
    "hair": hairs.hair,
    "fur": hairs.fur,
    "net": meshes.net,
    "leaves": plants.leaves,
    "translucent": soft.translucent,
    "blurred": soft.blurred,
    "grass": plants.grass,
    "yarn": hairs.yarn,
    "cutout": soft.cutout,
    "feather": hairs.feather,
    "lace": meshes.lace,
    "twigs": plants.twigs,
    "smoke": soft.smoke,
    "flowers": plants.flowers,
    "threads": meshes.threads,
}
OBJECT_KINDS = tuple(_OBJECTS)
PORTRAIT_KINDS = tuple(f"portrait-{style}" for style in STYLES)
ALL_KINDS = OBJECT_KINDS + PORTRAIT_KINDS

# Independent random streams of one index.
_MATTE, _BACKGROUND, _PALETTE = 0, 1, 2
_NEAR_COLOURS = 0.3  # share of backgrounds that take up a colour of the person before them


# Standard deviation of sensor noise, least and most.
GRAIN = (1 / 255, 3 / 255)


class ProceduralSource:
    """Mattes with exact alpha by construction, endless and without files.

    ``source[index]`` and ``source.background(index)`` are pure functions of (seed, size, kinds,
    index): neither the order of calls nor the worker matters.

    Parameters
    ----------
    seed:
        Two different seeds give unrelated pictures.
    size:
        (height, width) in pixels, each at least 32.
    kinds:
        Some of :data:`ALL_KINDS`; index i draws ``kinds[i % len(kinds)]``.

    Raises
    ------
    UsageError
        An unknown kind, no kind at all, or a side under 32 px.
    """

    count: int | None = None

    def __init__(
        self, seed: int, *, size: tuple[int, int] = (256, 256), kinds: tuple[str, ...] = ALL_KINDS
    ) -> None:
        for kind in kinds:
            if kind not in ALL_KINDS:
                raise UsageError(
                    f"There is no kind of matte named {kind!r}.", remedy=nearest(kind, ALL_KINDS)
                )
        if not kinds:
            raise UsageError("No kind of matte is given.", remedy="Known: " + ", ".join(ALL_KINDS))
        if min(size) < MIN_SIDE:
            raise UsageError(
                f"Mattes of {size[1]} x {size[0]} px are too small.",
                remedy=f"Use at least {MIN_SIDE} px a side.",
            )
        self.seed = seed
        self.size = size
        self.kinds = tuple(kinds)

    def kind(self, index: int) -> str:
        """Return the kind that `index` draws."""
        return self.kinds[index % len(self.kinds)]

    def __getitem__(self, index: int) -> Matte:
        """Return the matte of `index` >= 0, of this source's size, with its foreground."""
        kind = self.kind(index)
        rng = rng_for(self.seed, index, _MATTE)
        if kind in _OBJECTS:
            foreground, alpha = _OBJECTS[kind](rng, self.size)
        else:
            palette = random_palette(rng_for(self.seed, index, _PALETTE))
            style = kind.removeprefix("portrait-")
            foreground, alpha = portrait(rng, self.size, style=style, palette=palette)
        return Matte(to_uint8(alpha), foreground=_with_grain(rng, foreground))

    def background(self, index: int) -> U8:
        """Return the background of `index` >= 0, HxWx3 uint8 RGB."""
        rng = rng_for(self.seed, index, _BACKGROUND)
        near = None
        if self.kind(index) in PORTRAIT_KINDS and rng.uniform() < _NEAR_COLOURS:
            palette = random_palette(rng_for(self.seed, index, _PALETTE))
            near = [palette.skin, palette.hair, palette.cloth]
        return _with_grain(rng, background_texture(rng, self.size, near=near))


def _with_grain(rng: np.random.Generator, picture: F32) -> U8:
    """Add the noise of a camera's sensor, and store the picture in 8 bit.

    Drawn areas are perfectly smooth, as no photograph is. Neighbours that are all but equal would
    also leave it to rounding which of them max-pooling picks.
    """
    noise = rng.standard_normal(picture.shape, np.float32) * rng.uniform(*GRAIN)
    return to_uint8(picture + noise)
