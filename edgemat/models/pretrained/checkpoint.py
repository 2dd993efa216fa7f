"""Read the tensors of a checkpoint, whatever they are wrapped in; nothing in it is run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from torch import Tensor

from edgemat.errors import UsageError
from edgemat.models.weights_file import open_weights

FORMS = "a .pth, .pt, .bin, .safetensors or .npz file"
StateDict = Mapping[str, Tensor]
MAX_DEPTH = 6  # of dictionaries in dictionaries; a pickle may even hold itself


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Return every tensor of a file by its name; names of what it lies in stand before, dotted.

    >>> from pathlib import Path
    >>> import torch
    >>> from edgemat.models.pretrained.checkpoint import read_checkpoint
    >>> torch.save({"state_dict": {"conv1.weight": torch.ones(1)}, "epoch": 3}, "weights.pth")
    >>> read_checkpoint(Path("weights.pth"))
    {'state_dict.conv1.weight': tensor([1.])}

    Raises
    ------
    UsageError
        For a file that is missing or damaged, that holds no tensors, or whose objects would have to
        be run to be read.
    """
    if not path.is_file():
        raise UsageError(f"There is no encoder weights file {path}.", remedy=f"Name {FORMS}.")
    return {
        f"{where}.{name}" if where else name: tensor
        for where, state in read_state_dicts(path).items()
        for name, tensor in state.items()
    }


def read_state_dicts(path: Path) -> dict[str, dict[str, Tensor]]:
    """Return the dictionaries of a file that hold tensors, each by where it lies: "" is the file.

    Raises
    ------
    UsageError
        As :func:`read_checkpoint` does, but for a file that is missing.
    """
    found: dict[str, dict[str, Tensor]] = {}
    for where, name, tensor in _tensors(open_weights(path)):
        found.setdefault(where, {})[name] = tensor
    if not found:
        raise UsageError(
            f"{path} is not a checkpoint: there are no named tensors in it.",
            remedy="Give what torch.save(model.state_dict(), ...) wrote.",
        )
    return found


def _tensors(value: Any, where: str = "", depth: int = 0) -> Iterator[tuple[str, str, Tensor]]:
    """Give every tensor, with the place and the name of what holds it."""
    if not isinstance(value, Mapping) or depth == MAX_DEPTH:
        return
    for key, part in value.items():
        if isinstance(part, Tensor):
            yield where, str(key), part
        else:
            yield from _tensors(part, f"{where}.{key}" if where else str(key), depth + 1)
