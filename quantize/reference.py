"""The torch model that an artefact's mobile files are compared with."""

from __future__ import annotations

from torch import nn

from edgemat.artifacts.artifact import Artifact
from edgemat.artifacts.shipped import ArtifactLike, open_artifact
from edgemat.artifacts.weights import (
    create_network,
    explain_misfit,
    load_any_network,
    load_deploy,
    read_weights,
)
from edgemat.errors import ArtifactError
from edgemat.models.deploy import DeployForm, to_deploy


def load(artifact: ArtifactLike) -> nn.Module:
    """Return the torch model of an artefact: the trained network, or the frozen int8 model.

    >>> import edgemat, torch
    >>> edgemat.load("portrait")(torch.rand(1, 3, 64, 64)).alpha.shape
    torch.Size([1, 1, 64, 64])

    Raises
    ------
    ArtifactError
        When the artefact is damaged, or a mobile file: those run in their own runtimes.
    """
    opened = open_artifact(artifact)
    if opened.manifest.kind == "float":
        return load_any_network(opened)
    return load_reference(opened)


def load_reference(artifact: Artifact) -> nn.Module:
    """Return what files are compared with: the deploy form, or the frozen model if quantized."""
    if artifact.manifest.kind == "float":
        return load_deploy(artifact)
    if artifact.manifest.kind != "quantized":
        raise ArtifactError(
            f"{artifact.path.name} is a {artifact.manifest.kind} file, not a torch model.",
            remedy="Give the float or the quantized artefact that it was made from.",
        )
    from edgemat.quantize.frozen import blank_input, freeze, unused_places
    from edgemat.quantize.spec import QuantSpec

    spec = QuantSpec.load(artifact.quant)
    feeding = artifact.manifest.feeding
    with explain_misfit(artifact):
        prepared = load_prepared(artifact)
        frozen = freeze(prepared, spec)
        unused = unused_places(frozen, blank_input(feeding.channels, prepared.network))
    if unused:  # NNCF's hooks wait for an operator of that name, and say nothing
        raise ArtifactError(
            f"{artifact.quant} has a grid for {unused[0].operator}, which "
            f"{artifact.manifest.architecture} does not compute.",
            remedy="Make the artefact anew with this version of edgemat.",
        )
    return frozen


def load_prepared(artifact: Artifact) -> DeployForm:
    """Return the deploy form of a quantized artefact, which its specification is about.

    Raises
    ------
    ArtifactError
        When weights and architecture do not fit each other.
    """
    from edgemat.quantize.ptq import prepare_for_int8

    with explain_misfit(artifact):
        deploy = prepare_for_int8(to_deploy(create_network(artifact)))
        return read_weights(deploy, artifact)
