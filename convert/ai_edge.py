"""To int8 by another way, for a second opinion: Google's ai-edge-quantizer, with its own ranges."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Sequence
from pathlib import Path

from edgemat.convert.flatbuffer import give_float_ends, read_model, write_model
from edgemat.errors import ConversionError
from edgemat.files import atomic_path
from edgemat.images import F32


def quantize_with_ai_edge(float_file: Path, inputs: Sequence[F32], path: Path) -> None:
    """Quantize a float .tflite to int8 with ai-edge-quantizer's own calibration.

    The file takes and gives float32, as edgemat's do; inside it is what the tool made of it.

    Parameters
    ----------
    inputs:
        1,H,W,C float32 in 0..1, as the file takes them.

    Raises
    ------
    ConversionError
        When the tool refuses the file.
    """
    from ai_edge_litert.interpreter import Interpreter
    from ai_edge_quantizer import quantizer, recipe

    ((signature, tensors),) = Interpreter(str(float_file)).get_signature_list().items()
    (name,) = tensors["inputs"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
        try:
            tool = quantizer.Quantizer(str(float_file))
            tool.load_quantization_recipe(recipe.static_wi8_ai8())
            ranges = tool.calibrate({signature: [{name: x} for x in inputs]})
            content = tool.quantize(ranges).quantized_model
        except (RuntimeError, ValueError) as error:
            reason = str(error).splitlines()[0]
            raise ConversionError(
                f"ai-edge-quantizer cannot quantize {float_file.name}: {reason}",
                remedy="Convert the float file again.",
            ) from error
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)
        file = read_model(temporary)
        give_float_ends(file)
        write_model(file, temporary)
