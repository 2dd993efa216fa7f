"""Parts of a network that a training keeps as they are."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def hold_statistics(network: nn.Module) -> None:
    """Keep the mean and variance of batch normalisation, while its scale and shift are trained."""
    for norm in _norms(network):
        norm.eval()


@contextlib.contextmanager
def held(parts: Iterable[nn.Module]) -> Iterator[None]:
    """Keep all of `parts` as they are inside the block: parameters, and means and variances."""
    stopped = []
    for part in parts:
        part.eval()
        stopped += [parameter for parameter in part.parameters() if parameter.requires_grad]
    for parameter in stopped:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in stopped:
            parameter.requires_grad_(True)


def norms(network: nn.Module) -> list[nn.Module]:
    """Return the batch normalisations of a network, to be held: its "fixed BN layers"."""
    return list(_norms(network))


@contextlib.contextmanager
def predicting(network: nn.Module) -> Iterator[None]:
    """Put a network into eval mode inside the block; each part then goes back to its own mode."""
    modes = [(module, module.training) for module in network.modules()]
    network.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


def _norms(network: nn.Module) -> Iterator[_BatchNorm]:
    return (module for module in network.modules() if isinstance(module, _BatchNorm))
