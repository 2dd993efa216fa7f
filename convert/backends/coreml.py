"""Core ML packages, which iPhones and Macs run; elsewhere edgemat's own executor checks them."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from edgemat.artifacts.artifact import Manifest
from edgemat.artifacts.vocabulary import InputLayout
from edgemat.convert.backend import (
    FloatCost,
    FloatPrecision,
    GridTensor,
    Int8Operators,
    Target,
    channels_last,
)
from edgemat.convert.mil_types import Operation
from edgemat.images import F32, PIXEL_SCALE
from edgemat.matting.predictor import Predict
from edgemat.quantize.spec import StoredGrid, shift_to_int8

if TYPE_CHECKING:
    from torch import nn


EXECUTOR = "edgemat's ML Program executor"


class CoreMl:
    """Core ML's backend; see :class:`edgemat.convert.backend.Backend`."""

    runtime = "coreml"
    tools = ("coremltools",)
    payload = "model.mlpackage"
    layout: InputLayout = "image"
    caveat = (
        "Core ML files ran in edgemat's own executor of ML Programs. Apple's kernels run on a "
        "Mac or an iPhone alone."
    )
    optional = False
    pictures = 16
    targets = (
        Target("coreml-fp16", "coreml", "fp16", {"psnr_db": ">=45"}),
        Target(
            "coreml-w8a8",
            "coreml",
            "int8",
            {"max_abs": "<=1e-4", "int8_share": "==1", "float_islands": "==0"},
        ),
    )

    def convert(
        self,
        model: nn.Module,
        path: Path,
        *,
        target: Target,
        source: Manifest,
        card: Mapping[str, Any],
    ) -> None:
        """Write a .mlpackage, through coremltools."""
        from edgemat.convert.coreml import convert_coreml
        from edgemat.models.deploy import DeployForm, prepare_for_float16

        feeding = source.feeding
        precision: FloatPrecision = "fp16" if target.precision == "fp16" else "fp32"
        pixel_scale = float(PIXEL_SCALE)
        if isinstance(model, DeployForm) and precision == "fp16":
            model, pixel_scale = prepare_for_float16(model, pixel_scale), 1.0
        convert_coreml(
            model,
            path,
            height=feeding.height,
            width=feeding.width,
            channels=4 if feeding.channels == 4 else 3,
            precision=precision,
            quantized=target.quantized,
            metadata={"edgemat": json.dumps(card, sort_keys=True)},
            licence=source.licence,
            author="edgemat",
            pixel_scale=pixel_scale,
            description=f"{source.name}: alpha matting, {source.data_notice}",
        )

    def predictors(self, path: Path) -> dict[str, Predict]:
        """Return edgemat's reference executor, and on a Mac Core ML itself."""
        from edgemat.convert.mil import load_program, run_coreml, run_program

        program = load_program(path)
        predictors: dict[str, Predict] = {
            EXECUTOR: lambda x: _alpha(run_program(program, feeds(x)))
        }
        if sys.platform == "darwin":
            predictors["Core ML"] = lambda x: _alpha(run_coreml(path, feeds(x)))
        return predictors

    def arithmetic(self) -> AbstractContextManager[Any]:
        """Return torch's own: its programs are run in floating point, on grids."""
        return nullcontext()

    def count_int8(self, path: Path) -> Int8Operators:
        """Count by what quantizes each operation's inputs."""
        from edgemat.convert.mil import load_program
        from edgemat.convert.mil_proof import count_int8

        found = count_int8(load_program(path))
        return Int8Operators(found.convolutions, found.int8_convolutions, found.inside)

    def weights(self, path: Path) -> list[GridTensor]:
        """Return the constants that become the weights of the file's convolutions."""
        from edgemat.convert.mil import load_program
        from edgemat.convert.mil_proof import list_weights

        return list_weights(load_program(path))

    def float_costs(self, path: Path) -> tuple[FloatCost, ...]:
        """Return nothing: what computes here is no phone's."""
        return ()

    def hazards(self, path: Path) -> tuple[str, ...]:
        """Return nothing: no report is known."""
        return ()

    def layers(self, path: Path, x: F32) -> dict[str, list[GridTensor]]:
        """Return what each ``quantize`` gives in edgemat's executor."""
        from edgemat.convert.mil import load_program, operations, run_program

        program = load_program(path)
        kept = run_program(program, feeds(x), keep=True)
        quantizers = [op for op in operations(program) if op.op_type == "quantize"]
        return {EXECUTOR: [_activation(op, kept[op.outputs[0].name]) for op in quantizers]}


COREML = CoreMl()


def feeds(x: F32) -> dict[str, F32]:
    """Return `x`, 1,H,W,C in 0..1, as Core ML takes it: pictures 0..255, the trimap apart."""
    pixels = np.rint(x * 255).astype(np.float32).transpose(0, 3, 1, 2)
    pictures = {"image": np.ascontiguousarray(pixels[:, :3])}
    if pixels.shape[1] == 4:
        pictures["trimap"] = np.ascontiguousarray(pixels[:, 3:])
    return pictures


def _alpha(outputs: Mapping[str, npt.NDArray[Any]]) -> F32:
    alpha: F32 = np.asarray(outputs["alpha"], np.float32).transpose(0, 2, 3, 1)
    return alpha


def _activation(quantize: Operation, values: npt.NDArray[Any]) -> GridTensor:
    shift = shift_to_int8(int(np.iinfo(values.dtype).min))
    zero = quantize.inputs.get("zero_point")
    zero_point = 0 if zero is None or zero.val is None else int(zero.val)
    return GridTensor(
        quantize.outputs[0].name,
        StoredGrid((float(quantize.inputs["scale"].val),), (zero_point - shift,)),
        channels_last(values.astype(np.int32) - shift),
    )
