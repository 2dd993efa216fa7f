"""Core AI files, which iOS 27 and macOS 27 run; Apple's runtime for Linux checks them elsewhere."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from edgemat.artifacts.artifact import Manifest
from edgemat.artifacts.vocabulary import InputLayout
from edgemat.convert.backend import FloatCost, GridTensor, Int8Operators, Target, channels_last
from edgemat.files import sha256_file
from edgemat.images import F32, PIXEL_SCALE
from edgemat.matting.predictor import Predict
from edgemat.quantize.spec import shift_to_int8

if TYPE_CHECKING:
    from torch import nn


RUNTIME = "Core AI on the CPU"


class CoreAi:
    """Core AI's backend; see :class:`edgemat.convert.backend.Backend`."""

    runtime = "coreai"
    tools = ("coreai-core", "coreai-torch")
    payload = "model.aimodel"
    layout: InputLayout = "NCHW"
    caveat = (
        "Core AI files ran in Apple's runtime on a CPU, which computes in float between dequantize "
        "and quantize. Whether a phone computes there in integers is its own choice."
    )
    optional = True
    pictures = 2
    targets = (
        Target("coreai-fp32", "coreai", "fp32", {"max_abs": "<=1e-4"}),
        Target("coreai-fp16", "coreai", "fp16", {"psnr_db": ">=45"}),
        Target(
            "coreai-w8a8",
            "coreai",
            "int8",
            {
                "mean_abs": "<=0.002",
                "int8_share": "==1",
                "float_islands": "==0",
                "scales_exact_share": "==1",
            },
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
        """Write a .aimodel, through coreai-torch."""
        from edgemat.convert.coreai import Float16Inside, convert_coreai
        from edgemat.models.deploy import DeployForm, prepare_for_float16

        if target.precision == "fp16":
            if isinstance(model, DeployForm):
                model = prepare_for_float16(model, float(PIXEL_SCALE))
            model = Float16Inside(model).eval()
        feeding = source.feeding
        convert_coreai(
            model,
            path,
            height=feeding.height,
            width=feeding.width,
            channels=feeding.channels,
            metadata={"edgemat": json.dumps(card, sort_keys=True)},
            licence=source.licence,
            author="edgemat",
            description=f"{source.name}: alpha matting, {source.data_notice}",
        )

    def predictors(self, path: Path) -> dict[str, Predict]:
        """Return Apple's runtime; its mattes are kept, as one takes it a quarter of a minute."""
        from edgemat.convert import coreai_runtime
        from edgemat.convert.kept_mattes import keeping

        run = coreai_runtime.CoreAiModel(path).run
        code = sha256_file(Path(coreai_runtime.__file__))
        runtime = f"coreai-core {version('coreai-core')}, {code}"
        return {RUNTIME: keeping(run, path, runtime=runtime)}

    def arithmetic(self) -> AbstractContextManager[Any]:
        """Return torch's own: its programs are run in floating point, on grids."""
        return nullcontext()

    def count_int8(self, path: Path) -> Int8Operators:
        """Count by what quantizes each operation's inputs."""
        from edgemat.convert.coreai_program import count_int8, load_program

        found = count_int8(load_program(path))
        return Int8Operators(found.convolutions, found.int8_convolutions, found.inside)

    def weights(self, path: Path) -> list[GridTensor]:
        """Return the constants that become the weights of the file's convolutions."""
        from edgemat.convert.coreai_program import list_weights, load_program

        return list_weights(load_program(path))

    def float_costs(self, path: Path) -> tuple[FloatCost, ...]:
        """Return nothing: what computes here is no phone's."""
        return ()

    def hazards(self, path: Path) -> tuple[str, ...]:
        """Return the reports of :mod:`edgemat.convert.coreai_hazards` that concern a file."""
        from edgemat.convert.coreai_hazards import find_hazards
        from edgemat.convert.coreai_program import load_program

        return tuple(
            f"{count} operation{'s are' if count > 1 else ' is'} as in {hazard.report}, "
            f"where {hazard.what}."
            for hazard, count in find_hazards(load_program(path)).items()
        )

    def layers(self, path: Path, x: F32) -> dict[str, list[GridTensor]]:
        """Return what each ``quantize`` gives in Apple's runtime."""
        from edgemat.convert.coreai_program import (
            grid_of,
            integers_name,
            load_program,
            quantizers,
            show_integers,
        )
        from edgemat.convert.coreai_runtime import CoreAiModel

        program = load_program(path)
        grids = [grid_of(program, quantize) for quantize in quantizers(program)]
        with tempfile.TemporaryDirectory() as folder:
            open_file = Path(folder) / self.payload
            show_integers(program, open_file)
            outputs = CoreAiModel(open_file).run_all(x)
        tensors = []
        for number, grid in enumerate(grids):
            name = integers_name(number)
            integers = outputs[name]
            shift = shift_to_int8(int(np.iinfo(integers.dtype).min))
            values = channels_last(integers.astype(np.int32) - shift)
            tensors.append(GridTensor(name, grid, values))
        return {RUNTIME: tensors}


COREAI = CoreAi()
