"""From a released checkpoint to the network that computes what its authors' code does."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch

from edgemat.images import IMAGENET_MEAN, IMAGENET_STD
from edgemat.models import create_model
from edgemat.models.blocks.affine import normalise_input
from edgemat.models.network import Network
from edgemat.models.pretrained.checkpoint import read_state_dicts
from edgemat.models.pretrained.fitting import check_values
from edgemat.models.released.families import find_family
from edgemat.models.released.family import Family, Member
from edgemat.models.released.recognise import recognise
from edgemat.models.weights_file import check_file


@dataclass(frozen=True)
class Released:
    """A network with released weights, in eval mode.

    Attributes
    ----------
    family, member:
        What it was recognised as.
    mean, deviation:
        Of each colour in 0..1, in the affine before the convolutions that see pixels; None where
        there is no affine.
    """

    network: Network
    family: Family
    member: Member

    @property
    def mean(self) -> tuple[float, ...] | None:
        return IMAGENET_MEAN if self.family.normalised else None

    @property
    def deviation(self) -> tuple[float, ...] | None:
        return IMAGENET_STD if self.family.normalised else None


def load_released(path: Path, *, family: str | None = None) -> Released:
    """Read a checkpoint, recognise its network, and build that with its weights.

    Pixels are taken in 0..1: where the authors normalise them, an affine before each convolution
    that sees them does (:mod:`edgemat.models.blocks.affine`).

    Parameters
    ----------
    path:
        A .pth, .pt, .tar, .bin or .safetensors file; nothing in it is run.
    family:
        One of :data:`edgemat.models.released.families.FAMILIES`; None to recognise it.

    Raises
    ------
    UsageError
        When the file cannot be read, is no network of a known family, or holds what no trained
        network does.
    """
    if family is not None:
        find_family(family)
    check_file(path)
    states = read_state_dicts(path)
    match = recognise(states, path, family=family)
    tensors = states[match.where]
    network = create_model(match.member.architecture, **match.member.config)
    state = network.state_dict()
    with torch.no_grad():
        for own, stored in match.member.layout.tensors.items():
            tensor = tensors[match.prefix + stored.name]
            check_values(tensor, match.prefix + stored.name, path)
            state[own].copy_(tensor if stored.convert is None else stored.convert(tensor))
    if match.family.normalised:
        for name in match.family.pixels:
            sees_pixels = network.get_submodule(name)
            normalise_input(sees_pixels, torch.tensor(IMAGENET_MEAN), torch.tensor(IMAGENET_STD))
    network.eval()
    return Released(network, match.family, match.member)
