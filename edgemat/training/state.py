"""Files of a training that is under way: written whole or not at all, and damage is said."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from edgemat.errors import TrainingError
from edgemat.files import atomic_path
from edgemat.models.weights_file import DAMAGED


def write_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors and plain values; what lies at `path` is replaced at once."""
    buffer = io.BytesIO()  # torch's own writer hides the reason when a disk is full
    torch.save(state, buffer)
    with atomic_path(path) as temporary:
        temporary.write_bytes(buffer.getbuffer())


@contextlib.contextmanager
def reading_state(path: Path) -> Iterator[dict[str, Any]]:
    """Give what :func:`write_state` wrote.

    Raises
    ------
    TrainingError
        When it is damaged, as it shows here or where it is used inside.
    """
    try:
        yield torch.load(path, map_location="cpu", weights_only=True)
    except DAMAGED as error:
        raise TrainingError(
            f"The checkpoint {path} is damaged.",
            remedy="Delete it: the training then begins anew.",
        ) from error
