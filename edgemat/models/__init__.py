"""The networks, by name: a module for each architecture, built from ``blocks`` and ``encoders``.

>>> from edgemat.models import create_model
>>> create_model("indexnet-m2o-nlc", width=0.5).stride
32

A network is one file, ``MODELS`` at its end, and one line here.
"""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from edgemat.errors import UsageError, nearest
from edgemat.models.bounds import require_small
from edgemat.models.info import CLASSICAL_METHODS, MattingTask, ModelInfo, Printed, Task
from edgemat.models.network import MattingNetwork, Network

__all__ = [
    "MattingTask",
    "ModelInfo",
    "Printed",
    "Task",
    "create_matting",
    "create_model",
    "list_models",
    "model_info",
]

# modules of this package, in the order of the thesis
_MODULES = (
    "reconstruct",
    "deeplab",
    "refinenet",
    "dim",
    "indexnet",
    "indexnet_slim",
    "dncnn",
    "segnet",
    "upernet",
    "fastdepth",
    "hu_depth",
    "a2u",
    "rmat",
    "pspm_baseline",
    "pspm",
    "pspm_slim",
    "pspm_live",
)
_MODELS: dict[str, ModelInfo] = {
    info.name: info for module in _MODULES for info in import_module(f"{__name__}.{module}").MODELS
}


def list_models() -> list[ModelInfo]:
    """Return what is known of every network, in the order of the thesis.

    >>> from edgemat.models import list_models
    >>> [info.name for info in list_models() if info.thesis and info.thesis.table == "6.4"]
    ['pspm-b3', 'pspm-b4', 'pspm-b5', 'pspm-b5-fm']
    """
    return list(_MODELS.values())


def model_info(name: str) -> ModelInfo:
    """Return what is known of one network.

    >>> from edgemat.models import model_info
    >>> model_info("indexnet-m2o-nlc").thesis
    Printed(table='3.4', parameters=8.15, operations=6.3)

    Raises
    ------
    UsageError
        For an unknown name; the nearest known names are offered.
    """
    if name not in _MODELS:
        if name in CLASSICAL_METHODS:
            raise UsageError(
                f"{name} is a classical method, no network.",
                remedy=f"Use edgemat.matte(image, trimap, model={name!r}).",
            )
        raise UsageError(f"There is no model {name!r}.", remedy=nearest(name, _MODELS))
    return _MODELS[name]


def create_model(name: str, **config: Any) -> Network:
    """Build a network with fresh weights.

    >>> import torch
    >>> from edgemat.models import create_model
    >>> network = create_model("reconstruct-index-m2o", width=0.25)
    >>> network(torch.rand(1, 1, 32, 32)).shape
    torch.Size([1, 1, 32, 32])

    Parameters
    ----------
    name:
        One of :func:`list_models`.
    config:
        Keyword arguments of the network's class, for example ``width=0.5``.

    Raises
    ------
    UsageError
        For an unknown name or argument, or a network that is too large for any use here.
    """
    info = model_info(name)
    known = list(inspect.signature(info.network).parameters)
    for key in config:
        if key not in known:
            raise UsageError(f"{name} has no argument {key!r}.", remedy=nearest(key, known))
    arguments = {**info.config, **config}
    if config:
        require_small(info, arguments)
    return info.network(**arguments)


def create_matting(name: str, **config: Any) -> MattingNetwork:
    """Build a matting network with fresh weights; see :func:`create_model`.

    >>> import torch
    >>> from edgemat.models import create_matting
    >>> network = create_matting("pspm-slim", width=0.25)
    >>> network(torch.rand(2, 3, 64, 96)).alpha.shape
    torch.Size([2, 1, 64, 96])

    Raises
    ------
    UsageError
        As :func:`create_model` does, and for a network that mattes nothing.
    """
    network = create_model(name, **config)
    if not isinstance(network, MattingNetwork):
        raise model_info(name).no_matting()
    return network
