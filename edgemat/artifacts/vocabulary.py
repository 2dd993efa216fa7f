"""The words that manifests and recipes are written in, each listed once."""

from __future__ import annotations

from typing import Literal, get_args

TorchKind = Literal["float", "quantized"]
"""Artefacts that are torch models; every other kind is the runtime of a mobile file."""
NetworkTask = Literal["trimap", "portrait", "denoising", "depth"]
"""The tasks of networks that become artefacts: only imported ones matte nothing."""
InputLayout = Literal["NHWC", "NCHW", "image"]
"""The form in which a file takes pictures: a tensor, or a picture of the system's own."""
Region = Literal["unknown", "whole"]
"""The pixels over which errors are summed: where the trimap is unknown, or all."""
ErrorName = Literal["sad", "mse", "grad", "conn"]
"""The errors of mattes; see :class:`edgemat.artifacts.artifact.MattingErrors`."""
Importance = Literal["taylor", "magnitude", "bn"]
"""The measure of how much a channel matters; see :mod:`edgemat.quantize.pruning`."""
PruningCost = Literal["macs", "host"]
"""The cost that pruning saves: multiply-accumulates, or milliseconds of int8 on this host."""
QuantizationMode = Literal["ptq", "qat"]
"""Post-training quantization, or quantization-aware training from there on."""
BatchNorm = Literal["encoder", "frozen", "running"]
"""What of batch normalisation a training keeps; see :mod:`edgemat.training.schedule`."""

Fit = Literal["letterbox", "tiles", "resize", "pad"]
"""How a picture of any size is brought to a model; :mod:`edgemat.matting.matte` does it."""

TORCH_KINDS: tuple[TorchKind, ...] = get_args(TorchKind)
FITS: tuple[Fit, ...] = get_args(Fit)
REGIONS: tuple[Region, ...] = get_args(Region)
ERROR_NAMES: tuple[ErrorName, ...] = get_args(ErrorName)
