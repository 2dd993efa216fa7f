"""TFLite files, which LiteRT runs: on Android, on boards, in browsers, and here."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgemat.artifacts.artifact import Manifest
from edgemat.artifacts.vocabulary import InputLayout
from edgemat.convert.backend import FloatCost, GridTensor, Int8Operators, Target
from edgemat.images import F32
from edgemat.matting.predictor import Predict
from edgemat.matting.runtime import Kernels, TfliteModel
from edgemat.quantize.spec import StoredGrid

if TYPE_CHECKING:
    from torch import nn


KERNELS: dict[str, Kernels] = {
    "LiteRT, XNNPACK": "xnnpack",
    "LiteRT, reference kernels": "reference",
}


class Tflite:
    """LiteRT's backend; see :class:`edgemat.convert.backend.Backend`."""

    runtime = "tflite"
    tools = ("litert-torch", "ai-edge-litert")
    payload = "model.tflite"
    layout: InputLayout = "NHWC"
    caveat = ""
    optional = False
    pictures = 16
    targets = (
        Target("tflite-fp32", "tflite", "fp32", {"psnr_db": ">=90"}),
        Target("tflite-fp16", "tflite", "fp16", {"psnr_db": ">=45"}),
        Target(
            "tflite-int8",
            "tflite",
            "int8",
            {"mean_abs": "<=0.005", "int8_share": "==1", "float_islands": "==0"},
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
        """Write a .tflite file, through litert-torch."""
        from edgemat.convert.tflite import convert_tflite

        feeding = source.feeding
        shape = (feeding.channels, feeding.height, feeding.width)
        convert_tflite(model, path, target=target, shape=shape, metadata=card)

    def predictors(self, path: Path) -> dict[str, Predict]:
        """Return LiteRT with XNNPACK, as apps run it, and with the reference kernels."""
        return {name: TfliteModel(path, kernels=kernels).run for name, kernels in KERNELS.items()}

    def arithmetic(self) -> AbstractContextManager[Any]:
        """Return XNNPACK's."""
        from edgemat.convert.xnnpack import XnnpackArithmetic

        return XnnpackArithmetic()

    def count_int8(self, path: Path) -> Int8Operators:
        """Count by the types of each operator's tensors."""
        from edgemat.convert.operators import CONVOLUTIONS, list_operators

        operators = list_operators(path)
        convolutions = [one.is_int8 for one in operators if one.name in CONVOLUTIONS]
        return Int8Operators(
            convolutions=len(convolutions),
            int8_convolutions=sum(convolutions),
            float_islands=tuple(one.name for one in operators if one.is_float),
        )

    def weights(self, path: Path) -> list[GridTensor]:
        """Return what the file's convolutions take as their second operand."""
        from edgemat.convert.operators import list_weights

        return list_weights(path)

    def float_costs(self, path: Path) -> tuple[FloatCost, ...]:
        """Measure them one by one, each as a file of its own, in LiteRT."""
        from edgemat.convert.float_costs import measure_float

        return measure_float(path)

    def hazards(self, path: Path) -> tuple[str, ...]:
        """Return nothing: no report is known."""
        return ()

    def layers(self, path: Path, x: F32) -> dict[str, list[GridTensor]]:
        """Return what each way of running leaves in the file's int8 tensors."""
        return {name: _activations(path, x, kernels) for name, kernels in KERNELS.items()}


TFLITE = Tflite()


def _activations(path: Path, x: F32, kernels: Kernels) -> list[GridTensor]:
    model = TfliteModel(path, kernels=kernels, keep_tensors=True)
    model.run(x)
    return [
        GridTensor(
            tensor.name,
            StoredGrid(tensor.scales, tensor.zero_points),
            model.read(tensor.index).astype(np.int32),
        )
        for tensor in model.activations()
        if tensor.dtype == np.int8 and len(tensor.scales) == 1
    ]
