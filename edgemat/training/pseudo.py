"""Pseudo labels for pictures that were changed after composition (AC; thesis, section 5.4.2).

A blurred or recompressed composite no longer has the matte that it was made with. Its label is
what the network itself, with the parameters of the last iteration, sees in it from another side:
the picture is turned by a quarter, or its colours change places, and the answer is turned back.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from edgemat.training.holding import predicting

PSEUDO = "pseudo"


@torch.no_grad()
def with_pseudo_labels(
    network: nn.Module, x: Tensor, batch: dict[str, Tensor], *, step: int
) -> dict[str, Tensor]:
    """Return the batch with the network's own mattes where ``pseudo``, B bool, says so.

    Parameters
    ----------
    x:
        B,C,H,W, the network's input; square.
    step:
        Chooses the other side: three quarter turns and three orders of the colours, in turn.
    """
    chosen = batch.get(PSEUDO)
    if chosen is None or not chosen.any():
        return batch
    changed = x[chosen]
    turn = step % 6 + 1 if step % 6 < 3 else 0
    order = [(1, 2, 0), (2, 0, 1), (0, 2, 1)][step % 3]
    if turn:
        changed = torch.rot90(changed, turn, dims=(2, 3))
    else:
        changed = torch.cat([changed[:, list(order)], changed[:, 3:]], dim=1)
    # not every process has such pictures at a step: the answer is not one that all wait for
    own = network.module if isinstance(network, DistributedDataParallel) else network
    with predicting(own):
        label = own(changed).alpha.float().clamp(0, 1)
    label = torch.rot90(label, -turn, dims=(2, 3))
    trimap = batch["trimap"][chosen]
    known = (trimap <= 0) | (trimap >= 1)
    alpha = batch["alpha"].clone()
    alpha[chosen] = torch.where(known, alpha[chosen], label)
    return batch | {"alpha": alpha}
