"""How many partitions a file will have: the numbers are those of files that were converted."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from edgemat.models.adopted.lowering import lower
from edgemat.models.adopted.operators import RULES
from edgemat.models.adopted.partitions import count_partitions
from edgemat.models.adopted.passes import tidy
from edgemat.models.adopted.tracing import trace

Between = Callable[[Tensor, nn.Module, nn.Module], Tensor]


class Around(nn.Module):
    """A convolution, something, and a convolution."""

    def __init__(self, function: Between) -> None:
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 1, 1)
        self.one, self.two = nn.Conv2d(8, 8, 1), nn.Conv2d(8, 8, 1)
        self.function = function

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.last(self.function(self.first(x), self.one, self.two))
        return y


@pytest.mark.parametrize(
    ("partitions", "function"),
    [
        (1, lambda y, one, two: one(y.clamp(-1, 1))),
        (1, lambda y, one, two: one((one(y) + y).clamp(max=1))),
        (2, lambda y, one, two: one(y.clamp_min(0.25))),
        (2, lambda y, one, two: one(y.clamp(-2, -0.1))),
        (2, lambda y, one, two: one(y[:, :, ::2, ::2])),
        (2, lambda y, one, two: one(F.gelu(F.gelu(y)[:, :, ::2]))),
        (2, lambda y, one, two: one(F.avg_pool2d(F.gelu(y), 2))),
        (2, lambda y, one, two: one(F.gelu(y)) + two(F.gelu(y * 2))),
        (2, lambda y, one, two: one(F.gelu(y)) + two(torch.softmax(y, 1))),
        (2, lambda y, one, two: torch.maximum(torch.maximum(one(y), two(y)), y)),
        (2, lambda y, one, two: F.gelu(torch.maximum(one(y), two(y)))),
        (2, lambda y, one, two: one(F.gelu(F.gelu(y) / (y.sigmoid() + 1)))),
        (2, lambda y, one, two: one(F.gelu(F.interpolate(F.gelu(y), scale_factor=2)))),
        (3, lambda y, one, two: one(F.gelu(F.gelu(y).permute(0, 1, 3, 2)))),
        (3, lambda y, one, two: one(F.gelu(F.max_pool2d(F.gelu(y), 3, 2, 1)))),
        (3, lambda y, one, two: one(F.gelu(F.elu(F.gelu(y))))),
        (3, lambda y, one, two: one(F.gelu(F.softplus(F.gelu(y))))),
        (3, lambda y, one, two: one(F.gelu(F.mish(F.gelu(y))))),
        (3, lambda y, one, two: one(F.gelu(F.gelu(y.sigmoid()) ** 1.5))),
        (1, lambda y, one, two: one(torch.exp(F.gelu(y)))),
        (1, lambda y, one, two: one(y * y.amax(1, keepdim=True))),
        (1, lambda y, one, two: F.adaptive_max_pool2d(one(y), (5, 5))),
    ],
)  # fmt: skip
def test_what_is_left_out_together_parts_a_file_once(partitions: int, function: Between) -> None:
    program = trace(Around(function), (3, 32, 32))
    assert count_partitions(tidy(lower(program, RULES))) == partitions


def test_a_softmax_in_float_is_taken() -> None:
    def shares(y: Tensor, one: nn.Module, two: nn.Module) -> Tensor:
        among = torch.softmax(F.gelu(y).reshape(1, 8, 1024), 2)
        z: Tensor = one(F.gelu(among.reshape(1, 8, 32, 32)))
        return z

    assert count_partitions(tidy(lower(trace(Around(shares), (3, 32, 32)), RULES))) == 3


@pytest.mark.parametrize("low", [0, 0.1])
def test_a_cut_of_shares_has_a_grid_of_its_own(low: float) -> None:
    """Runtimes refuse a sigmoid on another grid than theirs, as is what a cut behind it gives."""
    network = Around(lambda y, one, two: one(torch.sigmoid(y).clamp(low, 1)))
    graph = tidy(lower(trace(network, (3, 32, 32)), RULES)).graph
    (shares,) = graph.find_nodes(op="call_function", target=torch.sigmoid)
    (user,) = shares.users
    assert str(user.target).startswith("regrid")
