"""The words that manifests and recipes are written in, each listed once."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["float", "quantized", "tflite", "coreml"]
Region = Literal["unknown", "whole"]
"""Where the errors of a matte are summed: where the trimap is unknown, or everywhere."""
ErrorName = Literal["sad", "mse", "grad", "conn"]
"""The errors of mattes; see :class:`edgemat.artifacts.artifact.MattingErrors`."""
Importance = Literal["taylor", "magnitude", "bn"]
"""What tells how much a channel matters; see :mod:`edgemat.quantize`."""
PruningCost = Literal["macs", "host"]
"""What pruning saves: multiply-accumulates, or int8 convolutions' milliseconds on this host."""
QuantizationMode = Literal["ptq", "qat"]
"""Post-training quantization, or quantization-aware training from there on."""

REGIONS: tuple[Region, ...] = get_args(Region)
ERROR_NAMES: tuple[ErrorName, ...] = get_args(ErrorName)
