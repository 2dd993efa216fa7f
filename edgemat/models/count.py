"""Parameters and operations, in the thesis' convention and in honest multiply-accumulates."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn

Convention = Literal["thesis", "macs"]


def count_parameters(model: nn.Module) -> int:
    """Return the number of learnable weights and biases (running statistics not counted)."""
    return sum(p.numel() for p in model.parameters())


def count_operations(
    model: nn.Module, shape: tuple[int, int, int], *, convention: Convention = "macs"
) -> float:
    """Return the billions of multiply-accumulates of one picture.

    Parameters
    ----------
    shape:
        C, H, W of the input.
    convention:
        ``"macs"``: convolutions and linear layers, in units of 1e9.
        ``"thesis"``: as the tables of the thesis were made: in units of 2**30, and with the
        helper's rule for linear layers (output size times the *second* dimension of the input,
        which for B,N,C tokens is N).
    """
    total = 0

    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += module.weight.numel() * output.shape[-2] * output.shape[-1]
        elif isinstance(module, nn.Linear):
            fan_in = inputs[0].shape[1] if convention == "thesis" else module.in_features
            total += output[0].numel() * fan_in

    handles = [m.register_forward_hook(add) for m in model.modules()]
    training = model.training
    try:
        parameter = next(model.parameters())
        with torch.no_grad():
            model.eval()(torch.zeros(1, *shape, device=parameter.device))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return total / (2**30 if convention == "thesis" else 1e9)
