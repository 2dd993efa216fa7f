"""The errors of a matte as the field's Python ports count them: to compare with papers' figures.

Tables of papers come from three programs, and the same matte gives three figures:

========== ===================================================================================
matlab     of Deep Image Matting; :mod:`edgemat.scoring.metrics` restates it
indexnet   of IndexNet, A2U, AIM and P3M: both mattes are stretched to 0..1 before SAD and MSE;
           Grad takes SciPy's Gaussian derivative, 13 taps, reflected, unnormalised, over 10
mmagic     of mmagic, MGMatting and PaddleSeg: SAD, and the sum of MSE, over the whole picture; in
           Conn thresholds in float64, and none is passed over
========== ===================================================================================
"""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from edgemat.artifacts.artifact import MattingErrors
from edgemat.artifacts.vocabulary import Region
from edgemat.scoring.metrics import (
    CONN_STEPS,
    GRAD_SIGMA,
    FloatArray,
    connectivity,
    matting_errors,
    region_mask,
    unit_range,
)

Port = Literal["matlab", "indexnet", "mmagic"]


def errors_by(
    port: Port,
    pred: npt.NDArray[Any],
    truth: npt.NDArray[Any],
    *,
    trimap: npt.NDArray[np.uint8] | None = None,
    region: Region | None = None,
) -> MattingErrors:
    """Return SAD, MSE, Grad and Conn of a matte as one of the programs counts them.

    >>> import numpy as np
    >>> from edgemat.scoring.ports import errors_by
    >>> truth, found = (np.tile(1.0 * (np.arange(64) >= edge), (64, 1)) for edge in (32, 34))
    >>> [round(errors_by(port, found, truth).grad, 3) for port in ("matlab", "indexnet")]
    [1.049, 1.089]

    Parameters
    ----------
    pred, truth, trimap, region:
        As of :func:`edgemat.scoring.metrics.matting_errors`, whose errors are raised.
    """
    found = matting_errors(pred, truth, trimap=trimap, region=region)
    errors = MattingErrors(sad=found.sad, mse=found.mse, grad=found.grad, conn=found.conn)
    if port == "matlab":
        return errors
    mask = region_mask(found.region, trimap, truth.shape)
    mattes = unit_range(pred, np.float64), unit_range(truth, np.float64)
    if port == "indexnet":
        stretched = [_stretched(matte) for matte in mattes]
        difference = np.abs(stretched[0] - stretched[1])[mask]
        slopes = [_scipy_gradient(matte) for matte in stretched]
        return errors.model_copy(
            update={
                "sad": float(difference.sum() / 1000),
                "mse": float(np.mean(difference**2)),
                "grad": float(((slopes[0] - slopes[1])[mask] ** 2).sum() / 10),
            }
        )
    difference = np.abs(mattes[0] - mattes[1])
    thresholds = np.arange(0, 1 + 0.5 / CONN_STEPS, 1 / CONN_STEPS)
    phi_pred, phi_truth = connectivity(*mattes, thresholds=thresholds, skip=False)
    return errors.model_copy(
        update={
            "sad": float(difference.sum() / 1000),
            "mse": float((difference**2).sum() / mask.sum()),
            "conn": float(np.abs(phi_pred - phi_truth)[mask].sum() / 1000),
        }
    )


def _stretched(matte: FloatArray) -> FloatArray:
    low, high = matte.min(), matte.max()
    return (matte - low) / (high - low) if high > low else matte


def _scipy_gradient(matte: FloatArray) -> FloatArray:
    slopes = [ndimage.gaussian_filter(matte, GRAD_SIGMA, order=order) for order in ((1, 0), (0, 1))]
    magnitude: FloatArray = np.hypot(*slopes)
    return magnitude
