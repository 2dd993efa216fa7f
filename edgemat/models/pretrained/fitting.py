"""Whether a checkpoint's tensors can be a network's: where they lie, and what they hold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor

from edgemat.errors import UsageError

ITSELF = ("state_dict", "model", "module")
"""What wraps the network itself, where a file has it twice: averaged, or as a teacher, too."""


def prefixes(name: str, names: Iterable[str]) -> list[str]:
    """Return what stands before `name` wherever it ends one of `names`."""
    return [key.removesuffix(name) for key in names if key == name or key.endswith(f".{name}")]


def shown_size(shape: tuple[int, ...]) -> str:
    """Return a shape in words."""
    return " x ".join(map(str, shape)) or "one number"


def check_values(tensor: Tensor, name: str, source: str | Path) -> None:
    """Refuse what no trained network holds.

    Raises
    ------
    UsageError
        For numbers that are not floating-point or not finite, and for negative variances.
    """
    remedy = "Give a checkpoint in floating point from before that, or download it again."
    if tensor.layout != torch.strided or not tensor.is_floating_point():
        raise UsageError(
            f"{source}: {name} holds no floating-point numbers ({tensor.dtype}).", remedy=remedy
        )
    if not torch.isfinite(tensor).all():
        raise UsageError(f"{source}: {name} holds numbers that are not finite.", remedy=remedy)
    if name.endswith("running_var") and (tensor < 0).any():
        raise UsageError(f"{source}: {name} holds negative variances.", remedy=remedy)
