"""Does a mobile file compute the same matte? Run it and compare; see also :mod:`.layers`."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from edgemat.artifacts.artifact import Agreement
from edgemat.convert.target import Target
from edgemat.errors import ConversionError
from edgemat.images import F32
from edgemat.matting.predict import Predict
from edgemat.matting.runtime import TfliteModel


def file_predictors(path: Path, target: Target) -> dict[str, Predict]:
    """Return every way in which this machine can run a file, by the runtime's name.

    A .tflite runs in LiteRT, with XNNPACK and with the reference kernels; a Core ML package in
    our reference executor, and on a Mac in Core ML itself.
    """
    if target.runtime == "tflite":
        return {
            "LiteRT, XNNPACK": TfliteModel(path).run,
            "LiteRT, reference kernels": TfliteModel(path, kernels="reference").run,
        }
    from edgemat.convert.mil import load_program, run_coreml, run_program

    program = load_program(path)
    predictors: dict[str, Predict] = {
        "edgemat's ML Program executor": lambda x: _from_coreml(
            run_program(program, coreml_feeds(x))
        )
    }
    if sys.platform == "darwin":
        predictors["Core ML"] = lambda x: _from_coreml(run_coreml(path, coreml_feeds(x)))
    return predictors


def coreml_feeds(x: F32) -> dict[str, F32]:
    """Core ML takes pictures: 0..255, channels first, the trimap apart."""
    pixels = np.rint(x * 255).astype(np.float32).transpose(0, 3, 1, 2)
    feeds = {"image": np.ascontiguousarray(pixels[:, :3])}
    if pixels.shape[1] == 4:
        feeds["trimap"] = np.ascontiguousarray(pixels[:, 3:])
    return feeds


def _from_coreml(outputs: dict[str, Any]) -> F32:
    alpha: F32 = np.asarray(outputs["alpha"], np.float32).transpose(0, 2, 3, 1)
    return alpha


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
    """How far the mattes of two files, or of two runtimes, lie apart."""

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
