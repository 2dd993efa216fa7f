"""Bring the frozen model in line with the arithmetic of int8 runtimes.

Two things differ from plain fake-quantization, and both are known before any file is written:

* TFLite's int8 concatenation, resizing and maxima do not rescale: inputs and output share
  one grid. What is computed once is on one grid for all who take it. Where NNCF chose different
  ones, the converter would silently replace some of them.
* A convolution's bias is an int32 on the grid of its accumulator, input scale times weight scale.
  Rounding it moves one output in a thousand by a step, which a deep network amplifies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from scipy.cluster.hierarchy import DisjointSet
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from edgemat.errors import ConversionError
from edgemat.quantize.fixed_grids import Grid, runtimes_fix
from edgemat.quantize.frozen import FrozenFakeQuantize, freeze
from edgemat.quantize.spec import QuantSpec, TensorQuant
from edgemat.quantize.watch import QuantizerWatch

# by name: under a function mode, torch reports some of them by their private twins
SAME_GRID_FUNCTIONS = {"amax", "cat", "interpolate", "max_pool2d", "_max_pool2d", "pad", "reshape"}
SAME_GRID_OF_TWO = {"maximum", "minimum"}


def unify_grids(deploy: nn.Module, spec: QuantSpec, example: Tensor) -> QuantSpec:
    """Return `spec` with one grid, the union of the ranges, for each set that must share one.

    Parameters
    ----------
    deploy:
        What `spec` was made for.
    example:
        An input, 1,C,H,W; run once to see which tensors meet.
    """
    watch = _watch(freeze(deploy, spec), example)
    grids = {quantizer: quantizer.quant for quantizer in watch.quantizers}
    for group in watch.groups():
        shared = _union([quantizer.quant for quantizer in group])
        for quantizer in group:
            grids[quantizer] = quantizer.quant.put_on(*shared, because="rule")
    return spec.model_copy(update={"tensors": tuple(grids.values())})


def tied_grids(deploy: nn.Module, spec: QuantSpec, example: Tensor) -> list[set[int]]:
    """Return the sets of tensors, by number in `spec`, that must stay on one grid."""
    frozen = _watch(freeze(deploy, spec), example)
    numbers = {quantizer: number for number, quantizer in enumerate(frozen.quantizers)}
    return [{numbers[quantizer] for quantizer in group} for group in frozen.groups()]


def snap_biases(deploy: nn.Module, spec: QuantSpec, example: Tensor) -> None:
    """Round every convolution's bias, in place, to the int32 grid that runtimes hold it on."""
    with torch.no_grad():
        for name, bias, source, weight in _convolutions(deploy, spec, example):
            step = torch.tensor(weight.scale, dtype=torch.float64) * source.scale[0]
            snapped = torch.round(bias.double() / step) * step
            deploy.get_parameter(f"{name}.bias").copy_(snapped.float())


def quantized_layers(deploy: nn.Module, spec: QuantSpec, example: Tensor) -> dict[str, TensorQuant]:
    """Return the grid of weights of each convolution, by the path of its module."""
    return {name: weight for name, _, _, weight in _convolutions(deploy, spec, example)}


def _convolutions(
    deploy: nn.Module, spec: QuantSpec, example: Tensor
) -> list[tuple[str, Tensor, TensorQuant, TensorQuant]]:
    """Return each convolution's path, a copy of its bias, its input's grid and its weights'."""
    frozen = freeze(deploy, spec)
    names = {parameter: name for name, parameter in frozen.named_parameters()}
    return [
        (names[bias].removesuffix(".bias"), bias, source.quant, weight.quant)
        for bias, source, weight in _watch(frozen, example).convolutions
    ]


def _watch(frozen: nn.Module, example: Tensor) -> _SharedGrids:
    watch = _SharedGrids(frozen)
    with torch.no_grad(), watch:
        frozen(example)
    return watch


class _SharedGrids(QuantizerWatch, TorchFunctionMode):
    """Follows which quantizer a tensor's memory comes from, through views and same-grid functions.

    Attributes
    ----------
    convolutions:
        Bias, quantizer of the input and quantizer of the weight.
    """

    def __init__(self, frozen: nn.Module) -> None:
        TorchFunctionMode.__init__(self)
        QuantizerWatch.__init__(self, frozen)
        self.convolutions: list[tuple[nn.Parameter, FrozenFakeQuantize, FrozenFakeQuantize]] = []
        self._origin: dict[int, FrozenFakeQuantize] = {}
        self._moved: set[int] = set()
        # of quantizers, and of the memory of tensors that a quantizer is still to round
        self._alike = DisjointSet()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        name = getattr(func, "__name__", "")
        if name in SAME_GRID_FUNCTIONS | SAME_GRID_OF_TWO:
            inputs = args[0] if isinstance(args[0], list | tuple) else [args[0]]
            inputs = args[:2] if name in SAME_GRID_OF_TWO else inputs
            places = [self.memory(x) for x in inputs]
            alike = [self._origin.get(place, place) for place in places]
            place = self.memory(result)
            self._join(*alike, place)
            rounded = [one for one in alike if isinstance(one, FrozenFakeQuantize)]
            if rounded and place not in places:  # what is no view of its input
                self._remember(result, rounded[0])
                self._moved.add(place)
        elif name == "conv2d" and len(args) > 2 and isinstance(args[2], nn.Parameter):
            x, weight, bias = args[:3]
            given = self._origin.get(self.memory(x))
            if given is not None:  # else it takes what a float operator gives
                self.convolutions.append((bias, given, self._origin[self.memory(weight)]))
        return result

    def after_quantizer(
        self, quantizer: FrozenFakeQuantize, inputs: tuple[Tensor, ...], output: Tensor
    ) -> None:
        """A quantizer behind a same-grid function joins those before it, or others of its input."""
        place = self.memory(inputs[0])
        unrounded = place not in self._origin and quantizer.quant.kind == "activation"
        if unrounded or place in self._moved:
            self._join(place, quantizer)
        self._remember(output, quantizer)

    def groups(self) -> list[list[FrozenFakeQuantize]]:
        """Return the sets of at least two quantizers that must agree."""
        members: dict[object, list[FrozenFakeQuantize]] = {}
        for quantizer in self.quantizers:
            if quantizer in self._alike:
                members.setdefault(self._alike[quantizer], []).append(quantizer)
        return [group for group in members.values() if len(group) > 1]

    def _remember(self, tensor: Tensor, quantizer: FrozenFakeQuantize) -> None:
        self._origin[self.memory(tensor)] = quantizer

    def _join(self, first: FrozenFakeQuantize | int, *others: FrozenFakeQuantize | int) -> None:
        """Note that some quantizers, and tensors still to be rounded, share a grid."""
        self._alike.add(first)
        for other in others:
            self._alike.add(other)
            self._alike.merge(first, other)


def _union(quants: list[TensorQuant]) -> Grid:
    """Return the grid of 0..255 that covers all `quants`."""
    fixed = [q for q in quants if any(runtimes_fix(place) for place in q.places)]
    if fixed and any(q.scale != fixed[0].scale for q in quants):
        raise ConversionError(
            f"{fixed[0].places[0].operator} has a grid that TFLite fixes, and meets tensors with "
            "other grids in a concatenation or resizing.",
            remedy="Put a multiplication by one behind it in the deploy form.",
        )
    low = min(quant.scale[0] * (quant.low - quant.zero_point[0]) for quant in quants)
    high = max(quant.scale[0] * (quant.high - quant.zero_point[0]) for quant in quants)
    scale = float(np.float32((high - low) / 255))
    return Grid(scale, round(-low / scale))
