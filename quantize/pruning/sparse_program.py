"""Single weights of an adopted network that become zero: NNCF does not see into traced programs.

The weights are chosen as NNCF chooses them, over the whole network: by magnitude, each tensor's
divided by its norm.
"""

from __future__ import annotations

from collections import Counter

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from edgemat.errors import UsageError
from edgemat.models.adopted.network import AdoptedNetwork

aten = torch.ops.aten
WITH_WEIGHTS = (
    aten.conv2d.default,
    aten.conv2d.padding,
    aten.conv_transpose2d.input,
    aten.linear.default,
)
PARAMETRIZED = "parametrizations."


class WeightMask(nn.Module):
    """Holds the weights at 0 that are not kept, in training too."""

    def __init__(self, kept: Tensor) -> None:
        super().__init__()
        self.register_buffer("kept", kept)
        self.kept: Tensor

    def forward(self, weight: Tensor) -> Tensor:
        return weight * self.kept


def mask_program(network: AdoptedNetwork, share: float) -> AdoptedNetwork:
    """Put masks on the kernels of `network`, in place; else as :func:`.sparse.mask_weights`.

    A tensor that goes by two names is left alone.
    """
    body = network.traced().body
    by_name = dict(body.named_parameters(remove_duplicate=False))
    names = Counter(id(weight) for weight in by_name.values())
    kernels = {
        str(weight.target): by_name[str(weight.target)].detach()
        for node in body.graph.nodes
        if node.target in WITH_WEIGHTS
        for weight in [node.args[1]]
        if str(weight.target) in by_name and names[id(by_name[str(weight.target)])] == 1
    }
    if not kernels:
        raise UsageError(
            "This adopted network has no weights of its own that could be set to 0.",
            remedy="Leave out --unstructured: its channels may still be pruned.",
        )
    tiny = torch.finfo(torch.float32).tiny
    scaled = {name: w.abs() / w.norm().clamp_min(tiny) for name, w in kernels.items()}
    everything = torch.cat([one.flatten() for one in scaled.values()])
    threshold = everything.kthvalue(int((everything.numel() - 1) * share) + 1).values
    for name, one in scaled.items():
        owner, _, leaf = name.rpartition(".")
        parametrize.register_parametrization(
            body.get_submodule(owner), leaf, WeightMask(one > threshold), unsafe=True
        )
    return network


def bake_program(masked: AdoptedNetwork) -> dict[str, Tensor]:
    """Return the weights by the names of a network without masks, with these multiplied in."""
    state = {k: v.detach().clone() for k, v in masked.state_dict().items()}
    for key in [key for key in state if PARAMETRIZED in key and key.endswith(".original")]:
        mask = state.pop(key.removesuffix("original") + "0.kept")
        name = key.replace(PARAMETRIZED, "").removesuffix(".original")
        state[name] = state.pop(key) * mask
    return state
