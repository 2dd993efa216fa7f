"""Unstructured pruning: from a float artefact to one of which many weights are 0."""

from __future__ import annotations

import zlib
from dataclasses import replace
from pathlib import Path

import torch

from edgemat.artifacts.artifact import SPARSE_SUFFIX, Artifact
from edgemat.artifacts.draft import draft_child, write_artifact
from edgemat.artifacts.weights import load_network, read_state
from edgemat.data.open import open_data
from edgemat.data.sections import DataSection
from edgemat.matting.torch_predictor import torch_predictor
from edgemat.models.adopted.network import ADOPTED
from edgemat.models.deploy import to_deploy
from edgemat.recipe.sections import RecoverSection
from edgemat.scoring.evaluate import EvaluationSet, predict_all, score
from edgemat.training.loop import LOG, train
from edgemat.training.schedule import ParameterGroup
from edgemat.workflow.stages.common import at_only_size, fill_network
from edgemat.workflow.stages.training import schedule_of, training_data

# A stream of pictures that no other stage reads.
SPARSE_STREAM = 90


def sparsify_stage(
    source: Artifact,
    data: DataSection,
    validation: EvaluationSet,
    settings: RecoverSection,
    *,
    zeros: float,
    work: Path,
    out: Path,
    seed: int,
    device: str = "auto",
) -> Artifact:
    """Set the smallest weights of a float artefact to 0 with NNCF, and train the others on.

    Resumes from a checkpoint in `work` if there is one.

    Parameters
    ----------
    zeros:
        Share of all weights of convolutions that become 0, 0..1.

    Raises
    ------
    UsageError
        When the share is none.
    """
    from edgemat.quantize.pruning.sparse import bake, mask_weights

    manifest, feeding = source.manifest, source.manifest.feeding
    settings = at_only_size(manifest, settings)
    network = load_network(source)
    example = torch.zeros(1, feeding.channels, feeding.height, feeding.width)
    masked = mask_weights(network, example, zeros)
    pictures = open_data(data, seed=seed, size=(settings.size, settings.size))
    train(
        masked,
        training_data(pictures, settings, task=manifest.matting_task, seed=seed + SPARSE_STREAM),
        task=manifest.matting_task,
        schedule=schedule_of(settings),
        folder=work,
        groups=[ParameterGroup([p for p in masked.parameters() if p.requires_grad], 1.0)],
        teacher=load_network(source),
        seed=seed,
        device=device,
        title=f"{manifest.name}: training what is not 0",
    )
    network = load_network(source)
    network.load_state_dict(bake(masked))
    alphas = predict_all(torch_predictor(to_deploy(network)), validation)
    draft = replace(
        draft_child(source),
        name=manifest.name + SPARSE_SUFFIX,
        zeros=zeros,
        scores=score(alphas, validation),
        validation=validation.validation,
    )
    return write_artifact(
        out,
        lambda folder: fill_network(folder, network, work / LOG, validation, alphas),
        draft,
    )


def packed_bytes(artifact: Artifact) -> int:
    """Return the bytes of a float artefact's weights in float16, compressed as downloads are."""
    if artifact.manifest.architecture == ADOPTED:
        weights = load_network(artifact).state_dict()
    else:
        weights = read_state(artifact)
    return sum(len(zlib.compress(w.half().numpy().tobytes())) for w in weights.values())
