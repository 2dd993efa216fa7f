"""Networks with fewer channels than their constructor gives them: what pruning leaves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from edgemat.models.blocks.pooling import LevelPool

Shape = tuple[int, ...]


@runtime_checkable
class Refitted(Protocol):
    """A part that takes other numbers of channels than it was made for in a way of its own."""

    def fit_channels(self, shapes: Mapping[str, Shape]) -> None:
        """Take parameters and buffers of these shapes, by their names within the part."""
        ...


def shapes_of(state: Mapping[str, Tensor]) -> dict[str, Shape]:
    """Return the shape of every tensor of a state dict.

    >>> from torch import nn
    >>> from edgemat.models.pruned import shapes_of
    >>> shapes_of(nn.Conv2d(3, 8, 5).state_dict())
    {'weight': (8, 3, 5, 5), 'bias': (8,)}
    """
    return {name: tuple(tensor.shape) for name, tensor in state.items()}


def fit_channels(model: nn.Module, shapes: Mapping[str, Shape]) -> None:
    """Give the convolutions and normalisations of `model`, in place, the channels of `shapes`.

    >>> from torch import nn
    >>> from edgemat.models.pruned import fit_channels
    >>> model = nn.Sequential(nn.Conv2d(3, 8, 5))
    >>> fit_channels(model, {"0.weight": (6, 3, 5, 5)})
    >>> model
    Sequential(
      (0): Conv2d(3, 6, kernel_size=(5, 5), stride=(1, 1))
    )

    Their values are not defined afterwards: load a state dict of these shapes. What is of the right
    shape already stays as it is.

    Parameters
    ----------
    model:
        A network, or a deploy form.
    """
    for name, module in model.named_modules():
        if isinstance(module, Refitted):
            start = f"{name}." if name else ""
            own = {key.removeprefix(start): s for key, s in shapes.items() if key.startswith(start)}
            module.fit_channels(own)
            continue
        shape = shapes.get(f"{name}.weight")
        if shape is None or not isinstance(module, nn.Conv2d | nn.BatchNorm2d):
            continue
        if shape == tuple(module.weight.shape):
            continue
        if isinstance(module, nn.BatchNorm2d):
            module.num_features = shape[0]
            for statistic in ("running_mean", "running_var"):
                setattr(module, statistic, torch.empty(shape))
        else:
            module.out_channels = shape[0]
            if module.groups > 1:  # depthwise: in every network here
                module.groups = module.in_channels = shape[0]
            else:
                module.in_channels = shape[1]
        module.weight = nn.Parameter(torch.empty(shape), module.weight.requires_grad)
        if module.bias is not None:
            module.bias = nn.Parameter(torch.empty(shape[:1]), module.bias.requires_grad)


def settle_channels(network: nn.Module, example: Tensor) -> None:
    """Let modules without weights know their channels: run `example` through, and they see."""

    def note(pool: LevelPool, inputs: tuple[Tensor, ...]) -> None:
        pool.channels = inputs[0].shape[1]

    pools = [module for module in network.modules() if isinstance(module, LevelPool)]
    handles = [pool.register_forward_pre_hook(note) for pool in pools]
    try:
        if pools:
            with torch.no_grad():
                network(example)
    finally:
        for handle in handles:
            handle.remove()
