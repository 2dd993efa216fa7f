"""Parameters and operations, in the thesis' convention and in honest multiply-accumulates.

>>> from edgemat.models.count import count, on_paper
>>> round(count(on_paper("indexnet-m2o-nlc"), (4, 224, 224), convention="thesis"), 2)
6.3

Shapes alone are counted: the network runs on torch's meta device, where nothing is computed.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple, get_args

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from edgemat.errors import UsageError, nearest
from edgemat.models import create_matting, create_model
from edgemat.models.network import MattingNetwork

CountingConvention = Literal["thesis", "macs"]
CONVENTIONS: tuple[CountingConvention, ...] = get_args(CountingConvention)


class Operations(NamedTuple):
    """Operations of one picture by each convention; see :func:`count`."""

    thesis: float
    macs: float


def on_paper(name: str, **config: Any) -> nn.Module:
    """Build a network that has shapes but no weights: enough to count, in no time.

    >>> from edgemat.models.count import on_paper
    >>> next(on_paper("dim").parameters()).device
    device(type='meta')

    See :func:`edgemat.models.create_model` for the arguments.
    """
    with torch.device("meta"), _Unfilled():
        return create_model(name, **config)


def matting_on_paper(name: str, **config: Any) -> MattingNetwork:
    """Build a matting network as :func:`on_paper` does: its parts can be asked for by name.

    >>> from edgemat.models.count import count_parameters, matting_on_paper
    >>> count_parameters(matting_on_paper("pspm-b5").encoder)
    1811712

    See :func:`edgemat.models.create_matting` for arguments and errors.
    """
    with torch.device("meta"), _Unfilled():
        return create_matting(name, **config)


def count_parameters(model: nn.Module) -> int:
    """Return the number of learnable weights and biases (running statistics not counted).

    >>> from edgemat.models.count import count_parameters, on_paper
    >>> count_parameters(on_paper("pspm-b5"))  # Table 6.4 prints 5.90 M
    5902382
    """
    return sum(p.numel() for p in model.parameters())


def count(
    model: nn.Module, shape: tuple[int, int, int], *, convention: CountingConvention = "macs"
) -> float:
    """Return the billions of operations of one picture.

    >>> from edgemat.models.count import count, on_paper
    >>> network = on_paper("pspm-b5")
    >>> round(count(network, (3, 224, 224), convention="thesis"), 2)  # Table 6.4
    6.53
    >>> round(count(network, (3, 224, 224)), 2)
    7.01

    Parameters
    ----------
    shape:
        C, H, W of the input.
    convention:
        ``"macs"``: multiply-accumulates of every convolution and matrix product, in units of 1e9.
        ``"thesis"``: as the tables of the thesis were made, in units of 2**30: convolutions and
        linear layers that are modules; what a network does with the batch axis is not seen (index
        blocks of one channel count as if there were one channel), and a linear layer counts its
        output times the *second* dimension of its input, which for B,N,C tokens is N.

    Raises
    ------
    UsageError
        For an unknown convention.
    """
    if convention not in CONVENTIONS:
        raise UsageError(
            f"There is no convention {convention!r}.", remedy=nearest(convention, CONVENTIONS)
        )
    value: float = getattr(count_operations(model, shape), convention)
    return value


def count_operations(model: nn.Module, shape: tuple[int, int, int]) -> Operations:
    """Return :func:`count` of every convention, at the cost of one.

    >>> from edgemat.models.count import count_operations, on_paper
    >>> count_operations(on_paper("rmat-m3"), (4, 224, 224))  # Table 5.7 prints 16.62
    Operations(thesis=16.6..., macs=...)
    """
    thesis = 0

    def add(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        nonlocal thesis
        if isinstance(module, nn.Conv2d):
            thesis += module.weight.numel() * output.shape[-2] * output.shape[-1]
        elif isinstance(module, nn.Linear):
            thesis += output[0].numel() * inputs[0].shape[1]

    state = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    shapes = {name: torch.empty_like(tensor, device="meta") for name, tensor in state.items()}
    picture = torch.empty(1, *shape, device="meta")
    counted = [m for m in model.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    handles = [m.register_forward_hook(add) for m in counted]
    training = model.training
    try:
        with torch.no_grad(), _Products() as products:
            functional_call(model.eval(), shapes, (picture,))
    finally:
        model.train(training)
        for handle in handles:
            handle.remove()
    return Operations(thesis / 2**30, products.total / 1e9)


class _Mode(TorchDispatchMode):
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # torch leaves it untyped


class _Unfilled(_Mode):
    """Leaves out what only fills a tensor."""

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        return args[0] if operator._schema.is_mutable else operator(*args, **(kwargs or {}))


class _Products(_Mode):
    """Adds up the multiply-accumulates of what runs on the meta device."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(
        self, operator: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        # torch takes its time to find the shapes of what keeps shapes, and most of a network does
        if operator.overloadpacket is torch.ops.aten.native_batch_norm:
            return args[0], args[1], args[1]
        if torch.Tag.pointwise in operator.tags:
            maps = [arg for arg in args if isinstance(arg, Tensor)]
            if operator._schema.is_mutable:
                return maps[0]
            size = maps[0].shape
            if any(other.shape != size for other in maps):
                size = torch.broadcast_shapes(*(other.shape for other in maps))
            return maps[0].new_empty(size)
        result = operator(*args, **(kwargs or {}))
        formula = flop_registry.get(operator.overloadpacket)
        if formula is not None:  # two flops are one multiply-accumulate
            self.total += formula(*args, **(kwargs or {}), out_val=result) // 2
        return result
