"""A stranger's network by whatever name: a factory in her code, an entry point, a .pt2 file."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable, Mapping
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

from edgemat.errors import UsageError, nearest
from edgemat.models.pretrained.checkpoint import StateDict, read_state_dicts
from edgemat.models.pretrained.fitting import ITSELF
from edgemat.models.weights_file import MAX_BYTES, check_file, without_numbers

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
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise UsageError(
            f"{module_name} cannot be imported: {error}.",
            remedy="Install its package, or run where its file lies.",
        ) from error
    except (Exception, SystemExit) as error:  # whatever the user's own code raises
        raise UsageError(
            f"Importing {module_name} raises {type(error).__name__}: {error}.",
            remedy="Mend it until python imports it.",
        ) from error
    factory: Any = module
    try:
        for part in factory_name.split("."):
            factory = getattr(factory, part)
    except AttributeError as error:
        known = [
            name
            for name, value in vars(module).items()
            if not name.startswith("_") and not isinstance(value, ModuleType)
        ]
        raise UsageError(
            f"{module_name} has no {factory_name!r}.", remedy=nearest(factory_name, known)
        ) from error
    try:
        network = factory() if callable(factory) and not isinstance(factory, nn.Module) else factory
    except (Exception, SystemExit) as error:
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


def require_small(network: nn.Module) -> None:
    """Refuse a network that no artefact could hold, before it is traced.

    Raises
    ------
    UsageError
        For more than 2 GB of weights, and for layers that have none yet.
    """
    weights = [*network.parameters(), *network.buffers()]
    if any(is_lazy(weight) for weight in weights):
        raise UsageError(
            f"{type(network).__name__} has lazy layers, whose weights are not there yet.",
            remedy="Let the factory run a picture through it before it returns it.",
        )
    size = sum(weight.numel() * weight.element_size() for weight in weights)
    if size > MAX_BYTES:
        raise UsageError(
            f"{type(network).__name__} has weights of {size / 1e9:.1f} GB.",
            remedy="No phone takes more than 2 GB: build a smaller one.",
        )


def require_numbers(tensors: Iterable[tuple[str, Tensor]], owner: str) -> None:
    """Refuse weights that are not numbers, before anything is computed with them.

    Parameters
    ----------
    tensors:
        Each with its name.
    owner:
        Whose they are: a network, or the file that they were read from.

    Raises
    ------
    UsageError
        For the first that has NaN or infinite values; it is named.
    """
    if (name := without_numbers(tensors)) is not None:
        raise UsageError(
            f"{name!r} in {owner} has values that are no numbers (NaN or infinite).",
            remedy="Take a checkpoint from before the training broke.",
        )


def load_weights(network: nn.Module, path: Path) -> None:
    """Load a .pth or .safetensors file into `network`, in place; code in it is not run.

    What training scripts put around, ``state_dict`` and ``module.``, is taken off.

    Raises
    ------
    UsageError
        When the file cannot be read, holds the network twice, or what is no number; and when the
        tensors do not fit: the first that does not is named, with the nearest name.
    """
    if not path.is_file():
        raise UsageError(f"There is no weights file {path}.", remedy="Check its name.")
    check_file(path)
    wanted = network.state_dict()
    state = _closest(read_state_dicts(path), wanted, path)
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
        if tensor.layout != torch.strided or (
            wanted[name].is_floating_point() and not tensor.is_floating_point()
        ):
            kind = f"{str(tensor.layout).removeprefix('torch.')} {tensor.dtype}"
            raise UsageError(
                f"{name!r} is {kind} in {path}, {wanted[name].dtype} in the network.",
                remedy="Save the weights as they were trained: dense, in floating point.",
            )
    require_numbers(state.items(), str(path))
    network.load_state_dict(state, strict=False)


def _more(names: list[str]) -> str:
    return f" (and {len(names) - 1} more)" if len(names) > 1 else ""


def _closest(states: Mapping[str, StateDict], wanted: StateDict, path: Path) -> StateDict:
    """Return the dictionary of a file that is the network's, without ``module.`` before its names.

    Of several the network itself is taken, not its average or a teacher.
    """
    bare = {where: _bare(state) for where, state in states.items()}
    ranks = {
        where: (len(state.keys() & wanted.keys()), where.split(".")[0] in (*ITSELF, ""))
        for where, state in bare.items()
    }
    best = max(ranks.values())
    places = [where for where, rank in ranks.items() if rank == best]
    if len(places) > 1 and best[0]:
        raise UsageError(
            f"{path} holds the network {len(places)} times, in {' and '.join(map(repr, places))}.",
            remedy="Save the one to adopt on its own.",
        )
    return bare[places[0]]


def _bare(state: StateDict) -> StateDict:
    while state and all(name.startswith("module.") for name in state):
        state = {name.removeprefix("module."): value for name, value in state.items()}
    return state
