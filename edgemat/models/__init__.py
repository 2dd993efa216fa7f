"""The networks, by name: a module for each architecture, built from ``blocks`` and ``encoders``.

>>> from edgemat.models import create_model
>>> model = create_model("indexnet-m2o-nlc", width=0.5)

A network enters the list by the ``MODELS`` at the end of its module.
"""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from edgemat.errors import UsageError, nearest
from edgemat.models import (
    a2u,
    deeplab,
    dim,
    dncnn,
    fastdepth,
    hu_depth,
    indexnet,
    indexnet_slim,
    pspm,
    pspm_baseline,
    pspm_slim,
    reconstruct,
    refinenet,
    rmat,
    segnet,
    upernet,
)
from edgemat.models.info import CLASSICAL_METHODS, MattingTask, ModelInfo, Task

__all__ = ["MattingTask", "ModelInfo", "Task", "create_model", "list_models", "model_info"]

# in the order of the thesis
_MODULES = (
    reconstruct,
    deeplab,
    refinenet,
    dim,
    indexnet,
    indexnet_slim,
    dncnn,
    segnet,
    upernet,
    fastdepth,
    hu_depth,
    a2u,
    rmat,
    pspm_baseline,
    pspm,
    pspm_slim,
)
_MODELS = {info.name: info for module in _MODULES for info in module.MODELS}


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
        if name in CLASSICAL_METHODS:
            raise UsageError(
                f"{name} is a classical method, no network.",
                remedy=f"Use edgemat.matte(image, trimap, model={name!r}).",
            )
        raise UsageError(f"There is no model {name!r}.", remedy=nearest(name, _MODELS))
    return _MODELS[name]


def create_model(name: str, **config: Any) -> nn.Module:
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
    info = model_info(name)
    known = list(inspect.signature(info.network).parameters)
    for key in config:
        if key not in known:
            raise UsageError(f"{name} has no argument {key!r}.", remedy=nearest(key, known))
    return info.network(**{**info.config, **config})
