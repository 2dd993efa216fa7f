"""Open artefacts as torch models."""

from __future__ import annotations

from pathlib import Path

from safetensors.torch import load_file
from torch import nn

from edgemat.artifacts.artifact import Artifact
from edgemat.errors import ArtifactError
from edgemat.matting.predict import read_network
from edgemat.models import create_model
from edgemat.models.blocks.layers import MattingNetwork
from edgemat.models.deploy import DeployForm, to_deploy
from edgemat.models.pruned import fit_channels, shapes_of


def load(artifact: Artifact | Path | str) -> nn.Module:
    """Return the torch model of an artefact: the trained network, or the frozen int8 model.

    Raises
    ------
    ArtifactError
        When the artefact is damaged, or a mobile file: those run in their own runtimes.
    """
    opened = artifact if isinstance(artifact, Artifact) else Artifact(Path(artifact))
    if opened.manifest.kind == "float":
        return load_network(opened)
    return load_reference(opened)


def load_network(artifact: Artifact) -> MattingNetwork:
    """Rebuild the trained network of a float artefact, in eval mode."""
    manifest = artifact.manifest
    if manifest.kind != "float":
        raise ArtifactError(
            f"{artifact.path.name} is {manifest.kind}, not a float network.",
            remedy="Give the artefact that training wrote.",
        )
    network: MattingNetwork = read_network(manifest, artifact.payload)
    return network


def load_deploy(artifact: Artifact) -> DeployForm:
    """Return the deploy form of a float artefact."""
    return to_deploy(load_network(artifact))


def load_reference(artifact: Artifact) -> nn.Module:
    """Return what files are held against: the deploy form, or the frozen model if quantized."""
    if artifact.manifest.kind == "float":
        return load_deploy(artifact)
    if artifact.manifest.kind != "quantized":
        raise ArtifactError(
            f"{artifact.path.name} is a {artifact.manifest.kind} file, not a torch model.",
            remedy="Give the float or the quantized artefact that it was made from.",
        )
    from edgemat.quantize.frozen import freeze
    from edgemat.quantize.spec import QuantSpec

    return freeze(load_prepared(artifact), QuantSpec.load(artifact.quant))


def load_prepared(artifact: Artifact) -> DeployForm:
    """Return the deploy form of a quantized artefact, which its specification is about."""
    from edgemat.quantize.ptq import prepare_for_int8

    network = create_model(artifact.manifest.architecture, **artifact.manifest.config)
    deploy = prepare_for_int8(to_deploy(network))
    state = load_file(artifact.payload)
    if artifact.manifest.pruning is not None:
        fit_channels(deploy, shapes_of(state))
    deploy.load_state_dict(state)
    return deploy
