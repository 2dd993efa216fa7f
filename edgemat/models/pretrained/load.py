"""Fill an encoder with a checkpoint's tensors, and see to it that they meet the pixels they know.

Networks here read RGB in 0..1. Whatever input convention weights were trained with becomes an
affine before the encoder's first convolution (:mod:`edgemat.models.blocks.affine`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from torch import Tensor, nn

from edgemat.errors import MissingToolError, UsageError
from edgemat.images import IMAGENET_MEAN, IMAGENET_STD
from edgemat.models.blocks.affine import normalise_input
from edgemat.models.encoders.mobilenetv2 import MobileNetV2
from edgemat.models.pretrained.checkpoint import read_checkpoint
from edgemat.models.pretrained.fitting import ITSELF, check_values, prefixes, shown_size
from edgemat.models.pretrained.layouts import Known, known_weights
from edgemat.models.pretrained.renaming import COUNTER, CheckpointLayout

TORCHVISION = "torchvision"  # the source that is no file

# (pixel - 128) / 128, the convention of TensorFlow's MobileNets, for pixels in 0..1
TENSORFLOW_MEAN, TENSORFLOW_STD = torch.full((3,), 128 / 255), torch.full((3,), 128 / 255)


def load_encoder(encoder: nn.Module, source: str | Path) -> None:
    """Load ImageNet weights into `encoder`, in place.

    Parameters
    ----------
    encoder:
        MobileNetV2, VGG16, ResNet34, ResNet50 or MiT. On the meta device nothing but the source is
        checked.
    source:
        "torchvision" (downloads to torch's cache), or a checkpoint whose inputs were normalised by
        ImageNet's mean and standard deviation: a .pth, .pt, .bin or .safetensors, with the names of
        torchvision, of SegFormer's authors or of Hugging Face behind any prefix. An .npz is a
        MobileNetV2 from TensorFlow, whose inputs were (x - 128) / 128.

    Raises
    ------
    UsageError
        When the file is missing, damaged or of something else, and for a tensor that is missing,
        of another shape or not finite (the first one is named).
    MissingToolError
        When torchvision's weights cannot be downloaded.
    """
    known = _known(encoder)
    if str(source) == TORCHVISION:
        tensors = _download(_enumeration(known))
    else:
        tensors = read_checkpoint(Path(source))
    from_tensorflow = str(source).endswith(".npz")
    if from_tensorflow and not isinstance(encoder, MobileNetV2):
        raise UsageError(
            f"{source}: an .npz holds TensorFlow's MobileNetV2, this encoder is a {known.title}.",
            remedy=f"Give {_wanted(known)}.",
        )
    layout, prefix = _find_layout(known, encoder, tensors, source)
    state = encoder.state_dict()
    found = dict(_fitting(state, layout, prefix, tensors, source))
    _refuse_larger(layout, prefix, tensors, source, cut=known.cut)
    with torch.no_grad():
        for name, tensor in found.items():
            state[name].copy_(tensor)
    if from_tensorflow:
        normalise_input(encoder, TENSORFLOW_MEAN, TENSORFLOW_STD)
    else:
        normalise_input(encoder, torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD))


def check_source(encoder: nn.Module, source: str | Path) -> None:
    """Check what :func:`load_encoder` would, without a download, for an encoder on the meta device.

    Raises
    ------
    UsageError
        As :func:`load_encoder` does.
    """
    if str(source) == TORCHVISION:
        _enumeration(_known(encoder))
    else:
        load_encoder(encoder, source)


def fits_encoder(encoder: nn.Module, tensors: Mapping[str, Tensor], source: str | Path) -> bool:
    """Return whether :func:`load_encoder` would take `tensors`, read from `source`."""
    known = _known(encoder)
    try:
        layout, prefix = _find_layout(known, encoder, tensors, source)
        dict(_fitting(encoder.state_dict(), layout, prefix, tensors, source))
        _refuse_larger(layout, prefix, tensors, source, cut=known.cut)
    except UsageError:
        return False
    return True


def _known(encoder: nn.Module) -> Known:
    known = known_weights(encoder)
    if known is None:
        raise UsageError(
            f"There are no public weights that fit a {type(encoder).__name__}.",
            remedy="Leave init out, or name an artefact of this network by train.start.",
        )
    return known


def _wanted(known: Known) -> str:
    return "a checkpoint with the names of " + ", or of ".join(known.layouts)


# ---- which names, behind which prefix ----------------------------------------------------------


def _find_layout(
    known: Known, encoder: nn.Module, tensors: Mapping[str, Tensor], source: str | Path
) -> tuple[CheckpointLayout, str]:
    """Return the layout of a checkpoint, and what stands before its names."""
    candidates = [
        (layout, prefix, [name for name in layout.names if prefix + name not in tensors])
        for layout in known.of(encoder)
        for prefix in prefixes(layout.names[0], tensors)
    ]
    whole = [(layout, prefix) for layout, prefix, missing in candidates if not missing]
    if len(whole) > 1:
        itself = [one for one in whole if one[1].split(".")[0] in ITSELF or not one[1]]
        whole = itself or whole
    if len(whole) == 1:
        return whole[0]
    if whole:
        behind = " and ".join(repr(prefix) for _, prefix in whole)
        raise UsageError(
            f"{source} holds a {known.title} {len(whole)} times, behind {behind}.",
            remedy="Save the one to start from on its own.",
        )
    layout, prefix, missing = min(
        candidates, key=lambda one: len(one[2]), default=(None, "", list[str]())
    )
    if layout is not None and 2 * len(missing) < len(layout.names):
        raise UsageError(
            f"{source} has no tensor {prefix}{missing[0]}, which {layout.title} has "
            f"({len(missing)} of {len(layout.names)} are missing).",
            remedy="Give a whole checkpoint, of the size of this network's encoder.",
        )
    first = next(iter(tensors))
    raise UsageError(
        f"{source} holds no {known.title} with names that edgemat knows; its first tensor is "
        f"{first}.",
        remedy=f"Give {_wanted(known)}; a network that edgemat trained goes into train.start.",
    )


# ---- the tensors themselves ---------------------------------------------------------------------


def _fitting(
    state: Mapping[str, Tensor],
    layout: CheckpointLayout,
    prefix: str,
    tensors: Mapping[str, Tensor],
    source: str | Path,
) -> Iterator[tuple[str, Tensor]]:
    """Give every tensor of the encoder, once it is known to fit."""
    for number, (own, stored) in enumerate(layout.tensors.items()):
        name = prefix + stored.name
        tensor, wanted = tensors[name], state[own].shape
        check_values(tensor, name, source)
        if stored.convert is not None:
            tensor = stored.convert(tensor)
        shown = tuple(tensor.shape)
        if number == 0 and tensor.ndim == len(wanted):
            tensor = _with_extra_channels(tensor, wanted[1])
        if tensor.shape != wanted:
            raise UsageError(
                f"{source}: {name} is {shown_size(shown)}, the encoder's is {shown_size(wanted)}.",
                remedy="Public weights fit an encoder of width 1.0 and of the same depth alone.",
            )
        yield own, tensor


def _with_extra_channels(kernel: Tensor, channels: int) -> Tensor:
    """Append input channels with zero weights: the trimap starts without a say (section 3.6.1)."""
    missing = channels - kernel.shape[1]
    if missing <= 0 or kernel.shape[1] != len(IMAGENET_MEAN):
        return kernel
    extra = kernel.new_zeros(kernel.shape[0], missing, *kernel.shape[2:])
    return torch.cat([kernel, extra], dim=1)


def _refuse_larger(
    layout: CheckpointLayout,
    prefix: str,
    tensors: Mapping[str, Tensor],
    source: str | Path,
    *,
    cut: str,
) -> None:
    """Refuse a deeper network, of which the encoder would be a part that was never trained alone.

    Heads and stages that the encoder does not have are left out; blocks of its stages are not.
    """
    own = set(layout.names)
    stages = {name.split(".")[0] for name in own} - {cut}
    for key in tensors:
        name = key.removeprefix(prefix)
        if not key.startswith(prefix) or name in own or name.endswith(COUNTER):
            continue
        if name.split(".")[0] in stages:
            raise UsageError(
                f"{source} has a tensor {key}, which this network's encoder has not.",
                remedy="Give weights of the same depth: of mit_b1 for mit_b1.",
            )


def _enumeration(known: Known) -> str:
    if known.torchvision is None:
        raise UsageError(
            f"torchvision has no weights of a {known.title}.", remedy=f"Give {_wanted(known)}."
        )
    return known.torchvision


def _download(enumeration: str) -> dict[str, Tensor]:
    from urllib.error import URLError

    from torchvision.models import get_weight

    try:
        weights: dict[str, Tensor] = get_weight(enumeration).get_state_dict(
            progress=False, check_hash=True
        )
    except (URLError, OSError) as error:
        raise MissingToolError(
            f"torchvision's {enumeration} cannot be downloaded.",
            remedy="Check the network, or name a file with the weights.",
        ) from error
    return weights
