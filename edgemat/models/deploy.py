"""The deploy form: the same function, in operators that phones run well.

Batch normalisation is folded into the convolution before it, and every block that has a
delegate-friendly form of its own (:class:`edgemat.models.network.Deployable`) is replaced by it.
"""

from __future__ import annotations

import copy
from collections.abc import Callable

import torch
from torch import Tensor, nn

from edgemat.models.blocks.pooling import Below, ChannelOrder, Rearrangement
from edgemat.models.network import Deployable, MattingNetwork

FLOAT16_SHARPNESS = 2.0**15


# Far below eps = 1e-5 of batch normalisation: such a channel is constant up to rounding.
STILL_VARIANCE = 1e-14


class DeployForm(nn.Module):
    """A network ready for conversion: B,C,H,W in 0..1 in, alpha B,1,H,W in 0..1 out."""

    def __init__(self, network: MattingNetwork) -> None:
        super().__init__()
        self.network = network
        self.last: nn.Module = nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        return torch.clamp(self.last(self.network(x).alpha), 0.0, 1.0)


def to_deploy(network: MattingNetwork) -> DeployForm:
    """Return the deploy form of `network` (a copy, in eval mode).

    >>> import torch
    >>> from edgemat.models import create_matting
    >>> from edgemat.models.deploy import to_deploy
    >>> network = create_matting("pspm-slim", width=0.25).eval()
    >>> picture = torch.rand(1, 3, 64, 64)
    >>> alpha = to_deploy(network)(picture)
    >>> torch.allclose(alpha, network(picture).alpha.clamp(0, 1), atol=1e-5)
    True

    Equal to the network in eval mode, clamped to 0..1, within 1e-5 in float32. One exception:
    folding rounds differently, and where two of the four values under a max-pooling window are
    equal up to that rounding, the other one may win, and unpooling then writes beside it.
    """
    network = copy.deepcopy(network).eval()
    replace_blocks(network)
    network.to(next(network.parameters()))  # what a block made anew is float32 on the CPU
    _fold_batch_norms(network)
    return DeployForm(network).eval().requires_grad_(False)


def prepare_for_float16(deploy: DeployForm, pixel_scale: float) -> DeployForm:
    """Return a copy for float16 arithmetic; it takes pixels in 0..255.

    >>> import torch
    >>> from edgemat.models import create_matting
    >>> from edgemat.models.deploy import prepare_for_float16, to_deploy
    >>> deploy = to_deploy(create_matting("pspm-slim", width=0.25))
    >>> picture = torch.rand(1, 3, 64, 64)
    >>> variant = prepare_for_float16(deploy, 1 / 255)
    >>> torch.allclose(variant(255 * picture), deploy(picture), atol=1e-3)
    True

    `pixel_scale` goes into the weights that meet pixels: in float16, 0..255 is exact and pixels
    in 0..1 are not, and rounding them costs 2 dB of agreement. The masks of max-pooling become
    sharp enough for float16's steps, whose range ends at 65504.
    """
    prepared = copy.deepcopy(deploy)
    with torch.no_grad():
        for weight in prepared.network.pixel_weights():
            weight.mul_(pixel_scale)
    for module in prepared.modules():
        if isinstance(module, Below):
            module.sharpness = FLOAT16_SHARPNESS
    return prepared


def set_layout(model: nn.Module, layout: ChannelOrder) -> None:
    """Tell every rearrangement whether the runtime keeps channels last ("nhwc") or first."""
    for module in model.modules():
        if isinstance(module, Rearrangement):
            module.layout = layout


def replace_blocks(parent: nn.Module) -> None:
    """Put every block's deploy form in its place: the same values, up to the order of sums."""
    replace_modules(parent, lambda one: one.deploy() if isinstance(one, Deployable) else None)


def replace_modules(parent: nn.Module, other: Callable[[nn.Module], nn.Module | None]) -> None:
    """Put what `other` gives for a module in its place, in place, and look into those without."""
    for name, child in parent._modules.items():  # named_children leaves out what comes again
        if child is None:
            continue
        replacement = other(child)
        if replacement is None:
            replace_modules(child, other)
        else:
            setattr(parent, name, replacement)


def _fold_batch_norms(network: nn.Module) -> None:
    for module in network.modules():
        if not isinstance(module, nn.Sequential):
            continue
        folded: list[nn.Module] = []
        for child in module:
            if isinstance(child, nn.BatchNorm2d) and folded and isinstance(folded[-1], nn.Conv2d):
                _silence_still_channels(child)
                folded[-1] = torch.nn.utils.fuse_conv_bn_eval(folded[-1], child)
            else:
                folded.append(child)
        module._modules = {str(number): child for number, child in enumerate(folded)}


def _silence_still_channels(norm: nn.BatchNorm2d) -> None:
    """Let channels that never varied in training give their constant, and nothing else.

    ImageNet's MobileNetV2 has dead channels. Their variance decays to 0, so that folding would
    multiply their weights by 1/sqrt(eps) = 316, layer upon layer: in float the input that these
    weights meet is exactly 0, in int8 the least rounding error becomes the loudest signal.
    """
    assert norm.running_var is not None
    with torch.no_grad():
        norm.weight[norm.running_var <= STILL_VARIANCE] = 0
