"""The compositing equation, and two foregrounds merged into one."""

from __future__ import annotations

import numpy as np

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


def merge(front: tuple[F32, F32], behind: tuple[F32, F32]) -> tuple[F32, F32]:
    """Return two foregrounds as one, the first before the second: A2U's augmentation.

    alpha = 1 - (1 - a1)(1 - a2), F = (a1 F1 + (1 - a1) a2 F2) / alpha.

    Parameters
    ----------
    front, behind:
        Colours HxWx3 and alpha HxW, float32 in 0..1.
    """
    (colours1, alpha1), (colours2, alpha2) = front, behind
    weight2 = (1 - alpha1) * alpha2
    alpha = alpha1 + weight2
    total = alpha1[..., None] * colours1 + weight2[..., None] * colours2
    # Where nothing shows, any colour will do.
    colours = np.where(alpha[..., None] > 0, total / np.maximum(alpha, 1e-6)[..., None], colours1)
    return colours.astype(np.float32), alpha
