"""Weights that come from other networks: all, an encoder, PSPM's phase 1 (6.5.2), a share of all.

PSPM and its baseline B start from two:

"We first load parameters of pre-trained DeepLabV3+ to the encoder and the SegDecoder, then load
parameters of corresponding layers from pre-trained IndexNet to the MatDecoder." Where IndexNet's
layer sees a concatenation, and that of the MatDecoder the unpooled feature alone, the weights that
meet the unpooled feature are taken.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch
from torch import Tensor

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import open_artifact
from edgemat.artifacts.weights import load_network
from edgemat.errors import UsageError
from edgemat.models.blocks.affine import NAME, add_affines
from edgemat.models.indexnet import IndexNet
from edgemat.models.network import MattingNetwork
from edgemat.models.pspm_baseline import PSPMBaseline
from edgemat.recipe.optimization import BlendSection, PartsSection

# Of M = F_p + U_p / 2: how much of the trimap's weight each class gets, where all three are seen.
CLASS_SHARES = (0.0, 0.5, 1.0)


def start_from_all(network: MattingNetwork, trained: Artifact) -> None:
    """Load the weights of a float artefact of the same architecture into `network`, in place.

    Raises
    ------
    UsageError
        When it is of another architecture or width.
    """
    state = load_network(trained).state_dict()
    add_affines(network, state)
    try:
        network.load_state_dict(state)
    except RuntimeError as error:
        raise UsageError(
            f"The weights of {trained.path.name} ({trained.manifest.architecture}) do not fit "
            "this network.",
            remedy="train.start needs a float artefact of the same architecture and config.",
        ) from error


def start_from_two(network: MattingNetwork, parts: PartsSection) -> tuple[Artifact, Artifact]:
    """Load a trained segmentation and a trained IndexNet into `network`, in place.

    Returns
    -------
    Both artefacts, the segmentation first.

    Raises
    ------
    UsageError
        When one is not there, has no such part, or does not fit.
    """
    segmentation, matting = open_artifact(parts.segmentation), open_artifact(parts.matting)
    state = dict(_segmentation(network, segmentation))
    state |= dict(_matting(network, matting))
    add_affines(network, state)
    own = network.state_dict()
    for name, value in state.items():
        if name not in own or own[name].shape != value.shape:
            raise UsageError(
                f"The weights of {segmentation.path.name} and {matting.path.name} do not fit this "
                f"network: {name}.",
                remedy="train.parts needs networks of the same widths.",
            )
    network.load_state_dict(state, strict=False)
    return segmentation, matting


def blend_in(network: MattingNetwork, blend: BlendSection) -> Artifact:
    """Mix the weights of another trained network into `network`, in place; returns the other.

    The mean of a network's weights before and after it was tuned to other pictures is often better
    on both (Wortsman et al., *Robust fine-tuning of zero-shot models*, CVPR 2022). The statistics
    of batch normalisation are mixed alike.

    Raises
    ------
    UsageError
        When it is not there, or of another architecture or width.
    """
    other = open_artifact(blend.other)
    own, theirs = network.state_dict(), load_network(other).state_dict()
    if {name: w.shape for name, w in own.items()} != {name: w.shape for name, w in theirs.items()}:
        raise UsageError(
            f"train.blend: {other.path.name} is of another architecture or width.",
            remedy="Name a network of the same, such as the one that it was tuned from.",
        )
    network.load_state_dict(
        {
            name: torch.lerp(w, theirs[name].to(w), blend.share) if w.is_floating_point() else w
            for name, w in own.items()
        }
    )
    return other


def start_from_encoder(network: MattingNetwork, trained: Artifact) -> None:
    """Load the encoder of another trained network into that of `network`, in place.

    Raises
    ------
    UsageError
        When it is another encoder, or of another width.
    """
    source = load_network(trained)
    state = source.encoder.state_dict()
    add_affines(network.encoder, state)
    try:
        network.encoder.load_state_dict(state)
    except RuntimeError as error:
        raise UsageError(
            f"train.encoder: the encoder of {trained.path.name} ({type(source.encoder).__name__}) "
            "is not this network's.",
            remedy="It takes the float artefact of a network with the same encoder and width.",
        ) from error


def _segmentation(network: MattingNetwork, trained: Artifact) -> Iterator[tuple[str, Tensor]]:
    source = load_network(trained)
    if network.segmentation is None or source.segmentation is None:
        named = trained.path.name if source.segmentation is None else "this network"
        raise UsageError(
            f"train.parts.segmentation: {named} estimates no trimap.",
            remedy="It takes a portrait network's artefact, and is for portrait networks.",
        )
    pairs = zip(network.segmentation, source.segmentation, strict=True)
    for own, other in pairs:
        yield from _renamed(source.state_dict(), {own: other})


def _matting(network: MattingNetwork, trained: Artifact) -> Iterator[tuple[str, Tensor]]:
    source = load_network(trained)
    if type(source) is not IndexNet or not network.matting_layers:
        named = "this network" if type(source) is IndexNet else trained.path.name
        raise UsageError(
            f"train.parts.matting: {named} has none of IndexNet's layers.",
            remedy="It takes an IndexNet's artefact, and is for PSPM and its baselines.",
        )
    own = network.state_dict()
    for name, value in _renamed(source.state_dict(), network.matting_layers):
        yield name, _fitted(name, value, own.get(name), network)


def _renamed(
    state: Mapping[str, Tensor], layers: Mapping[str, str]
) -> Iterator[tuple[str, Tensor]]:
    for own, other in layers.items():
        for name, value in state.items():
            if name.startswith(f"{other}."):
                yield own + name.removeprefix(other), value


def _fitted(name: str, value: Tensor, own: Tensor | None, network: MattingNetwork) -> Tensor:
    """Return weights with as many inputs as the network's own layer."""
    if own is not None and own.ndim == value.ndim == 4 and own.shape[2:] == value.shape[2:]:
        inputs, wanted = value.shape[1], own.shape[1]
        if inputs > wanted:
            return value[:, :wanted]
        if inputs < wanted and isinstance(network, PSPMBaseline):
            shares = [value[:, -1:] * share for share in CLASS_SHARES]
            return torch.cat([value[:, :-1], *shares], dim=1)
    if f".{NAME}." in name and isinstance(network, PSPMBaseline):
        missing = network.in_channels + network.trimap_channels - len(value)
        filling = value[-1:].repeat(missing, *[1] * (value.ndim - 1))
        return torch.cat([value, filling])
    return value
