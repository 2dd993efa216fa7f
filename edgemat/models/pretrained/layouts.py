"""The names of tensors in public checkpoints of the encoders that edgemat has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import nn

from edgemat.models.blocks.affine import NAME
from edgemat.models.encoders.mit import MiT
from edgemat.models.encoders.mobilenetv2 import STAGES as MOBILE_STAGES
from edgemat.models.encoders.mobilenetv2 import MobileNetV2
from edgemat.models.encoders.resnet34 import ResNet34
from edgemat.models.encoders.resnet50 import ResNet50
from edgemat.models.encoders.vgg import STAGES as VGG_STAGES
from edgemat.models.encoders.vgg import VGG16
from edgemat.models.pretrained.renaming import (
    CheckpointLayout,
    CheckpointTensor,
    Rename,
    first_half,
    second_half,
)


@dataclass(frozen=True)
class Known:
    """The public weights of one encoder.

    Attributes
    ----------
    title:
        The encoder's own name.
    torchvision:
        The name of its weights there; None where it has none.
    layouts:
        By their titles.
    cut:
        The stage that edgemat's encoder has the beginning of alone; "" for none.
    """

    title: str
    torchvision: str | None
    layouts: Mapping[str, Rename]
    cut: str = ""

    def of(self, encoder: nn.Module) -> list[CheckpointLayout]:
        """Return the layouts for the tensors that `encoder` has."""
        own = [name for name in encoder.state_dict() if f".{NAME}." not in name]
        return [CheckpointLayout.of(title, rename, own) for title, rename in self.layouts.items()]


def known_weights(encoder: nn.Module) -> Known | None:
    """Return what is known of public weights for `encoder`; None for nothing.

    >>> from edgemat.models.encoders.resnet34 import ResNet34
    >>> from edgemat.models.pretrained.layouts import known_weights
    >>> known = known_weights(ResNet34(3))
    >>> [layout.names[0] for layout in known.of(ResNet34(3))]
    ['conv1.weight']
    """
    return _KNOWN.get(type(encoder))


# ---- MobileNetV2: stage, block and layer to one count of blocks ------------------------------


def _mobile(inside: Callable[[int, int], str]) -> Rename:
    def rename(name: list[str]) -> str:
        stage = int(name[0])
        if stage == 0:
            return ".".join(name)
        _, block, _, layer, leaf = name
        before = sum(s.blocks for s in MOBILE_STAGES[: stage - 1])
        last = 2 if MOBILE_STAGES[stage - 1].expansion > 1 else 1
        return f"{1 + before + int(block)}.conv.{inside(int(layer), last)}.{leaf}"

    return rename


def _grouped(layer: int, last: int) -> str:
    """Convolution, normalisation and activation in a group of their own, but for the last two."""
    group, place = divmod(layer, 3)
    return str(group + place) if group == last else f"{group}.{place}"


# ---- VGG-16: a count of layers through all stages, pools included ----------------------------


def _vgg(name: list[str]) -> str:
    stage, layer, leaf = name
    before = sum(3 * layers + 1 for _, layers in VGG_STAGES[: int(stage)])
    return f"{before + int(layer)}.{leaf}"


# ---- ResNet --------------------------------------------------------------------------------

_CONV_OR_NORM = {"0": "conv", "1": "bn"}


def _resnet34(name: list[str]) -> str:
    if name[0] == "stem":
        return f"{_CONV_OR_NORM[name[1]]}1.{name[2]}"
    _, stage, block, part, layer, leaf = name
    block = f"layer{int(stage) + 1}.{block}"
    if part == "shortcut":
        return f"{block}.downsample.{layer}.{leaf}"
    return f"{block}.{_CONV_OR_NORM[layer]}{1 if part == 'first' else 2}.{leaf}"


def _resnet50(name: list[str]) -> str:
    if name[0] == "0":
        return f"{_CONV_OR_NORM[name[1]]}1.{name[2]}"
    stage, block, part, layer, leaf = name
    block = f"layer{stage}.{block}"
    if part == "shortcut":
        return f"{block}.downsample.{layer}.{leaf}"
    number, place = divmod(int(layer), 3)
    return f"{block}.{_CONV_OR_NORM[str(place)]}{number + 1}.{leaf}"


# ---- Mix Transformer, as SegFormer's authors name it and as Hugging Face does ----------------

_ORIGINAL = {
    "norm1": CheckpointTensor("norm1"),
    "attention.query": CheckpointTensor("attn.q"),
    "attention.key": CheckpointTensor("attn.kv", first_half),
    "attention.value": CheckpointTensor("attn.kv", second_half),
    "attention.project": CheckpointTensor("attn.proj"),
    "attention.reduce.conv": CheckpointTensor("attn.sr"),
    "attention.reduce.norm": CheckpointTensor("attn.norm"),
    "norm2": CheckpointTensor("norm2"),
    "perceptron.expand": CheckpointTensor("mlp.fc1"),
    "perceptron.depthwise": CheckpointTensor("mlp.dwconv.dwconv"),
    "perceptron.reduce": CheckpointTensor("mlp.fc2"),
}
_HUGGING_FACE = {
    "norm1": "layer_norm_1",
    "attention.query": "attention.self.query",
    "attention.key": "attention.self.key",
    "attention.value": "attention.self.value",
    "attention.project": "attention.output.dense",
    "attention.reduce.conv": "attention.self.sr",
    "attention.reduce.norm": "attention.self.layer_norm",
    "norm2": "layer_norm_2",
    "perceptron.expand": "mlp.dense1",
    "perceptron.depthwise": "mlp.dwconv.dwconv",
    "perceptron.reduce": "mlp.dense2",
}


def _mit_original(name: list[str]) -> CheckpointTensor:
    stage, kind, *rest, leaf = name
    number = int(stage) + 1
    if kind != "blocks":
        outside = {"embed": f"patch_embed{number}.proj", "embed_norm": f"patch_embed{number}.norm"}
        return CheckpointTensor(f"{outside.get(kind, f'norm{number}')}.{leaf}")
    block, *inside = rest
    tensor = _ORIGINAL[".".join(inside)]
    return CheckpointTensor(f"block{number}.{block}.{tensor.name}.{leaf}", tensor.convert)


def _mit_hugging_face(name: list[str]) -> str:
    stage, kind, *rest, leaf = name
    if kind != "blocks":
        embed = f"patch_embeddings.{stage}"
        outside = {"embed": f"{embed}.proj", "embed_norm": f"{embed}.layer_norm"}
        return f"{outside.get(kind, f'layer_norm.{stage}')}.{leaf}"
    block, *inside = rest
    return f"block.{stage}.{block}.{_HUGGING_FACE['.'.join(inside)]}.{leaf}"


_KNOWN: dict[type[nn.Module], Known] = {
    MobileNetV2: Known(
        "MobileNetV2",
        "MobileNet_V2_Weights.IMAGENET1K_V1",
        {
            "torchvision's mobilenet_v2().features": _mobile(_grouped),
            "tonylins' pytorch-mobilenet-v2": _mobile(lambda layer, _: str(layer)),
        },
    ),
    VGG16: Known(
        "VGG-16 with batch normalisation",
        "VGG16_BN_Weights.IMAGENET1K_V1",
        {"torchvision's vgg16_bn().features": _vgg},
    ),
    ResNet34: Known(
        "ResNet-34",
        "ResNet34_Weights.IMAGENET1K_V1",
        {"torchvision's resnet34()": _resnet34},
        cut="layer3",
    ),
    ResNet50: Known(
        "ResNet-50", "ResNet50_Weights.IMAGENET1K_V1", {"torchvision's resnet50()": _resnet50}
    ),
    MiT: Known(
        "Mix Transformer",
        None,
        {
            "SegFormer's mit_b1.pth and mit_b2.pth": _mit_original,
            "Hugging Face's SegformerModel().encoder": _mit_hugging_face,
        },
    ),
}
