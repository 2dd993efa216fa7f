"""Likeness of a picture to its original: PSNR, SSIM, MAE and MSE as in Tables 3.2 and 4.1."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from skimage.metrics import structural_similarity

from edgemat.images import F32


@dataclass(frozen=True)
class Fidelity:
    """Means over pictures of grey values in 0..1.

    Attributes
    ----------
    psnr:
        dB, of the mean squared error over all pixels of all pictures.
    ssim:
        Mean over pictures.
    mae:
        Mean absolute error.
    mse:
        What the tables call MSE: its square *root*, 10 ** (-PSNR / 20).
    """

    psnr: float
    ssim: float
    mae: float
    mse: float


def fidelity(found: list[F32], truth: list[F32]) -> Fidelity:
    """Compare pictures, each HxW in 0..1 and at least 7x7, with their originals."""
    pairs = list(zip(found, truth, strict=True))
    errors = np.concatenate([(a.astype(np.float64) - b).ravel() for a, b in pairs])
    root = math.sqrt(float(np.mean(errors**2)))
    similar = [structural_similarity(a, b, data_range=1.0) for a, b in pairs]
    return Fidelity(
        psnr=-20 * math.log10(root) if root else math.inf,
        ssim=float(np.mean(similar)),
        mae=float(np.mean(np.abs(errors))),
        mse=root,
    )
