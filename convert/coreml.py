"""From a torch matting network to a Core ML file (.mlpackage) that a phone app can use.

The file takes pictures (``image``, and ``trimap`` for networks with four channels) and gives
``alpha``. It is deterministic: the same network gives the same bytes.
"""

from __future__ import annotations

import json
import re
import traceback
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from edgemat.convert.apple import import_coremltools, quietly, validated_once
from edgemat.convert.backend import FloatPrecision
from edgemat.convert.mil import CORE_ML_FOLDER
from edgemat.errors import ConversionError
from edgemat.files import atomic_path
from edgemat.images import PIXEL_SCALE

Minimum = Literal["iOS17", "iOS18"]

# This pass trades the quantizers' own scales for their ratios, so that nothing in the file could
# be compared with the quantization specification any more.
UNWANTED_PASSES = {"common::distributive_quantized_binary_op_scale_normalization"}

DESCRIPTIONS = {
    "image": "The photograph, RGB, 8 bit.",
    "trimap": "Known background 0, unknown 128, known foreground 255; grey, 8 bit.",
    "alpha": "Alpha matte, 1,1,H,W: share of the foreground in each pixel, 0 to 1.",
}


class PictureInputs(nn.Module):
    """The network with one argument per picture instead of one tensor of all channels.

    A photograph 1,3,H,W and, for four channels, a trimap 1,1,H,W, both in 0..1.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor, trimap: Tensor | None = None) -> Tensor:
        pictures = image if trimap is None else torch.cat([image, trimap], dim=1)
        y: Tensor = self.network(pictures)
        return y


def convert_coreml(
    model: nn.Module,
    path: Path,
    *,
    height: int,
    width: int,
    channels: Literal[3, 4],
    precision: FloatPrecision,
    quantized: bool,
    metadata: Mapping[str, str],
    licence: str,
    author: str,
    description: str,
    version: str = "1.0",
    minimum: Minimum = "iOS17",
    pixel_scale: float = float(PIXEL_SCALE),
) -> None:
    """Write `model` as a Core ML package.

    Parameters
    ----------
    model:
        In eval mode; takes one float32 tensor 1,C,H,W in 0..1 (RGB, the fourth channel the
        trimap) and returns alpha 1,1,H,W in 0..1.
    path:
        The .mlpackage to write, which must not exist yet.
    height, width:
        Fixed size of the pictures, in pixels.
    channels:
        3 (photograph) or 4 (photograph and trimap).
    precision:
        Type in which the file computes and gives alpha.
    quantized:
        Whether `model` holds fake-quantizers: weights int8 per channel, activations 8 bit. Their
        scales go into the file bit for bit with ``fp32``; ``fp16`` rounds them to float16.
    metadata:
        Any further text by name, for example a manifest as JSON.
    licence, author, description, version:
        What Xcode and Core ML show about the model.
    minimum:
        The oldest system that will run the file.
    pixel_scale:
        What the file multiplies pixels by before `model` sees them.

    Raises
    ------
    ConversionError
        When the network has something that Core ML cannot express (named), is in training mode,
        or is not quantized as said; and when `path` exists.
    MissingToolError
        When coremltools is not installed.
    """
    if path.exists():
        raise ConversionError(f"{path} exists already.", remedy="Remove it or give another name.")
    import_coremltools()
    pictures = [torch.zeros(1, 3, height, width), torch.zeros(1, 1, height, width)]
    traced = _trace(model, pictures[: channels - 2], quantized=quantized)
    converted = _convert(traced, height, width, channels, precision, minimum, pixel_scale)
    spec = converted.get_spec()
    about = spec.description.metadata
    about.shortDescription, about.author = description, author
    about.license, about.versionString = licence, version
    _set_metadata(about, metadata)
    for feature in (*spec.description.input, *spec.description.output):
        feature.shortDescription = DESCRIPTIONS[feature.name]
    with atomic_path(path, directory=True) as folder:
        _write_package(folder, spec, Path(converted.weights_dir, "weight.bin"))


def _trace(model: nn.Module, pictures: list[Tensor], *, quantized: bool) -> Any:
    """Record the network's operations.

    Tracing, although torch calls it deprecated: coremltools' reader of exported programs knows
    fewer forms of the same operations (a ``max_pool2d`` without stride already stops it).
    """
    if model.training:
        raise ConversionError("The network is in training mode.", remedy="Call model.eval().")
    with quietly(), torch.no_grad():
        try:
            pictured = PictureInputs(model).eval()
            traced = torch.jit.trace(pictured, tuple(pictures), check_trace=False)
        except (RuntimeError, TypeError, ValueError) as error:
            raise _cannot_convert(_torch_function(error), error) from error
    kinds = {node.kind() for node in traced.inlined_graph.nodes()}
    found = any(kind.startswith("aten::fake_quantize") for kind in kinds)
    if found and not quantized:
        raise ConversionError(
            "The network holds fake-quantizers, but a float file was asked for.",
            remedy="Give the float network, or convert with quantized=True.",
        )
    if quantized and not found:
        raise ConversionError(
            "The network holds no fake-quantizers, so that no int8 file can be made.",
            remedy="Quantize and freeze it first, or convert with quantized=False.",
        )
    return traced


def _convert(
    traced: Any,
    height: int,
    width: int,
    channels: int,
    precision: FloatPrecision,
    minimum: Minimum,
    pixel_scale: float,
) -> Any:
    ct = import_coremltools()
    with quietly():
        import edgemat.convert.coreml_ops  # noqa: F401  (registers fake-quantize)
    inputs = [_picture(ct, "image", "RGB", (1, 3, height, width), pixel_scale)]
    if channels == 4:
        inputs.append(_picture(ct, "trimap", "GRAYSCALE", (1, 1, height, width), pixel_scale))
    passes = ct.PassPipeline.DEFAULT
    passes.remove_passes(UNWANTED_PASSES)
    wide = precision == "fp32"
    with quietly() as printed, validated_once():
        try:
            return ct.convert(
                traced,
                convert_to="mlprogram",
                inputs=inputs,
                outputs=[ct.TensorType("alpha", dtype=np.float32 if wide else np.float16)],
                compute_precision=ct.precision.FLOAT32 if wide else ct.precision.FLOAT16,
                minimum_deployment_target=getattr(ct.target, minimum),
                pass_pipeline=passes,
                skip_model_load=True,
            )
        except (RuntimeError, TypeError, ValueError) as error:
            stopped_at = re.findall(r"converting '(\w+)' op", printed.getvalue())
            raise _cannot_convert(stopped_at[-1] if stopped_at else "", error) from error


def _torch_function(error: Exception) -> str:
    """Return the name of the function of ``torch.nn.functional`` that an error came out of."""
    frames = traceback.extract_tb(error.__traceback__)
    return next((f.name for f in frames if f.filename == functional.__file__), "")


def _cannot_convert(operation: str, error: Exception) -> ConversionError:
    where = f"the operation {operation}" if operation else "the network"
    return ConversionError(
        f"{where[0].upper()}{where[1:]} cannot be converted to Core ML: {error}",
        remedy="Use the network's deploy form, or write that part with other operations.",
    )


def _picture(
    ct: Any, name: str, layout: str, shape: tuple[int, int, int, int], pixel_scale: float
) -> Any:
    colours = getattr(ct.colorlayout, layout)
    return ct.ImageType(name, shape=shape, scale=pixel_scale, color_layout=colours)


def _set_metadata(about: Any, metadata: Mapping[str, str]) -> None:
    written_by_coremltools = dict(about.userDefined)
    about.userDefined.clear()
    for name, text in sorted((written_by_coremltools | dict(metadata)).items()):
        if not name.endswith("conversion_date"):  # the same network must give the same bytes
            about.userDefined[name] = text


# ---- the package --------------------------------------------------------------------------


def _write_package(folder: Path, spec: Any, weights: Path) -> None:
    """Write specification, weights and manifest; coremltools' own writer draws random names."""
    data = folder / CORE_ML_FOLDER
    data.mkdir(parents=True)
    (data / "model.mlmodel").write_bytes(spec.SerializeToString(deterministic=True))
    items = {"model.mlmodel": "Core ML model specification"}
    if weights.is_file():  # a model of a few numbers keeps them in the specification
        (data / "weights").mkdir()
        (data / "weights" / "weight.bin").write_bytes(weights.read_bytes())
        items["weights"] = "Core ML model weights"
    entries = {
        _identifier(name): {
            "author": "com.apple.CoreML",
            "description": what,
            "name": name,
            "path": f"com.apple.CoreML/{name}",
        }
        for name, what in items.items()
    }
    manifest = {
        "fileFormatVersion": "1.0.0",
        "itemInfoEntries": entries,
        "rootModelIdentifier": _identifier("model.mlmodel"),
    }
    # In this very form, because coremltools rewrites a manifest whenever it opens a package.
    text = json.dumps(manifest, indent=4, sort_keys=True) + "\n"
    (folder / "Manifest.json").write_text(text, encoding="utf-8")


def _identifier(name: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"com.apple.CoreML/{name}"))
