"""Networks that are quantized and converted for tests, each once in a run: see `shared_files`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from shared_files import made_once
from torch import nn
from toy_networks import calibration, network_deploy, toy_deploy

from edgemat.convert.backends import find_target
from edgemat.convert.coreai import convert_coreai
from edgemat.convert.coreml import convert_coreml
from edgemat.convert.tflite import convert_tflite
from edgemat.models.deploy import DeployForm
from edgemat.quantize.ptq import Quantized, prepare_for_int8, quantize_ptq
from edgemat.quantize.spec import QuantSpec

Shape = tuple[int, int, int]  # C, H, W


def quantized_toy() -> Quantized:
    return quantized(toy_deploy(), channels=3, size=32)


def quantized_network(name: str, channels: int, **config: object) -> Quantized:
    return quantized(network_deploy(name, **config), channels=channels, size=64)


def quantized(deploy: DeployForm, *, channels: int, size: int) -> Quantized:
    """Return what :func:`quantize_ptq` makes of `deploy` with the tests' calibration pictures."""
    return stored(
        "quantized",
        (content_of(deploy), channels, size),
        prepare_for_int8(deploy),
        lambda: quantize_ptq(deploy, calibration(channels, size)),
    )


def stored(
    name: str, ingredients: object, deploy: DeployForm, make: Callable[[], Quantized]
) -> Quantized:
    """Return what `make` gives, from files, where it was made before.

    Parameters
    ----------
    deploy:
        A network of the same form, into which the weights go.
    """

    def fill(folder: Path) -> None:
        made = make()
        torch.save(made.deploy.state_dict(), folder / "weights.pt")
        made.spec.save(folder / "quant.json")

    folder = made_once(name, ingredients, fill)
    deploy.load_state_dict(torch.load(folder / "weights.pt", weights_only=True))
    return Quantized(deploy, QuantSpec.load(folder / "quant.json"))


def tflite_file(
    model: nn.Module, target: str, *, shape: Shape, metadata: Mapping[str, Any] | None = None
) -> Path:
    """Return `model` as a .tflite file: deploy form for float targets, frozen model for int8."""

    def fill(folder: Path) -> None:
        path = folder / "model.tflite"
        convert_tflite(
            model, path, target=find_target(target), shape=shape, metadata=metadata or {}
        )

    return made_once(target, (content_of(model), shape, metadata), fill) / "model.tflite"


def coreml_file(model: nn.Module, *, shape: Shape, quantized: bool = False) -> Path:
    """Return `model` as a package in float32, as float16 agrees to 45 dB only."""
    channels, height, width = shape

    def fill(folder: Path) -> None:
        convert_coreml(
            model,
            folder / "model.mlpackage",
            height=height,
            width=width,
            channels=3 if channels == 3 else 4,
            precision="fp32",
            quantized=quantized,
            metadata={},
            licence="",
            author="",
            description="",
        )

    return made_once("coreml", (content_of(model), shape, quantized), fill) / "model.mlpackage"


def coreai_file(model: nn.Module, *, shape: Shape) -> Path:
    channels, height, width = shape

    def fill(folder: Path) -> None:
        convert_coreai(
            model,
            folder / "model.aimodel",
            height=height,
            width=width,
            channels=channels,
            metadata={},
            licence="",
            author="",
            description="",
        )

    return made_once("coreai", (content_of(model), shape), fill) / "model.aimodel"


def file_of(model: nn.Module, target: str, *, shape: Shape) -> Path:
    """Return `model` as a file for `target`; Core AI's in the precision that `model` has."""
    if find_target(target).runtime == "coreai":
        return coreai_file(model, shape=shape)
    if find_target(target).runtime == "tflite":
        return tflite_file(model, target, shape=shape)
    return coreml_file(model, shape=shape, quantized=find_target(target).quantized)


def content_of(model: nn.Module) -> str:
    """Return a hash of a network: its parts, their settings, its weights."""
    found = hashlib.sha256()
    for name, module in model.named_modules(remove_duplicate=False):
        settings = {key: value for key, value in vars(module).items() if _is_plain(value)}
        found.update(f"{name}: {type(module).__qualname__} {sorted(settings.items())}\n".encode())
    for name, value in model.state_dict().items():
        found.update(f"{name}: {value.dtype} {tuple(value.shape)}\n".encode())
        found.update(value.detach().reshape(-1).contiguous().view(torch.uint8).numpy().tobytes())
    return found.hexdigest()


def _is_plain(value: object) -> bool:
    if isinstance(value, tuple | list):
        return all(map(_is_plain, value))
    return isinstance(value, int | float | str | None)
