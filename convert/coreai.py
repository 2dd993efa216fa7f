"""From a torch matting network to a Core AI file (.aimodel), which iOS 27 runs.

The file takes ``image`` and gives ``alpha``, both float32 in 0..1: 1,C,H,W, the fourth channel the
trimap, and 1,1,H,W. It is deterministic: the same network gives the same bytes.
"""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, fx, nn
from torch.export import ExportedProgram

from edgemat.convert.apple import quietly
from edgemat.convert.levels import levels
from edgemat.errors import ConversionError, MissingToolError
from edgemat.files import atomic_path
from edgemat.images import PIXEL_SCALE

INPUT, OUTPUT = "image", "alpha"
METADATA = "metadata.json"
aten = torch.ops.aten
FAKE_QUANTIZE = (
    aten.fake_quantize_per_tensor_affine.default,
    aten.fake_quantize_per_channel_affine.default,
)
# The Neural Engine of iOS 27.0 takes the grid of a product for that of a factor, unless a clamp
# stands between (apple/coreai-torch#112). At the ends of the grid it changes nothing.
PRODUCTS = (aten.mul.Tensor, aten.mul.Scalar)
LoweringFunction = Callable[[dict[str, Any], fx.Node, Any], Any]


class Float16Inside(nn.Module):
    """A network that computes in float16 behind float32 ends.

    `network` takes pixels in 0..255, which float16 holds exactly
    (:func:`edgemat.models.deploy.prepare_for_float16`); this one takes 0..1.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network.half()

    def forward(self, x: Tensor) -> Tensor:
        alpha: Tensor = self.network((x / float(PIXEL_SCALE)).half())
        return alpha.float()


def import_coreai(module: str) -> ModuleType:
    """Return a module of coreai-core or coreai-torch, whatever it says while it loads left unsaid.

    coreai-torch 0.4 warns of every torch above 2.13; what it makes is proven here.

    Raises
    ------
    MissingToolError
        When the packages are not installed, or not for this system.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return importlib.import_module(module)
    except ImportError as error:
        raise MissingToolError(
            f"Core AI files need coreai-core and coreai-torch: {error}.",
            remedy='Install them, on Linux (x86-64) or a Mac: pip install "edgemat[coreai]"',
        ) from error


def convert_coreai(
    model: nn.Module,
    path: Path,
    *,
    height: int,
    width: int,
    channels: int,
    metadata: Mapping[str, str],
    licence: str,
    author: str,
    description: str,
) -> None:
    """Write `model` as a Core AI file.

    Parameters
    ----------
    model:
        In eval mode; takes one float32 tensor 1,C,H,W in 0..1 and returns alpha 1,1,H,W in 0..1.
        Its fake-quantizers become ``quantize`` and ``dequantize`` with their scales and
        zero-points bit for bit, those of weights integers that the file expands.
    path:
        The .aimodel to write, which must not exist yet.
    metadata:
        Any further text by name, for example a manifest as JSON.
    licence, author, description:
        What Xcode shows about the model.

    Raises
    ------
    ConversionError
        When the network has something that Core AI cannot express, or is in training mode; and
        when `path` exists.
    MissingToolError
        When coreai-torch is not installed.
    """
    if path.exists():
        raise ConversionError(f"{path} exists already.", remedy="Remove it or give another name.")
    if model.training:
        raise ConversionError("The network is in training mode.", remedy="Call model.eval().")
    coreai_torch = import_coreai("coreai_torch")
    runtime = import_coreai("coreai.runtime")
    with quietly(), torch.no_grad():
        try:
            program = _export(model, torch.zeros(1, channels, height, width))
            converter = coreai_torch.TorchConverter(mode=coreai_torch.TorchConverter.Mode.RELEASE)
            _teach_fake_quantize(converter, program)
            converter.add_exported_program(program, input_names=[INPUT], output_names=[OUTPUT])
            converted = converter.to_coreai()
        except (RuntimeError, TypeError, ValueError, NotImplementedError) as error:
            reason = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
            raise ConversionError(
                f"The network cannot be converted to Core AI: {reason}.",
                remedy="Use the network's deploy form, or write that part with other operations.",
            ) from error
    about = runtime.AIModelAssetMetadata()
    about.author, about.license, about.model_description = author, licence, description
    for name, value in metadata.items():
        about.set_custom(name, value)
    with atomic_path(path, directory=True) as folder:
        saved = folder / path.name  # a name of another suffix is refused
        converted.save_asset(saved, metadata=about)
        _forget_the_date(saved / METADATA)
        for part in saved.iterdir():
            part.rename(folder / part.name)
        saved.rmdir()


def _export(model: nn.Module, x: Tensor) -> ExportedProgram:
    coreai_torch = import_coreai("coreai_torch")
    table = coreai_torch.get_decomp_table()
    for operator in FAKE_QUANTIZE:  # whole, not with the mask that training wants
        table.pop(operator, None)
    program: ExportedProgram = torch.export.export(model, (x,)).run_decompositions(table)
    return program


def _forget_the_date(metadata: Path) -> None:
    """Write what a file says of itself in a settled order, without when it was made."""
    said = json.loads(metadata.read_text(encoding="utf-8"))
    said.pop("creationDate", None)
    metadata.write_text(json.dumps(said, indent=1, sort_keys=True) + "\n", encoding="utf-8")


# ---- fake-quantization --------------------------------------------------------------------


def _teach_fake_quantize(converter: Any, program: ExportedProgram) -> None:
    coreai = import_coreai("coreai._compiler.dialects.coreai")

    def per_tensor(values: dict[str, Any], node: fx.Node, location: Any) -> Any:
        return _quantize_activation(coreai, values, node, location)

    def per_channel(values: dict[str, Any], node: fx.Node, location: Any) -> Any:
        return _expand_weights(coreai, program, node, location)

    lowerings: tuple[LoweringFunction, LoweringFunction] = (per_tensor, per_channel)
    for operator, lowering in zip(FAKE_QUANTIZE, lowerings, strict=True):
        converter.register_torch_lowering(str(operator).replace(".", "::", 1))(lowering)


def _quantize_activation(coreai: Any, values: dict[str, Any], node: fx.Node, location: Any) -> Any:
    """Lower ``(x, scale, zero_point, low, high)``."""
    x, scale, zero_point, low, high = _arguments(node, 5)
    dtype = np.dtype(np.uint8 if low == 0 else np.int8)
    whole = np.iinfo(dtype)
    if (low, high) != (whole.min, whole.max):
        raise ConversionError(
            f"The fake-quantizer {node.name} uses the levels {low}..{high}, but Core AI quantizes "
            f"activations to {whole.min}..{whole.max}.",
            remedy="Quantize activations to the full range of 8 bits.",
        )
    value = values[x.name]
    if x.target in PRODUCTS:
        ends = [np.float32(scale) * np.float32(end - zero_point) for end in (low, high)]
        value = coreai.broadcasting_maximum(value, coreai.constant(np.array(ends[0])), loc=location)
        value = coreai.broadcasting_minimum(value, coreai.constant(np.array(ends[1])), loc=location)
    every_axis = np.arange(len(value.type.shape), dtype=np.int32)  # one grid for the whole tensor
    grid = [
        coreai.constant(np.array(scale, np.float32)),
        coreai.constant(np.array(zero_point, dtype)),
        coreai.constant(np.array(0, np.float32)),
        coreai.constant(every_axis),
    ]
    return coreai.dequantize(coreai.quantize(value, *grid, loc=location), *grid, loc=location)


def _arguments(node: fx.Node, count: int) -> list[Any]:
    """Return the first arguments of an operator; fx types them too widely for arithmetic."""
    return list(node.args[:count])


def _expand_weights(coreai: Any, program: ExportedProgram, node: fx.Node, location: Any) -> Any:
    """Lower ``(weight, scale, zero_point, axis, low, high)``."""
    weight, scale, zero_point, axis, low, high = _arguments(node, 6)
    scales = _constant(program, scale).astype(np.float32)
    zeros = _constant(program, zero_point).astype(np.int8)
    integers = levels(_constant(program, weight), scales, zeros, axis, (low, high))
    shape = [1] * integers.ndim
    shape[axis] = -1
    return coreai.blockwise_shift_scale(
        coreai.constant(integers),
        coreai.constant(scales.reshape(shape)),
        coreai.constant(zeros.reshape(shape)),
        coreai.constant(np.zeros_like(scales).reshape(shape)),
        loc=location,
    )


def _constant(program: ExportedProgram, node: Any) -> NDArray[Any]:
    """Return the parameter or buffer that an input of an exported graph stands for."""
    signature = program.graph_signature
    name = getattr(node, "name", "")
    named = {**signature.inputs_to_parameters, **signature.inputs_to_buffers}
    if name not in named:
        raise ConversionError(
            f"The fake-quantizer of {name or node} has no constant weights or grid.",
            remedy="Freeze the quantized model first.",
        )
    held = {**program.state_dict, **program.constants}
    array: NDArray[Any] = held[named[name]].detach().numpy()
    return array
