"""The one reader of weights: from an artefact to a torch network that has them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from safetensors import SafetensorError
from torch import Tensor

from edgemat.artifacts.artifact import COPY_AGAIN, Artifact
from edgemat.errors import ArtifactError, UsageError
from edgemat.files import size_bytes
from edgemat.models import create_model, model_info
from edgemat.models.adopted.network import ADOPTED, AdoptedNetwork
from edgemat.models.adopted.program import PROGRAM, load_program
from edgemat.models.blocks.affine import add_affines
from edgemat.models.bounds import require_small
from edgemat.models.deploy import DeployForm, to_deploy
from edgemat.models.network import AnyNetwork, MattingNetwork, Network
from edgemat.models.pruned import fit_channels, settle_channels, shapes_of
from edgemat.models.weights_file import read_safetensors

PARAMETERS_PER_BYTE = 8
"""Of the network as it was before pruning, whose file has two bytes for each that is left."""
# What torch and Python raise when a manifest and a file do not belong together.
_MISFITS = (
    *(RuntimeError, SafetensorError, LookupError, TypeError, ValueError, ArithmeticError),
    *(AttributeError, AssertionError, OSError),
)


@contextmanager
def explain_misfit(artifact: Artifact) -> Iterator[None]:
    """Turn what is raised while a torch model is made of `artifact` into an ArtifactError."""
    manifest = artifact.manifest
    try:
        yield
    except UsageError as error:
        raise ArtifactError(
            f"The manifest of {artifact.path} names no network that edgemat knows: {error.message}",
            remedy="Update edgemat, or make the artefact anew.",
        ) from error
    except _MISFITS as error:
        raise ArtifactError(
            f"The files in {artifact.path} do not fit {manifest.architecture}.",
            remedy="Make the artefact anew with this version of edgemat.",
        ) from error


def load_network(artifact: Artifact) -> MattingNetwork:
    """Rebuild the trained matting network of a float artefact, in eval mode.

    Raises
    ------
    ArtifactError
        When the artefact is of another kind or another task, or its weights do not fit its
        architecture.
    """
    return _matting(load_any_network(artifact), artifact)


def load_any_network(artifact: Artifact) -> Network:
    """Rebuild the network of a float artefact, whatever its task; else as :func:`load_network`."""
    manifest = artifact.manifest
    if manifest.kind != "float":
        raise ArtifactError(
            f"{artifact.path.name} is {manifest.kind}, not a float network.",
            remedy="Give the artefact that training wrote.",
        )
    with explain_misfit(artifact):
        network = _create_network(artifact)
        if manifest.architecture != ADOPTED:  # whose program has its weights
            read_weights(network, artifact)
        network.eval()
        if manifest.pruning is not None:
            settle_channels(network, torch.zeros(1, manifest.feeding.channels, 64, 64))
    return network


def load_deploy(artifact: Artifact) -> DeployForm:
    """Return the deploy form of a float artefact; see :func:`load_network`."""
    return to_deploy(load_network(artifact))


def create_network(artifact: Artifact) -> MattingNetwork:
    """Build the matting network that a manifest names, or load an adopted one.

    The weights of the first have no meaning yet.

    Raises
    ------
    UsageError
        Also when it is far larger than the file of its weights, before it takes memory.
    """
    return _matting(_create_network(artifact), artifact)


def _create_network(artifact: Artifact) -> Network:
    manifest = artifact.manifest
    if manifest.architecture == ADOPTED:
        return AdoptedNetwork(load_program(artifact.path / PROGRAM))
    info = model_info(manifest.architecture)
    most = PARAMETERS_PER_BYTE * size_bytes(artifact.payload)
    require_small(info, {**info.config, **manifest.config}, most=most)
    return create_model(manifest.architecture, **manifest.config)


def _matting(network: Network, artifact: Artifact) -> MattingNetwork:
    if isinstance(network, MattingNetwork):
        return network
    task = artifact.manifest.matting_task  # which says what else the artefact is for
    raise ArtifactError(
        f"{artifact.path} says that it is a {task} network, but {artifact.manifest.architecture} "
        "mattes nothing.",
        remedy=COPY_AGAIN,
    )


def read_weights(model: AnyNetwork, artifact: Artifact) -> AnyNetwork:
    """Load the payload of a float or quantized artefact into `model`, in place; returns it.

    Parameters
    ----------
    model:
        The network, or its deploy form, with all its channels: those of a pruned one, and the
        affine before an encoder that has one, are taken from the file.

    Raises
    ------
    ArtifactError
        When the file cannot be read, or does not fit.
    """
    with explain_misfit(artifact):
        state = read_state(artifact)
        add_affines(model, state)
        if artifact.manifest.pruning is not None:
            fit_channels(model, shapes_of(state))
        model.load_state_dict(state)
    return model


def read_state(artifact: Artifact) -> dict[str, Tensor]:
    """Return the tensors of a float or quantized artefact by name, as they are stored."""
    return read_safetensors(artifact.payload)
