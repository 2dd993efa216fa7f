"""What follows once a program is lowered: scales are folded, transposed convolutions replaced."""

from __future__ import annotations

import torch
from torch import fx, nn
from torch.nn import functional as F

from edgemat.models.adopted.lowering import shape_of
from edgemat.models.adopted.replacements import (
    Bins,
    PixelShuffle,
    Regrid,
    Repeated,
    TransposedConv2d,
    UnitClamp,
    ZeroPad,
    has_phases,
)
from edgemat.models.adopted.rows import lift_rows
from edgemat.models.blocks.affine import ScaleShift
from edgemat.models.narrowing import bias_of, operand

Foldable = nn.Conv2d | nn.ConvTranspose2d  # whose channels are the second dimension, as a scale's
SHARE_A_GRID = (
    *(torch.cat, torch.narrow, F.pad, F.interpolate),
    *(F.max_pool2d, torch.amax, torch.maximum, torch.minimum, torch.clamp),
)
MODULES_THAT_SHARE = (PixelShuffle, Repeated, TransposedConv2d, ZeroPad, Bins)
JOIN = (torch.cat, torch.maximum, torch.minimum)
RECTIFIERS = (F.relu, F.relu6)
VIEWS = (torch.reshape, torch.permute, torch.transpose)
MOVES_ALONE = (torch.cat, torch.narrow, *VIEWS)
GRID_IS_FIXED = (torch.sigmoid, F.softmax)
SPREADS = (torch.add, torch.sub, torch.mul, torch.div, torch.maximum, torch.minimum)
"""Operators that spread a map of one pixel over the other operand's places by themselves."""


def tidy(network: fx.GraphModule) -> fx.GraphModule:
    """Run all passes, in place, in the order that they need."""
    drop_expansions(network)
    join_reshapes(network)
    lift_rows(network)
    fold_scales(network)
    weigh_pixels(network)
    expand_transposed(network)
    lift_rectifiers(network)
    regrid(network)
    part_from_rectifiers(network)
    network.graph.eliminate_dead_code()
    network.delete_all_unused_submodules()
    network.recompile()
    return network


def drop_expansions(network: fx.GraphModule) -> None:
    """Leave out an expansion whose users all spread what they are given by themselves."""
    for node in network.graph.find_nodes(op="call_function", target=torch.Tensor.expand):
        source = operand(node)
        if len(shape_of(source)) != len(shape_of(node)):
            continue
        if all(user.target in SPREADS and _is_as_large(user, node) for user in node.users):
            node.replace_all_uses_with(source)
            network.graph.erase_node(node)


def _is_as_large(user: fx.Node, expanded: fx.Node) -> bool:
    """Return whether another operand has the places that an expansion would have given."""
    others = [one for one in user.all_input_nodes if one is not expanded]
    return any(shape_of(one) == shape_of(user) for one in others)


def join_reshapes(network: fx.GraphModule) -> None:
    """Let a reshape of what another reshape gives take what that one takes."""
    for node in network.graph.find_nodes(op="call_function", target=torch.reshape):
        source = given = operand(node)
        while source.target is torch.reshape:
            source = operand(source)
        node.replace_input_with(given, source)
    network.graph.eliminate_dead_code()


def fold_scales(network: fx.GraphModule) -> None:
    """Fold every ``scale * x + shift`` into the convolution right before it.

    That is how batch normalisation goes, too. One behind the picture stays: a scale ahead of a
    convolution may not be folded into it, for what it pads with would be another colour.
    """
    for node in list(network.graph.nodes):
        scale = _module(network, node)
        if not isinstance(scale, ScaleShift):
            continue
        before = node.args[0]
        layer = _module(network, before)
        if not isinstance(layer, Foldable) or len(before.users) > 1:
            continue  # lowering gives every call a module of its own
        _fold(layer, scale.weight.detach().flatten(), bias_of(scale).detach())
        node.replace_all_uses_with(before)
        network.graph.erase_node(node)


def weigh_pixels(network: fx.GraphModule) -> None:
    """Let the picture meet convolutions alone: float16 files have the scale of pixels in these."""
    (picture,) = network.graph.find_nodes(op="placeholder")
    if all(isinstance(_module(network, user), nn.Conv2d) for user in picture.users):
        return
    ones = torch.ones(shape_of(picture)[1])
    network.add_submodule("pixels", ScaleShift(ones, torch.zeros_like(ones)))
    with network.graph.inserting_after(picture):
        weighed = network.graph.call_module("pixels", (picture,))
    weighed.meta = dict(picture.meta)
    picture.replace_all_uses_with(weighed, delete_user_cb=lambda user: user is not weighed)


def expand_transposed(network: fx.GraphModule) -> None:
    """Put convolutions and interleaving in the place of transposed convolutions."""
    for node in list(network.graph.nodes):
        layer = _module(network, node)
        if not isinstance(layer, nn.ConvTranspose2d):
            continue
        height, width = shape_of(node.args[0])[2:]
        if has_phases(layer):
            network.add_submodule(str(node.target), TransposedConv2d(layer, (height, width)))


def lift_rectifiers(network: fx.GraphModule) -> None:
    """Rectify before values are moved about, not behind: runtimes fuse it into convolutions alone.

    What lies between a convolution and its rectifier has no grid in int8. A rectifier stays where a
    source has other users, or is a constant: it would be computed more often than before.
    """
    waiting = [node for node in network.graph.nodes if node.target in RECTIFIERS]
    while waiting:
        rectifier = waiting.pop()
        moved = rectifier.args[0]
        if not isinstance(moved, fx.Node) or len(moved.users) > 1:
            continue
        module = _module(network, moved)
        if isinstance(module, TransposedConv2d):
            module.rectifier = rectifier.target
        elif _only_moves(moved, module):
            for source in moved.all_input_nodes:
                if source.target == rectifier.target:
                    continue
                with network.graph.inserting_after(source):
                    ahead = network.graph.call_function(
                        rectifier.target, (source, *rectifier.args[1:]), rectifier.kwargs
                    )
                ahead.meta = dict(source.meta)
                moved.replace_input_with(source, ahead)
                waiting.append(ahead)
        else:
            continue
        rectifier.replace_all_uses_with(moved)
        network.graph.erase_node(rectifier)


def _only_moves(node: fx.Node, module: nn.Module | None) -> bool:
    """Return whether a node moves values about that nothing else sees."""
    moves = isinstance(module, PixelShuffle | ZeroPad | Repeated) or node.target in MOVES_ALONE
    sources = node.all_input_nodes
    return moves and all(len(one.users) == 1 and one.op != "get_attr" for one in sources)


def regrid(network: fx.GraphModule) -> None:
    """Put a multiplication by one behind what has a grid of its own and meets others'.

    A cut to 0..1 has one, too, but none that runtimes fix: it passes what only moves it on, up to
    where others join it.
    """
    for node in list(network.graph.nodes):
        if node.op == "call_function" and node.target in GRID_IS_FIXED:
            _regrid_for(network, node, [user for user in node.users if _meets(network, user)])
        elif isinstance(_module(network, node), UnitClamp):
            _regrid_for(network, node, [user for user in node.users if _joins(network, user)])


def _meets(network: fx.GraphModule, user: fx.Node) -> bool:
    """Return whether what an operator takes has to be on one grid with what it gives, or others."""
    if user.target in VIEWS:
        return any(_meets(network, behind) for behind in user.users)
    shares = isinstance(_module(network, user), (*MODULES_THAT_SHARE, UnitClamp))
    return user.op == "output" or user.target in SHARE_A_GRID or shares


def _joins(network: fx.GraphModule, user: fx.Node) -> bool:
    """Return whether an operator, or one that takes its result, has several share a grid."""
    if user.target in JOIN:
        return True
    return _meets(network, user) and any(_joins(network, behind) for behind in user.users)


def part_from_rectifiers(network: fx.GraphModule) -> None:
    """Put a multiplication by one before a rectifier whose input others take as it is.

    Runtimes fuse a rectifier into the operator before it, whose own result then is nowhere.
    """
    for node in list(network.graph.nodes):
        rectifiers = [user for user in node.users if user.target in RECTIFIERS]
        if len(node.users) > 1 and node.op != "placeholder":
            _regrid_for(network, node, rectifiers)


def _regrid_for(network: fx.GraphModule, node: fx.Node, users: list[fx.Node]) -> None:
    if not users:
        return
    path = f"regrid_{node.name}"
    network.add_submodule(path, Regrid())
    with network.graph.inserting_after(node):
        again = network.graph.call_module(path, (node,))
    again.meta = dict(node.meta)
    for user in users:
        user.replace_input_with(node, again)


def _module(network: fx.GraphModule, node: fx.Node) -> nn.Module | None:
    if not isinstance(node, fx.Node) or node.op != "call_module":
        return None
    return network.get_submodule(str(node.target))


def _fold(layer: Foldable, scale: torch.Tensor, shift: torch.Tensor) -> None:
    with torch.no_grad():
        if isinstance(layer, nn.ConvTranspose2d):  # weights I,O/groups: outputs lie along dim 1
            inputs, outputs, *kernel = layer.weight.shape
            grouped = layer.weight.reshape(layer.groups, inputs // layer.groups, outputs, *kernel)
            grouped.mul_(scale.reshape(layer.groups, 1, outputs, 1, 1))
        else:
            layer.weight.mul_(scale.reshape(-1, *[1] * (layer.weight.ndim - 1)))
        if layer.bias is None:
            layer.bias = nn.Parameter(torch.zeros_like(scale))
        layer.bias.mul_(scale).add_(shift)
