"""The largest network that is built: an argument may ask for more memory than there is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from edgemat.errors import UsageError
from edgemat.models.info import ModelInfo

MAX_PARAMETERS = 200_000_000
"""Five times the largest of the thesis."""
MAX_NUMBER = 1024
"""Of an argument: a width, a kernel's side, a count of classes."""


def require_small(
    info: ModelInfo, arguments: Mapping[str, Any], *, most: int = MAX_PARAMETERS
) -> None:
    """Refuse a network with too many parameters, before any of them has memory.

    Parameters
    ----------
    most:
        Parameters that it may have.

    Raises
    ------
    UsageError
        Also for arguments that the network cannot be built with.
    """
    for key, value in arguments.items():
        if isinstance(value, int | float) and not 0 <= value <= MAX_NUMBER:
            raise UsageError(
                f"{info.name} cannot be built with {key} = {str(value)[:20]}.",
                remedy=f"Give a number up to {MAX_NUMBER:,}.",
            )
    try:
        with torch.device("meta"):  # which knows shapes, and no values
            network = info.network(**arguments)
    except (TypeError, ValueError, LookupError, ArithmeticError, RuntimeError) as error:
        given = ", ".join(f"{key} = {str(value)[:20]!r}" for key, value in arguments.items())
        raise UsageError(
            f"{info.name} cannot be built with {given}.",
            remedy="The docstring of its class says what it takes.",
        ) from error
    parameters = sum(parameter.numel() for parameter in network.parameters())
    if parameters > most:
        raise UsageError(
            f"{info.name} would have {parameters:.2g} parameters, at most {most:.2g} may be.",
            remedy="Give a smaller width.",
        )
