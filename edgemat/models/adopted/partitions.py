"""Into how many partitions a delegate's operators fall: what it leaves to the runtime parts them.

XNNPACK takes nearly every int8 operator that a lowered network has. The file's runtime goes through
its operators in their order and puts into one partition all that can run by then, whatever lies
between: operators that are left out side by side, or one behind another, part it once.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import fx
from torch.nn import functional as F

Pieces = tuple[bool, ...]
"""What an operator is in a file, one behind another: whether the delegate takes each."""
TAKEN: Pieces = (True,)
LEFT_OUT: Pieces = (False,)
IN_FLOAT = (F.mish, torch.pow, torch.exp, torch.tanh)
"""Operators that nothing is rounded for: what they alone take was not either."""
TAKEN_IN_FLOAT = (F.gelu, F.softmax, F.avg_pool2d, torch.maximum, torch.minimum, torch.div)
"""Operators that XNNPACK has in float32, and not in int8."""


def count_partitions(network: fx.GraphModule) -> int:
    """Return how many partitions a delegate will have of a lowered network in int8."""
    return _count(_operators(network))


def _operators(network: fx.GraphModule) -> list[tuple[bool, set[int]]]:
    """Return, in their order, whether each is taken, and the numbers of those that it waits for."""
    operators: list[tuple[bool, set[int]]] = []
    behind: dict[fx.Node, set[int]] = {}
    for node in network.graph.nodes:
        waits = {number for source in node.all_input_nodes for number in behind[source]}
        if node.op not in ("placeholder", "get_attr"):
            for taken in _pieces(node):
                operators.append((taken, waits))
                waits = {len(operators) - 1}
        behind[node] = waits
    return operators


def _count(operators: list[tuple[bool, set[int]]]) -> int:
    done: set[int] = set()
    waiting = list(range(len(operators)))
    partitions = 0
    while waiting:
        kind = operators[waiting[0]][0]
        partitions += kind
        later = []
        for number in waiting:
            taken, waits = operators[number]
            if taken == kind and waits <= done:
                done.add(number)
            else:
                later.append(number)
        waiting = later
    return partitions


def _pieces(node: fx.Node) -> Pieces:
    """Return what becomes of one operator; the network's output is cut to 0..1 and rounded."""
    if node.op != "call_function":
        return TAKEN
    users = [user.target for user in node.users]
    if node.target in TAKEN_IN_FLOAT and all(user in IN_FLOAT for user in users):
        return TAKEN
    found = _PIECES.get(node.target)
    return TAKEN if found is None else found(node)


def _always(pieces: Pieces) -> Callable[[fx.Node], Pieces]:
    return lambda _: pieces


def _clamp(call: fx.Node) -> Pieces:
    """A grid holds 0, and ends where the clamp does: only one that leaves out 0 is an operator."""
    low, high, *_ = (*call.args[1:], *call.kwargs.values(), None, None)
    return LEFT_OUT if (low or 0) > 0 or (high or 0) < 0 else TAKEN  # type: ignore[operator]


def _max_pool(call: fx.Node) -> Pieces:
    """Padding is an operator of its own; pooling of single pixels is how slices skip some."""
    _, kernel, _, padding, *_ = (*call.args, 0, 0)
    if _is_all(kernel, 1):
        return LEFT_OUT
    return TAKEN if _is_all(padding, 0) else (False, True)


def _is_all(sides: object, length: int) -> bool:
    return all(one == length for one in (sides if isinstance(sides, list | tuple) else (sides,)))


def _resize(call: fx.Node) -> Pieces:
    return LEFT_OUT if call.kwargs["mode"] == "nearest" else TAKEN


_PIECES: dict[object, Callable[[fx.Node], Pieces]] = {
    **dict.fromkeys((F.gelu, F.softmax, F.avg_pool2d), _always(LEFT_OUT)),
    **dict.fromkeys((torch.maximum, torch.minimum, torch.div), _always(LEFT_OUT)),
    # the part of exponentials is taken, in float; what is chosen from by the sign is not
    **dict.fromkeys((F.elu, F.softplus), _always((True, False))),
    # in float, with what brings them from int8 to it and back
    **dict.fromkeys((F.mish, torch.pow), _always((True, False, True))),
    torch.clamp: _clamp,
    F.max_pool2d: _max_pool,
    F.interpolate: _resize,
}
