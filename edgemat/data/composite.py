"""The compositing equation, and two foregrounds merged into one."""

from __future__ import annotations

import numpy as np

from edgemat.data.sample import Matte, snap_alpha
from edgemat.images import F32


def composite(foreground: F32, background: F32, *, alpha: F32) -> F32:
    """Return I = alpha F + (1 - alpha) B (thesis eq. 1.1).

    Parameters
    ----------
    foreground, background:
        HxWx3 float32 RGB in 0..1.
    alpha:
        HxW float32 in 0..1.
    """
    weight = alpha[..., None]
    return weight * foreground + (1 - weight) * background


def merge(front: Matte, back: Matte) -> Matte:
    """Lay one matte over another of the same size, as A2U's training does.

    alpha = 1 - (1 - a1)(1 - a2) and F = (a1 F1 + (1 - a1) a2 F2) / alpha. Where alpha is 0 the
    front's colours are kept, so that F stays defined everywhere.
    """
    weight_front = front.alpha
    weight_back = (1 - front.alpha) * back.alpha
    alpha = weight_front + weight_back
    premultiplied = weight_front[..., None] * front.colours + weight_back[..., None] * back.colours
    covered = alpha > 0
    colours = premultiplied / np.where(covered, alpha, 1)[..., None]
    foreground = np.where(covered[..., None], colours, front.colours)
    return Matte(alpha=snap_alpha(alpha), foreground=np.clip(foreground, 0, 1).astype(np.float32))
