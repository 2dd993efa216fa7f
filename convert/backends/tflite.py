"""TFLite files, which LiteRT runs: on Android, on boards, in browsers, and here."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgemat.artifacts.artifact import Int8Proof, Manifest
from edgemat.artifacts.vocabulary import InputLayout
from edgemat.convert.backend import GridTensor, Target
from edgemat.convert.proof import proof_of
from edgemat.images import F32
from edgemat.matting.predictor import Predict
from edgemat.matting.runtime import Kernels, TfliteModel
from edgemat.quantize.spec import QuantSpec, StoredGrid

if TYPE_CHECKING:
    from torch import nn

KERNELS: dict[str, Kernels] = {
    "LiteRT, XNNPACK": "xnnpack",
    "LiteRT, reference kernels": "reference",
}


class Tflite:
    """LiteRT's backend; see :class:`edgemat.convert.backend.Backend`."""

    runtime = "tflite"
    payload = "model.tflite"
    layout: InputLayout = "NHWC"
    caveat = ""
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

    def prove(self, path: Path, spec: QuantSpec) -> Int8Proof:
        """Count by the types of each operator's tensors."""
        from edgemat.convert.flatbuffer import explain_damage, read_model
        from edgemat.convert.operators import CONVOLUTIONS, list_operators

        operators = list_operators(path)
        convolutions = [one.is_int8 for one in operators if one.name in CONVOLUTIONS]
        with explain_damage(path):
            grids = {
                StoredGrid(
                    tuple(float(np.float32(scale)) for scale in tensor.quantization.scale),
                    tuple(int(zero) for zero in tensor.quantization.zeroPoint),
                )
                for tensor in read_model(path).subgraphs[0].tensors
                if tensor.quantization is not None and tensor.quantization.scale is not None
            }
        return proof_of(
            spec,
            convolutions=len(convolutions),
            int8_convolutions=sum(convolutions),
            float_islands=[one.name for one in operators if one.is_float],
            grids=grids,
        )

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
        if tensor.dtype == np.int8 and len(tensor.scales) == 1 and len(tensor.shape) == 4
    ]
