"""To TFLite, through litert-torch: float32, float16 weights, or int8 with NNCF's own grids."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from edgemat.convert.backend import Target
from edgemat.convert.decompose import NotLocalError, local_decompositions
from edgemat.convert.flatbuffer import (
    cancel_transposes,
    embed_metadata,
    give_float_ends,
    read_model,
    split_unit_clamps,
    write_model,
)
from edgemat.convert.qdq import to_quantize_dequantize
from edgemat.errors import ConversionError, MissingToolError
from edgemat.models.deploy import set_layout


class ChannelsLast(nn.Module):
    """A network that takes and returns N,H,W,C; the permutations vanish in the converter."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.model(x.permute(0, 3, 1, 2))
        return y.permute(0, 2, 3, 1)


def convert_tflite(
    model: nn.Module,
    path: Path,
    *,
    target: Target,
    shape: tuple[int, int, int],
    metadata: Mapping[str, Any],
) -> None:
    """Write `model` as a .tflite file: N,H,W,C float32 in 0..1 in, alpha N,H,W,1 out.

    Parameters
    ----------
    model:
        Deploy form for float targets, frozen model for int8.
    shape:
        C, H, W of the input.
    metadata:
        Embedded in the file as JSON.

    Raises
    ------
    MissingToolError
        Without litert-torch.
    ConversionError
        When the converter refuses the graph.
    """
    channels, height, width = shape
    example = torch.zeros(1, channels, height, width)
    set_layout(model, "nhwc")
    try:
        graph = model
        if target.quantized:
            with torch.no_grad():
                exported = torch.export.export(model, (example,)).module()
            graph = to_quantize_dequantize(exported)
        with tempfile.TemporaryDirectory() as scratch:
            raw = Path(scratch) / "raw.tflite"
            _run_converter(graph, example, raw, quantized=target.quantized)
            if target.precision == "fp16":
                raw = _with_float16_weights(raw)
            file = read_model(raw)
    finally:
        set_layout(model, "nchw")
    cancel_transposes(file)
    split_unit_clamps(file)
    give_float_ends(file)
    embed_metadata(file, metadata)
    write_model(file, path)


def _run_converter(graph: nn.Module, example: Tensor, path: Path, *, quantized: bool) -> None:
    litert_torch = _import_litert_torch()
    # The default partitioner crashes on graphs with quantization and leaves transposes behind.
    os.environ["LAYOUT_OPTIMIZE_PARTITIONER"] = "GREEDY"
    options = {"quant_config": _int8_config()} if quantized else {}

    def convert() -> Any:
        return litert_torch.convert(
            ChannelsLast(graph), (example.permute(0, 2, 3, 1).contiguous(),), **options
        )

    with quiet():
        try:
            try:
                with local_decompositions():
                    edge = convert()
            except NotLocalError:
                edge = convert()
        except (RuntimeError, NotImplementedError, AssertionError, ValueError) as error:
            reason = str(error).strip().splitlines()[0] if str(error) else type(error).__name__
            raise ConversionError(
                f"litert-torch cannot convert this network: {reason}",
                remedy="Its deploy form needs an operator that LiteRT knows.",
            ) from error
        edge.export(str(path))


def _int8_config() -> Any:
    """Switch the converter to static quantization; the grids come from the graph itself.

    Without it the file computes convolutions in float between quantize and dequantize.
    """
    from litert_torch.quantize.pt2e_quantizer import (
        PT2EQuantizer,
        get_symmetric_quantization_config,
    )
    from litert_torch.quantize.quant_config import QuantConfig

    config = get_symmetric_quantization_config(is_per_channel=True)
    return QuantConfig(pt2e_quantizer=PT2EQuantizer().set_global(config))


def _with_float16_weights(path: Path) -> Path:
    """Store the weights in float16; runtimes restore them to float32 when they load the file."""
    from ai_edge_quantizer import qtyping, quantizer

    casting = quantizer.Quantizer(str(path))
    casting.update_quantization_recipe(
        regex=".*",
        operation_name=qtyping.TFLOperationName.ALL_SUPPORTED,
        op_config=qtyping.OpQuantizationConfig(
            weight_tensor_config=qtyping.TensorQuantizationConfig(
                num_bits=16, dtype=qtyping.TensorDataType.FLOAT
            ),
            compute_precision=qtyping.ComputePrecision.FLOAT,
        ),
        algorithm_key=quantizer.AlgorithmName.FLOAT_CASTING,
    )
    half = path.with_name("half.tflite")
    with quiet():
        half.write_bytes(casting.quantize().quantized_model)
    return half


def _import_litert_torch() -> Any:
    try:
        with quiet():
            import litert_torch
    except ImportError as error:
        raise MissingToolError(
            "Converting to TFLite needs litert-torch, which is not installed.",
            remedy='Run: pip install "edgemat[deploy]"',
        ) from error
    return litert_torch


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep a converter's own progress lines and warnings away from the user."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        with (
            warnings.catch_warnings(),
            contextlib.redirect_stdout(io.StringIO()),
            contextlib.redirect_stderr(io.StringIO()),
        ):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
