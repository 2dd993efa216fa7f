"""Grids that are fixed before any picture is seen.

Pixels, mattes, masks, sigmoids and differences that are cut have a range by their nature. Their
grids hold 0 and the ends exactly, and quantization-aware training leaves them alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from edgemat.errors import UnsupportedError
from edgemat.images import PIXEL_SCALE
from edgemat.models.adopted.replacements import WIDEST_INT8_SOFTMAX, WideSoftmax
from edgemat.models.blocks.pooling import DeployMaxPool
from edgemat.models.blocks.segmentation import DeployTrimapAttention
from edgemat.quantize.spec import Place, TensorQuant

FIXED_GRID_FUNCTIONS = ("sigmoid", "softmax")
"""Runtimes fix the grid of their outputs: the scale is UNIT_SCALE, the lowest value 0."""
UNIT_SCALE = 1 / 256
CUT_SCALE = DeployTrimapAttention.CUT / 128
"""-CUT is the lowest step and CUT one above the highest: the grid cuts as the network does."""


def runtimes_fix(place: Place) -> bool:
    """Tell the results of functions whose grid runtimes fix; what these are given has its own."""
    return place.when == "post" and place.function in FIXED_GRID_FUNCTIONS


def require_narrow_softmaxes(deploy: nn.Module, x: Tensor) -> None:
    """Refuse a network whose attention int8 cannot hold.

    Its softmax over more than `WIDEST_INT8_SOFTMAX` values would be 0 nearly everywhere, and
    LiteRT's reference kernel ends the process for sums that large. Adopted networks have
    :class:`edgemat.models.adopted.replacements.WideSoftmax` there.

    Parameters
    ----------
    x:
        One input, 1,C,H,W, of the size that the network is converted at.

    Raises
    ------
    UnsupportedError
        When it has one.
    """
    with torch.no_grad(), _Softmaxes() as seen:
        deploy(x)
    too_wide = [width for width in seen.widths if width > WIDEST_INT8_SOFTMAX]
    in_float = sum(isinstance(module, WideSoftmax) for module in deploy.modules())  # called once
    if len(too_wide) > in_float:
        raise UnsupportedError(
            f"A softmax shares 1 out among {max(too_wide):,} values: in int8, in steps of 1/256, "
            "nearly all of them would be 0.",
            remedy="Convert it to tflite-fp16 or coreml-fp16, or adopt it at a smaller --size.",
        )


class _Softmaxes(TorchFunctionMode):
    """Notes among how many values every softmax shares 1 out."""

    def __init__(self) -> None:
        super().__init__()
        self.widths: list[int] = []

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") == "softmax":
            x = args[0] if args else kwargs["input"]
            dim = kwargs["dim"] if "dim" in kwargs else args[1]
            self.widths.append(x.shape[dim])
        return func(*args, **kwargs)


class Grid(NamedTuple):
    """The grid of a whole tensor: a scale, and a zero-point within 0..255."""

    scale: float
    zero_point: int


class FixedGrids:
    """Tells which tensors of a deploy form have a range by their nature, and puts them on it."""

    def __init__(self, deploy: nn.Module) -> None:
        self._max_pools = _paths(deploy, DeployMaxPool)
        self._attentions = _paths(deploy, DeployTrimapAttention)
        self._wide_softmaxes = _paths(deploy, WideSoftmax)

    def of(self, quant: TensorQuant) -> Grid | None:
        """Return the grid of a tensor whose range is known, else None."""
        if any(self._is_fixed_by_runtimes(place) for place in quant.places):
            return Grid(UNIT_SCALE, 0)
        if any(self._is_pixel_or_mask(place) for place in quant.places):
            return Grid(float(PIXEL_SCALE), 0)  # an 8-bit picture passes without loss
        if any(self._is_cut(place) for place in quant.places):
            return Grid(CUT_SCALE, 128)
        return None

    def pin(self, quant: TensorQuant) -> TensorQuant:
        """Put a tensor whose range is known on its grid, whatever was observed."""
        grid = self.of(quant)
        if grid is None:
            return quant
        scale = float(np.float32(grid.scale))  # files store float32
        return quant.put_on(scale, grid.zero_point, because="nature")

    def _is_fixed_by_runtimes(self, place: Place) -> bool:
        in_float = place.operator.startswith(self._wide_softmaxes)
        return runtimes_fix(place) and not in_float

    def _is_pixel_or_mask(self, place: Place) -> bool:
        """Tell the model's input and output, and the masks of max-pooling, all within 0..1."""
        if place.when == "pre":
            return False
        if place.function == "" or place.operator.startswith("/clamp/"):
            return True
        difference = place.operator.split("/")[-3:-1] == ["below", "sub"]  # has the feature's range
        return place.operator.startswith(self._max_pools) and not difference

    def _is_cut(self, place: Place) -> bool:
        """Tell the differences of logits that the attention cuts."""
        inside = place.operator.startswith(self._attentions)
        return inside and place.when == "post" and place.function == "clamp"


def _paths(deploy: nn.Module, kind: type[nn.Module]) -> tuple[str, ...]:
    """Return what the names of the operators inside of modules of a kind begin with."""
    return tuple(
        name.replace(".", "/") + "/"
        for name, module in deploy.named_modules()
        if isinstance(module, kind)
    )
