"""Errors of a matte: SAD, MSE, Grad and Conn, and the mIoU of a trimap.

The four errors restate the MATLAB code that came with Deep Image Matting (DIM), which every table
of the field uses, and not one of its Python ports: these differ (a Gaussian derivative of 13
taps that is not normalised; thresholds in float64; no skip of an empty intersection).
MATLAB itself was not run; see the known values in ``tests/scoring/test_metrics.py``.
"""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import ndimage

from edgemat.artifacts.artifact import MattingErrors
from edgemat.artifacts.vocabulary import REGIONS, Region
from edgemat.errors import UsageError
from edgemat.images import UNKNOWN

FloatArray = npt.NDArray[np.floating[Any]]
Mask = npt.NDArray[np.bool_]

GRAD_SIGMA = 1.4
GRAD_TAIL = 1e-2
CONN_STEPS = 10
CONN_DISTANCE = 0.15
THRESHOLDS = np.arange(CONN_STEPS + 1, dtype=np.float32) / np.float32(CONN_STEPS)


class RegionErrors(MattingErrors):
    """The four errors of one matte, and the region that they are summed over.

    Attributes
    ----------
    region:
        ``"unknown"`` (where the trimap is 128) or ``"whole"``.
    pixels:
        Number of pixels of the region.
    """

    region: Region
    pixels: int

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return self.model_dump()


def matting_errors(
    pred: npt.NDArray[Any],
    truth: npt.NDArray[Any],
    *,
    trimap: npt.NDArray[np.uint8] | None = None,
    region: Region | None = None,
) -> RegionErrors:
    """Return SAD, MSE, Grad and Conn of one predicted alpha matte.

    >>> import edgemat, numpy
    >>> truth = numpy.zeros((100, 100), numpy.float32)
    >>> errors = edgemat.matting_errors(truth + 0.5, truth)
    >>> errors.sad, errors.mse, errors.region
    (5.0, 0.25, 'whole')

    Nothing is overwritten: a caller who follows the protocol of Composition-1k sets the known
    pixels of `pred` from the trimap first, because Grad and Conn look beyond the region.

    Parameters
    ----------
    pred, truth:
        HxW alpha mattes, uint8 (0..255) or floating (0..1); the two may differ in dtype.
    trimap:
        HxW uint8 with 0 background, 128 unknown, 255 foreground.
    region:
        Where errors are summed. By default the unknown region when a trimap is given, else the
        whole image.

    Raises
    ------
    UsageError
        When shapes differ, values are not finite or outside their range, or the region is empty.
    """
    _check_matte(pred, "pred")
    _check_matte(truth, "truth")
    if pred.shape != truth.shape:
        raise UsageError(
            f"The matte has shape {pred.shape} but the truth has {truth.shape}.",
            remedy="Resize the prediction to the truth's height and width first.",
        )
    region = region or ("whole" if trimap is None else "unknown")
    mask = region_mask(region, trimap, truth.shape)

    difference = np.abs(unit_range(pred, np.float64) - unit_range(truth, np.float64))[mask]
    grad_difference = gradient_magnitude(pred) - gradient_magnitude(truth)
    phi_pred, phi_truth = connectivity(unit_range(pred, np.float32), unit_range(truth, np.float32))
    return RegionErrors(
        sad=float(difference.sum() / 1000.0),
        mse=float(np.mean(difference**2)),
        grad=float(np.sum(grad_difference[mask] ** 2) / 1000.0),
        conn=float(np.abs(phi_pred - phi_truth)[mask].sum(dtype=np.float64) / 1000.0),
        region=region,
        pixels=int(mask.sum()),
    )


def trimap_miou(
    pred_classes: npt.NDArray[np.integer[Any]],
    true_classes: npt.NDArray[np.integer[Any]],
    *,
    num_classes: int = 3,
) -> float:
    """Return the mean intersection over union of trimap classes, in 0..1.

    Parameters
    ----------
    pred_classes, true_classes:
        Integer arrays of one shape (one image or a stack), 0 background, 1 unknown, 2 foreground.
    num_classes:
        A class that neither array contains is left out of the mean.

    Raises
    ------
    UsageError
        When shapes differ, an array is empty or not integer, or a class is out of range.
    """
    for name, classes in (("pred_classes", pred_classes), ("true_classes", true_classes)):
        if not np.issubdtype(classes.dtype, np.integer) or classes.size == 0:
            raise UsageError(
                f"{name} must be a non-empty integer array, not {classes.dtype} {classes.shape}.",
                remedy="Give class indices: 0 background, 1 unknown, 2 foreground.",
            )
        if classes.min() < 0 or classes.max() >= num_classes:
            raise UsageError(
                f"{name} has classes {classes.min()}..{classes.max()}, "
                f"outside 0..{num_classes - 1}.",
                remedy="Give class indices, not the trimap's grey values 0, 128, 255.",
            )
    if pred_classes.shape != true_classes.shape:
        raise UsageError(
            f"pred_classes has shape {pred_classes.shape}, true_classes {true_classes.shape}.",
            remedy="Resize the prediction with nearest neighbour first.",
        )
    return mean_iou(count_pairs(pred_classes, true_classes, num_classes=num_classes))


def count_pairs(
    pred_classes: npt.NDArray[np.integer[Any]],
    true_classes: npt.NDArray[np.integer[Any]],
    *,
    num_classes: int = 3,
) -> npt.NDArray[np.int64]:
    """Return how many pixels of each true class (rows) were given each class (columns)."""
    pairs = true_classes.astype(np.int64).ravel() * num_classes + pred_classes.ravel()
    return np.bincount(pairs, minlength=num_classes**2).reshape(num_classes, num_classes)


def mean_iou(confusion: npt.NDArray[np.int64]) -> float:
    """Return the mean intersection over union, in 0..1, of what :func:`count_pairs` counted.

    Counts of many pictures are added up first. A class that is nowhere is left out of the mean.
    """
    intersection = np.diag(confusion)
    union = confusion.sum(axis=0) + confusion.sum(axis=1) - intersection
    present = union > 0
    return float(np.mean(intersection[present] / union[present]))


def _check_matte(matte: npt.NDArray[Any], name: str) -> None:
    if matte.ndim != 2 or matte.size == 0:
        raise UsageError(
            f"{name} must be a matte of shape HxW, not {matte.shape}.",
            remedy="Give one image without batch or channel axis.",
        )
    if matte.dtype == np.uint8:
        return
    if not np.issubdtype(matte.dtype, np.floating):
        raise UsageError(
            f"{name} has dtype {matte.dtype}.", remedy="Give uint8 (0..255) or float32 (0..1)."
        )
    if not np.isfinite(matte).all():
        raise UsageError(
            f"{name} contains NaN or infinity.", remedy="Find the layer that produced it."
        )
    if matte.min() < 0.0 or matte.max() > 1.0:
        raise UsageError(
            f"{name} ranges over {matte.min():.4g}..{matte.max():.4g}, outside 0..1.",
            remedy="Clip it to 0..1, or give uint8.",
        )


def region_mask(
    region: Region, trimap: npt.NDArray[np.uint8] | None, shape: tuple[int, ...]
) -> Mask:
    """Return HxW bool: the unknown region of a trimap, or all.

    Raises
    ------
    UsageError
        When the region or the trimap is wrong, or nothing is unknown.
    """
    if region not in REGIONS:
        raise UsageError(f"There is no region {region!r}.", remedy="Give 'unknown' or 'whole'.")
    if trimap is not None and trimap.shape != shape:
        raise UsageError(
            f"The trimap has shape {trimap.shape} but the matte has {shape}.",
            remedy="Resize the trimap with nearest neighbour first.",
        )
    if region == "whole":
        return np.ones(shape, dtype=bool)
    if trimap is None:
        raise UsageError("The unknown region needs a trimap.", remedy="Give trimap=...")
    mask: Mask = trimap == UNKNOWN
    if not mask.any():
        raise UsageError(
            "The trimap has no unknown pixel (value 128).",
            remedy="Give a trimap of 0, 128 and 255, or region='whole'.",
        )
    return mask


def unit_range(matte: npt.NDArray[Any], dtype: type[np.floating[Any]]) -> FloatArray:
    """Return `matte` in 0..1 in the given floating dtype."""
    if matte.dtype == np.uint8:
        unit: FloatArray = matte.astype(dtype) / dtype(255)
        return unit
    return matte.astype(dtype)


def _gradient_kernels() -> tuple[FloatArray, FloatArray]:
    """Return the 1-D Gaussian and its derivative (9 taps); their outer product has L2 norm 1."""
    half = math.ceil(
        GRAD_SIGMA * math.sqrt(-2 * math.log(math.sqrt(2 * math.pi) * GRAD_SIGMA * GRAD_TAIL))
    )
    x = np.arange(-half, half + 1, dtype=np.float64)
    gauss = np.exp(-(x**2) / (2 * GRAD_SIGMA**2)) / (GRAD_SIGMA * math.sqrt(2 * math.pi))
    slope = -x * gauss / GRAD_SIGMA**2
    # The norm of an outer product is the product of the norms.
    return gauss / np.linalg.norm(gauss), slope / np.linalg.norm(slope)


def gradient_magnitude(matte: npt.NDArray[Any]) -> FloatArray:
    """Return the Gaussian gradient magnitude of the matte stretched to 0..1 (``mat2gray``).

    The stretch is part of DIM's Grad: a matte that is merely paler than the truth has no error.
    """
    image = unit_range(matte, np.float64)
    low, high = image.min(), image.max()
    if high > low:
        image = (image - low) / (high - low)
    gauss, slope = _gradient_kernels()
    # 'nearest' is MATLAB's 'replicate'. Convolving instead of correlating only flips the sign.
    across = ndimage.correlate1d(image, gauss, axis=0, mode="nearest")
    down = ndimage.correlate1d(image, slope, axis=0, mode="nearest")
    gx = ndimage.correlate1d(across, slope, axis=1, mode="nearest")
    gy = ndimage.correlate1d(down, gauss, axis=1, mode="nearest")
    magnitude: FloatArray = np.hypot(gx, gy)
    return magnitude


def connectivity(
    pred: FloatArray, truth: FloatArray, *, thresholds: FloatArray = THRESHOLDS, skip: bool = True
) -> tuple[FloatArray, FloatArray]:
    """Return the degree of connectedness phi of both mattes, per pixel in 0..1.

    A pixel's level is the last threshold before it first leaves the largest component in which
    both mattes reach the threshold. Comparisons are made in float32, as MATLAB compares a single
    with a double; in float64 the grey value 153 would miss the threshold 0.6.

    Parameters
    ----------
    thresholds:
        From 0 to 1.
    skip:
        Whether a threshold that no pixel reaches in both is passed over, as in DIM: a pixel that
        never leaves a component keeps the level 1.
    """
    level = np.full(pred.shape, -1, dtype=np.float32)
    for previous, threshold in itertools.pairwise(thresholds):
        both = (pred >= threshold) & (truth >= threshold)
        if both.any():
            inside = _largest_component(both)
        elif skip:
            continue
        else:
            inside = both
        level[(level < 0) & ~inside] = previous
    level[level < 0] = 1
    return _phi(pred, level), _phi(truth, level)


def _largest_component(mask: Mask) -> Mask:
    """Return the largest 4-connected component; of equal ones the first in column-major order."""
    # Labelling the transpose numbers the components in MATLAB's order.
    labels, count = ndimage.label(mask.T)
    sizes = np.bincount(labels.ravel(), minlength=count + 1)
    largest: Mask = (labels == 1 + np.argmax(sizes[1:])).T
    return largest


def _phi(matte: FloatArray, level: FloatArray) -> FloatArray:
    distance = matte - level
    phi: FloatArray = np.where(distance >= np.float32(CONN_DISTANCE), 1 - distance, 1)
    return phi
