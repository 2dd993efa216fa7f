"""Unstructured pruning by NNCF: single weights become zero, wherever they are.

A zero still takes its place in the file and its turn in the kernel. What becomes smaller is the
download, for zeros compress well; nothing becomes faster. For that, channels must leave:
:mod:`edgemat.quantize.pruning.prune`.
"""

from __future__ import annotations

import nncf
from nncf.torch.function_hook import get_hook_storage
from torch import Tensor, nn

from edgemat.errors import UsageError
from edgemat.models.adopted.network import AdoptedNetwork
from edgemat.quantize.pruning.sparse_program import bake_program, mask_program

HOOKS = "__nncf_hooks"
"""The prefix of NNCF's own tensors in a state dict."""


def mask_weights(network: nn.Module, example: Tensor, share: float) -> nn.Module:
    """Return `network` behind NNCF's masks, which hold its smallest weights at 0 in training too.

    An adopted network has masks of edgemat's own, by the same rule.

    >>> import torch
    >>> from edgemat.models import create_model
    >>> from edgemat.quantize.pruning.sparse import bake, mask_weights
    >>> network = create_model("dncnn", width=0.25, layers=3)
    >>> weights = bake(mask_weights(network, torch.rand(1, 1, 16, 16), 0.5))
    >>> kernels = torch.cat([weight.flatten() for weight in weights.values() if weight.ndim == 4])
    >>> round(float((kernels == 0).float().mean()), 2)
    0.5

    Parameters
    ----------
    example:
        An input, B,C,H,W.
    share:
        Of all weights of convolutions and linear layers, 0..1, that become 0: the smallest in
        magnitude over the whole network.

    Raises
    ------
    UsageError
        When the share is none.
    """
    if not 0 < share < 1:
        raise UsageError(f"A share of {share:g} zeros is impossible.", remedy="Give 0 to 1.")
    if isinstance(network, AdoptedNetwork):
        return mask_program(network, share)
    masked: nn.Module = nncf.prune(
        network,
        mode=nncf.PruneMode.UNSTRUCTURED_MAGNITUDE_GLOBAL,
        ratio=share,
        examples_inputs=example,
    )
    return masked


def bake(masked: nn.Module) -> dict[str, Tensor]:
    """Return the weights with the masks multiplied in: NNCF's strip leaves them apart."""
    if isinstance(masked, AdoptedNetwork):
        return bake_program(masked)
    state = {k: v.detach().clone() for k, v in masked.state_dict().items() if HOOKS not in k}
    for key, hook in get_hook_storage(masked).named_modules():
        mask = getattr(hook, "binary_mask", None)
        if mask is not None:  # post_hooks.segment:refine:0:weight__0.0
            name = key.removeprefix("post_hooks.").rsplit("__", 1)[0].replace(":", ".")
            state[name] *= mask
    return state
