"""Checkpoints of encoders, made of names, shapes and a seed; torchvision's of its own networks."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

torchvision = pytest.importorskip("torchvision")

State = dict[str, Tensor]


def theirs(name: str) -> Any:
    """Return one of torchvision's networks, with batch statistics that are not trivial."""
    torch.manual_seed(0)
    network = getattr(torchvision.models, name)(weights=None).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.running_mean, -0.2, 0.2)
            nn.init.uniform_(module.running_var, 0.5, 1.5)
    return network


# channels, blocks of b1, reduction of keys and values
MIT = ((64, 2, 8), (128, 2, 4), (320, 2, 2), (512, 2, 1))


def segformer(depths: tuple[int, ...] = (2, 2, 2, 2)) -> State:
    """Return a mit_b1.pth by its authors' names and shapes."""
    shapes: dict[str, tuple[int, ...]] = {}

    def layer(name: str, outputs: int, *inputs: int) -> None:
        shapes[f"{name}.weight"], shapes[f"{name}.bias"] = (outputs, *inputs), (outputs,)

    before = 3
    for stage, (c, _, ratio) in enumerate(MIT, start=1):
        side = 7 if stage == 1 else 3
        layer(f"patch_embed{stage}.proj", c, before, side, side)
        layer(f"patch_embed{stage}.norm", c)
        for number in range(depths[stage - 1]):
            block = f"block{stage}.{number}"
            layer(f"{block}.norm1", c)
            layer(f"{block}.attn.q", c, c)
            layer(f"{block}.attn.kv", 2 * c, c)
            layer(f"{block}.attn.proj", c, c)
            if ratio > 1:
                layer(f"{block}.attn.sr", c, c, ratio, ratio)
                layer(f"{block}.attn.norm", c)
            layer(f"{block}.norm2", c)
            layer(f"{block}.mlp.fc1", 4 * c, c)
            layer(f"{block}.mlp.dwconv.dwconv", 4 * c, 1, 3, 3)
            layer(f"{block}.mlp.fc2", c, 4 * c)
        layer(f"norm{stage}", c)
        before = c
    layer("head", 1000, before)
    generator = torch.Generator().manual_seed(0)
    return {name: torch.randn(shape, generator=generator) for name, shape in shapes.items()}
