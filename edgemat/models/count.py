"""Parameters and operations, in the thesis' convention and in honest multiply-accumulates."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

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
        ``"macs"``: every convolution and matrix product, in units of 1e9.
        ``"thesis"``: as the tables of the thesis were made, in units of 2**30: convolutions and
        linear layers that are modules; what a network does with the batch axis is not seen (index
        blocks of one channel count as if there were one channel), and a linear layer counts its
        output times the *second* dimension of its input, which for B,N,C tokens is N.
    """
    training = model.training
    picture = torch.zeros(1, *shape, device=next(model.parameters()).device)
    try:
        with torch.no_grad():
            model.eval()
            if convention == "thesis":
                return _thesis_operations(model, picture) / 2**30
            with FlopCounterMode(display=False) as counter:
                model(picture)
            return counter.get_total_flops() / 2 / 1e9
    finally:
        model.train(training)


def _thesis_operations(model: nn.Module, picture: Tensor) -> int:
    total = 0

    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal total
        if isinstance(module, nn.Conv2d):
            total += module.weight.numel() * output.shape[-2] * output.shape[-1]
        elif isinstance(module, nn.Linear):
            total += output[0].numel() * inputs[0].shape[1]

    handles = [m.register_forward_hook(add) for m in model.modules()]
    try:
        model(picture)
    finally:
        for handle in handles:
            handle.remove()
    return total
