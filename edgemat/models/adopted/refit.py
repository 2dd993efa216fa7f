"""A traced network with fewer channels: what its graph says of their number is written anew."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, fx, nn

from edgemat.models.narrowing import listed, operand
from edgemat.models.pruned import Shape

aten = torch.ops.aten
VIEWS = (aten.view.default, aten.reshape.default, aten._unsafe_view.default, aten.expand.default)
GROUPS = {aten.conv2d.default: 6, aten.conv2d.padding: 6, aten.conv_transpose2d.input: 6}
"""Where the groups of a convolution are, among its arguments."""


def refit(body: fx.GraphModule, shapes: Mapping[str, Shape]) -> bool:
    """Give the tensors of `body`, in place, these shapes; returns False where they have them.

    Their values are not defined afterwards. Channels lie along axis 1; where a view keeps them, it
    keeps as many as there are, and a depthwise convolution stays one.
    """
    state: dict[str, Tensor] = dict(body.named_parameters(remove_duplicate=False))
    state |= dict(body.named_buffers(remove_duplicate=False))
    changed = {
        name: shape for name, shape in shapes.items() if tuple(state[name].shape) != tuple(shape)
    }
    if not changed:
        return False
    depthwise = [node for node in body.graph.nodes if _is_depthwise(node, state)]
    for name, shape in changed.items():
        owner, _, leaf = name.rpartition(".")
        old = state[name]
        empty = torch.zeros(shape, dtype=old.dtype, device=old.device)
        new = nn.Parameter(empty) if isinstance(old, nn.Parameter) else empty
        setattr(body.get_submodule(owner), leaf, new)
    for node in depthwise:
        place = GROUPS[node.target]
        channels = shapes.get(_weight(node), state[_weight(node)].shape)[0]
        node.args = (*node.args[:place], channels, *node.args[place + 1 :])
    for node in body.graph.nodes:
        if node.target in VIEWS:
            _keep_channels(node)
    body.recompile()
    return True


def _is_depthwise(node: fx.Node, state: Mapping[str, Tensor]) -> bool:
    place = GROUPS.get(node.target)  # type: ignore[call-overload]  # of no operator, too
    if place is None or len(node.args) <= place or _weight(node) not in state:
        return False
    groups, weight = node.args[place], state[_weight(node)]
    return groups != 1 and weight.shape[1] == 1 and weight.shape[0] == groups


def _weight(node: fx.Node) -> str:
    weight = node.args[1]
    return str(weight.target) if isinstance(weight, fx.Node) else ""


def _keep_channels(node: fx.Node) -> None:
    """Let a view find out by itself how long axis 1 is, and no other."""
    source, size = operand(node), listed(node, 1)
    before, after = source.meta["val"].shape, node.meta["val"].shape
    if len(size) > 1 and len(before) > 1 and (before[1] == after[1] or len(before) == 5):
        known = [now if was == -1 else was for was, now in zip(size, after, strict=True)]
        node.args = (source, [known[0], -1, *known[2:]], *node.args[2:])
