"""To TFLite by another way, for a second opinion: torch -> ONNX -> onnx2tf, float32 and float16.

onnx2tf ends with exit status 0 whatever its files compute. So each file is run and compared with
torch before it gets its name.
"""

from __future__ import annotations

import importlib.util
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from edgemat.artifacts.artifact import Agreement
from edgemat.convert.backend import FloatPrecision
from edgemat.convert.isolated import find_python, run_isolated
from edgemat.convert.parity import compare
from edgemat.convert.tflite import quiet
from edgemat.errors import ArtifactError, ConversionError, MissingToolError, UsageError
from edgemat.files import explain_os_errors, move_into_place
from edgemat.images import F32
from edgemat.matting.runtime import TfliteModel
from edgemat.models.deploy import DeployForm, set_layout
from edgemat.scoring.evaluate import EvaluationSet, predict_all

LEAST_PSNR_DB: Mapping[FloatPrecision, float] = {"fp32": 70.0, "fp16": 45.0}
"""Against float torch; recipes/quickstart.toml holds our own portrait files to the same."""

OPSET = 18
_FILES: Mapping[FloatPrecision, str] = {
    "fp32": "model_float32.tflite",
    "fp16": "model_float16.tflite",
}
# For three channels onnx2tf wants these 20 pictures, and downloads them unless they lie here.
_SAMPLES = "calibration_image_sample_data_20x128x128x3_float32.npy"


@dataclass(frozen=True)
class Converted:
    """One file of onnx2tf's, and how it agrees with torch.

    Attributes
    ----------
    path:
        Where it lies; a file that is wrong has ".wrong" in its name.
    """

    path: Path
    precision: FloatPrecision
    agreement: Agreement

    @property
    def agrees(self) -> bool:
        return agrees(self.agreement, self.precision)


def agrees(agreement: Agreement, precision: FloatPrecision) -> bool:
    """Return whether a float file computes what torch computes, as far as its precision allows."""
    return agreement.psnr_db >= LEAST_PSNR_DB[precision]


def convert_onnx2tf(
    model: DeployForm, folder: Path, name: str, *, pictures: EvaluationSet, references: F32
) -> list[Converted]:
    """Write FOLDER/NAME-fp32.tflite and NAME-fp16.tflite: N,H,W,C float32 in, N,H,W,1 out.

    A file that does not agree with torch is written as NAME-fp32.wrong.tflite instead, to look at.

    Parameters
    ----------
    folder:
        Exists.
    references:
        N,H,W: what `model` computes on the pictures.

    Raises
    ------
    MissingToolError
        Without onnx2tf's environment, or without onnx and onnxscript in edgemat's.
    ConversionError
        When the network cannot be exported, or onnx2tf fails on it.
    DiskError
        When the folder may not be written or the disk is full.
    """
    find_python("onnx2tf")
    _, height, width, channels = pictures.pixels.shape
    with (
        explain_os_errors(folder),
        tempfile.TemporaryDirectory(dir=folder, prefix=".onnx2tf-") as scratch,
    ):
        work = Path(scratch)
        export_onnx(model, work / "model.onnx", shape=(channels, height, width))
        samples = np.random.default_rng(0).random((20, 128, 128, 3), dtype=np.float32)
        np.save(work / _SAMPLES, samples)
        command = ("-m", "onnx2tf", "-i", "model.onnx", "-o", ".", "--non_verbose")
        failure = run_isolated("onnx2tf", command, cwd=work)
        if failure is not None:
            raise ConversionError(
                f"onnx2tf cannot convert {name}: {failure}",
                remedy="Use litert-torch's file: edgemat convert.",
            )
        placed = []
        for precision, file in _FILES.items():
            path = folder / f"{name}-{precision}.tflite"
            placed.append(place(work / file, path, precision, pictures, references))
        return placed


def place(
    file: Path, path: Path, precision: FloatPrecision, pictures: EvaluationSet, references: F32
) -> Converted:
    """Run a new file, and move it to `path` if it agrees with torch, else beside it as wrong.

    Raises
    ------
    ConversionError
        When the file is not there, cannot be run, takes another size or computes NaN.
    """
    wrong = path.with_suffix(".wrong.tflite")
    for earlier in (path, wrong):  # made of another network, perhaps
        earlier.unlink(missing_ok=True)
    try:
        alphas = predict_all(TfliteModel(file).run, pictures)
    except (ArtifactError, UsageError) as error:
        raise ConversionError(
            f"onnx2tf wrote no {precision} file that runs: {error.message}",
            remedy="Use litert-torch's file: edgemat convert.",
        ) from error
    agreement = compare(alphas, references, reference="float", runtime="LiteRT, XNNPACK")
    if not agrees(agreement, precision):
        path = wrong
    move_into_place(file, path)
    return Converted(path, precision, agreement)


class _AlphaLast(nn.Module):
    """Alpha as N,H,W,1; the input stays N,C,H,W, which onnx2tf turns by itself."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, image: Tensor) -> Tensor:
        alpha: Tensor = self.model(image)
        return alpha.permute(0, 2, 3, 1)


def export_onnx(model: DeployForm, path: Path, *, shape: tuple[int, int, int]) -> None:
    """Write a deploy form as ONNX: N,C,H,W float32 in 0..1 in, alpha N,H,W,1 out.

    Through torch.export: what the older exporter, which traces, writes of the interleaving,
    onnx2tf cannot reshape.

    Raises
    ------
    MissingToolError
        Without onnx and onnxscript.
    ConversionError
        When the network has an operator that ONNX lacks.
    """
    for package in ("onnx", "onnxscript"):
        if importlib.util.find_spec(package) is None:
            raise MissingToolError(
                f"Exporting to ONNX needs {package}, which is not installed.",
                remedy="Run, in edgemat's source folder: make onnx2tf",
            )
    set_layout(model, "nhwc")
    try:
        with torch.no_grad(), quiet():
            torch.onnx.export(
                _AlphaLast(model).eval(),
                (torch.zeros(1, *shape),),
                path,
                dynamo=True,
                opset_version=OPSET,
                external_data=False,
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise ConversionError(
            f"This network cannot be exported to ONNX: {str(error).strip().splitlines()[0]}",
            remedy="Use litert-torch's file: edgemat convert.",
        ) from error
    finally:
        set_layout(model, "nchw")
