"""The frozen model: a deploy form whose quantizers are constants.

It is the accuracy reference of every int8 file, and what the converters read. Its fake-quantizers
hang on NNCF's function hooks, so that the network's code stays as it is.
"""

from __future__ import annotations

import copy

import torch
from nncf.torch.function_hook import (
    register_post_function_hook,
    register_pre_function_hook,
    wrap_model,
)
from torch import Tensor, nn

from edgemat.models.network import MattingNetwork
from edgemat.quantize.spec import Place, QuantSpec, TensorQuant

SMALLEST = 64
"""Side, in pixels, of a picture that every network takes, if its stride does not ask for more."""


class FrozenFakeQuantize(nn.Module):
    """Round to a constant grid; exports and traces to one ``aten::fake_quantize_*`` operator."""

    scale: Tensor
    zero_point: Tensor

    def __init__(self, quant: TensorQuant) -> None:
        super().__init__()
        self.quant = quant
        self.low, self.high, self.axis = quant.low, quant.high, quant.axis
        if quant.axis is None:
            self.step, self.zero = quant.scale[0], quant.zero_point[0]
        else:
            self.register_buffer("scale", torch.tensor(quant.scale, dtype=torch.float32))
            self.register_buffer("zero_point", torch.tensor(quant.zero_point, dtype=torch.int32))

    def forward(self, x: Tensor) -> Tensor:
        if self.axis is None:
            return torch.fake_quantize_per_tensor_affine(
                x, self.step, self.zero, self.low, self.high
            )
        return torch.fake_quantize_per_channel_affine(
            x, self.scale, self.zero_point, self.axis, self.low, self.high
        )


def freeze(deploy: nn.Module, spec: QuantSpec) -> nn.Module:
    """Return a copy of `deploy` that computes with the grids of `spec`.

    >>> import torch
    >>> from edgemat.models import create_matting
    >>> from edgemat.models.deploy import to_deploy
    >>> from edgemat.quantize.frozen import freeze
    >>> from edgemat.quantize.spec import Place, QuantSpec, TensorQuant
    >>> matte = TensorQuant(
    ...     kind="activation", places=(Place(when="post", operator="/clamp/0", port=0),),
    ...     scale=(0.25,), zero_point=(0,), low=0, high=255,
    ... )
    >>> deploy = to_deploy(create_matting("pspm-slim", width=0.25))
    >>> frozen = freeze(deploy, QuantSpec(tensors=(matte,)))
    >>> set(frozen(torch.rand(1, 3, 64, 64)).unique().tolist()) <= {0, 0.25, 0.5, 0.75, 1}
    True

    Parameters
    ----------
    deploy:
        A deploy form that :func:`edgemat.quantize.ptq.prepare_for_int8` has prepared.
    """
    frozen: nn.Module = wrap_model(copy.deepcopy(deploy).eval())
    for quant in spec.tensors:
        quantizer = FrozenFakeQuantize(quant)
        for place in quant.places:
            attach(frozen, place, quantizer)
    return frozen


def blank_input(channels: int, network: MattingNetwork) -> Tensor:
    """Return a small picture, 1,C,H,W of zeros, for what is asked of any run whatever its size."""
    side = max(SMALLEST, network.stride)
    return torch.zeros(1, channels, *(network.fixed_size or (side, side)))


def unused_places(frozen: nn.Module, x: Tensor) -> list[Place]:
    """Run a frozen model on `x` and return the places of its grids that it never came to."""
    unused = {m: m.quant for m in frozen.modules() if isinstance(m, FrozenFakeQuantize)}
    handles = [
        quantizer.register_forward_hook(lambda module, *_: unused.pop(module, None) and None)
        for quantizer in unused
    ]
    try:
        with torch.no_grad():
            frozen(x)
    finally:
        for handle in handles:
            handle.remove()
    return [place for quant in unused.values() for place in quant.places]


def attach(wrapped: nn.Module, place: Place, quantizer: nn.Module) -> None:
    """Let `quantizer` see every tensor at `place` of a model that NNCF has wrapped."""
    before = place.when == "pre"
    register = register_pre_function_hook if before else register_post_function_hook
    register(wrapped, place.operator, place.port, quantizer)
