"""What torch types widely, as what it is known to be: parts of a network, arguments of a graph.

A call of a traced graph takes "a node, a number, a list of those, or None", and every part of a
network is a module. Whoever knows more says so here, once; what is not so is a fault of edgemat's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from torch import Tensor, fx, nn

from edgemat.errors import ConversionError

M = TypeVar("M", bound=nn.Module)


def child(network: nn.Module, name: str, kind: type[M]) -> M:
    """Return a part of a network by its path, as the `kind` that it is.

    >>> from torch import nn
    >>> from edgemat.models.narrowing import child
    >>> child(nn.Sequential(nn.Conv2d(4, 1, 3), nn.ReLU()), "0", nn.Conv2d).kernel_size
    (3, 3)
    """
    part = network.get_submodule(name)
    if not isinstance(part, kind):
        raise _fault(f"{name} is a {type(part).__name__}, and not a {kind.__name__}.")
    return part


def bias_of(layer: nn.Conv2d) -> Tensor:
    """Return the bias of a convolution that has one."""
    if layer.bias is None:
        raise _fault("A convolution that was made with a bias has none.")
    return layer.bias


def operand(node: fx.Node, position: int = 0) -> fx.Node:
    """Return the value of the graph that a call takes in that place."""
    found = node.args[position]
    if not isinstance(found, fx.Node):
        raise _other(node, position, "a value of the graph")
    return found


def operands(node: fx.Node, position: int = 0) -> list[fx.Node]:
    """Return the values of the graph that a call takes as a list, as a concatenation does."""
    found = [one for one in listed(node, position) if isinstance(one, fx.Node)]
    if len(found) != len(listed(node, position)):
        raise _other(node, position, "a list of values of the graph")
    return found


def listed(node: fx.Node, position: int) -> list[Any]:
    """Return what a call takes as a list in that place: a size, a padding."""
    found = node.args[position]
    if not isinstance(found, list | tuple):
        raise _other(node, position, "a list")
    return list(found)


def whole_number(node: fx.Node, position: int, name: str, default: int | None = None) -> int:
    """Return a whole number, such as the axis, that a call takes in that place or by name."""
    given = node.args[position] if len(node.args) > position else node.kwargs.get(name, default)
    if not isinstance(given, int):
        raise _other(node, position, "a whole number")
    return given


def function_of(node: fx.Node) -> Callable[..., Any]:
    """Return the function that a node calls."""
    if not callable(node.target):
        raise _fault(f"{node.name} calls no function.")
    return node.target


def _other(node: fx.Node, position: int, wanted: str) -> ConversionError:
    return _fault(f"{node.name} ({node.target}) takes something else than {wanted} at {position}.")


def _fault(message: str) -> ConversionError:
    return ConversionError(message, remedy="This is a fault of edgemat's.")
