"""The vocabulary of quantization: what is quantized, where, and on which grid.

A :class:`QuantSpec` is neutral: it names no framework's class, and from it alone (with the float
weights) the frozen model, the TFLite file and the Core ML file are made.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from edgemat.errors import ArtifactError
from edgemat.files import write_text

UINT8_SHIFT = 128
"""From -128..127, which files store, to 0..255: the same grid under another name."""


def shift_to_int8(low: int) -> int:
    """Return what is taken from integers whose range begins at `low` to store them from -128."""
    return UINT8_SHIFT if low == 0 else 0


class StoredGrid(NamedTuple):
    """A grid as a file that stores -128..127 has it; one scale and zero-point, or per channel."""

    scales: tuple[float, ...]
    zero_points: tuple[int, ...]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Place(_Model):
    """A place of quantization: before (`pre`) or after (`post`) an operator of the deploy form.

    Attributes
    ----------
    operator:
        Path of the module, name of the function and number of the call, joined by slashes, as
        NNCF names it: ``network/predict/0/conv2d/0``. A bare name is an input of the model.
    port:
        Which input (`pre`) or output (`post`) of the operator.
    """

    when: Literal["pre", "post"]
    operator: str
    port: int

    @property
    def function(self) -> str:
        """The operator's function, such as ``conv2d``; empty for an input of the model."""
        parts = self.operator.split("/")
        return parts[-2] if len(parts) > 1 else ""


class Replaced(_Model):
    """A grid that NNCF chose for an activation, and that edgemat has put another in the place of.

    The fields are those of :class:`TensorQuant`.
    """

    scale: float
    zero_point: int
    low: int
    high: int


GridOrigin = Literal["nncf", "nature", "rule"]
"""Who decided on a grid: NNCF; the tensor's nature, for a range that is known before any picture is
seen (pixels, masks, sigmoids); or a rule of the runtimes, which keep several tensors on one grid
(concatenation, resizing, pooling)."""


class TensorQuant(_Model):
    """The affine grid of one tensor: real = scale * (quantized - zero_point).

    Attributes
    ----------
    kind:
        "weight" or "activation".
    places:
        Every place that shares this grid (the inputs of one concatenation do).
    scale, zero_point:
        One number, or one per slice along `axis`; scales are float32 values.
    low, high:
        Range of the quantized integers; 0..255 is stored as -128..127 in a file.
    bits:
        8 throughout this version.
    origin:
        Who decided on the grid; None in specifications of before, which do not tell.
    replaced:
        What NNCF chose, where the origin is another.
    """

    kind: Literal["weight", "activation"]
    places: tuple[Place, ...]
    scale: tuple[float, ...]
    zero_point: tuple[int, ...]
    low: int
    high: int
    axis: int | None = None
    bits: int = 8
    origin: GridOrigin | None = None
    replaced: Replaced | None = None

    @model_validator(mode="after")
    def _is_a_grid(self) -> TensorQuant:
        if not self.scale or len(self.scale) != len(self.zero_point):
            raise ValueError("as many scales as zero-points, at least one")
        if self.axis is None and len(self.scale) > 1:
            raise ValueError("several scales need an axis")
        if not all(math.isfinite(scale) and scale > 0 for scale in self.scale):
            raise ValueError("a scale that is no positive number")
        if not -UINT8_SHIFT <= self.low < self.high < 2 * UINT8_SHIFT:
            raise ValueError("integers that 8 bits do not hold")
        if not all(self.low <= zero <= self.high for zero in self.zero_point):
            raise ValueError("a zero-point outside of the integers")
        return self

    def put_on(self, scale: float, zero_point: int, *, because: GridOrigin) -> TensorQuant:
        """Return it on another grid, of 0..255; what NNCF chose is kept.

        What nature has fixed, and a rule leaves as it is, stays fixed by nature.
        """
        moved = self.model_copy(
            update={"scale": (scale,), "zero_point": (zero_point,), "low": 0, "high": 255}
        )
        if self.origin == "nature" and moved == self:
            return self
        chosen = self.replaced or Replaced(
            scale=self.scale[0], zero_point=self.zero_point[0], low=self.low, high=self.high
        )
        return moved.model_copy(update={"origin": because, "replaced": chosen})

    @property
    def stored(self) -> StoredGrid:
        """The grid as files have it."""
        shift = shift_to_int8(self.low)
        return StoredGrid(self.scale, tuple(zero - shift for zero in self.zero_point))


class QuantSpec(_Model):
    """All grids of one quantized model.

    >>> from pathlib import Path
    >>> from edgemat.quantize.spec import QuantSpec
    >>> spec = QuantSpec(tensors=())
    >>> spec.save(Path("quant.json"))
    >>> QuantSpec.load(Path("quant.json")) == spec
    True
    """

    schema_version: Literal[1] = 1
    tensors: tuple[TensorQuant, ...]

    def save(self, path: Path) -> None:
        """Write as JSON, in one step."""
        write_text(path, self.model_dump_json(indent=1) + "\n")

    @classmethod
    def load(cls, path: Path) -> QuantSpec:
        """Read what :meth:`save` wrote.

        Raises
        ------
        ArtifactError
            When the file is missing or not a QuantSpec.
        """
        try:
            return cls.model_validate_json(path.read_bytes())
        except (OSError, ValidationError) as error:
            raise ArtifactError(
                f"{path} is not a readable quantization specification.",
                remedy="Quantize the model again.",
            ) from error
