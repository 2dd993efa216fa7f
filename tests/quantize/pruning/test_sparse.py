"""NNCF's unstructured pruning: zeros that stay zeros, in training and in int8."""

from __future__ import annotations

import zlib

import pytest
import torch
from toy_networks import calibration

from edgemat.errors import UsageError
from edgemat.models import create_model
from edgemat.models.adopted.network import AdoptedNetwork
from edgemat.models.adopted.tracing import trace
from edgemat.models.deploy import to_deploy
from edgemat.models.network import MattingNetwork
from edgemat.quantize.pruning.sparse import bake, mask_weights
from edgemat.quantize.pruning.sparse_program import mask_program
from edgemat.quantize.ptq import quantize_ptq

SIZE = 64
NETWORKS = {"pspm-slim": 3, "indexnet-slim": 4}


@pytest.fixture(params=NETWORKS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def fresh(name: str) -> MattingNetwork:
    torch.manual_seed(0)
    return create_model(name, width=0.35).eval()


def zero_share(state: dict[str, torch.Tensor]) -> float:
    weights = [value for value in state.values() if value.ndim > 1]
    return sum(int((w == 0).sum()) for w in weights) / sum(w.numel() for w in weights)


def test_the_smallest_weights_become_zero_and_stay_so_in_training(name: str) -> None:
    whole, channels = fresh(name), NETWORKS[name]
    masked = mask_weights(fresh(name), torch.zeros(1, channels, SIZE, SIZE), 0.5)
    optimizer = torch.optim.SGD(masked.parameters(), lr=0.1)
    masked.train()(torch.rand(2, channels, SIZE, SIZE)).alpha.mean().backward()
    optimizer.step()
    masked.eval()
    state = bake(masked)
    assert state.keys() == whole.state_dict().keys()
    assert zero_share(state) == pytest.approx(0.5, abs=1e-3)
    baked = fresh(name)
    baked.load_state_dict(state)
    x = torch.rand(1, channels, SIZE, SIZE)
    with torch.no_grad():
        assert torch.equal(baked(x).alpha, masked(x).alpha)
    before, after = (
        sum(len(zlib.compress(v.numpy().tobytes())) for v in s.values())
        for s in (whole.state_dict(), state)
    )
    assert after < 0.75 * before


def test_zeros_are_zeros_in_int8_as_well(name: str) -> None:
    """Weights are symmetric: 0 lies on every grid."""
    channels = NETWORKS[name]
    network = fresh(name)
    network.load_state_dict(bake(mask_weights(fresh(name), torch.zeros(1, channels, 64, 64), 0.5)))
    quantized = quantize_ptq(to_deploy(network), calibration(channels, SIZE))
    weights = [q for q in quantized.spec.tensors if q.kind == "weight"]
    assert weights and all(zero == 0 for q in weights for zero in q.zero_point)
    assert zero_share(quantized.deploy.state_dict()) > 0.45


@pytest.mark.parametrize("share", [0.0, 1.0, -0.5])
def test_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(UsageError, match="impossible"):
        mask_weights(fresh("pspm-slim"), torch.zeros(1, 3, SIZE, SIZE), share)


def test_an_adopted_network_without_kernels_is_told_so() -> None:
    class Mean(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x.mean(dim=1, keepdim=True)

    network = AdoptedNetwork(trace(Mean(), (3, 32, 32)))
    with pytest.raises(UsageError, match="no weights of its own"):
        mask_program(network, 0.5)
