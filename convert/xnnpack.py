"""XNNPACK's int8 arithmetic, in torch: what an int8 file computes, to the last bit.

A frozen model computes in float32 what a file computes in integers. The grids are the same, but
where a value lies on the edge between two steps the two may fall to different sides: one in a
hundred thousand after a convolution, one in thirty after a bilinear resize, and a deep network
multiplies them. Within :class:`XnnpackArithmetic` a frozen model computes as XNNPACK's kernels do,
and its matte is that of the file.

=========================== =====================================================================
convolutions, matrices      products of integers summed exactly, multiplied once in float32 by
                            the ratio of the scales, rounded half to even
products of two tensors     the same (x86-64 and WebAssembly; arm64 has a kernel of its own, which
                            rounds half up)
sums, differences           fixed point: multipliers of 20 bits, rounded half up
bilinear resizes            weights of 11 bits, rounded half up
what moves or chooses       cuts, joins, borders, maxima: nothing is rounded
all else                    as the frozen model has it: float32, rounded half to even
=========================== =====================================================================

Source: XNNPACK's public kernels (qs8-qc8w-gemm, qs8-vadd, qs8-vmul, s8-ibilinear) as they behave;
tests compare every tensor of LiteRT's, on x86-64, with what is computed here. On the CPU alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from edgemat.convert.qdq import scale_of_constant

LARGEST_EXACT = 2**24
"""Sums of integers below are exact in float32."""
LARGEST_PRODUCT = 255 * 127
"""Of a value less its zero-point and a weight."""
MULTIPLIER_BITS = 20
WEIGHT_BITS = 11
SUMMED_RATIOS = 2.0**-10, 2.0**8
"""Of the scales of an operand and a sum: outside, XNNPACK leaves the sum to another kernel."""


@dataclass(frozen=True)
class Unrounded:
    """What a kernel holds before it rounds.

    Attributes
    ----------
    rounded:
        Gives the whole multiples of a step that the kernel rounds to; None where it cannot.
    low, high:
        Bounds of the activations that the kernel applies while it rounds.
    """

    rounded: Callable[[float], Tensor | None]
    low: float = -math.inf
    high: float = math.inf


class XnnpackArithmetic(TorchFunctionMode):
    """Within, frozen models compute as XNNPACK does.

    >>> import torch
    >>> from edgemat.convert.xnnpack import XnnpackArithmetic
    >>> def add(one: float, other: float) -> float:
    ...     on = lambda x, step: torch.fake_quantize_per_tensor_affine(x, step, 0, -128, 127)
    ...     total = on(torch.tensor(one), 0.5) + on(torch.tensor(other), 0.5)
    ...     return on(total, 1.0).item()
    >>> add(0.0, 0.5)
    0.0
    >>> with XnnpackArithmetic():
    ...     add(0.0, 0.5)
    1.0
    """

    def __init__(self) -> None:
        super().__init__()
        # of what lies on a grid: its step, of a weight one for each of its outputs
        self._steps = _Notes()
        self._unrounded = _Notes()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kernel = _KERNELS.get(getattr(func, "__name__", "")) if args else None
        if kernel is None:
            return func(*args, **(kwargs or {}))
        return kernel(self, func, *args, **(kwargs or {}))

    def _step(self, x: Any) -> Any:
        return self._steps.get(x) if isinstance(x, Tensor) else None

    def _round(
        self, func: Callable[..., Tensor], x: Tensor, step: float, zero: int, low: int, high: int
    ) -> Tensor:
        unrounded: Unrounded | None = self._unrounded.get(x)
        whole = None if unrounded is None else unrounded.rounded(step)
        if unrounded is None or whole is None:
            result = func(x, step, zero, low, high)
        else:
            low, high = low - zero, high - zero
            if math.isfinite(unrounded.low):
                low = max(low, round(unrounded.low / step))
            if math.isfinite(unrounded.high):
                high = min(high, round(unrounded.high / step))
            result = whole.clamp(low, high) * step
        self._steps[result] = step
        return result

    def _round_weight(
        self, func: Callable[..., Tensor], x: Tensor, steps: Tensor, *grid: Any
    ) -> Tensor:
        result = func(x, steps, *grid)
        self._steps[result] = steps
        return result

    def _multiply_matrices(
        self,
        func: Callable[..., Tensor],
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None = None,
        *options: Any,
        **more: Any,
    ) -> Tensor:
        """Convolutions and matrix products, of weights with a scale for each output."""
        result = func(x, weight, bias, *options, **more)
        step, steps = self._step(x), self._step(weight)
        if step is None or not isinstance(steps, Tensor):
            return result
        channels = (-1, *[1] * (weight.ndim - 2))
        scales = (step * steps).reshape(channels)  # in float32, as the kernel's own
        outputs = (-1, *[1] * (weight.ndim - 1))
        exact = weight[0].numel() * LARGEST_PRODUCT < LARGEST_EXACT
        kind = torch.float32 if exact else torch.float64
        whole = torch.round(x / step).to(kind)
        weights = torch.round(weight / steps.reshape(outputs)).to(kind)
        total = func(whole, weights, None, *options, **more).double()
        if bias is not None:
            total += torch.round(bias.reshape(channels).double() / scales.double())
        sums = total.float()
        self._unrounded[result] = Unrounded(lambda out: torch.round(sums * (scales / out)))
        return result

    def _multiply(self, func: Callable[..., Tensor], one: Any, other: Any, **more: Any) -> Tensor:
        result = func(one, other, **more)
        operands = self._on_grids(one, other)
        if operands is not None:
            (first, step), (second, other_step) = operands
            products, scale = first * second, np.float32(step) * np.float32(other_step)
            self._unrounded[result] = Unrounded(
                lambda out: torch.round(products * float(scale / np.float32(out)))
            )
        return result

    def _add(self, func: Callable[..., Tensor], one: Any, other: Any, **more: Any) -> Tensor:
        result = func(one, other, **more)
        return result if more else self._sum(result, one, other, sign=1)

    def _subtract(self, func: Callable[..., Tensor], one: Any, other: Any, **more: Any) -> Tensor:
        result = func(one, other, **more)
        return result if more else self._sum(result, one, other, sign=-1)

    def _subtract_from(self, func: Callable[..., Tensor], one: Any, other: Any) -> Tensor:
        return self._sum(func(one, other), other, one, sign=-1)

    def _sum(self, result: Tensor, one: Any, other: Any, *, sign: int) -> Tensor:
        operands = self._on_grids(one, other)
        if operands is None:
            return result
        (first, step), (second, other_step) = operands

        def rounded(out: float) -> Tensor | None:
            ratios = [np.float32(each) / np.float32(out) for each in (step, other_step)]
            least, beyond = SUMMED_RATIOS
            if not all(least <= ratio < beyond for ratio in ratios):
                return None
            shift = MULTIPLIER_BITS - math.floor(math.log2(max(ratios)))
            ours, theirs = (round(float(ratio) * 2**shift) for ratio in ratios)
            total: Tensor = first.long() * ours + second.long() * (sign * theirs)
            return (total + (1 << (shift - 1)) >> shift).float()

        self._unrounded[result] = Unrounded(rounded)
        return result

    def _on_grids(self, *operands: Any) -> list[tuple[Tensor, float]] | None:
        """Return what whole multiples operands are, of which steps; None if one has no grid."""
        found = []
        for operand in operands:
            if isinstance(operand, Tensor):
                step = self._step(operand)
                if not isinstance(step, float):
                    return None
            else:
                step = scale_of_constant(operand)
            found.append((torch.round(torch.as_tensor(operand) / step), step))
        return found

    def _resize(self, func: Callable[..., Tensor], x: Tensor, *options: Any, **more: Any) -> Tensor:
        result = func(x, *options, **more)
        step = self._step(x)
        if step is None or more.get("antialias"):
            return result
        if more.get("mode", "nearest") == "nearest":
            self._steps[result] = step
        elif more["mode"] == "bilinear":
            whole = torch.round(x / step).long()
            corners = bool(more.get("align_corners"))
            resized = resize_integers(whole, result.shape[2:], align_corners=corners)

            self._unrounded[result] = Unrounded(lambda out: resized if out == step else None)
        return result

    def _activate(
        self, func: Callable[..., Tensor], x: Tensor, *bounds: Any, **more: Any
    ) -> Tensor:
        unrounded = self._unrounded.get(x)  # asked before: in place, the result is x
        result = func(x, *bounds, **more)
        if unrounded is not None and not _has_tensors(bounds, more):
            low, high = _bounds(func.__name__, bounds, more)
            self._unrounded[result] = replace(
                unrounded, low=max(unrounded.low, low), high=min(unrounded.high, high)
            )
        return result

    def _move(self, func: Callable[..., Any], moved: Any, *options: Any, **more: Any) -> Any:
        """What gives values on the grid that it takes them from, one tensor or several."""
        result = func(moved, *options, **more)
        parts = [moved] if isinstance(moved, Tensor) else list(moved)
        if func.__name__ == "pad" and (more.get("value") or options[2:]):
            return result  # what it puts around may lie on no grid
        steps = [self._step(part) for part in parts]
        if isinstance(steps[0], float) and all(step == steps[0] for step in steps):
            for one in (result,) if isinstance(result, Tensor) else result:
                self._steps[one] = steps[0]
        waiting = [self._unrounded.get(part) for part in parts]
        first = waiting[0]
        if isinstance(result, Tensor) and all(
            one is not None and (one.low, one.high) == (first.low, first.high) for one in waiting
        ):

            def rounded(out: float) -> Tensor | None:
                whole = [one.rounded(out) for one in waiting]
                if any(one is None for one in whole):
                    return None
                moved_whole: Tensor = func(
                    whole[0] if isinstance(moved, Tensor) else whole, *options, **more
                )
                return moved_whole

            self._unrounded[result] = replace(first, rounded=rounded)
        return result


class _Notes:
    """What is known of tensors, as long as they live and are not changed in place."""

    def __init__(self) -> None:
        self._notes = WeakTensorKeyDictionary()

    def __setitem__(self, x: Tensor, note: Any) -> None:
        self._notes[x] = (x._version, note)

    def get(self, x: Tensor) -> Any:
        version, note = self._notes.get(x, (None, None))
        return note if version == x._version else None


def _has_tensors(given: tuple[Any, ...], more: dict[str, Any]) -> bool:
    return any(isinstance(value, Tensor) for value in (*given, *more.values()))


def resize_integers(x: Tensor, size: tuple[int, ...], *, align_corners: bool) -> Tensor:
    """Return N,C,H,W integers, resized bilinearly with weights of 11 bits and rounded half up.

    Returns
    -------
    Whole numbers in float32.
    """
    top, bottom, down = _neighbours(x.shape[2], size[0], align_corners)
    left, right, across = _neighbours(x.shape[3], size[1], align_corners)

    def mixed(rows: Tensor) -> Tensor:
        line = x[:, :, rows]
        return (line[..., left] << WEIGHT_BITS) + (line[..., right] - line[..., left]) * across

    above, below = mixed(top), mixed(bottom)
    total = (above << WEIGHT_BITS) + (below - above) * down[:, None]
    return ((total + (1 << (2 * WEIGHT_BITS - 1))) >> (2 * WEIGHT_BITS)).float()


def _neighbours(length: int, size: int, align_corners: bool) -> tuple[Tensor, ...]:
    """Return, of every place of the result, the two that it lies between and the second's weight.

    In float32, step by step as XNNPACK has it.
    """
    at = np.arange(size, dtype=np.float32)
    if align_corners:
        at = at * np.float32((length - 1) / max(1, size - 1))
    else:
        step = np.float32(length) / np.float32(size)
        at = at * step + np.float32(0.5) * step - np.float32(0.5)
    at = at.clip(0, length - 1)
    first = at.astype(np.int64)
    weight = np.rint((at - first) * (1 << WEIGHT_BITS)).astype(np.int64)
    second = np.minimum(first + 1, length - 1)
    return torch.from_numpy(first), torch.from_numpy(second), torch.from_numpy(weight)


def _bounds(name: str, given: tuple[Any, ...], more: dict[str, Any]) -> tuple[float, float]:
    """Return what an activation keeps values between."""
    bounds: list[float | None]
    match name:
        case "relu" | "relu_":
            return 0.0, math.inf
        case "relu6":
            return 0.0, 6.0
        case "hardtanh":
            names, bounds = ("min_val", "max_val"), [-1.0, 1.0]
        case _:
            names, bounds = ("min", "max"), [None, None]
    bounds = [more.get(key, bound) for key, bound in zip(names, bounds, strict=True)]
    bounds[: len(given[:2])] = given[:2]
    low, high = bounds
    return -math.inf if low is None else float(low), math.inf if high is None else float(high)


_ACTIVATIONS = ("relu", "relu_", "relu6", "hardtanh", "clamp", "clip")
_MOVES = (
    *("cat", "concat", "stack", "pad", "__getitem__", "chunk", "split", "narrow", "view"),
    *("reshape", "flatten", "permute", "transpose", "contiguous", "pixel_shuffle", "flip"),
    *("squeeze", "unsqueeze", "expand", "repeat", "repeat_interleave", "unbind", "clone"),
    *("max_pool2d", "amax"),
)
_KERNELS: dict[str, Callable[..., Any]] = {
    "fake_quantize_per_tensor_affine": XnnpackArithmetic._round,
    "fake_quantize_per_channel_affine": XnnpackArithmetic._round_weight,
    "conv2d": XnnpackArithmetic._multiply_matrices,
    "linear": XnnpackArithmetic._multiply_matrices,
    **dict.fromkeys(("mul", "multiply"), XnnpackArithmetic._multiply),
    "add": XnnpackArithmetic._add,
    **dict.fromkeys(("sub", "subtract"), XnnpackArithmetic._subtract),
    "__rsub__": XnnpackArithmetic._subtract_from,
    "interpolate": XnnpackArithmetic._resize,
    **dict.fromkeys(_ACTIVATIONS, XnnpackArithmetic._activate),
    **dict.fromkeys(_MOVES, XnnpackArithmetic._move),
}
"""By the names of torch's functions, which its operators (`a + b`) call as well."""
