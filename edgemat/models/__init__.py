"""The networks, by name.

>>> from edgemat.models import create_model
>>> model = create_model("indexnet-m2o-nlc", width=0.5)
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any, Literal

from edgemat.errors import UsageError, nearest
from edgemat.models.indexnet import IndexNet
from edgemat.models.indexnet_slim import IndexNetSlim
from edgemat.models.layers import MattingNetwork
from edgemat.models.pspm import PSPM
from edgemat.models.pspm_slim import PSPMSlim

Task = Literal["trimap", "portrait"]


@dataclass(frozen=True)
class ModelInfo:
    """One network, of the thesis or made from one of its.

    Attributes
    ----------
    task:
        "trimap": the input is RGB and a trimap; "portrait": RGB alone.
    table:
        Where the thesis reports it; None for a network of ours.
    thesis_parameters, thesis_operations:
        Learnable parameters, in millions, and operations, in 2**30, at 224x224, as printed there.
    """

    name: str
    network: type[MattingNetwork]
    task: Task
    chapter: int
    table: str | None = None
    thesis_parameters: float | None = None
    thesis_operations: float | None = None

    @property
    def in_channels(self) -> Literal[3, 4]:
        return 4 if self.task == "trimap" else 3


_MODELS = {
    info.name: info
    for info in (
        ModelInfo("indexnet-m2o-nlc", IndexNet, "trimap", 3, "3.4", 8.15, 6.30),
        ModelInfo("indexnet-slim", IndexNetSlim, "trimap", 3),
        ModelInfo("pspm-b5", PSPM, "portrait", 6, "6.4", 5.90, 6.53),
        ModelInfo("pspm-slim", PSPMSlim, "portrait", 6),
    )
}


def list_models() -> list[ModelInfo]:
    """Return what is known of every network, in the order of the thesis."""
    return list(_MODELS.values())


def model_info(name: str) -> ModelInfo:
    """Return what is known of one network.

    Raises
    ------
    UsageError
        For an unknown name; the nearest known names are offered.
    """
    if name not in _MODELS:
        raise UsageError(f"There is no model {name!r}.", remedy=nearest(name, _MODELS))
    return _MODELS[name]


def create_model(name: str, **config: Any) -> MattingNetwork:
    """Build a network with fresh weights.

    Parameters
    ----------
    name:
        One of :func:`list_models`.
    config:
        Keyword arguments of the network's class, for example ``width=0.5``.

    Raises
    ------
    UsageError
        For an unknown name or argument.
    """
    network = model_info(name).network
    known = [p for p in inspect.signature(network).parameters]
    for key in config:
        if key not in known:
            raise UsageError(f"{name} has no argument {key!r}.", remedy=nearest(key, known))
    return network(**config)
