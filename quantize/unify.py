"""Give tensors that a mobile runtime keeps on one grid one grid.

TFLite's int8 concatenation and resizing do not rescale: all inputs and the output share scale and
zero-point. Where NNCF chose different grids, the converter would silently replace some of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.overrides import TorchFunctionMode

from quantize.frozen import FrozenFakeQuantize, freeze
from quantize.spec import QuantSpec, TensorQuant

SAME_GRID_FUNCTIONS = (torch.cat, F.interpolate)


def unify_grids(deploy: nn.Module, spec: QuantSpec, example: Tensor) -> QuantSpec:
    """Return `spec` with one grid, the union of the ranges, for each set that must share one.

    Parameters
    ----------
    deploy:
        What `spec` was made for.
    example:
        An input, 1,C,H,W; run once to see which tensors meet.
    """
    frozen = freeze(deploy, spec)
    watch = _Watch()
    quantizers = [m for m in frozen.modules() if isinstance(m, FrozenFakeQuantize)]
    for quantizer in quantizers:
        quantizer.register_forward_hook(watch.after_quantizer)
    with torch.no_grad(), watch:
        frozen(example)

    grids = {quantizer: quantizer.quant for quantizer in quantizers}
    for group in watch.groups():
        shared = _union([quantizer.quant for quantizer in group])
        for quantizer in group:
            grids[quantizer] = grids[quantizer].model_copy(update=shared)
    return spec.model_copy(update={"tensors": tuple(grids.values())})


class _Watch(TorchFunctionMode):
    """Follows which quantizer a tensor's memory comes from, through views and same-grid functions.

    Views share memory, so that storage tells a tensor apart. Everything seen is kept alive, lest
    memory be used twice.
    """

    def __init__(self) -> None:
        super().__init__()
        self._origin: dict[int, FrozenFakeQuantize] = {}
        self._results: dict[int, FrozenFakeQuantize] = {}
        self._leader: dict[FrozenFakeQuantize, FrozenFakeQuantize] = {}
        self._alive: list[Tensor] = []

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in SAME_GRID_FUNCTIONS:
            inputs = args[0] if isinstance(args[0], list | tuple) else [args[0]]
            sources = [self._origin[_memory(x)] for x in inputs if _memory(x) in self._origin]
            for source in sources:
                self._join(sources[0], source)
            if sources:
                self._remember(result, sources[0])
                self._results[_memory(result)] = sources[0]
        return result

    def after_quantizer(
        self, quantizer: FrozenFakeQuantize, inputs: tuple[Tensor, ...], output: Tensor
    ) -> None:
        """A quantizer behind a same-grid function joins those before it."""
        source = self._results.get(_memory(inputs[0]))
        if source is not None:
            self._join(source, quantizer)
        self._remember(output, quantizer)

    def groups(self) -> list[list[FrozenFakeQuantize]]:
        """Return the sets of at least two quantizers that must agree."""
        members: dict[FrozenFakeQuantize, list[FrozenFakeQuantize]] = {}
        for quantizer in self._leader:
            members.setdefault(self._find(quantizer), []).append(quantizer)
        return [group for group in members.values() if len(group) > 1]

    def _remember(self, tensor: Tensor, quantizer: FrozenFakeQuantize) -> None:
        self._alive.append(tensor)
        self._origin[_memory(tensor)] = quantizer

    def _join(self, first: FrozenFakeQuantize, second: FrozenFakeQuantize) -> None:
        self._leader.setdefault(first, first)
        self._leader.setdefault(second, second)
        self._leader[self._find(second)] = self._find(first)

    def _find(self, quantizer: FrozenFakeQuantize) -> FrozenFakeQuantize:
        while self._leader[quantizer] is not quantizer:
            quantizer = self._leader[quantizer]
        return quantizer


def _memory(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def _union(quants: list[TensorQuant]) -> dict[str, Any]:
    """Return scale, zero-point and range of the grid that covers all `quants`."""
    low = min(quant.scale[0] * (quant.low - quant.zero_point[0]) for quant in quants)
    high = max(quant.scale[0] * (quant.high - quant.zero_point[0]) for quant in quants)
    scale = float(np.float32((high - low) / 255))
    zero_point = round(-low / scale)
    return {"scale": (scale,), "zero_point": (zero_point,), "low": 0, "high": 255}
