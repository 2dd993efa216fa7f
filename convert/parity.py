"""Does a mobile file compute the same matte? By how much it differs; see also `layer_parity`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from edgemat.artifacts.artifact import Agreement
from edgemat.errors import ConversionError
from edgemat.images import F32


def compare(
    alphas: F32, references: F32, *, reference: Literal["float", "frozen"], runtime: str
) -> Agreement:
    """Compare N,H,W mattes with those of their reference.

    Raises
    ------
    ConversionError
        When they are of another shape, or not finite.
    """
    difference = _difference(alphas, references)
    mean_square = float(np.mean(difference**2))
    return Agreement(
        reference=reference,
        runtime=runtime,
        max_abs=float(difference.max()),
        mean_abs=float(difference.mean()),
        # equal to the last bit has no PSNR; 200 dB is beyond float32
        psnr_db=min(200.0, -10 * np.log10(mean_square)) if mean_square else 200.0,
        images=len(alphas),
    )


@dataclass(frozen=True)
class Distance:
    """The distance between the mattes of two files, or of two runtimes."""

    max_abs: float
    mean_abs: float


def distance(alphas: F32, others: F32) -> Distance:
    """Compare N,H,W mattes of which neither is the other's reference; raises as `compare` does."""
    difference = _difference(alphas, others)
    return Distance(float(difference.max()), float(difference.mean()))


def _difference(alphas: F32, others: F32) -> npt.NDArray[np.float64]:
    # Of other shapes numpy would repeat rows, and find a plausible difference; NaN has no PSNR,
    # and would pass as the best there is.
    if alphas.shape != others.shape or not np.isfinite(alphas).all():
        raise ConversionError(
            f"The file's mattes have the shape {alphas.shape}, or are not finite; expected are "
            f"finite ones of {others.shape}.",
            remedy="Convert it again; a network whose own mattes are not finite cannot be helped.",
        )
    return np.abs(alphas.astype(np.float64) - others)
