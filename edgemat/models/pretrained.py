"""Start the encoder from MobileNetV2 trained on ImageNet.

Our networks read RGB in 0..1. Whatever input convention the weights were trained with is folded
into the first convolution and its batch normalisation (exactly, but for the picture's border).
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor, nn

from edgemat.errors import MissingToolError, UsageError
from edgemat.models.encoders.mobilenetv2 import MobileNetV2
from edgemat.models.weights_file import read_weights_file

IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406])
IMAGENET_STD = torch.tensor([0.229, 0.224, 0.225])
# (pixel - 128) / 128, the convention of TensorFlow's MobileNets, for pixels in 0..1
TENSORFLOW_MEAN, TENSORFLOW_STD = torch.full((3,), 128 / 255), torch.full((3,), 128 / 255)


def load_encoder(encoder: MobileNetV2, source: str | Path) -> None:
    """Load ImageNet weights into `encoder`, in place.

    Parameters
    ----------
    source:
        "torchvision" (downloads to torch's cache), or a file with the keys of torchvision's
        ``mobilenet_v2().features``: a state dict in .pth, .pt or .safetensors (inputs normalised
        by ImageNet's mean and standard deviation), or an .npz (inputs (x - 128) / 128, as
        converted from TensorFlow).

    Raises
    ------
    UsageError
        When the file is missing or does not fit a full-width MobileNetV2.
    MissingToolError
        When torchvision's weights cannot be downloaded.
    """
    weights = _read(source)
    is_tensorflow = str(source).endswith(".npz")
    mean = TENSORFLOW_MEAN if is_tensorflow else IMAGENET_MEAN
    std = TENSORFLOW_STD if is_tensorflow else IMAGENET_STD
    theirs = _by_layer(weights)
    if len(theirs) != len(_layers(encoder)):
        raise UsageError(
            f"{source} holds {len(theirs)} convolutions with batch normalisation, the encoder has "
            f"{len(_layers(encoder))}.",
            remedy="Give MobileNetV2 weights keyed like torchvision's mobilenet_v2().features.",
        )
    for number, ((conv, norm), their) in enumerate(zip(_layers(encoder), theirs, strict=True)):
        kernel = their["conv"]
        running_mean = their["running_mean"]
        if number == 0:
            kernel, running_mean = _fold_input(kernel, running_mean, mean, std)
            kernel = _with_extra_channels(kernel, conv.in_channels)
        if kernel.shape != conv.weight.shape:
            raise UsageError(
                f"{source}: convolution {number} is {tuple(kernel.shape)}, the encoder's is "
                f"{tuple(conv.weight.shape)}.",
                remedy="ImageNet weights fit width 1.0 alone.",
            )
        with torch.no_grad():
            conv.weight.copy_(kernel)
            norm.weight.copy_(their["weight"])
            norm.bias.copy_(their["bias"])
            norm.get_buffer("running_mean").copy_(running_mean)
            norm.get_buffer("running_var").copy_(their["running_var"])


def _layers(encoder: MobileNetV2) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Return every convolution with the batch normalisation behind it, in order."""
    modules = [m for m in encoder.modules() if isinstance(m, nn.Conv2d | nn.BatchNorm2d)]
    return list(zip(modules[::2], modules[1::2], strict=True))  # type: ignore[arg-type]


def _by_layer(weights: dict[str, Tensor]) -> list[dict[str, Tensor]]:
    """Group a state dict into convolution and batch normalisation, in the network's order."""

    def position(key: str) -> tuple[int, ...]:
        return tuple(int(part) for part in key.split(".") if part.isdigit())

    features = {
        key.removeprefix("features."): value
        for key, value in weights.items()
        if not key.startswith("classifier") and not key.startswith(("18.", "features.18."))
    }
    convs = sorted((k for k, v in features.items() if v.ndim == 4), key=position)
    layers = []
    for key in convs:
        *prefix, index, _ = key.split(".")
        norm = ".".join([*prefix, str(int(index) + 1)])
        fields = ("weight", "bias", "running_mean", "running_var")
        if any(f"{norm}.{field}" not in features for field in fields):
            continue
        layers.append(
            {"conv": features[key]} | {field: features[f"{norm}.{field}"] for field in fields}
        )
    return layers


def _fold_input(
    kernel: Tensor, running_mean: Tensor, mean: Tensor, std: Tensor
) -> tuple[Tensor, Tensor]:
    """Let the first layer take pixels in 0..1 instead of (pixels - mean) / std."""
    folded = kernel / std.reshape(1, 3, 1, 1)
    shift = (folded * mean.reshape(1, 3, 1, 1)).sum(dim=(1, 2, 3))
    return folded, running_mean + shift


def _with_extra_channels(kernel: Tensor, channels: int) -> Tensor:
    """Append input channels with zero weights: the trimap starts without a say (section 3.6.1)."""
    extra = kernel.new_zeros(kernel.shape[0], channels - kernel.shape[1], *kernel.shape[2:])
    return torch.cat([kernel, extra], dim=1)


def _read(source: str | Path) -> dict[str, Tensor]:
    if str(source) == "torchvision":
        return _download()
    path = Path(source)
    if not path.is_file():
        raise UsageError(
            f"There is no encoder weights file {path}.",
            remedy='Name an .npz, .pth or .safetensors file, or "torchvision".',
        )
    return read_weights_file(path)


def _download() -> dict[str, Tensor]:
    from urllib.error import URLError

    from torchvision.models import MobileNet_V2_Weights

    try:
        weights: dict[str, Tensor] = MobileNet_V2_Weights.IMAGENET1K_V1.get_state_dict(
            progress=False, check_hash=True
        )
    except (URLError, OSError) as error:
        raise MissingToolError(
            "torchvision's MobileNetV2 weights cannot be downloaded.",
            remedy="Check the network, or name a file with the weights.",
        ) from error
    return weights
