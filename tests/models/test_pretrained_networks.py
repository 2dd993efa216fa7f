"""Encoders take torchvision's weights and SegFormer's: the same features, the same tensors."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from toy_encoders import State, segformer, theirs

from edgemat.errors import UsageError
from edgemat.models.encoders.mit import MiT
from edgemat.models.encoders.mobilenetv2 import MobileNetV2
from edgemat.models.encoders.resnet34 import ResNet34
from edgemat.models.encoders.resnet50 import ResNet50
from edgemat.models.encoders.vgg import VGG16
from edgemat.models.pretrained.load import check_source, load_encoder

MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def normalised(pixels: Tensor) -> Tensor:
    return (pixels - MEAN[:, None, None]) / STD[:, None, None]


def with_trimap(pixels: Tensor) -> Tensor:
    return torch.cat([pixels, torch.rand_like(pixels[:, :1])], dim=1)  # has no say at first


# ---- torchvision's: the same features as theirs, the border included --------------------------


@torch.no_grad()
def test_mobilenetv2_gives_torchvisions_features(tmp_path: Path) -> None:
    network = theirs("mobilenet_v2")
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    encoder = MobileNetV2(4, strided=(0, 2, 3, 4, 6))
    load_encoder(encoder, tmp_path / "weights.pth")
    pixels = torch.rand(1, 3, 64, 64)
    found = with_trimap(pixels)
    for stage in encoder.eval():
        found = stage(found)
    torch.testing.assert_close(found, network.features[:18](normalised(pixels)), atol=1e-4, rtol=0)


@torch.no_grad()
def test_vgg16_gives_torchvisions_features(tmp_path: Path) -> None:
    network = theirs("vgg16_bn").features
    torch.save({f"features.{k}": v for k, v in network.state_dict().items()}, tmp_path / "w.pth")
    encoder = VGG16(4).eval()
    load_encoder(encoder, tmp_path / "w.pth")
    pixels = torch.rand(1, 3, 32, 32)
    found = with_trimap(pixels)
    for stage in encoder:
        found = F.max_pool2d(stage(found), 2)
    torch.testing.assert_close(found, network(normalised(pixels)), atol=1e-4, rtol=0)


@torch.no_grad()
def test_resnet50_gives_torchvisions_features(tmp_path: Path) -> None:
    network = theirs("resnet50")
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    encoder = ResNet50(3, strided=True).eval()
    load_encoder(encoder, tmp_path / "weights.pth")
    pixels = torch.rand(1, 3, 64, 64)
    found = F.max_pool2d(encoder[0](pixels), 3, stride=2, padding=1)
    for stage in list(encoder)[1:]:
        found = stage(found)
    network.avgpool = network.fc = nn.Identity()
    expected = network(normalised(pixels)).reshape(found.shape)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-4)


@torch.no_grad()
def test_resnet34_gives_torchvisions_features(tmp_path: Path) -> None:
    """With its activation: A2U's is leaky ReLU."""
    network = theirs("resnet34")
    torch.save(network.state_dict(), tmp_path / "weights.pth")
    encoder = ResNet34(4).eval()
    load_encoder(encoder, tmp_path / "weights.pth")
    for module in encoder.modules():
        if isinstance(module, nn.LeakyReLU):
            module.negative_slope = 0.0
    pixels = torch.rand(1, 3, 64, 64)
    found = F.max_pool2d(encoder.stem(with_trimap(pixels)), 3, stride=2, padding=1)
    for stage in encoder.stages:
        found = stage(found)
    network.layer3 = network.layer3[:4]  # 11 residual blocks
    network.layer4 = network.avgpool = network.fc = nn.Identity()
    expected = network(normalised(pixels)).reshape(found.shape)
    torch.testing.assert_close(found, expected, atol=1e-3, rtol=1e-4)


# ---- SegFormer ---------------------------------------------------------------------------------


def hugging_face(state: State) -> State:
    """Return the names of Hugging Face, by the rules of its conversion script."""
    renamed = {}
    for key, value in state.items():
        if key.startswith("head"):
            renamed[key.replace("head", "classifier")] = value
            continue
        for stage in range(1, 5):
            key = key.replace(f"patch_embed{stage}.", f"patch_embeddings.{stage - 1}.")
            key = key.replace(f"block{stage}.", f"block.{stage - 1}.")
        key = key.replace("norm", "layer_norm")
        for stage in range(1, 5):
            if key.startswith(f"layer_norm{stage}"):
                key = key.replace(f"layer_norm{stage}", f"layer_norm.{stage - 1}")
        key = key.replace("layer_norm1", "layer_norm_1").replace("layer_norm2", "layer_norm_2")
        key = key.replace("attn.q", "attention.self.query")
        key = key.replace("attn.proj", "attention.output.dense").replace("attn", "attention.self")
        key = "segformer.encoder." + key.replace("fc1", "dense1").replace("fc2", "dense2")
        if ".kv." in key:
            half = len(value) // 2
            renamed[key.replace(".kv.", ".key.")] = value[:half].clone()
            renamed[key.replace(".kv.", ".value.")] = value[half:].clone()
        else:
            renamed[key] = value
    return renamed


def test_segformers_mit_by_its_authors_names(tmp_path: Path) -> None:
    state = segformer()
    torch.save(state, tmp_path / "mit_b1.pth")
    encoder = MiT(4, variant="b1")
    load_encoder(encoder, tmp_path / "mit_b1.pth")
    block = encoder[2].blocks[1]
    kv = state["block3.1.attn.kv.weight"]
    assert torch.equal(block.attention.key.weight, kv[:320])
    assert torch.equal(block.attention.value.weight, kv[320:])
    assert torch.equal(block.attention.query.bias, state["block3.1.attn.q.bias"])
    assert torch.equal(block.attention.reduce.norm.weight, state["block3.1.attn.norm.weight"])
    assert torch.equal(
        block.perceptron.depthwise.weight, state["block3.1.mlp.dwconv.dwconv.weight"]
    )
    assert torch.equal(encoder[3].norm.bias, state["norm4.bias"])
    assert torch.equal(encoder[1].embed_norm.weight, state["patch_embed2.norm.weight"])
    first = state["patch_embed1.proj.weight"]
    assert torch.equal(encoder[0].embed.weight, torch.cat([first, 0 * first[:, :1]], dim=1))
    pixels = torch.rand(1, 3, 32, 32)
    bias = state["patch_embed1.proj.bias"]
    expected = F.conv2d(normalised(pixels), first, bias, stride=4, padding=3)
    torch.testing.assert_close(
        encoder[0].embed(with_trimap(pixels)), expected, atol=1e-3, rtol=1e-4
    )


@pytest.mark.parametrize("prefix", ["", "model."])
def test_segformers_mit_by_hugging_faces_names(tmp_path: Path, prefix: str) -> None:
    state = segformer()
    torch.save(state, tmp_path / "mit_b1.pth")
    renamed = {prefix + key: value for key, value in hugging_face(state).items()}
    save_file(renamed, tmp_path / "model.safetensors")
    one, other = MiT(3, variant="b1"), MiT(3, variant="b1")
    load_encoder(one, tmp_path / "mit_b1.pth")
    load_encoder(other, tmp_path / "model.safetensors")
    for (name, found), expected in zip(
        other.state_dict().items(), one.state_dict().values(), strict=True
    ):
        assert torch.equal(found, expected), name


def test_mit_of_another_depth_is_refused_both_ways(tmp_path: Path) -> None:
    torch.save(segformer((3, 4, 6, 3)), tmp_path / "mit_b2.pth")
    torch.save(segformer(), tmp_path / "mit_b1.pth")
    with pytest.raises(UsageError, match=r"has a tensor block1\.2\.norm1\.weight"):
        load_encoder(MiT(3, variant="b1"), tmp_path / "mit_b2.pth")
    with pytest.raises(UsageError, match=r"has no tensor block1\.2\.norm1\.weight"):
        load_encoder(MiT(3, variant="b2"), tmp_path / "mit_b1.pth")
    with pytest.raises(UsageError, match="torchvision has no weights of a Mix Transformer"):
        check_source(MiT(3, variant="b1"), "torchvision")
