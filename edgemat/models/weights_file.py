"""Files of weights: .npz, .safetensors, or a state dict of torch's; damage is said."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from edgemat.errors import UsageError
from edgemat.npz import array_names, read_array

# What torch's restricted unpickler, safetensors and zips raise on damaged bytes.
DAMAGED = (
    *(OSError, ValueError, RuntimeError, LookupError, EOFError, TypeError, AttributeError),
    *(ArithmeticError, AssertionError, MemoryError, SafetensorError, UnpicklingError),
    *(struct.error, zlib.error),
)


MAX_BYTES = 2 * 2**30
"""Of a checkpoint; the largest that is known, with an optimizer's state, has 1.6e9."""


def check_file(path: Path) -> None:
    """Refuse what is no checkpoint before it is read.

    Raises
    ------
    UsageError
        For a folder, an artefact, no file at all, and one that is too large.
    """
    if path.is_dir():
        if (path / "manifest.json").is_file():
            raise UsageError(
                f"{path} is an artefact of edgemat already.",
                remedy="Give it to matte, evaluate, convert or export as it is.",
            )
        raise UsageError(
            f"{path} is a folder, a checkpoint is one file.",
            remedy="Name the .pth, .pt, .tar or .safetensors file in it.",
        )
    if not path.is_file():
        raise UsageError(
            f"There is no checkpoint {path}.", remedy="Name a .pth, .pt, .tar or .safetensors file."
        )
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise UsageError(
            f"{path} has {size / 2**30:.1f} GB, a checkpoint of at most 2 GB is read.",
            remedy="Save the network alone: torch.save(model.state_dict(), 'weights.pth')",
        )


def without_numbers(tensors: Iterable[tuple[str, Tensor]]) -> str | None:
    """Return the name of the first tensor that holds NaN or infinite values; None without one."""
    for name, tensor in tensors:
        there = tensor.layout == torch.strided and not tensor.is_meta
        if there and tensor.is_floating_point() and not torch.isfinite(tensor).all():
            return name
    return None


def read_weights_file(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file by name.

    Raises
    ------
    UsageError
        When it cannot be read, or holds anything but named tensors.
    """
    weights = open_weights(path)
    if not isinstance(weights, dict) or not all(
        isinstance(key, str) and isinstance(value, Tensor) for key, value in weights.items()
    ):
        raise UsageError(
            f"{path} holds something other than named tensors.",
            remedy="Save the state dict alone: torch.save(network.state_dict(), ...).",
        )
    return weights


def open_weights(path: Path) -> Any:
    """Return what a file holds: tensors by name, or whatever torch wraps them in.

    Raises
    ------
    UsageError
        When it cannot be read, or when code would have to be run for that.
    """
    try:
        return _read(path)
    except DAMAGED as error:
        if "nsupported global" in str(error):
            raise UsageError(
                f"{path} holds Python objects beside its tensors, and reading those could run code "
                "of whoever made it.",
                remedy="In the program that made it: torch.save(model.state_dict(), 'weights.pth')",
            ) from error
        raise UsageError(
            f"{path} is not a readable weights file.", remedy="Download it again."
        ) from error


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Return a file's tensors by name; raises what safetensors raises on damage."""
    return load_file(path)


def _read(path: Path) -> Any:
    if path.suffix == ".npz":
        return {name: torch.from_numpy(read_array(path, name)) for name in array_names(path)}
    if path.suffix == ".safetensors":
        return read_safetensors(path)
    with torch.serialization.safe_globals(_numbers()):
        return torch.load(path, map_location="cpu", weights_only=True)


def _numbers() -> list[Any]:
    """Return what a pickled number of numpy's is made of: a best score beside the weights."""
    scalar = np.float64(0).__reduce__()[0]
    kinds = (np.float64, np.float32, np.int64, np.bool_)
    # by the name of before numpy 2, too, which released checkpoints were written with
    names = ("numpy.core.multiarray.scalar", "numpy._core.multiarray.scalar")
    return [*((scalar, name) for name in names), np.dtype, *(type(np.dtype(k)) for k in kinds)]
