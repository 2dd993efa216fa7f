"""A window of a picture under an affine map: turned, scaled, sheared and cut in one sampling."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from edgemat.data.sample import Matte
from edgemat.images import U8


@dataclass(frozen=True)
class Window:
    """Where a window looks: its centre in the picture, and how its offsets lie there.

    Attributes
    ----------
    centre:
        Row and column in the picture, px.
    matrix:
        2x2, from an offset (x, y) in the window to one in the picture.
    side:
        Height and width of the window, px.
    """

    centre: tuple[float, float]
    matrix: NDArray[np.float64]
    side: int

    def view(self, matte: Matte) -> Matte:
        """Return the window's part of a matte: beyond the picture there is nobody.

        Colours go on there as at the edge.
        """
        return Matte(
            alpha=self.sample(matte.alpha, beyond="zeros"),
            foreground=None if matte.foreground is None else self.sample(matte.foreground),
            image=None if matte.image is None else self.sample(matte.image),
            trimap=None
            if matte.trimap is None
            else self.sample(matte.trimap, method="nearest", beyond="zeros"),
        )

    def sample(self, plane: U8, *, method: str = "bilinear", beyond: str = "border") -> U8:
        """Return the window of one plane, HxW or HxWxC uint8."""
        height, width = plane.shape[:2]
        offset = np.arange(self.side) - (self.side - 1) / 2
        x, y = np.meshgrid(offset, offset)
        columns = self.centre[1] + self.matrix[0, 0] * x + self.matrix[0, 1] * y
        rows = self.centre[0] + self.matrix[1, 0] * x + self.matrix[1, 1] * y
        # a large picture is not converted whole, only what is looked at
        top, bottom = _span(rows, height)
        left, right = _span(columns, width)
        cut = plane[top:bottom, left:right]
        grid = np.stack(  # from pixel centres to -1..1
            [
                (2 * (columns - left) + 1) / (right - left) - 1,
                (2 * (rows - top) + 1) / (bottom - top) - 1,
            ],
            axis=-1,
        )
        channels = cut[..., None] if cut.ndim == 2 else cut
        tensor = torch.from_numpy(np.ascontiguousarray(channels.transpose(2, 0, 1))).float()[None]
        found = F.grid_sample(
            tensor,
            torch.from_numpy(grid.astype(np.float32))[None],
            mode=method,
            padding_mode=beyond,
            align_corners=False,
        )
        window = found[0].round().clamp(0, 255).byte().numpy().transpose(1, 2, 0)
        return np.ascontiguousarray(window[..., 0] if plane.ndim == 2 else window)


def affine(
    *, degrees: float, scale: tuple[float, float], shear: float, mirrored: tuple[bool, bool]
) -> NDArray[np.float64]:
    """Return the 2x2 map from offsets (x, y) in a window to those in the picture.

    Parameters
    ----------
    scale:
        By which things get larger, across and down.
    shear:
        Degrees.
    mirrored:
        Across and down.
    """
    turn, lean = math.radians(degrees), math.tan(math.radians(shear))
    rotation = np.array([[math.cos(turn), -math.sin(turn)], [math.sin(turn), math.cos(turn)]])
    signs = [-1.0 if flip else 1.0 for flip in mirrored]
    sizes = np.diag([signs[0] / scale[0], signs[1] / scale[1]])
    matrix: NDArray[np.float64] = rotation @ np.array([[1.0, lean], [0.0, 1.0]]) @ sizes
    return matrix


def _span(places: NDArray[np.float64], length: int) -> tuple[int, int]:
    """Return first and last + 1 of the pixels that places between them need."""
    first = int(np.clip(math.floor(places.min()) - 1, 0, length - 1))
    last = int(np.clip(math.ceil(places.max()) + 2, first + 1, length))
    return first, last
