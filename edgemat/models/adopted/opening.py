"""A stranger's network by whatever name: a factory in her code, an entry point, a .pt2 file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from edgemat.errors import ArtifactError, UsageError, nearest
from edgemat.models.adopted.program import MAX_BYTES

ENTRY_POINTS = "edgemat.models"
"""The group in which packages list factories of their networks."""


def listed_networks() -> dict[str, str]:
    """Return the networks that installed packages list, as NAME: package.module:factory."""
    return {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}


def open_module(name: str) -> nn.Module:
    """Return the network of a factory: ``package.module:factory``, or an entry point's name.

    The current folder is looked into first, as ``python`` does.

    Raises
    ------
    UsageError
        When there is no such module or factory, or it raises, or returns something else.
    """
    spec = name if ":" in name else listed_networks().get(name, "")
    module_name, _, factory_name = spec.partition(":")
    if not module_name or not factory_name:
        raise UsageError(
            f"{name!r} names no network.",
            remedy="Give package.module:factory, a .pt2 file, or "
            + nearest(name, listed_networks() or ["a listed name"]),
        )
    if (here := str(Path.cwd())) not in sys.path:
        sys.path.insert(0, here)
    try:
        factory = importlib.import_module(module_name)
        for part in factory_name.split("."):
            factory = getattr(factory, part)
    except ImportError as error:
        raise UsageError(
            f"{module_name} cannot be imported: {error}.",
            remedy="Install its package, or run where its file lies.",
        ) from error
    except AttributeError as error:
        known = [n for n in vars(sys.modules[module_name]) if not n.startswith("_")]
        raise UsageError(
            f"{module_name} has no {factory_name!r}.", remedy=nearest(factory_name, known)
        ) from error
    try:
        network = factory() if callable(factory) and not isinstance(factory, nn.Module) else factory
    except Exception as error:  # whatever the user's own code raises
        raise UsageError(
            f"{spec} raises {type(error).__name__}: {error}.",
            remedy="Give a function that takes no argument and returns the network.",
        ) from error
    if not isinstance(network, nn.Module):
        raise UsageError(
            f"{spec} returns a {type(network).__name__}, not a torch.nn.Module.",
            remedy="Return the network itself.",
        )
    return network


def load_weights(network: nn.Module, path: Path) -> None:
    """Load a .pth or .safetensors file into `network`, in place; code in it is not run.

    ``state_dict`` and ``module.``, which training scripts put around, are taken off.

    Raises
    ------
    ArtifactError
        When the file cannot be read, or holds what is no number.
    UsageError
        When the tensors do not fit; the first that does not is named, with the nearest name.
    """
    state = _bare(_read(path))
    wanted = network.state_dict()
    counters = {name for name in wanted if name.endswith("num_batches_tracked")}
    missing = [name for name in wanted if name not in state and name not in counters]
    spare = [name for name in state if name not in wanted]
    if missing:
        close = nearest(missing[0], spare) if spare else "The file has no further tensors."
        raise UsageError(f"{path} has no {missing[0]!r}" + _more(missing) + ".", remedy=close)
    if spare:
        raise UsageError(
            f"The network has no {spare[0]!r}, which {path} holds" + _more(spare) + ".",
            remedy=nearest(spare[0], wanted),
        )
    for name, tensor in state.items():
        if tensor.shape != wanted[name].shape:
            raise UsageError(
                f"{name!r} is {tuple(tensor.shape)} in {path}, {tuple(wanted[name].shape)} in the "
                "network.",
                remedy="Build the network as it was when these weights were trained.",
            )
        if tensor.is_floating_point() and not torch.isfinite(tensor).all():
            raise ArtifactError(
                f"{name!r} in {path} has values that are no numbers (NaN or infinite).",
                remedy="Take a checkpoint from before the training broke.",
            )
    network.load_state_dict(state, strict=False)


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""


def _read(path: Path) -> Mapping[str, Any]:
    if not path.is_file():
        raise ArtifactError(f"{path} is no file.", remedy="Check its name.")
    if path.stat().st_size > MAX_BYTES:
        raise UsageError(f"{path} is larger than 2 GB.", remedy="No phone takes such a network.")
    try:
        if path.suffix == ".safetensors":
            return load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # zip's, pickle's, torch's and safetensors' own
        raise ArtifactError(
            f"{path} cannot be read as weights alone.",
            remedy="Save network.state_dict() with torch.save, or as .safetensors.",
        ) from error
    if not isinstance(loaded, Mapping):
        raise UsageError(
            f"{path} holds a {type(loaded).__name__}, not a state dict.",
            remedy="Save network.state_dict().",
        )
    return loaded


def _bare(state: Mapping[str, Any]) -> dict[str, Tensor]:
    for wrapper in ("state_dict", "model", "model_state_dict"):
        if isinstance(state.get(wrapper), Mapping):
            state = state[wrapper]
    while state and all(str(name).startswith("module.") for name in state):
        state = {str(name).removeprefix("module."): value for name, value in state.items()}
    return {name: value for name, value in state.items() if isinstance(value, Tensor)}
