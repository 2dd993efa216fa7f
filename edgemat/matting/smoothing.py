"""Mattes of a video, steadied over time."""

from __future__ import annotations

import numpy as np

from edgemat.errors import UsageError
from edgemat.images import F32, U8, resize, to_float

SMOOTHING = 0.3
"""Share of a video's matte that is the one before's, unless told otherwise; the apps' too."""
# A frame is compared with the one before at this size: small motions do not show there.
_GLANCE = (18, 32)
_CUT = 0.12
"""Mean difference of colours in 0..1 that is a cut; a person who moves makes a tenth of it."""


class Smoother:
    """An exponential mean of mattes, pixel by pixel, begun anew at every cut.

    Parameters
    ----------
    share:
        What stays of the matte before, 0 to below 1: ``y = share * before + (1 - share) * alpha``.

    Raises
    ------
    UsageError
        For another share.
    """

    def __init__(self, share: float) -> None:
        if not 0 <= share < 1:
            raise UsageError(
                f"A smoothing of {share:g} is impossible.",
                remedy="Give a share from 0, none, to below 1, for example 0.3.",
            )
        self._share = np.float32(share)
        self.before: F32 | None = None
        self.glance: F32 | None = None

    def __call__(self, image: U8, alpha: F32) -> F32:
        """Return the smoothed matte of the next frame: HxWx3 uint8, HxW float32 in 0..1."""
        glance = to_float(resize(image, _GLANCE, method="area"))
        if self.before is not None and not self._is_cut(glance, alpha):
            alpha = self._share * self.before + (1 - self._share) * alpha
        self.before, self.glance = alpha, glance
        return alpha

    def _is_cut(self, glance: F32, alpha: F32) -> bool:
        if self.before is None or self.glance is None or self.before.shape != alpha.shape:
            return True
        return bool(np.abs(glance - self.glance).mean() > _CUT)
