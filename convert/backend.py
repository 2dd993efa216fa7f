"""The vocabulary of conversion: the kinds of mobile files, and what each runtime must bring.

A runtime's file in :mod:`edgemat.convert.backends` is a :class:`Backend`; that package's table
is the sole list of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from edgemat.artifacts.artifact import Manifest
from edgemat.artifacts.vocabulary import InputLayout, TorchKind
from edgemat.images import F32
from edgemat.matting.predictor import Predict
from edgemat.quantize.spec import StoredGrid

if TYPE_CHECKING:
    from torch import nn


FloatPrecision = Literal["fp32", "fp16"]
Precision = Literal["fp32", "fp16", "int8"]


@dataclass(frozen=True)
class Target:
    """One kind of mobile file.

    Attributes
    ----------
    runtime:
        Of the backend that makes and runs it.
    precision:
        What the weights are stored in, "int8" also what is computed in (TFLite), or what tensors
        are rounded to (Core ML W8A8).
    parity:
        How closely such a file must agree with its reference, and what an int8 file must prove:
        bounds by measured figure, which a recipe may replace.
    """

    name: str
    runtime: str
    precision: Precision
    parity: Mapping[str, str] = field(hash=False)

    @property
    def quantized(self) -> bool:
        return self.precision == "int8"

    @property
    def reference(self) -> Literal["float", "frozen"]:
        """The model that the file must agree with: float or frozen."""
        return "frozen" if self.quantized else "float"

    @property
    def source(self) -> TorchKind:
        """The kind of artefact that the file is made from."""
        return "quantized" if self.quantized else "float"


@dataclass(frozen=True)
class GridTensor:
    """A quantized activation of one inference, or the weight of a convolution.

    Attributes
    ----------
    name:
        What its file, or the deploy form, calls it.
    grid:
        With one scale and one zero-point, or for a weight one for each of its outputs.
    values:
        Integers -128..127: N,H,W,C, of a weight O,H,W,I; as they are where there are not four axes.
    """

    name: str
    grid: StoredGrid
    values: npt.NDArray[np.int32]

    @property
    def key(self) -> tuple[StoredGrid, tuple[int, ...]]:
        """The marks that tell it apart from others: grid and shape."""
        return self.grid, self.values.shape


def channels_last(values: npt.NDArray[np.int32]) -> npt.NDArray[np.int32]:
    """Return N,C,H,W as N,H,W,C, and what has not four axes as it is."""
    return values.transpose(0, 2, 3, 1) if values.ndim == 4 else values


class Int8Operators(NamedTuple):
    """How much of a file computes in int8.

    Attributes
    ----------
    int8_convolutions:
        Of the convolutions, those int8 x int8.
    float_islands:
        Operators between int8 operators that compute in float.
    """

    convolutions: int
    int8_convolutions: int
    float_islands: tuple[str, ...]


@dataclass(frozen=True)
class FloatCost:
    """What the operators of one kind cost.

    Attributes
    ----------
    count:
        How many of the kind compute in float.
    latency_ms:
        Of all of them together, on one thread of this machine; medians of each.
    """

    operator: str
    count: int
    latency_ms: float

    def to_json(self) -> dict[str, Any]:
        """Return the fields as a mapping that JSON can hold."""
        return asdict(self)


class Backend(Protocol):
    """All that edgemat must know of a runtime to make files for it, and to prove them.

    Importing a backend needs no tool; its methods do.
    """

    @property
    def runtime(self) -> str:
        """The beginning of its targets' names, and the kind of its artefacts."""

    @property
    def tools(self) -> tuple[str, ...]:
        """Packages on whose versions the bytes of its files depend; their manifests name them."""

    @property
    def targets(self) -> tuple[Target, ...]:
        """The files that it can be given, the most exact first."""

    @property
    def payload(self) -> str:
        """Name of the file or folder in an artefact; no other backend has its suffix."""

    @property
    def layout(self) -> InputLayout:
        """The layout in which its files take pictures."""

    @property
    def caveat(self) -> str:
        """A sentence that reports must carry on what could not be checked; mostly empty."""

    @property
    def optional(self) -> bool:
        """Whether it needs an extra of its own: a recipe or an export then has to name it."""

    @property
    def pictures(self) -> int:
        """Composites that its files are run on where nobody says how many; fewer where slow."""

    def convert(
        self,
        model: nn.Module,
        path: Path,
        *,
        target: Target,
        source: Manifest,
        card: Mapping[str, Any],
    ) -> None:
        """Write `model` as a file of this runtime.

        Parameters
        ----------
        model:
            Deploy form for float targets, frozen model for int8; it stays as it is.
        path:
            Of the file or folder, which must not exist yet.
        source:
            Of the artefact that the file is made from.
        card:
            What the file is to say of itself, as far as it can hold text.

        Raises
        ------
        MissingToolError
            Without the converter.
        ConversionError
            When it refuses the graph.
        """

    def predictors(self, path: Path) -> dict[str, Predict]:
        """Return every way in which this machine can run a file, by name; first the apps' own."""

    def arithmetic(self) -> AbstractContextManager[Any]:
        """Return a context within which a frozen model computes as the apps' int8 kernels do."""

    def count_int8(self, path: Path) -> Int8Operators:
        """Count, in the file itself, what is computed in int8.

        Raises
        ------
        ArtifactError
            When the file cannot be read.
        """

    def weights(self, path: Path) -> list[GridTensor]:
        """Return the int8 weights of a file's convolutions."""

    def float_costs(self, path: Path) -> tuple[FloatCost, ...]:
        """Measure what a file computes in float, the dearest first; nothing where none can.

        Raises
        ------
        ArtifactError
            When the file cannot be read.
        """

    def hazards(self, path: Path) -> tuple[str, ...]:
        """Return what is reported to come out wrong on phones and concerns a file; mostly nothing.

        Sentences that follow the file's name and a colon.
        """

    def layers(self, path: Path, x: F32) -> dict[str, list[GridTensor]]:
        """Return the quantized activations of an int8 file for `x`, 1,H,W,C in 0..1.

        In the order in which they are computed, for each of :meth:`predictors` that shows them.
        """
