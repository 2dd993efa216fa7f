"""The vocabulary of conversion: which mobile files there are, and what each is held against."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from edgemat.errors import UsageError, nearest

Runtime = Literal["tflite", "coreml"]


@dataclass(frozen=True)
class Target:
    """One kind of mobile file.

    Attributes
    ----------
    precision:
        What the weights are stored in, "int8" also what is computed in (TFLite), or what tensors
        are rounded to (Core ML W8A8).
    reference:
        What the file must agree with: the float model or the frozen model.
    """

    name: str
    runtime: Runtime
    precision: Literal["fp32", "fp16", "int8"]

    @property
    def quantized(self) -> bool:
        return self.precision == "int8"

    @property
    def reference(self) -> Literal["float", "frozen"]:
        return "frozen" if self.quantized else "float"

    @property
    def payload(self) -> str:
        """Name of the file or folder inside an artefact."""
        return "model.tflite" if self.runtime == "tflite" else "model.mlpackage"


TARGETS = {
    target.name: target
    for target in (
        Target("tflite-fp32", "tflite", "fp32"),
        Target("tflite-fp16", "tflite", "fp16"),
        Target("tflite-int8", "tflite", "int8"),
        Target("coreml-fp16", "coreml", "fp16"),
        Target("coreml-w8a8", "coreml", "int8"),
    )
}


def find_target(name: str) -> Target:
    """Return the target called `name`.

    Raises
    ------
    UsageError
        For an unknown name; the nearest known names are offered.
    """
    if name not in TARGETS:
        raise UsageError(f"There is no target {name!r}.", remedy=nearest(name, TARGETS))
    return TARGETS[name]
