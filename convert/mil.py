"""Reference executor of ML Programs: runs a Core ML file on any machine, operation by operation.

Core ML itself exists only on Apple's systems. This executor reads the same .mlpackage back and
evaluates it in torch, so that graph, weights and scales of a file can be proven anywhere. Apple's
kernels may still round differently: :func:`run_coreml` on a Mac says by how much.

The numerics are those of the file: a float16 program computes each operation in float32 and
rounds its result to float16; ``quantize`` rounds half to even, as torch does.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from edgemat.artifacts.artifact import CONVERT_AGAIN
from edgemat.convert.apple import import_coremltools, quietly
from edgemat.convert.mil_ops import OPERATIONS
from edgemat.convert.mil_types import Function, Operation, Program, Variable
from edgemat.errors import ArtifactError, ConversionError, MissingToolError, UsageError
from edgemat.files import shorten

# What coremltools raises on a damaged program or damaged weights.
_DAMAGED = (
    *(ArithmeticError, AssertionError, AttributeError, LookupError, OSError, RuntimeError),
    *(TypeError, ValueError, MemoryError),
)
CORE_ML_FOLDER = Path("Data") / "com.apple.CoreML"  # inside of a .mlpackage


def load_program(path: Path) -> Program:
    """Read a .mlpackage back as a program of coremltools' intermediate language (MIL).

    Raises
    ------
    ArtifactError
        When `path` is not a readable .mlpackage with an ML Program in it.
    MissingToolError
        When coremltools is not installed.
    """
    import_coremltools()
    from coremltools import proto
    from coremltools.converters.mil.frontend.milproto.load import load
    from google.protobuf.message import DecodeError

    file = path / CORE_ML_FOLDER / "model.mlmodel"
    if not file.is_file():
        raise ArtifactError(
            f"{path} is not a Core ML package: it has no {file.name}.", remedy=CONVERT_AGAIN
        )
    # Not with coremltools.utils.load_spec: that rewrites the package's manifest.
    try:
        spec = proto.Model_pb2.Model.FromString(file.read_bytes())
    except (DecodeError, OSError) as error:
        raise ArtifactError(f"{file} is damaged: {error}.", remedy=CONVERT_AGAIN) from error
    if spec.WhichOneof("Type") != "mlProgram":
        raise ArtifactError(
            f"{path} holds a {spec.WhichOneof('Type')}, not an ML Program.",
            remedy="Convert it with edgemat, for iOS 17 or newer.",
        )
    try:
        with quietly():
            weights = str(path / CORE_ML_FOLDER / "weights")
            program: Program = load(spec, spec.specificationVersion, weights)
    except _DAMAGED as error:
        raise _not_a_program(path, error) from error
    if "main" not in program.functions:
        raise _not_a_program(path, KeyError("no main function"))
    return program


def _not_a_program(path: Path, error: Exception) -> ArtifactError:
    reason = (str(error).splitlines() or [""])[0] or type(error).__name__
    return ArtifactError(
        f"{path} holds no ML Program that can be read: {shorten(reason).rstrip('.')}.",
        remedy=CONVERT_AGAIN,
    )


@torch.inference_mode()
def run_program(
    program: Program, feeds: Mapping[str, NDArray[Any] | Tensor], *, keep: bool = False
) -> dict[str, NDArray[Any]]:
    """Run a program once.

    Parameters
    ----------
    program:
        What :func:`load_program` returned.
    feeds:
        One array per input. Image inputs take their pixels as B,C,H,W with values 0..255: the
        division by 255 is part of the file.
    keep:
        Whether to return all intermediate values too, not only the outputs.

    Returns
    -------
    dict
        Name to array, in the type that the file declares (float16 stays float16).

    Raises
    ------
    ConversionError
        When the program has an operation that the executor does not know (named).
    UsageError
        When an input is missing, unknown or of the wrong shape.
    """
    main = program.functions["main"]
    steps = operations(program)
    unknown = {op.op_type for op in steps} - OPERATIONS.keys()
    if unknown:
        raise ConversionError(
            f"The reference executor does not know the operation {', '.join(sorted(unknown))}.",
            remedy="Write the network without it, or add it to convert/mil_ops.py.",
        )
    values = _take_feeds(main, feeds)
    uses = Counter(var for op in steps for var in variables(op.inputs.values()))
    uses.update(main.outputs)
    kept: dict[str, NDArray[Any]] = {}
    for op in steps:
        arguments = {name: _argument(var, values) for name, var in op.inputs.items()}
        results = OPERATIONS[op.op_type](**arguments)
        several = [results] if isinstance(results, Tensor) else results
        for var, result in zip(op.outputs, several, strict=True):
            values[var] = result.to(_torch_type(var))
            if keep:
                kept[var.name] = values[var].numpy()
        inputs = variables(op.inputs.values())
        uses.subtract(inputs)
        for var in inputs:
            if not uses[var]:  # activations are large: let go of each after its last use
                values.pop(var, None)
    return kept | {var.name: values[var].numpy() for var in main.outputs}


def _take_feeds(
    main: Function, feeds: Mapping[str, NDArray[Any] | Tensor]
) -> dict[Variable, Tensor]:
    if feeds.keys() != main.inputs.keys():
        raise UsageError(
            f"The program takes {', '.join(main.inputs)}; it was given {', '.join(feeds)}.",
            remedy="Give one array for each input, by its name.",
        )
    values = {}
    for name, var in main.inputs.items():
        value = torch.as_tensor(feeds[name])
        if tuple(value.shape) != tuple(var.shape):
            raise UsageError(
                f"Input {name!r} must have the shape {tuple(var.shape)}, not {tuple(value.shape)}.",
                remedy="Resize the picture to it.",
            )
        values[var] = value.to(_torch_type(var))
    return values


def _argument(var: Any, values: Mapping[Variable, Tensor]) -> Any:
    """Return an input as the operations take it: float32 for float16, tensors for numbers."""
    if isinstance(var, list | tuple):
        return [_argument(item, values) for item in var]
    if var is None:
        return None
    value = values[var] if var in values else _constant(var.val)
    if isinstance(value, Tensor) and value.dtype == torch.float16:
        return value.float()
    return value


def _constant(value: Any) -> Any:
    if isinstance(value, str):
        return str(value)
    array = np.asarray(value)
    # torch computes little in unsigned 16 and 32 bit; MIL uses these for indices and sizes.
    wide = {"uint16": np.int32, "uint32": np.int64}.get(array.dtype.name, array.dtype)
    return torch.from_numpy(np.array(array, dtype=wide))


def _torch_type(var: Variable) -> torch.dtype:
    name = type_name(var)
    named = {"fp16": torch.float16, "fp32": torch.float32, "uint16": torch.int32}
    return named[name] if name in named else getattr(torch, name)


# ---- looking at a program -----------------------------------------------------------------


def operations(program: Program) -> Sequence[Operation]:
    """Return the operations of a program's main function in order, constants left out."""
    return [op for op in program.functions["main"].operations if op.op_type != "const"]


def type_name(var: Variable) -> str:
    """Return the element type of a variable as MIL writes it: ``fp32``, ``int8``, ``bool``..."""
    from coremltools.converters.mil.mil import types

    return str(types.builtin_to_string(var.dtype))


def variables(inputs: Iterable[Any]) -> list[Variable]:
    """Return the variables among an operation's inputs, those inside of lists too."""
    flat: list[Variable | None] = []
    for var in inputs:
        flat.extend(var if isinstance(var, list | tuple) else [var])
    return [var for var in flat if var is not None]


# ---- in Core ML itself --------------------------------------------------------------------


def run_coreml(
    path: Path, feeds: Mapping[str, NDArray[Any] | Tensor], *, compute_units: str = "ALL"
) -> dict[str, NDArray[Any]]:
    """Run a .mlpackage in Core ML, which only macOS has.

    Parameters
    ----------
    path:
        The .mlpackage.
    feeds:
        As for :func:`run_program`; image inputs are rounded to 8 bit.
    compute_units:
        ``ALL``, ``CPU_AND_NE``, ``CPU_AND_GPU`` or ``CPU_ONLY``.

    Raises
    ------
    MissingToolError
        On every other system.
    """
    if sys.platform != "darwin":
        raise MissingToolError(
            "Core ML runs on macOS only.",
            remedy="Run this on a Mac; elsewhere the reference executor checks the file.",
        )
    coremltools = import_coremltools()
    units = coremltools.ComputeUnit[compute_units]
    with quietly():
        model = coremltools.models.MLModel(str(path), compute_units=units)
        inputs = {
            feature.name: as_picture(feeds[feature.name])
            if feature.type.WhichOneof("Type") == "imageType"
            else np.asarray(feeds[feature.name])
            for feature in model.get_spec().description.input
        }
        return {name: np.asarray(value) for name, value in model.predict(inputs).items()}


def as_picture(pixels: NDArray[Any] | Tensor) -> Image.Image:
    """Return 1,C,H,W values 0..255 as an 8-bit picture: RGB for C = 3, grey for C = 1."""
    planes: NDArray[Any] = np.asarray(pixels)
    levels = np.rint(planes[0]).clip(0, 255).astype(np.uint8)
    return Image.fromarray(levels[0] if len(levels) == 1 else levels.transpose(1, 2, 0))
