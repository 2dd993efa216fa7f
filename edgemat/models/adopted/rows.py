"""Squeeze-and-excitation whose middle is rows B,C or B,1,C: maps of one pixel instead.

Runtimes keep channels last, and lose track of them where rows become maps again. A linear layer on
B,C is a convolution on B,C,1,1, whose kernels delegates have in int8.
"""

from __future__ import annotations

import torch
from torch import fx, nn
from torch.nn import functional as F

from edgemat.models.adopted.lowering import shape_of
from edgemat.models.adopted.replacements import UnitClamp
from edgemat.models.narrowing import listed, operand

PIXEL = 4
"""Dimensions of B,C,1,1."""
ON_EACH = (F.relu, F.relu6, F.gelu, torch.sigmoid, torch.clamp, torch.add, torch.sub, torch.mul)


def lift_rows(network: fx.GraphModule) -> None:
    """Let rows that come from maps of one pixel, and become such again, stay what they are."""
    done: set[fx.Node] = set()
    for node in list(network.graph.nodes):
        if node not in done and _begins(node):
            within = _within(network, node)
            done |= within
            for one in sorted(within):  # in the order of the graph
                _lift(network, one)


def _within(network: fx.GraphModule, first: fx.Node) -> set[fx.Node]:
    """Return what hangs together with `first` as rows, up to where they end; nothing if it leaks.

    That is every operator between maps and maps, all of them known.
    """
    found: set[fx.Node] = set()
    waiting = [first]
    while waiting:
        node = waiting.pop()
        if node in found or node.op == "get_attr":
            continue
        ends, begins = _ends(node), _begins(node)
        if not (ends or begins or _is_on_each(network, node)):
            return set()
        found.add(node)
        waiting += [] if ends else node.users
        waiting += [] if begins else node.all_input_nodes
    return found


def _begins(node: fx.Node) -> bool:
    """Return whether a node makes rows of maps: of one pixel, or by their means."""
    if node.target is torch.reshape:
        return _are_alike(node, operand(node))
    if node.target is torch.mean:
        dims = {dim % PIXEL for dim in listed(node, 1)}
        return _is_row(node) and len(shape_of(operand(node))) == PIXEL and dims == {2, 3}
    return False


def _ends(node: fx.Node) -> bool:
    """Return whether a node makes maps of one pixel of rows."""
    return node.target is torch.reshape and _are_alike(operand(node), node)


def _is_on_each(network: fx.GraphModule, node: fx.Node) -> bool:
    """Return whether a node computes the same of rows as of maps of one pixel."""
    if not _is_row(node):
        return False
    if node.target is torch.reshape:
        return _is_row(operand(node)) and _pixels_of(operand(node)) == _pixels_of(node)
    if node.op == "call_module":
        return isinstance(network.get_submodule(str(node.target)), nn.Linear | UnitClamp)
    constants = [one for one in node.all_input_nodes if one.op == "get_attr"]
    return node.target in ON_EACH and all(
        shape_of(one) in _row_shapes(shape_of(node)) for one in constants
    )


def _row_shapes(shape: tuple[int, ...]) -> set[tuple[int, ...]]:
    """Return the shapes of constants that mean the same to rows as to maps of one pixel."""
    return {(), (1,), *(shape[dim:] for dim in range(len(shape)))}


def _is_row(node: fx.Node) -> bool:
    """Return whether a node's shape is B,C or B,1,C."""
    shape = shape_of(node)
    return len(shape) == 2 or (len(shape) == 3 and shape[1] == 1)


def _pixels_of(row: fx.Node) -> tuple[int, ...]:
    shape = shape_of(row)
    return (shape[0], shape[-1], 1, 1)


def _are_alike(row: fx.Node, pixel: fx.Node) -> bool:
    """Return whether they are a row and B,C,1,1: a reshape to other rows mixes the channels."""
    return _is_row(row) and shape_of(pixel) == _pixels_of(row)


def _lift(network: fx.GraphModule, node: fx.Node) -> None:
    """Turn one operator on rows into that on maps of one pixel, in place."""
    if node.target is torch.reshape:
        node.replace_all_uses_with(operand(node))
        network.graph.erase_node(node)
        return
    if node.target is torch.mean:
        node.args = (node.args[0], node.args[1], True)
    if node.op == "call_module":
        path = str(node.target)
        layer = network.get_submodule(path)
        if isinstance(layer, nn.Linear):
            network.set_submodule(path, _as_convolution(layer))
    for constant in node.all_input_nodes:
        if constant.op == "get_attr" and shape_of(constant) not in ((), (1,)):
            _lift_constant(network, node, constant)
    value = node.meta["val"]
    node.meta = {**node.meta, "val": value.reshape(value.shape[0], -1, 1, 1)}


def _lift_constant(network: fx.GraphModule, user: fx.Node, constant: fx.Node) -> None:
    path = f"{constant.target}_of_{user.name}"
    value = network.get_buffer(str(constant.target))
    network.register_buffer(path, value.reshape(1, -1, 1, 1))
    with network.graph.inserting_before(user):
        lifted = network.graph.get_attr(path)
    lifted.meta = {"val": constant.meta["val"].reshape(1, -1, 1, 1)}
    user.replace_input_with(constant, lifted)


def _as_convolution(layer: nn.Linear) -> nn.Conv2d:
    conv = nn.Conv2d(layer.in_features, layer.out_features, 1, bias=layer.bias is not None)
    with torch.no_grad():
        conv.weight.copy_(layer.weight[:, :, None, None])
        if conv.bias is not None:
            conv.bias.copy_(layer.bias)
    return conv
