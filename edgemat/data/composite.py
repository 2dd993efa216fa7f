"""The compositing equation, and two foregrounds merged into one."""

from __future__ import annotations

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
