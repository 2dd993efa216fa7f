"""Every network of `list_models()`, small, with pictures for it."""

from __future__ import annotations

import inspect

import pytest
import torch
from torch import Tensor, nn

from edgemat.models import ModelInfo, create_model, list_models

ALL = list_models()
DEPLOYABLE = [info for info in ALL if info.is_matting and info.undeployable is None]
SIZES = ((64, 64), (96, 64))


# One or two of each family and task; the long rounds take all.
FEW = (
    *("matting-b1", "matting-b11-carafe", "indexnet-m2o-nlc", "indexnet-slim"),
    *("a2u-dynamic-cw", "rmat-m3", "pspm-psp-b", "pspm-b5-fm", "pspm-slim"),
    *("reconstruct-a2u", "dncnn", "segnet-m2o-nlc", "fastdepth-p-carafe"),
)


def names(infos: list[ModelInfo]) -> pytest.MarkDecorator:
    """Run a test for each of the networks, but for a few only in the long rounds."""
    return pytest.mark.parametrize(
        "info",
        [
            pytest.param(info, id=info.name, marks=() if info.name in FEW else pytest.mark.long)
            for info in infos
        ],
    )


def small(info: ModelInfo, *, seed: int = 0) -> nn.Module:
    """Return the network, a quarter as wide where it can be."""
    torch.manual_seed(seed)
    widths = {"width": 0.25} if "width" in inspect.signature(info.network).parameters else {}
    return create_model(info.name, **widths)


def picture(info: ModelInfo, size: tuple[int, int], *, batch: int = 1) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.rand(batch, info.in_channels, *size, generator=generator)


def outputs(result: Tensor | tuple[Tensor | None, ...]) -> list[Tensor]:
    return [result] if isinstance(result, Tensor) else [part for part in result if part is not None]


def varied(info: ModelInfo) -> nn.Module:
    """Return the network in eval mode, with batch statistics that are not trivial."""
    network = small(info, seed=3).train()
    with torch.no_grad():
        for seed in range(3):
            generator = torch.Generator().manual_seed(seed)
            network(torch.rand(2, info.in_channels, *SIZES[0], generator=generator))
    return network.eval()
